# What start-proxy.ps1, run-subagent-discovery.ps1 and set-env.ps1 share. Dot-source it.
# Written for Windows PowerShell 5.1 and PowerShell 7, on Windows, Linux and macOS.

function Write-Note([string] $Text) {
    [Console]::Error.WriteLine($Text)
}

# Sets the NAME=value lines of a .env file, also with export, quotes or a comment.
# What is already set wins.
function Read-DotEnv([string] $Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return }
    foreach ($line in [IO.File]::ReadAllLines($Path)) {
        if (-not ($line -match '^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$')) { continue }
        $name = $Matches[1]
        $value = $Matches[2]
        if (Test-Path "Env:$name") { continue }
        if ($value.Contains('${') -or $value -match '^[''"].*\\') {
            Write-Note ".env: $name uses `${...} or escapes, which only ``rollcall start`` reads."
            continue
        }
        if ($value -match '^''([^'']*)''' -or $value -match '^"([^"]*)"') {
            $value = $Matches[1]
        }
        elseif ($value -match '^[''"]') {
            Write-Note ".env: $name spans several lines, which only ``rollcall start`` reads."
            continue
        }
        else {
            $value = $value -replace '\s+#.*$', ''
        }
        if ($value) { Set-Item -LiteralPath "Env:$name" -Value $value }
    }
}

# Loads scr/set-env.ps1 where there is one, then .env for what is still unset.
function Read-ProxyEnvironment([string] $Root) {
    $setEnv = Join-Path (Join-Path $Root 'scr') 'set-env.ps1'
    if (Test-Path -LiteralPath $setEnv -PathType Leaf) {
        try { . $setEnv | Out-Null }
        catch { Write-Note "scr/set-env.ps1 failed: $($_.Exception.Message)" }
    }
    if ($env:LITELLM_MODE -ne 'PRODUCTION') { Read-DotEnv (Join-Path $Root '.env') }
}

# The names of the variables that are set; Reset-Environment removes those that came later, so
# that a script leaves no key behind in the console it was called from.
function Get-EnvironmentName {
    Get-ChildItem Env: | ForEach-Object { $_.Name }
}

function Reset-Environment([string[]] $Before) {
    Get-EnvironmentName | Where-Object { $Before -notcontains $_ } | ForEach-Object {
        Remove-Item -LiteralPath "Env:$_"
    }
}

# The path of a command: on PATH, else in the repository's own virtual environment.
function Find-Program([string] $Name, [string] $Root) {
    $venv = Join-Path $Root '.venv'
    foreach ($candidate in $Name, "$venv/Scripts/$Name", "$venv/bin/$Name") {
        $found = Get-Command $candidate -CommandType Application -ErrorAction Ignore
        if ($found) { return @($found)[0].Path }
    }
}

# The --config and --policy of rollcall: by variable, else at the repository root.
function Get-RollcallOption([string] $Root) {
    $config = $env:ROLLCALL_CONFIG
    if (-not $config) { $config = Join-Path $Root 'config.yaml' }
    $policy = $env:ROLLCALL_POLICY
    $default = Join-Path $Root 'policy.yaml'
    if (-not $policy -and (Test-Path -LiteralPath $default -PathType Leaf)) { $policy = $default }
    '--config', $config
    if ($policy) { '--policy', $policy }
}
