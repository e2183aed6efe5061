"""Beginning a project: a first manifest from what lies in a directory. Asks and runs nothing."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.projects.checks import require_python
from bubble.projects.found import look
from bubble.projects.locate import is_wide, project_of
from bubble.projects.manifest import DEFAULT, MANIFEST, PLACES, PYPROJECT
from bubble.projects.reading import project_from
from bubble.projects.toml import parse_document, read_document
from bubble.projects.tomltext import text as text_of
from bubble.selection.sources import candidates
from bubble.system.files import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.toml import Document
    from bubble.selection.resolve import World

_OLD = f"{MANIFEST}.old"
_HEAD = "# which environments this project has; bubble sync makes them\n"
_LISTS = ("requirements", "dependencies", "groups", "extras", "constraints", "directories")


class Draft(Record):
    """A manifest that isn't written yet.

    `path` (absolute) is the file that gets it: the whole of a `bubble.toml`, or the end of a
    `pyproject.toml`; `text` is what is written there, `before` the file's bytes until now (None
    for no file), `after` those from then on. `project` is what it comes to; `notes` are for people.
    """

    path: str
    text: str
    before: bytes | None
    after: bytes
    project: Project
    notes: tuple[str, ...]


def draft(world: World, *, python: str = "", force: bool = False) -> Draft:
    """Return the manifest that the working directory seems to want.

    `python` is the request for it, "" for what the directory says. `force` begins a project within
    another one, and takes the place of a `bubble.toml` that is there; without it, that must be the
    very same. Raises BubbleError (manifest,
    usage, io, version_file).
    """
    if not world.cwd:
        raise BubbleError("io", "the working directory was deleted", hint="cd somewhere else")
    root = os.path.realpath(world.cwd)
    home = world.env.get("HOME", "")
    if is_wide(root, home):
        raise BubbleError(
            "usage",
            f"{printable(root, 500)} can't be a project: everything else lies below it",
            hint="make a directory for it: mkdir project; cd project; bubble new",
        )
    _require_free(root, home, force=force)
    pyproject = read_document(f"{root}/{PYPROJECT}")
    found = look(root, pyproject)
    if found.others and not any(b.requirements or b.project for b in found.bubbles):
        raise BubbleError(
            "manifest",
            f"what this project has stands in {found.others[0]}",
            hint=f"take it over: bubble import {found.others[0]}",
        )
    if python:
        python = require_python(
            python, lambda what, hint: _usage(f"--python {what}".replace(" : ", ": "), hint)
        )
    said, note = _python(world)
    path = f"{root}/{MANIFEST}"
    before = _bytes(path)
    inside = before is None and pyproject is not None and "project" in pyproject.entries
    text = _rendered(found.bubbles, python or said, "tool.bubble." if inside else "")
    others = [f"{name} isn't read here: bubble import {name}" for name in found.others]
    notes = (*([note] if note and not python else []), *found.notes, *others)
    if pyproject is not None and inside:
        return _appended(root, pyproject, text, notes)
    after = f"{_HEAD}\n{text}".encode()
    if before not in {None, after} and not force:
        raise BubbleError(
            "manifest",
            f"{printable(root, 500)} has a {MANIFEST} already",
            hint=f"change it by hand; or anew, the old one kept as {_OLD}: bubble new --force",
        )
    return Draft(
        path=path,
        text=after.decode(),
        before=before,
        after=after,
        project=project_from(root, parse_document(path, after), pyproject),
        notes=notes,
    )


def write(one: Draft) -> str:
    """Write a manifest in one step; return where an older one went (absolute), "" for none.

    Raises BubbleError(manifest) where the file has changed since, and OSError; it is then as it
    was.
    """
    target = os.path.realpath(one.path)
    if _bytes(target) != one.before:
        raise BubbleError(
            "manifest", f"{printable(one.path, 500)} has changed meanwhile", hint="bubble new"
        )
    if one.before == one.after:
        return ""
    if one.before is None:
        _create(target, one.after)
        return ""
    old = ""
    if os.path.basename(one.path) == MANIFEST:
        old = os.path.join(os.path.dirname(one.path), _OLD)
        _create(old, one.before)
    replace_file(target, one.after, os.stat(target).st_mode & 0o777)
    return old


def _create(path: str, data: bytes) -> None:
    """Write a file that isn't there yet, whole or not at all. Raises BubbleError(manifest)."""
    try:
        replace_file(path, data, new=True)
    except FileExistsError:
        if _bytes(path) == data:
            return  # of a command that was killed
        raise BubbleError(
            "manifest", f"{printable(path, 500)} is there already", hint="move it away"
        ) from None


