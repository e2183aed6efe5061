"""What becomes of a command where the user's configuration file can't be used.

What changes something stops: it would be done elsewhere, or from elsewhere, than the user has
written. What only looks or runs goes on as if the file weren't there, with a word to whoever sits
at the terminal: a slip in it must not take `python` away.
"""

from __future__ import annotations

import os

from bubble.cli.configuration import NOTHING, Configuration, read
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.cli.output import Output

_BECOMES = {"shim-fallback", "run", "exec"}  # stderr is the program's, unless it is a terminal
_TOLD = {"config list", "config get", "config set", "config unset", "doctor"}  # by themselves
_CHANGES_A_PROJECT = {"lock", "new", "self update"}


def configured(
    words: str, arguments: Sequence[str], env: Mapping[str, str], output: Output
) -> Configuration:
    """Return what the file says, for the command `words`. Raises BubbleError(configuration)."""
    from bubble.cli.root import changes

    quiet = words in _TOLD or (words in _BECOMES and not os.isatty(2))
    try:
        found = read(env)
    except BubbleError as error:
        if words in _CHANGES_A_PROJECT or (changes(words, arguments) and words != "doctor"):
            raise
        if not quiet:
            output.warn(f"{error.message}; the whole file is passed over")
        return NOTHING
    if not quiet:
        for text in found.unknown:
            output.warn(text)
    return found
