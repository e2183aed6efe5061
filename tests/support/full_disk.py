"""An install on a disk of so many KiB, then on a larger one: `full_disk.py ROOT KIB`, as root.

Runs in a mount namespace of its own, with the scene at ROOT; prints what came of it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys

from support import invariants
from support.scene import Scene

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
    print(json.dumps({"first": [first.status, first.out, first.err], "problems": problems}))


if __name__ == "__main__":
    main()
