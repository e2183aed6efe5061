"""What bare requests mean now (`3.12` → a prefix), where the shim finds it.

`requests/now` is a link to the directory with the present meanings, one small file a request.
Whoever changes what is installed takes the link away first, and afterwards makes it lead to a new
directory: an answer that somebody had looked up before lands in the old one, which nobody reads.
Nothing is compared by time. Killed in between, there is no link: requests are looked up until the
next command that finds the store unlocked makes one. All of it is derived and deletable.
"""

from __future__ import annotations

import os

from bubble.system.files import link_atomic, read_text, unlink_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.system.layout import Layout

NOTHING = "-"  # the content for a request that nothing installed satisfies
# of a request that can be a file's name; `^` stands before a pin that a range prefers
CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@<>=!~,*:-^"
)
_LONGEST = 200
_NOW = "now"
_FORM = "2."  # begins an epoch's name: in older ones a minor meant a patch release, not its link


def file_name(text: str) -> str:
    """Return the file name of a request's text, "" where it can have none.

    Blanks mean nothing in a request.
    """
    name = "".join(text.split())
    fits = CHARACTERS.issuperset(name) and 0 < len(name) <= _LONGEST and name[0] != "."
    return name if fits and name != _NOW else ""


def epoch(layout: Layout) -> str:
    """Return the name of the directory that holds now, "" while what is installed changes.

    One that an older bubble began doesn't hold.
    """
    try:
        name = os.readlink(f"{layout.requests}/{_NOW}")
    except OSError:
        return ""
    return name if name.startswith(_FORM) else ""


def meaning(layout: Layout, name: str) -> str | None:
    """Return the prefix that is remembered for a request's file name; None for none.

    What is written is the key alone: a store that was moved or copied says where it is now.
    """
    text = read_text(f"{layout.requests}/{_NOW}/{name}", 1 << 14)
    if text is None or "/" in text:
        return None
    key = text.removesuffix("\n")
    return key if key == NOTHING else f"{layout.pythons}/{key}"


def remember(layout: Layout, when: str, name: str, prefix: str) -> None:
    """Write down what a request meant in the epoch `when`: a prefix (absolute) or NOTHING."""
    path = f"{layout.requests}/{when}/{name}"
    data = os.fsencode(f"{os.path.basename(prefix)}\n")
    if "\n" not in prefix and read_text(path, 1 << 14) != os.fsdecode(data):
        write_atomic(path, data)


def withhold(layout: Layout) -> tuple[str, ...]:
    """Take what is remembered from the shims, and return the requests' file names.

    The caller holds the store's lock.
    """
    when = epoch(layout)
    if not when:
        return ()
    unlink_quietly(f"{layout.requests}/{_NOW}")
    try:
        return tuple(n for n in os.listdir(f"{layout.requests}/{when}") if n[0] != ".")
    except OSError:
        return ()


def begin(layout: Layout, meanings: Mapping[str, str]) -> None:
    """Begin a new epoch with these meanings (file name → prefix); older ones are deleted.

    The caller holds the store's lock.
    """
    when = f"{_FORM}{os.urandom(8).hex()}"
    os.makedirs(f"{layout.requests}/{when}")
    for name, prefix in meanings.items():
        remember(layout, when, name, prefix)
    link_atomic(when, f"{layout.requests}/{_NOW}")
    for name in os.listdir(layout.requests):
        if name not in {when, _NOW}:
            _drop(f"{layout.requests}/{name}")


def _drop(path: str) -> None:
    """Delete an old epoch; a reader that writes into it meanwhile costs a look later."""
    if not os.path.isdir(path) or os.path.islink(path):
        unlink_quietly(path)
        return
    for name in os.listdir(path):
        unlink_quietly(f"{path}/{name}")
    try:
        os.rmdir(path)
    except OSError:
        pass
