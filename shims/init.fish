# bubble: shell integration. Static code: evaluating it starts no process.
# Renew it with `bubble init fish`, or let `bubble init fish --install` keep it up to date.

set -g __bubble_home @home@
set -g __bubble_program @program@
set -g __bubble_python @python@
# the active environment and its commands, as they were at the last look
set -g __bubble_commands
# every environment that the hook has put on PATH
set -g __bubble_entered

# Runs bubble: as it lies among the shims, it answers some of the questions by itself. PYTHONHOME is
# meant for another Python, and stops an interpreter before the first line of its program: then it is
# started isolated.
function __bubble_run
    if test -x $__bubble_home/shims/bubble
        $__bubble_home/shims/bubble $argv
    else if test -n "$PYTHONHOME"; and test -x "$__bubble_python"
        $__bubble_python @options@ -c 'import sys; from bubble.cli.main import run; sys.exit(run())' $argv
    else
        $__bubble_program $argv
    end
end

# Takes every $argv out of PATH.
function __bubble_without
    for entry in $argv
        while contains -- $entry $PATH
            set -e PATH[(contains -i -- $entry $PATH)]
        end
    end
end

function __bubble_error
    printf 'error: %s\n  hint: %s\n' $argv >&2
    return 1
end

function __bubble_status
    return $argv[1]
end

# Makes the environment $argv[1] (absolute) the active one. The variables are those of venv's own
# activate.fish, so that either can take back what the other did.
function __bubble_enter
    # its own name, or its directory's, or that of the directory that a .venv is in
    set -l name (string replace -fr '^prompt\s*=\s*(.+?)\s*$' '$1' <$argv[1]/pyvenv.cfg)
    # venv writes it as Python does
    set name (string replace -r '^([\'"])(.+)\1$' '$2' -- $name[1])
    if test -z "$name"
        set name (string replace -r '.*?([^/]*)(/(\.[^/]*|venv|env))?$' '$1' -- $argv[1])
    end
    if test -z "$name"; or string match -qr '[[:cntrl:]]' -- $name
        set name env
    end
    if set -q PYTHONHOME
        set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
        set -e PYTHONHOME
    end
    set -gx _OLD_VIRTUAL_PATH $PATH
    set -gx PATH $argv[1]/bin $PATH
    set -gx VIRTUAL_ENV $argv[1]
    set -gx VIRTUAL_ENV_PROMPT $name
    if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt; and not functions -q _old_fish_prompt
        functions -c fish_prompt _old_fish_prompt
        function fish_prompt
            set -l code $status
            printf '(%s) ' $VIRTUAL_ENV_PROMPT
            __bubble_status $code
            _old_fish_prompt
        end
        set -gx _OLD_FISH_PROMPT_OVERRIDE $VIRTUAL_ENV
    end
    __bubble_can_leave
    __bubble_renew
end

function __bubble_can_leave
    function deactivate
        bubble deactivate
    end
end

