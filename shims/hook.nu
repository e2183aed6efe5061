# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# selection/facts.py), and where there is no valid answer there is no environment.

# Whether something is at a path, be it a link to nothing.
def bubble-there [path: string] {
    ($path | path exists --no-symlink)
}

def bubble-time [path: string] {
    ls -aD ($path | path expand) | get 0.modified
}

# The lines of a file, without the empty one behind the last line's end.
def bubble-lines [path: string] {
    let lines = open --raw $path | into binary | decode utf-8 | split row (char newline)
    if ($lines | length) > 1 and ($lines | last) == '' { $lines | drop 1 } else { $lines }
}

# Lines as a text, without the byte order mark that only the start of a file loses by its decoding.
def bubble-text [lines: list<string>] {
    $lines | str join (char newline) | str trim --left --char (char --unicode feff)
}

# Whether two paths lead to one file or directory, by links of either kind.
def bubble-same [one: string, other: string] {
    if not (($one | path exists) and ($other | path exists)) { return false }
    let paths = [$one $other] | each { path expand }
    if $paths.0 == $paths.1 { return true }
    let files = $paths | each {|path| ls -laD $path | select type inode num_links size modified | get 0 }
    $files.0.type == 'file' and $files.0.num_links > 1 and $files.0 == $files.1
}

# Whether one fact of a memo is so; `rest` are the lines behind its path.
def bubble-holds [kind: string, path: string, rest: list<string>, memo: string] {
    match $kind {
        '-' => { not (bubble-there $path) }
        'n' => {
            let base = $path | str trim --right --char '/'
            ['.python-version' '.python-versions' '.tool-versions'] | all {|name|
                not (bubble-there $'($base)/($name)')
            }
        }
        'd' => { ($path | path expand | path type) == 'dir' }
        'l' => { (bubble-there $path) and not ($path | path exists) }
        'f' => { ($path | path type) != 'symlink' }
        '=' => { bubble-same $path ($rest | first) }
        't' => {
            let stamp = $rest | first
            (($path | path expand | path type) == 'file' and ($stamp | path exists)
                and (bubble-time $path) == (bubble-time $stamp)
                and (open --raw $path | is-not-empty))
        }
        _ => {
            (($path | path expand | path type) == 'file'
                and (bubble-time $path) <= (bubble-time $memo)
                and (bubble-text (bubble-lines $path)) == (bubble-text ($rest | first ($kind | into int))))
        }
    }
}

# The answer of a memo where these names are, or '' where it isn't valid.
def bubble-recall [memo: string, names: string] {
    try {
        if ($memo | path type) != 'file' { return '' }
        let lines = bubble-lines $memo
        let said = $env.BUBBLE_SYSTEM_HOME? | default ''
        let head = $'bubble answer 3 ($bubble_home)' + (if $said == '' { '' } else { $' ($said)' })
        if ($lines | get 0) != $head or ($lines | get 2) != $names { return '' }
        mut at = 3
        while ($lines | get $at) != '.' {
            let kind = $lines | get $at
            let count = match $kind { '-' | 'n' | 'd' | 'l' | 'f' => 0, '=' | 't' => 1, _ => ($kind | into int) }
            let rest = $lines | skip ($at + 2) | first $count
            if ($rest | length) != $count { return '' }
            if not (bubble-holds $kind ($lines | get ($at + 1)) $rest $memo) { return '' }
            $at = $at + 2 + $count
        }
        $lines | get 1
    } catch { '' }
}

# The answer where nobody has asked by this name of a directory, which a link leads to: what is known of
# it by its own name, if that is the environment in it; else ''.
def bubble-really [at: string, names: list<string>] {
    let real = $at | path expand
    if $real == $at { return '' }
    let answer = bubble-recall $'($bubble_home)/answers($real | str replace --all '/' '/@')/answer' ($names | str join ' ')
    if $answer == $'($real)/.venv' { $answer } else { '' }
}

# Whether a word of an answer is a request that nothing satisfies now.
def bubble-missing [word: string] {
    if not ($word | str starts-with '@') { return false }
    let means = $'($bubble_home)/requests/now/($word | str substring 1..)'
    try { (bubble-lines $means | first) == '-' } catch { false }
}

# The directory's environment, or ''.
def bubble-find [] {
    # what this shell asks for comes before any directory
    if ($env.BUBBLE_PYTHON? | is-not-empty) { return '' }
    mut at = $env.PWD | str trim --right --char '/'
    mut answer = '-'
    while $answer == '-' {
        let here = $at
        let names = ['.venv' '.python-version' '.python-versions' '.tool-versions' 'pyproject.toml'] | where {|name|
            bubble-there $'($here)/($name)'
        }
        if ($names | is-not-empty) {
            let memo = $'($bubble_home)/answers($here | str replace --all '/' '/@')/answer'
            $answer = bubble-recall $memo ($names | str join ' ')
            if $answer == '' and ($names | first) == '.venv' { $answer = bubble-really $here $names }
        } else {
            let key = $here | str replace --all '%' '%25' | str replace --all '/' '%2F'
            let record = if $key == '' { '%2F' } else { $key }
            # it had an environment
            if (bubble-there $'($bubble_home)/registry/p.($record)') { return '' }
        }
        if $answer == '-' {
            if $at == '' {
                if not (bubble-there $'($bubble_home)/version') { return '' }
                $answer = bubble-recall $'($bubble_home)/answers/global' 'version'
                break
            }
            $at = $at | str replace --regex '/[^/]*$' ''
        }
    }
    # the first that is there, be it an environment or not
    let prefix = $answer | split row ':' | where {|word| not (bubble-missing $word) } | get -o 0 | default ''
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
