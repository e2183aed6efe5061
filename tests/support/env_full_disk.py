"""A command on a disk with so many KiB free, then with more.

`env_full_disk.py ROOT KIB START COMMAND…`: in a mount namespace of its own, with the scene at ROOT
as it was saved under START. Prints what came of it as JSON.
"""

from __future__ import annotations

import os
import sys

from support import invariants
from support.env_scene import broken, left_behind, unregistered
from support.full_disk import full, tell
from support.scene import Scene


def main() -> None:
    root, kib, start, *words = sys.argv[1:]
    stage = Scene(root)
    with full(stage, start, int(kib)):
        first = stage.run(*words)
        problems = invariants.unclear(first) + half(stage, words)
    whole = not problems  # only the shims had no place
    again = stage.run(*words)
    done_already = "is there already" in again.err or "no environment called" in again.err
    if again.status and not (whole and done_already):
        problems.append(f"I5: {again}")
    problems += half(stage, words) + left_behind(stage)
    if not os.path.lexists(f"{stage.layout.envs}/{words[-1]}"):
        problems.append(f"I5: {words[-1]} is not there")
    tell(first, problems)


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
