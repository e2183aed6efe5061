"""Where a choice comes from: the variable, the directory's files, the global pin, the default.

Only reads and reports; what the requests mean is `selection.resolve`'s business.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.selection.belonging import environment_of
from bubble.system.directory import upwards
from bubble.system.version_file import (
    Entry,
    read_python_version,
    read_requires_python,
    read_tool_versions,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bubble.system.layout import Layout

VARIABLE = "BUBBLE_PYTHON"
PYPROJECT = "pyproject.toml"
# in one directory, highest first; the shim knows the same names in the same order
READERS: tuple[tuple[str, Callable[[str], tuple[Entry, ...] | None]], ...] = (
    (".python-version", read_python_version),
    (".python-versions", read_python_version),
    (".tool-versions", read_tool_versions),
    (PYPROJECT, read_requires_python),
)
PINS = READERS[:-1]  # what can name one version


class Source(Record):
    """What said it; `path` is the file's.

    `kind` is "option" (the command line), "variable", "environment" (the one registered for a
    directory; `path` is that directory's), "file", "global" or "default".
    """

    kind: str
    path: str = ""

    @property
    def directory(self) -> str:
        """The directory whose file said it, else ""."""
        if self.kind == "environment":
            return self.path
        return os.path.dirname(self.path) or "/" if self.kind == "file" else ""

    @property
    def file_name(self) -> str:
        """The name of the file that said it, else ""."""
        return os.path.basename(self.path) if self.kind in {"file", "global"} else ""

    def __str__(self) -> str:
        match self.kind:
            case "option":
                return "the command line"
            case "variable":
                return VARIABLE
            case "environment":
                return f"the environment of {printable(self.path, 500)}"
            case "file":
                return printable(self.path, 500)
            case "global":
                return f"the global pin ({printable(self.path, 500)})"
        return "the default"


class Choice(Record):
    """The entries that a source gave; none mean the system's Python."""

    source: Source
    entries: tuple[Entry, ...]


def choose(cwd: str, env: Mapping[str, str], layout: Layout) -> Choice:
    """Return the highest source that says anything for the absolute directory `cwd`.

    Raises BubbleError(version_file) when that source can't be read: another one is never used in
    its place.
    """
    return next(candidates(cwd, env, layout))


def option(text: str) -> Choice:
    """Return the choice that a request on the command line is."""
    return Choice(source=Source(kind="option"), entries=(Entry(text=text, line=0),))


def candidates(cwd: str, env: Mapping[str, str], layout: Layout) -> Iterator[Choice]:
    """Yield every source that says anything, highest first; the last one is the default."""
    value = env.get(VARIABLE, "").strip()
    if value:
        yield Choice(source=Source(kind="variable"), entries=_split(value))
    for directory in upwards(cwd):
        environment = environment_of(layout, directory)
        if environment is not None:
            entry = Entry(text=environment.path, line=0)
            yield Choice(source=Source(kind="environment", path=directory), entries=(entry,))
        yield from in_directory(directory)
    entries = read_python_version(layout.global_pin)
    if entries is not None:
        yield Choice(source=Source(kind="global", path=layout.global_pin), entries=entries)
    yield Choice(source=Source(kind="default"), entries=())


def in_directory(directory: str) -> Iterator[Choice]:
    """Yield what the files of one directory (absolute) say, highest first.

    A `pyproject.toml` is there for other things than choosing a Python: one that can't be
    understood says nothing (`unreadable` tells of it). The other files raise what is wrong.
    """
    for name, read in READERS:
        path = f"{directory.rstrip('/')}/{name}"
        try:
            entries = read(path)
        except BubbleError:
            if name != PYPROJECT:
                raise
            continue
        if entries is not None:
            yield Choice(source=Source(kind="file", path=path), entries=entries)


def unreadable(cwd: str, source: Source) -> tuple[str, ...]:
    """Return what is wrong with each `pyproject.toml` that was passed over up to the source's."""
    found = []
    for directory in upwards(cwd) if source.kind in {"file", "environment", "global"} else ():
        try:
            read_requires_python(f"{directory.rstrip('/')}/{PYPROJECT}")
        except BubbleError as error:
            found.append(error.message)
        if directory == source.directory:
            break
    return tuple(found)


def pin_above(directory: str, layout: Layout) -> Choice | None:
    """Return the nearest version file above a directory (absolute), or else the global pin.

    That is what a range in the directory prefers. Raises BubbleError(version_file).
    """
    for parent in upwards(os.path.dirname(directory)) if directory != "/" else ():
        for name, read in PINS:
            path = f"{parent.rstrip('/')}/{name}"
            entries = read(path)
            if entries is not None:
                return Choice(source=Source(kind="file", path=path), entries=entries)
    entries = read_python_version(layout.global_pin)
    if entries is None:
        return None
    return Choice(source=Source(kind="global", path=layout.global_pin), entries=entries)


def _split(value: str) -> tuple[Entry, ...]:
    """Read the variable: one request, or several with `:` between them, as pyenv has it."""
    if "/" in value:
        return (Entry(text=value, line=0),)
    return tuple(Entry(text=part.strip(), line=0) for part in value.split(":") if part.strip())
