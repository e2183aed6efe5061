# shellcheck shell=sh
# shellcheck disable=SC2154 # _bubble_home is set by whoever has this
# Reading memos, for the shim (POSIX sh) and the hook of bash and zsh. The format of a memo is in
# selection/facts.py: what it says is so, or it is void.

# $1 a file, $2 how many lines of the memo it must have: these, no more
_bubble_same() {
    _bubble_left=$2
    # what is newer is something else, and may be large; a pipe or a device would never end
    [ "$1" -nt "$_bubble_memo" ] && return 1
    [ -f "$1" ] || return 1
    while [ "$_bubble_left" -gt 0 ]; do
        IFS= read -r _bubble_line <&4 || return 1
        _bubble_there=''
        IFS= read -r _bubble_there <&5 || [ "$_bubble_left" = 1 ] || return 1
        [ "$_bubble_there" = "$_bubble_line" ] || return 1
        _bubble_left=$((_bubble_left - 1))
    done
    _bubble_there=''
    IFS= read -r _bubble_there <&5 && return 1
    [ -z "$_bubble_there" ]
}

# $1 the memo, $2 the names that are there; sets _bubble_answer
# shellcheck disable=SC2094 # the memo is read, and its time is looked at: nothing is written
_bubble_recall() {
    _bubble_memo=$1
    [ -f "$1" ] || return 1
    {
        IFS= read -r _bubble_line <&4 && \
            [ "$_bubble_line" = "bubble answer 3 $_bubble_home${BUBBLE_SYSTEM_HOME:+ $BUBBLE_SYSTEM_HOME}" ] ||
            return 1
        IFS= read -r _bubble_answer <&4 || return 1
        IFS= read -r _bubble_line <&4 && [ "$_bubble_line" = "$2" ] || return 1
        while IFS= read -r _bubble_fact <&4; do
            [ "$_bubble_fact" != . ] || return 0
            IFS= read -r _bubble_path <&4 || return 1
            case $_bubble_fact in
                [1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9])
                    [ -f "$_bubble_path" ] || return 1
                    _bubble_same "$_bubble_path" "$_bubble_fact" 5<"$_bubble_path" || return 1
                    ;;
                '-')
                    [ ! -e "$_bubble_path" ] && [ ! -L "$_bubble_path" ] || return 1
                    ;;
                'n')
                    for _bubble_file in .python-version .python-versions .tool-versions; do
                        _bubble_line=${_bubble_path%/}/$_bubble_file
                        [ ! -e "$_bubble_line" ] && [ ! -L "$_bubble_line" ] || return 1
                    done
                    ;;
                'd')
                    [ -d "$_bubble_path" ] || return 1
                    ;;
                'l')
                    [ ! -e "$_bubble_path" ] && [ -L "$_bubble_path" ] || return 1
                    ;;
                'f')
                    [ ! -L "$_bubble_path" ] || return 1
                    ;;
                '=')
                    IFS= read -r _bubble_line <&4 || return 1
                    [ "$_bubble_path" -ef "$_bubble_line" ] || return 1
                    ;;
                't')
                    IFS= read -r _bubble_line <&4 || return 1
                    [ -f "$_bubble_path" ] && [ -r "$_bubble_path" ] || return 1
                    [ -f "$_bubble_line" ] || return 1
                    [ "$_bubble_path" -nt "$_bubble_line" ] && return 1
                    [ "$_bubble_line" -nt "$_bubble_path" ] && return 1
                    ;;
                *) return 1 ;;
            esac
        done
        return 1
    } 4<"$1"
} 2>/dev/null

