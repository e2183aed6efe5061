# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# selection/facts.py), and where there is no valid answer there is no environment. A command
# substitution costs fish as much as all else here: `read -a` and named groups do without.

# Whether the file $argv[1] has just the lines behind $argv[3]; it is no newer than the memo
# $argv[2]: what is newer is something else, and may be large.
function __bubble_same
    test -f "$argv[1]"; and test -r "$argv[1]"; and not test "$argv[1]" -nt "$argv[2]"; or return
    set -l lines
    set -l more
    begin # a second one: a NUL
        read -z -a -d \n lines; and not read -z more
    end <"$argv[1]"
    or not set -q lines[1]; or return # an empty file has nothing to read
    set -q lines[2]; and test -z "$lines[-1]"; and set -e lines[-1]
    set -q lines[1]; or set lines ''
    set -l said $argv[4..-1]
    for line in $lines
        set -q said[1]; and test "$line" = "$said[1]"; or return
        set -e said[1]
    end
    not set -q said[1]
end

# Sets __bubble_answer to the words of the memo $argv[1], if it holds where the names $argv[2] are.
function __bubble_recall
    test -f "$argv[1]"; and test -r "$argv[1]"; or return
    set -l lines
    read -z -a -d \n lines <"$argv[1]"
    set -l head "bubble answer 3 $__bubble_home"
    test -n "$BUBBLE_SYSTEM_HOME"; and set head "$head $BUBBLE_SYSTEM_HOME"
    test "$lines[1]" = "$head"; and test "$lines[3]" = "$argv[2]"; or return
    set -g __bubble_answer "$lines[2]"
    string match -q '*:*' -- "$lines[2]"; and set -g __bubble_answer (string split : -- "$lines[2]")
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
                test "$file" = /; and set file ''
                for name in .python-version .python-versions .tool-versions
                    test -e "$file/$name"; or test -L "$file/$name"; and return 1
                end
            case d
                test -d "$file"; or return
            case l
                test -L "$file"; and not test -e "$file"; or return 1
            case f
                test -L "$file"; and return 1
            case =
                test "$file" -ef "$lines[1]"; or return
                set -e lines[1]
            case t
                test -f "$file"; and test -r "$file"; and test -f "$lines[1]"; or return
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
    # a shell that runs on may be in a directory whose name another one has by now
    test "$PWD" -ef .; or return
    set -l at "$PWD"
    test "$at" = /; and set at ''
    if test "$PWD" != "$__bubble_named"
        set -g __bubble_tree (string replace -a / /@ -- "$at")
        set -g __bubble_key (string replace -a / %2F -- (string replace -a % %25 -- "$at"))
        set -g __bubble_named "$PWD"
    end
    set -q __bubble_tree[2]; and return 1 # a line feed in it
    set -l tree $__bubble_tree
    set -l key $__bubble_key
    while true
        set -l names
        for name in .venv .python-version .python-versions .tool-versions pyproject.toml
            test -e "$at/$name"; or test -L "$at/$name"; and set -a names $name
        end
        if set -q names[1]
            __bubble_remember "$tree/answer" "$names"; or __bubble_really "$at" "$names"; or return
            test "$__bubble_answer" = -; or return 0
        else
            set -l record $key
            test -n "$key"; or set record %2F
            test -e "$__bubble_home/registry/p.$record"; and return 1 # it had an environment
        end
        test -n "$at"; or break
        string match -qr '^(?<at>.*)/' -- "$at"
        string match -qr '^(?<key>.*)%2F' -- "$key"
        string match -qr '^(?<tree>.*)/@' -- "$tree"
    end
    test -e "$__bubble_home/version"; and __bubble_remember /global version
end

# The same where nobody has asked by this name of the directory $argv[1], which a link leads to: what
# is known of it by its own name, if that is the environment in it.
function __bubble_really
    string match -q '.venv*' -- "$argv[2]"; or return 1
    set -l real (path resolve -- "$argv[1]")
    test "$real" != "$argv[1]"; or return 1
    __bubble_remember (string replace -a / /@ -- "$real")/answer "$argv[2]"; or return 1
    string match -q '/*' -- "$__bubble_answer"; and test "$__bubble_answer" -ef "$argv[1]/.venv"
end

# The same of the store's memo $argv[1] (below its `answers`), or of this user's own, as
# answer.sh has it.
function __bubble_remember
    __bubble_recall "$__bubble_home/answers$argv[1]" "$argv[2]"; and return
    set -l own "$BUBBLE_CACHE_DIR"
    if test -z "$own"
        set own "$XDG_CACHE_HOME/bubble"
        string match -q '/*' -- "$XDG_CACHE_HOME"; or set own "$HOME/.cache/bubble"
    end
    set own "$own/answers"
    string match -q '/*' -- "$own"; and test -O "$own"; and not test -L "$own"; or return 1
    set own "$own"(string replace -a / /@ -- "$__bubble_home")"$argv[1]"
    test -O "$own"; and __bubble_recall "$own" "$argv[2]"; or return 1
    not string match -qr '[/@]' -- "$__bubble_answer"
