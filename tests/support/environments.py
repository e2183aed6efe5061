"""Environments of real interpreters, made by the command line, with packages installed offline."""

from __future__ import annotations

import os
import sys

from support.builds import interpreters
from support.compiled_pip import adopted, compile_pip
from support.needs import not_here
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import Result

    Bubble = Callable[..., Result]


def adopt_python(bubble: Bubble, minor: str = "") -> str:
    """Adopt this machine's newest interpreter (≥ 3.9), or that of a minor; return its version."""
    found = [(v, p) for v, p in interpreters() if not v.startswith("3.8.")]
    found = [(v, p) for v, p in found if v.startswith(f"{minor}." if minor else "3.")]
    if not found and minor:
        not_here(f"no CPython {minor}")
    prefix = found[-1][1] if found else sys.base_prefix
    done = bubble("python", "adopt", prefix, "--json")
    assert done.status == 0, done.err + done.out
    interpreter = adopted(done.out, prefix)
    compile_pip(os.environ, interpreter)
    return interpreter.version


def create(bubble: Bubble, name: str = "", *arguments: str, cwd: str | None = None) -> str:
    """Make an environment, a project's when it has no name, and return its path."""
    given = {} if cwd is None else {"cwd": cwd}
    done = bubble("create", *([name] if name else []), *arguments, **given)
    assert done.status == 0, done.err + done.out
    return done.out.strip()


def install(bubble: Bubble, path: str, directory: object, name: str, version: str = "1.0") -> None:
    """Install a small wheel with a console script of its name into the environment at `path`."""
    built = wheel(str(directory), name, version, script=name)
    done = bubble("run", path, "pip", "install", "--no-index", "--no-deps", built)
    assert done.status == 0, done.err + done.out


def with_tool(bubble: Bubble, directory: object, name: str = "", cwd: str | None = None) -> str:
    """Make an environment of an adopted interpreter, with pip and a package `tool` 1.0.

    `directory` is where the package is built. Returns the environment's path.
    """
    adopt_python(bubble)
    path = create(bubble, name, cwd=cwd)
    install(bubble, path, directory, "tool")
    return path


def says(path: str, command: str, env: Mapping[str, str] | None = None) -> str:
    """Return what a command of the environment at `path` prints, run by its own path."""
    import subprocess

    done = subprocess.run(
        [f"{path}/bin/{command}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=env,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def prefix_of(path: str) -> str:
    """Return `sys.prefix` as the environment's pip script sees it: its `#!` line decides."""
    import subprocess

    done = subprocess.run(
        [f"{path}/bin/python", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def names_in(root: str, text: str) -> list[str]:
    """Return the text files below `root` (byte code left out), relative to it, that have `text`."""
    found = []
    for directory, _, names in os.walk(root):
        for name in names:
            path = f"{directory}/{name}"
            if name.endswith(".pyc") or os.path.islink(path):
                continue
            with open(path, "rb") as file:
                if text.encode() in file.read():
                    found.append(os.path.relpath(path, root))
    return sorted(found)


def files(root: str) -> dict[str, tuple[object, ...]]:
    """Return path → (mode, content or link target) for all below `root`."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, directories, names in os.walk(root):
        for name in (*directories, *names):
            path = f"{directory}/{name}"
            content: object = None
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, root)] = (os.lstat(path).st_mode, content)
    return found