# $1 a memo's place below `answers`, $2 the names that are there; sets _bubble_answer. It is the
# store's, or where that is somebody else's, this user's own: from nobody else, and only of what
# the store has
_bubble_remember() {
    _bubble_recall "$_bubble_home/answers/$1" "$2" && return 0
    case ${BUBBLE_CACHE_DIR-} in
        /*) _bubble_rest=$BUBBLE_CACHE_DIR ;;
        ?*) return 1 ;;
        *)
            case ${XDG_CACHE_HOME-} in
                /*) _bubble_rest=$XDG_CACHE_HOME/bubble ;;
                *) _bubble_rest=${HOME-}/.cache/bubble ;;
            esac
            case $_bubble_rest in /*) ;; *) return 1 ;; esac
            ;;
    esac
    _bubble_memo=$_bubble_rest/answers
    # shellcheck disable=SC3067 # every sh that is tried has -O
    [ -O "$_bubble_memo" ] && [ ! -L "$_bubble_memo" ] || return 1
    _bubble_rest=${_bubble_home#/}
    while [ -n "$_bubble_rest" ]; do
        _bubble_memo=$_bubble_memo/@${_bubble_rest%%/*}
        case $_bubble_rest in
            */*) _bubble_rest=${_bubble_rest#*/} ;;
            *) break ;;
        esac
    done
    # shellcheck disable=SC3067 # as above
    [ -O "$_bubble_memo/$1" ] && _bubble_recall "$_bubble_memo/$1" "$2" || return 1
    case $_bubble_answer in
        */* | *@*) return 1 ;;
    esac
}

# $1 a word of an answer; sets _bubble_prefix to what it is now, `-` where nothing satisfies it
_bubble_mean() {
    case $1 in
        /*) _bubble_prefix=$1 ;;
        '='*) _bubble_prefix=$_bubble_home/pythons/${1#=} ;;
        @*)
            _bubble_path=$_bubble_home/requests/now/${1#@}
            [ -f "$_bubble_path" ] || return 1
            { IFS= read -r _bubble_prefix <"$_bubble_path"; } 2>/dev/null || return 1
            case $_bubble_prefix in
                -) ;;
                */*) return 1 ;;
                *) _bubble_prefix=$_bubble_home/pythons/$_bubble_prefix ;;
            esac
            ;;
        *) return 1 ;;
    esac
}

# $1 an absolute path, plainly written; sets _bubble_at to it, and _bubble_key and _bubble_tree to the
# names that bubble makes from it: of a record, and of a memo's directory below `answers`
_bubble_place() {
    _bubble_at=${1%/} _bubble_key='' _bubble_tree=.
    _bubble_rest=${_bubble_at#/}
    while [ -n "$_bubble_rest" ]; do
        _bubble_part=${_bubble_rest%%/*}
        _bubble_tree=$_bubble_tree/@$_bubble_part
        _bubble_key=$_bubble_key%2F
        case $_bubble_part in
            *%*) _bubble_escape ;;
            *) _bubble_key=$_bubble_key$_bubble_part ;;
        esac
        case $_bubble_rest in
            */*) _bubble_rest=${_bubble_rest#*/} ;;
            *) break ;;
        esac
    done
}

# The same of the working directory, if PWD names it, and plainly.
_bubble_here() {
    # a shell that runs on may be in a directory whose name another one has by now
    [ "$PWD" -ef . ] || return 1
    case $PWD in
        /) ;;
        '' | [!/]* | *//* | */ | */. | */.. | */./* | */../*) return 1 ;;
    esac
    _bubble_place "$PWD"
}

# Sets _bubble_answer to what the working directory gets, if that is known.
_bubble_select() {
    _bubble_here || return 1
    while :; do
        _bubble_names=''
        for _bubble_file in .venv .python-version .python-versions .tool-versions pyproject.toml; do
            if [ -e "$_bubble_at/$_bubble_file" ] || [ -L "$_bubble_at/$_bubble_file" ]; then
                _bubble_names=${_bubble_names:+$_bubble_names }$_bubble_file
            fi
        done
        if [ -n "$_bubble_names" ]; then
            _bubble_remember "$_bubble_tree/answer" "$_bubble_names" || return 1
            [ "$_bubble_answer" = - ] || return 0
        elif [ -e "$_bubble_home/registry/p.${_bubble_key:-%2F}" ]; then
            return 1 # it had an environment
        fi
        [ -n "$_bubble_at" ] || break
        _bubble_at=${_bubble_at%/*}
        _bubble_key=${_bubble_key%\%2F*}
        _bubble_tree=${_bubble_tree%/@*}
    done
    [ -e "$_bubble_home/version" ] || return 1
    _bubble_remember global version
}

# Sets _bubble_answer to what this shell asks for, or what the directory gets, if that is known.
_bubble_decide() {
    case ${BUBBLE_PYTHON-} in
        '') _bubble_select ;;
        .* | *[!A-Za-z0-9._+@\<\>=!~,*:-]*) return 1 ;;
        *) _bubble_remember "variable/$BUBBLE_PYTHON" '' ;;
    esac
}

_bubble_escape() {
    while :; do
        case $_bubble_part in
            *%*)
                _bubble_key=$_bubble_key${_bubble_part%%\%*}%25
                _bubble_part=${_bubble_part#*%}
                ;;
            *) break ;;
        esac
    done
    _bubble_key=$_bubble_key$_bubble_part
}
