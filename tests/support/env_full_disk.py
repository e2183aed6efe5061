"""A command on a disk with so many KiB free, then with more.

`env_full_disk.py ROOT KIB START COMMAND…`: in a mount namespace of its own, with the scene at ROOT
as it was saved under START. Prints what came of it as JSON.
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
    root, kib, start, *words = sys.argv[1:]
    stage = Scene(root)
    disk = ["-t", "tmpfs", "-o", "size=512m", "bubble-test"]
    subprocess.run(["mount", *disk, stage.disk], check=True)
    stage.restore(start)
    free = shutil.disk_usage(stage.disk).free // 1024 - int(kib)
    with open(f"{stage.disk}/ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free * 1024)
    first = stage.run(*words)
    problems = invariants.unclear(first) + half(stage, words)
    whole = not problems  # only the shims had no place
    os.unlink(f"{stage.disk}/ballast")
    again = stage.run(*words)
    done_already = "is there already" in again.err or "no environment called" in again.err
    if again.status and not (whole and done_already):
        problems.append(f"I5: {again}")
    problems += half(stage, words) + left_behind(stage)
    if not os.path.lexists(f"{stage.layout.envs}/{words[-1]}"):
        problems.append(f"I5: {words[-1]} is not there")
    print(json.dumps({"first": [first.status, first.out, first.err], "problems": problems}))


def half(stage: Scene, words: list[str]) -> list[str]:
    """Return what is wrong with the environments; one that is to be repaired is wrong before."""
    if words[0] == "repair":
        return []
    paths = [f"{stage.layout.envs}/{name}" for name in ("train", "other")]
    found = [p for path in paths for p in broken(path) + unregistered(stage, path)]
    there = any(os.path.lexists(path) for path in paths)
    return found if there or words[0] == "create" else [*found, "I2: neither is there"]


if __name__ == "__main__":
    main()
