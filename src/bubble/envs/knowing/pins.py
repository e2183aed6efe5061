"""Which version files name an environment: as far as bubble knows of directories, and no further.

It knows the working directory and those above it, those that have a memo, and those that have an
environment of their own. Other files may name it as well; nothing on a disk is searched.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.selection.known import known_directories
from bubble.selection.registry import environments
from bubble.selection.sources import READERS, VARIABLE
from bubble.system.directory import upwards
from bubble.system.version_file import read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubble.selection.resolve import World
    from bubble.system.version_file import Entry

    Read = Callable[[str], tuple[Entry, ...] | None]


class Pin(Record):
    """What names an environment: a file (absolute) or a variable, and all that it says."""

    where: str
    texts: tuple[str, ...]


def pins_of(name: str, world: World) -> tuple[Pin, ...]:
    """Return what is known to ask for the environment called `name`, the nearest first.

    What can't be read names nothing. Raises BubbleError(store) and OSError.
    """
    layout = world.layout
    projects = [e.project for e in environments(layout) if e.project]
    others = known_directories(layout)
    found = list(_variable(name, world))
    for directory in dict.fromkeys([*upwards(world.cwd), *sorted({*projects, *others})]):
        for file, read in READERS[:-1]:  # a `requires-python` names no environment
            found += _naming(name, f"{directory.rstrip('/')}/{file}", read)
    return (*found, *_naming(name, layout.global_pin, read_python_version))


def mending(pin: Pin, old: str, new: str, world: World) -> str:
    """Return what to do about a pin once `old` is called `new`: a command, or a sentence."""
    texts = " ".join(new if text == old else text for text in pin.texts)
    directory, file = os.path.split(pin.where)
    if pin.where == VARIABLE:
        return f"bubble shell {texts}"
    if pin.where == world.layout.global_pin:
        return f"bubble use --global {texts}"
    if file != ".python-version":
        return f"write {new} there"
    return f"bubble use {texts}" if directory == world.cwd else f"there, bubble use {texts}"


def _variable(name: str, world: World) -> Iterator[Pin]:
    texts = tuple(text.strip() for text in world.env.get(VARIABLE, "").split(":"))
    if name in texts:
        yield Pin(where=VARIABLE, texts=texts)


def _naming(name: str, path: str, read: Read) -> Iterator[Pin]:
    try:
        texts = tuple(entry.text for entry in read(path) or ())
    except BubbleError:
        return
    if name in texts:
        yield Pin(where=path, texts=texts)
