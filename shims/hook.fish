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
