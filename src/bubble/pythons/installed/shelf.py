"""Which installation a path leads to: what uses the store's interpreters is found by its paths.

Only looks; an interpreter that isn't in this store is nobody's business here.
"""

from __future__ import annotations

import os
import sys

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.pythons.installed.store import Installation
    from bubble.system.layout import Layout

_STEPS = 40  # links to an interpreter, as the kernel's own limit


class Place(Record):
    """An installation by its full key, and the minor link by which it was reached, or ""."""

    key: str
    link: str = ""


class Shelf:
    """The installations of one store, as they are found by paths."""

    def __init__(self, layout: Layout) -> None:
        self._root = layout.pythons
        try:
            self._names = set(os.listdir(self._root))
        except OSError:
            self._names = set()

    def holding(self, path: str) -> Place | None:
        """Return the installation that an absolute path leads into, however the store is named."""
        return self._named(path) or self._named(os.path.realpath(path))

    def under(self, python: str) -> Place | None:
        """Return the installation that an interpreter (absolute) stands on: a venv's, by its home.

        Where both are on the way, the minor link counts: by it, the interpreter goes on with
        another patch release.
        """
        found = [place for path in self._ways(python) if (place := self.holding(path))]
        return next((place for place in found if place.link), found[0] if found else None)

    def _named(self, path: str) -> Place | None:
        parts = path.split("/")
        for number, name in enumerate(parts):
            if name in self._names and self._is_root("/".join(parts[:number])):
                link = f"{self._root}/{name}"
                if os.path.islink(link):
                    return Place(key=os.path.basename(os.path.realpath(link)), link=name)
                return Place(key=name)
        return None

    def _is_root(self, directory: str) -> bool:
        try:
            return directory == self._root or os.path.samefile(directory, self._root)
        except OSError:
            return False

    def _ways(self, python: str) -> Iterator[str]:
        home = home_of(os.path.dirname(os.path.dirname(python)))
        if home:
            yield home
        step = python
        for _ in range(_STEPS):
            yield step
            try:
                step = os.path.join(os.path.dirname(step), os.readlink(step))
            except OSError:
                return


def home_of(environment: str) -> str:
    """Return the `home` of an environment's pyvenv.cfg (PEP 405), or ""."""
    try:
        text = read_text(f"{environment}/pyvenv.cfg", 1 << 16) or ""
    except OSError:
        return ""
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip().lower() == "home":
            return value.strip()
    return ""


def runs_bubble(installation: Installation, layout: Layout) -> bool:
    """Whether this process, bubble itself, runs on an installation."""
    shelf = Shelf(layout)
    ways = (sys.base_prefix, sys.executable, os.path.realpath("/proc/self/exe"))
    places = [shelf.holding(ways[0]), shelf.under(ways[1]), shelf.holding(ways[2])]
    return any(place and place.key == str(installation.key) for place in places)


def require_not_bubbles(installation: Installation, layout: Layout) -> None:
    """Raise BubbleError(in_use) for the Python that bubble itself runs on: never to be removed."""
    if runs_bubble(installation, layout):
        raise BubbleError(
            "in_use",
            f"{installation.key.name} is the Python that bubble itself runs on ({sys.executable}),"
            " so it stays",
            hint="put bubble on another Python first, and let that one remove it",
            details={"used_by": [sys.executable]},
        )
