"""What a `pyproject.toml` offers to bubbles: groups (PEP 735), extras, and whether it builds."""

from __future__ import annotations

import os
import re

from bubble.model.package import canonical_name
from bubble.projects.checks import require_requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.model.errors import BubbleError
    from bubble.projects.toml import Document, Table

_SELF = re.compile(r"([A-Za-z0-9._-]+)\s*\[([^\]]*)\]")
_MOST_LINES = 10_000  # requirements of one group, with all that it includes


def is_buildable(root: str, pyproject: Document | None) -> bool:
    """Whether the project in a directory (absolute) can be installed itself."""
    says = pyproject.entries if pyproject else {}
    return (
        "build-system" in says
        or "project" in says
        or any(os.path.isfile(f"{root}/{name}") for name in ("setup.py", "setup.cfg"))
    )


def extras_of(pyproject: Document | None) -> frozenset[str] | None:
    """Return the names of the extras, normalised; None where only a build would tell."""
    if pyproject is None or "project" not in pyproject.entries:
        return None
    project = pyproject.table.table("project")
    if "optional-dependencies" in project.strings("dynamic"):
        return None
    return frozenset(map(canonical_name, project.table("optional-dependencies").entries))


def dependencies_of(pyproject: Document, extras: Sequence[str]) -> tuple[str, ...]:
    """Return what a project depends on, with these extras (any spelling), as it is written down.

    Extras that name other extras of the project have those, too. Raises BubbleError(manifest), with
    file and line, where a build would tell, and for what is no requirement.
    """
    project = pyproject.table.table("project")
    dynamic = project.strings("dynamic")
    for key in ("dependencies", *(["optional-dependencies"] if extras else ())):
        if key in dynamic:
            what = f"has {key}, which only a build tells"
            raise project.wrong("dynamic", what, hint='take the project itself: "editable"')
    optional = project.table("optional-dependencies")
    names = {canonical_name(name): name for name in optional.entries}
    own = canonical_name(project.string("name"))
    found: dict[str, None] = {}
    waiting, seen = [(project, "dependencies")], set(map(canonical_name, extras))
    waiting += [(optional, names[name]) for name in sorted(seen) if name in names]
    while waiting:
        table, key = waiting.pop(0)
        for index, line in enumerate(table.strings(key)):
            require_requirement(line, table.at(key, index))
            match = _SELF.match(line)
            if match is None or canonical_name(match[1]) != own:
                found[line] = None
                continue
            more = {canonical_name(name.strip()) for name in match[2].split(",")} - seen
            seen |= more
            waiting += [(optional, names[name]) for name in sorted(more) if name in names]
    return tuple(found)


def group_names(pyproject: Document | None) -> Mapping[str, str]:
    """Return the groups' names: normalised → as written. Two that are the same are an error."""
    if pyproject is None:
        return {}
    table = pyproject.table.table("dependency-groups")
    found: dict[str, str] = {}
    for name in table.entries:
        plain = canonical_name(name)
        if plain in found:
            raise table.wrong(name, f"is the same group as {found[plain]}", hint="join the two")
        found[plain] = name
    return found


def groups_of(pyproject: Document, wanted: str) -> dict[str, list[object]]:
    """Return the contents of a group and of all that it includes, by their normalised names.

    The group must be one of `group_names`. Raises BubbleError(manifest), with file and line, for
    what breaks the rules of PEP 735.
    """
    names = group_names(pyproject)
    table = pyproject.table.table("dependency-groups")
    found: dict[str, list[object]] = {}
    counts: dict[str, int] = {}  # of a finished group: its lines, with what it includes
    # depth first, without recursion: each open group, and the number of its next element
    way: list[tuple[str, int]] = [(canonical_name(wanted), 0)]
    open_ = {way[0][0]}
    lines: list[int] = [0]
    while way:
        plain, index = way[-1]
        key = names[plain]
        if plain not in found:
            found[plain] = _items(table, key)
        if index == len(found[plain]):
            way.pop()
            open_.discard(plain)
            counts[plain] = lines.pop()
            if way:
                lines[-1] += counts[plain]
            continue
        way[-1] = (plain, index + 1)
        item = found[plain][index]
        if isinstance(item, str):
            require_requirement(item, table.at(key, index))
            lines[-1] += 1
            continue
        other = _included(table, key, index, item, names)
        if other in open_:
            circle = " → ".join(names[name] for name, _ in way) + f" → {names[other]}"
            raise table.wrong(
                key, f"goes round in a circle: {circle}", hint="take one of them out", index=index
            )
        if other in counts:
            lines[-1] += counts[other]
        else:
            way.append((other, 0))
            open_.add(other)
            lines.append(0)
        if lines[-1] > _MOST_LINES:
            raise table.wrong(key, f"has more than {_MOST_LINES} lines", hint="take some out")
    return found


def _items(table: Table, key: str) -> list[object]:
    value = table.entries[key]
    if not isinstance(value, list):
        raise table.wrong(key, "is no list", hint="PEP 735 says what a group may have")
    return value


def _included(table: Table, key: str, index: int, item: object, names: Mapping[str, str]) -> str:
    """Return the group that `{include-group = …}` names, normalised."""

    def wrong(what: str) -> BubbleError:
        hint = 'a group has PEP 508 lines, and {include-group = "…"} (PEP 735)'
        return table.wrong(key, what, hint=hint, index=index)

    if not isinstance(item, dict) or list(item) != ["include-group"]:
        raise wrong("is neither a text nor an include-group")
    name = item["include-group"]
    if not isinstance(name, str):
        raise wrong("includes what is no text")
    if canonical_name(name) not in names:
        from bubble.model.text import printable

        raise wrong(f"includes “{printable(name, 80)}”, which isn't there")
    return canonical_name(name)
