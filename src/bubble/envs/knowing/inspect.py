"""What is known about environments: of all of them at a glance, of one everything.

The glance costs one small read and two stats for each, and never runs anything.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.model.text import shell_word
from bubble.selection.belonging import PLACE
from bubble.selection.identity import is_itself, mark_of, reached
from bubble.selection.registry import Environment, environments, shared_environments
from bubble.system.directory import upwards
from bubble.system.gone import barred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bubble.system.layout import Layout

# state → the command that mends it; {} is what the environment is called
MENDING = {
    "ok": "",
    "foreign": "",  # made by another tool, and works
    "outdated": "",  # made for an exact patch: a newer one is installed, and that's no fault
    "broken": "bubble repair {}",  # its own link to the interpreter, or its configuration, is gone
    "interpreter missing": "bubble repair {}",
    "missing": "bubble remove {}",  # its directory is gone
    "closed": "",  # it or its interpreter may be there, and this user may not look
    "moved": "bubble repair {}",
    "copied": "bubble repair {}",
    "replaced": "bubble adopt {}",  # another environment lies where it was
    "unregistered": "bubble repair {}",  # the store made it and has no record of it
}


# state → what only the user can know, and must before mending it: a mark can have been copied
CONDITIONS = {
    "moved": "if you moved it there",
    "copied": "if you copied it there",
    "replaced": "if you trust what is there",
}


class Status(Record):
    """An environment and how it does.

    `state` is one of MENDING. `python` is the installation's short name (`cpython-3.11.9`), or
    what is known of it. `detail` is what the state is about: where a moved one lies now, which
    newer patch there is. `used_at` is when its interpreter last started, as far as the file
    system tells, in whole seconds since the epoch: 0 if it never did or nobody can know.
    """

    environment: Environment
    state: str
    python: str = ""
    detail: str = ""
    used_at: int = 0

    @property
    def mend(self) -> str:
        """The command that mends it, or ""."""
        moved = self.state == "moved"
        return MENDING[self.state].format(
            shell_word(self.detail if moved else self.environment.title)
        )

    @property
    def advice(self) -> str:
        """The command that mends it, with what the user must know before it, or ""."""
        if not self.mend:
            return ""
        condition = CONDITIONS.get(self.state, "")
        return f"mend it, {condition}: {self.mend}" if condition else f"mend it: {self.mend}"


def look_at_all(layout: Layout, cwd: str) -> list[Status]:
    """Return how every registered environment does, and those found in `cwd` or the store.

    What was moved or copied is noticed from the directory that it is in now, or the store.
    """
    known = environments(layout)
    look = _Look(layout)
    found = [look.at(environment) for environment in known]
    if len({e.identity for e in known}) < len(known):
        found = _without_twins(found)
    found = [_as_a_copy(status, known) for status in found]
    strays = dict(_strays(layout, cwd, known))
    if not strays:
        return found
    homeless = {s.environment.identity: n for n, s in enumerate(found) if s.state == "missing"}
    for path, identity in strays.items():
        number = homeless.get(identity)
        if number is not None:
            found[number] = found[number].replace(state="moved", detail=path)
            continue
        original = next((e for e in known if e.identity == identity), None)
        if original and reached(path, layout):
            continue  # the same one, seen through a link or a mount
        if original is None and not _is_lost(path, identity, layout):
            continue  # a mark that anybody may have written: another's
        stray = Environment(path=path, identity=identity)
        state = "copied" if original else "unregistered"
        detail = original.title if original else ""
        found.append(look.at(stray).replace(state=state, detail=detail))
    return found


def look_at_shared(layout: Layout) -> list[Status]:
    """Return how the named environments of the system's store do, that a user can name."""
    look = _Look(layout)
    return [look.at(environment) for environment in shared_environments(layout)]


def look_at(environment: Environment, layout: Layout) -> Status:
    """Return how one registered environment does."""
    status = _Look(layout).at(environment)
    if layout.is_beneath(environment.path):
        return status
    return _as_a_copy(status, environments(layout)) if status.state == "replaced" else status


