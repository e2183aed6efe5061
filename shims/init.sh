# shellcheck shell=sh
# bubble: shell integration. Static code: evaluating it starts no process.
# Renew it with `bubble init SHELL`, or let `bubble init SHELL --install` keep it up to date.

_bubble_home=@home@
_bubble_program=@program@
_bubble_python=@python@
_bubble_path='' _bubble_env='' _bubble_base='' _bubble_text='' _bubble_status=0
# the active environment and its commands, as they were at the last look
_bubble_commands=''
# every environment that the hook has put on PATH, each with a colon behind it
_bubble_entered=''

# Runs bubble: as it lies among the shims, it answers some of the questions by itself. PYTHONHOME is
# meant for another Python, and stops an interpreter before the first line of its program: then it is
# started isolated.
_bubble_run() {
    if [ -x "$_bubble_home/shims/bubble" ]; then
        "$_bubble_home/shims/bubble" "$@"
    elif [ -n "${PYTHONHOME-}" ] && [ -x "$_bubble_python" ]; then
        "$_bubble_python" @options@ -c 'import sys; from bubble.cli.main import run; sys.exit(run())' "$@"
    else
        "$_bubble_program" "$@"
    fi
}

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
                _bubble_can_leave
                [ "$VIRTUAL_ENV" != "${_BUBBLE_HOOK-}" ] || _bubble_entered=${VIRTUAL_ENV}:
                ;;
            # inherited by a shell whose PATH was set anew (tmux, login shells): it isn't active
            *) unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT _BUBBLE_HOOK ;;
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

# Sets _bubble_base to the name that the environment $1 is shown by: its own (`prompt` in its
# pyvenv.cfg), else its directory's, or that of the directory that a .venv is in.
_bubble_name() {
    _bubble_base=${1##*/}
    case $_bubble_base in
        .* | venv | env)
            _bubble_base=${1%/*}
            _bubble_base=${_bubble_base##*/}
            ;;
    esac
    while IFS='' read -r _bubble_text || [ -n "$_bubble_text" ]; do
        case $_bubble_text in
            prompt=* | prompt[[:blank:]]*=*) _bubble_text=${_bubble_text#*=} ;;
            *) continue ;;
        esac
        _bubble_text=${_bubble_text#"${_bubble_text%%[![:space:]]*}"}
        _bubble_text=${_bubble_text%"${_bubble_text##*[![:space:]]}"}
        # venv writes it as Python does
        case $_bubble_text in
            \'?*\' | \"?*\")
                _bubble_text=${_bubble_text#?}
                _bubble_text=${_bubble_text%?}
                ;;
        esac
        _bubble_base=${_bubble_text:-$_bubble_base}
        break
    done <"$1/pyvenv.cfg"
    _bubble_harmless
}

# Renews the shims where the active environment is bubble's and what it can run has changed since
# the last look, as after the `pip` of an active environment, which is no shim. At the first look
# that is what has no shim. No process otherwise.
_bubble_renew() {
    if [ ! -e "${VIRTUAL_ENV:-/dev/null}/.bubble-environment" ] || [ ! -e "$VIRTUAL_ENV/bin/python" ]; then
        return 0
    fi
    set -- "$VIRTUAL_ENV"/bin/*
    _bubble_text="$VIRTUAL_ENV:$*" _bubble_base=''
    case $_bubble_commands in
        "$_bubble_text") return 0 ;;
        "$VIRTUAL_ENV:"*) _bubble_base=changed ;;
    esac
    _bubble_commands=$_bubble_text
    for _bubble_path; do
        case ${_bubble_base:-${_bubble_path##*/}} in
            changed) break ;;
            activate* | Activate* | deactivate | bubble) continue ;;
        esac
        if [ -f "$_bubble_path" ] && [ -x "$_bubble_path" ] &&
            [ ! -e "$_bubble_home/shims/${_bubble_path##*/}" ]; then
            _bubble_base=changed
        fi
    done
    if [ -n "$_bubble_base" ]; then
        _bubble_run rehash >/dev/null 2>&1 || :
        _bubble_forget
    fi
}

# Forgets where the shell found its commands, so that it looks again.
_bubble_forget() {
    hash -r 2>/dev/null || :
}

_bubble_can_leave() {
    # shellcheck disable=SC2317,SC2329 # called by whoever types it
    deactivate() {
        bubble deactivate
    }
}

