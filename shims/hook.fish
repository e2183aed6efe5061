# The hook: where the directory has an environment, it is active. As the shim, it never interprets
# what a directory says: it recognises what bubble has already answered (the memo's format is in
# shim.sh), and where there is no valid answer there is no environment.

# Prints the answer of the memo $argv[1] of the directory $argv[2] with the files $argv[3..].
function __bubble_recall
    test -f $argv[1]; and test $argv[1] -nt $__bubble_home/generation; or return
    for file in $argv[3..]
        test $argv[1] -nt $argv[2]/$file; or not test -e $argv[2]/$file; or return
    end
    set -l text
    read -z text <$argv[1]
    set text (string split -m 3 \n -- $text)
    test (count $text) -eq 4; and test "$text[2]" = (string join ' ' -- 1 $argv[3..]); or return
    if contains -- $text[3] .python-version .python-versions
        test -f $argv[2]/$text[3]; or return
        set -l there
        read -z there <$argv[2]/$text[3]
        # a list would lose the lines
        test "$there" = "$text[4]"; or return
    end
    echo $text[1]
end

# Prints the directory's environment, if it has one.
function __bubble_find
    # what this shell asks for comes before any directory
    test -z "$BUBBLE_PYTHON"; or return
    set -l at (string replace -r '/$' '' -- $PWD)
    set -l files
    set -l answer
    while true
        set files
        for file in .python-version .python-versions .tool-versions pyproject.toml
            if test -e $at/$file; or test -L $at/$file
                set -a files $file
            end
        end
        set -l memo $__bubble_home/projects$at/.bubble
        if set -q files[1]; or test -e $memo
            set answer (__bubble_recall $memo $at $files 2>/dev/null); or return
            test "$answer" = -; or break
        end
        test -n "$at"; or return
        set at (string replace -r '/[^/]*$' '' -- $at)
    end
    set answer (string replace -r ':.*' '' -- $answer)
    if string match -q '/*' -- $answer; and test -f $answer/pyvenv.cfg; and test -x $answer/bin/python
        echo $answer
    end
end

# Enters the directory's environment or leaves the last one; one made active by hand stays.
function __bubble_hook --on-variable PWD
    if test -n "$VIRTUAL_ENV"; and test "$VIRTUAL_ENV" != "$_BUBBLE_HOOK"
        set -e _BUBBLE_HOOK
        return
    end
    set -l found (__bubble_find)
    if test "$found" != "$VIRTUAL_ENV"
        test -n "$VIRTUAL_ENV"; and __bubble_leave
        if test -n "$found"
            __bubble_enter $found
            set -gx _BUBBLE_HOOK $found
        end
    end
end

__bubble_hook
