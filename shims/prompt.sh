# At a prompt of bash and zsh: what other commands than the shell's own have changed.
# shellcheck shell=bash
# shellcheck disable=SC2154 # init.sh comes before this file
_bubble_look() {
    local code=$? text=''
    # how the shims are now: the beginning of what their last change wrote down
    {
        IFS='' read -r -d '' text <"$_bubble_home/shims.seen"
    } 2>/dev/null || :
    if [[ $text != "$_bubble_shims" ]]; then
        _bubble_shims=$text
        _bubble_forget
    fi
    _bubble_renew
    return "$code"
}
_bubble_shims=''
