# shellcheck shell=bash
_bubble_home=@home@

_bubble_describe() {
    case $1 in
        # @cases@
        *) ;;
    esac
}

_bubble_complete() {
    local word=${COMP_WORDS[COMP_CWORD]} command='' values='' rest='' own='' path at shared
    local -a words=() options=()
    if ((COMP_CWORD > 1)); then
        command=${COMP_WORDS[1]}
        case $command in
            '@groups@') ((COMP_CWORD == 2)) || command+=" ${COMP_WORDS[2]}" ;;
        esac
    fi
    _bubble_describe "$command"
    if [[ -n $own ]]; then
        for ((at = 2; at < COMP_CWORD; at++)); do
            case $values in
                *" ${COMP_WORDS[at]}="*) ((at++)) || : ;;
                *) [[ ${COMP_WORDS[at]} == -?* ]] || break ;;
            esac
        done
        if ((at < COMP_CWORD)); then
            ((at == COMP_CWORD - 1)) || own='file'
            rest=$own values='' options=()
        fi
    fi
    case $values in
        *" ${COMP_WORDS[COMP_CWORD - 1]}="*)
            values=${values#*" ${COMP_WORDS[COMP_CWORD - 1]}="}
            rest=${values%% *}
            ;;
        *) [[ $word != -* ]] || words=(${options[@]+"${options[@]}"}) rest='' ;;
    esac
    COMPREPLY=()
    shared=${BUBBLE_SYSTEM_HOME:-/usr/local/share/bubble}
    case $rest in
        *,*)
            IFS=, read -r -a words <<<"$rest"
            rest=''
            ;;
        *file* | *directory*) compopt -o default 2>/dev/null ;;
    esac
    while [[ -n $rest ]]; do
        case ${rest%%+*} in
            python) words+=("$_bubble_home"/pythons/* "$shared"/pythons/*) ;;
            command) words+=("$_bubble_home"/shims/*) ;;
            environment) words+=("$_bubble_home"/envs/* "$shared"/envs/*) ;;
            system) words+=(system) ;;
            bubble | installable)
                at=--${rest%%+*}
                while read -r path; do
                    words+=("$path")
                done < <(command bubble completions "${at/%bubble/bubbles}" 2>/dev/null)
                ;;
        esac
        [[ $rest == *+* ]] || break
        rest=${rest#*+}
    done
    for path in ${words[@]+"${words[@]}"}; do
        path=${path##*/}
        if [[ $path == "$word"* && $path != '*' ]]; then
            COMPREPLY+=("$path")
        fi
    done
}

complete -F _bubble_complete bubble
