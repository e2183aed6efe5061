"""Reading a project's manifest: checked to the last key, and its bubbles put together."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.name import is_name
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.projects.manifest import DEFAULT, MANIFEST, PYPROJECT, Bubble, Project
from bubble.system.version_file import parse_toml, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 1 << 20  # bytes of a manifest
_TOP = frozenset({"python", "platforms", "bubbles"})
_LISTS = ("requirements", "dependencies", "groups", "extras", "constraints", "directories")
_BUBBLE = frozenset({"python", "project", "extends", "kernel", *_LISTS})
_PROJECT = ("editable", "built")


def read_project(root: str) -> Project:
    """Return the project in a directory (absolute, real), by its manifest or what else is there.

    Raises BubbleError(manifest) for what can't be understood, with the file and the key.
    """
    own = _toml(f"{root}/{MANIFEST}")
    pyproject = _toml(f"{root}/{PYPROJECT}")
    tool = _table((pyproject or {}).get("tool"), f"{root}/{PYPROJECT}", "tool")
    if own is not None and "bubble" in tool:
        raise BubbleError(
            "manifest",
            f"{root} has two manifests: {MANIFEST}, and [tool.bubble] in {PYPROJECT}",
            hint=f"put it all into one of them; {MANIFEST} is for projects that are no packages",
        )
    if own is not None:
        return _project(root, f"{root}/{MANIFEST}", own)
    if "bubble" in tool:
        path = f"{root}/{PYPROJECT}"
        return _project(root, path, _table(tool["bubble"], path, "tool.bubble"))
    return Project(root=root, manifest="", platforms=(), bubbles=(_unwritten(root, pyproject),))


def normalized(name: str) -> str:
    """Return a bubble's name as it is compared (PEP 503): `Train_GPU` is `train-gpu`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _unwritten(root: str, pyproject: Mapping[str, object] | None) -> Bubble:
    """Return the default bubble of a project without a manifest."""
    pyproject = pyproject or {}
    groups = _table(pyproject.get("dependency-groups"), f"{root}/{PYPROJECT}", "dependency-groups")
    if "project" in pyproject:
        builds = "build-system" in pyproject
        declared = _table(pyproject["project"], f"{root}/{PYPROJECT}", "project")
        return Bubble(
            name=DEFAULT,
            dependencies=()
            if builds
            else _strings(declared, "dependencies", f"{root}/{PYPROJECT}", "project."),
            groups=("dev",) if "dev" in groups else (),
            project="editable" if builds else "",
        )
    file = f"{root}/requirements.txt"
    return Bubble(
        name=DEFAULT,
        requirements=(file,) if os.path.lexists(file) else (),
        groups=("dev",) if "dev" in groups else (),
    )


def _project(root: str, path: str, table: Mapping[str, object]) -> Project:
    _known(table, _TOP, path, "")
    python = _string(table, "python", path, "")
    _request(python, path, "python")
    platforms = _strings(table, "platforms", path, "")
    for text in platforms:
        _platform(text, path)
    tables = _table(table.get("bubbles"), path, "bubbles")
    declared: dict[str, Bubble] = {}
    spelled: dict[str, str] = {}
    for name, value in tables.items():
        key = f"bubbles.{name}"
        bubble = _bubble(root, name, _table(value, path, key), path, f"{key}.")
        if bubble.name in declared:
            raise _wrong(path, key, f"is the same as bubbles.{spelled[bubble.name]}")
        declared[bubble.name], spelled[bubble.name] = bubble, name
    if not declared:
        declared[DEFAULT] = _unwritten(root, _toml(f"{root}/{PYPROJECT}"))
    whole = [_extended(bubble, declared, path, ()) for bubble in declared.values()]
    bubbles = tuple(b if b.python else b.replace(python=python) for b in whole)
    taken: dict[str, str] = {}
    for bubble in bubbles:
        for directory in bubble.directories:
            if directory in taken:
                where = os.path.relpath(directory, root)
                raise _wrong(
                    path,
                    f"bubbles.{bubble.name}.directories",
                    f"has {where}, which is {taken[directory]}'s",
                )
            taken[directory] = bubble.name
    return Project(root=root, manifest=path, platforms=platforms, bubbles=bubbles)


