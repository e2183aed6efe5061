"""What the system has: PATH without the shims, ours and other managers'."""

from __future__ import annotations

import os

from bubble.selection import choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.system.layout import Layout

MARK = b"# bubble shim "  # the shim script says so in its first lines
_SCRIPT = 1 << 14  # bytes: who wraps a tool says it in fewer
_EXEC = rb"\b(?:bubble|pyenv|mise|asdf|rtx) (?:exec|x)\b[^\n]*\b%s\b"
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def find_system(name: str, env: Mapping[str, str], layout: Layout) -> str:
    """Return the absolute path of the first `name` on PATH that is no shim, or ""."""
    return next(_of_the_system(name, env, layout), "")


def find_tool(name: str, env: Mapping[str, str], layout: Layout) -> str:
    """Return the same of a tool that bubble calls, or "": no script that becomes a shim, either.

    Which program such a wrapper runs depends on the directory, as with the shim itself.
    """
    found = _of_the_system(name, env, layout)
    return next((path for path in found if not _runs_a_shim(path, name)), "")


def _of_the_system(name: str, env: Mapping[str, str], layout: Layout) -> Iterator[str]:
    for directory in system_directories(env, layout):
        path = f"{directory}/{name}"
        if not (os.path.isfile(path) and os.access(path, os.X_OK)) or is_shim(path):
            continue
        # a link in an ordinary directory may lead to another manager's shim
        if not is_shim_directory(os.path.dirname(os.path.realpath(path))):
            yield path


def system_directories(env: Mapping[str, str], layout: Layout) -> Iterator[str]:
    """Yield the absolute directories of PATH that hold no shims.

    Every directory called `shims` is some manager's (pyenv, mise, asdf, rbenv, bubble); relative
    entries are passed over, since what they name changes with the working directory. So is what an
    `exec` put there: that is what was chosen, not what is there without a choice.
    """
    ours = identity(layout.shims)
    chosen: set[str] = set()
    for entry in (env.get("PATH") or DEFAULT_PATH).split(":"):
        directory = entry.rstrip("/") or "/"
        if made := choice.read(directory):
            chosen.update(f"{prefix}/bin" for prefix in made[1])
        if directory in chosen:
            continue
        if not os.path.isabs(directory) or is_shim_directory(directory):
            continue
        if ours is None or identity(directory) != ours:
            yield directory


def is_shim_directory(directory: str) -> bool:
    """Whether a directory (absolute) holds some manager's shims, by its name or a link's end."""
    return (
        os.path.basename(directory) == "shims"
        or os.path.basename(os.path.realpath(directory)) == "shims"
    )


def is_shim(path: str) -> bool:
    """Whether a file is bubble's shim script: a link to it, a copy, or another store's."""
    return MARK in head(path, 512)


def _runs_a_shim(path: str, name: str) -> bool:
    """Whether a file is a script that says so: it names a shim, or asks a manager to run `name`."""
    text = head(path, _SCRIPT)
    if not text.startswith(b"#!"):
        return False
    if b"/shims/" in text:
        return True
    import re

    return bool(re.search(_EXEC % re.escape(os.fsencode(name)), text))


def head(path: str, size: int) -> bytes:
    """Return the first `size` bytes of a file, b"" when it can't be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(size)
    except OSError:
        return b""


def identity(path: str) -> tuple[int, int] | None:
    """Return what makes two paths the same file, None when nothing is there."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino
