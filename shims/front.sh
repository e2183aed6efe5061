#!/bin/sh
# `bubble` itself, as it lies among the shims: what is remembered, it answers without an interpreter.
# bubble front 1
#
# It decides nothing: it recognises what the program has answered, by facts that are all so now, and
# by equality. Everything else becomes the program, with the same arguments, variables and status.
# What is remembered of syncs and scripts, and how, is in selection/shortcuts.py.

_bubble_home='@home@'
_bubble_python='@python@'
_bubble_package='@package@'
_bubble_launcher='@launcher@'
# what makes a directory a project's, and what one hasn't got that says nothing
_bubble_signs='@signs@'
_bubble_unsaid='@unsaid@'
_bubble_answer='' _bubble_prefix=''

_bubble_program() {
    set +f
    unset __PYVENV_LAUNCHER__ PYTHONEXECUTABLE IFS
    # what install.sh made runs the version that is the present one
    if [ -n "$_bubble_launcher" ] && [ -x "$_bubble_launcher" ]; then
        exec "$_bubble_launcher" "$@"
    fi
    if [ -x "$_bubble_python" ] && [ -e "$_bubble_package/__init__.py" ]; then
        exec "$_bubble_python" @options@ -c 'import sys
from bubble.cli.main import run
sys.exit(run())' "$@"
    fi
    # it came anew by another way, or to another place
    set -f
    IFS=:
    for _bubble_path in ${PATH-}; do
        case $_bubble_path in
            */shims | */shims/ | [!/]*) continue ;;
        esac
        _bubble_path=${_bubble_path%/}/bubble
        if [ -f "$_bubble_path" ] && [ -x "$_bubble_path" ] && ! [ "$_bubble_path" -ef "$0" ]; then
            set +f
            unset IFS
            exec "$_bubble_path" "$@"
        fi
    done
    printf '%s\n' "bubble: the Python that runs bubble $(_bubble_lost) ($_bubble_python); install bubble again,\
 then run it by its path: rehash" >&2
    exit 127
}

# @answer.sh@

# $1 the name of a shortcut, $2 the absolute path that it is about; sets _bubble_said to what it says
# shellcheck disable=SC2016,SC2030,SC2031 # the subshell's variables are its own
_bubble_known() {
    _bubble_memo=$_bubble_home/shortcuts/$1
    # shellcheck disable=SC3067 # every sh that is tried has -O
    [ -f "$_bubble_memo" ] && [ ! -L "$_bubble_memo" ] && [ -O "$_bubble_memo" ] || return 1
    {
        IFS= read -r _bubble_line && [ "$_bubble_line" = "bubble shortcut 1 $_bubble_home" ] || return 1
        IFS= read -r _bubble_line && [ "$_bubble_line" = "$2" ] || return 1
        IFS= read -r _bubble_said && IFS= read -r _bubble_until && IFS= read -r _bubble_from &&
            IFS= read -r _bubble_files && IFS= read -r _bubble_wanted &&
            IFS= read -r _bubble_absent && IFS= read -r _bubble_plain || return 1
        IFS= read -r _bubble_line && [ "$_bubble_line" = . ] || return 1
    } <"$_bubble_memo" 2>/dev/null
    set -f
    IFS=:
    # these lead where they led, as far as no link has taken a directory's place
    for _bubble_path in $_bubble_plain; do
        [ -e "$_bubble_path" ] || return 1
        while [ -n "$_bubble_path" ]; do
            [ ! -L "$_bubble_path" ] || return 1
            _bubble_path=${_bubble_path%/*}
        done
    done
    for _bubble_path in $_bubble_absent; do
        case $_bubble_path in
            */)
                for _bubble_file in $_bubble_unsaid; do
                    _bubble_line=$_bubble_path$_bubble_file
                    [ ! -e "$_bubble_line" ] && [ ! -L "$_bubble_line" ] || return 1
                done
                ;;
            *) [ ! -e "$_bubble_path" ] && [ ! -L "$_bubble_path" ] || return 1 ;;
        esac
    done
    # the one process; what it prints of itself first is what time it is
    # shellcheck disable=SC2086 # they are to be split
    _bubble_line=$(cd "$_bubble_from" && export LC_ALL=C &&
        exec /usr/bin/stat --printf='@format@' -- /proc/self/ $_bubble_files)
    [ "${_bubble_line#*:}" = "$_bubble_wanted" ] || return 1
    [ "$_bubble_until" = - ] && return 0
    _bubble_line=${_bubble_line%%:*}
    _bubble_line=${_bubble_line##* }
    [ "${_bubble_line%.*}" -lt "$_bubble_until" ]
} 2>/dev/null

