"""Which environments this user has, wherever they lie: one small record each.

A record's file name tells what is asked for most: `n.<name>` for a named environment, `p.<dir>`
for the one of a project's directory. Only what is registered is ever used because a directory or
a version file says so. Making and removing environments is the business of `bubble.envs`.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.system.files import (
    as_file_name,
    fast_sha256,
    fsync_directory,
    make_directory,
    names_in,
    temporaries,
    unlink_quietly,
)
from bubble.system.files import write_atomic as _write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

_FORMAT = "bubble environment 1"
_UNFINISHED = ".unfinished"
_LONGEST = 200  # characters of a file name, escapes included
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_LARGEST = 1 << 15  # bytes of a record: four paths, and what people call things


class Environment(Record):
    """One registered environment.

    `path` is its absolute directory, `name` what it is called ("" for a project's), `project` the
    absolute directory that it belongs to ("" for a named one). `interpreter` is the absolute
    prefix that it was made against: a minor link (`…/pythons/3.11`) or an exact build. `request`
    is what was asked for. `maker` is "bubble" or the tool that made it; `identity` is what proves
    that something is this environment (`selection.identity`). `made_at` is in seconds (epoch).
    `inode` is the number of its mark's file, "" where the store has no link to that.
    """

    path: str
    name: str = ""
    project: str = ""
    interpreter: str = ""
    request: str = ""
    maker: str = "bubble"
    identity: str = ""
    made_at: str = "0"
    inode: str = ""

    @property
    def title(self) -> str:
        """What people call it: its name, or its path."""
        return self.name or self.path


_FIELDS = frozenset(Environment._fields)
_TEXT = "\n".join([_FORMAT, *(f"{name} %s" for name in Environment._fields), ""])
_SLICES = [(name, slice(len(name) + 1, None)) for name in Environment._fields]  # of a line


def of_directory(layout: Layout, directory: str) -> Environment | None:
    """Return the environment registered for an absolute directory, spelled just so.

    Projects are registered by their real paths; `selection.directory` knows them by every other.
    """
    return _read(f"{layout.registry}/{project_file(directory)}")


def of_name(layout: Layout, name: str) -> Environment | None:
    """Return the environment of a name."""
    return _read(f"{layout.registry}/n.{name}") if name and "/" not in name else None


def called(layout: Layout, name: str) -> Environment | None:
    """Return the environment that a name means: this user's, or else the one of the system's store.

    Of that only what lies in it: what else an administrator has is the administrator's.
    """
    found = of_name(layout, name)
    if found is None and _is_open(layout):
        shared = of_name(layout.beneath, name)
        found = shared if shared and _is_shared(shared, layout) else None
    return found


def shared_environments(layout: Layout) -> list[Environment]:
    """Return the named environments of the system's store, less those of a name of this one."""
    if not _is_open(layout):
        return []
    shared = [e for e in environments(layout.beneath) if _is_shared(e, layout)]
    return [e for e in shared if of_name(layout, e.name) is None]


def _is_open(layout: Layout) -> bool:
    """Whether the system's records can be read: a store may be for a group alone."""
    return bool(layout.system) and os.access(layout.beneath.registry, os.R_OK | os.X_OK)


def _is_shared(environment: Environment, layout: Layout) -> bool:
    return bool(environment.name) and environment.path.startswith(f"{layout.beneath.envs}/")


def of_file(layout: Layout, name: str) -> Environment | None:
    """Return the environment of a record's file name."""
    return _read(f"{layout.registry}/{name}")


def environments(layout: Layout) -> list[Environment]:
    """Return every registered environment: the named ones by name, then the projects' by path."""
    try:
        directory = os.open(layout.registry, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        names = os.listdir(directory)
        # a record's file name begins with `n.` or `p.`, a writer's leftover with a dot
        named = sorted([name for name in names if name[0] == "n"])
        others = [name for name in names if name[0] == "p"]
        found = [e for name in named if (e := _read(name, directory))]
        rest = [e for name in others if (e := _read(name, directory))]
    finally:
        os.close(directory)
    return found + sorted(rest, key=lambda e: e.path)


def of_commands(layout: Layout) -> list[Environment]:
    """Return the environments whose commands people may type: those of scripts are the scripts'."""
    own = [e for e in environments(layout) if not is_of_script(e.path, layout)]
    return own + shared_environments(layout)


def is_of_script(path: str, layout: Layout) -> bool:
    """Whether the environment at an absolute path is one that scripts share."""
    return path.startswith(f"{layout.scripts}/")


def current(layout: Layout, environment: Environment) -> Environment:
    """Return what is registered now where `environment` was read; itself when that is gone.

    For whoever has got the lock: another process may have replaced it meanwhile.
    """
    known = _read(f"{layout.registry}/{_file(environment)}")
    return known if known and known.path == environment.path else environment


def register(layout: Layout, environment: Environment) -> None:
    """Write an environment's record, durably; replaces the one of the same name or directory."""
    before = _read(record_path(layout, environment))
    _store(layout, environment, _file(environment))
    _drop_mark(layout, before, environment.identity)


def prepare(layout: Layout, environment: Environment) -> None:
    """Write down, durably, what `register` will say once the environment is in its place.

    Nobody reads it as a record. A creation that is killed in between is known by it: `unfinished`.
    """
    _store(layout, environment, _pending(environment))


def unfinished(layout: Layout, environment: Environment) -> Environment | None:
    """Return what was prepared for the same name or directory, and never registered."""
    return _read(f"{layout.registry}/{_pending(environment)}")


def all_unfinished(layout: Layout) -> list[tuple[str, Environment]]:
    """Return everything that was prepared and not registered, each with its file (absolute)."""
    try:
        names = sorted(os.listdir(layout.registry))
    except FileNotFoundError:
        return []
    paths = [f"{layout.registry}/{n}" for n in names if n[0] == "." and n.endswith(_UNFINISHED)]
    return [(path, found) for path in paths if (found := _read(path))]


def register_prepared(layout: Layout, environment: Environment) -> None:
    """Make what was prepared the record, in one step and durably."""
    before = _read(record_path(layout, environment))
    pending = f"{layout.registry}/{_pending(environment)}"
    os.rename(pending, record_path(layout, environment))
    fsync_directory(layout.registry)
    _drop_mark(layout, before, environment.identity)


def abandon(layout: Layout, environment: Environment) -> None:
    """Drop what was prepared."""
    begun = unfinished(layout, environment)
    unlink_quietly(f"{layout.registry}/{_pending(environment)}")
    _drop_mark(layout, begun)


def forget(layout: Layout, environment: Environment) -> None:
    """Remove an environment's record; nothing happens to the environment."""
    before = _read(record_path(layout, environment))
    unlink_quietly(record_path(layout, environment))
    if os.path.isdir(layout.registry):
        fsync_directory(layout.registry)
    _drop_mark(layout, before)


def useless_marks(layout: Layout) -> list[str]:
    """Return the absolute paths of the links to marks that no record has any more."""
    found = [*environments(layout), *(begun for _, begun in all_unfinished(layout))]
    known = {environment.identity for environment in found}
    return [f"{layout.marks}/{name}" for name in names_in(layout.marks) if name not in known]


def _drop_mark(layout: Layout, before: Environment | None, now: str = "") -> None:
    """Drop the link to the mark of what was registered, unless another record has it too.

    `now` is the identity of what is registered in its place.
    """
    if before is None or before.identity == now:
        return
    path = f"{layout.marks}/{before.identity}"
    if os.path.lexists(path) and path in useless_marks(layout):
        unlink_quietly(path)


def _store(layout: Layout, environment: Environment, name: str) -> None:
    values = environment.values()
    assert not any("\n" in str(value) for value in values), values
    make_directory(layout.registry)
    data = os.fsencode(_TEXT % values)
    assert len(data) < _LARGEST, len(data)
    for leftover in temporaries(layout.registry, name):  # only the lock's holder writes these
        unlink_quietly(leftover)
    _write(f"{layout.registry}/{name}", data, durable=True)


def is_known_to_shims(directory: str) -> bool:
    """Whether sh can make the name of a directory's record: not where it stands for a long path."""
    return not project_file(directory).startswith("p.#")


def record_path(layout: Layout, environment: Environment) -> str:
    """Return the absolute path of an environment's record."""
    return f"{layout.registry}/{_file(environment)}"


def _file(environment: Environment) -> str:
    if environment.name:
        return f"n.{environment.name}"
    return project_file(environment.project or environment.path)


def _pending(environment: Environment) -> str:
    return f".{_file(environment)}{_UNFINISHED}"


def project_file(directory: str) -> str:
    """Return the record's file name for a project's directory (absolute); shim.sh makes the same.

    One of a long path has another form, which only begins with `p.#`.
    """
    escaped = as_file_name(directory)
    if len(os.fsencode(escaped)) <= _LONGEST:
        return f"p.{escaped}"
    return f"p.#{fast_sha256(os.fsencode(directory))}"


def _read(path: str, directory: int | None = None) -> Environment | None:
    try:
        descriptor = os.open(path, _FLAGS, dir_fd=directory)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:  # one read: a listing has a thousand of them
        text = os.read(descriptor, _LARGEST).decode("utf-8", "surrogateescape")
    except IsADirectoryError:
        return None
    finally:
        os.close(descriptor)
    return _parse(text)


def _parse(text: str) -> Environment | None:
    lines = text.split("\n")
    if len(lines) != len(_SLICES) + 2:
        return _parse_other(lines)
    # a listing has a thousand of them: what this version wrote takes half the time of the rest
    found = {name: line[value] for line, (name, value) in zip(lines[1:-1], _SLICES, strict=True)}
    return Environment.of(found) if text == _TEXT % tuple(found.values()) else _parse_other(lines)


def _parse_other(lines: list[str]) -> Environment | None:
    """Return what another version of bubble wrote: the fields that it has, of those known here."""
    if lines[0] != _FORMAT or lines[-1]:
        return None
    try:
        known = dict([line.split(" ", 1) for line in lines[1:-1]])
    except ValueError:
        return None
    if "path" not in known:
        return None
    if not _FIELDS.issuperset(known):  # a newer bubble's
        known = {n: v for n, v in known.items() if n in _FIELDS}
    return Environment(**known)
