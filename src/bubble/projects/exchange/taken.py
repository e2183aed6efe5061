"""What an import has understood of another tool's file: bubbles, pins, and what has no place.

Neutral between the tools: each reader makes it, and one writer writes it down.
"""

from __future__ import annotations

from types import MappingProxyType

from bubble.model.record import Record
from bubble.projects.manifest import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class File(Record):
    """One file of a distribution: its name, its hashes ("sha256:…"), and where it lies.

    `url` and `path` (relative to the project) are "" where the source doesn't say; `size` is in
    bytes, 0 where it isn't said.
    """

    name: str
    hashes: tuple[str, ...]
    url: str = ""
    path: str = ""
    size: int = 0


class Tree(Record):
    """What a pin comes from if not from an index.

    `kind` is "vcs", "directory" or "archive". `url` has no credentials; `path` is relative to the
    project. `system`, `revision` and `commit` are of version control, `hashes` of an archive.
    """

    kind: str
    url: str = ""
    path: str = ""
    system: str = ""
    revision: str = ""
    commit: str = ""
    subdirectory: str = ""
    editable: bool = False
    hashes: tuple[str, ...] = ()


class Pin(Record):
    """One distribution at one version, for where `marker` (PEP 508) holds.

    `name` is canonical. `hashes` are those of any of its files, where the source doesn't say
    which; `files` those that it names. `index` is the address that it is from, without
    credentials, "" for the usual one.
    """

    name: str
    version: str = ""
    extras: tuple[str, ...] = ()
    marker: str = ""
    requires_python: str = ""
    hashes: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    index: str = ""
    tree: Tree | None = None


class Left(Record):
    """What has no place in the result: what it is, its line (from 1; 0: none), and why not.

    `pinned` says that it is a pin, without which no lock is whole.
    """

    what: str
    why: str
    line: int = 0
    pinned: bool = False


class Held(Record):
    """One bubble, with the keys of a manifest, and what a lock of it pins.

    `lines` are requirements that no PEP 508 text can say (editables, options of an index): they
    go into a file of their own. `requirements` and `constraints` are relative to the project.
    """

    name: str = DEFAULT
    extends: str = ""
    dependencies: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project: str = ""
    extras: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()


class Taken(Record):
    """A file of another tool, understood.

    `kind` is what it is called, `python` a request ("" where it says nothing), `requires_python`
    what a lock is for. `left` has no counterpart, `notes` are what somebody should know. `asked`
    are the requirements of pyproject.toml by group, where that declares them.
    """

    kind: str
    python: str = ""
    requires_python: str = ""
    bubbles: tuple[Held, ...]
    left: tuple[Left, ...] = ()
    notes: tuple[str, ...] = ()
    asked: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def named(self, group: str) -> bool:
        """Whether a bubble names a group of pyproject.toml's."""
        return any(group in bubble.groups for bubble in self.bubbles)

    @property
    def is_locked(self) -> bool:
        """Whether the source pins what it has."""
        return any(bubble.pins for bubble in self.bubbles)
