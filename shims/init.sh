# shellcheck shell=sh
# bubble: shell integration. Static code: evaluating it starts no process.
# Renew it with `bubble init SHELL`, or let `bubble init SHELL --install` keep it up to date.

_bubble_home=@home@
_bubble_program=@program@
_bubble_path='' _bubble_env='' _bubble_base='' _bubble_text=''
# shellcheck disable=SC2034 # the hook's
_bubble_last=''

# Sets _bubble_path to the PATH $1 without the entry $2.
_bubble_without() {
    _bubble_path=:${1}:
    while :; do
        case $_bubble_path in
            *":${2}:"*) _bubble_path=${_bubble_path%%":${2}:"*}:${_bubble_path#*":${2}:"} ;;
            *) break ;;
        esac
    done
    _bubble_path=${_bubble_path#:}
    _bubble_path=${_bubble_path%:}
}

# Puts the shims in front of PATH, behind an environment that is active (a nested shell).
_bubble_put_shims() {
    _bubble_without "${PATH-/usr/local/bin:/usr/bin:/bin}" "$_bubble_home/shims"
    _bubble_base=$_bubble_home/shims
    if [ -n "${VIRTUAL_ENV-}" ]; then
        case :${_bubble_path}: in
            *":$VIRTUAL_ENV/bin:"*)
                _bubble_without "$_bubble_path" "$VIRTUAL_ENV/bin"
                _bubble_base=$VIRTUAL_ENV/bin:$_bubble_base
                ;;
        esac
    fi
    export PATH="$_bubble_base${_bubble_path:+:$_bubble_path}"
}

_bubble_error() {
    printf 'error: %s\n  hint: %s\n' "$1" "$2" >&2
    return 1
}

