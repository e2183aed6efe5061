"""Filling an environment with packages, by uv or pip: chosen, run, and what they say passed on.

The backend works in the staged environment; credentials of an index never get into messages.
"""

from __future__ import annotations

import os

from bubble.envs.exchange import pylock
from bubble.envs.making.installed import require_installed
from bubble.envs.tools.found import find_uv
from bubble.envs.tools.running import LINES, run_installer
from bubble.model.errors import BubbleError
from bubble.model.text import printable, without_userinfo
from bubble.pythons.probing.isolation import isolated, without_python
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.system.layout import Layout

# what would let an installer put things somewhere else, or run by another interpreter
_ELSEWHERE = {
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN"),
    *("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TARGET", "UV_PREFIX"),
}
# the same in pip's configuration file; for `prefix` and `root`, pip has no option that says none
_HERE = ("--target=", "--no-user")
_SCRATCH = ".bubble-lock"  # in the staged environment, which is swept if this is killed


def choose_installer(wanted: str, env: Mapping[str, str], layout: Layout) -> tuple[str, ...]:
    """Return the command of the backend: ("uv", path) or ("pip",).

    `wanted` is "uv", "pip" or "" (uv where it is there). Raises BubbleError(usage).
    """
    if wanted == "pip":
        return ("pip",)
    found = find_uv(env, layout)
    if found:
        return ("uv", found.path)
    if wanted == "uv":
        raise BubbleError(
            "usage", "uv is not on PATH", hint="put it there, or use pip: --installer pip"
        )
    return ("pip",)


def install_packages(
    root: str,
    arguments: Sequence[str],
    *,
    layout: Layout,
    installer: str,
    env: Mapping[str, str],
    cwd: str,
    show: bool,
    keep: int,
    anew: Sequence[str] = (),
) -> None:
    """Install what `arguments` name (requirements, `-r FILE`) into the environment at `root`.

    `show` lets the backend write to stderr as it works; otherwise its last lines are part of the
    error. `keep` is the descriptor that marks `root` as in use. `anew` are packages of lock files
    that are source trees here: uv would take what it built of them before. Raises BubbleError
    (download: it fails; usage: a lock file that can't be installed here).
    """
    backend = choose_installer(installer, env, layout)
    if backend[0] == "pip" and not _has_pip(root):
        raise BubbleError(
            "usage",
            "without pip in the environment, only uv can install packages, and it isn't used",
            hint="leave out --no-pip, or put uv on PATH and take --installer uv",
        )
    clean = _environment(root, env)
    locks, others = _split(arguments)
    for lock in locks:
        scratch = f"{root}/{_SCRATCH}"
        os.mkdir(scratch)
        try:
            uv = backend[0] == "uv"
            python = f"{root}/bin/python"
            if uv and anew:  # its own way, --refresh-package, can't be had offline
                clean_cache = [backend[1], "cache", "clean", *anew]
                run_installer(clean_cache, clean, cwd, show=False, keep=keep)
            calls = [["-r", lock]] if uv else pylock.pip_calls(lock, python, scratch, clean)
            for call in calls:
                _install(backend, root, call, clean, cwd, layout, show=show, keep=keep)
        finally:
            remove_tree(scratch)
    if others:
        _install(backend, root, others, clean, cwd, layout, show=show, keep=keep)


def _has_pip(root: str) -> bool:
    library = f"{root}/lib"
    return any(os.path.isdir(f"{library}/{n}/site-packages/pip") for n in os.listdir(library))


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lock files, which are installed one by one, and the other arguments."""
    locks, others = [], []
    words = iter(arguments)
    for word in words:
        if word != "-r":
            others.append(word)
            continue
        file = next(words)
        if pylock.is_lock(file):
            locks.append(file)
        else:
            others += [word, file]
    return locks, others


def _install(
    backend: Sequence[str],
    root: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    layout: Layout,
    *,
    show: bool,
    keep: int,
) -> None:
    """Call the backend once; raise BubbleError(download) when it fails, or installs nothing."""
    python = f"{root}/bin/python"
    if backend[0] == "uv":
        command = [backend[1], "pip", "install", "--python", python, *arguments]
    else:
        options = ["--disable-pip-version-check", *_HERE]
        command = isolated(python, "-m", "pip", "install", *options, *arguments)
    status, output = run_installer(command, env, cwd, show=show, keep=keep)
    if status:
        lines = [line for line in output.splitlines() if line.strip()][-LINES:]
        said = printable(" | ".join(without_userinfo(line) for line in lines), 1500)
        raise BubbleError(
            "download",
            f"{backend[0]} could not install the packages (status {status})"
            + (f": {said}" if said else ""),
            hint=f"mend the requirements{_or_the_other(backend[0], root, env, layout)}",
        )
    lock = [word for word in arguments if pylock.is_lock(word)]  # uv's own affair
    if not lock:
        require_installed(root, arguments, cwd, backend[0])


def _or_the_other(tried: str, root: str, env: Mapping[str, str], layout: Layout) -> str:
    """Return the part of a hint that names the other installer, "" where there is none to try."""
    if tried == "uv":
        return ", or try pip: --installer pip" if _has_pip(root) else ""
    return ", or try uv: --installer uv" if find_uv(env, layout) else ""


def _environment(root: str, env: Mapping[str, str]) -> dict[str, str]:
    clean = {n: value for n, value in without_python(env).items() if n not in _ELSEWHERE}
    clean |= {"VIRTUAL_ENV": root, "PIP_REQUIRE_VIRTUALENV": "0"}
    # lock files are asked for: no warning that uv's reading of them is new
    return {"UV_PREVIEW_FEATURES": "pylock", **clean}