def _bubble(root: str, name: str, table: Mapping[str, object], path: str, prefix: str) -> Bubble:
    _known(table, _BUBBLE, path, prefix)
    plain = normalized(name)
    if not is_name(plain):
        raise _wrong(path, prefix.rstrip("."), "can't be a bubble's name: letters, digits, -")
    python = _string(table, "python", path, prefix)
    _request(python, path, f"{prefix}python")
    how = _string(table, "project", path, prefix)
    if how not in {"", *_PROJECT}:
        raise _wrong(path, f"{prefix}project", f"is “{printable(how, 40)}”: editable, or built")
    lists = {key: _strings(table, key, path, prefix) for key in _LISTS}
    paths = {
        key: tuple(_inside(root, text, path, f"{prefix}{key}") for text in lists[key])
        for key in ("requirements", "constraints", "directories")
    }
    kernel = table.get("kernel", False)
    if not isinstance(kernel, bool):
        raise _wrong(path, f"{prefix}kernel", "is neither true nor false")
    return Bubble(
        name=plain,
        python=python,
        requirements=paths["requirements"],
        dependencies=lists["dependencies"],
        groups=lists["groups"],
        project=how,
        extras=lists["extras"],
        constraints=paths["constraints"],
        extends=normalized(_string(table, "extends", path, prefix)),
        directories=paths["directories"],
        kernel=kernel,
    )


def _extended(
    bubble: Bubble, declared: Mapping[str, Bubble], path: str, below: tuple[str, ...]
) -> Bubble:
    """Return a bubble with what it inherits before its own."""
    if not bubble.extends:
        return bubble
    key = f"bubbles.{bubble.name}.extends"
    if bubble.name in below:
        raise _wrong(path, key, f"goes round in a circle: {' → '.join([*below, bubble.name])}")
    if bubble.extends not in declared:
        raise _wrong(path, key, f"names “{printable(bubble.extends, 80)}”, which isn't there")
    base = _extended(declared[bubble.extends], declared, path, (*below, bubble.name))
    joined = {
        name: tuple(dict.fromkeys((*getattr(base, name), *getattr(bubble, name))))
        for name in _LISTS
        if name != "directories"
    }
    return bubble.replace(
        **joined,
        python=bubble.python or base.python,
        project=bubble.project or base.project,
    )


def _toml(path: str) -> dict[str, object] | None:
    data = read_regular(path, _LARGEST)
    if data is None:
        return None
    try:
        return parse_toml(path, data)
    except BubbleError as error:
        raise BubbleError("manifest", error.message, hint="mend the file") from None


def _known(table: Mapping[str, object], keys: frozenset[str], path: str, prefix: str) -> None:
    for key in table:
        if key not in keys:
            import difflib

            close = difflib.get_close_matches(key, sorted(keys), 1)
            raise _wrong(
                path,
                f"{prefix}{key}",
                "is no key that bubble knows",
                hint=f"did you mean: {close[0]}" if close else f"known: {', '.join(sorted(keys))}",
            )


def _table(value: object, path: str, key: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(path, key, "is no table")
    return value


def _string(table: Mapping[str, object], key: str, path: str, prefix: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise _wrong(path, f"{prefix}{key}", "is no text in quotes")
    return value


def _strings(table: Mapping[str, object], key: str, path: str, prefix: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(path, f"{prefix}{key}", "is no list of texts")
    return tuple(value)


def _request(text: str, path: str, key: str) -> None:
    if not text:
        return
    try:
        request = parse_request(text)
    except BubbleError as error:
        raise _wrong(path, key, f": {error.message}", hint=error.hint) from None
    if not request.is_python:
        raise _wrong(path, key, f"is “{printable(text, 80)}”, which is no version of Python")


def _platform(text: str, path: str) -> None:
    from bubble.model.platform import parse_platform

    try:
        parse_platform(text)
    except BubbleError as error:
        raise _wrong(path, "platforms", f": {error.message}", hint=error.hint) from None


def _inside(root: str, text: str, path: str, key: str) -> str:
    """Return a path of the manifest, absolute; it may not lead out of the project."""
    found = os.path.normpath(os.path.join(root, text))
    if not text or os.path.isabs(text) or "\0" in text or not f"{found}/".startswith(f"{root}/"):
        raise _wrong(path, key, f"has “{printable(text, 80)}”, which leads out of the project")
    return found


def _wrong(path: str, key: str, what: str, *, hint: str = "") -> BubbleError:
    return BubbleError(
        "manifest",
        f"{printable(path, 500)}: {printable(key, 120)} {what}".replace(" :", ":"),
        hint=hint or "the keys are described in docs/projects.md",
    )
