"""Which environment each script ran in last, as the store remembers it: who uses it, and when.

One small file a script, written by `projects.scripts`: derived, deletable, and believed only where
what it was made from is what it was.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.selection.identity import is_itself
from bubble.selection.registry import of_directory
from bubble.system.files import (
    fast_digest,
    is_alive,
    make_directory,
    names_in,
    read_text,
    temporaries,
    unlink_quietly,
    write_atomic,
    writer_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_FORMAT = "bubble script 1"
DAY = 86400.0  # seconds


class Memo(Record):
    """What is remembered of a script.

    `script` is its absolute path ("" for the standard input), `made_from` the digest of what the
    choice depended on, `key` the name of the environment. `used_at` is in seconds (epoch).
    """

    script: str
    made_from: str
    key: str
    used_at: float = 0.0


def digest(*parts: bytes) -> str:
    """Return a digest (32 hex digits) of byte strings, whatever they hold."""
    return fast_digest(b"".join(b"%d:%b" % (len(part), part) for part in parts), 16)


def read_memo(layout: Layout, script: str, made_from: str) -> Memo | None:
    """Return what is remembered of a script (absolute path, "" for the standard input)."""
    memo = _read(memo_path(layout, script, made_from))
    return memo if memo and memo.script == script else None


def write_memo(layout: Layout, memo: Memo) -> None:
    """Remember which environment a script runs in."""
    make_directory(layout.scripts_seen)
    lines = (_FORMAT, f"path {_escaped(memo.script)}", f"from {memo.made_from}", f"key {memo.key}")
    data = "".join(f"{line}\n" for line in lines)
    path = memo_path(layout, memo.script, memo.made_from)
    known = _read(path)
    if known is not None and known.replace(used_at=memo.used_at) == memo:
        os.utime(path)
        return
    for leftover in temporaries(layout.scripts_seen, os.path.basename(path)):
        if not is_alive(writer_of(os.path.basename(leftover))):
            unlink_quietly(leftover)
    write_atomic(path, os.fsencode(data))


def note_use(layout: Layout, memo: Memo) -> None:
    """Note that a script ran in its environment; once a day is enough."""
    import time

    if time.time() - memo.used_at > DAY:
        try:
            os.utime(memo_path(layout, memo.script, memo.made_from))
        except OSError:
            pass  # somebody else's store


def whole(layout: Layout, key: str) -> Environment | None:
    """Return the environment of a key; None where it is gone, or its interpreter is."""
    found = of_directory(layout, f"{layout.scripts}/{key}")
    if found is None or not is_itself(found, layout):
        return None
    return found if os.access(f"{found.path}/bin/python", os.X_OK) else None


def all_memos(layout: Layout) -> Iterator[tuple[str, Memo | None]]:
    """Yield the absolute path of every memo and what it says; None for a file that is none."""
    for name in names_in(layout.scripts_seen):
        if not name.startswith("."):
            path = f"{layout.scripts_seen}/{name}"
            yield path, _read(path)


def scripts_of(layout: Layout) -> dict[str, list[str]]:
    """Return the scripts (absolute paths) that ran in each environment (absolute path) last."""
    found: dict[str, list[str]] = {}
    for _, memo in all_memos(layout):
        if memo and memo.script:
            found.setdefault(f"{layout.scripts}/{memo.key}", []).append(memo.script)
    return found


def memo_path(layout: Layout, script: str, made_from: str = "") -> str:
    """Return where the memo of a script (absolute path) is."""
    # the standard input has no name: what it was made from is its name
    name = os.fsencode(script) if script else b"-" + made_from.encode()
    return f"{layout.scripts_seen}/{digest(name)}"


def _read(path: str) -> Memo | None:
    try:
        lines = (read_text(path, 1 << 15) or "").split("\n")
        if lines[0] != _FORMAT:
            return None
        values = dict(line.split(" ", 1) for line in lines[1:] if " " in line)
        return Memo(
            script=_plain(values["path"]),
            made_from=values["from"],
            key=values["key"],
            used_at=os.stat(path).st_mtime,
        )
    except (OSError, KeyError):
        return None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _plain(text: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in text.split("\\\\"))
