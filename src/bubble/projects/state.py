"""What a project's environment was last made from, as the store remembers it.

One small file an environment, by its identity. It says what `sync` saw, so that the next one
finds out with a few reads that there is nothing to do; it is derived, and deletable.
"""

from __future__ import annotations

import hashlib
import os

from bubble.model.record import Record
from bubble.selection.registry import of_directory
from bubble.system.files import make_directory, names_in, read_text, unlink_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_FORMAT = "bubble synced 1"
PREVIOUS = ".previous"  # in `.venvs`: what the last sync of each bubble replaced


class State(Record):
    """What an environment was made from: digests (hex) of its lock file and what it has.

    `replaced` is the identity of the environment before it, which `rollback` brings back, with
    the interpreter (an absolute prefix) and the request that it had.
    """

    lock: str
    packages: str
    replaced: str = ""
    interpreter: str = ""
    request: str = ""
    made_at: str = "0"


def read_state(layout: Layout, identity: str) -> State | None:
    """Return what is remembered of the environment with this identity."""
    text = read_text(f"{layout.synced}/{identity}", 1 << 14) if identity else None
    lines = (text or "").splitlines()
    if lines[:1] != [_FORMAT]:
        return None
    values = dict(line.split(" ", 1) for line in lines[1:] if " " in line)
    if not {"lock", "packages"} <= values.keys():
        return None
    return State(**{name: values[name] for name in State._fields if name in values})


def write_state(layout: Layout, identity: str, state: State) -> None:
    """Remember what an environment was made from."""
    make_directory(layout.synced)
    lines = [_FORMAT, *(f"{name} {value}" for name, value in state.as_dict().items() if value)]
    write_atomic(f"{layout.synced}/{identity}", os.fsencode("".join(f"{x}\n" for x in lines)))


def forget_state(layout: Layout, identity: str) -> None:
    """Forget what an environment was made from."""
    unlink_quietly(f"{layout.synced}/{identity}")


def digest_of(path: str) -> str:
    """Return the sha256 (hex) of a file's content, "" where there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return ""


def packages_of(path: str) -> str:
    """Return a digest of which packages an environment (absolute path) has, by their metadata.

    What pip installs, removes or exchanges changes it; bytes that change in place don't.
    """
    names = [
        f"{library}/{name}"
        for library in names_in(f"{path}/lib")
        for name in names_in(f"{path}/lib/{library}/site-packages")
        if name.endswith((".dist-info", ".egg-info", ".egg-link"))
    ]
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def environment_at(path: str, project: str, layout: Layout) -> Environment | None:
    """Return the environment that is registered at `path`, a bubble's; both are absolute."""
    found = of_directory(layout, project) or of_directory(layout, path)
    return found if found is not None and found.path == path else None
