"""A run of a script on a disk with so many KiB free, then with more.

`script_full_disk.py ROOT KIB START COMMAND…`: in a mount namespace of its own, with the scene at
ROOT as it was saved under START. Prints what came of it as JSON.
"""

from __future__ import annotations

import os
import sys

from support import invariants
from support.env_scene import broken, unregistered
from support.full_disk import full, tell
from support.scene import Scene


def main() -> None:
    root, kib, start, *words = sys.argv[1:]
    stage = Scene(root)
    with full(stage, start, int(kib)):
        first = stage.run(*words)
        problems = invariants.unclear(first) + half(stage)
    again = stage.run(*words)
    if (again.status, again.out) != (0, "ran\n"):
        problems.append(f"I5: {again}")
    problems += half(stage) + invariants.left_over(stage)
    if len(os.listdir(stage.layout.scripts)) != 1:
        problems.append("I5: not one environment is there")
    tell(first, problems)


def half(stage: Scene) -> list[str]:
    """Return what is wrong with the environments of scripts."""
    layout = stage.layout
    names = os.listdir(layout.scripts) if os.path.isdir(layout.scripts) else []
    paths = [f"{layout.scripts}/{name}" for name in names]
    return [p for path in paths for p in broken(path) + unregistered(stage, path)]


if __name__ == "__main__":
    main()