class _Look:
    """The glance; what many environments share is looked up once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._shelves = layout.shelves
        self._seen: dict[str, tuple[str, bool, str]] = {}

    def at(self, environment: Environment) -> Status:
        path = environment.path
        known = self._seen.get(environment.interpreter)
        python, present, newer = known or self._interpreter(environment.interpreter)
        ours = environment.maker == "bubble"
        state, detail, used_at = "ok" if ours else "foreign", "", 0
        try:
            configuration = os.stat(f"{path}/pyvenv.cfg")
            at = configuration.st_atime
            used_at = int(at) if at > configuration.st_mtime else 0
            if not is_itself(environment, self._layout.holding(path)):
                state = "replaced"
            elif not os.access(f"{path}/bin/python", os.F_OK):
                state = self._fault(environment, present=present)
            elif newer:
                state, detail = "outdated", newer
        except OSError:
            state = self._fault(environment, present=present)
        if state == "closed":
            detail = barred(f"{path}/bin/python")
        return Status.of(
            {
                "environment": environment,
                "state": state,
                "python": python,
                "detail": detail,
                "used_at": used_at,
            }
        )

    def _fault(self, environment: Environment, *, present: bool) -> str:
        path = environment.path
        if barred(f"{path}/bin/python"):
            return "closed"
        if not os.path.isdir(path):
            return "missing"
        if environment.maker == "bubble" and not is_itself(environment, self._layout):
            return "replaced"  # whatever else is wrong with it, it isn't ours to mend
        return "broken" if present else "interpreter missing"

    def _interpreter(self, prefix: str) -> tuple[str, bool, str]:
        """Return and note its short name, whether it is there, which newer patch is installed."""
        known = self._seen[prefix] = self._look_up(prefix)
        return known

    def _look_up(self, prefix: str) -> tuple[str, bool, str]:
        present = bool(prefix) and os.path.exists(f"{prefix}/bin/python")
        directory, name = os.path.split(prefix)
        if directory not in self._shelves:
            return prefix, present, ""
        key = _link(prefix) or name
        newest = _link(f"{directory}/{_minor(key)}")
        newer = newest if key == name and _is_newer(newest, key) else ""
        return _short(key), present, _short(newer)


def _without_twins(found: list[Status]) -> list[Status]:
    """Mark environments of one identity: a renaming was interrupted, or somebody copied one."""
    owners: dict[str, list[Status]] = {}
    for status in found:
        if status.environment.identity and status.state in {"ok", "outdated"}:
            owners.setdefault(status.environment.identity, []).append(status)
    marked = {
        status: status.replace(state="copied", detail=twins[1 - n].environment.title)
        for twins in owners.values()
        if len(twins) == 2
        for n, status in enumerate(twins)
    }
    return [marked.get(status, status) for status in found]


def _as_a_copy(status: Status, known: Sequence[Environment]) -> Status:
    """Tell what lies in another one's place and is a copy of one that is known: it is ours."""
    if status.state != "replaced":
        return status
    identity, path = mark_of(status.environment.path), status.environment.path
    original = next((e for e in known if e.identity == identity != "" and e.path != path), None)
    if original is None:
        return status
    return status.replace(state="copied", detail=original.title)


def _is_lost(path: str, identity: str, layout: Layout) -> bool:
    from bubble.envs.knowing.ownership import is_lost

    return is_lost(path, identity, layout)


def _strays(layout: Layout, cwd: str, known: Sequence[Environment]) -> Iterator[tuple[str, str]]:
    """Yield path and identity of what has a mark and no record, where it was looked."""
    names = {environment.name for environment in known}
    for name in sorted(_in_store(layout) - names):
        path = f"{layout.envs}/{name}"
        if identity := mark_of(path):
            yield path, identity
    path = _in_project(cwd)
    identity = mark_of(path) if path else ""
    if identity and not any(environment.path == path for environment in known):
        yield path, identity


def _in_store(layout: Layout) -> set[str]:
    try:
        return {name for name in os.listdir(layout.envs) if name[0] != "."}  # that is scratch
    except OSError:
        return set()


def _in_project(cwd: str) -> str:
    for directory in upwards(cwd):
        path = f"{directory.rstrip('/')}/{PLACE}"
        if os.path.lexists(path):
            return path
    return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


# a key's text, taken apart by hand: a listing needs no more than that
def _short(key: str) -> str:
    return "-".join(key.split("-")[:2])


def _minor(key: str) -> str:
    """Return what the minor link of a full key is called (`model.key.Key.minor`)."""
    implementation, _, rest = key.partition("-")
    version, plus, variant = rest.partition("-")[0].partition("+")
    head = "" if implementation == "cpython" else implementation
    return f"{head}{'.'.join(version.split('.')[:2])}{plus}{variant}"


def _is_newer(key: str, than: str) -> bool:
    if not key or key == than:
        return False
    from bubble.model.errors import BubbleError
    from bubble.model.key import parse_key

    try:
        return parse_key(key).version > parse_key(than).version
    except BubbleError:
        return False
