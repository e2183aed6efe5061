"""What a command's name runs, given what the working directory selects; and who else has it.

The rule, in order: the selected Pythons; the system, for what names no Python; for a name with a
version in it (`python3.11`), the newest installed Python of that version, before the system's where
nobody asks for anything; and where no directory and no shell asks for anything, the one named
environment or Python of this user's store that has it.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons.installed import store
from bubble.selection.answers import is_command, quoted
from bubble.selection.belonging import key_of
from bubble.selection.identity import is_itself
from bubble.selection.path import find_system
from bubble.selection.registry import of_commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.request import Request
    from bubble.selection.resolve import Selection, World
    from bubble.system.layout import Layout

_SHOWN = 8  # of a list in a message
_UNASKED = {"global", "default"}  # sources that no directory and no shell is


class Owner(Record):
    """Who has a command: an installation or an environment, `title` what people call it.

    `prefix` is absolute; `environment` says which of the two it is; `named` that it belongs to no
    directory.
    """

    title: str
    prefix: str
    environment: bool = False
    named: bool = True

    def path(self, name: str) -> str:
        """Return the absolute path of its command `name`."""
        return f"{self.prefix}/bin/{name}"

    def run(self, name: str) -> str:
        """Return the command line that runs its command `name` there."""
        how = f"run {quoted(self.title)}" if self.environment else f"exec -p {self.title}"
        return f"bubble {how} {quoted(name)}"


def command_path(name: str, selection: Selection, world: World) -> str:
    """Return the absolute path of what `name` runs; raises BubbleError(command_not_found).

    The first selected Python that has the command serves it. What none has comes from elsewhere by
    the rule above: no file of a directory has a say in that. Where nobody asks for anything, what
    is installed comes before the system's.
    """
    if selection.source.kind == "default" and (path := _installed(name, world)):
        return path
    for answer in selection.answers:
        if answer.is_system:
            path = find_system(name, world.env, world.layout)
        else:
            path = f"{answer.prefix}/bin/{name}"
            path = path if is_command(path) else ""
        if path:
            return path
    path = (
        _of_that_version(name, world)
        if is_python_command(name)
        else _of_others(name, selection, world)
    )
    if path:
        return path
    raise not_found(name, selection, world)


def _of_that_version(name: str, world: World) -> str:
    """Return the newest installed Python's `python3.11` or `pip3.11`: of 3.11, never another one.

    Where none is installed, an interpreter of that name that the system has is what was named.
    """
    path = _installed(name, world)
    request = None if path else _version_in(name)
    if request is None or name.startswith("pip"):
        return path
    found = store.matching(world.layout, request, world.platform)
    return "" if found else find_system(name, world.env, world.layout)


def _installed(name: str, world: World) -> str:
    """Return the command of a name with a version in it, of the newest installed that has it."""
    request = _version_in(name) if is_python_command(name) else None
    for installation in store.matching(world.layout, request, world.platform) if request else ():
        path = f"{store.standing(installation, exact=False)}/bin/{name}"
        if is_command(path):
            return path
    return ""


def _of_others(name: str, selection: Selection, world: World) -> str:
    """Return the system's, or where nothing here asks for a Python, that of the only owner."""
    path = find_system(name, world.env, world.layout)
    if path or selection.source.kind not in _UNASKED:
        return path
    have = [owner for owner in owners(name, world.layout) if owner.named]
    return have[0].path(name) if len(have) == 1 else ""


def require_name(name: str) -> str:
    """Return a command's name; raise BubbleError(usage) for what can't be one."""
    if not name or "/" in name or "\0" in name or name in {".", ".."}:
        raise BubbleError(
            "usage",
            f"“{printable(name)}” is no command's name",
            hint="give the name alone, such as python or pip",
        )
    return name


def owners(name: str, layout: Layout) -> list[Owner]:
    """Return who has a command: named environments, Pythons (plain ones first), projects' own.

    An environment counts only while what lies there is what was registered.
    """
    bubbles = [
        Owner(title=e.title, prefix=e.path, environment=True, named=bool(e.name))
        for e in of_commands(layout)
        if is_command(f"{e.path}/bin/{name}") and is_itself(e, layout.holding(e.path))
    ]
    pythons = [i for i in store.usable(layout) if is_command(f"{i.prefix}/bin/{name}")]
    pythons.sort(key=lambda i: i.key.variant != "" or i.key.version.is_prerelease)
    named = [owner for owner in bubbles if owner.named]
    rest = [owner for owner in bubbles if not owner.named]
    return [*named, *(Owner(title=i.key.name, prefix=i.prefix) for i in pythons), *rest]


def is_python_command(name: str) -> bool:
    """Whether a command names an interpreter or its pip: these never come from elsewhere.

    So do `python3.12-config` and `pip3`, but not `pipx` or `pip-audit`, which may be anybody's.
    """
    for stem in ("python", "pip", "pypy", "graalpy"):
        if name.startswith(stem):
            rest = name[len(stem) :]
            return not rest or rest[0] in "0123456789" or rest == "-config"
    return False


def not_found(name: str, selection: Selection, world: World) -> BubbleError:
    """Return the error for a command that the selection doesn't have: who has it, how to run it."""
    shown = printable(name, 100)
    have = owners(name, world.layout)
    own = selection.answers[0].environment
    if own is not None and (key := key_of(own, world.layout, world.platform)) is not None:
        have.sort(key=lambda owner: owner.title != key.name)  # what it was made of has it, too
    if selection.source.kind == "default":
        message = f"{shown}: not found on PATH, and nothing here selects a Python"
    else:
        selected = ", ".join(answer.name for answer in selection.answers)
        message = f"{shown}: not found in {selected}, which {selection.source} selects"
    if have:
        titles = [printable(owner.title, 500) for owner in have]
        return BubbleError(
            "command_not_found",
            f"{message} (it is in {', '.join(titles[:_SHOWN])}{' …' if titles[_SHOWN:] else ''})",
            hint=printable(have[0].run(name), 1000),
            details={"command": shown, "found_in": titles},
        )
    if is_python_command(name):
        hint = "see how the choice was made: bubble explain"
        if _version_in(name):
            version = printable(name.removeprefix("pip").partition("-")[0])
            hint = f"install it: bubble python install {version}"
    elif len(selection.answers) == 1 and os.path.isfile(
        f"{selection.answers[0].prefix}/pyvenv.cfg"
    ):
        hint = "install the package that has it into that environment: pip install PACKAGE"
    else:  # not `pip install` into the interpreter, which EXTERNALLY-MANAGED refuses
        hint = "install the package that has it into an environment: bubble create --with PACKAGE"
    return BubbleError("command_not_found", message, hint=hint, details={"command": shown})


def _version_in(name: str) -> Request | None:
    """Return the Python that a command's name asks for: of `python3.8`, `pip3.8`, `pypy3.10`."""
    text = name.partition("-")[0]
    if text.startswith("pip"):
        text = f"python{text[3:]}"
    try:
        request = parse_request(text)
    except BubbleError:
        return None
    named = request.kind == "version" and len(request.release) == 2 and not request.build
    return request if named else None
