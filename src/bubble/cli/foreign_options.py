"""Options of other tools at bubble's own commands, and what does the same here.

What a whole line means is asked first, `cli.words`: its answer keeps what was typed.
"""

from __future__ import annotations

_NEEDLESS = "leave it out"
# command → another tool's option → what does the same here
OPTIONS = {
    "create": {
        "--file": "-r FILE",
        "-f": "-r FILE",
        "-n": "bubble create NAME",
        "--name": "bubble create NAME",
        "--prefix": "bubble create, in that directory",
        "--clone": "bubble clone ENV NEW",
        "--seed": f"{_NEEDLESS}: pip is there unless --no-pip",
        "--without-pip": "--no-pip",
        "--clear": "--force",
        "--channel": f"{_NEEDLESS}: packages come from PyPI, or from where pip is told",
        "--override-channels": f"{_NEEDLESS}: packages come from PyPI",
        "--offline": "BUBBLE_OFFLINE=1 bubble create",
    },
    "python install": {
        "-k": f"{_NEEDLESS}: nothing is built, so nothing is kept",
        "--keep": f"{_NEEDLESS}: nothing is built, so nothing is kept",
        "-p": f"{_NEEDLESS}: nothing is built, so nothing is patched",
        "--patch": f"{_NEEDLESS}: nothing is built, so nothing is patched",
        "-l": "bubble python list --all-versions",
        "-lv": "bubble python list --all-versions",
        "--list": "bubble python list --all-versions",
        "-g": "bubble use --global --install VERSION",
        "--global": "bubble use --global --install VERSION",
        "--default": "bubble use --global --install VERSION",
    },
    "python list": {
        "--bare": f"{_NEEDLESS}, or take --json",
        "--skip-aliases": _NEEDLESS,
        "--only-installed": "--installed",
        "--only-downloads": "--available",
    },
    "which": {"--nosystem": _NEEDLESS, "--skip-advice": _NEEDLESS},
    "whence": {"--path": f"{_NEEDLESS}: the paths are printed"},
    "use": {
        "-g": "--global",
        "-f": "--force",
        "-i": "--install",
        "--pin": f"{_NEEDLESS}: what you name is what is written",
        "--fuzzy": f"{_NEEDLESS}: what you name is what is written",
    },
    "list": {
        "-n": "bubble export NAME",
        "--name": "bubble export NAME",
        "-a": f"{_NEEDLESS}: all are listed",
        "--all": f"{_NEEDLESS}: all are listed",
        "--envs": f"{_NEEDLESS}: all are listed",
        "--export": "bubble export NAME",
        "--explicit": "bubble export NAME",
    },
    "info": {"-e": "bubble list", "--envs": "bubble list", "--path": "bubble info --json"},
    "remove": {"-n": "bubble remove NAME", "--name": "bubble remove NAME"},
    "run": {
        "-n": "bubble run NAME CMD",
        "--name": "bubble run NAME CMD",
        "-p": "bubble exec -p VERSION CMD",
        "--python": "bubble exec -p VERSION CMD",
        "--no-capture-output": f"{_NEEDLESS}: nothing is captured",
        "--live-stream": f"{_NEEDLESS}: nothing is captured",
        "-m": "bubble run .venv python -m MODULE",
        "--with": "bubble create --with PACKAGE",
        "--no-project": f"{_NEEDLESS}: a script is run by what it says itself",
        "--isolated": f"{_NEEDLESS}: an environment sees nothing else",
        "--no-sync": f"{_NEEDLESS}: only --sync does that",
        "--frozen": "--locked",
    },
    "rename": {"-n": "bubble rename NAME NEW", "--name": "bubble rename NAME NEW"},
    "clone": {"-n": "bubble clone ENV NEW", "--name": "bubble clone ENV NEW"},
    "config list": {"--show": _NEEDLESS, "--list": _NEEDLESS, "--show-sources": _NEEDLESS},
    "init": {
        "--path": "bubble init --install",
        "--shell": "bubble init SHELL",
        "--no-rehash": f"{_NEEDLESS}: a start runs nothing",
        "--detect-shell": "bubble init",
        "--all": "bubble init --install, in each shell",
        "--reverse": "bubble init --uninstall",
    },
    "activate": {"--shims": "bubble init --install"},
    "sync": {
        "--group": "the manifest says which groups there are: bubble sync BUBBLE",
        "--extra": "the manifest says which extras there are: bubble sync BUBBLE",
        "--all-extras": "the manifest says which extras there are: bubble sync --all",
        "--all-groups": "the manifest says which groups there are: bubble sync --all",
        "--no-dev": "other packages are another one: bubble sync BUBBLE",
    },
    "pack": {"-n": "bubble pack NAME", "-p": "bubble pack PATH"},
    "gc": {"-a": "bubble gc --dry-run", "--packages": "bubble cache prune"},
    "self update": {"--check": "bubble self info"},
}
