"""Reading a project's manifest: checked to the last key, and its bubbles put together."""

from __future__ import annotations

import os

from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.projects import checks
from bubble.projects.manifest import DEFAULT, MANIFEST, PYPROJECT, Bubble, Project
from bubble.projects.pyproject import (
    dependencies_of,
    extras_of,
    group_names,
    groups_of,
    is_buildable,
)
from bubble.projects.toml import read_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.toml import Document, Table

__all__ = ["canonical_name", "read_project"]

_TOP = frozenset({"python", "platforms", "bubbles"})
_LISTS = ("requirements", "dependencies", "groups", "extras", "constraints", "directories")
_INHERITED = _LISTS[:-1]  # a bubble's directories are its own
_BUBBLE = frozenset({"python", "project", "extends", "kernel", *_LISTS})
_PROJECT = ("editable", "built", "dependencies", "none")
_MOST = 200  # bubbles of one project, and entries of one list


def read_project(root: str) -> Project:
    """Return the project in a directory (absolute, real), by its manifest or what else is there.

    Raises BubbleError(manifest) for what can't be understood, with the file, line and key.
    """
    own = read_document(f"{root}/{MANIFEST}")
    return project_from(root, own, read_document(f"{root}/{PYPROJECT}"))


def project_from(root: str, own: Document | None, pyproject: Document | None) -> Project:
    """Return the project of a `bubble.toml` and a `pyproject.toml`, as far as they are there."""
    tool = pyproject.table.table("tool") if pyproject else None
    if tool is not None and "bubble" in tool.entries:
        table = tool.table("bubble")
        if own is not None:
            raise tool.wrong(
                "bubble",
                f"is a second manifest beside {printable(own.path, 500)}",
                hint=f"put it all into one of them; {MANIFEST} is for what is no package",
            )
        return _Reader(root, table, pyproject).project()
    if own is not None:
        return _Reader(root, own.table, pyproject).project()
    return Project(root=root, manifest="", platforms=(), bubbles=(unwritten(root, pyproject),))


def unwritten(root: str, pyproject: Document | None) -> Bubble:
    """Return the default bubble of a project whose manifest, if any, names none."""
    groups = ("dev",) if "dev" in group_names(pyproject) else ()
    if groups and pyproject is not None:
        groups_of(pyproject, "dev")
    says = pyproject.entries if pyproject else {}
    declared = pyproject.table.table("project") if pyproject else None
    dynamic = declared is not None and "dependencies" in declared.strings("dynamic")
    if "build-system" in says or dynamic:
        return Bubble(name=DEFAULT, groups=groups, project="editable")
    if pyproject is not None and "project" in says:
        lines = dependencies_of(pyproject, ())
        return Bubble(name=DEFAULT, groups=groups, dependencies=lines, declared=lines)
    file = f"{root}/requirements.txt"
    if os.path.lexists(file):
        return Bubble(name=DEFAULT, groups=groups, requirements=(file,))
    only_locked = not groups and os.path.lexists(f"{root}/pylock.toml")
    return Bubble(name=DEFAULT, groups=groups, only_locked=only_locked)