# Takes out of _bubble_base what a prompt would run or expand, and control characters: a prompt is
# a program, and a directory's name must not become a part of it.
_bubble_harmless() {
    _bubble_path=${_bubble_base:-env} _bubble_base=''
    while :; do
        _bubble_text=${_bubble_path%%[\\\$\`%![:cntrl:]]*}
        _bubble_base=$_bubble_base$_bubble_text
        [ "$_bubble_text" != "$_bubble_path" ] || break
        _bubble_base=${_bubble_base}_
        _bubble_path=${_bubble_path#"$_bubble_text"?}
    done
}

# Makes the environment $1 (absolute) the active one. The variables are those of venv's own
# `activate`, so that either can take back what the other did.
_bubble_enter() {
    _bubble_base=${1##*/}
    case $_bubble_base in
        .* | venv | env)
            _bubble_base=${1%/*}
            _bubble_base=${_bubble_base##*/}
            ;;
    esac
    _bubble_harmless
    if [ -n "${PYTHONHOME-}" ]; then
        _OLD_VIRTUAL_PYTHONHOME=$PYTHONHOME
        unset PYTHONHOME
    fi
    _OLD_VIRTUAL_PATH=${PATH-}
    export PATH="$1/bin${PATH:+:$PATH}"
    export VIRTUAL_ENV="$1" VIRTUAL_ENV_PROMPT="$_bubble_base"
    if [ -z "${VIRTUAL_ENV_DISABLE_PROMPT-}" ] && [ -n "${PS1+set}" ]; then
        _OLD_VIRTUAL_PS1=$PS1
        PS1="($VIRTUAL_ENV_PROMPT) $PS1"
    fi
    # shellcheck disable=SC2317,SC2329 # called by whoever types it
    deactivate() {
        bubble deactivate
    }
}

# Takes the active environment back: what was put in front goes, whatever else changed stays.
_bubble_leave() {
    case ${PATH-} in
        "$VIRTUAL_ENV/bin:"*) PATH=${PATH#"$VIRTUAL_ENV/bin:"} ;;
        *)
            _bubble_without "${PATH-}" "$VIRTUAL_ENV/bin"
            PATH=$_bubble_path
            ;;
    esac
    if [ -n "${_OLD_VIRTUAL_PS1+set}" ]; then
        _bubble_base=${VIRTUAL_ENV_PROMPT-}
        case ${PS1-} in
            "($_bubble_base) "*) PS1=${PS1#"($_bubble_base) "} ;;
            # as venv of Python 3.12 and before has it
            "${_bubble_base}$_OLD_VIRTUAL_PS1") PS1=$_OLD_VIRTUAL_PS1 ;;
        esac
    fi
    if [ -n "${_OLD_VIRTUAL_PYTHONHOME-}" ]; then
        export PYTHONHOME="$_OLD_VIRTUAL_PYTHONHOME"
    fi
    unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT _BUBBLE_HOOK
    unset _OLD_VIRTUAL_PATH _OLD_VIRTUAL_PS1 _OLD_VIRTUAL_PYTHONHOME
    unset -f deactivate 2>/dev/null || :
}

# Sets _bubble_env to the absolute path that $1, typed in the working directory, names.
_bubble_absolute() {
    case $1 in
        /*) _bubble_env='' ;;
        *) _bubble_env=${PWD%/} ;;
    esac
    _bubble_path=$1/
    while [ -n "$_bubble_path" ]; do
        _bubble_base=${_bubble_path%%/*}
        _bubble_path=${_bubble_path#*/}
        case $_bubble_base in
            '' | .) ;;
            ..) _bubble_env=${_bubble_env%/*} ;;
            *) _bubble_env=$_bubble_env/$_bubble_base ;;
        esac
    done
}

_bubble_activate() {
    if [ $# -gt 1 ]; then
        "$_bubble_program" activate "$@"
        return
    fi
    case ${1-.venv} in
        -* | '')
            "$_bubble_program" activate "$@"
            return
            ;;
        */* | .*) _bubble_absolute "${1-.venv}" ;;
        *) _bubble_env=$_bubble_home/envs/$1 ;;
    esac
    case $_bubble_env in
        *:*)
            _bubble_error "$_bubble_env has a colon in its path, which PATH can't carry" \
                'move it to another directory'
            return
            ;;
    esac
    if [ ! -f "$_bubble_env/pyvenv.cfg" ]; then
        _bubble_error "there is no environment at $_bubble_env" \
            'a name is one of bubble'\''s own; write ./NAME for a directory'
        return
    fi
    if [ ! -x "$_bubble_env/bin/python" ]; then
        _bubble_error "$_bubble_env has no interpreter that runs (bin/python)" \
            'bubble python list --installed shows what is there; make the environment again'
        return
    fi
    if [ -n "${VIRTUAL_ENV-}" ]; then
        _bubble_leave
    fi
    _bubble_enter "$_bubble_env"
}

_bubble_deactivate() {
    if [ $# -gt 0 ]; then
        "$_bubble_program" deactivate "$@"
        return
    fi
    if [ -z "${VIRTUAL_ENV-}" ]; then
        _bubble_error 'no environment is active in this shell' 'bubble activate ENV'
        return
    fi
    _bubble_leave
}

_bubble_shell() {
    case "${1-} $* " in
        ' '* | *' -h '* | *' --help '* | *' --json '*) "$_bubble_program" shell "$@" ;;
        '--unset --unset ') unset BUBBLE_PYTHON ;;
        *)
            _bubble_env=$("$_bubble_program" shell --check "$@") || return
            export BUBBLE_PYTHON="$_bubble_env"
            ;;
    esac
}

bubble() {
    case ${1-} in
        activate)
            shift
            _bubble_activate "$@"
            ;;
        deactivate)
            shift
            _bubble_deactivate "$@"
            ;;
        shell)
            shift
            _bubble_last=''
            _bubble_shell "$@"
            ;;
        *)
            # what it changes may change the directory's environment: the hook looks again
            _bubble_last=''
            "$_bubble_program" "$@"
            ;;
    esac
}

_bubble_put_shims
