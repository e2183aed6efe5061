"""Whether an installer that ended well has installed what was asked of it.

A wrapper, a configuration that sends packages elsewhere, something that only pretends to be the
installer: they all end with success. What is asked by name must be there by that name.
"""

from __future__ import annotations

import os
import re

from bubble.envs.exchange.export import distributions
from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# a requirement by name (PEP 508): extras, then a version, a URL, or nothing more
_NAMED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:[<>=!~(@\\#].*)?")
_ARCHIVES = (".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz", ".tar", ".txt")


def require_installed(root: str, arguments: Sequence[str], cwd: str, installer: str) -> None:
    """Raise BubbleError(download) unless what `arguments` name is in the environment at `root`.

    `arguments` are requirements and `-r FILE`, read from the absolute directory `cwd`. What may
    rightly not be there isn't missed: what a marker may leave out, and paths, URLs and options.
    """
    wanted = {canonical_name(name): name for name in _names(arguments, cwd)}
    there = {distribution.canonical for distribution in distributions(root)}
    missing = [name for canonical, name in wanted.items() if canonical not in there]
    if missing and not _sees_more(root):
        shown = ", ".join(printable(name, 80) for name in missing[:5])
        raise BubbleError(
            "download",
            f"{installer} ended as if all were well, and {shown} "
            f"{'is' if len(missing) == 1 else 'are'} not in the environment",
            hint="look what sends packages elsewhere: a wrapper, a configuration file"
            + (" (pip config debug)" if installer == "pip" else "; or take pip: --installer pip"),
        )


def _names(arguments: Sequence[str], cwd: str) -> Iterator[str]:
    words = iter(arguments)
    for word in words:
        if word == "-r":
            path = os.path.join(cwd, next(words))
            text = read_text(path, 1 << 24) or ""
            lines = _dependencies(text) if path.endswith(".toml") else text.splitlines()
            for line in lines:
                yield from _name(line, cwd)
        else:
            yield from _name(word, cwd)


def _dependencies(text: str) -> list[str]:
    """Return what a `pyproject.toml` needs without saying so dynamically; none of other files."""
    import tomllib

    try:
        found = tomllib.loads(text).get("project", {}).get("dependencies", [])
    except (ValueError, AttributeError, RecursionError):
        return []  # whoever installed it has read it otherwise
    return [item for item in found if isinstance(item, str)]


def _name(requirement: str, cwd: str) -> Iterator[str]:
    found = None if ";" in requirement else _NAMED.fullmatch(requirement.partition(" --")[0])
    if found:
        name = found[1]
        if not (name.endswith(_ARCHIVES) or os.path.exists(os.path.join(cwd, name))):
            yield name


def _sees_more(root: str) -> bool:
    """Whether the interpreter's own packages count: what is there already isn't installed again."""
    text = (read_text(f"{root}/pyvenv.cfg") or "").lower().replace(" ", "")
    return "include-system-site-packages=true" in text.splitlines()