# `bubble sync` where there is nothing to do
_bubble_sync() {
    _bubble_here || return 1
    while :; do
        for _bubble_file in $_bubble_signs; do
            if [ -e "$_bubble_at/$_bubble_file" ] || [ -L "$_bubble_at/$_bubble_file" ]; then
                break 2
            fi
        done
        [ -n "$_bubble_at" ] || return 1
        _bubble_at=${_bubble_at%/*}
        _bubble_key=${_bubble_key%\%2F*}
    done
    _bubble_known "sync.${_bubble_key:-%2F}" "${_bubble_at:-/}" && [ -d "$_bubble_said" ] || return 1
    _bubble_print "$_bubble_said" "unchanged $_bubble_said"
}

# $1 for stdout, $2 for stderr; then it is over, or what can't be written is told by the program
_bubble_print() {
    trap '' PIPE
    if printf '%s\n' "$1" 2>/dev/null; then
        [ -z "$2" ] || printf '%s\n' "$2" >&2
        exit 0
    fi
    trap - PIPE
    return 1
} 2>/dev/null

# `bubble run FILE …` where FILE is a script whose environment is known
_bubble_script() {
    case $1 in
        -* | *://*) return 1 ;;
        *.py | */*) ;;
        *) return 1 ;;
    esac
    _bubble_stem=${1##*/}
    _bubble_stem=${_bubble_stem%.py}
    case $_bubble_stem in
        *[!A-Za-z0-9_-]*) return 1 ;; # a prompt has another name for it
        *[A-Za-z0-9]*) ;;
        *) return 1 ;;
    esac
    _bubble_script=$1
    case $1 in
        /*) ;;
        *)
            _bubble_here || return 1
            while :; do
                case $_bubble_script in
                    ./*) _bubble_script=${_bubble_script#./} ;;
                    ../*) _bubble_script=${_bubble_script#../} _bubble_at=${_bubble_at%/*} ;;
                    *) break ;;
                esac
            done
            _bubble_script=$_bubble_at/$_bubble_script
            ;;
    esac
    case $_bubble_script in
        *//* | */./* | */../*) return 1 ;;
    esac
    [ -f "$1" ] && [ "$1" -ef "$_bubble_script" ] || return 1
    _bubble_place "$_bubble_script"
    _bubble_known "run.$_bubble_key" "$_bubble_script" || return 1
    _bubble_path=$_bubble_home/scripts/${_bubble_said##*/}
    [ "$_bubble_said" = "$_bubble_path" ] && [ -x "$_bubble_path/bin/python" ] || return 1
    _bubble_enter "$_bubble_stem"
    exec "$_bubble_said/bin/python" "$@"
}

# Sets _bubble_target to the command $1 of the first Python in _bubble_answer that has it.
_bubble_command() {
    set -f
    IFS=:
    for _bubble_word in $_bubble_answer; do
        _bubble_mean "$_bubble_word" || return 1
        [ "$_bubble_prefix" != - ] || continue
        _bubble_target=$_bubble_prefix/bin/$1
        [ -f "$_bubble_target" ] && [ -x "$_bubble_target" ] && return 0
    done
    return 1
}

# `bubble python find`: of the first one that is there, whatever is in it
_bubble_find() {
    _bubble_decide || return 1
    set -f
    IFS=:
    for _bubble_word in $_bubble_answer; do
        _bubble_mean "$_bubble_word" || return 1
        [ "$_bubble_prefix" = - ] || _bubble_print "$_bubble_prefix/bin/python" ''
    done
    return 1
}

