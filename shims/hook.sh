# The hook of bash and zsh: where the directory has an environment, it is active. As the shim, it
# never interprets what a directory says: it recognises what bubble has already answered (by the
# same code, answer.sh), and where there is no valid answer there is no environment.
# shellcheck shell=bash
# shellcheck disable=SC2154 # init.sh comes before this file

# Sets `found` to the directory's environment, else to nothing.
_bubble_find() {
    local _bubble_answer='' _bubble_memo _bubble_line _bubble_there _bubble_left _bubble_fact
    local _bubble_path _bubble_file _bubble_names='' _bubble_at='' _bubble_key _bubble_tree
    local _bubble_rest _bubble_part _bubble_prefix=-
    found=''
    # what this shell asks for comes before any directory
    [[ -z ${BUBBLE_PYTHON-} ]] || return 0
    _bubble_select || _bubble_select_real || return 0
    # the first that is there, be it an environment or not
    while [[ -n $_bubble_answer ]]; do
        _bubble_rest=${_bubble_answer%%:*}
        _bubble_mean "$_bubble_rest" || return 0
        [[ $_bubble_prefix == - && $_bubble_answer == *:* ]] || break
        _bubble_answer=${_bubble_answer#*:}
    done
    if [[ $_bubble_rest == /* && -f $_bubble_rest/pyvenv.cfg && -x $_bubble_rest/bin/python ]]; then
        found=$_bubble_rest
    fi
}

# The same where nobody has asked by this name of the directory, which a link leads to: what is known
# of it by its own name, if that is the environment in it.
_bubble_select_real() {
    local at=$_bubble_at names=$_bubble_names real
    [[ " $names" == ' .venv'* && $PWD -ef . ]] || return 1
    if [[ -n ${ZSH_VERSION-} ]]; then
        # shellcheck disable=SC2296 # zsh's
        eval 'real=${at:A}'
    else
        local named=$PWD before=${OLDPWD-}
        builtin cd -P . 2>/dev/null || return 1
        real=${PWD%"${named#"$at"}"}
        builtin cd -L "$named" 2>/dev/null || return 1
        OLDPWD=$before
    fi
    [[ $real != "$at" && $real -ef $at ]] || return 1
    _bubble_place "$real"
    _bubble_remember "$_bubble_tree/answer" "$names" &&
        [[ $_bubble_answer == /* && $_bubble_answer -ef $at/.venv ]]
}

# Enters the directory's environment or leaves the last one; one made active by hand stays.
_bubble_follow() {
    local found active=''
    # what isn't on PATH isn't active, whatever the variable says
    if [[ -n ${VIRTUAL_ENV-} && :${PATH-}: == *":$VIRTUAL_ENV/bin:"* ]]; then
        active=$VIRTUAL_ENV
    fi
    if [[ -n $active && $active != "${_BUBBLE_HOOK-}" ]]; then
        # another hook may have found ours active: it will bring back what it found, so that
        # what we entered is still to be known then
        if [[ -n ${_BUBBLE_HOOK-} ]]; then
            _bubble_find
            [[ $_BUBBLE_HOOK == "$found" ]] || _bubble_take_back "$_BUBBLE_HOOK"
        fi
        return 0
    fi
    _bubble_find
    # what was left by hand stays so in its directory, and below as long as that is what is there
    if [[ $PWD == "${_bubble_off-}" ]]; then
        _bubble_held=${found:-$_bubble_held} found=''
    elif [[ -n ${_bubble_off-} && $found == "$_bubble_held" ]]; then
        found=''
    else
        _bubble_off=''
    fi
    # a shell inside a shell has the variables, but neither the prompt nor `deactivate`
    if [[ $found == "$active" && $found == "${_BUBBLE_HOOK-}" &&
        (-z $found || -n ${_OLD_VIRTUAL_PATH+set}) ]]; then
        return 0
    fi
    if [[ -n ${_BUBBLE_HOOK-} ]]; then
        _bubble_leave
    fi
    if [[ -n $found ]]; then
        # who has it on PATH anyway keeps it there
        _bubble_entered=:$_bubble_entered
        _bubble_entered=${_bubble_entered/":$found:"/:}
        _bubble_entered=${_bubble_entered#:}
        if [[ :${PATH-}: != *":$found/bin:"* ]]; then
            _bubble_entered+=${found}:
        fi
        _bubble_enter "$found"
        export _BUBBLE_HOOK="$found"
    fi
}

# What is left by hand is not entered again while one stays in its directory.
_bubble_hold() {
    local found
    _bubble_find
    if [[ -n $found ]]; then
        _bubble_off=$PWD _bubble_held=$found
    fi
}

# Takes what the hook entered as $1 off PATH, unless it was there before.
_bubble_take_back() {
    if [[ :$_bubble_entered == *":$1:"* ]]; then
        _bubble_without "${PATH-}" "$1/bin"
        [[ $_bubble_path == "${PATH-}" ]] || PATH=$_bubble_path
    fi
}

# Takes off PATH what another hook (direnv's) has brought back since the last look: whoever sets
# PATH to what it once was doesn't know that its directory has been left. What was on PATH without
# being active is the user's.
_bubble_sweep() {
    local rest=$_bubble_entered one
    while [[ -n $rest ]]; do
        one=${rest%%:*} rest=${rest#*:}
        if [[ $one != "${VIRTUAL_ENV-}" &&
            ($one == "$_bubble_was" || :$_bubble_then: != *":$one/bin:"*) ]]; then
            _bubble_take_back "$one"
        fi
    done
}

# The first of the shell's hooks at a prompt: what is active before the others look.
_bubble_before() {
    if [[ -z ${VIRTUAL_ENV-} && -n ${_bubble_was-} && $PWD == "${_bubble_at-}" ]]; then
        _bubble_hold # by a `deactivate` that isn't ours
    fi
    if [[ ${DIRENV_DIFF-} != "${_bubble_direnv-}" ]]; then
        _bubble_sweep
    fi
    _bubble_follow
    _bubble_then=${PATH-} _bubble_direnv=${DIRENV_DIFF-} _bubble_was=${VIRTUAL_ENV-}
}

# The last of them: what is active after the others have changed something.
_bubble_after() {
    if [[ ${PATH-}:${VIRTUAL_ENV-} != "$_bubble_then:$_bubble_was" ]]; then
        _bubble_sweep
        _bubble_follow
    fi
    _bubble_then=${PATH-} _bubble_direnv=${DIRENV_DIFF-}
    _bubble_was=${VIRTUAL_ENV-} _bubble_at=$PWD
}

_bubble_then=${PATH-} _bubble_was=${VIRTUAL_ENV-} _bubble_at=''
