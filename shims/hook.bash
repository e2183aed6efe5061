# shellcheck shell=bash
# shellcheck disable=SC2154 # hook.sh comes before this file
_bubble_hook() {
    local code=$?
    # direnv puts its hook first: what it finds active, it would bring back
    if [[ ${PROMPT_COMMAND[*]-} == *_direnv_hook*_bubble_hook* ]]; then
        PROMPT_COMMAND=("${PROMPT_COMMAND[@]/_bubble_hook;/}")
        PROMPT_COMMAND[0]="_bubble_hook;${PROMPT_COMMAND[0]}"
    fi
    _bubble_before
    return "$code"
}

_bubble_hooked() {
    local code=$?
    _bubble_after
    return "$code"
}

# shellcheck disable=SC2178,SC2128,SC2179 # where it is an array, this is its first element
case "${PROMPT_COMMAND[*]-}" in
    *_bubble_hook*) ;;
    *)
        # first and last
        PROMPT_COMMAND="_bubble_hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
        if [[ ${PROMPT_COMMAND[*]} != "$PROMPT_COMMAND" ]]; then
            PROMPT_COMMAND+=(_bubble_hooked)
        else
            PROMPT_COMMAND+=$'\n_bubble_hooked'
        fi
        ;;
esac
