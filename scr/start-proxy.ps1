# Starts LiteLLM with the repository's config.yaml:  scr/start-proxy.ps1 [litellm's own options]
#
# Loads scr/set-env.ps1 and .env, lets rollcall bring config.yaml up to date when
# LITELLM_ENABLE_DISCOVERY is 1, true, yes or on, and then starts litellm on what is there,
# whatever became of that. The exit code is litellm's. scr/start-proxy.sh does the same.
# Windows PowerShell 5.1 and PowerShell 7, on Windows, Linux and macOS.

$arguments = @($args)
$PSNativeCommandUseErrorActionPreference = $false
$root = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'proxy-environment.ps1')

function Start-Proxy {
    $options = @(Get-RollcallOption $root)
    $config = $options[1]
    if ($env:LITELLM_ENABLE_DISCOVERY -match '^\s*(1|true|yes|on)\s*$') {
        $rollcall = Find-Program 'rollcall' $root
        if ($rollcall) {
            & $rollcall apply @options
            if (130, 143 -contains $LASTEXITCODE) { return }
            if ($LASTEXITCODE -ne 0) {
                Write-Note "start-proxy: rollcall apply ended with $LASTEXITCODE; LiteLLM starts on $config as it is."
            }
        }
        else {
            Write-Note "start-proxy: rollcall was not found (pip install litellm-rollcall); LiteLLM starts on $config as it is."
        }
    }
    else {
        Write-Note "start-proxy: $config is used as it is; LITELLM_ENABLE_DISCOVERY=1 brings it up to date first."
    }

    $name = $env:ROLLCALL_LITELLM
    if (-not $name) { $name = 'litellm' }
    $litellm = Find-Program $name $root
    if (-not $litellm) {
        Write-Note "start-proxy: $name was not found."
        Write-Note "start-proxy: Install it with: pip install 'litellm[proxy]' (or name it in ROLLCALL_LITELLM)."
        $global:LASTEXITCODE = 127
        return
    }
    # litellm opens config.yaml in the machine's code page otherwise.
    if (-not $env:PYTHONUTF8) { $env:PYTHONUTF8 = '1' }
    & $litellm --config $config @arguments
}

$before = Get-EnvironmentName
try {
    Read-ProxyEnvironment $root
    Start-Proxy
}
finally {
    Reset-Environment $before
}
exit $LASTEXITCODE
