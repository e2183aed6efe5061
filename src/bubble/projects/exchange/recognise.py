"""Which tool wrote a file: by its name, else by what stands in it."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.exchange.texts import LARGE, read_bytes, unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.projects.exchange.taken import Taken

# kinds, by the file's name in lower case
_NAMES = {
    "pipfile": "Pipfile",
    "pipfile.lock": "Pipfile.lock",
    "poetry.lock": "poetry.lock",
    "pdm.lock": "pdm.lock",
    "uv.lock": "uv.lock",
    "pyproject.toml": "pyproject.toml",
}
_CONDA = re.compile(rb"^(?:name|channels|dependencies|prefix)\s*:", re.MULTILINE)
_LISTED = re.compile(rb"^[\w.-]+=[^=\s]+=[^=\s]+\s*$", re.MULTILINE)
_READ = 1 << 16  # bytes within which a file shows what it is


def take(path: str, root: str) -> Taken:
    """Understand a file (absolute) of another tool, for the project at `root` (absolute, real).

    Nothing is run, fetched or written. Raises BubbleError(usage).
    """
    return _reader(kind_of(path))(path, root)


def _reader(kind: str) -> Callable[[str, str], Taken]:
    """Return who reads files of a kind."""
    from bubble.projects.exchange import conda, pdm, pipfile, poetry, requirements, uv

    return {
        "Pipfile": pipfile.take_pipfile,
        "Pipfile.lock": pipfile.take_pipfile_lock,
        "poetry.lock": poetry.take_lock,
        "pdm.lock": pdm.take_lock,
        "uv.lock": uv.take_lock,
        "pyproject.toml": poetry.take_pyproject,
        "environment.yml": conda.take_environment,
        "conda list": conda.take_list,
        "requirements": requirements.take_requirements,
    }[kind]


def kind_of(path: str) -> str:
    """Return what kind of file it is; raise BubbleError(usage) for none that is taken over."""
    name = os.path.basename(path).lower()
    if name in _NAMES:
        return _NAMES[name]
    if re.fullmatch(r"pylock\.(.+\.)?toml", name):
        raise BubbleError(
            "usage",
            f"{printable(path, 500)} is a standard lock already",
            hint=f"bubble create -r {printable(name, 80)}, or in its project: bubble sync --frozen",
        )
    if name in {"setup.py", "setup.cfg"}:
        raise BubbleError(
            "usage",
            f"{printable(path, 500)} is a program's or a package's own, which isn't run here",
            hint="what it needs is read from pyproject.toml or requirements.txt: bubble sync",
        )
    data = read_bytes(path, LARGE)[:_READ]
    if name.endswith((".yml", ".yaml")):
        return "environment.yml"
    if b"@EXPLICIT" in data or b"$ conda create --name" in data or _looks_listed(data):
        return "conda list"
    if _CONDA.search(data) and b"dependencies" in data:
        return "environment.yml"
    if data.lstrip()[:1] in {b"{", b"[", b"<"}:
        raise unusable(
            path,
            "it is of no kind that bubble knows",
            "requirements, an environment.yml, a Pipfile, a lock of pipenv, Poetry, PDM or uv are",
        )
    return "requirements"


def _looks_listed(data: bytes) -> bool:
    lines = [x for x in data.splitlines() if x.strip() and not x.lstrip().startswith((b"#", b"@"))]
    return bool(lines) and len(_LISTED.findall(data)) >= len(lines) * 0.8 > 0
