def bubble-describe [command: string] {
    match $command {
@cases@
        _ => {commands: [], options: [], values: {}, rest: ''}
    }
}

def bubble-complete [context: string] {
    let home = @home@
    let words = $context | split row --regex '\s+' | skip 1
    let typed = $words | drop 1
    let word = $words | last
    let command = match ($typed | length) {
        0 => ''
        1 => ($typed | first)
        _ => (if ($typed | first) in [@groups@] { $typed | first 2 | str join ' ' } else { $typed | first })
    }
    let known = bubble-describe $command
    let previous = $typed | append '' | last 2 | first
    let rest = if $previous in $known.values { $known.values | get $previous } else if ($word | str starts-with '-') { 'options' } else { $known.rest }
    let names = {|directory| try { ls -s $'($home)/($directory)' | get name } catch { [] } }
    if $rest == 'file' { return null }
    $rest | split row '+' | each {|one|
        match $one {
            'commands' => $known.commands
            'options' => $known.options
            'python' => (do $names pythons)
            'installable' => (try { ^bubble completions --installable e> /dev/null | lines } catch { [] })
            'system' => ['system']
            'command' => (do $names shims)
            'environment' => (do $names envs)
            'bubble' => (try { ^bubble completions --bubbles e> /dev/null | lines } catch { [] })
            'directory' | 'file' => (try { ls | get name } catch { [] })
            '' => []
            _ => ($one | split row ',' | where $it != '')
        }
    } | flatten
}
