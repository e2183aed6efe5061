"""PyPI's most used packages with compiled parts, in one pack, on a root with another Python.

The root is Debian's by debootstrap, its Python is Debian's own; a plain user unpacks with tar. What
was packed is gone by then, and the rest of this machine can't be seen from there.
"""

from __future__ import annotations

import os
import shutil

import pytest

from support.debian_roots import HOME, LIBRARIES, USER, debian, in_root
from support.needs import FULL_ONLY, LINUX_ONLY, ROOT_ONLY
from support.packs import Packed
from support.popular import COMMANDS, programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = [LINUX_ONLY, pytest.mark.real]
PLACE = f"{HOME}/a pack"


@FULL_ONLY
@ROOT_ONLY
def test_each_does_one_real_thing_for_another_user_on_another_root(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    wanted = programs()
    assert len(wanted) >= 50
    packing = Packed(bubble, str(tmp_path / "made"), *wanted, *COMMANDS)
    archive = packing.pack()
    root = debian(str(tmp_path), "bookworm", (*LIBRARIES, "python3-minimal"))
    with open(f"{root}/etc/passwd", "a", encoding="utf-8") as file:  # which libpq asks
        file.write(f"somebody:x:{USER}:{USER}::{HOME}:/bin/sh\n")
    shutil.move(archive, f"{root}/srv/pack.tar.gz")
    packing.vanish()
    unpacked = in_root(root, "sh", "-ec", f"mkdir '{PLACE}'; tar xf /srv/pack.tar.gz -C '{PLACE}'")
    assert unpacked.returncode == 0, unpacked.stderr
    assert in_root(root, "python3", "-c", "import numpy").returncode == 1
    wrong = {}
    for name, program in wanted.items():
        done = in_root(root, f"{PLACE}/bin/python", "-c", program)
        if done.returncode:
            wrong[name] = done.stderr[-1000:]
    for name, (command, *words) in COMMANDS.items():
        done = in_root(root, f"{PLACE}/bin/{command}", *words)
        if done.returncode:
            wrong[f"{name}: {command}"] = done.stderr[-1000:]
        elif packing.directory in done.stdout:
            wrong[f"{name}: {command}"] = done.stdout
    assert wrong == {}
    assert not os.path.exists(packing.home)
