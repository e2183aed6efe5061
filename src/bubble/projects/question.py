"""What a resolver is asked, and what its failing means: the same for uv and pip."""

from __future__ import annotations

import re

from bubble.envs.tools.access import MEND, is_refused
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, without_userinfo

LARGEST = 32 << 20  # bytes of a resolver's answer: what is left of it is a lock, of 16 at most
_QUERY = re.compile(r"(\w://[^\s`'\"?]*)\?[^\s`'\")]*")  # of a URL: it may be a token
# how uv and pip say that versions exclude each other, or that there is none
_UNFIT = (
    "no solution found", "resolutionimpossible", "no matching distribution",
    "could not find a version", "not found in the package registry", "was not found in",
    "conflicting dependencies", "unsatisfiable",
)  # fmt: skip
# what frames uv's messages
_FRAME = str.maketrans(dict.fromkeys("\u00d7╰─▶│├▲", " "))


class Question(Record):
    """What a resolver is asked.

    `root` is the project's absolute directory, which relative paths start from. `lines` are
    requirement lines, `arguments` `-r FILE`, `-c FILE`, `--group FILE:NAME`, and for uv, where
    FILE is a `pyproject.toml`, `--extra NAME`. `python` is the first
    version that counts (`3.12.4`, or `3.12`). `pins` are names and versions that stay where they
    can, `upgrade` names that may move. `alone`: nothing that the packages depend on.
    """

    root: str
    lines: tuple[str, ...]
    arguments: tuple[str, ...]
    python: str
    pins: tuple[tuple[str, str], ...] = ()
    upgrade: tuple[str, ...] = ()
    alone: bool = False


def write(path: str, text: str) -> None:
    """Write a file for a resolver, into a directory that is swept if this is killed."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def failed(tool: str, said: str) -> BubbleError:
    """Return the error of a resolver that failed, from its last lines."""
    lines = [" ".join(line.translate(_FRAME).split()) for line in said.splitlines()]
    clean = " ".join(without_userinfo(line) for line in lines if line)
    shown = printable(_QUERY.sub(r"\1", clean), 1500)
    lowered = shown.lower()
    if "no space left on device" in lowered:
        return BubbleError(
            "no_space",
            f"{tool} has no space left to work in: {shown}",
            hint="free some space, or set BUBBLE_HOME and the tool's cache to another disk",
        )
    if "network was disabled" in lowered or "network connectivity is disabled" in lowered:
        return BubbleError(
            "offline",
            f"{tool} needs the network, which is switched off: {shown}",
            hint="unset BUBBLE_OFFLINE, or UV_OFFLINE",
        )
    if is_refused(shown):
        return BubbleError("download", f"{tool} isn't let in by an index: {shown}", hint=MEND)
    if any(word in lowered for word in ("failed to fetch", "error sending request", "timed out")):
        return BubbleError(
            "download",
            f"{tool} can't ask the index: {shown}",
            hint="look at the network and at the index that is asked, and lock again",
        )
    what, hint = "failed", "mend what it names, and lock again"
    if "cannot be editable" in lowered:  # pip takes a checkout for editing, uv doesn't
        what = "locks no checkouts for editing"
        hint = "take the -e away there: the lock has the commit all the same"
    elif any(words in lowered for words in _UNFIT):
        what = "found no packages that fit"
        hint = "change what the manifest asks for, and lock again"
    return BubbleError("resolution", f"{tool} {what}: {shown}", hint=hint)
