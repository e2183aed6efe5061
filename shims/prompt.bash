# shellcheck shell=bash
case "${PROMPT_COMMAND[*]-}" in
    *_bubble_look*) ;;
    # where it is an array this is its first element
    *) PROMPT_COMMAND="_bubble_look${PROMPT_COMMAND:+;$PROMPT_COMMAND}" ;;
esac
