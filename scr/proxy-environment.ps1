# What start-proxy.ps1 and run-subagent-discovery.ps1 share. Dot-source it.
# Written for Windows PowerShell 5.1 and PowerShell 7, on Windows, Linux and macOS.

. (Join-Path $PSScriptRoot 'dotenv.ps1')

# The console as it is, to leave it so: every variable, and the folder.
function Save-Console {
    @{ Variables = [Environment]::GetEnvironmentVariables(); Folder = (Get-Location).Path }
}

function Restore-Console([hashtable] $Before) {
    $now = [Environment]::GetEnvironmentVariables()
    foreach ($name in @($now.Keys) + @($Before.Variables.Keys)) {
        if (-not $Before.Variables.Contains($name)) { Remove-Item -LiteralPath "Env:$name" -ErrorAction Ignore }
        elseif ($now[$name] -cne $Before.Variables[$name]) {
            [Environment]::SetEnvironmentVariable($name, $Before.Variables[$name])
        }
    }
    Set-Location -LiteralPath $Before.Folder
}

# Runs scr/set-env.ps1 where there is one, and names the repository's .env for whoever reads it.
# Whatever becomes of that, the proxy starts.
function Import-SetEnv([string] $Root) {
    $script = [IO.Path]::Combine($Root, 'scr', 'set-env.ps1')
    if ([IO.File]::Exists($script)) {
        try { & $script | Out-Null }
        catch { Write-Note "start-proxy: scr/set-env.ps1 failed: $($_.Exception.Message)" }
    }
    $dotenv = Join-Path $Root '.env'
    if (-not $env:ROLLCALL_ENV_FILE -and [IO.File]::Exists($dotenv)) { $env:ROLLCALL_ENV_FILE = $dotenv }
}

# The path of a command: a file that was named, else on PATH, else in the repository's own .venv.
function Find-Program([string] $Name, [string] $Root) {
    $folders = @((Join-Path $Root '.venv/Scripts'), (Join-Path $Root '.venv/bin'))
    if ($Name -match '[\\/]') { $folders = @((Get-Location).Path) }
    else {
        $found = @(Get-Command $Name -CommandType Application -ErrorAction Ignore)
        if ($found) { return $found[0].Path }
    }
    foreach ($folder in $folders) {
        foreach ($ending in '', '.exe', '.cmd', '.bat') {
            $path = [IO.Path]::Combine($folder, $Name + $ending)
            if ([IO.File]::Exists($path)) { return $path }
        }
    }
}

# The words that run rollcall: its own command, else a Python that has it; nothing without one.
function Find-Rollcall([string] $Root) {
    $rollcall = Find-Program 'rollcall' $Root
    if ($rollcall) { return $rollcall }
    foreach ($name in 'py', 'python3', 'python') {
        $python = Find-Program $name $Root
        if (-not $python) { continue }
        & $python -m rollcall --version *> $null
        if ($LASTEXITCODE -eq 0) { return $python, '-m', 'rollcall' }
    }
}

# The config that the arguments for litellm name, else ROLLCALL_CONFIG, else the repository's.
function Get-ConfigPath([string] $Root, [string[]] $Arguments) {
    $given = $env:ROLLCALL_CONFIG
    if (-not $given) { $given = Join-Path $Root 'config.yaml' }
    for ($at = 0; $at -lt $Arguments.Count; $at++) {
        if ($Arguments[$at] -cmatch '^(?:--config=|-c(?=.))(.+)$') { $given = $Matches[1] }
        elseif ('--config', '-c' -ccontains $Arguments[$at] -and $at + 1 -lt $Arguments.Count) {
            $given = $Arguments[$at + 1]
        }
    }
    $given
}
