"""Cloning an environment: the same interpreter and packages, in a place of its own."""

from __future__ import annotations

import os
import time

from bubble.envs.changing.relocate import path_of, relocate, rename_prompt
from bubble.envs.knowing import placing
from bubble.envs.knowing.editables import site_packages
from bubble.envs.knowing.inspect import look_at
from bubble.envs.knowing.locate import DEFAULT, is_path, require_name_free, require_own_path
from bubble.envs.making.activation import activation_scripts, prompt_text
from bubble.envs.making.duplicate import Duplicated, duplicate
from bubble.model.errors import BubbleError
from bubble.model.name import require_name
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.selection import registry
from bubble.selection.identity import hold, new_identity
from bubble.system.files import write_atomic
from bubble.system.layout import MARK
from bubble.system.pyvenv_cfg import read_configuration
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_SOUND = {"ok", "outdated", "foreign"}


class Cloned(Record):
    """The new environment, and how its files came there."""

    environment: Environment
    files: Duplicated


def clone(
    source: Environment, target: str, cwd: str, layout: Layout, *, links: bool = False
) -> Cloned:
    """Make `target`, a new name or the path of a directory that isn't there, like `source`.

    Paths in scripts and metadata are rewritten; nothing in the clone needs the original. Editable
    installs still point at their projects. A path that ends in `.venv` becomes the environment of
    the project's directory above it. With `links`, packages that environments share stay shared.
    Raises BubbleError (usage, environment, in_use) and OSError;
    then nothing has changed.
    """
    environment = _named(target, cwd, layout)
    placing.require_sayable(environment.path)
    require_own_path(environment.path, layout)
    with both_locks(layout, source.path, environment.path):
        source = registry.current(layout, source)  # it may have been made anew meanwhile
        require_sound(source, layout)
        new = environment.replace(
            interpreter=source.interpreter,
            request=source.request,
            identity=new_identity(),
            made_at=str(int(time.time())),
        )
        sweep(layout)
        _require_free(environment, layout)
        return copy_to(source, new, layout, links=links)


def copy_to(
    source: Environment, new: Environment, layout: Layout, *, links: bool = False
) -> Cloned:
    """Stage a copy of `source` with the identity of `new`, register it and publish it there.

    In that order: a record without an environment is mended by the same command, but what lies in
    the store without a record may be anybody's. The caller holds both locks and has seen that the
    place is free.
    """
    with Staging(layout, new.path) as staging:
        root = staging.path
        files = duplicate(source.path, root, links=links)
        write_atomic(f"{root}/{MARK}", f"{new.identity}\n".encode(), 0o644)
        baked = path_of(root)
        also = ((baked, new.path),) if baked not in {"", source.path} else ()
        relocate(root, source.path, new.path, projects=also)
        if source.maker != "bubble":
            _activate_anew(root, new)
        before, after = label(source), label(new)
        if before == (read_configuration(root).get("prompt") or before):
            rename_prompt(root, before, after)
        new = hold(new, layout, root)
        registry.register(layout, new)
        try:
            staging.publish()
        except BaseException:
            registry.forget(layout, new)
            raise
    return Cloned(environment=new, files=files)


def _activate_anew(root: str, new: Environment) -> None:
    """Give the clone of another tool's environment the activation scripts that bubble writes.

    Each tool quotes its own way, some by commands: what a script says of the place can't be known.
    """
    configuration = read_configuration(root)
    prefix = os.path.dirname(os.path.normpath(configuration.get("home", "/")))
    prompt = configuration.get("prompt") or label(new)
    for directory in site_packages(root):
        scripts = activation_scripts(f"{prefix}/{os.path.dirname(directory)}", new.path, prompt)
        if "activate" in scripts:  # its interpreter has the templates
            for name, text in scripts.items():
                write_atomic(f"{root}/bin/{name}", os.fsencode(text))
            return


def label(environment: Environment) -> str:
    """Return the prompt that an environment has unless somebody chose another."""
    return prompt_text(
        environment.name or os.path.basename(environment.project or environment.path)
    )


def require_sound(source: Environment, layout: Layout) -> None:
    """Raise BubbleError(environment) unless everything of an environment is there."""
    status = look_at(source, layout)
    if status.state not in _SOUND:
        raise BubbleError(
            "environment",
            f"{printable(source.title)} is not whole: {status.state} {status.detail}".rstrip(),
            hint=status.advice or "bubble info says more",
        )


class both_locks:  # noqa: N801 - used as a function
    """Hold the locks of two places (absolute paths), taken in an order that all agree on."""

    def __init__(self, layout: Layout, first: str, second: str) -> None:
        locks = {lock.path: lock for lock in (placing.lock(layout, p) for p in (first, second))}
        self._locks = [locks[path] for path in sorted(locks)]
        self._held = 0

    def __enter__(self) -> None:
        try:
            for lock in self._locks:
                lock.__enter__()
                self._held += 1
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._held:
            self._held -= 1
            self._locks[self._held].__exit__(None, None, None)


def _named(target: str, cwd: str, layout: Layout) -> Environment:
    if not is_path(target):
        return registry.Environment(path=f"{layout.envs}/{require_name(target)}", name=target)
    path = os.path.normpath(os.path.join(cwd, os.path.expanduser(target)))
    parent, name = os.path.split(path)
    if parent == layout.envs:
        return registry.Environment(path=path, name=require_name(name))
    if not os.path.isdir(parent) or "\n" in path:
        raise BubbleError(
            "usage",
            f"there is no directory {printable(parent)}",
            hint="make it first, or give the clone a name",
        )
    if name != DEFAULT:
        return registry.Environment(path=path)
    project = os.path.realpath(parent)
    return registry.Environment(path=f"{project}/{name}", project=project)


def _require_free(new: Environment, layout: Layout) -> None:
    if new.name:
        require_name_free(new.name, new.path, layout)
    if os.path.lexists(new.path):
        shown = printable(new.title)
        raise BubbleError(
            "in_use",
            f"{shown} is there already",
            hint="choose another place, or another name; see those that there are: bubble list",
        )
