"""The grammar of an environment's name.

A name is a single path component of ASCII letters, digits, `.`, `_` and `-`, at most 64 of them,
the first a letter. It can't be read as a Python (`python`, `pypy3.10`, `system`): a request or a
line of `.python-version` always means one thing.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.request import NAME_CHARACTERS, parse_request
from bubble.model.text import printable

LONGEST = 64


def is_name(text: str) -> bool:
    """Whether `text` can be the name of an environment."""
    if not (0 < len(text) <= LONGEST and text.isascii() and text[0].isalpha()):
        return False
    return NAME_CHARACTERS.issuperset(text) and parse_request(text).kind == "name"


def require_name(text: str) -> str:
    """Return `text` if it can be an environment's name; else raise BubbleError(usage)."""
    if is_name(text):
        return text
    raise BubbleError(
        "usage",
        f"“{printable(text, 80)}” can't be an environment's name{_reason(text)}",
        hint=f"a name starts with a letter and has letters, digits, . _ -, {LONGEST} at most",
    )


def _reason(text: str) -> str:
    if len(text) > LONGEST:
        return f": it has {len(text)} characters"
    if text and text[0].isalpha() and NAME_CHARACTERS.issuperset(text):
        return ": it means a Python"
    return ""
