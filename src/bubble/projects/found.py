"""What lies in a directory that says which environments it is to have, for a first manifest.

Only names and a few small files are looked at; nothing is run.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects import checks
from bubble.projects.manifest import DEFAULT, MANIFEST, PYPROJECT, Bubble
from bubble.projects.pyproject import extras_of, group_names
from bubble.projects.requirements import read_requirements
from bubble.system.files import names_in
from bubble.system.version_file import read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.projects.requirements import File
    from bubble.projects.toml import Document

# how people call what everybody on a project has; all else is an environment of its own
_BASE = ("requirements", "base", "common", "main", "core", "app")
_DEVELOPMENT = ("dev", "develop", "development", "local", "test", "tests", "testing")
_FILE = re.compile(r"(?:(.+)[-_.])?requirements?(?:[-_.](.+))?\.(txt|in)", re.IGNORECASE)
_ANY = re.compile(r"(.+)\.(txt|in)", re.IGNORECASE)
_CONSTRAINTS = re.compile(r"(?:.+[-_.])?constraints?(?:[-_.].+)?\.txt", re.IGNORECASE)
# what other tools' files say isn't read here; a command of its own takes it over
FOREIGN = ("environment.yml", "environment.yaml", "Pipfile", "poetry.lock", "pdm.lock", "uv.lock")
_SKIPPED = frozenset({"venv", "env", "virtualenv", "node_modules", "build", "dist"})
_MOST = 100  # bubbles that are proposed


class Found(Record):
    """The bubbles that a directory seems to want, the default one first.

    Their paths are relative to it, with `/`; `project` may be "dependencies", too. `notes` say
    what was left out, and why; `others` are the names of other tools' files.
    """

    bubbles: tuple[Bubble, ...]
    notes: tuple[str, ...]
    others: tuple[str, ...]


def look(root: str, pyproject: Document | None) -> Found:
    """Return what the files of a directory (absolute, real) say; `pyproject` is its own, if any.

    Raises BubbleError(manifest) for a `pyproject.toml` whose tables aren't what they should be.
    """
    notes: list[str] = []
    bubbles = {DEFAULT: _project(root, pyproject, notes)}
    declared = _declares(pyproject)
    directories = _directories(root, notes)
    parts = _parts(root, directories, notes, () if declared else _BASE)
    for stem, file in _requirements(root):
        if stem in _BASE and declared:
            shown = printable(file, 80)
            notes.append(f"{shown} was left out: {PYPROJECT} says what the project needs")
        elif file in parts:
            notes.append(f"{printable(file, 80)} was left out: {parts[file]}")
        elif stem in {*_BASE, *_DEVELOPMENT}:
            _add(bubbles, DEFAULT, file)
        elif _usable(stem, file, notes):
            _add(bubbles, canonical_name(stem), file)
    constraints = tuple(
        f"{place}{name}"
        for place in ("", "requirements/")
        for name in names_in(f"{root}/{place}")
        if _CONSTRAINTS.fullmatch(name)
        and _is_file(f"{root}/{place}", name)
        and _is_portable(root, f"{place}{name}")
    )
    for directory in directories:
        every = [f"{directory}/{file}" for _, file in _requirements(f"{root}/{directory}")]
        files = [file for file in every if file not in parts]
        notes += [f"{printable(f, 80)} was left out: {parts[f]}" for f in every if f in parts]
        if files and _usable(directory, f"{directory}/", notes):
            name = canonical_name(directory)
            for file in files:
                _add(bubbles, name, file)
            bubbles[name] = bubbles[name].replace(
                directories=(*bubbles[name].directories, directory),
                python=_python(f"{root}/{directory}"),
            )
    if len(bubbles) > _MOST:
        notes.append(f"{len(bubbles) - _MOST} more that could be bubbles were left out")
    whole = [b.replace(constraints=constraints) for b in list(bubbles.values())[:_MOST]]
    others = tuple(name for name in FOREIGN if os.path.lexists(f"{root}/{name}"))
    return Found(bubbles=tuple(whole), notes=tuple(notes), others=others)


def _project(root: str, pyproject: Document | None, notes: list[str]) -> Bubble:
    """Return the default bubble with what `pyproject.toml` or `setup.py` say of the project."""
    groups = group_names(pyproject)
    wanted = [plain for plain in _DEVELOPMENT if plain in groups]
    how, extras = "", []
    if pyproject is not None and "project" in pyproject.entries:
        project = pyproject.table.table("project")
        builds = "build-system" in pyproject.entries
        how = "editable" if builds or project.strings("dynamic") else "dependencies"
        known = extras_of(pyproject) or frozenset()
        extras = [name for name in _DEVELOPMENT if name in known and name not in wanted]
        others = sorted(known - {*extras})
        if others:
            notes.append(f"extras that no bubble has: {_listed(others)}")
    elif (pyproject is not None and "build-system" in pyproject.entries) or any(
        _is_file(root, name) for name in ("setup.py", "setup.cfg")
    ):
        how = "editable"
    rest = [printable(name, 40) for plain, name in groups.items() if plain not in wanted]
    if rest:
        notes.append(f"groups that no bubble has: {_listed(rest)}")
    names = tuple(groups[plain] for plain in wanted)
    return Bubble(name=DEFAULT, groups=names, project=how, extras=tuple(extras))


def _declares(pyproject: Document | None) -> bool:
    """Whether a `pyproject.toml` says what the project depends on, or that its build does."""
    if pyproject is None or "project" not in pyproject.entries:
        return False
    project = pyproject.table.table("project")
    return bool(project.strings("dependencies") or "dependencies" in project.strings("dynamic"))


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:8], *(["…"] if len(names) > 8 else [])])


def _requirements(directory: str) -> list[tuple[str, str]]:
    """Return what each requirements file of a directory is called for, and its relative path.

    Of a pair that pip-compile keeps, `dev.in` and `dev.txt`, only the first: the lock takes the
    place of the second. In an order that puts the general before the special.
    """
    found: dict[str, str] = {}
    for place, pattern in (("", _FILE), ("requirements", _ANY)):
        here = os.path.join(directory, place)
        names = [name for name in names_in(here) if _is_file(here, name)]
        for name in sorted(names, key=lambda name: (not name.lower().endswith(".in"), name)):
            match = pattern.fullmatch(name)
            if match is None or _CONSTRAINTS.fullmatch(name):
                continue
            stem = next((part for part in match.groups()[:-1] if part), "requirements").lower()
            file = f"{place}/{name}".lstrip("/")
            if _is_portable(directory, file):
                found.setdefault(f"{place}/{stem}", file)
    stems = [(key.partition("/")[2], file) for key, file in found.items()]
    order = [*_BASE, *_DEVELOPMENT]
    return sorted(
        stems, key=lambda pair: (order.index(pair[0]) if pair[0] in order else len(order), pair[1])
    )


def _parts(
    root: str, directories: Sequence[str], notes: list[str], base: Sequence[str]
) -> dict[str, str]:
    """Return which requirements files are parts of others, and why (relative paths).

    What others take as constraints nobody wants installed; what the project's own requirements
    (`base`: what such files are called for) read is in the default bubble, and is none by itself.
    A missing file is told.
    """
    parts: dict[str, str] = {}
    own = _requirements(root)
    below = [(stem, f"{d}/{f}") for d in directories for stem, f in _requirements(f"{root}/{d}")]
    for stem, file in (*own, *below):
        files: dict[str, File] = {}
        try:
            read_requirements(f"{root}/{file}", root, files)
        except BubbleError as error:
            notes.append(error.message)
        by = printable(file, 80)
        for line in [line for one in files.values() for line in one.lines if line.option]:
            name = os.path.relpath(line.names or root, root)
            if line.option == "-c":
                parts[name] = f"{by} takes it as constraints"
            elif stem in base and (stem, file) in own:
                parts.setdefault(name, f"it is a part of {by}")
    everybodys = {file for stem, file in own if stem in {*_BASE, *_DEVELOPMENT}}
    return {name: why for name, why in parts.items() if name not in everybodys}


def _directories(root: str, notes: list[str]) -> list[str]:
    """Return the names of the directories in a project that could have environments."""
    found = []
    for name in names_in(root):
        path = f"{root}/{name}"
        if (
            name.startswith(".")
            or name.lower() in {"requirements", *_SKIPPED}
            or os.path.islink(path)
            or not os.path.isdir(path)
            or os.path.lexists(f"{path}/pyvenv.cfg")
        ):
            continue
        own = [sign for sign in (MANIFEST, PYPROJECT) if os.path.lexists(f"{path}/{sign}")]
        if own:
            shown = printable(name, 80)
            notes.append(f"{shown}/ is a project of its own ({own[0]}): bubble new there, if so")
        else:
            found.append(name)
    return found


def _add(bubbles: dict[str, Bubble], name: str, file: str) -> None:
    bubble = bubbles.get(name) or Bubble(name=name)
    bubbles[name] = bubble.replace(requirements=(*bubble.requirements, file))


def _usable(name: str, what: str, notes: list[str]) -> bool:
    """Whether a name can be a bubble's; a note where it can't."""
    if canonical_name(name) == DEFAULT:
        return True
    try:
        checks.require_name(name, canonical_name(name), _refused)
    except BubbleError as error:
        shown = printable(what, 80)
        notes.append(f"{shown} was left out: “{printable(name, 80)}” {error.message}")
        return False
    return True


def _is_portable(directory: str, file: str) -> bool:
    try:
        checks.require_file(directory, file, _refused)
    except BubbleError:
        return False
    return True


def _python(directory: str) -> str:
    """Return the version that a directory's own `.python-version` names first, else ""."""
    try:
        entries = read_python_version(f"{directory}/.python-version")
        return checks.require_python(entries[0].text, _refused) if entries else ""
    except BubbleError:
        return ""


def _refused(what: str, hint: str) -> BubbleError:
    return BubbleError("manifest", what, hint=hint)


def _is_file(directory: str, name: str) -> bool:
    return os.path.isfile(os.path.join(directory, name))
