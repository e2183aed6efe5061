"""Where environments lie: whose a directory is, which paths will do, and who is at work there."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.files import fast_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout
    from bubble.system.lock import Lock

PROJECTS = ".venvs"  # in a project's directory: its environments but the one in `.venv`
PREVIOUS = ".previous"  # in there: what the last sync of each replaced
_LONGEST_LINE = 127  # bytes of a `#!` line, with its end, as pip counts
_LONGEST = 3800  # bytes of a path: the system takes 4095, and packages lie some way below


def bubble_at(path: str) -> tuple[str, str, bool] | None:
    """Return the project, the name and whether it is the one before, of a project's environment.

    By its place alone (absolute): `.venvs/train`, `.venvs/.previous/train`; None elsewhere.
    """
    parent, name = os.path.split(path)
    before = os.path.basename(parent) == PREVIOUS
    places = os.path.dirname(parent) if before else parent
    if os.path.basename(places) != PROJECTS or name == PREVIOUS:
        return None
    return os.path.dirname(places), name, before


def dangers(path: str) -> tuple[str, ...]:
    """Return what to tell the user of an environment's path (absolute) before pip works in it.

    Where a `#!` line can't hold the interpreter's path, for a space or its length, pip writes it
    into a shell script: in double quotes with a space, else as it is. bubble quotes what it
    writes itself.
    """
    program = f"{path}/bin/python3.10"
    quoted = " " in program
    if not quoted and len(os.fsencode(program)) + len("#!\n") <= _LONGEST_LINE:
        return ()
    active = sorted({c for c in path if c in ('$`"\\' if quoted else "$`\"\\;&|()<>'*?")})
    if not active:
        return ()
    what = "a space" if quoted else "is long"
    warning = (
        f"this path has {' '.join(active)} and {what}: scripts that pip writes here later "
        "would give that to the shell; better take another directory"
    )
    return (warning,)


def lock(layout: Layout, path: str) -> Lock:
    """Return the lock under which the environment at `path` (absolute) is made or changed."""
    from bubble.system.lock import Lock

    name = fast_digest(os.fsencode(os.path.realpath(path)), 16)
    return Lock(f"{layout.locks}/env.{name}")


def is_environment(path: str) -> bool:
    """Whether `path` is a virtual environment, whoever made it."""
    return os.path.isfile(f"{path}/pyvenv.cfg")


def require_sayable(path: str) -> None:
    """Refuse a path that PATH, pyvenv.cfg or the first line of a script could not say."""
    odd = ":" in path or any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in path)
    if odd or len(os.fsencode(path)) > _LONGEST:
        raise BubbleError(
            "environment",
            f"an environment can't lie at {printable(path, 500)}: scripts couldn't name it",
            hint="rename the directory: no colon, control characters or bytes that aren't UTF-8",
        )


def require_unmounted(path: str) -> None:
    """Refuse to throw away an environment in which something is mounted: BubbleError(store)."""
    from bubble.system.mounts import mount_below

    mounted = mount_below(path)
    if mounted:
        raise BubbleError(
            "store",
            f"{printable(mounted, 500)} is mounted, and would be thrown away",
            hint=f"umount {printable(mounted, 500)}",
        )
