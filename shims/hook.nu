# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# shim.sh), and where there is no valid answer there is no environment.

def bubble-time [path: string] {
    ls -aD $path | get 0.modified
}

# The answer of a directory's memo, or '' where there is none that is valid.
def bubble-recall [memo: string, at: string, files: list<string>] {
    try {
        let time = bubble-time $memo
        if ($memo | path type) != 'file' or $time <= (bubble-time $'($bubble_home)/generation') { return '' }
        for file in $files {
            let path = $'($at)/($file)'
            if ($path | path exists) and $time <= (bubble-time $path) { return '' }
        }
        let lines = open --raw $memo | into binary | decode utf-8 | split row --number 4 (char newline)
        if ($lines | length) != 4 or ($lines | get 1) != (['1'] | append $files | str join ' ') { return '' }
        let asked = $lines | get 2
        # a link to nothing has no time, and is an error unless a higher file decides
        let sound = $files | take while {|file| $'($at)/($file)' | path exists }
        if $sound != $files and $asked not-in $sound { return '' }
        if $asked in ['.python-version' '.python-versions'] {
            let path = $'($at)/($asked)'
            if ($path | path type) not-in ['file' 'symlink'] { return '' }
            if (open --raw $path | into binary | decode utf-8) != ($lines | get 3) { return '' }
        }
        $lines | first
    } catch { '' }
}

# The directory's environment, or ''.
def bubble-find [] {
    # what this shell asks for comes before any directory
    if ($env.BUBBLE_PYTHON? | is-not-empty) { return '' }
    mut at = $env.PWD | str trim --right --char '/'
    mut answer = '-'
    while $answer == '-' {
        let here = $at
        let files = ['.python-version' '.python-versions' '.tool-versions' 'pyproject.toml'] | where {|name|
            let path = $'($here)/($name)'
            ($path | path exists) or ($path | path type) == 'symlink'
        }
        let memo = $'($bubble_home)/projects($here)/.bubble'
        if ($files | is-not-empty) or ($memo | path exists) {
            $answer = bubble-recall $memo $here $files
        }
        if $answer == '-' {
            if $at == '' { return '' }
            $at = $at | str replace --regex '/[^/]*$' ''
        }
    }
    let prefix = $answer | split row ':' | first
    let whole = ($'($prefix)/pyvenv.cfg' | path exists) and ($'($prefix)/bin/python' | path exists)
    if ($prefix | str starts-with '/') and $whole { $prefix } else { '' }
}

# Enters the directory's environment or leaves the last one; one made active by hand stays.
def --env bubble-follow [] {
    let active = $env.VIRTUAL_ENV? | default ''
    if $active != '' and $active != ($env._BUBBLE_HOOK? | default '') {
        hide-env -i _BUBBLE_HOOK
        return
    }
    # what was left by hand stays so until its directory is left
    if $env._BUBBLE_OFF? == $env.PWD { return }
    hide-env -i _BUBBLE_OFF
    let found = bubble-find
    if $found == $active { return }
    if $active != '' { bubble-leave }
    if $found != '' {
        bubble-enter $found
        $env._BUBBLE_HOOK = $found
    }
}

$env.config = do {
    let config = $env.config? | default {}
    let hooks = $config.hooks? | default {}
    let change = $hooks.env_change? | default {}
    let list = $change.PWD? | default []
    let others = $list | where {|hook| ($hook | describe) !~ '^record' or not ('bubble' in $hook) }
    let mine = {bubble: true, code: {|before, after| bubble-follow }}
    let change = $change | upsert PWD ($others | append $mine)
    # and at each prompt: for what was made there meanwhile
    let others = $hooks.pre_prompt? | default [] | where {|hook| ($hook | describe) !~ '^record' or not ('bubble' in $hook) }
    let prompt = $others | append {bubble: true, code: {|| bubble-follow }}
    $config | upsert hooks ($hooks | upsert env_change $change | upsert pre_prompt $prompt)
}
bubble-follow
