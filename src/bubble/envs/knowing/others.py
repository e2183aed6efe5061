"""Environments that other tools made: found where such tools put them, without asking the tools.

Searched are directories that bubble knows, to a bounded depth, and the default places of pipx,
pre-commit, Poetry, Hatch, PDM, uv, virtualenvwrapper, Pipenv and pyenv-virtualenv (each tool's
documentation). What lies elsewhere isn't known: who throws away what is unused has to say so.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_IN_DIRECTORY = 3  # `.tox/py312` and `.nox/tests/3-12`, one more for a project in a project
_MOST = 2000  # directories that are looked at below one place, the shallow ones first
_NEVER = frozenset({"node_modules", ".git", ".hg", ".svn", "__pycache__", "site-packages"})
# variable or base directory, what is below it, how deep environments lie there
_PLACES = (
    ("PIPX_HOME", "", 2),
    ("DATA", "pipx", 2),
    ("HOME", ".local/pipx", 2),
    ("PRE_COMMIT_HOME", "", 2),
    ("CACHE", "pre-commit", 2),
    ("POETRY_VIRTUALENVS_PATH", "", 1),
    ("POETRY_CACHE_DIR", "virtualenvs", 1),
    ("CACHE", "pypoetry/virtualenvs", 1),
    ("DATA", "pypoetry", 1),
    ("HATCH_DATA_DIR", "env", 4),
    ("DATA", "hatch/env", 4),
    ("DATA", "pdm", 2),
    ("UV_TOOL_DIR", "", 1),
    ("DATA", "uv/tools", 1),
    ("CACHE", "uv", 2),
    ("WORKON_HOME", "", 1),
    ("DATA", "virtualenvs", 1),
    ("HOME", ".virtualenvs", 1),
    ("PYENV_ROOT", "versions", 3),
    ("HOME", ".pyenv/versions", 3),
    ("HOME", "", 2),
    ("ROOT", "opt", 2),
    ("ROOT", "srv", 2),
)


def environments_of_others(
    directories: Iterable[str], env: Mapping[str, str], skipping: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the paths (absolute) of virtual environments below known directories and tools' places.

    `skipping` are directories that aren't searched. An environment may come twice, and may be one
    of bubble's. What can't be read is passed over.
    """
    closed = frozenset(skipping)
    for root, depth in dict.fromkeys([*_places(env), *((d, _IN_DIRECTORY) for d in directories)]):
        yield from _below(root, depth, closed)


def _places(env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    home = env.get("HOME") or os.path.expanduser("~")
    bases = {
        "ROOT": ["/"],
        "HOME": [home],
        "DATA": [env.get("XDG_DATA_HOME") or f"{home}/.local/share"],
        "CACHE": [env.get("XDG_CACHE_HOME") or f"{home}/.cache"],
    }
    bases["DATA"].append(f"{home}/Library/Application Support")
    bases["CACHE"].append(f"{home}/Library/Caches")
    for base, below, depth in _PLACES:
        for directory in bases.get(base, [env.get(base, "")]):
            if os.path.isabs(directory):
                yield os.path.normpath(f"{directory}/{below}"), depth


def _below(root: str, depth: int, closed: frozenset[str]) -> Iterator[str]:
    level, looked = [root], 0
    for left in range(depth, -1, -1):
        following: list[str] = []
        for directory in level:
            if looked >= _MOST:
                return
            looked += 1
            if os.path.lexists(f"{directory}/pyvenv.cfg"):
                yield directory
            elif left:
                following += _directories(directory, closed)
        level = following


def _directories(directory: str, closed: frozenset[str]) -> list[str]:
    """Return the directories in one, and the links to environments."""
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name in _NEVER or entry.path in closed:
                    continue
                if entry.is_dir(follow_symlinks=False) or (
                    entry.is_symlink() and os.path.lexists(f"{entry.path}/pyvenv.cfg")
                ):
                    found.append(entry.path)
    except OSError:
        pass
    return sorted(found)
