"""Whether a directory is to have the environment that somebody is about to give it.

Its environment is the Python of everything below it. Whoever gives one to HOME, or one that isn't
what the directory's own files ask for, has to say that they mean it.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection.answers import fits, quoted, where
from bubble.selection.registry import Environment
from bubble.selection.sources import in_directory
from bubble.system.pyvenv_cfg import read_configuration, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.selection.resolve import World
    from bubble.selection.sources import Choice


def require_narrow(directory: str, env: Mapping[str, str], hint: str) -> None:
    """Raise BubbleError(usage) where all that a user has lies below `directory` (absolute)."""
    home = env.get("HOME", "")
    if directory != "/" and not (home and _same(directory, home)):
        return
    raise BubbleError(
        "usage",
        f"an environment of {printable(directory, 500)} would be the Python of every directory "
        "below it",
        hint=hint,
    )


def require_wanted(path: str, world: World) -> None:
    """Raise BubbleError(environment) unless the files of the directory of `path` want it.

    `path` is that directory's `.venv`, absolute. Raises BubbleError(version_file, request) where
    what they ask for can't be read.
    """
    choice = next(in_directory(os.path.dirname(path)), None)
    if choice is None or fits(Environment(path=path), choice, world):
        return
    configuration = read_configuration(path)
    shown = printable(path, 500)
    raise BubbleError(
        "environment",
        f"{shown} has Python {printable(version_of(configuration)) or '?'}, and {_asked(choice)}",
        hint=f"know it by a name alone: bubble adopt {quoted(shown)} --name NAME; or move it away, "
        "and make one that fits: bubble create",
    )


def _asked(choice: Choice) -> str:
    texts = ", ".join(f"“{printable(entry.text)}”" for entry in choice.entries[:3])
    place = where(choice.source, choice.entries[0]) if choice.entries else choice.source
    return f"{place} asks for {texts or 'the system'}"


def _same(first: str, second: str) -> bool:
    return os.path.realpath(first) == os.path.realpath(second)