end

# Sets `found` to the directory's environment, else to nothing.
function __bubble_find --no-scope-shadowing
    set found
    # what this shell asks for comes before any directory
    test -z "$BUBBLE_PYTHON"; and __bubble_select 2>/dev/null; or return
    # the first that is there, be it an environment or not
    for word in $__bubble_answer
        set -l means
        if string match -qr '^@(?<means>.*)' -- "$word"; and test -r "$__bubble_home/requests/now/$means"
            read means <"$__bubble_home/requests/now/$means"; and test "$means" = -; and continue
        else if string match -q '/*' -- "$word"; and test -f "$word/pyvenv.cfg"; and test -x "$word/bin/python"
            set found "$word"
        end
        break
    end
end

# Enters the directory's environment or leaves the last one; one made active by hand stays.
function __bubble_follow
    # what isn't on PATH isn't active, whatever the variable says
    set -l active
    if set -q VIRTUAL_ENV; and contains -- $VIRTUAL_ENV/bin $PATH
        set active $VIRTUAL_ENV
    end
    set -l found
    __bubble_find
    if test -n "$active"; and test "$active" != "$_BUBBLE_HOOK"
        # another hook may have found ours active: it will bring back what it found, so that
        # what we entered is still to be known then
        if set -q _BUBBLE_HOOK; and test "$_BUBBLE_HOOK" != "$found"; and contains -- $_BUBBLE_HOOK $__bubble_entered
            __bubble_without $_BUBBLE_HOOK/bin
        end
        return 0
    end
    # what was left by hand stays so in its directory, and below as long as that is what is there
    if test "$PWD" = "$__bubble_off"
        test -n "$found"; and set -g __bubble_held $found
        set found
    else if test -n "$__bubble_off"; and test "$found" = "$__bubble_held"
        set found
    else
        set -g __bubble_off
    end
    # a shell inside a shell has the variables, but neither the prompt nor `deactivate`
    if test "$found" = "$active"; and test "$found" = "$_BUBBLE_HOOK"
        test -z "$found"; or set -qg _OLD_VIRTUAL_PATH; and return 0
    end
    set -q _BUBBLE_HOOK; and __bubble_leave
    if test -n "$found"
        # who has it on PATH anyway keeps it there
        set -l others
        for one in $__bubble_entered
            test "$one" = "$found"; or set -a others $one
        end
        set -g __bubble_entered $others
        contains -- $found/bin $PATH; or set -ga __bubble_entered $found
        __bubble_enter $found
        set -gx _BUBBLE_HOOK $found
    end
    return 0
end

# What is left by hand is not entered again while one stays in its directory.
function __bubble_hold
    set -l found
    __bubble_find
    if test -n "$found"
        set -g __bubble_off $PWD
        set -g __bubble_held $found
    end
end

# At every change of the directory, and after every command of bubble.
function __bubble_hook --on-variable PWD
    # what another hook (direnv's) has brought back: whoever sets PATH to what it once was doesn't
    # know that its directory has been left; what was on PATH without being active is the user's
    if test "$DIRENV_DIFF" != "$__bubble_direnv"
        for one in $__bubble_entered
            test "$one" != "$VIRTUAL_ENV"; or continue
            if test "$one" = "$__bubble_last"; or not contains -- $one/bin $__bubble_then
                __bubble_without $one/bin
            end
        end
    end
    __bubble_follow
    set -g __bubble_then $PATH
    set -g __bubble_last $VIRTUAL_ENV
    set -g __bubble_direnv $DIRENV_DIFF
end

# At every prompt: for what has changed in the directory, and what others have done meanwhile.
# Defined at the first one, so that it comes after those that config.fish defines.
function __bubble_at_prompts --on-event fish_prompt
    functions -e __bubble_at_prompts
    function __bubble_hooked --on-event fish_prompt
        if test -z "$VIRTUAL_ENV"; and test -n "$__bubble_was"; and test "$PWD" = "$__bubble_at"
            __bubble_hold # by a `deactivate` that isn't ours
        end
        __bubble_hook
        set -g __bubble_was $VIRTUAL_ENV
        set -g __bubble_at $PWD
    end
    __bubble_hooked
end

set -g __bubble_then $PATH
set -g __bubble_was $VIRTUAL_ENV
__bubble_hook
