"""What an installation shares on the disk with another patch release of its minor version.

The rule, for whoever adds to it: a file may be shared if nobody has a reason to write to it. That
is what the build brings below `lib`, `include` and `share`, made read-only (0444, 0555) when it is
unpacked, so that its owner doesn't by mistake, either. Not what installers and programs change:
`bin`, `site-packages`, bytecode, what `venv` copies with its mode; nor what bubble itself patches,
which is written anew. `system.archive.twin` says what is held against what before.

A system's store has hard links of nothing: its owner, root, isn't stopped by a mode, and all others
run what is there.
"""

from __future__ import annotations

import os

from bubble.pythons.installed import store
from bubble.system.layout import is_everybodys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.key import Key
    from bubble.pythons.installed.store import Installation
    from bubble.system.archive.twin import Twin
    from bubble.system.layout import Layout
    from bubble.system.machine import Machine

_BUILDS = ("lib/", "include/", "share/")
_OTHERS = ("/site-packages/", "/dist-packages/", "/__pycache__/", "/venv/scripts/")


def is_fixed(path: str) -> bool:
    """Whether a file of a build (relative to its prefix) is one that nobody writes to."""
    return path.startswith(_BUILDS) and not any(part in path for part in _OTHERS)


def twin_of(key: Key, machine: Machine) -> Twin | None:
    """Return the nearest patch release of a key's minor in the store, to share files with.

    None where there is none that can be read.
    """
    nearest = _nearest(key, machine.layout)
    if nearest is None:
        return None
    from bubble.model.errors import BubbleError
    from bubble.pythons.installed import manifest
    from bubble.system.archive.twin import Twin

    try:
        known = manifest.read_only_files(nearest.prefix)
        return Twin(nearest.prefix, known, links=not is_everybodys(machine.layout, machine.env))
    except (OSError, BubbleError):
        return None  # one that is damaged, or being removed


def _nearest(key: Key, layout: Layout) -> Installation | None:
    start = f"{key.implementation}-{key.version.minor}"
    try:
        names = [name for name in os.listdir(layout.pythons) if name.startswith(start)]
    except OSError:
        return None
    found = [
        installation
        for name in names
        if name != str(key) and (installation := store.installation_at(layout, name))
    ]
    like = [i for i in found if (i.key.minor, i.key.platform) == (key.minor, key.platform)]
    return min(like, key=lambda i: _distance(key, i.key), default=None)


def _distance(key: Key, other: Key) -> tuple[int, bool]:
    return abs(key.version[2] - other.version[2]), other.version < key.version
