#compdef bubble
_bubble_home=@home@

_bubble_describe() {
    case $1 in
        # @cases@
        (*) ;;
    esac
}

_bubble() {
    emulate -L zsh -o extended_glob
    local command='' values='' rest=''
    local -a commands options
    if (( CURRENT > 2 )); then
        command=${words[2]}
        case $command in
            ('@groups@') (( CURRENT == 3 )) || command+=" ${words[3]}" ;;
        esac
    fi
    _bubble_describe "$command"
    case $values in
        (*" ${words[CURRENT-1]}="*)
            values=${values#*" ${words[CURRENT-1]}="}
            rest=${values%% *}
            ;;
        (*)
            if [[ $PREFIX == -* ]]; then
                _describe -o option options
                return
            fi
            ;;
    esac
    case $rest in
        (commands) _describe command commands ;;
        (python) compadd -- $_bubble_home/pythons/*(N:t) ;;
        (command) compadd -- $_bubble_home/shims/*(N:t) ;;
        (environment) compadd -- $_bubble_home/envs/*(N:t); _files -/ ;;
        (runnable) compadd -- $_bubble_home/envs/*(N:t); _files ;;
        (bubble) compadd -- ${(f)"$(command bubble completions --bubbles 2>/dev/null)"} ;;
        (file) _files ;;
        (*,*) compadd -- ${(s:,:)rest} ;;
    esac
}

_bubble_compdef() {
    emulate -L zsh
    precmd_functions=(${precmd_functions:#_bubble_compdef})
    if (( $+functions[compdef] )); then
        compdef _bubble bubble
    fi
}

typeset -ga precmd_functions
() {
    emulate -L zsh +o nounset
    if [[ $funcstack[2] == _bubble ]]; then
        _bubble "$@"
    elif (( $+functions[compdef] )); then
        compdef _bubble bubble
    else
        # compinit may come later in the start-up file
        precmd_functions=(${precmd_functions:#_bubble_compdef} _bubble_compdef)
    fi
} "$@"
