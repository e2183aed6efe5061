"""Adopting an environment that another tool made: registered where it is, and marked."""

from __future__ import annotations

import os
import re

from bubble.envs.knowing import placing
from bubble.envs.knowing.locate import DEFAULT, of_path, require_name_free, require_own_path
from bubble.envs.knowing.maker import maker_of
from bubble.envs.knowing.ownership import MOVED, claim
from bubble.model.errors import BubbleError
from bubble.model.name import require_name
from bubble.model.text import printable, shell_word
from bubble.selection import registry
from bubble.selection.identity import hold, identify, is_itself, mark_of
from bubble.system.files import names_in
from bubble.system.pyvenv_cfg import read_configuration, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


_MINOR = re.compile(r"(?:pypy|graalpy)?3\.\d+(?:\+[a-z+]+)?")  # what a minor link is called


def adopt(text: str, cwd: str, layout: Layout, name: str = "") -> Environment:
    """Register the environment in the directory `text`, or its `.venv`, and return its record.

    With a `name` it is known under that. Without one, a `.venv` becomes the environment of the
    directory that it is in: the shims use it there. Adopting one again refreshes its record.
    One that another bubble made gets a mark that nobody else knows, and is ours from then on; its
    interpreter may be gone, and so may one of this store's that another tool made it of. One that
    was adopted before, and was moved, keeps its name.
    Raises BubbleError(environment): it is none, it can't be used (conda), or this store made it;
    (usage, in_use): the name can't be one, or is taken.
    """
    if name:
        require_name(name)
    path = examine(text, cwd, layout)
    former = of_path(path, layout)
    if former is None or former.path != path:
        found = claim(path, layout)
        former = found.original if found.state == MOVED and mark_of(path) == "" else None
    if former is not None and not name:
        name = former.name
    if name:
        require_name_free(name, former.path if former else path, layout)
    configuration = read_configuration(path)
    project = "" if name else _project_of(path)
    environment = registry.Environment(
        path=f"{project}/{DEFAULT}" if project else path,
        name=name,
        project=project,
        interpreter=interpreter_of(configuration, layout),
        request=request_of(path, configuration),
        maker="bubble" if mark_of(path) else maker_of(path, configuration),
        made_at=str(int(os.stat(f"{path}/pyvenv.cfg").st_mtime)),
    )
    with placing.lock(layout, path):
        environment = environment.replace(identity=identify(environment))
        environment = hold(environment, layout)
        registry.register(layout, environment)
        if former is not None and (former.name, former.project) != (name, project):
            registry.forget(layout, former)
    return environment


def _project_of(path: str) -> str:
    return os.path.realpath(os.path.dirname(path)) if os.path.basename(path) == DEFAULT else ""


def examine(text: str, cwd: str, layout: Layout) -> str:
    """Return the path of the environment that `adopt` would register, or raise what it would."""
    path = _environment_at(os.path.normpath(os.path.join(cwd, os.path.expanduser(text))))
    require_own_path(path, layout)
    shown = printable(path)
    if mark_of(path):
        known = of_path(path, layout)
        if known is not None and known.path == path and is_itself(known, layout):
            raise BubbleError(
                "environment", f"bubble made {shown} and knows it", hint="bubble list"
            )
        found = claim(path, layout)
        if found.is_ours:
            raise BubbleError("environment", f"{shown} {found.said}", hint=found.hint)
    elif not os.path.exists(f"{path}/bin/python") and not is_stranded(path, layout):
        raise BubbleError(
            "environment",
            f"{shown} has no working bin/python",
            hint="make it again with the tool that made it, or with bubble create",
        )
    return path


def is_stranded(path: str, layout: Layout) -> bool:
    """Whether the environment at an absolute path was made of one of this store that is gone.

    `repair` gives it another one of its minor.
    """
    home = read_configuration(path).get("home", "")
    in_store = os.path.dirname(os.path.dirname(home)) in layout.shelves
    return in_store and not os.path.isdir(home) and not os.path.exists(f"{path}/bin/python")


def interpreter_of(configuration: dict[str, str], layout: Layout) -> str:
    """Return the prefix that an environment was made against: pyvenv.cfg names its `bin`.

    The store's own name for it, where the store has it: a path that updates keep.
    """
    home = configuration.get("home", "")
    if not os.path.isabs(home):
        return ""
    prefix = os.path.dirname(os.path.normpath(home))
    if os.path.dirname(prefix) in layout.shelves:
        return prefix
    real = os.path.realpath(home)
    for shelf in layout.shelves:
        for name in reversed(names_in(shelf)):
            python = f"{shelf}/{name}/bin/python"
            same = name.count("-") >= 4 and os.path.dirname(os.path.realpath(python)) == real
            if same and _same_minor(name, version_of(configuration)):
                return f"{shelf}/{name}"
    return prefix


def request_of(path: str, configuration: dict[str, str]) -> str:
    """Return what the environment at `path` was made for, as far as its own files tell.

    A store's minor link in `home` (`…/pythons/3.12/bin`) is what it was made for, whether that is
    here or not, and a store's build stands for its version. Else one that a bubble made fits
    every patch of its minor version; another tool's is taken as it is.
    """
    version = version_of(configuration)
    prefix = os.path.dirname(os.path.normpath(configuration.get("home", "")))
    name = os.path.basename(prefix)
    is_stores = os.path.basename(os.path.dirname(prefix)) == "pythons"
    if is_stores and _MINOR.fullmatch(name):
        return name
    words = version.split(".")
    is_ours = bool(mark_of(path)) or "bubble" in configuration
    if (is_stores and name.count("-") >= 4) or not is_ours or len(words) < 3:
        return version
    minor = ".".join(words[:2])
    implementation = configuration.get("implementation", "CPython").lower()
    head = "" if implementation == "cpython" else implementation
    is_free = os.path.isdir(f"{path}/lib/python{minor}t")
    return f"{head}{minor}{'t' * is_free}"


def _same_minor(key: str, version: str) -> bool:
    """Whether a key is of a version's minor: /usr/bin may hold several."""
    return key.split("-")[1].split(".")[:2] == version.split(".")[:2]


def _environment_at(path: str) -> str:
    shown = printable(path)
    for candidate in (path, f"{path}/{DEFAULT}"):
        if os.path.isdir(f"{candidate}/conda-meta"):
            raise BubbleError(
                "environment",
                f"{printable(candidate)} is a conda environment, which only conda can manage: "
                "it holds an interpreter of its own",
                hint=f"use its Python alone: bubble python adopt {shell_word(candidate)}; "
                "or make one of ours: bubble create",
            )
        if placing.is_environment(candidate):
            if "\n" in candidate:
                break
            return candidate
    raise BubbleError(
        "environment",
        f"{shown} is no virtual environment, and has no {DEFAULT} in it",
        hint="make one there: bubble create",
    )
