"""The lines of the shells' start-up files that set pyenv up: for their owner to take out."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LIMIT = 1 << 20  # bytes of a start-up file; what is larger was written by no hand
_IN_HOME = (
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".kshrc",
)
_IN_CONFIG = (
    "fish/config.fish",
    "powershell/profile.ps1",
    "powershell/Microsoft.PowerShell_profile.ps1",
    "nushell/env.nu",
    "nushell/config.nu",
)


class Line(Record):
    """One line: of which file (absolute), its number from 1, and its text without the ends."""

    path: str
    number: int
    text: str


def setup_lines(env: Mapping[str, str]) -> tuple[Line, ...]:
    """Return every line that speaks of pyenv and isn't a comment; unreadable files have none."""
    return tuple(line for path in _files(env) for line in _lines(path))


def _files(env: Mapping[str, str]) -> Iterator[str]:
    home = env.get("HOME", "")
    if not os.path.isabs(home):
        return
    dotdir = env.get("ZDOTDIR", "")
    config = env.get("XDG_CONFIG_HOME", "")
    config = config if os.path.isabs(config) else f"{home}/.config"
    for name in _IN_HOME:
        yield f"{home}/{name}"
        if name.startswith(".z") and os.path.isabs(dotdir) and dotdir != home:
            yield f"{dotdir}/{name}"
    for name in _IN_CONFIG:
        yield f"{config}/{name}"
    snippets = f"{config}/fish/conf.d"
    try:
        names = sorted(os.listdir(snippets))
    except OSError:
        return
    for name in names:
        if name.endswith(".fish"):
            yield f"{snippets}/{name}"


def _lines(path: str) -> Iterator[Line]:
    try:
        data = read_regular(path, _LIMIT)
    except BubbleError:
        return
    text = (data or b"").decode("utf-8", "replace")
    for number, line in enumerate(text.split("\n"), 1):
        told = line.strip()
        if "pyenv" in told.lower() and not told.startswith("#"):
            yield Line(path=path, number=number, text=told)
