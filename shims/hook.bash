# shellcheck shell=bash
_bubble_hook() {
    local code=$?
    if [[ $PWD != "$_bubble_last" ]]; then
        _bubble_last=$PWD
        _bubble_follow
    fi
    return "$code"
}

case "${PROMPT_COMMAND[*]-}" in
    *_bubble_hook*) ;;
    # where it is an array this is its first element
    *) PROMPT_COMMAND="_bubble_hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}" ;;
esac
