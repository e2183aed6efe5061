"""The environment that commands mean where none is named: the one that `python` is in, here.

The directory's selection decides, as it does for the shims: what BUBBLE_PYTHON or the nearest
directory's files name, and a directory's own `.venv`. Where a plain Python is selected, it is the
nearest environment above.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.locate import awaited, locate, of_path, unregistered
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection import worktree
from bubble.selection.answers import answer_of, request_of, unknown_name
from bubble.selection.belonging import inside, registered
from bubble.selection.registry import called
from bubble.selection.sources import Choice, Source, candidates, in_directory
from bubble.system.directory import upwards
from bubble.system.version_file import Entry, read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World


def located(text: str, world: World) -> Environment:
    """Return the environment that an ENV argument means: as `locate`, "" for the one here.

    Raises BubbleError(environment, request, version_file).
    """
    return locate(text, world.cwd, world.layout) if text else _here(world)


def selected_name(world: World) -> str:
    """Return the name or path of the environment that is selected here by its name, else "".

    A directory's own environment comes before what its files name, for who mends it.
    """
    found = _by_variable(world)
    for directory in upwards(world.cwd) if found is None else ():
        if os.path.lexists(inside(directory)):
            return ""
        if found := _by_files(directory, world):
            break
    found = found or _by_global_pin(world)
    return (found.name or found.path) if found else ""


def _here(world: World) -> Environment:
    if found := _by_variable(world):
        return found
    for directory in upwards(world.cwd):
        own = registered(world.layout, directory)
        named = _by_files(directory, world)
        if own is None and named is not None:
            return named
        if own is not None:
            if named is not None and named.path != own.path:
                source = Source(kind="environment", path=directory)
                answer_of(Entry(text=own.path, line=0), source, world)  # which refuses it
            return own
        place = inside(directory)
        if os.path.lexists(f"{place}/pyvenv.cfg"):
            if found := awaited(place, world.layout):
                return found
            raise unregistered(place, world.layout)
    if found := _by_global_pin(world):
        return found
    if alone := worktree.look(world.cwd, world.layout):
        hint = f"for the same one here: {alone.command}"
        raise BubbleError("environment", alone.said, hint=hint)
    raise BubbleError(
        "environment",
        f"no environment belongs to {printable(world.cwd) or 'this directory, which was deleted'}",
        hint="name one (bubble list shows them), or make one here: bubble create",
    )


def _by_variable(world: World) -> Environment | None:
    choice = next(candidates("", world.env, world.layout))
    return _named(choice, world) if choice.source.kind == "variable" else None


def _by_files(directory: str, world: World) -> Environment | None:
    choice = next(in_directory(directory), None)
    return _named(choice, world) if choice else None


def _by_global_pin(world: World) -> Environment | None:
    path = world.layout.global_pin
    entries = read_python_version(path)
    if not entries:
        return None
    return _named(Choice(source=Source(kind="global", path=path), entries=entries), world)


def _named(choice: Choice, world: World) -> Environment | None:
    """Return the environment that a source names first, None where that is a plain Python.

    Raises BubbleError(request, version_file) for what it must not say, or a name of nothing.
    """
    for entry in choice.entries[:1]:
        request = request_of(entry, choice.source)
        if request.kind == "name":
            found = called(world.layout, request.text)
            if found is None:
                raise unknown_name(entry, choice.source, request, world)
            return found
        if request.kind == "path" and choice.source.kind == "variable":
            path = os.path.abspath(os.path.expanduser(entry.text))
            if os.path.isfile(path):  # its interpreter, which may be given as well
                path = os.path.dirname(os.path.dirname(path))
            return of_path(path, world.layout)
    return None
