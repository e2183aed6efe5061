"""The working directory, as the shell that started this process names it, and those above it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def working_directory(pwd: str) -> str:
    """Return the absolute working directory as the shell names it; "" when it was deleted."""
    try:
        here = os.stat(".")
        named = os.stat(pwd) if os.path.isabs(pwd) else None
        if named is not None and os.path.samestat(here, named):
            return os.path.normpath(pwd) if "/.." not in pwd else os.getcwd()
        return os.getcwd()
    except OSError:
        try:
            return os.getcwd()
        except OSError:
            return ""


def upwards(cwd: str) -> Iterator[str]:
    """Yield the absolute directory `cwd` and each one above it, to the root."""
    directory = cwd
    while directory.startswith("/"):
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent
