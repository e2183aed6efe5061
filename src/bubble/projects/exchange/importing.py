"""`bubble import FILE`: another tool's file becomes a manifest, and where it is a lock, a lock.

What is there is never lost: it stops the import, or with `force` it is kept beside. Each file is
written in one step; what a killed import left is what the same command, said again, goes on from.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, without_userinfo
from bubble.projects.exchange import locking, manifest_text, pins
from bubble.projects.exchange.recognise import take
from bubble.projects.exchange.texts import SMALL, read_text, read_toml, table
from bubble.projects.exchange.writing import Written, put, require_free
from bubble.projects.locate import is_wide
from bubble.projects.manifest import DEFAULT, MANIFEST, PYPROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.exchange.taken import Held, Left, Taken
    from bubble.selection.resolve import World


_HELD = (
    "its pins are kept as constraints: it doesn't say where their files lie; bubble lock finds "
    "them, or with the hashes compared: bubble import --lock"
)
_MOST = 150  # entries of a list of the manifest; more are a file of their own
_PINNED = "its pins are used by bubble lock, which asks an index where their files lie"


class Imported(Record):
    """What came of an import: the files, what has no place in them, and what to know.

    `kind` is what the source is, `root` the project (absolute). `pinned` counts the pins of the
    source; `locked` says that they are in locks now, with their hashes.
    """

    kind: str
    root: str
    files: tuple[Written, ...]
    left: tuple[Left, ...]
    notes: tuple[str, ...]
    pinned: int
    locked: bool


def import_file(
    path: str, root: str, world: World, *, force: bool, dry_run: bool, look_up: bool
) -> Imported:
    """Take a file (absolute) of another tool over into the project at `root` (absolute, real).

    With `look_up`, an index is asked for the files of pins whose source doesn't say where they
    lie; without it, there is no network. Raises BubbleError (usage: the file isn't understood, or
    something is there already; resolution, io, …) and OSError; then what was there is as it was.
    """
    if is_wide(root, world.env.get("HOME", "")):
        raise BubbleError(
            "usage",
            f"{printable(root, 500)} can't be a project: everything else lies below it",
            hint="go to the project's directory, and import the file there",
        )
    taken = understood(path, root)
    target = _target(root)
    locks, why_not = _locks(taken, root, world)
    if locks or not taken.is_locked:
        files, final = _beside(taken, path, root, constrain=False)
    else:
        files, final = _beside(taken, path, root, constrain=True)
    notes = [*final.notes, *why_not]
    if final.is_locked and not locks:
        notes.append(_HELD if any(f.role == "constraints" for f in files) else _PINNED)
    final = final.replace(notes=tuple(dict.fromkeys(notes)))
    manifest = Written(path=target, text=_text(target, final, path), role="manifest")
    _require_readable(manifest, root)
    written = require_free([*files, manifest, *locks], force=force)
    if dry_run:
        return _imported(final, root, written, locked=bool(locks))
    put([file for file in written if file.role != "lock"])
    if look_up and final.is_locked and not locks:
        return _looked_up(final, root, world, path, written, force=force)
    done = [file for file in written if file.role != "lock"]
    lock_files = [file for file in written if file.role == "lock"]
    if lock_files:
        lock_files = locking.completed(root, lock_files, world)
        put(lock_files)
    return _imported(final, root, [*done, *lock_files], locked=bool(locks))


def understood(path: str, root: str) -> Taken:
    """Return what a file (absolute) says, as a manifest of the project at `root` can have it.

    Nothing is run, fetched or written. Raises BubbleError(usage).
    """
    taken = take(path, root)
    for held in taken.bubbles:
        for pin in held.pins:
            pins.require_name(pin)
    return _plain(_named(_checked(taken)))


def _imported(taken: Taken, root: str, files: list[Written], *, locked: bool) -> Imported:
    return Imported(
        kind=taken.kind,
        root=root,
        files=tuple(files),
        left=taken.left,
        notes=taken.notes,
        pinned=len({(p.name, p.version) for held in taken.bubbles for p in held.pins}),
        locked=locked,
    )


def _looked_up(
    taken: Taken, root: str, world: World, path: str, written: list[Written], *, force: bool
) -> Imported:
    """Ask an index for the files of the pins, then let the locks hold them instead."""
    hashes = pins.known_hashes(pin for held in taken.bubbles for pin in held.pins)
    try:
        found = locking.looked_up(root, hashes, world)
    except BubbleError as error:
        there = "the manifest is written, with the pins as constraints"
        raise error.replace_hint(f"{error.hint}; {there}" if error.hint else there) from None
    locks = require_free(found, force=force)
    put(locks)
    constraints = [file for file in written if file.role == "constraints"]
    bubbles = tuple(
        held.replace(constraints=tuple(c for c in held.constraints if not _is_ours(c)))
        for held in taken.bubbles
    )
    notes = tuple(note for note in taken.notes if note not in {_HELD, _PINNED})
    final = taken.replace(bubbles=bubbles, notes=notes)
    manifest = next(file for file in written if file.role == "manifest")
    if constraints:
        manifest = manifest.replace(text=_text(manifest.path, final, path))
        put([manifest])
        for file in constraints:
            os.unlink(file.path)
    kept = [file for file in written if file.role == "requirements"]
    return _imported(final, root, [*kept, manifest, *locks], locked=True)


def _checked(taken: Taken) -> Taken:
    """Return what was taken with a request that bubble can read, or without one, and said so."""
    from bubble.model.request import parse_request
    from bubble.projects.exchange.taken import Left

    if not taken.python:
        return taken
    try:
        if parse_request(taken.python).is_python:
            return taken
    except BubbleError:
        pass
    said = Left(what=f"python {printable(taken.python, 60)}", why="it is no request for a Python")
    return taken.replace(python="", left=(*taken.left, said))


def _named(taken: Taken) -> Taken:
    """Return what was taken, with bubbles alone whose names a manifest and its files can have."""
    from bubble.projects.checks import require_name
    from bubble.projects.exchange.taken import Left

    known: dict[str, Held] = {}
    left = list(taken.left)
    for held in taken.bubbles:
        why = ""
        try:
            require_name(held.name, held.name, lambda w, h: BubbleError("usage", w, hint=h))
        except BubbleError as error:
            why = error.message
        if why or held.name in known:
            what = f"group {printable(held.name, 60)}"
            left.append(Left(what=what, why=why or "another one is called the same", pinned=True))
        else:
            known[held.name] = held
    return taken.replace(bubbles=tuple(known.values()), left=tuple(left))


def _plain(taken: Taken) -> Taken:
    """Return what was taken with no user or password in what is said of it, whoever said it."""
    return taken.replace(
        left=tuple(left.replace(what=without_userinfo(left.what)) for left in taken.left),
        notes=tuple(without_userinfo(note) for note in taken.notes),
    )


def _require_readable(manifest: Written, root: str) -> None:
    """Raise BubbleError(manifest) where the manifest wouldn't be one; nothing is written yet."""
    from bubble.projects.reading import project_from
    from bubble.projects.toml import parse_document, read_document

    document = parse_document(manifest.path, manifest.text.encode())
    if os.path.basename(manifest.path) == PYPROJECT:
        project_from(root, None, document)
    else:
        project_from(root, document, read_document(f"{root}/{PYPROJECT}"))


