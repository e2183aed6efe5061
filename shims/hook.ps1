# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# selection/facts.py), and where there is no valid answer there is no environment.

# Whether something is at a path, be it a link to nothing.
function global:__bubble_there([string] $Path) {
    $null -ne (Get-Item -Force -ErrorAction Ignore -LiteralPath $Path)
}

# The path without links in it, or ''.
function global:__bubble_real([string] $Path, [int] $Depth = 0) {
    if ($Depth -gt 40 -or -not (Test-Path -LiteralPath $Path)) { return '' }
    $real = ''
    foreach ($part in $Path.Trim('/').Split('/')) {
        $real = "$real/$part"
        $target = [IO.File]::ResolveLinkTarget($real, $false)
        if ($target) { $real = __bubble_real $target.FullName ($Depth + 1) }
    }
    $real
}

# The lines of a file, without the empty one behind the last line's end.
function global:__bubble_lines([string] $Path) {
    $text = [IO.File]::ReadAllText($Path)
    if ($text.EndsWith("`n")) { $text = $text.Substring(0, $text.Length - 1) }
    , $text.Split("`n")
}

# Whether one fact of a memo is so; $Rest are the lines behind its path.
function global:__bubble_holds([string] $Kind, [string] $Path, [string[]] $Rest, [string] $Memo) {
    switch -CaseSensitive ($Kind) {
        '-' { return -not (__bubble_there $Path) }
        'n' {
            foreach ($name in '.python-version', '.python-versions', '.tool-versions') {
                if (__bubble_there "$($Path.TrimEnd('/'))/$name") { return $false }
            }
            return $true
        }
        'd' { return [IO.Directory]::Exists($Path) }
        'l' { return (__bubble_there $Path) -and -not (Test-Path -LiteralPath $Path) }
        'f' { return -not [IO.File]::GetAttributes($Path).HasFlag([IO.FileAttributes]::ReparsePoint) }
        '=' {
            $real = __bubble_real $Path
            if (-not $real) { return $false }
            $other = __bubble_real $Rest[0]
            if ($real -ceq $other) { return $true }
            # a hard link of it
            $one, $two = $real, $other | ForEach-Object { (Get-Item -Force -LiteralPath $_).UnixStat }
            return $one -and $two -and $one.HardlinkCount -gt 1 -and $one.Inode -eq $two.Inode -and
                $one.DeviceId -eq $two.DeviceId -and $one.Size -eq $two.Size -and $one.ModifiedTime -eq $two.ModifiedTime
        }
        't' {
            [IO.File]::OpenRead($Path).Dispose() # which fails where there is none to be read
            return [IO.File]::Exists($Path) -and [IO.File]::Exists($Rest[0]) -and
                [IO.File]::GetLastWriteTimeUtc($Path) -eq [IO.File]::GetLastWriteTimeUtc($Rest[0])
        }
    }
    if (-not [IO.File]::Exists($Path)) { return $false }
    if ([IO.File]::GetLastWriteTimeUtc($Path) -gt [IO.File]::GetLastWriteTimeUtc($Memo)) { return $false }
    ((__bubble_lines $Path) -join "`n") -ceq ($Rest -join "`n")
}

# The answer of a memo where these names are, or nothing where it isn't valid.
function global:__bubble_recall([string] $Memo, [string] $Names) {
    try {
        if (-not [IO.File]::Exists($Memo)) { return }
        $lines = __bubble_lines $Memo
        $head = "bubble answer 3 $global:BubbleHome"
        if ($env:BUBBLE_SYSTEM_HOME) { $head += " $env:BUBBLE_SYSTEM_HOME" }
        if ($lines[0] -cne $head -or $lines[2] -cne $Names) { return }
        $at = 3
        while ($lines[$at] -cne '.') {
            $kind = $lines[$at]
            $count = switch ($kind) { { $_ -in '-', 'n', 'd', 'l', 'f' } { 0 } { $_ -in '=', 't' } { 1 } default { [int] $kind } }
            if ($at + 2 + $count -ge $lines.Count) { return }
            $rest = if ($count) { $lines[($at + 2)..($at + 1 + $count)] } else { @() }
            if (-not (__bubble_holds $kind $lines[$at + 1] $rest $Memo)) { return }
            $at += 2 + $count
        }
        $lines[1]
    } catch { }
}

# The directory's environment, or ''.
function global:__bubble_find {
    # what this shell asks for comes before any directory
    if ($env:BUBBLE_PYTHON) { return '' }
    $at = $PWD.ProviderPath.TrimEnd('/')
    while ($true) {
        $names = @(foreach ($name in '.venv', '.python-version', '.python-versions', '.tool-versions', 'pyproject.toml') {
            if (__bubble_there "$at/$name") { $name }
        })
        if ($names.Count -gt 0) {
            $answer = __bubble_recall "$global:BubbleHome/answers$($at.Replace('/', '/@'))/answer" ($names -join ' ')
            if ($answer -cne '-') { break }
        } else {
            $key = $at.Replace('%', '%25').Replace('/', '%2F')
            if (-not $key) { $key = '%2F' }
            # it had an environment
            if ([IO.File]::Exists("$global:BubbleHome/registry/p.$key")) { return '' }
        }
        if ($at -eq '') {
            if (-not (__bubble_there "$global:BubbleHome/version")) { return '' }
            $answer = __bubble_recall "$global:BubbleHome/answers/global" 'version'
            break
        }
        $at = $at.Substring(0, $at.LastIndexOf('/'))
    }
    # the first that is there, be it an environment or not
    $prefix = ''
    foreach ($word in "$answer".Split(':')) {
        $prefix = $word
        if (-not $word.StartsWith('@')) { break }
        try { $means = (__bubble_lines "$global:BubbleHome/requests/now/$($word.Substring(1))")[0] } catch { $means = '' }
        if ($means -cne '-') { break }
    }
    if ($prefix.StartsWith('/') -and [IO.File]::Exists("$prefix/pyvenv.cfg") -and [IO.File]::Exists("$prefix/bin/python")) { return $prefix }
    ''
}

# Enters the directory's environment or leaves the last one; one made active by hand stays.
function global:__bubble_hook {
    if ("$PWD" -ceq $global:BubbleLast) { return }
    $global:BubbleLast = "$PWD"
    if ($env:VIRTUAL_ENV -and $env:VIRTUAL_ENV -cne $env:_BUBBLE_HOOK) {
        $env:_BUBBLE_HOOK = $null
        return
    }
    # what was left by hand stays so until its directory is left
    if ("$PWD" -ceq $global:BubbleOff) { return }
    $global:BubbleOff = $null
    $found = __bubble_find
    if ($found -ceq "$env:VIRTUAL_ENV") { return }
    if ($env:VIRTUAL_ENV) { __bubble_leave }
    if ($found) {
        __bubble_enter $found
        $env:_BUBBLE_HOOK = $found
    }
}

if (-not $global:BubbleHooked) {
    $global:BubbleHooked = $true
    $global:BubbleLocationChanged = $ExecutionContext.InvokeCommand.LocationChangedAction
    # at every change of location, without touching the prompt
    $ExecutionContext.InvokeCommand.LocationChangedAction = {
        param($source, $change)
        if ($global:BubbleLocationChanged) { & $global:BubbleLocationChanged $source $change }
        __bubble_hook
    }
}
$global:BubbleLast = $null
__bubble_hook
