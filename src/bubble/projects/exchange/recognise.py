"""Who reads a file of another tool, by what it is."""

from __future__ import annotations

import os

from bubble.envs.exchange import foreign
from bubble.model.errors import BubbleError
from bubble.model.requirement_text import decoded
from bubble.model.text import printable, shell_word
from bubble.projects.exchange.texts import LARGE, read_bytes, unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.projects.exchange.taken import Taken

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
        foreign.PIPFILE: pipfile.take_pipfile,
        foreign.PIPFILE_LOCK: pipfile.take_pipfile_lock,
        foreign.POETRY: poetry.take_lock,
        foreign.PDM: pdm.take_lock,
        foreign.UV: uv.take_lock,
        foreign.PYPROJECT: poetry.take_pyproject,
        foreign.ENVIRONMENT: conda.take_environment,
        foreign.LIST: conda.take_list,
        foreign.ARCHIVES: conda.take_list,
        foreign.REQUIREMENTS: requirements.take_requirements,
    }[kind]


def kind_of(path: str) -> str:
    """Return what kind of file it is; raise BubbleError(usage) for none that is taken over."""
    name = os.path.basename(path)
    kind = foreign.kind_by_name(name)
    if kind == foreign.PYLOCK:
        raise BubbleError(
            "usage",
            f"{printable(path, 500)} is a standard lock already",
            hint=f"bubble create -r {shell_word(path)}, or in its project: bubble sync --frozen",
        )
    if kind == foreign.SETUP:
        raise BubbleError(
            "usage",
            f"{printable(path, 500)} is a program's or a package's own, which isn't run here",
            hint="what it needs is read from pyproject.toml or requirements.txt: bubble sync",
        )
    kind = kind or foreign.kind_of(name, decoded(read_bytes(path, LARGE)[:_READ]))
    if kind == foreign.PYLOCK:
        raise unusable(
            path,
            "it is a standard lock under another name",
            "call it pylock.toml, or pylock.NAME.toml, then: bubble sync --frozen",
        )
    if kind == foreign.DATA:
        raise unusable(
            path,
            "it is of no kind that bubble knows",
            "requirements, an environment.yml, a Pipfile, a lock of pipenv, Poetry, PDM or uv are",
        )
    return kind
