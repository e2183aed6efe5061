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
