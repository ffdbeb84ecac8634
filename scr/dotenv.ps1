# What the scripts read .env with where there is no rollcall. Dot-source it.
# Written for Windows PowerShell 5.1 and PowerShell 7, on Windows, Linux and macOS.

# A note on stderr, by a program: what PowerShell itself writes there no caller's `2>` takes.
function Write-Note([string] $Text) {
    $env:ROLLCALL_NOTE = $Text
    if ($env:ComSpec) { & $env:ComSpec /d /v:on /c 'echo !ROLLCALL_NOTE!>&2' }
    else { & '/bin/sh' -c 'printf "%s\n" "$ROLLCALL_NOTE" >&2' }
    Remove-Item Env:ROLLCALL_NOTE
}

# Sets the NAME=value lines of a .env file as python-dotenv reads them, but for ${OTHER} and for
# backslashes in quotes. What is already set wins; of two lines of one name the last one does.
function Read-DotEnv([string] $Path) {
    if (-not [IO.File]::Exists($Path)) { return }
    $bytes = [IO.File]::ReadAllBytes($Path)
    if ($bytes.Length -gt 1 -and 'FE-FF', 'FF-FE' -contains [BitConverter]::ToString($bytes, 0, 2)) {
        Write-Note "start-proxy: $Path is UTF-16 and was not read: save it as UTF-8."
        return
    }
    $text = [Text.Encoding]::UTF8.GetString($bytes).TrimStart([char] 0xFEFF)
    $comparer = [StringComparer]::Ordinal
    if ($env:ComSpec) { $comparer = [StringComparer]::OrdinalIgnoreCase }
    $ours = New-Object 'Collections.Generic.HashSet[string]' $comparer
    $blank = [regex] '\G\s*'
    $key = [regex] '\G(?>(?:export[^\S\r\n]+)?)(?:''([^'']+)''|(?!'')([^=#\s]+))[^\S\r\n]*'
    $equals = [regex] '\G=[^\S\r\n]*'
    $value = [regex] '\G(?:''((?:\\[\s\S]|[^''\\])*)''|"((?:\\[\s\S]|[^"\\])*)"|(?<=[^\S\r\n])(?=#)|(?![''"])([^\r\n]*))'
    $tail = [regex] '\G[^\S\r\n]*(?:#[^\r\n]*)?(?:[\r\n]|$)'
    $line = [regex] '\G[^\r\n]*(?:\r\n|\n|\r|$)'
    $at = $blank.Match($text).Length
    while ($at -lt $text.Length) {
        $named = $key.Match($text, $at)
        $at += $named.Length
        $set = $equals.Match($text, $at)
        $at += $set.Length
        $found = $value.Match($text, $at)
        $whole = $named.Success -and $set.Success -and $found.Success
        if ($whole) { $at += $found.Length }
        $whole = $whole -and $tail.IsMatch($text, $at)
        $at += $line.Match($text, $at).Length
        $at += $blank.Match($text, $at).Length
        $name = $named.Groups[1].Value + $named.Groups[2].Value
        if (-not $whole -or $name -notmatch '^[A-Za-z_][A-Za-z0-9_]*\z') { continue }
        if ($ours.Add($name) -and (Test-Path "Env:$name")) {
            [void] $ours.Remove($name)
            continue
        }
        $quoted = $found.Groups[1].Value + $found.Groups[2].Value
        $bare = ($found.Groups[3].Value -replace '\s+#.*$', '').TrimEnd()
        if ($quoted.Contains('\') -or "$quoted$bare" -match '\$\{|\x00') {
            $why = '${...}, backslashes in quotes and NUL characters take rollcall to read'
            Write-Note "start-proxy: .env: $name is left out: $why."
            $quoted = $bare = $null
        }
        [Environment]::SetEnvironmentVariable($name, "$quoted$bare")
    }
}
