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
    match $rest {
        'commands' => $known.commands
        'options' => $known.options
        'python' => (do $names pythons)
        'command' => (do $names shims)
        'environment' => (do $names envs)
        'runnable' => ((do $names envs) ++ (try { ls | get name } catch { [] }))
        'bubble' => (try { ^bubble completions --bubbles e> /dev/null | lines } catch { [] })
        'file' => null
        '' => []
        _ => ($rest | split row ',' | where $it != '')
    }
}
