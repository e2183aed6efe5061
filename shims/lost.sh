# shellcheck shell=sh
# shellcheck disable=SC2154 # _bubble_python is set by whoever has this
# Why the Python that runs bubble can't be run, for the shim and the front. The end of both: a
# process may be started.

_bubble_lost() {
    _bubble_at=$_bubble_python
    for _bubble_step in 1 2 3 4 5 6 7 8; do
        [ -h "$_bubble_at" ] || break
        _bubble_to=$(command -p readlink "$_bubble_at")
        case $_bubble_to in
            /*) _bubble_at=$_bubble_to ;;
            *) _bubble_at=${_bubble_at%/*}/$_bubble_to ;;
        esac
    done
    while [ -n "$_bubble_at" ] && ! [ -e "$_bubble_at" ]; do
        _bubble_at=${_bubble_at%/*}
    done
    if ! [ -x "${_bubble_at:-/}" ]; then
        printf '%s\n' "can't be run: this user may not look into $_bubble_at"
    else
        printf '%s\n' 'is gone'
    fi
}
