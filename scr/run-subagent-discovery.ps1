# Runs discovery for sub-agents by hand:  scr/run-subagent-discovery.ps1 [rollcall's own options]
#
# Asks only OpenRouter, by the policy's rules that name it, and writes config.yaml. With --help it
# shows the options; `rollcall plan --mode subagents` shows what would change without writing.
# The exit code is rollcall's. Windows PowerShell 5.1 and PowerShell 7.

$arguments = @($args)
$PSNativeCommandUseErrorActionPreference = $false
$root = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'proxy-environment.ps1')

$before = Get-EnvironmentName
try {
    Read-ProxyEnvironment $root
    $rollcall = Find-Program 'rollcall' $root
    if ($rollcall) {
        $options = @(Get-RollcallOption $root)
        & $rollcall apply --mode subagents @options @arguments
    }
    else {
        Write-Note 'run-subagent-discovery: rollcall was not found.'
        Write-Note 'run-subagent-discovery: Install it with: pip install litellm-rollcall'
        $global:LASTEXITCODE = 127
    }
}
finally {
    Reset-Environment $before
}
exit $LASTEXITCODE
