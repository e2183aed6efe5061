"""What a `pyproject.toml` with `[project]` declares, as the tools do that lock it (uv, PDM).

Its dependencies and groups stay where they are; the manifest only names them.
"""

from __future__ import annotations

import os

from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.projects.exchange.taken import Held, Left, Taken
from bubble.projects.exchange.texts import SMALL, read_toml, string, strings, table, unusable
from bubble.projects.manifest import DEFAULT, PYPROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def declared(lock: str, root: str, defaults: Sequence[str] | None) -> Taken:
    """Return the bubbles of the project whose lock of another tool is at `lock` (absolute).

    `defaults` are the groups that the tool installs without being asked, None for uv's own rule:
    `default-groups`, else dev. Raises BubbleError(usage).
    """
    base = os.path.dirname(lock)
    path = f"{base}/{PYPROJECT}"
    if base != root or not os.path.isfile(path):
        raise unusable(
            lock,
            f"there is no {PYPROJECT} beside it in this directory, which says what is locked",
            "go to its directory, and import it there",
        )
    read = read_toml(path, SMALL)
    project = table(read.get("project"))
    if not project:
        raise unusable(path, "it has no [project]")
    tool = table(read.get("tool"))
    groups = table(read.get("dependency-groups"))
    old = _old_groups(tool)
    builds = "build-system" in read and table(tool.get("uv")).get("package", True) is not False
    dependencies = strings(project.get("dependencies"))
    if defaults is None:
        said = table(tool.get("uv")).get("default-groups", ["dev"])
        defaults = list(groups) if said == "all" else strings(said)
    names = [name for name in groups if name in defaults]
    unasked = [name for name in old if name in defaults or name == "dev"]
    asked: dict[str, tuple[str, ...]] = {DEFAULT: dependencies}
    asked |= {name: strings(value) for name, value in (groups | old).items()}
    default = Held(
        project="editable" if builds else "dependencies",
        dependencies=_flat(old, unasked),
        groups=tuple(names),
    )
    others = [
        Held(name=canonical_name(name), extends=DEFAULT, groups=(name,))
        for name in groups
        if name not in names
    ]
    others += [
        Held(name=canonical_name(name), extends=DEFAULT, dependencies=strings(old[name]))
        for name in old
        if name not in unasked
    ]
    return Taken(
        kind=PYPROJECT,
        requires_python=string(project.get("requires-python")),
        bubbles=(default, *others),
        left=extras_of(project),
        asked=asked,
    )


def extras_of(project: Mapping[str, Any]) -> tuple[Left, ...]:
    """Return the extras of a `[project]`, which become no bubbles."""
    extras = [printable(name, 60) for name in table(project.get("optional-dependencies"))]
    why = 'they are no bubbles of their own: name them in the manifest, extras = ["…"]'
    return (Left(what=f"extras: {', '.join(extras)}", why=why),) if extras else ()


def _old_groups(tool: dict[str, Any]) -> dict[str, Any]:
    """Return the groups that tools had before PEP 735: PDM's and uv's own tables."""
    pdm = table(table(tool.get("pdm")).get("dev-dependencies"))
    uv = strings(table(tool.get("uv")).get("dev-dependencies"))
    return pdm | ({"dev": [*strings(pdm.get("dev")), *uv]} if uv else {})


def _flat(groups: dict[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for name in names for text in strings(groups.get(name)))