# Renews the shims where the active environment is bubble's and what it can run has changed since
# the last look, as after the `pip` of an active environment, which is no shim. At the first look
# that is what has no shim. No process otherwise.
function __bubble_renew --on-event fish_prompt
    test -n "$VIRTUAL_ENV"; and test -e $VIRTUAL_ENV/.bubble-environment; or return 0
    set -l now $VIRTUAL_ENV $VIRTUAL_ENV/bin/*
    test "$now" = "$__bubble_commands"; and return
    set -l changed
    if test "$__bubble_commands[1]" = "$VIRTUAL_ENV"
        set changed 1
    else
        for path in (path filter -fx -- $now[2..])
            set -l name (path basename -- $path)
            if not test -e $__bubble_home/shims/$name; and not string match -qr '^(activate.*|Activate.*|deactivate|bubble)$' -- $name
                set changed 1
                break
            end
        end
    end
    set -g __bubble_commands $now
    if test -n "$changed"
        __bubble_run rehash >/dev/null 2>&1
    end
    return 0
end

# Takes the active environment back: what was put in front goes, whatever else changed stays.
function __bubble_leave
    __bubble_renew
    if test -z "$VIRTUAL_ENV"
    else if test "$PATH[1]" = "$VIRTUAL_ENV/bin"
        set -e PATH[1]
    else
        __bubble_without $VIRTUAL_ENV/bin
    end
    # and what the hook has put there, whatever became of VIRTUAL_ENV since
    if set -q _BUBBLE_HOOK; and contains -- $_BUBBLE_HOOK $__bubble_entered
        __bubble_without $_BUBBLE_HOOK/bin
    end
    if set -q _OLD_FISH_PROMPT_OVERRIDE; and functions -q _old_fish_prompt
        functions -e fish_prompt
        functions -c _old_fish_prompt fish_prompt
        functions -e _old_fish_prompt
    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
    end
    for name in VIRTUAL_ENV VIRTUAL_ENV_PROMPT _BUBBLE_HOOK _OLD_VIRTUAL_PATH \
            _OLD_VIRTUAL_PYTHONHOME _OLD_FISH_PROMPT_OVERRIDE
        set -e $name
    end
    functions -e deactivate
end

# Whether a project may have names of its own in the working directory.
function __bubble_in_project
    set -l directory (string replace -r '/$' '' -- $PWD)
    while true
        for name in bubble.toml pyproject.toml .venvs
            test -e $directory/$name; and return 0
        end
        test -n "$directory"; or return 1
        set directory (string replace -r '/[^/]*$' '' -- $directory)
    end
end

function __bubble_activate
    if test (count $argv) -gt 1; or string match -qr '^(-.*|)$' -- $argv
        __bubble_run activate $argv
        return
    end
    set -l env $argv[1]
    if not set -q argv[1]
        # what is named is the user's word; what only lies here needs the store's
        set env (__bubble_run activate --check | string collect); or return
        test -n "$env"; or return 1
    else if string match -qr '/|^\.' -- $env
        string match -q '/*' -- $env; or set env $PWD/$env
        set env (path normalize -- $env)
    else if test "$env" = default; or __bubble_in_project
        # only the program knows what a project calls its own
        set env (__bubble_run activate --check $env | string collect); or return
        test -n "$env"; or return 1
    else
        set env $__bubble_home/envs/$env
    end
    if string match -q '*:*' -- $env
        __bubble_error "$env has a colon in its path, which PATH can't carry" \
            'move it to another directory'
    else if not test -f $env/pyvenv.cfg
        __bubble_error "there is no environment at $env" \
            "a name is one of bubble's own; write ./NAME for a directory"
    else if not test -x $env/bin/python
        __bubble_error "$env has no interpreter that runs (bin/python)" \
            'bubble python list --installed shows what is there; make the environment again'
    else
        set -q VIRTUAL_ENV; and __bubble_leave
        __bubble_enter $env
    end
end

function __bubble_shell
    if test (count $argv) -eq 0; or contains -- -h $argv; or contains -- --help $argv; or contains -- --json $argv
        __bubble_run shell $argv
    else if test "$argv" = --unset
        set -e BUBBLE_PYTHON
        true
    else
        set -l value (__bubble_run shell --check $argv); or return
        set -gx BUBBLE_PYTHON $value
    end
end

# Makes an environment and enters it; $argv has `--activate`.
function __bubble_create
    set -l env (__bubble_run create --entered $argv); or return
    printf '%s\n' $env
    __bubble_activate $env
end

function bubble
    set -l code
    switch "$argv[1]"
        case activate
            __bubble_activate $argv[2..]
        case deactivate
            if set -q argv[2]
                __bubble_run $argv
            else if test -z "$VIRTUAL_ENV"
                __bubble_error 'no environment is active in this shell' 'bubble activate ENV'
            else
                __bubble_leave
                functions -q __bubble_hold; and __bubble_hold
                return 0
            end
        case '*'
            if test "$argv[1]" = shell
                __bubble_shell $argv[2..]
            else if test "$argv[1]" = create; and contains -- --activate $argv; and not contains -- --json $argv; and not contains -- --help $argv; and not contains -- -h $argv
                __bubble_create $argv[2..]
            else
                __bubble_run $argv
            end
            set code $status
            # what it changed may change the directory's environment
            functions -q __bubble_hook; and __bubble_hook
            return $code
    end
end

# Puts the shims in front of PATH, behind an environment that is active (a nested shell).
function __bubble_put_shims
    __bubble_without $__bubble_home/shims
    if set -q VIRTUAL_ENV; and contains -- $VIRTUAL_ENV/bin $PATH
        __bubble_without $VIRTUAL_ENV/bin
        set -gx PATH $VIRTUAL_ENV/bin $__bubble_home/shims $PATH
    else
        set -gx PATH $__bubble_home/shims $PATH
    end
end

# config.fish comes after this file, and may put something before the shims: while it is read, and
# once more at the first prompt, they are put first again. From then on PATH is the user's.
function __bubble_first --on-event fish_prompt --on-variable PATH
    if not set -q argv[1]
        functions -e __bubble_first
    else if set -q __bubble_placing; or not string match -q '*/fish/config.fish*' -- (status stack-trace)
        return
    end
    set -g __bubble_placing
    __bubble_put_shims
    set -e __bubble_placing
end

__bubble_put_shims
if set -q VIRTUAL_ENV; and contains -- $VIRTUAL_ENV/bin $PATH
    functions -q deactivate; or __bubble_can_leave
    if test "$VIRTUAL_ENV" = "$_BUBBLE_HOOK"
        set -g __bubble_entered $VIRTUAL_ENV
    end
else
    # inherited by a shell whose PATH was set anew (tmux, login shells): it isn't active
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    set -e _BUBBLE_HOOK
end
