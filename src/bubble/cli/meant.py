"""What somebody who types `bubble create …` means, where the words could mean something else.

Names for packages, conda's `python=3.12`, HOME for a project, a Python that isn't there yet; and
what `--force` costs.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from bubble.cli.context import Context
    from bubble.pythons.installed.store import Installation
    from bubble.selection.resolve import World

_ANOTHER_TOOLS = {"venv", "env", "virtualenv"}  # what others call the directory of a project's own
_SHOWN = 5


def name_of(text: str) -> str:
    """Return a name that can be one; say where a Python or a package in its place belongs."""
    from bubble.model.name import require_name

    if text in _ANOTHER_TOOLS:
        raise BubbleError(
            "usage",
            f"“{text}” would be the name of an environment for the whole machine",
            hint="this project's own takes no name: bubble create",
        )
    try:
        return require_name(text) if text else ""
    except BubbleError as error:
        from shlex import quote

        from bubble.model.request import parse_request

        shown = quote(printable(text))
        if text[0].isalnum() and any(character in text for character in "=<>~!@[;"):
            package, equals, version = text.partition("=")
            if equals and version[:1].isdigit() and package.replace("-", "").isalnum():
                shown = quote(f"{package}=={printable(version)}.*")  # conda's numpy=1.26
            raise error.replace_hint(
                f"as a package for this project's: bubble create --with {shown}"
            ) from None
        if text[0] in ".~" or "/" in text:
            raise error.replace_hint(
                "a project's own takes no name; there: bubble create"
            ) from None
        try:
            is_python = parse_request(text).is_python
        except BubbleError:
            raise error from None
        if is_python:
            raise error.replace_hint(f"with that Python: bubble create -p {shown}") from None
        raise


def take_conda_words(options: Namespace, context: Context) -> None:
    """Take `python=3.12` among the words for `-p 3.12`, as conda spells it, and say so.

    Raises BubbleError(usage) where several Pythons are named.
    """
    words = [options.name, *options.packages, *options.extra]
    pythons = [word for word in words if word.replace(" ", "").startswith("python=")]
    if not pythons:
        return
    from shlex import quote

    word = printable(pythons[0])
    if "/" in options.python:
        raise BubbleError(
            "usage",
            "-p says which Python here; conda's -p is a place",
            hint=f"cd there, then: bubble create {quote(word)}",
        )
    if options.python or pythons[1:]:
        raise BubbleError(
            "usage",
            f"“{word}” is one Python too many: an environment has one",
            hint="say it once: -p VERSION",
        )
    options.python = pythons[0].replace(" ", "").removeprefix("python").lstrip("=")
    options.name = "" if options.name in pythons else options.name
    options.packages = [word for word in options.packages if word not in pythons]
    options.extra = [word for word in options.extra if word not in pythons]
    context.output.note(f"{word} is no package: it is taken as -p {printable(options.python)}")


def require_a_project(world: World) -> None:
    """Raise BubbleError(usage) in HOME and `/`, unless that was asked for."""
    from bubble.envs.making.wanted import require_narrow

    hint = "give it a name: bubble create NAME; or go to a project first; or say it: --here"
    require_narrow(world.cwd, world.env, hint)


def installation_of(
    options: Namespace, context: Context, world: World
) -> tuple[Installation, str, bool]:
    """Return the interpreter to use, the request it stands for, and whether that is exact.

    One that isn't installed is brought, if the user says so.
    """
    from bubble.cli.bringing import bring, may_bring
    from bubble.model.request import parse_request
    from bubble.pythons.installed import store

    asked = options.python
    if not asked:
        from bubble.selection.base import selected_request

        asked = selected_request(world)
    if not options.name:
        _require_no_other(world)
    request = parse_request(asked)
    if request.kind == "path" or not request.is_python:
        from bubble.selection.answers import an_installed

        line = " ".join(word for word in ("bubble create", printable(options.name)) if word)
        version = an_installed(world)
        raise BubbleError(
            "request",
            f"an environment is made against an installed Python, not “{request}”",
            hint=f"{line} -p {version}; for one of yours: bubble python adopt PATH",
        )
    if not store.matching(world.layout, request, world.platform) and may_bring(
        request, context, asked_for=options.install
    ):
        bring(request, context)
    try:
        installation = store.find(world.layout, request, world.platform)
    except BubbleError as error:
        if error.kind != "not_installed" or options.install or not options.python:
            raise
        raise error.replace_hint(f"{error.hint}; or the same line with --install") from None
    return installation, asked, request.is_exact


def _require_no_other(world: World) -> None:
    """Raise BubbleError(environment) where this directory's files name another environment.

    A `.venv` beside that would be refused by all that looks for a Python here.
    """
    from bubble.selection.answers import an_installed, quoted, request_of, where
    from bubble.selection.sources import in_directory

    choice = next(in_directory(world.cwd), None)
    for entry in choice.entries[:1] if choice else ():
        assert choice is not None
        request = request_of(entry, choice.source)
        if request.kind == "name":
            name = quoted(printable(request.text))
            raise BubbleError(
                "environment",
                f"{where(choice.source, entry)} gives this directory the environment {name}",
                hint=f"install into that: bubble run {name} pip install PACKAGE; for one of its "
                f"own: bubble use {an_installed(world)}, then bubble create",
            )


def to_be_lost(path: str, options: Namespace, context: Context) -> tuple[str, ...]:
    """Return what is installed in what `--force` throws away; on a terminal, ask before.

    Raises BubbleError(declined).
    """
    if not options.force or not os.path.isdir(path):
        return ()
    before = _requirements(path)
    if before:
        shown = f"{len(before)} package" + "s" * (len(before) > 1)
        context.require_agreement(
            f"this throws {printable(path, 500)} away, with {shown}", given=options.yes
        )
    return before


def what_was_lost(before: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Return the warning that names what an environment had, and the new one at `path` hasn't."""
    if not before:
        return ()
    now = {text.partition("==")[0] for text in _requirements(path)}
    gone = [text for text in before if text.partition("==")[0] not in now]
    if not gone:
        return ()
    more = f" and {len(gone) - _SHOWN} more" if gone[_SHOWN:] else ""
    return (f"not carried over from the old one: {', '.join(gone[:_SHOWN])}{more}",)


def other_meaning(options: Namespace, world: World) -> tuple[str, ...]:
    """Return a note where a package of this project may have been meant by a name."""
    name = options.name
    if not name or options.python or options.activate:
        return ()
    from bubble.selection.registry import of_directory

    known = of_directory(world.layout, world.cwd)
    how = f"bubble run .venv pip install {name}"
    if not known:
        from shlex import quote

        files = [w for file in options.requirements for w in ("-r", quote(printable(file)))]
        how = " ".join(["bubble create", *files, "--with", name])
    said = f"{name} will be an environment for the whole machine; if the package was meant"
    return (f"{said}: bubble remove {name}, then {how}",)


def _requirements(path: str) -> tuple[str, ...]:
    """Return what is installed in an environment, its pip left out."""
    from bubble.envs.exchange.export import distributions

    found = [d for d in distributions(path) if d.canonical != "pip"]
    return tuple(printable(d.requirement, 200) for d in found)
