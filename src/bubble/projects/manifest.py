"""A project's manifest: which bubbles it has, and what each is to hold.

`[tool.bubble]` of `pyproject.toml`, or the same tables in `bubble.toml`. It is read, never run,
and decides nothing by itself: a command that somebody types acts on it.
"""

from __future__ import annotations

import os

from bubble.model.record import Record

DEFAULT = "default"
MANIFEST = "bubble.toml"
PYPROJECT = "pyproject.toml"
PLACES = ".venvs"  # below the root: every bubble but the default one


class Bubble(Record):
    """One environment of a project, with what it inherits by `extends` already in it.

    `python` is a request, "" for the one that the directory selects. `requirements`,
    `constraints` and `directories` are absolute paths, `dependencies` PEP 508 lines, `groups`
    names of PEP 735. `project` is "editable", "built" or "" (the project itself is left out;
    where a manifest wants its dependencies alone, they are among the lines, and `declared`, with
    the extras that they are of in `extras_declared`).
    `directories` are real paths below the root; of nested ones, the nearest counts. `only_locked`:
    nothing says what it is to have but its lock, which is taken as it is.
    """

    name: str
    python: str = ""
    requirements: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project: str = ""
    extras: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    extends: str = ""
    directories: tuple[str, ...] = ()
    kernel: bool = False
    only_locked: bool = False
    declared: tuple[str, ...] = ()
    extras_declared: tuple[str, ...] = ()


class Project(Record):
    """A directory with its bubbles.

    `root` is absolute and real, `manifest` the absolute path of the file that names the bubbles,
    "" where none does. `platforms` are the platforms to lock for, as they are written in keys,
    sorted; empty for the usual ones.
    """

    root: str
    manifest: str
    platforms: tuple[str, ...]
    bubbles: tuple[Bubble, ...]

    def path(self, bubble: Bubble) -> str:
        """Return the absolute path at which a bubble lies."""
        if bubble.name == DEFAULT:
            return f"{self.root}/.venv"
        return f"{self.root}/{PLACES}/{bubble.name}"

    def lock(self, bubble: Bubble) -> str:
        """Return the absolute path of a bubble's lock file (PEP 751's names)."""
        middle = "" if bubble.name == DEFAULT else f"{bubble.name}."
        return f"{self.root}/pylock.{middle}toml"

    @property
    def pyproject(self) -> str:
        """The absolute path of the project's `pyproject.toml`, which may not be there."""
        return os.path.join(self.root, PYPROJECT)
