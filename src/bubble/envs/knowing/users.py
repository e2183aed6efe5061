"""Who uses which installed interpreter, as far as anybody can know: the one notion of "in use".

Environments, by their records and links; those that other tools made, where they are known to lie;
what the version files of known directories and the global pin ask for; shells; Jupyter kernels;
and processes (Linux). `python uninstall`, `upgrade --prune` and `gc` ask here before they remove
one. What isn't found here may be in use all the same, by what nobody can know.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.others import environments_of_others
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import few
from bubble.pythons.installed import store
from bubble.pythons.installed.shelf import Shelf, runs_bubble
from bubble.selection.known import (
    ALIAS_DAYS,
    directory_memos,
    known_directories,
    last_answer,
    shell_requests,
)
from bubble.selection.many import Selector
from bubble.selection.registry import environments
from bubble.selection.resolve import World
from bubble.selection.sources import READERS, VARIABLE
from bubble.system.directory import upwards
from bubble.system.gone import is_gone
from bubble.system.version_file import read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bubble.pythons.installed.shelf import Place
    from bubble.pythons.installed.store import Installation
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout
    from bubble.system.machine import Machine
    from bubble.system.version_file import Entry

    Read = Callable[[str], tuple[Entry, ...] | None]

_KINDS = {
    "environment": "used by {} environment{}:",
    "kernel": "used by",
    "pin": "asked for by",
    "shell": "asked for by",
    "process": "run by",
    "bubble": "run by",
}


class Use(Record):
    """One use of an installation, given by its full key.

    `who` says it to people; `kind` is "environment" (of bubble or not), "kernel", "pin" (a version
    file, the global pin), "shell", "past" (it may have ended), "process" or "bubble". Any other
    installation that satisfies `request` serves as well; "" means this one and no other.
    `environment` is an environment's path (absolute), or ""; `is_known`, that it is registered.
    """

    key: str
    who: str
    kind: str
    request: str = ""
    environment: str = ""
    is_known: bool = False


def uses(machine: Machine, cwd: str = "/") -> list[Use]:
    """Return every use that can be known; the directory `cwd` (absolute) is known as well."""
    return list(dict.fromkeys([*_here(machine), *_in_directories(machine, cwd)]))


class Users:
    """Who uses an installation: for several of them, that are to go one after the other.

    What lies in directories, and nobody locks, is looked for at the first question alone, since
    there may be a hundred thousand; what the store knows and what runs, at each.
    """

    def __init__(self, machine: Machine, cwd: str = "/") -> None:
        self._machine = machine
        self._cwd = cwd
        self._found: list[Use] | None = None

    def of(self, key: str) -> list[str]:
        """Return in words who uses the installation of a full key."""
        if self._found is None:
            self._found = list(_in_directories(self._machine, self._cwd))
        found = [*_here(self._machine), *self._found]
        return list(dict.fromkeys(use.who for use in found if use.key == key))


def ending(leaving: Sequence[Installation], machine: Machine, cwd: str = "/") -> list[Use]:
    """Return the uses that end when some installations go together.

    What was made for the minor, or asks for it, goes on with another patch release of it, if one
    stays. A shell's request of the past ends nothing.
    """
    going = {str(i.key) for i in leaving}
    staying = [i for i in store.installations(machine.layout) if str(i.key) not in going]
    return [
        use
        for use in uses(machine, cwd)
        if use.key in going and use.kind != "past" and not _goes_on(use, staying, machine)
    ]


def in_use(leaving: Sequence[Installation], lost: Sequence[Use]) -> list[BubbleError]:
    """Return an error for each installation whose going would end uses, which names them."""
    found = ((i, [use for use in lost if use.key == str(i.key)]) for i in leaving)
    return [_in_use(installation, using) for installation, using in found if using]


def users_by_prefix(layout: Layout) -> dict[str, list[Environment]]:
    """Return the environments by the absolute prefix of the installation that they run on now.

    A minor link counts for the installation that it points at.
    """
    found: dict[str, list[Environment]] = {}
    targets: dict[str, str] = {}
    for environment in environments(layout):
        link = environment.interpreter
        if link not in targets:
            targets[link] = _target(link)
        found.setdefault(targets[link], []).append(environment)
    return found


def carried_along(installed: Iterable[Installation], layout: Layout) -> list[Environment]:
    """Return the environments that follow their minor link to one of the installations."""
    minors = {f"{layout.pythons}/{i.key.minor}" for i in installed}
    return [e for e in environments(layout) if e.interpreter in minors]


def left_behind(installed: Iterable[Installation], layout: Layout) -> list[Use]:
    """Return the processes that run another patch release of what was just installed."""
    newer = {str(i.key): (i.key.minor, i.key.platform) for i in installed}
    older = {
        str(i.key)
        for i in store.installations(layout)
        if (i.key.minor, i.key.platform) in newer.values() and str(i.key) not in newer
    }
    return [use for use in running(layout) if use.key in older] if older else []


def _goes_on(use: Use, staying: Iterable[Installation], machine: Machine) -> bool:
    if not use.request:
        return False
    request = parse_request(use.request)
    linked = use.kind in {"environment", "kernel"}  # to the minor's newest, a pre-release included
    return any(
        request.matches(i.key, machine.platform, prereleases=linked, build=store.build_of(i))
        for i in staying
    )


def _in_use(installation: Installation, found: Sequence[Use]) -> BubbleError:
    name = installation.key.name
    said = []
    for kind, words in _KINDS.items():
        who = list(dict.fromkeys(use.who for use in found if use.kind == kind))
        if who:
            said.append(f"{words.format(len(who), 's' * (len(who) > 1))} {few(who)}")
    return BubbleError(
        "in_use",
        f"{name} is {'; '.join(said)}",
        hint="change that first; to remove it all the same: "
        f"bubble python uninstall --force {installation.key}",
        details={"used_by": list(dict.fromkeys(use.environment or use.who for use in found))},
    )


def _here(machine: Machine) -> Iterator[Use]:
    """Yield the uses that the store knows of, and those by what runs."""
    shelf = Shelf(machine.layout)
    for installation in store.installations(machine.layout):
        if runs_bubble(installation, machine.layout):
            yield Use(key=str(installation.key), who="bubble itself", kind="bubble")
    yield from _environments(machine, shelf)
    yield from _shells(_Asked(machine))
    yield from running(machine.layout)


def _in_directories(machine: Machine, cwd: str) -> Iterator[Use]:
    """Yield the uses by what lies in the directories that are known, and `cwd`."""
    layout, shelf = machine.layout, Shelf(machine.layout)
    known = environments(layout)
    directories = sorted({
        *known_directories(layout),
        *(e.project for e in known if e.project),
        cwd or "/",
    })  # fmt: skip
    registered = {e.path for e in known}
    for path in environments_of_others(directories, machine.env, (layout.home, layout.cache)):
        if path not in registered:
            yield from _use_of(shelf.under(f"{path}/bin/python"), path, path)
    yield from _pins(_Asked(machine), shelf, directories)


def _environments(machine: Machine, shelf: Shelf) -> Iterator[Use]:
    """Yield what registered environments stand on by their records, and Jupyter kernels."""
    from bubble.envs.kernel import kernels

    layout = machine.layout
    paths = set()
    for environment in environments(layout):
        paths.add(environment.path)
        for place in (
            shelf.holding(environment.interpreter),  # it may lie on a disk that isn't there now
            shelf.under(f"{environment.path}/bin/python"),
        ):
            yield from _use_of(place, environment.title, environment.path, is_known=True)
    for kernel in kernels(layout, machine.env):
        if kernel.environment not in paths:
            place = shelf.under(kernel.python)
            if place:
                yield Use(
                    key=place.key,
                    who=f"the Jupyter kernel {kernel.name}",
                    kind="kernel",
                    request=place.link,
                )


def _use_of(place: Place | None, who: str, path: str, *, is_known: bool = False) -> Iterator[Use]:
    if place:
        yield Use(
            key=place.key,
            who=who,
            kind="environment",
            request=place.link,
            environment=path,
            is_known=is_known,
        )


def _pins(asked: _Asked, shelf: Shelf, directories: Iterable[str]) -> Iterator[Use]:
    machine = asked.machine
    quiet = {name: value for name, value in machine.env.items() if name != VARIABLE}
    selector = Selector()
    places: dict[str, None] = {}
    for directory in directories:
        yield from _selected(directory, quiet, machine, selector)
        for above in upwards(directory):
            if above in places:
                break
            places[above] = None
    for place in places:
        for name, read in READERS[:-1]:  # which of them a `requires-python` means: `_selected`
            path = f"{place.rstrip('/')}/{name}"
            yield from asked.by_file(path, read, path)
    yield from asked.by_file(machine.layout.global_pin, read_python_version, "the global pin")
    for directory, memo in directory_memos(machine.layout):
        if not os.path.isdir(directory) and not is_gone(directory, machine.layout.home):
            for holder in map(shelf.holding, last_answer(memo, machine.layout)):
                if holder:
                    yield Use(key=holder.key, who=f"{directory} (not there now)", kind="pin")


def _selected(
    directory: str, env: Mapping[str, str], machine: Machine, selector: Selector
) -> Iterator[Use]:
    world = World(cwd=directory, env=env, layout=machine.layout, platform=machine.platform)
    found = selector.select(world)  # what can't be chosen isn't used
    source, answers = found or (None, ())
    if source and source.kind == "file":
        for answer in answers:
            if answer.key and answer.entry:
                yield Use(key=answer.key, who=source.path, kind="pin", request=answer.entry.text)


class _Asked:
    """What is asked for somewhere; what a text means is looked up once, however many say it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._known: dict[str, str] = {}

    def by_file(self, path: str, read: Read, who: str) -> Iterator[Use]:
        """Yield what each entry of a version file means, whether the file decides or not."""
        try:
            entries = read(path) or ()
        except (BubbleError, OSError):
            return
        for entry in entries:
            yield from self.by_text(entry.text, who, "pin")

    def by_text(self, text: str, who: str, kind: str) -> Iterator[Use]:
        if text not in self._known:
            self._known[text] = self._key_of(text)
        if key := self._known[text]:
            yield Use(key=key, who=who, kind=kind, request=text)

    def _key_of(self, text: str) -> str:
        try:
            request = parse_request(text)
        except BubbleError:
            return ""
        found = store.matching(self.machine.layout, request, self.machine.platform)
        return str(found[0].key) if found else ""


