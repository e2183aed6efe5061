"""Interpreters and environments by hand: what bubble looks at of them, and no process started.

For tests of what is done with them by paths and files alone. The interpreter is a file that is
never run; what has to run is made by the command line (`support.environments`).
"""

from __future__ import annotations

import os
import time

import pytest

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.pythons.installed import store
from bubble.pythons.installed.store import Installation, Receipt
from bubble.pythons.probing.stdlib import library_name
from bubble.selection import registry
from bubble.selection.identity import mark_file, new_identity
from bubble.selection.registry import Environment
from bubble.selection.resolve import World
from bubble.system.host import host_platform
from bubble.system.machine import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bubble.system.layout import Layout

PLATFORM = host_platform({})


def machine(layout: Layout, env: Mapping[str, str] | None = None) -> Machine:
    """Return the machine of this test's home."""
    return Machine(layout=layout, env=dict(env or os.environ), platform=PLATFORM)


def world(layout: Layout, cwd: str = "/") -> World:
    """Return the world as one sees it from the absolute directory `cwd`."""
    return World(cwd=cwd, env=dict(os.environ), layout=layout, platform=PLATFORM)


def write(path: str, text: str = "") -> str:
    """Write a text file, making its directory, and return its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    return path


def installation(
    layout: Layout, version: str = "3.11.9", *, platform: str = "", name: str = "cpython"
) -> Installation:
    """Put an interpreter into the store, without its minor link, and return its record.

    `version` may have a variant: `3.13.1+freethreaded`.
    """
    key = parse_key(f"{name}-{version}-{platform or PLATFORM}")
    prefix = layout.python(str(key))
    program = library_name(key)
    write(f"{prefix}/lib/{program}/os.py")
    os.chmod(write(f"{prefix}/bin/{program}", "#!/bin/sh\n"), 0o755)
    os.symlink(program, f"{prefix}/bin/python")
    receipt = Receipt(
        key=str(key),
        origin="by hand",
        sha256="a" * 64,
        build="",
        flavour="",
        manifest_sha256="",
        installed_at=int(time.time()),
        bubble="0",
        prefix=prefix,
        executable=f"{prefix}/bin/python",
    )
    os.makedirs(f"{prefix}/.bubble")
    store.write_receipt(prefix, receipt)
    return Installation(key=key, prefix=prefix)


def environment(
    layout: Layout, name: str = "", *, path: str = "", prefix: str = "", maker: str = "bubble"
) -> Environment:
    """Make an environment for 3.11 against the interpreter at `prefix`, and register it.

    It has a `name`, or lies at `path` (absolute), which is a project's if it ends in `.venv`.
    """
    path = path or f"{layout.envs}/{name}"
    prefix = prefix or layout.python(f"cpython-3.11.9-{PLATFORM}")
    project = os.path.dirname(path) if path.endswith("/.venv") and not name else ""
    write(f"{path}/pyvenv.cfg", f"home = {prefix}/bin\nversion_info = 3.11.9\n")
    write(f"{path}/bin/activate", f"VIRTUAL_ENV='{path}'\nexport VIRTUAL_ENV\n")
    os.makedirs(f"{path}/lib/python3.11/site-packages")
    os.symlink(f"{prefix}/bin/python3.11", f"{path}/bin/python")
    made = Environment(
        path=path,
        name=name,
        project=project,
        interpreter=prefix,
        request="3.11",
        maker=maker,
        identity=new_identity(),
        made_at="1700000000",
    )
    write(mark_file(made), f"{made.identity}\n")
    registry.register(layout, made)
    return made


def refused(call: Callable[[], object]) -> BubbleError:
    """Return the error that a call ends with."""
    with pytest.raises(BubbleError) as caught:
        call()
    return caught.value
