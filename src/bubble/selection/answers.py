"""What one entry of a source answers: an installation, an environment, or the system."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.name import is_name
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons.installed import meanings, store
from bubble.selection import registry
from bubble.selection.belonging import inside, key_of, not_itself, registered, satisfies
from bubble.selection.identity import is_registered
from bubble.selection.sources import PYPROJECT, in_directory, pin_above
from bubble.system.machine import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.request import Request
    from bubble.selection.sources import Choice, Source
    from bubble.system.layout import Layout
    from bubble.system.version_file import Entry

SYSTEM = "system"
# what pyenv's names of other distributions begin with
ONLY_PYENVS = (
    "activepython-", "anaconda", "cinder-", "graalpy-community-", "graalpython-", "ironpython-",
    "jython-", "mambaforge", "micropython-", "miniconda", "miniforge", "nogil-", "pyston-",
    "stackless-",
)  # fmt: skip


class Answer(Record):
    """One selected Python: `prefix` (absolute), or SYSTEM for what PATH has; `name` for people.

    `key` is the installation's full key, None for what isn't in the store. `word` is what stands
    for it in a memo: a prefix, `@` and the request that the store answers, or SYSTEM.
    """

    prefix: str
    name: str
    entry: Entry | None = None
    key: str | None = None
    word: str = SYSTEM
    environment: registry.Environment | None = None

    @property
    def is_system(self) -> bool:
        """Whether it stands for the first one on PATH that is no shim."""
        return self.prefix == SYSTEM


class World(Machine):
    """What a selection depends on: the machine, and the directory (absolute) that one works in."""

    cwd: str


def answer_of(entry: Entry, source: Source, world: World) -> Answer | None:
    """Return what an entry of a source selects; None when it isn't there.

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
        return _named_answer(request, entry, world)
    text = meant(entry, source, world)
    found = store.handed(text, world.layout, world.platform)
    if found is None:
        return None
    key, prefix = found[0].key, found[1]
    return Answer(
        prefix=prefix,
        name=key.name,
        entry=entry,
        key=str(key),
        word=word_of(text),
    )


def meant(entry: Entry, source: Source, world: World) -> str:
    """Return the request of an entry as the store answers it: `>=3.9^3.12` with the pin above.

    A range of `pyproject.toml` says what a project can take; which of these, the nearest version
    file above or the global pin says, if it names one that is in the range.
    """
    if source.file_name != PYPROJECT:
        return entry.text
    try:
        above = pin_above(source.directory, world.layout)
    except BubbleError:
        return entry.text
    pins = [e.text for e in (above.entries if above else ()) if _is_pin(e)]
    return "^".join([entry.text, *pins])


def _is_pin(entry: Entry) -> bool:
    try:
        return parse_request(entry.text).is_python
    except BubbleError:
        return False


def word_of(text: str) -> str:
    """Return the word for a request that the store answers, or "" where no memo can say it."""
    name = meanings.file_name(text)
    return f"@{name}" if name else ""


def _project_answer(entry: Entry, source: Source, world: World) -> Answer:
    """Answer with a directory's registered environment, if it is what the directory asks for."""
    environment = registered(world.layout, source.path)
    assert environment is not None
    answer = _environment_answer(environment, entry, inside(source.path), world)
    asked = _misfit(environment, source.path, world)
    if asked is None:
        return answer
    key = key_of(environment, world.layout, world.platform)
    texts = [printable(e.text) for e in asked.entries] or [SYSTEM]
    wanted = ", ".join(f"“{text}”" for text in texts[:3])
    raise BubbleError(
        "environment",
        f"{printable(environment.path, 500)} has {key.name if key else 'another Python'}, and "
        f"{asked.source} asks for {wanted}",
        hint=_mend(environment, asked, world),
        details={"environment": environment.path, "source": str(asked.source)},
    )


def misfit(environment: registry.Environment, world: World) -> Choice | None:
    """Return what the files of an environment's directory ask for, if it is something else.

    Raises BubbleError(version_file, request) where they can't be read.
    """
    return _misfit(environment, environment.project, world) if environment.project else None


def _misfit(environment: registry.Environment, directory: str, world: World) -> Choice | None:
    asked = next(in_directory(directory), None)
    return asked if asked and not fits(environment, asked, world) else None


def fits(environment: registry.Environment, asked: Choice, world: World) -> bool:
    """Whether an environment's interpreter satisfies what the files of its directory ask for."""
    for entry in asked.entries:
        request = request_of(entry, asked.source)
        if request.kind == "name":
            named = registry.called(world.layout, request.text)
            if named is not None and named.path == environment.path:
                return True
        elif request.is_python and satisfies(environment, request, world.layout, world.platform):
            return True
    return False


