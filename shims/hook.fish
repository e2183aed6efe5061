# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# shim.sh), and where there is no valid answer there is no environment.

# Sets `answer` to that of the memo $argv[1] of the directory $argv[2], if it holds.
function __bubble_recall --no-scope-shadowing
    test -f $argv[1]; and test $argv[1] -nt $__bubble_home/generation; or return
    set files 1
    set dangling
    for file in .python-version .python-versions .tool-versions pyproject.toml
        if test -e $argv[2]/$file
            test $argv[1] -nt $argv[2]/$file; or return
            set -a files $file
        else if test -L $argv[2]/$file
            set -a files $file
            set -a dangling (count $files)
        end
    end
    begin # a second one: a NUL
        read -z text; and not read -z there
    end <$argv[1]; or return
    set text (string split -m 3 \n -- $text)
    set -q text[4]; and test "$text[2]" = "$files"; or return
    if set -q dangling[1]
        # a link to nothing has no time, and is an error unless a higher file decides
        contains -- $text[3] $files[1..$dangling[1]]; and test $text[3] != $files[$dangling[1]]; or return
    end
    if contains -- $text[3] .python-version .python-versions
        # a pipe or a device would never end
        test -f $argv[2]/$text[3]; or return
        begin
            read -z there; and not read -z more
        end <$argv[2]/$text[3]; or return
        test "$there" = "$text[4]"; or return
    end
    set answer $text[1]
end

# Sets `found` to the directory's environment, else to nothing.
function __bubble_find --no-scope-shadowing
    set found
    # what this shell asks for comes before any directory
    test -z "$BUBBLE_PYTHON"; or return
    # a command substitution costs more than all the rest here
    set -l at "$PWD"
    test "$at" = /; and set at ''
    set -l below "$at"
    set -l memo
    set -l answer
    set -l files
    set -l text
    set -l there
    set -l more
    set -l dangling
    while true
        # the nearest memo; a directory below it that has files, but no memo, was never decided
        set memo $__bubble_home/projects$at/.bubble
        while not test -e $memo
            test -n "$at"; or return
            set at (string replace -r '/[^/]*$' '' -- $at)
            set memo $__bubble_home/projects$at/.bubble
        end
        while test "$below" != "$at"
            for file in .python-version .python-versions .tool-versions pyproject.toml
                test -e $below/$file; and return
                test -L $below/$file; and return
            end
            set below (string replace -r '/[^/]*$' '' -- $below)
        end
        set answer
        __bubble_recall $memo "$at" 2>/dev/null
        test "$answer" = -; or break
        test -n "$at"; or return
        set at (string replace -r '/[^/]*$' '' -- $at)
        set below "$at"
    end
    string match -q '*:*' -- $answer; and set answer (string replace -r ':.*' '' -- $answer)
    if string match -q '/*' -- $answer; and test -f $answer/pyvenv.cfg; and test -x $answer/bin/python
        set found $answer
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
        set -l at (contains -i -- $found $__bubble_entered); and set -e __bubble_entered[$at]
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