class _Reader:
    """One manifest as it is read: its table, and the `pyproject.toml` beside or around it."""

    def __init__(self, root: str, table: Table, pyproject: Document | None) -> None:
        self.root = root
        self.table = table
        self.pyproject = pyproject
        self.spelled: dict[str, Table] = {}  # normalised name → the bubble's table
        self.groups: set[str] = set()  # those that are known to be right

    def project(self) -> Project:
        self.table.known(_TOP)
        python = self._python(self.table)
        platforms = {
            checks.require_platform(text, self.table.at("platforms", index))
            for index, text in enumerate(self.table.strings("platforms"))
        }
        if "platforms" in self.table.entries and not platforms:
            raise self.table.wrong("platforms", "is empty", hint="leave it out for the usual ones")
        declared = self._declared()
        whole = [self._extended(bubble, declared) for bubble in declared.values()]
        bubbles = tuple(b if b.python else b.replace(python=python) for b in whole)
        for bubble in bubbles:
            self._require_fitting(bubble)
        self._require_distinct(bubbles)
        bubbles = tuple(
            # what they come to is among the dependencies by now
            b.replace(project="", extras=(), extras_declared=b.extras)
            if b.project == "dependencies"
            else b
            for b in bubbles
        )
        return Project(
            root=self.root,
            manifest=self.table.document.path,
            platforms=tuple(sorted(platforms)),
            bubbles=bubbles,
        )

    def _declared(self) -> dict[str, Bubble]:
        tables = self.table.table("bubbles")
        if len(tables.entries) > _MOST:
            raise self.table.wrong("bubbles", f"are more than {_MOST}", hint="split the project")
        declared: dict[str, Bubble] = {}
        for spelled in tables.entries:
            table = tables.table(spelled)
            name = canonical_name(spelled)
            checks.require_name(spelled, name, tables.at(spelled))
            if name in self.spelled:
                other = printable(str(self.spelled[name].keys[-1]), 80)
                line = self.spelled[name].document.line(self.spelled[name].keys)
                what = f"is the same as {other} in line {line}: both are {name}"
                raise tables.wrong(spelled, what, hint="name one of them otherwise")
            self.spelled[name] = table
            declared[name] = self._bubble(name, table)
        return declared or {DEFAULT: unwritten(self.root, self.pyproject)}

    def _bubble(self, name: str, table: Table) -> Bubble:
        """Return a bubble as its own table has it."""
        table.known(_BUBBLE)
        how = table.string("project")
        if how not in {"", *_PROJECT}:
            what = f"is “{printable(how, 40)}”"
            raise table.wrong("project", what, hint="editable, built, dependencies or none")
        lists = {key: table.strings(key) for key in _LISTS}
        for key, texts in lists.items():
            if len(texts) > _MOST:
                raise table.wrong(key, f"has more than {_MOST} entries", hint="name files instead")
        for index, line in enumerate(lists["dependencies"]):
            checks.require_requirement(line, table.at("dependencies", index))
        files = {
            key: tuple(
                checks.require_file(self.root, text, table.at(key, index))
                for index, text in enumerate(lists[key])
            )
            for key in ("requirements", "constraints")
        }
        directories = [
            checks.require_directory(self.root, text, table.at("directories", index))
            for index, text in enumerate(lists["directories"])
        ]
        self._require_groups(table)
        return Bubble(
            name=name,
            python=self._python(table),
            requirements=files["requirements"],
            dependencies=lists["dependencies"],
            groups=lists["groups"],
            project=how,
            extras=lists["extras"],
            constraints=files["constraints"],
            extends=canonical_name(table.string("extends")),
            directories=tuple(dict.fromkeys(directories)),
            kernel=table.flag("kernel"),
        )

    def _python(self, table: Table) -> str:
        text = table.string("python")
        return checks.require_python(text, table.at("python")) if text else ""

    def _require_groups(self, table: Table) -> None:
        """Raise where a bubble names a group that there isn't, or that PEP 735 doesn't allow."""
        names = group_names(self.pyproject) if table.entries.get("groups") else {}
        for index, name in enumerate(table.strings("groups")):
            if canonical_name(name) not in names or self.pyproject is None:
                there = ", ".join(printable(n, 40) for n in names.values())
                raise table.wrong(
                    "groups",
                    f"has “{printable(name, 80)}”, which [dependency-groups] of {PYPROJECT} hasn't",
                    hint=f"those that there are: {there}" if there else "there are none (PEP 735)",
                    index=index,
                )
            if canonical_name(name) not in self.groups:
                self.groups |= groups_of(self.pyproject, name).keys()

    def _extended(self, bubble: Bubble, declared: Mapping[str, Bubble]) -> Bubble:
        """Return a bubble with what it inherits before its own."""
        way = [bubble]
        while way[-1].extends:
            last = way[-1]
            table = self.spelled[last.name]
            circle = [one.name for one in way]
            if last.extends in circle:
                what = f"goes round in a circle: {' → '.join([*circle, last.extends])}"
                raise table.wrong("extends", what, hint="take one of them out")
            if last.extends not in declared:
                names = ", ".join(name for name in declared if name != last.name)
                raise table.wrong(
                    "extends",
                    f"names “{printable(table.string('extends'), 80)}”, which isn't there",
                    hint=f"those that there are: {names}" if names else "there is no other bubble",
                )
            way.append(declared[last.extends])
        joined = {
            key: tuple(dict.fromkeys(text for one in reversed(way) for text in getattr(one, key)))
            for key in _INHERITED
        }
        project = next((one.project for one in way if one.project), "")
        lines = next((one.declared for one in way if one.declared), ())
        if project == "dependencies" and self.pyproject and "project" in self.pyproject.entries:
            lines = dependencies_of(self.pyproject, joined["extras"])
            joined["dependencies"] = tuple(dict.fromkeys((*lines, *joined["dependencies"])))
        return bubble.replace(
            **joined,
            python=next((one.python for one in way if one.python), ""),
            declared=lines,
            project="" if project == "none" else project,
        )

    def _require_fitting(self, bubble: Bubble) -> None:
        """Raise where a whole bubble has the project or extras of what has none."""
        table = self.spelled.get(bubble.name)
        if table is None:
            return
        if bubble.project == "dependencies" and (
            self.pyproject is None or "project" not in self.pyproject.entries
        ):
            raise table.wrong(
                "project",
                f"is dependencies, and there is no [project] in a {PYPROJECT} that has them",
                hint="write it there, or leave it out",
            )
        if bubble.project and not is_buildable(self.root, self.pyproject):
            raise table.wrong(
                "project",
                f"is {bubble.project}, and there is nothing here that could be installed",
                hint=f"write [project] and [build-system] into {PYPROJECT}, or leave it out",
            )
        if bubble.extras and not bubble.project:
            raise table.wrong(
                "extras",
                f"are {', '.join(printable(e, 40) for e in bubble.extras)}, and the project "
                "itself isn't part of the bubble",
                hint='add project = "editable"',
            )
        known = extras_of(self.pyproject) if bubble.extras else None
        for extra in bubble.extras:
            checks.require_extra(extra, table.at("extras"))
            if known is not None and canonical_name(extra) not in known:
                raise table.wrong(
                    "extras",
                    f"has “{printable(extra, 80)}”, which [project.optional-dependencies] hasn't",
                    hint=f"those that there are: {', '.join(sorted(known)) or 'none'}",
                )

    def _require_distinct(self, bubbles: tuple[Bubble, ...]) -> None:
        """Raise where two bubbles have one directory; of nested ones, the nearest counts."""
        taken: dict[str, str] = {}
        for bubble in bubbles:
            for index, directory in enumerate(bubble.directories):
                if directory in taken:
                    where = printable(os.path.relpath(directory, self.root), 80)
                    raise self.spelled[bubble.name].wrong(
                        "directories",
                        f"has {where}, which is {taken[directory]}'s already",
                        hint="a directory has one bubble; of nested ones, the nearest counts",
                        index=index,
                    )
                taken[directory] = bubble.name
