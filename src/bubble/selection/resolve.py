"""The authority: which interpreters the working directory selects, and what a command runs there.

The shim recognises this module's answers and never decides by itself.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons import store
from bubble.selection.answers import (
    SYSTEM,
    Answer,
    World,
    answer_of,
    is_command,
    meant,
    quoted,
    request_of,
    unknown_name,
    where,
    word_of,
)
from bubble.selection.belonging import environment_of
from bubble.selection.path import find_system
from bubble.selection.sources import candidates, choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.request import Request
    from bubble.selection.sources import Choice, Source
    from bubble.system.layout import Layout
    from bubble.system.version_file import Entry

# what callers need to ask and to read the answer, in one place
__all__ = ["SYSTEM", "Answer", "Selection", "World", "command_path", "is_command", "select"]

_SHOWN = 8  # of a list in a message


class Selection(Record):
    """What a directory selects: the answers in order, and the entries that nothing satisfies.

    There is at least one answer. `words` stand for all entries in a memo (`Answer.word`); of what
    is missing for the request that may be satisfied one day, or `?` and an environment's name.
    """

    source: Source
    answers: tuple[Answer, ...]
    missing: tuple[Entry, ...] = ()
    words: tuple[str, ...] = (SYSTEM,)


def select(world: World) -> Selection:
    """Return what the working directory selects.

    Raises BubbleError: version_file or request (the source can't be read, or names what it must
    not), not_installed (nothing that it asks for is installed). Never falls back to another
    Python than the ones that the source names.
    """
    return resolve(choose(world.cwd, world.env, world.layout), world)


def resolve(choice: Choice, world: World) -> Selection:
    """Return what one source selects; raises as `select`."""
    if not choice.entries:
        return Selection(source=choice.source, answers=(Answer(prefix=SYSTEM, name=SYSTEM),))
    answers: list[Answer] = []
    missing: list[Entry] = []
    words: list[str] = []
    for entry in choice.entries:
        answer = answer_of(entry, choice.source, world)
        if answer is None:
            missing.append(entry)
            words.append(_missing_word(entry, choice.source, world))
        else:
            answers.append(answer)
            words.append(answer.word)
    if not answers:
        raise _not_there(choice, world)
    return Selection(
        source=choice.source,
        answers=tuple(answers),
        missing=tuple(missing),
        words=tuple(words),
    )


def _missing_word(entry: Entry, source: Source, world: World) -> str:
    request = request_of(entry, source)
    if request.kind == "name":
        return f"?{request.text}"
    return word_of(meant(entry, source, world))


def requested(world: World) -> tuple[Source, tuple[Request, ...]]:
    """Return what the working directory asks for, installed or not; no requests: the system's.

    Of a directory with an environment that is what its files say, or else what the environment
    was made for; one that another tool made says nothing. Raises BubbleError(version_file,
    request) as `select` does.
    """
    choices = candidates(world.cwd, world.env, world.layout)
    choice = next(choices)
    while choice.source.kind == "environment":
        following = next(choices)
        environment = environment_of(world.layout, choice.source.path)
        request = environment.request if environment and environment.maker == "bubble" else ""
        if request and following.source.directory != choice.source.path:
            return choice.source, (parse_request(request),)
        choice = following
    return choice.source, tuple(request_of(entry, choice.source) for entry in choice.entries)


def command_path(name: str, selection: Selection, world: World) -> str:
    """Return the absolute path of what `name` runs; raises BubbleError(command_not_found).

    The first selected Python that has the command serves it. A command that no selected Python
    has, and that names no Python or pip itself, is the system's if the system has one.
    """
    for answer in selection.answers:
        if answer.is_system:
            path = find_system(name, world.env, world.layout)
        else:
            path = f"{answer.prefix}/bin/{name}"
            path = path if is_command(path) else ""
        if path:
            return path
    if not is_python_command(name):
        path = find_system(name, world.env, world.layout)
        if path:
            return path
    raise not_found(name, selection, world)


def require_name(name: str) -> str:
    """Return a command's name; raise BubbleError(usage) for what can't be one."""
    if not name or "/" in name or "\0" in name or name in {".", ".."}:
        raise BubbleError(
            "usage",
            f"“{printable(name)}” is no command's name",
            hint="give the name alone, such as python or pip",
        )
    return name


def not_installed(entry: Entry, source: Source) -> BubbleError:
    """Return the error for what one of several entries asks for, and no installation satisfies."""
    text = printable(entry.text)
    return BubbleError(
        "not_installed",
        f"{where(source, entry)} asks for Python “{text}”, which isn't installed",
        hint=f"bubble python install {quoted(text)}",
        details={"source": str(source)},
    )


def owners(name: str, layout: Layout) -> list[store.Installation]:
    """Return the installations that have a command, best first: plain CPythons, then the others."""
    found = [i for i in store.installations(layout) if is_command(f"{i.prefix}/bin/{name}")]
    found.sort(key=lambda i: i.key.variant != "" or i.key.version.is_prerelease)
    return found


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
    """Return the error for a command that the selection doesn't have, and who has it."""
    shown = printable(name, 100)
    have = [i.key.name for i in owners(name, world.layout)]
    if selection.source.kind == "default":
        message = f"{shown}: not found on PATH, and nothing here selects a Python"
    else:
        selected = ", ".join(answer.name for answer in selection.answers)
        message = f"{shown}: not found in {selected}, which {selection.source} selects"
    if have:
        return BubbleError(
            "command_not_found",
            f"{message} (it is in {', '.join(have[:_SHOWN])}{' …' if have[_SHOWN:] else ''})",
            hint=f"bubble use {have[0]}, or once: bubble exec -p {have[0]} {shown}",
            details={"command": shown, "found_in": have},
        )
    if is_python_command(name):
        hint = "see how the choice was made: bubble explain"
        if _names_a_version(name):
            hint = f"install it: bubble python install {name}"
    elif len(selection.answers) == 1 and os.path.isfile(
        f"{selection.answers[0].prefix}/pyvenv.cfg"
    ):
        hint = f"install it into that environment: pip install {shown}"
    else:  # not `pip install` into the interpreter, which EXTERNALLY-MANAGED refuses
        hint = f"install it into an environment: bubble create --with {shown}"
    return BubbleError("command_not_found", message, hint=hint, details={"command": shown})


def _names_a_version(name: str) -> bool:
    """Whether a command is called as a Python that can be asked for: `python3.8`, `pypy3.10`."""
    try:
        request = parse_request(name)
    except BubbleError:
        return False
    return request.kind == "version" and len(request.release) == 2 and not request.build


def _not_there(choice: Choice, world: World) -> BubbleError:
    """Return the error for a source of which nothing is there."""
    for entry in choice.entries:
        request = request_of(entry, choice.source)
        if request.kind == "name":
            return unknown_name(entry, choice.source, request)
    return _not_installed(choice, world)


def _not_installed(choice: Choice, world: World) -> BubbleError:
    texts = [printable(entry.text) for entry in choice.entries]
    wanted = ", ".join(f"“{text}”" for text in texts[:_SHOWN]) + (" …" if texts[_SHOWN:] else "")
    place = where(choice.source, choice.entries[0])
    have = [i.key.name for i in store.installations(world.layout)]
    shown = ", ".join(have[:_SHOWN]) + (" …" if have[_SHOWN:] else "")
    return BubbleError(
        "not_installed",
        f"{place} asks for Python {wanted}, and nothing installed satisfies that"
        + (f" (installed: {shown})" if have else ""),
        hint=f"bubble python install {quoted(texts[0])}",
        details={"source": str(choice.source), "installed": have},
    )
