"""The working directory, as the shell that started this process names it."""

from __future__ import annotations

import os


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
