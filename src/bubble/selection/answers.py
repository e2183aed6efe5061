"""What one entry of a source answers: an installation, an environment, or the system."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons import store
from bubble.selection import registry
from bubble.selection.sources import pin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.selection.sources import Source
    from bubble.system.layout import Layout
    from bubble.system.version_file import Entry

SYSTEM = "system"
# what pyenv's names of other distributions begin with
_ONLY_PYENVS = (
    "activepython-", "anaconda", "cinder-", "graalpy-community-", "graalpython-", "ironpython-",
    "jython-", "mambaforge", "micropython-", "miniconda", "miniforge", "nogil-", "pyston-",
    "stackless-",
)  # fmt: skip


class Answer(Record):
    """One selected Python: `prefix` (absolute), or SYSTEM for what PATH has; `name` for people.

    `key` is the installation's full key, None for what isn't in the store.
    """

    prefix: str
    name: str
    entry: Entry | None = None
    key: str | None = None

    @property
    def is_system(self) -> bool:
        """Whether it stands for the first one on PATH that is no shim."""
        return self.prefix == SYSTEM


class World(Record):
    """What a selection depends on."""

    cwd: str
    env: Mapping[str, str]
    layout: Layout
    platform: Platform


def answer_of(entry: Entry, source: Source, world: World) -> Answer | None:
    """Return what an entry of a source selects; None when it isn't installed.

    Raises BubbleError: request or version_file (it names what it must not), environment (the one
    that it names isn't what it was), not_installed (a path with no interpreter).
    """
    if source.kind == "environment":
        return _project_answer(entry, source, world)
    request = request_of(entry, source)
    if request.kind == "system":
        return Answer(prefix=SYSTEM, name=SYSTEM, entry=entry)
    if request.kind == "path":
        return _path_answer(entry, source)
    if request.kind == "name":
        return _named_answer(request, entry, source, world)
    for installation in store.matching(world.layout, request, world.platform):
        key = installation.key
        return Answer(prefix=installation.prefix, name=key.name, entry=entry, key=str(key))
    return None


def _project_answer(entry: Entry, source: Source, world: World) -> Answer:
    """Answer with a directory's registered environment, if it still is what it was made as."""
    environment = registry.of_directory(world.layout, source.path)
    assert environment is not None
    pin = pin_of(source.path)
    if environment.maker == "bubble" and pin != environment.pin:
        was = printable(environment.pin) or "nothing was pinned"
        raise BubbleError(
            "environment",
            f"{printable(environment.path, 500)} was made when {was}; now it is "
            f"{printable(pin) or 'nothing'}",
            hint="make it anew: bubble create --force; or throw it away: bubble remove .venv",
        )
    return _environment_answer(environment, entry)


def _named_answer(request: Request, entry: Entry, source: Source, world: World) -> Answer:
    environment = registry.of_name(world.layout, request.text)
    if environment is None and request.text.startswith(_ONLY_PYENVS):
        raise BubbleError(
            "request",
            f"{where(source, entry)} names “{request}”, which pyenv installs and bubble doesn't: "
            "bubble has CPython, PyPy and GraalPy",
            hint="see which there are: bubble python list",
        )
    if environment is None:
        raise BubbleError(
            "request",
            f"{where(source, entry)} names “{request}”, which is no Python version and no "
            "environment that is known here",
            hint=f"make it: bubble create {quoted(request.text)} -p {an_installed(world)}; "
            "those that there are: bubble list",
        )
    return _environment_answer(environment, entry)


def _environment_answer(environment: registry.Environment, entry: Entry) -> Answer:
    if not is_command(f"{environment.path}/bin/python"):
        title, word = printable(environment.title, 500), quoted(environment.title)
        if os.path.isdir(environment.path):
            fault, hint = "has lost its interpreter", f"bubble repair {word}"
        else:
            fault = "is gone"
            hint = f"run bubble repair where it is now, or forget it: bubble remove {word}"
        raise BubbleError("environment", f"the environment {title} {fault}", hint=hint)
    return Answer(prefix=environment.path, name=printable(environment.title, 500), entry=entry)


def request_of(entry: Entry, source: Source) -> Request:
    """Return an entry's request; its error says which file and line it stands in."""
    try:
        return parse_request(entry.text)
    except BubbleError as error:
        raise BubbleError(
            error.kind, f"{where(source, entry)}: {error.message}", hint=error.hint
        ) from None


def _path_answer(entry: Entry, source: Source) -> Answer:
    """Take a path from this user's own shell; a file must not send anybody anywhere."""
    if source.kind not in {"variable", "option"}:
        raise BubbleError(
            "version_file",
            f"{where(source, entry)}: “{printable(entry.text)}” is a path, "
            "and a version file may only name versions",
            hint="make it known, then name its version: bubble python adopt PATH",
        )
    path = os.path.abspath(os.path.expanduser(entry.text))
    if is_command(path):
        path = os.path.dirname(os.path.dirname(path))
    if not is_command(f"{path}/bin/python"):
        raise BubbleError(
            "not_installed",
            f"{source}: there is no interpreter at {printable(entry.text)}",
            hint="give the path of an interpreter, or of the directory above its bin",
        )
    return Answer(prefix=path, name=printable(path), entry=entry)


def an_installed(world: World, otherwise: str = "3") -> str:
    """Return a version that a hint can name: the newest that is installed for this platform."""
    for installation in store.installations(world.layout):
        if installation.key.platform == world.platform:
            return installation.key.minor
    return otherwise


def is_command(path: str) -> bool:
    """Whether something that can be run lies at `path`."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def quoted(text: str) -> str:
    """Return a request as a shell takes it: `3.12`, but `'>=3.11'`."""
    import shlex

    return shlex.quote(text)


def where(source: Source, entry: Entry) -> str:
    """Return where an entry stands, for people."""
    return f"{source}, line {entry.line}" if entry.line else str(source)
