"""What a lock is made from: the requirements of a bubble, and one digest of them all.

The digest answers "is the lock still that of the manifest?" without a resolver or a network. It is
taken over what the resolver reads, and what of it matters: requirement files with those that they
name, the dependencies and groups of `pyproject.toml`, the metadata of source trees, uv's settings,
and the request for the interpreter. Comments, layout, line ends, file names and where the project
lies are no part of it; nor are the values of `${VARIABLES}`, passwords, or what an index answers.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.manifest import MANIFEST
from bubble.projects.pyproject import group_names, groups_of
from bubble.projects.requirements import read_requirements, told
from bubble.projects.toml import read_document
from bubble.projects.tree import Trees
from bubble.system.files import fast_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.checks import Wrong
    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.requirements import File
    from bubble.projects.toml import Table

_FORMAT = "bubble inputs 1"


class Inputs(Record):
    """What one bubble is locked from.

    `files` are the absolute paths of everything that was read, the manifest first, `sha256` the
    digest (64 hex digits), `arguments` what a resolver gets beside the requirement lines `lines`.
    """

    files: tuple[str, ...]
    sha256: str
    lines: tuple[str, ...]
    arguments: tuple[str, ...]


def inputs_of(project: Project, bubble: Bubble, request: str) -> Inputs:
    """Return what a bubble is locked from; `request` is the interpreter's, as it is meant now.

    Raises BubbleError(manifest) for a file that isn't there or can't be read, and for a bubble of
    which only the lock says what it has.
    """
    import json

    if bubble.only_locked:
        raise BubbleError(
            "manifest",
            f"nothing in {printable(project.root, 500)} says what to lock: there is only the lock",
            hint="take it as it is: bubble sync --frozen; or begin a manifest: bubble new",
        )
    files: dict[str, File] = {}
    for key, paths in (("requirements", bubble.requirements), ("constraints", bubble.constraints)):
        for path in paths:
            read_requirements(path, project.root, files, _missing(project, key, path))
    lines = [*bubble.dependencies]
    if bubble.project:
        extras = f"[{','.join(bubble.extras)}]" if bubble.extras else ""
        lines.append(f"-e .{extras}" if bubble.project == "editable" else f".{extras}")
    trees = Trees()
    settings = trees.settings(project.root)
    own = trees.look(project.root, extras=bool(bubble.extras)) if bubble.project else None
    arguments: list[str] = []
    if bubble.declared and trees.has_sources(project.root):
        # uv looks where [tool.uv.sources] says for what stands in that file, and nowhere else
        own = trees.look(project.root, extras=bool(bubble.extras_declared))
        lines = [line for line in lines if line not in bubble.declared]
        arguments += ["-r", project.pyproject]
        for extra in bubble.extras_declared:
            arguments += ["--extra", extra]
    for path in bubble.requirements:
        arguments += ["-r", path]
    for path in bubble.constraints:
        arguments += ["-c", path]
    for name in bubble.groups:
        arguments += ["--group", f"{project.pyproject}:{name}"]
    order = {path: number for number, path in enumerate(files)}
    parts = {
        "format": _FORMAT,
        "python": request,
        "platforms": list(project.platforms),
        "lines": [told(line) for line in lines],
        "project": [bubble.project, own],
        "requirements": [order[path] for path in bubble.requirements],
        "constraints": [order[path] for path in bubble.constraints],
        "files": [_content(file, order, trees) for file in files.values()],
        "groups": [canonical_name(name) for name in bubble.groups],
        "contents": _groups(project, bubble),
        "settings": settings,
    }
    whole = json.dumps(parts, sort_keys=True, default=str)
    manifest = [project.manifest] if project.manifest else []
    pyproject = [project.pyproject] if bubble.groups or not project.manifest else []
    return Inputs(
        files=tuple(dict.fromkeys([*manifest, *pyproject, *files, *trees.files])),
        sha256=fast_sha256(whole.encode()),
        lines=tuple(lines),
        arguments=tuple(arguments),
    )


def _content(file: File, order: dict[str, int], trees: Trees) -> list[object]:
    """Return what a requirements file says; other files by their numbers, not by their names."""
    found: list[object] = []
    for line in file.lines:
        if line.option and line.names:
            found.append([line.option, order[line.names]])
        elif line.names and (tree := trees.look(line.names)) is not None:
            found.append([told(line.text), tree])
        else:
            found.append(told(line.text))
    return found


def _groups(project: Project, bubble: Bubble) -> dict[str, list[object]]:
    """Return the contents of a bubble's groups, and of all that they include."""
    pyproject = read_document(project.pyproject) if bubble.groups else None
    found: dict[str, list[object]] = {}
    for name in bubble.groups:
        if pyproject is None or canonical_name(name) not in group_names(pyproject):
            raise BubbleError(
                "manifest",
                f"{printable(project.pyproject, 500)} has no group “{printable(name, 80)}” now",
                hint="take it out of the bubble's groups",
            )
        found |= groups_of(pyproject, name)
    return found


def _missing(project: Project, key: str, path: str) -> Wrong | None:
    """Return what makes the error about a file that the manifest names, with its line there."""

    def wrong(what: str, hint: str) -> BubbleError:
        found = _place(project, key, path)
        if found is None:
            return BubbleError("manifest", f"{printable(project.root, 500)} {what}", hint=hint)
        table, index = found
        return table.wrong(key, what, hint=hint, index=index)

    return wrong


def _place(project: Project, key: str, path: str) -> tuple[Table, int] | None:
    """Return the table and element of the manifest that name a file, whoever inherits it."""
    document = read_document(project.manifest) if project.manifest else None
    if document is None:
        return None
    top = document.table
    if os.path.basename(project.manifest) != MANIFEST:
        top = top.table("tool").table("bubble")
    bubbles = top.table("bubbles")
    for name in bubbles.entries:
        table = bubbles.table(name)
        for index, text in enumerate(table.strings(key)):
            if os.path.normpath(os.path.join(project.root, text)) == path:
                return table, index
    return None
