<#
.SYNOPSIS
Starts LiteLLM with the repository's config.yaml, brought up to date first where that is enabled.

.DESCRIPTION
Runs scr/set-env.ps1 where there is one. Then rollcall prepares the start: it reads .env, and asks
the providers which models they serve when LITELLM_ENABLE_DISCOVERY is 1, true, yes or on. Then
litellm is started on what is there, whatever became of that, and its exit code is this script's.
The console is left as it was. A config named with --config counts for both.

Variables: LITELLM_ENABLE_DISCOVERY, ROLLCALL_CONFIG, ROLLCALL_POLICY, ROLLCALL_LITELLM (a command
or a path), LITELLM_DISCOVERY_MODE. Times are set in the policy, under `defaults:`.

Everything after the script's name goes to litellm, but for -WhatIf (or --dry-run): nothing is
started then, and what discovery would change is shown. scr/start-proxy.sh does the same. A fresh
Windows runs no scripts: see the second example.

.EXAMPLE
scr\start-proxy.ps1 --port 4000

.EXAMPLE
powershell -ExecutionPolicy Bypass -File scr\start-proxy.ps1 -WhatIf

.LINK
docs/START.md
#>

$dryRun = '-WhatIf', '--dry-run'
$arguments = @($args | Where-Object { $dryRun -notcontains $_ })
$wanted = $args.Count -eq $arguments.Count
$ErrorActionPreference = 'Continue' # a caller's Stop would end here at litellm's first line on stderr
$PSNativeCommandUseErrorActionPreference = $false
$root = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'proxy-environment.ps1')

function Start-Proxy {
    $config = Get-ConfigPath $root $arguments
    $named = $arguments -cmatch '^(--config(=.*)?|-c.*)$'
    $program, $words = @(Find-Rollcall $root)
    $prepared = $null
    if (-not $program) {
        Write-Note "start-proxy: rollcall was not found (pip install `"$root`"); litellm starts on $config as it is."
        $global:LASTEXITCODE = 127
    }
    elseif (-not $wanted) { & $program @words plan --config $config }
    else {
        $prepared = & $program @words start --prepare powershell --config $config '--' @arguments
        $code = $LASTEXITCODE
        if (130, 143 -contains $code) { return }
        if (-not $prepared) { Write-Note "start-proxy: rollcall ended with $code; litellm starts on $config as it is." }
    }
    if (-not $wanted) { return }

    if ($prepared) { Invoke-Expression ($prepared -join "`n") }
    elseif ('', 'DEV' -contains "$env:LITELLM_MODE") { Read-DotEnv $env:ROLLCALL_ENV_FILE }
    if ($env:ROLLCALL_REFUSED) { $global:LASTEXITCODE = 1; return }

    $name = $env:ROLLCALL_LITELLM
    if (-not $name) { $name = 'litellm' }
    $litellm = Find-Program $name $root
    if (-not $litellm) {
        Write-Note "start-proxy: $name was not found."
        Write-Note "start-proxy: Install it with: pip install `"litellm[proxy]`" (or name it in ROLLCALL_LITELLM)."
        $global:LASTEXITCODE = 127
        return
    }
    if ($env:ROLLCALL_CONFIG) { $config = $env:ROLLCALL_CONFIG }
    if (-not $env:PYTHONUTF8) { $env:PYTHONUTF8 = '1' }
    if ($named) { & $litellm @arguments } else { & $litellm --config $config @arguments }
}

$before = Save-Console
try {
    Import-SetEnv $root
    Start-Proxy
}
finally { Restore-Console $before }
exit $LASTEXITCODE
