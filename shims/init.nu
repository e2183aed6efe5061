# bubble: shell integration for nushell. Static code: sourcing it starts no process.
# Renew it with `bubble init nu`, or let `bubble init nu --install` keep it up to date.

const bubble_home = @home@
const bubble_program = @program@

def bubble-path []: nothing -> list<string> {
    let path = $env.PATH? | default ['/usr/local/bin' '/usr/bin' '/bin']
    if ($path | describe) == 'string' { $path | split row ':' } else { $path }
}

# The name that an environment is shown by: its own (`prompt` in its pyvenv.cfg), else its
# directory's, or that of the directory that a .venv is in.
def bubble-name [environment: string] {
    let own = try {
        open --raw $'($environment)/pyvenv.cfg' | into binary | decode utf-8 | lines
        | parse --regex '^prompt\s*=\s*(?<name>.+?)\s*$' | get 0.name
        | str replace --regex `^(?:'(.+)'|"(.+)")$` '$1$2' # venv writes it as Python does
    } catch { '' }
    let name = $environment | path basename
    if $own != '' { $own } else if $name in [venv env] or ($name | str starts-with '.') {
        $environment | path dirname | path basename
    } else { $name }
}

# Makes an environment (absolute path) the active one.
def --env bubble-enter [environment: string] {
    let name = bubble-name $environment
    # a control character in a directory's name says something to the terminal
    let name = $name | str replace --all --regex '\p{C}' '_'
    if ($env.PYTHONHOME? | is-not-empty) {
        $env._OLD_VIRTUAL_PYTHONHOME = $env.PYTHONHOME
        hide-env PYTHONHOME
    }
    $env.PATH = bubble-path | prepend $'($environment)/bin'
    $env.VIRTUAL_ENV = $environment
    $env.VIRTUAL_ENV_PROMPT = $name
    let prompt = $env.PROMPT_COMMAND?
    if ($env.VIRTUAL_ENV_DISABLE_PROMPT? | is-empty) and $prompt != null {
        $env._OLD_VIRTUAL_PROMPT_COMMAND = $prompt
        $env.PROMPT_COMMAND = {||
            let text = if ($prompt | describe) == 'closure' { do $prompt } else { $prompt }
            $'(char lparen)($name)(char rparen) ($text)'
        }
    }
}

# Takes the active environment back: what was put in front goes, whatever else changed stays.
def --env bubble-leave [] {
    let entry = $'($env.VIRTUAL_ENV)/bin'
    let path = bubble-path
    $env.PATH = if ($path | get -o 0) == $entry { $path | skip 1 } else { $path | where $it != $entry }
    if '_OLD_VIRTUAL_PROMPT_COMMAND' in $env {
        $env.PROMPT_COMMAND = $env._OLD_VIRTUAL_PROMPT_COMMAND
    }
    if '_OLD_VIRTUAL_PYTHONHOME' in $env {
        $env.PYTHONHOME = $env._OLD_VIRTUAL_PYTHONHOME
    }
    hide-env -i VIRTUAL_ENV VIRTUAL_ENV_PROMPT _BUBBLE_HOOK _OLD_VIRTUAL_PROMPT_COMMAND _OLD_VIRTUAL_PYTHONHOME
}

def bubble-error [message: string, hint: string] {
    error make -u {msg: $message, help: $hint}
}

# Whether a project may have names of its own in the working directory.
def bubble-in-project [] {
    mut directory = $env.PWD
    loop {
        let here = $directory
        if (['bubble.toml' 'pyproject.toml' '.venvs'] | any {|name| [$here $name] | path join | path exists }) {
            return true
        }
        let above = $here | path dirname
        if $above == $here or ($above | is-empty) { return false }
        $directory = $above
    }
}

def --env bubble-activate [typed: string] {
    let environment = if ($typed | str contains '/') or ($typed | str starts-with '.') {
        $typed | path expand --no-symlink | str trim --right --char '/'
    } else if $typed == 'default' or (bubble-in-project) {
        # only the program knows what a project calls its own
        ^$bubble_program activate --check $typed | str trim --right
    } else { $'($bubble_home)/envs/($typed)' }
    if ($environment | str contains ':') {
        bubble-error $"($environment) has a colon in its path, which PATH can't carry" 'move it to another directory'
    }
    if not ($'($environment)/pyvenv.cfg' | path exists) {
        bubble-error $"there is no environment at ($environment)" "a name is one of bubble's own; write ./NAME for a directory"
    }
    if not ($'($environment)/bin/python' | path exists) {
        bubble-error $"($environment) has no interpreter \(bin/python)" 'make the environment again'
    }
    if ($env.VIRTUAL_ENV? | is-not-empty) { bubble-leave }
    bubble-enter $environment
}

def --env --wrapped bubble [...rest: string@bubble-complete] {
    let first = $rest | get -o 0 | default ''
    let flags = $rest | any {|word| $word in ['-h' '--help' '--json'] }
    if $first == 'activate' and not $flags and ($rest | length) < 3 {
        # what is named is the user's word; what only lies here needs the store's
        bubble-activate (
            if ($rest | length) == 2 { $rest.1 } else { ^$bubble_program activate --check | str trim --right }
        )
    } else if $first == 'deactivate' and ($rest | length) == 1 {
        if ($env.VIRTUAL_ENV? | is-empty) {
            bubble-error 'no environment is active in this shell' 'bubble activate ENV'
        }
        bubble-leave
        # the hook doesn't enter again what was left by hand
        $env._BUBBLE_OFF = $env.PWD
    } else if $first == 'shell' and not $flags and $rest == ['shell' '--unset'] {
        hide-env -i BUBBLE_PYTHON
    } else if $first == 'shell' and not $flags and ($rest | length) > 1 {
        let value = ^$bubble_program shell --check ...($rest | skip 1) | str trim --right
        $env.BUBBLE_PYTHON = $value
    } else {
        ^$bubble_program ...$rest
    }
}

def --env deactivate [] {
    bubble deactivate
}

# inherited by a shell whose PATH was set anew (tmux, login shells): it isn't active
if $'($env.VIRTUAL_ENV?)/bin' not-in (bubble-path) {
    hide-env -i VIRTUAL_ENV VIRTUAL_ENV_PROMPT _BUBBLE_HOOK
}
$env.PATH = do {
    let shims = $'($bubble_home)/shims'
    let active = $'($env.VIRTUAL_ENV? | default "/nonexistent")/bin'
    let path = bubble-path | where $it != $shims
    # behind an environment that is active (a nested shell)
    if $active in $path {
        $path | where $it != $active | prepend [$active $shims]
    } else { $path | prepend $shims }
}
