_bubble_hook() {
    local code=$?
    emulate -L zsh
    if [[ $PWD != "$_bubble_last" ]]; then
        _bubble_last=$PWD
        _bubble_follow
    fi
    return $code
}

typeset -ga chpwd_functions precmd_functions
() {
    emulate -L zsh
    local list
    # at every prompt, too: for the first one, and after what bubble changed
    for list in chpwd_functions precmd_functions; do
        if [[ ${${(P)list}[(Ie)_bubble_hook]} == 0 ]]; then
            set -A $list ${(P)list} _bubble_hook
        fi
    done
}
