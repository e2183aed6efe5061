"""What a project's environments were last made from, as the store remembers it.

One small file an environment, by its identity: what `sync` saw, so that the next one finds out
with a few reads that there is nothing to do, and which links and kernel it made. Without it an
environment is made once more.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.system.files import (
    fast_digest,
    is_alive,
    is_temporary,
    make_directory,
    names_in,
    read_text,
    unlink_quietly,
    write_atomic,
    writer_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

_FORMAT = "bubble synced 2"
_LARGEST = 1 << 16
_INFO = (".dist-info", ".egg-info", ".egg-link")


class State(Record):
    """What an environment was made from, and what belongs to it.

    `lock`, `packages`, `sources` and `metadata` are digests (hex): of its lock file, of what it
    has, of the source trees that are built into it, of what says how those are installed that are
    used where they lie. `extra` says that it keeps what the lock doesn't have. `links` are the
    directories, relative to the project, in which sync made a `.venv` that leads to it; `kernel`
    is the absolute directory of its Jupyter kernel.
    """

    lock: str
    packages: str
    sources: str = ""
    metadata: str = ""
    extra: str = ""
    kernel: str = ""
    links: tuple[str, ...] = ()


def read_state(layout: Layout, identity: str) -> State | None:
    """Return what is remembered of the environment with this identity."""
    if not identity or "/" in identity:
        return None
    text = read_text(f"{layout.synced}/{identity}", _LARGEST)
    lines = (text or "").split("\n")
    if lines[0] != _FORMAT or lines[-1]:
        return None
    values = dict(line.split(" ", 1) for line in lines[1:] if " " in line)
    links = tuple(line.removeprefix("link ") for line in lines[1:] if line.startswith("link "))
    if not {"lock", "packages"} <= values.keys():
        return None
    known = {name: values[name] for name in State._fields if name in values}
    return State(**known, links=links)


def write_state(layout: Layout, identity: str, state: State) -> None:
    """Remember what an environment was made from."""
    make_directory(layout.synced)
    for name in names_in(layout.synced):  # of killed writers
        if is_temporary(name) and not is_alive(writer_of(name)):
            unlink_quietly(f"{layout.synced}/{name}")
    values = {name: value for name, value in state.as_dict().items() if value and name != "links"}
    values = {"lock": state.lock, "packages": state.packages, **values}
    lines = [_FORMAT, *(f"{name} {value}" for name, value in values.items())]
    lines += [f"link {link}" for link in state.links]
    write_atomic(f"{layout.synced}/{identity}", os.fsencode("".join(f"{x}\n" for x in lines)))


def forget_state(layout: Layout, identity: str) -> None:
    """Forget what an environment was made from."""
    if identity and "/" not in identity:
        unlink_quietly(f"{layout.synced}/{identity}")


def digest(data: bytes) -> str:
    """Return a digest (hex) of some bytes, by which they are recognised."""
    return fast_digest(data, 20)


def packages_of(path: str) -> str:
    """Return a digest of which packages an environment (absolute path) has, by their metadata.

    What pip installs, removes, exchanges or installs again changes it, and what is written into
    `pyvenv.cfg`; modules that are edited in place don't.
    """
    parts = [read_text(f"{path}/pyvenv.cfg", _LARGEST) or ""]
    for library in names_in(f"{path}/lib"):
        packages = f"{path}/lib/{library}/site-packages"
        names = [name for name in names_in(packages) if name.endswith(_INFO)]
        parts += [f"{library}/{name} {_written(f'{packages}/{name}')}" for name in names]
    return digest("\n".join(parts).encode("utf-8", "surrogateescape"))


def _written(path: str) -> str:
    """Return what tells one installation of a package from another."""
    for name in ("/RECORD", "/installed-files.txt", ""):
        try:
            info = os.stat(f"{path}{name}")
        except OSError:
            continue
        return f"{info.st_size} {info.st_mtime_ns}" if name else str(info.st_size)
    return ""
