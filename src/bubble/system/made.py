"""Which directories bubble made where it is a guest: an uninstallation takes them away again."""

from __future__ import annotations

import os

from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout


def make_directories(path: str, layout: Layout) -> None:
    """Make a directory (absolute) and those above it, and note which weren't there.

    They are noted first: what a kill leaves is known, and what isn't empty stays. Raises OSError.
    """
    missing = []
    directory = path
    while not os.path.isdir(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    if missing:
        os.makedirs(layout.home, exist_ok=True)
        with open(layout.made, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{name}\n" for name in missing if "\n" not in name)
    os.makedirs(path, exist_ok=True)


def noted(layout: Layout) -> list[str]:
    """Return what was noted, absolute paths."""
    return (read_text(layout.made) or "").splitlines()
