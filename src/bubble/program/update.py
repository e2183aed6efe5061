"""A newer bubble, by its own installer: staged beside the present one, tried, then made current.

What makes a version the current one is the command's file, exchanged in one step; running
commands and shims go on with the version that they began with, which stays.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.program.origin import INSTALLER, Origin, said_by
from bubble.system.files import read_text, replace_file, write_atomic
from bubble.system.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.system.layout import Layout

_SCRIPT = "install.sh"
_LAST = b'\n{ main "$@"; }\n'  # without it, it is cut short


def address_of(origin: Origin, version: str) -> str:
    """Return where a release lies, as the installer said: the newest, or that of a version.

    Raises BubbleError(usage) where the installer said nothing.
    """
    base = said_by(origin.launcher, "base")
    present = origin.version.rpartition("-")[0]
    if not base or (version and f"/{present}" not in base and f"/v{present}" not in base):
        raise BubbleError(
            "usage",
            "this release doesn't say where others lie",
            hint="get the files of one, and: bubble self update --from DIR",
        )
    return base.replace(present, version) if version else _newest(base, present)


def _newest(base: str, present: str) -> str:
    """Return the address of the newest release: a host that keeps one says it by `latest`."""
    for directory in (f"/download/v{present}", f"/download/{present}"):
        if base.endswith(directory):
            return f"{base.removesuffix(directory)}/latest/download"
    return base


def update(
    origin: Origin, source: str, layout: Layout, env: Mapping[str, str], *, show: bool
) -> str:
    """Bring the release that lies at `source`, a directory or an address; return its name.

    Raises BubbleError (usage: bubble came another way, or there is no release; download: it can't
    be had, or its installer failed, and the present version stays).
    """
    require_own(origin)
    options = ["--no-init", "--prefix", origin.prefix]
    if "://" not in source:
        script = f"{source}/{_SCRIPT}"
        if not os.path.isfile(script):
            raise BubbleError(
                "usage",
                f"there is no release in {printable(source, 500)}: it has no {_SCRIPT}",
                hint="name the directory with the files of a release: --from DIR",
            )
        _run(["/bin/sh", script, *options, "--offline", source], env, show=show)
        return current(origin)
    with Staging(layout, f"{layout.home}/update") as staging:
        script = f"{staging.path}/{_SCRIPT}"
        write_atomic(script, _fetched(f"{source}/{_SCRIPT}", env))
        _run(["/bin/sh", script, *options], env, show=show)
    return current(origin)


def _fetched(url: str, env: Mapping[str, str]) -> bytes:
    from bubble.model.urls import shown
    from bubble.system.http.fetch import fetch

    data = fetch(url, limit=1 << 20, env=env).data or b""
    if not data.startswith(b"#!/bin/sh\n") or not data.endswith(_LAST):
        raise BubbleError(
            "download",
            f"{shown(url)} is no whole installer",
            hint="a proxy's page, or a broken download: try again",
        )
    return data


def _run(command: list[str], env: Mapping[str, str], *, show: bool) -> None:
    import subprocess

    done = subprocess.run(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=2 if show else subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip()
        told, has_hint, hint = (
            told.rpartition("\n  hint: ") if "\n  hint: " in told else (told, "", "")
        )
        said = printable(told.removeprefix("install.sh: ").replace("\n", " "), 500)
        raise BubbleError(
            "download",
            f"the update failed, and bubble is as it was: {said}",
            hint=printable(hint, 500) if has_hint else "mend that and try again",
        )


def go_back(origin: Origin) -> str:
    """Make the version before this one the current one again; return its name.

    Raises BubbleError(usage) where there is none.
    """
    require_own(origin)
    text = read_text(origin.launcher, 1 << 14) if origin.launcher else None
    if not origin.previous or text is None:
        raise BubbleError(
            "usage",
            "there is no version before this one to go back to",
            hint="see what is there: bubble self info",
        )
    exchanged = {
        f"/versions/{origin.version}/": f"/versions/{origin.previous}/",
        f"# version: {origin.version}\n": f"# version: {origin.previous}\n",
        f"# previous: {origin.previous}\n": f"# previous: {origin.version}\n",
    }
    for now, then in exchanged.items():
        text = text.replace(now, then)
    replace_file(origin.launcher, os.fsencode(text), 0o755)
    return origin.previous


def current(origin: Origin) -> str:
    """Return the name of the version that the command runs."""
    return said_by(origin.launcher, "version")


def require_own(origin: Origin) -> None:
    """Raise BubbleError(usage) where another tool brought bubble: it names that tool's command."""
    if origin.kind != INSTALLER:
        raise BubbleError(
            "usage",
            f"bubble came by {origin.kind}, which brings a newer one, too",
            hint=origin.command,
        )
    if not origin.launcher:
        raise BubbleError(
            "usage",
            f"the command that {_SCRIPT} made is gone, or something else lies there",
            hint="run the installer again",
        )
