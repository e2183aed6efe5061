# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# shim.sh), and where there is no valid answer there is no environment.

# The answer of the memo of a directory with these files, or nothing where it isn't valid.
function global:__bubble_recall([string] $Memo, [string] $At, [string[]] $Files) {
    try {
        $time = [IO.File]::GetLastWriteTimeUtc($Memo)
        if (-not [IO.File]::Exists($Memo)) { return }
        if ($time -le [IO.File]::GetLastWriteTimeUtc("$global:BubbleHome/generation")) { return }
        foreach ($file in $Files) {
            # a link to nothing has no time to compare: leave it to bubble
            if (-not (Test-Path -LiteralPath "$At/$file") -or $time -le [IO.File]::GetLastWriteTimeUtc("$At/$file")) { return }
        }
        $lines = [IO.File]::ReadAllText($Memo).Split("`n", 4)
        if ($lines.Count -ne 4 -or $lines[1] -cne ((@('1') + $Files) -join ' ')) { return }
        if (@('.python-version', '.python-versions') -ccontains $lines[2]) {
            if ([IO.File]::ReadAllText("$At/$($lines[2])") -cne $lines[3]) { return }
        }
        $lines[0]
    } catch { }
}

# The directory's environment, or ''.
function global:__bubble_find {
    # what this shell asks for comes before any directory
    if ($env:BUBBLE_PYTHON) { return '' }
    $at = $PWD.ProviderPath.TrimEnd('/')
    while ($true) {
        $files = @(foreach ($name in '.python-version', '.python-versions', '.tool-versions', 'pyproject.toml') {
            # a link to nothing, too
            if (Get-Item -Force -ErrorAction Ignore -LiteralPath "$at/$name") { $name }
        })
        $memo = "$global:BubbleHome/projects$at/.bubble"
        if ($files.Count -gt 0 -or [IO.File]::Exists($memo)) {
            $answer = __bubble_recall $memo $at $files
            if ($answer -cne '-') { break }
        }
        if ($at -eq '') { return '' }
        $at = $at.Substring(0, $at.LastIndexOf('/'))
    }
    $prefix = "$answer".Split(':')[0]
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
