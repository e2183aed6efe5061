#!/bin/sh
# A shim of bubble: runs the command of this name in the Python that the working directory selects.
# bubble shim 1
#
# It never interprets what a directory says: it recognises what `bubble` has already answered.
# An answer (a memo) holds while it is newer than what it was made from, and while the version file
# is, character for character, the one that was asked. Anything else goes to `bubble
# shim-fallback`, which decides, leaves the memo, and runs the command. Builtins only: no fork.
#
# A memo: line 1 the answer (prefixes with `:` between, the first that has the command wins; `-`:
# this directory says nothing), line 2 the format and the files that are there, line 3 the file
# that was asked, then that file's lines where it is compared by content.

_bubble_home='@home@'
_bubble_python='@python@'
_bubble_name=${0##*/}
_bubble_answer=''

_bubble_slow() {
    unset __PYVENV_LAUNCHER__ IFS
    if [ ! -x "$_bubble_python" ]; then
        printf '%s\n' "bubble: the Python that runs bubble is gone ($_bubble_python), so $_bubble_name\
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

# $1 the memo, $2 the files that are there, $3 the directory with a slash; sets _bubble_answer
# shellcheck disable=SC2094 # the memo is read, and its time is looked at: nothing is written
_bubble_recall() {
    [ "$1" -nt "$_bubble_home/generation" ] || return 1
    {
        IFS= read -r _bubble_answer <&4 || return 1
        IFS= read -r _bubble_seen <&4 || return 1
        IFS= read -r _bubble_asked <&4 || return 1
        [ "$_bubble_seen" = "1${2:+ }$2" ] || return 1
        _bubble_decided=''
        for _bubble_file in $2; do
            if [ -e "$3$_bubble_file" ]; then
                [ "$1" -nt "$3$_bubble_file" ] || return 1
            else # a link to nothing has no time, and is an error unless a higher file decides
                [ -n "$_bubble_decided" ] || return 1
            fi
            [ "$_bubble_file" != "$_bubble_asked" ] || _bubble_decided=1
        done
        case $_bubble_asked in
            .python-version | .python-versions | version) ;;
            *) return 0 ;;
        esac
        # a pipe or a device, moved here with an old time, would never end
        [ -f "$3$_bubble_asked" ] || return 1
        {
            while :; do
                _bubble_there='' _bubble_then='' _bubble_more=''
                IFS= read -r _bubble_there <&5 && _bubble_more=1
                IFS= read -r _bubble_then <&4 && _bubble_more=1
                [ "$_bubble_there" = "$_bubble_then" ] || return 1
                [ -n "$_bubble_more" ] || return 0
            done
        } 5<"$3$_bubble_asked" || return 1
    } 4<"$1" || return 1
} 2>/dev/null

_bubble_select() {
    if [ -n "${BUBBLE_PYTHON-}" ]; then
        case $BUBBLE_PYTHON in
            .* | *[!A-Za-z0-9._+@\<\>=!~,*:-]*) return 1 ;;
        esac
        _bubble_recall "$_bubble_home/aliases/$BUBBLE_PYTHON" '' ''
        return
    fi
    case $PWD in
        /*) _bubble_at=${PWD%/} ;;
        *) return 1 ;;
    esac
    while :; do
        _bubble_files=
        for _bubble_file in .python-version .python-versions .tool-versions pyproject.toml; do
            if [ -e "$_bubble_at/$_bubble_file" ] || [ -L "$_bubble_at/$_bubble_file" ]; then
                _bubble_files=${_bubble_files:+$_bubble_files }$_bubble_file
            fi
        done
        _bubble_memo=$_bubble_home/projects$_bubble_at/.bubble
        if [ -n "$_bubble_files" ] || [ -e "$_bubble_memo" ]; then
            _bubble_recall "$_bubble_memo" "$_bubble_files" "$_bubble_at/" || return 1
            [ "$_bubble_answer" = - ] || return 0
        fi
        [ -n "$_bubble_at" ] || break
        _bubble_at=${_bubble_at%/*}
    done
    [ -e "$_bubble_home/version" ] || return 1
    _bubble_recall "$_bubble_home/aliases/.global" version "$_bubble_home/"
}

# what installs commands is watched, so that they get shims at once
case $_bubble_name in
    pip | pip[0-9]*) _bubble_slow "$@" ;;
    python* | pypy* | graalpy*)
        case ${1-} in
            -*) _bubble_runs_pip "$@" && _bubble_slow "$@" ;;
        esac
        ;;
esac

IFS=' '
_bubble_select || _bubble_slow "$@"
set -f
IFS=:
for _bubble_prefix in $_bubble_answer; do
    case $_bubble_prefix in
        /*) ;;
        *) break ;;
    esac
    _bubble_target=$_bubble_prefix/bin/$_bubble_name
    if [ -f "$_bubble_target" ] && [ -x "$_bubble_target" ]; then
        [ "$_bubble_target" -ef "$0" ] && break
        # a bash that exports SHELLOPTS would pass it on
        set +f
        unset __PYVENV_LAUNCHER__ IFS
        exec "$_bubble_target" "$@"
    fi
done
set +f
_bubble_slow "$@"
