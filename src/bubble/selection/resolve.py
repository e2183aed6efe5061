"""The authority: which interpreters the working directory selects.

The shim recognises this module's answers and never decides by itself.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons.installed import store
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
from bubble.selection.sources import candidates, choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.request import Request
    from bubble.selection.sources import Choice, Source
    from bubble.system.version_file import Entry

# what callers need to ask and to read the answer, in one place
__all__ = ["SYSTEM", "Answer", "Selection", "World", "is_command", "select"]

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


def not_installed(entry: Entry, source: Source) -> BubbleError:
    """Return the error for what one of several entries asks for, and no installation satisfies."""
    text = printable(entry.text)
    return BubbleError(
        "not_installed",
        f"{where(source, entry)} asks for Python “{text}”, which isn't installed",
        hint=f"bubble python install {quoted(text)}",
        details={"source": str(source)},
    )


def _not_there(choice: Choice, world: World) -> BubbleError:
    """Return the error for a source of which nothing is there."""
    for entry in choice.entries:
        request = request_of(entry, choice.source)
        if request.kind == "name":
            return unknown_name(entry, choice.source, request, world)
    return _not_installed(choice, world)


def _not_installed(choice: Choice, world: World) -> BubbleError:
    texts = [printable(entry.text) for entry in choice.entries]
    wanted = ", ".join(f"“{text}”" for text in texts[:_SHOWN]) + (" …" if texts[_SHOWN:] else "")
    place = where(choice.source, choice.entries[0])
    have = [i.key.name for i in store.usable(world.layout)]
    shown = ", ".join(have[:_SHOWN]) + (" …" if have[_SHOWN:] else "")
    return BubbleError(
        "not_installed",
        f"{place} asks for Python {wanted}, and nothing installed satisfies that"
        + (f" (installed: {shown})" if have else ""),
        hint=f"bubble python install {quoted(texts[0])}",
        details={"source": str(choice.source), "installed": have},
    )