def _shells(asked: _Asked) -> Iterator[Use]:
    machine = asked.machine
    now = machine.env.get(VARIABLE, "").strip()
    past = [text for text, _, days in shell_requests(machine.layout) if days < ALIAS_DAYS]
    for text, kind in [(now, "shell"), *((text, "past") for text in past)]:
        for part in text.split(":"):
            if part.strip():
                yield from asked.by_text(part.strip(), f"{VARIABLE}={text}", kind)


def running(layout: Layout) -> Iterator[Use]:
    """Yield what processes run, or have mapped: a server may have the library alone (Linux)."""
    head = f"{os.path.realpath(layout.pythons)}/"
    try:
        numbers = sorted((name for name in os.listdir("/proc") if name.isdigit()), key=int)
    except OSError:
        return
    for number in numbers:
        try:
            with open(f"/proc/{number}/maps", "rb") as file:
                maps = os.fsdecode(file.read())
        except OSError:
            continue
        own = int(number) == os.getpid()
        for key in dict.fromkeys(rest.partition("/")[0] for rest in maps.split(f" {head}")[1:]):
            yield Use(
                key=key,
                who="bubble itself" if own else f"process {number}",
                kind="bubble" if own else "process",
            )


def _target(link: str) -> str:
    if not os.path.islink(link):
        return link
    return os.path.join(os.path.dirname(link), os.readlink(link))
