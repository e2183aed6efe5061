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
_bubble_answer=''

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
    printf '%s\n' "bubble: the Python that runs bubble is gone ($_bubble_python); install bubble again,\
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
    set +f
    unset PYTHONHOME __PYVENV_LAUNCHER__ PYTHONEXECUTABLE IFS
    export VIRTUAL_ENV="$_bubble_said" VIRTUAL_ENV_PROMPT="$_bubble_stem"
    export PATH="$_bubble_said/bin:${PATH:-@path@}"
    exec "$_bubble_said/bin/python" "$@"
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
    run)
        if [ $# -gt 1 ]; then
            shift
            _bubble_script "$@"
            set -- run "$@"
        fi
        ;;
esac
_bubble_program "$@"
