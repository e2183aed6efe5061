set -g __bubble_home @home@

function __bubble_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l command
    set -l commands
    set -l options
    set -l values
    set -l rest
    set -l own
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
    if test -n "$own"
        set -l at 3
        while set -q typed[$at]
            if contains -- $typed[$at] $values
                set at (math $at + 1)
            else if not string match -qr -- '^-.' $typed[$at]
                set -q typed[(math $at + 1)]; and set own file
                set rest $own
                set values
                set options
                break
            end
            set at (math $at + 1)
        end
    end
    set -l at (contains -i -- $typed[-1] $values)
    if test -n "$at"
        set rest $values[(math $at + 1)]
    else if string match -q -- '-*' $word; and set -q options[1]
        printf '%s\n' $options
        return
    end
    set -l shared /usr/local/share/bubble
    test -n "$BUBBLE_SYSTEM_HOME"; and set shared $BUBBLE_SYSTEM_HOME
    for one in (string split + -- "$rest")
        switch "$one"
            case commands
                printf '%s\n' $commands
            case python
                set -l found $__bubble_home/pythons/* $shared/pythons/*
                string replace -r '.*/' '' -- $found
            case installable
                command bubble completions --installable 2>/dev/null
            case system
                echo system
            case command
                string replace -r '.*/' '' -- $__bubble_home/shims/*
            case environment
                set -l found $__bubble_home/envs/* $shared/envs/*
                string replace -r '.*/' '' -- $found
            case bubble
                command bubble completions --bubbles 2>/dev/null
            case directory
                __fish_complete_directories $word ''
            case file
                __fish_complete_path $word
            case '*,*'
                string split , -- $one
        end
    end
end

complete -c bubble -e
complete -c bubble -f -a '(__bubble_complete)'
