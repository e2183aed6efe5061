"""Whether the environment that a script ran in is still the one that it is to run in.

On the path of every run: a few reads and a digest, nothing asked of anybody.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.scripts import Memo, digest, note_use, read_memo, whole, write_memo
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.scripts.source import Script
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_PINS = (".python-version", ".python-versions", ".tool-versions")


def found_again(script: Script, layout: Layout) -> Environment | None:
    """Return the environment that a script ran in, if nothing has changed that decides about it."""
    now = made_from(script, layout)
    memo = read_memo(layout, script.path, now)
    if memo is None or memo.made_from != now:
        return None
    environment = whole(layout, memo.key)
    if environment is not None:
        note_use(layout, memo)
    return environment


def remember(script: Script, layout: Layout, key: str) -> None:
    """Note which environment a script runs in."""
    now = made_from(script, layout)
    write_memo(layout, Memo(script=script.path, made_from=now, key=key))


def made_from(script: Script, layout: Layout) -> str:
    """Return the digest of what a script's environment depends on, as it is now.

    Its metadata, its lock, and, where no lock says which interpreter, the files that may pin one.
    """
    parts = [script.block.encode("utf-8", "surrogatepass")]
    parts += [b"", b""] if script.lock is None else [b"locked", script.lock]
    if not names_interpreter(script.lock):
        parts += _said_above(script.directory, layout)
    return digest(*parts)


def names_interpreter(lock: bytes | None) -> bool:
    """Whether a lock says which interpreter it is for."""
    return lock is not None and b"\n[tool.bubble.python]\n" in lock


def pins_above(directory: str, layout: Layout) -> list[str]:
    """Return the paths of all files that could pin a version for a directory, there or not."""
    from bubble.system.directory import upwards

    paths = [f"{above.rstrip('/')}/{name}" for above in upwards(directory) for name in _PINS]
    return [*paths, layout.global_pin]


def _said_above(directory: str, layout: Layout) -> list[bytes]:
    """Return the bytes of all files that could pin a version for a directory, uninterpreted."""
    from bubble.system.version_file import LIMIT, read_regular

    found = []
    for path in pins_above(directory, layout):
        try:
            data = read_regular(path, 4 * LIMIT)
        except BubbleError:
            data = b"\0"  # unreadable: it says nothing, as long as it is so
        if data is not None:
            found += [os.fsencode(path), data]
    return found
