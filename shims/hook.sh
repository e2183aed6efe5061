# The hook of bash and zsh: where the directory has an environment, it is active. As the shim, it
# never interprets what a directory says: it recognises what bubble has already answered (the memo's
# format is in shim.sh), and where there is no valid answer there is no environment.
# shellcheck shell=bash
# shellcheck disable=SC2154 # init.sh comes before this file

# Sets `answer` to the memo's; takes `memo` and `at` from its caller.
_bubble_recall() {
    local file text there files=1 dangling=''
    [[ -f $memo && $memo -nt $_bubble_home/generation ]] || return 1
    for file in .python-version .python-versions .tool-versions pyproject.toml; do
        if [[ -e $at/$file ]]; then
            [[ $memo -nt $at/$file ]] || return 1
            files+=" $file"
        elif [[ -L $at/$file ]]; then
            dangling=${dangling:-$file}
            files+=" $file"
        fi
    done
    # read up to a NUL fails at the file's end, as it should
    IFS='' read -r -d '' text <"$memo" && return 1
    [[ $text == *$'\n'*$'\n'*$'\n'* ]] || return 1
    answer=${text%%$'\n'*} text=${text#*$'\n'}
    [[ ${text%%$'\n'*} == "$files" ]] || return 1
    text=${text#*$'\n'}
    file=${text%%$'\n'*} text=${text#*$'\n'}
    # a link to nothing has no time, and is an error unless a higher file decides
    [[ -z $dangling || "${files%% "$dangling"*} " == *" $file "* ]] || return 1
    case $file in
        .python-version | .python-versions) ;;
        *) return 0 ;;
    esac
    # a pipe or a device would never end
    [[ -f $at/$file ]] || return 1
    IFS='' read -r -d '' there <"$at/$file" && return 1
    [[ $there == "$text" ]]
} 2>/dev/null

# Sets `found` to the directory's environment, else to nothing.
_bubble_find() {
    local at=${PWD%/} below=${PWD%/} memo answer=''
    found=''
    # what this shell asks for comes before any directory
    [[ -z ${BUBBLE_PYTHON-} && $PWD == /* ]] || return 0
    while :; do
        # the nearest memo; a directory below it that has files, but no memo, was never decided
        memo=$_bubble_home/projects$at/.bubble
        until [[ -e $memo ]]; do
            [[ -n $at ]] || return 0
            at=${at%/*}
            memo=$_bubble_home/projects$at/.bubble
        done
        while [[ $below != "$at" ]]; do
            [[ -e $below/.python-version || -e $below/pyproject.toml ||
                -e $below/.python-versions || -e $below/.tool-versions ||
                -L $below/.python-version || -L $below/pyproject.toml ||
                -L $below/.python-versions || -L $below/.tool-versions ]] && return 0
            below=${below%/*}
        done
        _bubble_recall || return 0
        [[ $answer == - ]] || break
        [[ -n $at ]] || return 0
        at=${at%/*} below=${below%/*}
    done
    answer=${answer%%:*}
    if [[ $answer == /* && -f $answer/pyvenv.cfg && -x $answer/bin/python ]]; then
        found=$answer
    fi
}

# Enters the directory's environment or leaves the last one; one made active by hand stays.
_bubble_follow() {
    local found
    if [[ -n ${VIRTUAL_ENV-} && $VIRTUAL_ENV != "${_BUBBLE_HOOK-}" ]]; then
        unset _BUBBLE_HOOK
        return 0
    fi
    _bubble_find
    if [[ $found == "${VIRTUAL_ENV-}" ]]; then
        return 0
    fi
    if [[ -n ${VIRTUAL_ENV-} ]]; then
        _bubble_leave
    fi
    if [[ -n $found ]]; then
        _bubble_enter "$found"
        export _BUBBLE_HOOK="$found"
    fi
}