def _require_free(root: str, home: str, *, force: bool) -> None:
    """Raise where the directory has or is in a project with a manifest, unless that is meant."""
    if os.path.lexists(f"{root}/{MANIFEST}"):
        return  # which is looked at when what would take its place is known
    try:
        project = project_of(root, home)
    except BubbleError:
        if os.path.lexists(f"{root}/{PYPROJECT}"):
            raise
        return
    if project.root == root and project.manifest:
        raise BubbleError(
            "manifest",
            f"{printable(project.manifest, 500)} has a [tool.bubble] already",
            hint="change it by hand; or take it out, and type bubble new again",
        )
    if project.root != root and not force:
        raise BubbleError(
            "manifest",
            f"{printable(root, 500)} is in the project {printable(project.root, 500)}",
            hint="go there; or begin a project within it: bubble new --force",
        )


def _python(world: World) -> tuple[str, str]:
    """Return the request to write down, or "" and what says so in the directory's own files.

    What means nothing on another machine (the global pin, an environment's name) is written down as
    the version that it has here.
    """
    from bubble.pythons.installed import store
    from bubble.selection.base import selected_request
    from bubble.selection.registry import called

    env = {k: v for k, v in world.env.items() if k != "BUBBLE_PYTHON"}  # a shell's, not a project's
    here = world.replace(env=env)
    choices = candidates(here.cwd, env, here.layout)
    choice = next(c for c in choices if c.source.kind != "environment")
    request = parse_request(selected_request(here))
    if request.kind == "name":
        environment = called(world.layout, request.text)
        request = parse_request(environment.request if environment else "3")
    elif choice.source.kind == "file" and request.is_python:
        return "", f"the Python is what {choice.source} says"
    best = store.matching(world.layout, request, world.platform) if request.is_python else []
    if not best:
        return "", ""
    key = best[0].key
    return f"{key.implementation.replace('cpython', '')}{key.version.minor}", ""


def _rendered(bubbles: tuple[Bubble, ...], python: str, prefix: str) -> str:
    """Return the manifest's tables; `prefix` is "tool.bubble." in a `pyproject.toml`."""
    head = f"[{prefix.rstrip('.')}]\n" if prefix else ""
    text = f"{head}python = {text_of(python)}\n" if python else ""
    for bubble in bubbles:
        place = ".venv" if bubble.name == DEFAULT else f"{PLACES}/{bubble.name}"
        text += f"\n[{prefix}bubbles.{bubble.name}]  # {place}\n"
        for key in ("python", "project"):
            if getattr(bubble, key):
                text += f"{key} = {text_of(getattr(bubble, key))}\n"
        for key in _LISTS:
            if getattr(bubble, key):
                text += f"{key} = [{', '.join(map(text_of, getattr(bubble, key)))}]\n"
        if not any(getattr(bubble, key) for key in ("project", *_LISTS)):
            text += "dependencies = []\n"
    return text.lstrip("\n")


def _appended(root: str, pyproject: Document, text: str, notes: tuple[str, ...]) -> Draft:
    """Return the draft that puts a manifest at the end of a `pyproject.toml`, and changes no more.

    A table may stand anywhere, so the end is as good as any place, and nothing else moves.
    """
    before = _bytes(pyproject.path) or b""
    ends = "\r\n" if b"\r\n" in before else "\n"
    gap = "\n" if before.endswith((b"\n", b"\r")) or not before else "\n\n"
    after = before + f"{gap}{text}".replace("\n", ends).encode()
    whole = parse_document(pyproject.path, after)
    tool = whole.table.table("tool").entries
    rest = {**whole.entries, "tool": {k: v for k, v in tool.items() if k != "bubble"}}
    if rest != {**pyproject.entries, "tool": dict(pyproject.table.table("tool").entries)}:
        raise BubbleError(
            "manifest",
            f"{printable(pyproject.path, 500)} is written so that nothing can be put behind it",
            hint="write [tool.bubble] into it by hand",
        )
    return Draft(
        path=pyproject.path,
        text=text,
        before=before,
        after=after,
        project=project_from(root, None, whole),
        notes=notes,
    )


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _usage(what: str, hint: str) -> BubbleError:
    return BubbleError("usage", what, hint=hint)
