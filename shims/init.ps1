# bubble: shell integration for PowerShell. Static code: evaluating it starts no process.
# Renew it with `bubble init pwsh`, or let `bubble init pwsh --install` keep it up to date.

$global:BubbleHome = @home@
$global:BubbleProgram = @program@

function global:__bubble_without([string] $Entry) {
    $kept = foreach ($one in "$env:PATH".Split(':')) { if ($one -cne $Entry) { $one } }
    $env:PATH = @($kept) -join ':'
}

function global:__bubble_fail([string] $Message, [string] $Hint) {
    [Console]::Error.WriteLine("error: $Message`n  hint: $Hint")
    $global:LASTEXITCODE = 1
}

# The name that an environment is shown by: its own (`prompt` in its pyvenv.cfg), else its
# directory's, or that of the directory that a .venv is in.
function global:__bubble_name([string] $Environment) {
    foreach ($line in [IO.File]::ReadAllLines("$Environment/pyvenv.cfg")) {
        # venv writes it as Python does
        if ($line -cmatch '^prompt\s*=\s*(.+?)\s*$') { return $Matches[1] -replace '^([''"])(.+)\1$', '$2' }
    }
    $name = Split-Path -Leaf $Environment
    if ($name -match '^(\..*|venv|env)$') { $name = Split-Path -Leaf (Split-Path $Environment) }
    $name
}

# Makes the environment (absolute path) the active one.
function global:__bubble_enter([string] $Environment) {
    $name = __bubble_name $Environment
    if ($name -match '\p{C}') { $name = 'env' }
    if ($env:PYTHONHOME) {
        $global:BubbleOldPythonHome = $env:PYTHONHOME
        $env:PYTHONHOME = $null
    }
    $env:PATH = "$Environment/bin:$env:PATH"
    $env:VIRTUAL_ENV = $Environment
    $env:VIRTUAL_ENV_PROMPT = $name
    if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT -and -not $global:BubbleOldPrompt) {
        $global:BubbleOldPrompt = $function:prompt
        function global:prompt { "($env:VIRTUAL_ENV_PROMPT) " + (& $global:BubbleOldPrompt) }
    }
    function global:deactivate { bubble deactivate }
}

# Takes the active environment back: what was put in front goes, whatever else changed stays.
function global:__bubble_leave {
    $entry = "$env:VIRTUAL_ENV/bin"
    if ($env:PATH.StartsWith("${entry}:", [StringComparison]::Ordinal)) {
        $env:PATH = $env:PATH.Substring($entry.Length + 1)
    } else {
        __bubble_without $entry
    }
    if ($global:BubbleOldPrompt) {
        Set-Item -LiteralPath function:global:prompt -Value $global:BubbleOldPrompt
        $global:BubbleOldPrompt = $null
    }
    if ($global:BubbleOldPythonHome) {
        $env:PYTHONHOME = $global:BubbleOldPythonHome
        $global:BubbleOldPythonHome = $null
    }
    $env:VIRTUAL_ENV = $null
    $env:VIRTUAL_ENV_PROMPT = $null
    $env:_BUBBLE_HOOK = $null
    Remove-Item -ErrorAction Ignore Function:deactivate
}

# Whether a project may have names of its own in the working directory.
function global:__bubble_in_project {
    $directory = $PWD.ProviderPath
    while ($directory) {
        foreach ($name in 'bubble.toml', 'pyproject.toml', '.venvs') {
            $path = [IO.Path]::Combine($directory, $name)
            if ([IO.File]::Exists($path) -or [IO.Directory]::Exists($path)) { return $true }
        }
        $directory = [IO.Path]::GetDirectoryName($directory)
    }
    return $false
}

function global:__bubble_activate([string] $Typed) {
    if ($Typed.Contains('/') -or $Typed.StartsWith('.')) {
        $path = [IO.Path]::GetFullPath([IO.Path]::Combine($PWD.ProviderPath, $Typed)).TrimEnd('/')
    } elseif ($Typed -eq 'default' -or (__bubble_in_project)) {
        # only the program knows what a project calls its own
        $path = & $global:BubbleProgram activate --check $Typed
        if ($LASTEXITCODE -ne 0) { return }
    } else {
        $path = "$global:BubbleHome/envs/$Typed"
    }
    if ($path.Contains(':')) {
        __bubble_fail "$path has a colon in its path, which PATH can't carry" 'move it to another directory'
    } elseif (-not [IO.File]::Exists("$path/pyvenv.cfg")) {
        __bubble_fail "there is no environment at $path" "a name is one of bubble's own; write ./NAME for a directory"
    } elseif (-not [IO.File]::Exists("$path/bin/python")) {
        __bubble_fail "$path has no interpreter (bin/python)" 'make the environment again'
    } else {
        if ($env:VIRTUAL_ENV) { __bubble_leave }
        __bubble_enter $path
        $global:LASTEXITCODE = 0
    }
}

function global:bubble {
    $count = $args.Count
    $looks = $false
    $asks = @($args | Where-Object { $_ -in '-h', '--help', '--json' }).Count -gt 0
    if ($count -gt 0 -and $count -lt 3 -and $args[0] -eq 'activate' -and -not $asks) {
        # what is named is the user's word; what only lies here needs the store's
        $typed = if ($count -eq 2) { $args[1] } else { & $global:BubbleProgram activate --check }
        if ($count -eq 2 -or $LASTEXITCODE -eq 0) { __bubble_activate $typed }
    } elseif ($count -eq 1 -and $args[0] -eq 'deactivate') {
        if ($env:VIRTUAL_ENV) {
            __bubble_leave
            # the hook doesn't enter again what was left by hand
            $global:BubbleOff = "$PWD"
            $global:LASTEXITCODE = 0
        } else {
            __bubble_fail 'no environment is active in this shell' 'bubble activate ENV'
        }
    } elseif ($count -eq 2 -and $args[0] -eq 'shell' -and $args[1] -eq '--unset') {
        $env:BUBBLE_PYTHON = $null
        $global:LASTEXITCODE = 0
        $looks = $true
    } elseif ($count -gt 1 -and $args[0] -eq 'shell' -and -not $asks) {
        $words = $args[1..($count - 1)]
        $value = & $global:BubbleProgram shell --check @words
        if ($LASTEXITCODE -eq 0) { $env:BUBBLE_PYTHON = $value }
        $looks = $true
    } else {
        & $global:BubbleProgram @args
        $looks = $true
    }
    # what it changed may change the directory's environment
    if ($looks -and $global:BubbleHooked) {
        $global:BubbleLast = $null
        __bubble_hook
    }
}

__bubble_without "$global:BubbleHome/shims"
# behind an environment that is active (a nested shell)
if ($env:VIRTUAL_ENV -and ($env:PATH.Split(':') -ccontains "$env:VIRTUAL_ENV/bin")) {
    __bubble_without "$env:VIRTUAL_ENV/bin"
    $env:PATH = "$env:VIRTUAL_ENV/bin:$global:BubbleHome/shims:$env:PATH"
} else {
    # inherited by a shell whose PATH was set anew (tmux, login shells): it isn't active
    $env:VIRTUAL_ENV = $null
    $env:VIRTUAL_ENV_PROMPT = $null
    $env:_BUBBLE_HOOK = $null
    $env:PATH = "$global:BubbleHome/shims:$env:PATH"
}
