# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# selection/facts.py), and where there is no valid answer there is no environment.

# Whether the file $argv[1] has just the lines behind $argv[3]; it is no newer than the memo
# $argv[2]: what is newer is something else, and may be large.
function __bubble_same
    test -f "$argv[1]"; and not test "$argv[1]" -nt "$argv[2]"; or return
    set -l text
    set -l more
    begin # a second one: a NUL
        read -z text; and not read -z more
    end <"$argv[1]"
    or test -z "$text"; or return # an empty file has nothing to read
    set -l lines (string split \n -- "$text")
    test (count $lines) -gt 1; and test -z "$lines[-1]"; and set -e lines[-1]
    set -l said $argv[4..-1]
    test (count $lines) -eq (count $said); or return
    for line in $lines
        test "$line" = "$said[1]"; or return
        set -e said[1]
    end
end

# Sets __bubble_answer to the words of the memo $argv[1], if it holds where the names $argv[2] are.
function __bubble_recall
    test -f "$argv[1]"; or return
    set -l text
    read -z text <"$argv[1]"
    set -l lines (string split \n -- "$text")
    test "$lines[1]" = 'bubble answer 2'; and test "$lines[3]" = "$argv[2]"; or return
    set -g __bubble_answer (string split : -- "$lines[2]")
    set -e lines[1..3]
    while set -q lines[2]
        set -l kind $lines[1]
        set -l file $lines[2]
        test "$kind" = .; and return 0
        set -e lines[1..2]
        switch $kind
            case -
                test -e "$file"; or test -L "$file"; and return 1
            case n
                for name in .python-version .python-versions .tool-versions
                    set -l path (string trim -r -c / -- "$file")/$name
                    test -e "$path"; or test -L "$path"; and return 1
                end
            case d
                test -d "$file"; or return
            case l
                test -L "$file"; and not test -e "$file"; or return 1
            case =
                test "$file" -ef "$lines[1]"; or return
                set -e lines[1]
            case t
                test -f "$file"; and test -f "$lines[1]"; or return
                test "$file" -nt "$lines[1]"; or test "$lines[1]" -nt "$file"; and return 1
                set -e lines[1]
            case '*'
                string match -qr '^[1-9][0-9]{0,4}$' -- "$kind"; and set -q lines[$kind]; or return
                __bubble_same "$file" "$argv[1]" - $lines[1..$kind]; or return
                set -e lines[1..$kind]
        end
    end
    return 1
end

# Sets __bubble_answer to what the directory gets, if that is known.
function __bubble_select
    set -l at "$PWD"
    test "$at" = /; and set at ''
    set -l tree "$__bubble_home/answers"(string replace -a / /@ -- "$at")
    set -l key (string replace -a / %2F -- (string replace -a % %25 -- "$at"))
    test (count $tree) -eq 1; or return # a line feed in it
    while true
        set -l names
        for name in .venv .python-version .python-versions .tool-versions pyproject.toml
            test -e "$at/$name"; or test -L "$at/$name"; and set -a names $name
        end
        if set -q names[1]
            __bubble_recall "$tree/answer" "$names"; or return
            test "$__bubble_answer" = -; or return 0
        else
            set -l record $key
            test -n "$key"; or set record %2F
            test -e "$__bubble_home/registry/p.$record"; and return 1 # it had an environment
        end
        test -n "$at"; or return
        set at (string replace -r '/[^/]*$' '' -- "$at")
        set key (string replace -r '%2F((?!%2F).)*$' '' -- "$key")
        set tree (string replace -r '/@[^/]*$' '' -- "$tree")
    end
end

# Sets `found` to the directory's environment, else to nothing.
function __bubble_find --no-scope-shadowing
    set found
    # what this shell asks for comes before any directory
    test -z "$BUBBLE_PYTHON"; and __bubble_select 2>/dev/null; or return
    if string match -q '/*' -- "$__bubble_answer[1]"; and test -f "$__bubble_answer[1]/pyvenv.cfg"; and test -x "$__bubble_answer[1]/bin/python"
        set found "$__bubble_answer[1]"
    end
end

# Enters the directory's environment or leaves the last one; one made active by hand stays.
function __bubble_hook --on-variable PWD
    if test -n "$VIRTUAL_ENV"; and test "$VIRTUAL_ENV" != "$_BUBBLE_HOOK"
        set -e _BUBBLE_HOOK
        return
    end
    set -l found
    __bubble_find
    if test "$found" != "$VIRTUAL_ENV"
        test -n "$VIRTUAL_ENV"; and __bubble_leave
        if test -n "$found"
            __bubble_enter $found
            set -gx _BUBBLE_HOOK $found
        end
    end
end

__bubble_hook
