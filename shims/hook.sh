# The hook of bash and zsh: where the directory has an environment, it is active. As the shim, it
# never interprets what a directory says: it recognises what bubble has already answered (by the
# same code, answer.sh), and where there is no valid answer there is no environment.
# shellcheck shell=bash
# shellcheck disable=SC2154 # init.sh comes before this file

# Sets `found` to the directory's environment, else to nothing.
_bubble_find() {
    local _bubble_answer='' _bubble_memo _bubble_line _bubble_there _bubble_left _bubble_fact
    local _bubble_path _bubble_file _bubble_names _bubble_at _bubble_key _bubble_tree
    local _bubble_rest _bubble_part
    found=''
    # what this shell asks for comes before any directory
    [[ -z ${BUBBLE_PYTHON-} ]] && _bubble_select || return 0
    _bubble_answer=${_bubble_answer%%:*}
    if [[ $_bubble_answer == /* && -f $_bubble_answer/pyvenv.cfg &&
        -x $_bubble_answer/bin/python ]]; then
        found=$_bubble_answer
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
