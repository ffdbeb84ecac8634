<#
.SYNOPSIS
Brings the models for sub-agents up to date: asks OpenRouter, and writes config.yaml.

.DESCRIPTION
Runs scr/set-env.ps1 where there is one, and then `rollcall apply --mode subagents`, which asks only
OpenRouter, by the policy's rules that name it. Everything after the script's name goes to rollcall:
--help shows its options; -WhatIf (or --dry-run) shows what would change and writes nothing. The
exit code is rollcall's, 127 where there is none. The console is left as it was.

.EXAMPLE
scr\run-subagent-discovery.ps1 -WhatIf

.LINK
docs/START.md
#>

$arguments = @($args | ForEach-Object { if ($_ -eq '-WhatIf') { '--dry-run' } else { $_ } })
$ErrorActionPreference = 'Continue'
$PSNativeCommandUseErrorActionPreference = $false
$root = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'proxy-environment.ps1')

$before = Save-Console
try {
    Import-SetEnv $root
    $config = Get-ConfigPath $root
    $program, $words = @(Find-Rollcall $root)
    if ($program) { & $program @words apply --mode subagents --config $config @arguments }
    else {
        Write-Note 'run-subagent-discovery: rollcall was not found.'
        Write-Note "run-subagent-discovery: Install it with: pip install `"$root`""
        $global:LASTEXITCODE = 127
    }
}
finally { Restore-Console $before }
exit $LASTEXITCODE