# `bubble which CMD`, where there is nothing else to tell
_bubble_which() {
    case $1 in
        '' | -* | */* | . | ..) return 1 ;;
    esac
    _bubble_decide && _bubble_command "$1" && _bubble_is_reached "$1" && _bubble_is_alone || return 1
    _bubble_print "$_bubble_target" ''
}

# `bubble current`, as it was said here of the same answer
_bubble_current() {
    [ -z "${BUBBLE_PYTHON-}" ] && _bubble_select || return 1
    _bubble_said="$_bubble_answer $_bubble_at"
    _bubble_command python && _bubble_is_reached python && _bubble_is_alone || return 1
    _bubble_place "$PWD"
    _bubble_target=$_bubble_home/shortcuts/current.$_bubble_key
    # shellcheck disable=SC3067 # every sh that is tried has -O
    [ -O "$_bubble_target" ] && [ ! -L "$_bubble_target" ] || return 1
    _bubble_recall "$_bubble_target" "$_bubble_said" && _bubble_print "$_bubble_answer" ''
}

# `bubble exec CMD …`, where the shims of what is selected are known (selection/choice.py)
_bubble_exec() {
    case $1 in
        '' | -* | */* | . | .. | pip | pip[0-9]*) return 1 ;;
        python* | pypy* | graalpy*)
            case $* in *pip*) return 1 ;; esac # perhaps it installs commands
            ;;
    esac
    [ -z "${BUBBLE_PYTHON-}${BUBBLE_SHIM_DEPTH-}" ] && _bubble_select || return 1
    case $_bubble_answer in *:*) return 1 ;; esac
    _bubble_command "$1" || return 1
    [ -z "${VIRTUAL_ENV-}" ] || [ "$VIRTUAL_ENV" -ef "$_bubble_prefix" ] || return 1 # else it leaves
    _bubble_place "$_bubble_prefix"
    _bubble_path=$_bubble_home/shortcuts/exec.$_bubble_key
    # shellcheck disable=SC3067 # every sh that is tried has -O
    [ -f "$_bubble_path" ] && [ -O "$_bubble_path" ] && [ -O "$_bubble_home/choices" ] || return 1
    IFS= read -r _bubble_line <"$_bubble_path" || return 1
    case $_bubble_line in '' | *[!0-9a-f]*) return 1 ;; esac
    _bubble_line=$_bubble_home/choices/$_bubble_line
    [ -f "$_bubble_line/answer" ] && [ "$_bubble_line/bin" -ef "$_bubble_home/shims" ] || return 1
    { IFS= read -r _bubble_said && IFS= read -r _bubble_said; } <"$_bubble_line/answer" || return 1
    [ "$_bubble_said" = "$_bubble_prefix" ] || return 1
    case $_bubble_target in
        "$_bubble_home"/*) ;;
        *)
            # a script may be one that leads back here: the program counts how often
            IFS= read -r _bubble_said <"$_bubble_target"
            case $_bubble_said in '#!'*) export BUBBLE_SHIM_DEPTH=1 ;; esac
            ;;
    esac
    set +f
    unset __PYVENV_LAUNCHER__ PYTHONEXECUTABLE IFS
    [ ! -e "$_bubble_prefix/pyvenv.cfg" ] || export VIRTUAL_ENV="$_bubble_prefix"
    export PATH="$_bubble_line/bin:$_bubble_prefix/bin:${PATH:-@path@}"
    shift
    exec "$_bubble_target" "$@"
}

# Whether no other $1 comes before the shims on PATH, as selection/reached.py has it.
_bubble_is_reached() {
    _bubble_path='' _bubble_line=''
    for _bubble_word in ${PATH-}; do
        case $_bubble_word in
            */choices/*) return 1 ;; # what an `exec` chose
        esac
        while :; do
            case $_bubble_word in
                */) _bubble_word=${_bubble_word%/} ;;
                *) break ;;
            esac
        done
        [ -n "$_bubble_word" ] || continue
        if [ "$_bubble_word" -ef "$_bubble_home/shims" ]; then
            _bubble_line=shims
            break
        fi
        case $_bubble_path$_bubble_word in
            /*) ;;
            *) continue ;;
        esac
        if [ -z "$_bubble_path" ] && [ -f "$_bubble_word/$1" ] && [ -x "$_bubble_word/$1" ]; then
            _bubble_path=$_bubble_word
        fi
    done
    [ -z "$_bubble_path" ] || [ "$_bubble_path" -ef "${_bubble_target%/*}" ] ||
        [ -z "$_bubble_line${VIRTUAL_ENV-}" ]
}

# Whether the directory is in no worktree of git, of whose main one something might be told.
_bubble_is_alone() {
    [ -z "${BUBBLE_PYTHON-}" ] || return 0
    _bubble_path=${PWD%/}
    while :; do
        [ ! -d "$_bubble_path/.git" ] || return 0
        [ ! -e "$_bubble_path/.git" ] && [ ! -L "$_bubble_path/.git" ] || return 1
        [ -n "$_bubble_path" ] || return 0
        _bubble_path=${_bubble_path%/*}
    done
}

# `bubble run NAME CMD …` where NAME is an environment of the machine, and nobody's bubble here
_bubble_named() {
    case $1 in
        default | *[!a-z0-9-]* | -* | *- | *--*) return 1 ;;
    esac
    case $2 in
        '' | -* | */*) return 1 ;;
    esac
    _bubble_here && [ -e "$_bubble_home/registry/n.$1" ] || return 1
    # records of longer paths have other names
    case $_bubble_key in
        *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%._-]*) return 1 ;;
    esac
    [ $((${#_bubble_key} + ${#1})) -le 180 ] || return 1
    while :; do
        [ ! -L "$_bubble_at" ] || return 1
        for _bubble_path in bubble.toml pyproject.toml; do
            _bubble_path=$_bubble_at/$_bubble_path
            [ ! -e "$_bubble_path" ] && [ ! -L "$_bubble_path" ] || return 1
        done
        [ ! -e "$_bubble_home/registry/p.$_bubble_key%2F.venvs%2F$1" ] || return 1
        [ -n "$_bubble_at" ] || break
        _bubble_at=${_bubble_at%/*}
        _bubble_key=${_bubble_key%\%2F*}
    done
    _bubble_registered "$_bubble_home/registry/n.$1" || return 1
    _bubble_target=$_bubble_said/bin/$2
    [ -x "$_bubble_said/bin/python" ] && [ -f "$_bubble_said/bin/python" ] &&
        [ -f "$_bubble_target" ] && [ -x "$_bubble_target" ] || return 1
    _bubble_enter "$1"
    shift 2
    exec "$_bubble_target" "$@"
}

# $1 a record; sets _bubble_said to the environment's path, if what lies there is what it says, as
# selection/identity.py has it
_bubble_registered() {
    {
        IFS= read -r _bubble_line && [ "$_bubble_line" = 'bubble environment 1' ] || return 1
        IFS= read -r _bubble_said && IFS= read -r _bubble_line && IFS= read -r _bubble_line &&
            IFS= read -r _bubble_line && IFS= read -r _bubble_line && IFS= read -r _bubble_path &&
            IFS= read -r _bubble_line || return 1
    } <"$1"
    case $_bubble_said in
        'path /'*) _bubble_said=${_bubble_said#path } ;;
        *) return 1 ;;
    esac
    case $_bubble_path in
        'maker bubble') _bubble_path=$_bubble_said/.bubble-environment ;;
        'maker '*) _bubble_path=$_bubble_said/.bubble-adopted ;;
        *) return 1 ;;
    esac
    [ -f "$_bubble_path" ] && [ ! -L "$_bubble_path" ] || return 1
    IFS= read -r _bubble_path <"$_bubble_path" || return 1
    case $_bubble_line in
        "identity $_bubble_path") [ -n "$_bubble_path" ] ;;
        *) return 1 ;;
    esac
} 2>/dev/null

# Makes the environment _bubble_said active, called $1 in prompts.
_bubble_enter() {
    set +f
    unset PYTHONHOME __PYVENV_LAUNCHER__ PYTHONEXECUTABLE IFS
    export VIRTUAL_ENV="$_bubble_said" VIRTUAL_ENV_PROMPT="$1"
    export PATH="$_bubble_said/bin:${PATH:-@path@}"
}

# the store that is meant must be this one, and the home this user's own
case ${BUBBLE_HOME-} in
    "$_bubble_home") ;;
    '')
        case ${XDG_DATA_HOME-} in
            /*) _bubble_path=$XDG_DATA_HOME/bubble ;;
            *) _bubble_path=${HOME-}/.local/share/bubble ;;
        esac
        [ "$_bubble_path" = "$_bubble_home" ] || _bubble_program "$@"
        ;;
    *) _bubble_program "$@" ;;
esac
case ${BUBBLE_CACHE_DIR-} in
    '' | /*) ;;
    *) _bubble_program "$@" ;;
esac
# shellcheck disable=SC3067 # every sh that is tried has -O
[ -O "${HOME:-/}" ] || _bubble_program "$@"

case ${1-} in
    sync) [ $# = 1 ] && _bubble_sync ;;
    current) [ $# = 1 ] && _bubble_current ;;
    exec)
        if [ $# -gt 1 ]; then
            shift
            _bubble_exec "$@"
            set -- exec "$@"
        fi
        ;;
    which) [ $# = 2 ] && _bubble_which "$2" ;;
    python) [ "$# ${2-}" = '2 find' ] && _bubble_find ;;
    run)
        if [ $# -gt 1 ]; then
            shift
            _bubble_script "$@"
            [ $# -gt 1 ] && _bubble_named "$@"
            set -- run "$@"
        fi
        ;;
esac
_bubble_program "$@"
