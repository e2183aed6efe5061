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
    local command='' values='' rest='' own='' one
    local -i at
    local -a commands options
    if (( CURRENT > 2 )); then
        command=${words[2]}
        case $command in
            ('@groups@') (( CURRENT == 3 )) || command+=" ${words[3]}" ;;
        esac
    fi
    _bubble_describe "$command"
    if [[ -n $own ]]; then
        for (( at = 3; at < CURRENT; at++ )); do
            case $values in
                (*" ${words[at]}="*) (( at++ )) ;;
                (*) [[ ${words[at]} == -?* ]] || break ;;
            esac
        done
        if (( at < CURRENT )); then
            (( at == CURRENT - 1 )) || own=file
            rest=$own values='' options=()
        fi
    fi
    case $values in
        (*" ${words[CURRENT-1]}="*)
            values=${values#*" ${words[CURRENT-1]}="}
            rest=${values%% *}
            ;;
        (*)
            if [[ $PREFIX == -* ]] && (( $#options )); then
                _describe -o option options
                return
            fi
            ;;
    esac
    local shared=${BUBBLE_SYSTEM_HOME:-/usr/local/share/bubble}
    for one in ${(s:+:)rest}; do
        case $one in
            (commands) _describe command commands ;;
            (python) compadd -- {$_bubble_home,$shared}/pythons/*(N:t) ;;
            (installable) compadd -- ${(f)"$(command bubble completions --installable 2>/dev/null)"} ;;
            (system) compadd -- system ;;
            (command) compadd -- $_bubble_home/shims/*(N:t) ;;
            (environment) compadd -- {$_bubble_home,$shared}/envs/*(N:t) ;;
            (bubble) compadd -- ${(f)"$(command bubble completions --bubbles 2>/dev/null)"} ;;
            (directory) _files -/ ;;
            (file) _files ;;
            (*,*) compadd -- ${(s:,:)one} ;;
        esac
    done
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
