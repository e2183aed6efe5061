"""Files that look like requirements to whoever types `-r`, and are something else.

They are known (`exchange.foreign`) before anything is made, and the error names the command that
takes them.
"""

from __future__ import annotations

import os
import re

from bubble.envs.exchange import foreign
from bubble.envs.exchange.pylock import is_lock
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCAL = re.compile(
    r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*@\s*file://(?:localhost)?(/[^\s;#]*)"
)
_DEBIANS = re.compile(r"^\s*pkg[-_.]resources\s*==\s*0\.0\.0\b", re.IGNORECASE)
_CONDA = (
    "let conda write its environment instead: conda env export --from-history "
    ">environment.yml; then: bubble import environment.yml"
)
_TAKE = "bubble import {name}"
# kind → what it is called, and the command that takes it
_OTHERS = {
    foreign.ENVIRONMENT: ("a conda environment", f"make a manifest of it: {_TAKE}"),
    foreign.PIPFILE_LOCK: ("pipenv's lock file", _TAKE),
    foreign.POETRY: ("poetry's lock", _TAKE),
    foreign.PDM: ("PDM's lock file", _TAKE),
    foreign.UV: ("uv's lock", _TAKE),
    foreign.PIPFILE: ("pipenv's Pipfile", _TAKE),
    foreign.PYPROJECT: (
        "a project",
        "what it needs: bubble sync; the project itself, too: bubble create -e .",
    ),
    foreign.SETUP: ("a project", "install it: bubble create -e ."),
    foreign.PYLOCK: (
        "a lock file under another name",
        "call it pylock.toml, or pylock.NAME.toml",
    ),
    foreign.LIST: ("a list of conda's packages", _CONDA),
    foreign.ARCHIVES: ("a list of conda's archives", _CONDA),
}


def require_requirements(text: str, said: str, path: str) -> None:
    """Raise BubbleError(usage) unless a file may be requirements, or a lock that bubble takes.

    `said` is what the file is called to people, `path` its absolute path, "" where it has none.
    """
    name = os.path.basename(path)
    if is_lock(path):
        return
    if other := _OTHERS.get(foreign.kind_of(name, text)):
        from shlex import quote

        what, hint = other
        hint = hint.format(name=quote(name or "FILE"))
        raise BubbleError("usage", f"{said} isn't requirements: it is {what}", hint=hint)
    for number, line in enumerate(text.splitlines(), 1):
        for what, hint in _unusable(line, name or "FILE"):
            raise BubbleError("usage", f"{said}, line {number}: {what}", hint=hint)


def _unusable(line: str, name: str) -> Iterator[tuple[str, str]]:
    found = _LOCAL.match(line)
    if found and not os.path.exists(_path(found[2])):
        shown = printable(found[2])
        yield (
            f"{printable(found[1])} is asked for from {shown}, which isn't here: so writes conda",
            "freeze it by names and versions, there: pip list --format=freeze >requirements.txt",
        )
    if _DEBIANS.match(line):
        yield (
            "pkg-resources==0.0.0 is no package: an old Debian's pip wrote that",
            f"take the line out: sed -i '/^pkg.resources==0.0.0/d' {name}",
        )


def _path(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text)
