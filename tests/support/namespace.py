"""Programs that mount: run in a mount namespace of their own, which ends with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from support.needs import not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from support.scene import Scene

PREFIX = ("unshare", "-m", "--propagation", "private")


def in_namespace(stage: Scene, module: str, *arguments: str) -> dict[str, Any]:
    """Run `support.<module> ROOT ARGUMENT…` and return the JSON object that it prints last.

    Skips the calling test where this machine doesn't let anybody mount.
    """
    require_mounts(stage.root)
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(
        [*PREFIX, sys.executable, "-m", f"support.{module}", stage.root, *arguments],
        env={**stage.env, "PYTHONPATH": tests},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def on_disks(root: object, *words: str) -> dict[str, Any]:
    """Run `support.installer_full_disk ROOT WORD…` and return the JSON object that it prints."""
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(
        [*PREFIX, sys.executable, "-m", "support.installer_full_disk", str(root), *words],
        env={**os.environ, "PYTHONPATH": tests, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def require_mounts(directory: str) -> None:
    """Skip the calling test unless something can be mounted on `directory`."""
    mount = ["mount", "-t", "tmpfs", "bubble-test", directory]
    if subprocess.run([*PREFIX, *mount], capture_output=True, check=False).returncode:
        not_here("nothing can be mounted")


def require_loop(root: str) -> None:
    """Skip the calling test unless an image file can be mounted."""
    script = (
        f"truncate -s 8M {root}/probe && mkfs.ext4 -q -F {root}/probe &&"
        f" mkdir {root}/probed && mount -o loop {root}/probe {root}/probed"
    )
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    if subprocess.run([*PREFIX, "sh", "-ec", script], env=env, capture_output=True, check=False
                      ).returncode:  # fmt: skip
        not_here("image files can't be mounted (loop devices)")


def on_overlay(root: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python script with an overlay on `root`, whose lower layer is what is there.

    What the script changes is gone with it. Skips the calling test where nobody may mount.
    """
    upper = f"{root}.upper"
    os.makedirs(upper, exist_ok=True)
    require_mounts(upper)
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return subprocess.run(
        [
            *PREFIX,
            "sh",
            "-ec",
            OVERLAY,
            "sh",
            root,
            upper,
            sys.executable,
            "-c",
            script,
            *arguments,
        ],
        env={**os.environ, "PYTHONPATH": tests},
        capture_output=True,
        text=True,
        check=False,
    )


# the upper layer needs a file system of its own kind: not every one takes it
OVERLAY = """
root=$1 upper=$2; shift 2
mount -t tmpfs bubble-test "$upper"
mkdir "$upper/u" "$upper/w"
mount -t overlay bubble-test -o "lowerdir=$root,upperdir=$upper/u,workdir=$upper/w" "$root"
exec "$@"
"""
