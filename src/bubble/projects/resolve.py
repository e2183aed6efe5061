"""Asking a resolver which packages a bubble consists of: uv, for every platform at once.

pip's answer (`projects.pip_lock`) is for this platform alone; it is taken where it is asked for.
"""

from __future__ import annotations

import itertools
import re
import sys

from bubble.envs.tools.environment import installer_environment
from bubble.envs.tools.running import run_installer
from bubble.envs.tools.uv import uv_for
from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.projects.markers import minor_of
from bubble.projects.packages import canonical, text_of
from bubble.projects.question import LARGEST, Question, failed, write
from bubble.pythons.installed import store
from bubble.system.files import read_text, unlink_quietly
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from bubble.envs.tools.environment import InstallerEnvironment
    from bubble.projects.inputs import Inputs
    from bubble.projects.manifest import Project
    from bubble.selection.resolve import World

    class Resolver(Protocol):
        """What answers a question, as TOML has it."""

        def answer(self, question: Question) -> dict[str, Any]:
            """Return the answer; its paths start from the staging directory."""


_INDEX = re.compile(r"^\s*(?:-i|--index-url)\b", re.MULTILINE)
_LARGEST = 1 << 24  # bytes of a requirements file


def resolve(
    project: Project,
    inputs: Inputs,
    python: str,
    world: World,
    *,
    before: str,
    upgrade: Sequence[str] | None,
    build: str = "",
    installer: str = "",
    alone: bool = False,
    step: Callable[[str], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> str:
    """Return the packages' part of a lock, as TOML.

    `python` is the interpreter's version (`3.12.4`; `3.12` for all of its releases), `before` the
    lock's text until now, whose pins stay where they can, except those of `upgrade`: names, or none
    of them for all; None for nothing. `installer` is "uv", "pip" (with the interpreter of the key
    `build`, which is installed; for this platform alone) or "" (uv, fetched where there is none).
    `alone` leaves out what the packages depend on. `step` is told what happens, `note` what people
    should know.
    Raises BubbleError (resolution; download, offline: an index can't be asked; no_space; what
    `uv_for` raises).
    """
    question = Question(
        root=project.root,
        lines=inputs.lines,
        arguments=inputs.arguments,
        python=python,
        pins=_pins(before, upgrade),
        upgrade=tuple(upgrade or ()),
        alone=alone,
    )
    sweep(world.layout)
    with Staging(world.layout, f"{world.layout.home}/lock") as staging:
        if installer == "pip":
            from bubble.projects.pip_lock import Pip

            resolver: Resolver = Pip(build, world, staging, project.root)
        else:
            resolver = Uv(uv_for(world, fetch=True, tell=step), world, staging)
        step("resolving")
        packages = canonical(
            resolver.answer(question),
            base=staging.path,
            root=project.root,
            python=python,
            sha256=lambda name, url, path: hashed(resolver, question, name, url, path),
        )
    for name in packages.hidden:
        note(f"the address of {name} had a user, a password or a query, which is left out")
    return text_of(packages)


def _pins(before: str, upgrade: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """Return what stays of the lock until now; of one name maybe several versions."""
    from bubble.projects.lockfile import parse_lock

    if not before or (upgrade is not None and not upgrade):
        return ()
    try:
        lock = parse_lock(before.encode("utf-8", "surrogateescape"), "/pylock.toml", trees=False)
    except BubbleError:
        return ()
    return tuple(
        (name, version)
        for name, versions in lock.versions.items()
        if name not in (upgrade or ())
        for version in versions.split(" | ")
        if version
    )


def hashed(resolver: Resolver, question: Question, name: str, url: str, path: str) -> str:
    """Return the sha256 of a file that came without one: the resolver fetches and hashes it."""
    from urllib.parse import quote

    line = f"{name} @ {url or f'file://{quote(path)}'}"
    one = question.replace(lines=(line,), arguments=(), pins=(), upgrade=(), alone=True)
    for package in resolver.answer(one).get("packages", ()):
        if digest := package.get("archive", {}).get("hashes", {}).get("sha256"):
            return str(digest)
    shown = (url or path).partition("?")[0].rpartition("/")[2]
    raise BubbleError(
        "resolution",
        f"{name}: {printable(shown, 200)} has no sha256 in the index, and can't be hashed here",
        hint="ask whoever keeps the index for hashes (PEP 503)",
    )


class Uv:
    """uv, at work in a directory of its own."""

    def __init__(self, uv: str, world: World, staging: Staging) -> None:
        self.uv, self.world, self.staging = uv, world, staging

    def answer(self, question: Question) -> dict[str, Any]:
        """Return the answer, as TOML has it; its paths start from the staging directory."""
        import tomllib

        path = self.staging.path
        out, given = f"{path}/pylock.toml", f"{path}/requirements.in"
        unlink_quietly(out)
        if question.pins:
            write(out, _pinned(question.pins))
        write(given, "".join(f"{line}\n" for line in question.lines))
        command = [
            *(self.uv, "pip", "compile", "--universal", "--format", "pylock.toml", "--quiet"),
            *("--no-header", "--python-version", question.python, "--output-file", out),
            *("--python", python_for(minor_of(question.python), self.world)),
            *(["--no-deps"] if question.alone else []),
            *([given] if question.lines or not question.arguments else []),
            *(word for word in question.arguments if word != "-r"),  # files have no option
        ]
        for name in question.upgrade:
            command += ["--upgrade-package", name]
        environment = _environment(question, self.world)
        status, said = run_installer(
            [*command, *environment.options],
            environment.variables,
            question.root,
            show=False,
            keep=self.staging.descriptor,
        )
        if status:
            raise failed("uv", said.replace(given, "the manifest"))
        return tomllib.loads(read_text(out, LARGEST) or "")


def _environment(question: Question, world: World) -> InstallerEnvironment:
    """Return what uv is started with: the user's configuration, of pip as well."""
    words = question.arguments
    files = [path for option, path in itertools.pairwise(words) if option == "-r"]
    named = any(_INDEX.search(read_text(path, _LARGEST) or "") for path in files)
    found = installer_environment("uv", world.env, names_an_index=named)
    own = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    return found.replace(variables={**found.variables, **own})


def python_for(minor: str, world: World) -> str:
    """Return an interpreter to build with what says what it needs only when it is built.

    One of that minor version, else the one that runs bubble.
    """
    for found in store.matching(world.layout, parse_request(minor), world.platform):
        return found.executable
    return sys.executable


def _pinned(pins: Sequence[tuple[str, str]]) -> str:
    """Return a lock that says nothing but versions, which uv prefers."""
    from bubble.projects.tomltext import lines

    written = ['lock-version = "1.0"', 'created-by = "bubble"']
    for name, version in pins:
        written += ["", "[[packages]]", *lines({"name": name, "version": version})]
    return "".join(f"{line}\n" for line in written)
