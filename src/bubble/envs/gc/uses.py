"""Who uses which installed interpreter, as far as anybody can know.

Environments by their records and by their links; directories, by what they select today; the
global pin and shells; unregistered environments in the `.venv` and `venv` of known directories;
and processes that run one now (Linux). What lies in a directory that bubble was never called in
is not known.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.pythons import store
from bubble.selection.known import ALIAS_DAYS, known_directories, shell_requests
from bubble.selection.registry import environments
from bubble.selection.resolve import World, select
from bubble.selection.sources import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.pythons.install import Machine


def uses(machine: Machine) -> dict[str, list[str]]:
    """Return the full key of each installation that is used → who uses it, in words."""
    layout = machine.layout
    prefixes = {os.path.realpath(i.prefix): str(i.key) for i in store.installations(layout)}
    found: dict[str, list[str]] = {}
    for prefix, who in _all(machine):
        key = prefixes.get(prefix)
        if key and who not in found.setdefault(key, []):
            found[key].append(who)
    for program, who in _programs(machine):
        head = f"{os.path.realpath(layout.pythons)}/"
        key = prefixes.get(head + program.removeprefix(head).partition("/")[0])
        if program.startswith(head) and key and who not in found.setdefault(key, []):
            found[key].append(who)
    return found


def _all(machine: Machine) -> Iterator[tuple[str, str]]:
    """Yield prefixes (real paths) and who uses them."""
    for environment in environments(machine.layout):
        yield os.path.realpath(environment.interpreter), environment.title
    quiet = {name: value for name, value in machine.env.items() if name != VARIABLE}
    for directory in known_directories(machine.layout):
        if os.path.isdir(directory):
            yield from _selected(directory, quiet, machine, directory)
    yield from _selected("/", quiet, machine, "the global pin")
    asked = [text for text, _, days in shell_requests(machine.layout) if days < ALIAS_DAYS]
    for text in {machine.env.get(VARIABLE, ""), *asked} - {""}:
        yield from _selected("/", {**quiet, VARIABLE: text}, machine, f"{VARIABLE}={text}")


def _selected(
    directory: str, env: Mapping[str, str], machine: Machine, who: str
) -> Iterator[tuple[str, str]]:
    world = World(cwd=directory, env=env, layout=machine.layout, platform=machine.platform)
    try:
        selection = select(world)
    except BubbleError:
        return  # what can't be chosen isn't used
    for answer in selection.answers:
        yield os.path.realpath(answer.prefix), who


def _programs(machine: Machine) -> Iterator[tuple[str, str]]:
    """Yield interpreters (real paths) that environments link to or processes run, and whose."""
    for environment in environments(machine.layout):
        yield os.path.realpath(f"{environment.path}/bin/python"), environment.title
    for directory in known_directories(machine.layout):
        for name in (".venv", "venv"):
            path = f"{directory.rstrip('/')}/{name}"
            if os.path.lexists(f"{path}/pyvenv.cfg"):
                yield os.path.realpath(f"{path}/bin/python"), path
    try:
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return
    for number in numbers:
        try:
            yield os.readlink(f"/proc/{number}/exe"), f"process {number}"
        except OSError:
            continue
