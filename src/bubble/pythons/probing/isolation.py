"""Interpreters that bubble starts for its own purposes: the one place that says how.

Whatever lies in the working directory and whatever PYTHON* says is meant for what the user runs,
not for pip, a probe or bubble itself. What the user's own command is (`exec`, `run`, a shim, a
kernel) starts as the user would start it.
"""

from __future__ import annotations

import os
import sys

from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ISOLATED = "-I"  # no variables, no working directory, no packages of the user's
_PYTHON_2 = ("-E", "-s")  # it knows no other; so it is started where nobody puts files
MAIN = "import sys\nfrom bubble.cli.main import run\nsys.exit(run())"


def isolated(python: str, *arguments: str) -> list[str]:
    """Return the command line of a Python 3 (an absolute path) that sees only its own files.

    Run it with `without_python`'s variables: PYTHONEXECUTABLE sends even an isolated one elsewhere.
    """
    return [python, _ISOLATED, *arguments]


def isolated_python_2(python: str, *arguments: str) -> list[str]:
    """Return the same for a Python 2, as far as it can; run it with the working directory `/`."""
    return [python, *_PYTHON_2, *arguments]


def without_python(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that don't speak to an interpreter, for it and all that it starts.

    What the loader needs on this machine (LD_LIBRARY_PATH, …) stays: the user's runs have it too.
    PATH loses what it has of the working directory: pip calls `uname`.
    """
    kept = {
        name: value for name, value in env.items() if not name.startswith(("PYTHON", "__PYVENV"))
    }
    if "PATH" in kept:
        kept["PATH"] = ":".join(entry for entry in kept["PATH"].split(":") if entry[:1] == "/")
    return kept


def for_bubble(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for bubble itself: those that say where it lies stay."""
    base = {name: value for name, value in env.items() if name == "PYTHONUSERBASE"}
    return {**without_python(env), **base}


def own_options() -> tuple[str, ...]:
    """Return the options that isolate bubble's interpreter and let it find bubble, started anew.

    `-I` has no packages of the user's: what `pip install --user` put there needs others.
    """
    base = _users()
    if not base:
        return (_ISOLATED,)
    # elsewhere, it was PYTHONUSERBASE that said where
    return ("-E", "-P") if base == os.path.expanduser("~/.local") else ("-P",)


def own_scripts() -> str:
    """Return the absolute directory where the installer of bubble puts scripts."""
    base = _users()
    return f"{base}/bin" if base else os.path.dirname(sys.executable)


def own_launcher() -> str:
    """Return the absolute path of the command that install.sh made, "" where bubble came otherwise.

    It stays, whichever version it runs.
    """
    if not os.path.exists(f"{sys.prefix}/.complete"):
        return ""
    named = read_text(f"{os.path.dirname(os.path.dirname(sys.prefix))}/command")
    return (named or "").strip()


def start_again(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Replace this process, which heeds PYTHON*, by an isolated one with the same command line.

    Returns where that can't be: it is there by PYTHONPATH, or the system doesn't do it.
    """
    options = own_options()
    entries = env.get("PYTHONPATH", "").split(":")
    if options[0] == "-P" or _packages() in map(os.path.realpath, entries):
        return
    program = argv[:1] if os.path.isfile(argv[0]) else ["-c", MAIN]
    command = [sys.executable, *options, *program, *argv[1:]]
    try:
        os.execve(sys.executable, command, dict(env))  # noqa: S606 - no shell is wanted
    except OSError:
        pass


def _users() -> str:
    """Return the directory below which a user's own packages lie if this is one, else ""."""
    site = sys.modules.get("site")
    user = getattr(site, "USER_SITE", None) if getattr(site, "ENABLE_USER_SITE", None) else None
    return str(getattr(site, "USER_BASE", "")) if user and _leads_to_us(user) else ""


def _packages() -> str:
    """Return the directory that this package lies in."""
    import bubble

    return os.path.dirname(os.path.dirname(os.path.realpath(bubble.__file__)))


def _leads_to_us(directory: str) -> bool:
    """Whether this package was found in a directory of packages, or by a `.pth` file in it."""
    here = _packages()
    if os.path.realpath(directory) == here:
        return True
    try:
        names = [name for name in os.listdir(directory) if name.endswith(".pth")]
    except OSError:
        return False
    for name in names:
        with open(f"{directory}/{name}", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        if any(line and os.path.realpath(os.path.join(directory, line)) == here for line in lines):
            return True
    return False
