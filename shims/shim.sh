#!/bin/sh
# A shim of bubble: runs the command of this name in the Python that the working directory selects.
# bubble shim 1
#
# It never interprets what a directory says: it recognises what `bubble` has already answered.
# An answer (a memo) holds while every fact that it was made from is so now, by equality: contents,
# identity, names, never "newer than". Anything else goes to `bubble shim-fallback`, which decides,
# leaves the memo, and runs the command. Builtins only: no fork. Without a memo, a directory that
# has a version file, a .venv or a record is never passed over. A memo's format is in
# selection/facts.py; what reads it, for the hook of bash and zsh too, in answer.sh.

_bubble_home='@home@'
_bubble_python='@python@'
_bubble_name=${0##*/}
_bubble_answer='' _bubble_prefix='' _bubble_said='' _bubble_chosen=''

_bubble_slow() {
    # what `exec` chose, as long as nothing else is asked
    if [ -n "$_bubble_said" ]; then
        export BUBBLE_PYTHON="$_bubble_said"
    fi
    unset __PYVENV_LAUNCHER__ PYTHONEXECUTABLE IFS
    if [ ! -x "$_bubble_python" ]; then
        printf '%s\n' "bubble: the Python that runs bubble $(_bubble_lost) ($_bubble_python), so $_bubble_name\
 can't be chosen here; install bubble again, then run: bubble rehash" >&2
        exit 127
    fi
    exec "$_bubble_python" @options@ -c 'import sys
try:
    from bubble.cli.main import run
except ImportError as error:
    sys.stderr.write("bubble: it is not whole (%s); install it again\n" % error)
    sys.exit(127)
sys.exit(run())' shim-fallback "$_bubble_home" "$_bubble_name" "$@"
}

# whether an interpreter with these arguments runs pip: `-m pip`, `-Impip`, `-W x -m pip`
_bubble_runs_pip() {
    _bubble_then=''
    for _bubble_word; do
        case $_bubble_then in
            m)
                case $_bubble_word in pip | ensurepip) return 0 ;; esac
                return 1
                ;;
            ?)
                _bubble_then=''
                continue
                ;;
        esac
        case $_bubble_word in
            --check-hash-based-pycs)
                _bubble_then=W
                continue
                ;;
            -[!-]*) ;;
            *) return 1 ;;
        esac
        # from the first letter on that takes the rest, or the next argument
        case ${_bubble_word#"${_bubble_word%%[cmWX]*}"} in
            mpip | mensurepip) return 0 ;;
            m) _bubble_then=m ;;
            W | X) _bubble_then=W ;;
            m* | c*) return 1 ;;
        esac
    done
    return 1
}

# @answer.sh@

# on PATH by `exec` (selection/choice.py): that answers, unless a nearer BUBBLE_PYTHON does
case $0 in
    */choices/*/bin/*)
        _bubble_path=${0%/bin/*}/answer
        if [ -f "$_bubble_path" ] && [ -r "$_bubble_path" ]; then
            { IFS= read -r _bubble_said && IFS= read -r _bubble_chosen; } <"$_bubble_path"
        fi
        if [ -z "$_bubble_chosen" ] && [ -z "${BUBBLE_PYTHON-}" ]; then
            printf '%s\n' "bubble: what exec had chosen is gone (${0%/bin/*}), so $_bubble_name\
 can't be chosen here; leave what exec started, or say which: BUBBLE_PYTHON=VERSION" >&2
            exit 127
        fi
        case ${BUBBLE_PYTHON:-$_bubble_said} in
            "$_bubble_said") ;;
            *) _bubble_said='' _bubble_chosen='' ;;
        esac
        ;;
esac

# what installs commands is watched, so that they get shims at once
case $_bubble_name in
    pip | pip[0-9]*) _bubble_slow "$@" ;;
    python* | pypy* | graalpy*)
        case ${1-} in
            -*) _bubble_runs_pip "$@" && _bubble_slow "$@" ;;
        esac
        ;;
esac

if [ -n "$_bubble_chosen" ]; then
    _bubble_answer=$_bubble_chosen
else
    _bubble_decide || _bubble_slow "$@"
fi
set -f
IFS=:
for _bubble_word in $_bubble_answer; do
    _bubble_mean "$_bubble_word" || break
    [ "$_bubble_prefix" != - ] || continue
    _bubble_target=$_bubble_prefix/bin/$_bubble_name
    if [ -f "$_bubble_target" ] && [ -x "$_bubble_target" ]; then
        [ "$_bubble_target" -ef "$0" ] && break
        # a bash that exports SHELLOPTS would pass it on
        set +f
        unset __PYVENV_LAUNCHER__ PYTHONEXECUTABLE IFS
        exec "$_bubble_target" "$@"
    fi
done
set +f
_bubble_slow "$@"