# Makes the environment $1 (absolute) the active one. The variables are those of venv's own
# `activate`, so that either can take back what the other did.
_bubble_enter() {
    _bubble_name "$1"
    if [ -n "${PYTHONHOME-}" ]; then
        _OLD_VIRTUAL_PYTHONHOME=$PYTHONHOME
        unset PYTHONHOME
    fi
    _OLD_VIRTUAL_PATH=${PATH-}
    export PATH="$1/bin${PATH:+:$PATH}"
    export VIRTUAL_ENV="$1" VIRTUAL_ENV_PROMPT="$_bubble_base"
    if [ -z "${VIRTUAL_ENV_DISABLE_PROMPT-}" ] && [ -n "${PS1+set}" ]; then
        # an exported one has it already
        _OLD_VIRTUAL_PS1=${PS1#"($VIRTUAL_ENV_PROMPT) "}
        PS1="($VIRTUAL_ENV_PROMPT) $_OLD_VIRTUAL_PS1"
    fi
    _bubble_can_leave
    _bubble_renew
}

# Takes the active environment back: what was put in front goes, whatever else changed stays.
_bubble_leave() {
    _bubble_renew
    case ${VIRTUAL_ENV:+${PATH-}} in
        '') ;;
        "$VIRTUAL_ENV/bin:"*) PATH=${PATH#"$VIRTUAL_ENV/bin:"} ;;
        *)
            _bubble_without "$PATH" "$VIRTUAL_ENV/bin"
            PATH=$_bubble_path
            ;;
    esac
    # and what the hook has put there, whatever became of VIRTUAL_ENV since
    case :$_bubble_entered in
        *":${_BUBBLE_HOOK:-:}:"*)
            _bubble_without "${PATH-}" "$_BUBBLE_HOOK/bin"
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

# Whether a project may have names of its own in the working directory.
_bubble_in_project() {
    _bubble_path=${PWD%/}
    while :; do
        for _bubble_base in bubble.toml pyproject.toml .venvs; do
            if [ -e "$_bubble_path/$_bubble_base" ]; then
                return 0
            fi
        done
        case $_bubble_path in
            */*) _bubble_path=${_bubble_path%/*} ;;
            *) return 1 ;;
        esac
    done
}

_bubble_activate() {
    if [ $# -gt 1 ]; then
        _bubble_run activate "$@"
        return
    fi
    if [ $# = 0 ]; then
        # what is named is the user's word; what only lies here needs the store's
        _bubble_env=$(_bubble_run activate --check) || return
    else
        case $1 in
            -* | '')
                _bubble_run activate "$@"
                return
                ;;
            */* | .*) _bubble_absolute "$1" ;;
            *)
                _bubble_env=$_bubble_home/envs/$1
                if [ "$1" = default ] || _bubble_in_project; then
                    # only the program knows what a project calls its own
                    _bubble_env=$(_bubble_run activate --check "$1") || return
                fi
                ;;
        esac
    fi
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
        _bubble_run deactivate "$@"
        return
    fi
    if [ -z "${VIRTUAL_ENV-}" ]; then
        _bubble_error 'no environment is active in this shell' 'bubble activate ENV'
        return
    fi
    _bubble_leave
    # the hook doesn't enter again what was left by hand
    if command -v _bubble_hold >/dev/null; then
        _bubble_hold
    fi
}

_bubble_shell() {
    case "${1-} $* " in
        ' '* | *' -h '* | *' --help '* | *' --json '*) _bubble_run shell "$@" ;;
        '--unset --unset ') unset BUBBLE_PYTHON ;;
        *)
            _bubble_env=$(_bubble_run shell --check "$@") || return
            export BUBBLE_PYTHON="$_bubble_env"
            ;;
    esac
}

# Makes an environment and enters it, if `--activate` is among the words; 1 if that isn't so.
_bubble_create() {
    case " $* " in
        *' --help '* | *' -h '* | *' --json '*) return 1 ;;
        *' --activate '*) ;;
        *) return 1 ;;
    esac
    shift
    _bubble_status=0
    _bubble_env=$(_bubble_run create --entered "$@") || _bubble_status=$?
    _bubble_forget
    if [ "$_bubble_status" = 0 ]; then
        printf '%s\n' "$_bubble_env"
        _bubble_activate "$_bubble_env" || _bubble_status=$?
    fi
}

bubble() {
    case ${1-} in
        create)
            if _bubble_create "$@"; then
                return "$_bubble_status"
            fi
            ;;
    esac
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
            _bubble_shell "$@"
            ;;
        *)
            _bubble_status=0
            _bubble_run "$@" || _bubble_status=$?
            # it may have changed what there is to run
            _bubble_forget
            return "$_bubble_status"
            ;;
    esac
}

_bubble_put_shims
