_bubble_hook() {
    local code=$?
    emulate -L zsh
    local list
    for list in chpwd_functions precmd_functions; do
        # direnv puts its hook first: what it finds active, it would bring back
        if (( ${${(P)list}[(I)_direnv_hook]} && ${${(P)list}[(Ie)_direnv_hook]} < ${${(P)list}[(Ie)_bubble_hook]} )); then
            set -A $list _bubble_hook ${${(P)list}:#_bubble_hook}
        fi
    done
    _bubble_before
    return $code
}

_bubble_hooked() {
    local code=$?
    emulate -L zsh
    _bubble_after
    return $code
}

# zsh reads a byte at a time: here a memo, and what it compares, is read at once. The rest is as
# answer.sh has it.
if zmodload -F zsh/system b:sysread 2>/dev/null; then
    # Sets `text` to what is in the file $1, up to more than any memo compares.
    _bubble_read() {
        text=''
        [[ -f $1 && -r $1 ]] || return 1
        sysread -s 65536 text <$1
        (( $? == 0 || $? == 5 )) # nothing in it
    }

    # $1 a file, the rest the lines that it must have: these, no more
    _bubble_same() {
        local text
        # what is newer is something else, and may be large
        [[ ! $1 -nt $_bubble_memo ]] && _bubble_read $1 || return 1
        shift
        [[ ${text%$'\n'} == "${(pj:\n:)@}" ]]
    }

    # $1 the memo, $2 the names that are there; sets _bubble_answer
    _bubble_recall() {
        emulate -L zsh
        local text file other
        local -a said
        integer at=4
        _bubble_memo=$1
        _bubble_read $1 || return 1
        said=("${(@f)text}")
        [[ $said[1] == "bubble answer 3 $_bubble_home${BUBBLE_SYSTEM_HOME:+ $BUBBLE_SYSTEM_HOME}" && $said[3] == "$2" ]] || return 1
        _bubble_answer=$said[2]
        while (( at < $#said )); do
            [[ $said[at] != . ]] || return 0
            file=$said[at+1] other=$said[at+2]
            case $said[at] in
                -) [[ ! -e $file && ! -L $file ]] || return 1 ;;
                n)
                    for other in .python-version .python-versions .tool-versions; do
                        [[ ! -e ${file%/}/$other && ! -L ${file%/}/$other ]] || return 1
                    done
                    ;;
                d) [[ -d $file ]] || return 1 ;;
                l) [[ ! -e $file && -L $file ]] || return 1 ;;
                f) [[ ! -L $file ]] || return 1 ;;
                '=')
                    [[ $file -ef $other ]] || return 1
                    (( at += 1 ))
                    ;;
                t)
                    [[ -f $file && -r $file && -f $other ]] || return 1
                    [[ ! $file -nt $other && ! $other -nt $file ]] || return 1
                    (( at += 1 ))
                    ;;
                <1-9999>)
                    _bubble_same $file "${(@)said[at+2,at+1+said[at]]}" || return 1
                    (( at += said[at] ))
                    ;;
                *) return 1 ;;
            esac
            (( at += 2 ))
        done
        return 1
    } 2>/dev/null

    # Sets _bubble_answer to what the working directory gets, if that is known.
    _bubble_select() {
        emulate -L zsh
        # a shell that runs on may be in a directory whose name another one has by now
        [[ $PWD -ef . ]] || return 1
        case $PWD in
            /) ;;
            '' | [^/]* | *//* | */ | */. | */.. | */./* | */../*) return 1 ;;
        esac
        local at=${PWD%/} file
        local tree=.${at//\//\/@} key=${${at//\%/%25}//\//%2F}
        local -a names
        while true; do
            names=()
            for file in .venv .python-version .python-versions .tool-versions pyproject.toml; do
                [[ -e $at/$file || -L $at/$file ]] && names+=($file)
            done
            if (( $#names )); then
                _bubble_at=$at _bubble_names="$names"
                _bubble_remember $tree/answer "$names" || return 1
                [[ $_bubble_answer == - ]] || return 0
            elif [[ -e $_bubble_home/registry/p.${key:-%2F} ]]; then
                return 1 # it had an environment
            fi
            [[ -n $at ]] || break
            at=${at%/*} key=${key%\%2F*} tree=${tree%/@*}
        done
        [[ -e $_bubble_home/version ]] && _bubble_remember global version
    }
fi

typeset -ga chpwd_functions precmd_functions
() {
    emulate -L zsh
    local list
    # at every prompt, too: for the first one, and for what has changed in the directory
    for list in chpwd_functions precmd_functions; do
        if [[ ${${(P)list}[(Ie)_bubble_hook]} == 0 ]]; then
            set -A $list _bubble_hook ${(P)list} _bubble_hooked
        fi
    done
}
