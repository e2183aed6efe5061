# shellcheck shell=bash
_bubble_home=@home@

_bubble_describe() {
    case $1 in
        # @cases@
        *) ;;
    esac
}

_bubble_complete() {
    local word=${COMP_WORDS[COMP_CWORD]} command='' values='' rest='' path
    local -a words=() options=()
    if ((COMP_CWORD > 1)); then
        command=${COMP_WORDS[1]}
        case $command in
            '@groups@') ((COMP_CWORD == 2)) || command+=" ${COMP_WORDS[2]}" ;;
        esac
    fi
    _bubble_describe "$command"
    case $values in
        *" ${COMP_WORDS[COMP_CWORD - 1]}="*)
            values=${values#*" ${COMP_WORDS[COMP_CWORD - 1]}="}
            rest=${values%% *}
            ;;
        *) [[ $word != -* ]] || words=(${options[@]+"${options[@]}"}) rest='' ;;
    esac
    COMPREPLY=()
    case $rest in
        python) words+=("$_bubble_home"/pythons/*) ;;
        command) words+=("$_bubble_home"/shims/*) ;;
        environment | runnable) words+=("$_bubble_home"/envs/*) ;;
        bubble)
            while read -r path; do
                words+=("$path")
            done < <(command bubble completions --bubbles 2>/dev/null)
            ;;
        file) ;;
        *,*) IFS=, read -r -a words <<<"$rest" ;;
    esac
    case $rest in
        file | environment | runnable) compopt -o default 2>/dev/null ;;
    esac
    for path in ${words[@]+"${words[@]}"}; do
        path=${path##*/}
        if [[ $path == "$word"* && $path != '*' ]]; then
            COMPREPLY+=("$path")
        fi
    done
}

complete -F _bubble_complete bubble
