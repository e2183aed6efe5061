"""Why this Python: every source that could have decided, the one that did, and the neighbours'."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.selection.path import identity, is_shim_directory
from bubble.selection.resolve import command_path, is_command, resolve
from bubble.selection.sources import READERS, VARIABLE, Source, choose, upwards
from bubble.system.version_file import read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.selection.resolve import Selection, World


class Considered(Record):
    """One source that is there: what it says, or `error`, why it can't be used.

    `verdict` is "wins", "overruled" or "says nothing".
    """

    source: Source
    texts: tuple[str, ...]
    verdict: str
    error: str = ""


class Explanation(Record):
    """The sources, highest first; what was selected, or why nothing was; what others would read.

    `command` is the path that the command runs, or ""; `path_notes` is what PATH makes of it.
    """

    considered: tuple[Considered, ...]
    selection: Selection | None
    error: BubbleError | None
    command: str
    path_notes: tuple[str, ...]
    others: dict[str, str]


def explain(name: str, world: World) -> Explanation:
    """Explain what `name` runs in the working directory."""
    selection: Selection | None = None
    error: BubbleError | None = None
    command = ""
    try:
        choice = choose(world.cwd, world.env, world.layout)
        selection = resolve(choice, world)
        command = command_path(name, selection, world)
    except BubbleError as caught:
        error = caught
    return Explanation(
        considered=tuple(_considered(world)),
        selection=selection,
        error=error,
        command=command,
        path_notes=tuple(_path_notes(name, world)),
        others=_others(world),
    )


def _considered(world: World) -> Iterator[Considered]:
    decided = False
    for source, texts, error in _everything(world):
        says = texts is not None or bool(error)
        verdict = ("overruled" if decided else "wins") if says else "says nothing"
        decided = decided or says
        yield Considered(source=source, texts=texts or (), verdict=verdict, error=error)


def _everything(world: World) -> Iterator[tuple[Source, tuple[str, ...] | None, str]]:
    """Yield each source that is there, what it says (None: nothing), and why it can't be read."""
    value = world.env.get(VARIABLE, "").strip()
    if value:
        yield Source(kind="variable"), (value,), ""
    for directory in upwards(world.cwd):
        for name, read in READERS:
            path = f"{directory.rstrip('/')}/{name}"
            if os.path.lexists(path):
                yield _reading(Source(kind="file", path=path), read)
    if os.path.lexists(world.layout.global_pin):
        yield _reading(Source(kind="global", path=world.layout.global_pin), read_python_version)
    yield Source(kind="default"), ("system",), ""


def _reading(source: Source, read: object) -> tuple[Source, tuple[str, ...] | None, str]:
    assert callable(read)
    try:
        entries = read(source.path)
    except BubbleError as error:
        return source, None, error.message
    return source, None if entries is None else tuple(e.text for e in entries) or ("system",), ""


def _path_notes(name: str, world: World) -> Iterator[str]:
    """Say where the shims are on PATH, and what comes before them."""
    shims = identity(world.layout.shims)
    before = ""
    for entry in world.env.get("PATH", "").split(":"):
        directory = entry.rstrip("/")
        if shims is not None and directory and identity(directory) == shims:
            if before:
                yield f"{before} comes before the shims on PATH and is what a shell runs"
            return
        if not before and os.path.isabs(directory) and is_command(f"{directory}/{name}"):
            before = f"{directory}/{name}"
            if is_shim_directory(directory):
                before += " (another manager's shim)"
    yield f"the shims are not on PATH: add {world.layout.shims} in front (bubble init --help)"


def _others(world: World) -> dict[str, str]:
    """Return what pyenv, uv and mise would take their choice from here."""
    answers = {"pyenv": world.env.get("PYENV_VERSION", ""), "uv": world.env.get("UV_PYTHON", "")}
    files = {
        "pyenv": (".python-version",),
        "uv": (".python-version", ".python-versions"),
        "mise": ("mise.toml", ".mise.toml", ".tool-versions", ".python-version"),
    }
    found: dict[str, str] = {}
    for tool, names in files.items():
        if answers.get(tool):
            found[tool] = f"its variable: {answers[tool]}"
            continue
        found[tool] = next(
            (
                path
                for directory in upwards(world.cwd)
                for name in names
                if os.path.isfile(path := f"{directory.rstrip('/')}/{name}")
            ),
            "its global setting",
        )
    return found