def _mend(environment: registry.Environment, asked: Choice, world: World) -> str:
    """Return the next step that gives an environment another interpreter and keeps its packages."""
    place = asked.source.directory
    if not environment.project or not os.path.samefile(environment.project, place):
        return f"ask for the Python that it has, or remove the link to it: {inside(place)}"
    if environment.maker != "bubble":
        return f"make it again with {environment.maker}, for the version that is asked for"
    for entry in asked.entries:
        request = request_of(entry, asked.source)
        if not request.is_python:
            continue
        if store.matching(world.layout, request, world.platform):
            return "give it that Python; its packages are kept: bubble repair"
        return f"bubble python install {quoted(entry.text)}, then: bubble repair"
    key = key_of(environment, world.layout, world.platform)
    how = f" (bubble use {key.minor})" if key else ""
    return f"ask for the Python that it has{how}, or throw it away: bubble remove .venv"


def _named_answer(request: Request, entry: Entry, world: World) -> Answer | None:
    environment = registry.called(world.layout, request.text)
    return _environment_answer(environment, entry, environment.path, world) if environment else None


def unknown_name(entry: Entry, source: Source, request: Request, world: World) -> BubbleError:
    """Return the error for a name that no environment has."""
    if request.text.startswith(ONLY_PYENVS):
        return BubbleError(
            "request",
            f"{where(source, entry)} names “{request}”, which pyenv installs and bubble doesn't: "
            "bubble has CPython, PyPy and GraalPy",
            hint="see which there are: bubble python list",
        )
    return BubbleError(
        "request",
        f"{where(source, entry)} names “{request}”, which is no Python version and no "
        "environment that is known here",
        hint=f"make it: bubble create {quoted(request.text)} -p {an_installed(world)}; "
        "those that there are: bubble list",
    )


def _environment_answer(
    environment: registry.Environment, entry: Entry, place: str, world: World
) -> Answer:
    require_whole(environment, world.layout, place)
    path, title = environment.path, printable(environment.title, 500)
    return Answer(prefix=path, name=title, entry=entry, word=path, environment=environment)


def require_whole(environment: registry.Environment, layout: Layout, place: str = "") -> None:
    """Raise BubbleError(environment) unless what lies at its path is a registered environment.

    `place` is where it was found (absolute), if that was by another spelling of its path.
    """
    title, word = printable(environment.title, 500), quoted(environment.title)
    path = environment.path
    if not is_command(f"{path}/bin/python"):
        require_open(f"{path}/bin/python", f"the environment {title}")
    if layout.is_beneath(path):
        if is_command(f"{path}/bin/python") and is_registered(environment, layout.holding(path)):
            return
        fault = f"of the system's store, {printable(layout.system, 500)}, is not whole"
        hint = f"tell whoever looks after this machine, or make your own: bubble create {word}"
    elif not os.path.isdir(path):
        fault = "is gone"
        hint = f"bubble repair . where it is now, or forget it: bubble remove {word}"
    elif not is_registered(environment, layout):
        raise not_itself(environment, layout)
    elif not is_command(f"{path}/bin/python"):
        fault, hint = "has lost its interpreter", f"bubble repair {word}"
    elif place and not os.path.samefile(path, place):
        fault = f"is registered for this directory, and {printable(place, 500)} is another one"
        hint = f"move that away; if you know it and trust it: bubble adopt {quoted(place)}"
    else:
        return
    raise BubbleError("environment", f"the environment {title} {fault}", hint=hint)


def require_open(path: str, title: str) -> None:
    """Raise BubbleError(permission) where what `title` names is closed to this user at `path`."""
    from bubble.system.gone import barred

    if closed := barred(path):
        raise BubbleError(
            "permission",
            f"{title} can't be used: this user may not look into {printable(closed, 500)}",
            hint=f"who owns it can open it: ls -ld {quoted(closed)}",
        )


def request_of(entry: Entry, source: Source) -> Request:
    """Return an entry's request; its error says which file and line it stands in."""
    text = entry.text
    version, middle, name = text.partition("/envs/")
    if middle and version[:1].isalnum() and "/" not in version and is_name(name):
        text = name  # what pyenv-virtualenv writes for an environment: `3.12.1/envs/site`
    try:
        return parse_request(text)
    except BubbleError as error:
        hint = error.hint
        if source.file_name and " " in text:
            hint = f"one request on a line, and what else is to stand there behind a #; {hint}"
        raise BubbleError(
            error.kind, f"{where(source, entry)}: {error.message}", hint=hint
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
    for installation in store.usable(world.layout):
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
