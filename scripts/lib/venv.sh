# shellcheck shell=sh
# Sourced by scripts/test and scripts/quickstart, in the checkout's directory: makes .venv with
# bubble in it, editable. Sets $python to the Python that was chosen to make it.

# Prints the first Python that is new enough and works; what BUBBLE_TEST_PYTHON names must.
choose_python() {
    if [ -n "${BUBBLE_TEST_PYTHON:-}" ]; then
        new_enough "$BUBBLE_TEST_PYTHON" || {
            printf '%s\n' "BUBBLE_TEST_PYTHON=$BUBBLE_TEST_PYTHON is no working Python 3.11 or newer" >&2
            return 1
        }
        command -v "$BUBBLE_TEST_PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then
            command -v "$name"
            return 0
        fi
    done
    {
        printf '%s\n' "bubble needs Python 3.11 or newer to run, and none was found on PATH."
        printf '%s\n' "Install one (apt install python3 python3-venv), or name one in BUBBLE_TEST_PYTHON."
    } >&2
    return 1
}

# Other managers' shims exist for versions that aren't chosen, and fail: so each one is asked.
new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 </dev/null
}

# make_venv run|dev: bubble alone, or with the tools of the `dev` dependency group.
make_venv() {
    python=$(choose_python) || return 1
    want=$1
    stamp=$("$python" -c '
import hashlib, sys
with open("pyproject.toml", "rb") as file:
    print(sys.version.split()[0], sys.base_prefix, hashlib.sha256(file.read()).hexdigest()[:16])
') || return 1
    have=
    [ ! -f .venv/bubble-stamp ] || have=$(cat .venv/bubble-stamp)
    if .venv/bin/bubble --help >/dev/null 2>&1 </dev/null || .venv/bin/python -c 'import bubble' 2>/dev/null; then
        case $want:$have in
            "dev:$stamp dev" | "run:$stamp dev" | "run:$stamp run")
                printf '%s\n' ".venv is up to date ($("$python" --version))"
                return 0
                ;;
        esac
    fi
    # the same Python as before: pip brings .venv up to date; another one: from the start
    if [ "$(.venv/bin/python -c 'import sys; print(sys.version.split()[0], sys.base_prefix)' 2>/dev/null)" \
        != "${stamp% *}" ]; then
        printf '%s\n' "making .venv with $("$python" --version) ($python)"
        rm -rf .venv
        new_venv || return 1
    fi
    rm -f .venv/bubble-stamp
    # `--group` came with pip 25.1; the build backend is fetched by pip, as for any user
    quiet .venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1' || return 1
    case $want in
        dev) quiet .venv/bin/python -m pip install --quiet --editable . --group dev || return 1 ;;
        *) quiet .venv/bin/python -m pip install --quiet --editable . || return 1 ;;
    esac
    printf '%s\n' "$stamp $want" >.venv/bubble-stamp
    printf '%s\n' ".venv is ready ($(.venv/bin/python --version))"
}

# Debian splits ensurepip off: without it, the machine's own pip fills the environment.
new_venv() {
    "$python" -m venv .venv >/dev/null 2>&1 && return 0
    rm -rf .venv
    if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --without-pip .venv &&
        quiet "$python" -m pip --python .venv/bin/python install --quiet 'pip>=25.1'; then
        return 0
    fi
    rm -rf .venv
    printf '%s\n' "$python can't make a virtual environment (on Debian: apt install python3-venv)" >&2
    return 1
}

# Runs a command whose output matters only when it fails; pip as root needs no sermon.
quiet() {
    PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONPATH='' "$@" </dev/null
}