def _target(root: str) -> str:
    """Return where the manifest belongs: where there is one, else in the project's own file."""
    own, pyproject = f"{root}/{MANIFEST}", f"{root}/{PYPROJECT}"
    if os.path.lexists(own) or not os.path.isfile(pyproject):
        return own
    read = read_toml(pyproject, SMALL)
    has_one = "bubble" in table(read.get("tool"))
    return pyproject if has_one or "project" in read else own


def _text(target: str, taken: Taken, path: str) -> str:
    name = os.path.basename(path)
    if os.path.basename(target) == PYPROJECT:
        return manifest_text.merge(read_text(target, SMALL), taken, name)
    return manifest_text.render(taken, name)


def _is_ours(name: str) -> bool:
    return name.startswith("constraints.imported.")


def _beside(taken: Taken, path: str, root: str, *, constrain: bool) -> tuple[list[Written], Taken]:
    """Return the files that the manifest names, and what was taken with their names in it."""
    files: list[Written] = []
    bubbles: list[Held] = []
    head = f"# Taken over from {printable(os.path.basename(path), 80)} by bubble import.\n"
    known: dict[str, set[str]] = {}
    for held in taken.bubbles:
        middle = "" if held.name == DEFAULT else f"{held.name}."
        if len(held.dependencies) > _MOST:
            listed = (*held.lines, *held.dependencies)
            held = held.replace(lines=listed, dependencies=())  # noqa: PLW2901 - goes on
        if held.lines:
            name = f"requirements.imported.{middle}txt"
            text = head + "".join(f"{line}\n" for line in held.lines)
            files.append(Written(path=f"{root}/{name}", text=text, role="requirements"))
            held = held.replace(requirements=(*held.requirements, name))  # noqa: PLW2901 - goes on
        itself = taken.kind == "requirements" and held.requirements
        if constrain and held.pins and not itself:
            # a bubble has the constraints of what it extends: its own are the others
            own = [pin for pin in held.pins if not _held_by(pin.name, held, known)]
            known[held.name] = {pin.name for pin in held.pins}
            name = f"constraints.imported.{middle}txt"
            lines = pins.constraints(own)
            if lines:
                text = head + "".join(f"{line}\n" for line in lines)
                files.append(Written(path=f"{root}/{name}", text=text, role="constraints"))
                held = held.replace(constraints=(*held.constraints, name))  # noqa: PLW2901
        bubbles.append(held)
    return files, taken.replace(bubbles=tuple(bubbles))


def _held_by(name: str, held: Held, known: dict[str, set[str]]) -> bool:
    return bool(held.extends) and name in known.get(held.extends, ())


def _locks(taken: Taken, root: str, world: World) -> tuple[list[Written], list[str]]:
    """Return the locks of a source that says where files lie, and why there are none."""
    if not taken.is_locked:
        return [], []
    every = [pin for held in taken.bubbles for pin in held.pins]
    for pin in every:  # a lock without hashes is no lock: said before anything else
        pins.require_whole(pin)
    missing = [left.what for left in taken.left if left.pinned]
    if missing:
        return [], [f"no lock was made, since it would lack {', '.join(missing[:5])}"]
    if not pins.is_placed(every):
        return [], []
    if why := locking.unavailable_python(taken, root, world):
        return [], [why]
    name = locking.project_name(root)
    default = taken.bubbles[0]
    found: list[Written] = []
    for held in taken.bubbles:
        if not held.pins:  # nothing of it was locked: that is for bubble lock
            continue
        middle = "" if held.name == DEFAULT else f"{held.name}."
        how = held.project or (default.project if held.extends else "")
        text = pins.pylock(
            held.pins, taken.requires_python, name if how in {"editable", "built"} else ""
        )
        found.append(Written(path=f"{root}/pylock.{middle}toml", text=text, role="lock"))
    return found, []
