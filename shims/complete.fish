set -g __bubble_home @home@

function __bubble_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l command
    set -l commands
    set -l options
    set -l values
    set -l rest
    if set -q typed[2]
        set command $typed[2]
        switch $command
            case '@groups@'
                set -q typed[3]; and set command "$command $typed[3]"
        end
    end
    switch "$command"
        # @cases@
        case '*'
    end
    set -l at (contains -i -- $typed[-1] $values)
    if test -n "$at"
        set rest $values[(math $at + 1)]
    else if string match -q -- '-*' $word
        printf '%s\n' $options
        return
    end
    switch "$rest"
        case commands
            printf '%s\n' $commands
        case python
            string replace -r '.*/' '' -- $__bubble_home/pythons/*
        case command
            string replace -r '.*/' '' -- $__bubble_home/shims/*
        case environment
            string replace -r '.*/' '' -- $__bubble_home/envs/*
            __fish_complete_directories $word ''
        case runnable
            string replace -r '.*/' '' -- $__bubble_home/envs/*
            __fish_complete_path $word
        case bubble
            command bubble completions --bubbles 2>/dev/null
        case file
            __fish_complete_path $word
        case '*,*'
            string split , -- $rest
    end
end

complete -c bubble -e
complete -c bubble -f -a '(__bubble_complete)'
