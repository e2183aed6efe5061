typeset -ga precmd_functions
() {
    emulate -L zsh
    if (( ! ${precmd_functions[(Ie)_bubble_look]} )); then
        precmd_functions+=(_bubble_look)
    fi
}
