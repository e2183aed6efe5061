"""What lies in a store, by name: for tests of commands that install and remove."""

from __future__ import annotations

import os

from bubble.system.host import host_platform

PLATFORM = str(host_platform(os.environ))


def prefix(home: str, name: str) -> str:
    """Return where `name` (`cpython-3.12.1`) of this platform is installed."""
    return f"{home}/pythons/{name}-{PLATFORM}"


def installed(home: str) -> list[str]:
    """Return the names of what is in the store, links and all."""
    return sorted(os.listdir(f"{home}/pythons")) if os.path.isdir(f"{home}/pythons") else []
