"""A creation on a disk with so many KiB free, then with more: `env_full_disk.py ROOT KIB PYTHON`.

Runs in a mount namespace of its own, with the scene at ROOT; prints what came of it as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from support import invariants
from support.env_scene import broken, left_behind, unregistered
from support.scene import Scene


def main() -> None:
    root, kib, request = sys.argv[1:]
    stage = Scene(root)
    disk = ["-t", "tmpfs", "-o", "size=512m", "bubble-test"]
    subprocess.run(["mount", *disk, stage.disk], check=True)
    stage.restore("start")
    free = shutil.disk_usage(stage.disk).free // 1024 - int(kib)
    with open(f"{stage.disk}/ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free * 1024)
    path = f"{stage.layout.envs}/train"
    make = ("create", "train", "-p", request)
    first = stage.run(*make)
    problems = invariants.unclear(first) + broken(path) + unregistered(stage, path)
    whole = not problems and os.path.lexists(path)  # only the shims had no place
    os.unlink(f"{stage.disk}/ballast")
    again = stage.run(*make)
    if again.status and not (whole and "is there already" in again.err):
        problems.append(f"I5: {again}")
    problems += broken(path) + unregistered(stage, path) + left_behind(stage)
    print(json.dumps({"first": [first.status, first.out, first.err], "problems": problems}))


if __name__ == "__main__":
    main()
