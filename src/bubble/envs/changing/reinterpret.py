"""Giving an environment another interpreter: of the same minor in place, of another one anew."""

from __future__ import annotations

import os

from bubble.envs.changing.registering import is_same
from bubble.envs.exchange.export import distributions, exported
from bubble.envs.making.carry import carriable
from bubble.envs.making.create import base_of
from bubble.envs.making.make import Plan, make
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons.installed import store
from bubble.selection import registry
from bubble.selection.answers import request_of
from bubble.system.files import link_atomic, read_text, write_atomic
from bubble.system.pyvenv_cfg import read_configuration, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.envs.making.create import Base
    from bubble.pythons.installed.store import Installation
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.selection.sources import Choice as Asked
    from bubble.system.layout import Layout


class Choice(Record):
    """The installation for an environment: `exact` as in `base_of`."""

    installation: Installation
    exact: bool
    base: Base


def works(environment: Environment) -> bool:
    """Whether an environment's interpreter is there, as far as its files tell."""
    path = environment.path
    home = read_configuration(path).get("home", "")
    return os.path.exists(f"{path}/bin/python") and os.path.isdir(home)


def is_anothers(environment: Environment, layout: Layout) -> bool:
    """Whether an environment that a bubble made runs an interpreter that this store doesn't know.

    That is another store's, whose owner can't know of it, or one that nobody registered.
    """
    if environment.maker != "bubble":
        return False
    directory = os.path.dirname(environment.interpreter)
    return not any(directory == shelf or is_same(directory, shelf) for shelf in layout.shelves)


def wanted(asked: Asked, world: World) -> str:
    """Return the first request of a source, in the order of its lines, that can be satisfied.

    The first that an environment could be made for, where none can.
    """
    texts = [e.text for e in asked.entries if request_of(e, asked.source).is_python]
    for text in texts:
        if store.matching(world.layout, parse_request(text), world.platform):
            return text
    if texts:
        return texts[0]
    raise BubbleError(
        "environment",
        f"{asked.source} asks for no Python that an environment could be made of",
        hint="ask for a version: bubble use VERSION",
    )


def choose(environment: Environment, world: World) -> Choice:
    """Return the newest installation that satisfies what an environment was made for.

    One that its packages can stay for is preferred. What another tool made was made for whatever
    patch release was there, so any of its minor serves. Raises BubbleError(not_installed).
    """
    text = environment.request or version_of(read_configuration(environment.path)) or "3"
    request = parse_request(text)
    found = store.matching(world.layout, request, world.platform)
    if not found and environment.maker != "bubble" and request.is_exact:
        request = request.replace(text=text.rpartition(".")[0], release=request.release[:2])
        found = store.matching(world.layout, request, world.platform)
    if not found:
        raise store.not_installed(world.layout, request, world.platform)
    choices = [
        Choice(
            installation=installation,
            exact=request.is_exact,
            base=base_of(installation, exact=request.is_exact),
        )
        for installation in found
    ]
    return next((c for c in choices if fits(environment.path, c.base)), choices[0])


def fits(path: str, base: Base) -> bool:
    """Whether the packages in the environment at `path` are for this interpreter's minor."""
    return os.path.isdir(f"{path}/lib/{os.path.basename(base.stdlib)}/site-packages")


def relink(environment: Environment, base: Base, world: World) -> Environment:
    """Let an environment use `base`, of the minor that it has, and return its new record.

    The caller holds its lock. `bin/python` comes last: until then it is as broken as before.
    """
    path = environment.path
    version = str(base.installation.key.version)
    values = {"home": base.home, "executable": base.executable, "version": version}
    values |= {"base-prefix": base.link, "base-exec-prefix": base.link}  # virtualenv's
    values["base-executable"] = base.executable
    lines = (read_text(f"{path}/pyvenv.cfg") or "").splitlines()
    fresh = [_configured(line, {**values, "version_info": version}) for line in lines]
    if not any(line.partition("=")[0].strip().lower() == "home" for line in lines):
        fresh = [f"home = {base.home}", f"version_info = {version}", *fresh]
    write_atomic(f"{path}/pyvenv.cfg", "".join(f"{line}\n" for line in fresh).encode(), 0o644)
    os.makedirs(f"{path}/bin", exist_ok=True)
    short = os.path.basename(base.executable)
    names = {"python3", short, *os.listdir(f"{path}/bin")}
    for name in sorted(names - {"python"}):
        link = f"{path}/bin/{name}"
        if name.startswith(("python", "pypy")) and _is_stale(link):
            link_atomic("python", link)
    link_atomic(base.executable, f"{path}/bin/python")
    new = environment.replace(interpreter=base.link)
    registry.register(world.layout, new)
    return new


def make_again(
    environment: Environment, choice: Choice, world: World, *, installer: str, show: bool
) -> Environment:
    """Make an environment anew for another minor, with the packages that it has.

    The old one stays until the new one works, and working trees in it go along. Raises
    BubbleError as `make` does.
    """
    path = environment.path
    if environment.maker != "bubble":
        raise BubbleError(
            "environment",
            f"{printable(path)} needs another minor version, and {environment.maker} made it",
            hint=f"make it again with {environment.maker}, or move it away and: bubble create",
        )
    configuration = read_configuration(path)
    arguments: list[str] = []
    for distribution in exported(path):
        editable = bool(distribution.project)
        arguments += ["-e", distribution.project] if editable else [distribution.requirement]
    plan = Plan(
        path=path,
        name=environment.name,
        project=environment.project,
        installation=choice.installation,
        request=environment.request,
        exact=choice.exact,
        prompt=configuration.get("prompt", ""),
        pip=any(d.canonical == "pip" for d in distributions(path)),
        system_site_packages=configuration.get("include-system-site-packages") == "true",
        force=True,
        arguments=tuple(arguments),
        carried=carriable(path),
        installer=installer,
    )
    return make(plan, world, show=show)


def _configured(line: str, values: dict[str, str]) -> str:
    name, equals, _ = line.partition("=")
    key = name.strip().lower()
    return f"{name.strip()} = {values[key]}" if equals and key in values else line


def _is_stale(link: str) -> bool:
    """Whether an interpreter's other name leads anywhere but to `bin/python`."""
    if not os.path.lexists(link):
        return True
    return os.path.islink(link) and (os.path.isabs(os.readlink(link)) or not os.path.exists(link))
