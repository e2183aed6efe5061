"""Filling an environment with packages, by uv or pip: chosen, run, and what they say passed on.

The backend works in the staged environment; credentials of an index never get into messages.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINES = 12  # of a failed backend's output that are worth showing


def choose_installer(wanted: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command of the backend: ("uv", path) or ("pip",).

    `wanted` is "uv", "pip" or "" (uv where it is there). Raises BubbleError(usage).
    """
    import shutil
    import sys

    if wanted == "pip":
        return ("pip",)
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    path = beside if os.access(beside, os.X_OK) else shutil.which("uv", path=env.get("PATH"))
    if path:
        return ("uv", path)
    if wanted == "uv":
        raise BubbleError(
            "usage", "uv is not on PATH", hint="use pip: --installer pip; or install bubble[uv]"
        )
    return ("pip",)


def install_packages(
    root: str,
    arguments: Sequence[str],
    *,
    installer: str,
    env: Mapping[str, str],
    cwd: str,
    show: bool,
) -> None:
    """Install what `arguments` name (requirements, `-r FILE`) into the environment at `root`.

    `show` lets the backend write to stderr as it works; otherwise its last lines are part of the
    error. Raises BubbleError(download) when it fails.
    """
    backend = choose_installer(installer, env)
    python = f"{root}/bin/python"
    if backend[0] == "uv":
        command = [backend[1], "pip", "install", "--python", python, *arguments]
    else:
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    status, output = _run(command, _environment(root, env), cwd, show=show)
    if status:
        lines = [line for line in output.splitlines() if line.strip()][-_LINES:]
        said = printable(" | ".join(without_secrets(line) for line in lines), 1500)
        raise BubbleError(
            "download",
            f"{backend[0]} could not install the packages (status {status})"
            + (f": {said}" if said else ""),
            hint="mend the requirements, or try the other one: --installer pip or uv",
        )


def without_secrets(text: str) -> str:
    """Return a line with the user and password of every URL taken out."""
    parts = text.split("://")
    cleaned = [parts[0]]
    for part in parts[1:]:
        authority, slash, rest = part.partition("/")
        if "@" in authority:
            authority = "****@" + authority.rpartition("@")[2]
        cleaned.append(authority + slash + rest)
    return "://".join(cleaned)


def _environment(root: str, env: Mapping[str, str]) -> dict[str, str]:
    clean = {n: v for n, v in env.items() if n not in {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET"}}
    return {**clean, "VIRTUAL_ENV": root, "PIP_REQUIRE_VIRTUALENV": "0"}


def _run(
    command: Sequence[str], env: Mapping[str, str], cwd: str, *, show: bool
) -> tuple[int, str]:
    import subprocess

    with subprocess.Popen(
        list(command),
        env=dict(env),
        cwd=cwd or None,
        stdin=subprocess.DEVNULL,
        stdout=2 if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
    ) as child:
        try:
            output, _ = child.communicate()
        except BaseException:
            child.terminate()
            raise
    return child.returncode, (output or b"").decode("utf-8", "replace")
