"""What an adopted interpreter's owner adds and removes: its links in the store follow.

Kept apart from `adopt`, which probes; this only looks into directories.
"""

from __future__ import annotations

import os

from bubble.system.files import unlink_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.pythons.store import Installation

# prefixes whose bin directory also holds what has nothing to do with Python
SHARED = {"/usr", "/usr/local", "/", "/opt/homebrew", "/opt/local"}


def renew_links(installation: Installation) -> None:
    """Link the commands that came to an adopted interpreter's own `bin`, drop those that went.

    Does nothing for a shared directory such as /usr/bin. Raises OSError.
    """
    links = f"{installation.prefix}/bin"
    directory = _source(links)
    if not directory or os.path.dirname(directory) in SHARED:
        return
    linked = set(os.listdir(links))
    there = set(os.listdir(directory))
    for name in there - linked:
        source = f"{directory}/{name}"
        if os.path.isfile(source) and os.access(source, os.X_OK):
            try:
                os.symlink(source, f"{links}/{name}")
            except FileExistsError:
                pass  # somebody else was as fast
    for name in linked - there:
        link = f"{links}/{name}"
        if os.path.islink(link) and not os.path.exists(link):
            unlink_quietly(link)


def _source(links: str) -> str:
    """Return the directory that the links lead to, or "" when it is gone."""
    try:
        directory = os.path.dirname(os.readlink(f"{links}/python3"))
    except OSError:
        return ""
    return directory if os.path.isabs(directory) and os.path.isdir(directory) else ""
