"""An install on a disk of so many KiB, then on a larger one: `full_disk.py ROOT KIB`, as root.

Runs in a mount namespace of its own, with the scene at ROOT; prints what came of it as JSON. What
the same trials of environments and scripts share is here, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys

from support import invariants
from support.scene import Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.scene import Done

INSTALL = ("python", "install", "3.11.9")


def main() -> None:
    root, kib = sys.argv[1:]
    stage = Scene(root)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "bubble-test", stage.disk], check=True
    )
    first = stage.run(*INSTALL)
    problems = invariants.unclear(first) + invariants.not_whole(stage)
    subprocess.run(["mount", "-o", "remount,size=64m", stage.disk], check=True)
    again = stage.run(*INSTALL)
    if again.status:
        problems.append(f"I5: {again}")
    problems += invariants.not_whole(stage) + invariants.left_over(stage)
    problems += invariants.unlinked(stage)
    tell(first, problems)


@contextlib.contextmanager
def full(stage: Scene, start: str, kib: int) -> Iterator[None]:
    """Put the scene as it was saved under `start` on a disk of its own; in here, `kib` are free."""
    disk = ["-t", "tmpfs", "-o", "size=512m", "bubble-test"]
    subprocess.run(["mount", *disk, stage.disk], check=True)
    stage.restore(start)
    free = shutil.disk_usage(stage.disk).free // 1024 - kib
    with open(f"{stage.disk}/ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free * 1024)
    yield
    os.unlink(f"{stage.disk}/ballast")


def tell(first: Done, problems: Sequence[str]) -> None:
    """Print what came of it, as `in_namespace` reads it."""
    said = [first.status, first.out, first.err]
    print(json.dumps({"first": said, "problems": problems}))


if __name__ == "__main__":
    main()
