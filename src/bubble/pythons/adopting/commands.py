"""Which commands are an adopted interpreter's own, and how its links in the store follow them.

Kept apart from `adopt`, which probes; this only looks into directories.
"""

from __future__ import annotations

import os

from bubble.system.files import unlink_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.pythons.installed.store import Installation

# prefixes whose bin directory also holds what has nothing to do with Python
_SHARED = {
    "/", "/usr", "/usr/local", "/usr/pkg", "/opt/homebrew", "/opt/local", "/opt/sw", "/sw",
    "/home/linuxbrew/.linuxbrew",
}  # fmt: skip
_SHARED_NAMES = {".local", ".pixi"}  # such a prefix is a user's, for all that they install
_OWN_WORDS = ("python", "pip", "pydoc", "idle", "2to3", "pypy", "graalpy")


def own_directory(executable: str) -> str:
    """Return the directory (absolute) whose commands all are one interpreter's own, or "".

    It is the `bin` that the interpreter's file, a link or not, lies in at last: that of a prefix
    with its library, and of no other interpreter and no system's or user's common prefix.
    """
    for path in (executable, os.path.realpath(executable)):
        directory = os.path.dirname(path)
        prefix = os.path.dirname(directory)
        if _has_library(prefix) and not _is_shared(prefix):
            return directory
    return ""


def is_pythons(name: str) -> bool:
    """Whether a command is called like what comes with an interpreter: `python3.11`, `pip`."""
    return name.startswith(_OWN_WORDS)


def renew_links(installation: Installation) -> None:
    """Link the commands that came to an adopted interpreter's own `bin`, drop those that went.

    Of a directory that isn't its own, such as /usr/bin, nothing is linked but what is Python's.
    Raises OSError.
    """
    links = f"{installation.prefix}/bin"
    python = _target(f"{links}/python3")
    if not os.path.exists(python):
        return
    linked = set(os.listdir(links))
    directory = own_directory(python)
    there = set(os.listdir(directory)) if directory else {n for n in linked if is_pythons(n)}
    for name in there - linked:
        source = f"{directory}/{name}"
        if os.path.isfile(source) and os.access(source, os.X_OK):
            try:
                os.symlink(source, f"{links}/{name}")
            except FileExistsError:
                pass  # somebody else was as fast
    for name in linked - there:
        link = f"{links}/{name}"
        if os.path.islink(link) and not (directory and os.path.exists(link)):
            unlink_quietly(link)


def _has_library(prefix: str) -> bool:
    places = [f"{prefix}/lib-python/3"]  # PyPy's before 3.8
    for library in (f"{prefix}/lib", f"{prefix}/lib64"):
        try:
            names = os.listdir(library)
        except OSError:
            continue
        places += [f"{library}/{n}" for n in names if n.startswith(("python", "pypy", "graalpy"))]
    return any(os.path.exists(f"{place}/os.py") for place in places)


def _is_shared(prefix: str) -> bool:
    if prefix in _SHARED or os.path.basename(prefix) in _SHARED_NAMES:
        return True
    programs = {
        os.path.realpath(f"{prefix}/bin/{name}")
        for name in os.listdir(f"{prefix}/bin")
        if name.startswith("python") and name.removeprefix("python").replace(".", "").isdecimal()
    }
    return len(programs) > 1  # of several interpreters, or links to others


def _target(link: str) -> str:
    """Return where a link leads (absolute), or ""."""
    try:
        target = os.readlink(link)
    except OSError:
        return ""
    return target if os.path.isabs(target) else ""
