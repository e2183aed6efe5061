"""Power cuts for real: `power_cut.py ROOT MOMENT BUG`, as root, in a mount namespace of its own.

The scene's disk is an ext4 file system on an image file. What has reached the image when it is
copied is what a disk has when the power goes. MOMENT is "returned" (right after the command said
that it is done) or a number: so many copies while reinstalls run, each with all processes stopped.
BUG is "" or one of `planted`. Prints, as JSON, what breaks the invariants on the copies.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from support import invariants
from support.crashes import NEWER
from support.scene import Scene

INSTALL = ("python", "install", "3.11.9")
REINSTALL = ("python", "install", "--reinstall", "3.11.9")


def main() -> None:
    root, moment, bug = sys.argv[1:]
    stage = Scene(root)
    image, copy = f"{root}/image", f"{root}/copy"
    with open(image, "wb") as file:
        file.truncate(48 << 20)
    run("mkfs.ext4", "-q", "-F", image)
    run("mount", "-o", "loop", image, stage.disk)
    found = []
    copies = 0
    if moment == "returned":
        assert stage.run(*INSTALL, bug=bug).status == 0
        shutil.copyfile(image, copy)
        run("umount", stage.disk)
        found = after_the_cut(stage, copy, must_work=True)
        copies = 1
    else:
        assert stage.run(*INSTALL).status == 0
        chance = random.Random(1)
        for _ in range(int(moment)):
            process = stage.start(*REINSTALL, bug=bug)
            time.sleep(chance.uniform(0.05, 0.25))
            process.send_signal(signal.SIGSTOP)
            shutil.copyfile(image, copy)
            process.send_signal(signal.SIGCONT)
            process.communicate()
            run("umount", stage.disk)
            found += after_the_cut(stage, copy, must_work=True)
            copies += 1
            run("mount", "-o", "loop", image, stage.disk)
        run("umount", stage.disk)
    print(json.dumps({"problems": found, "copies": copies}))


def after_the_cut(stage: Scene, copy: str, *, must_work: bool) -> list[str]:
    """Mount the copy where the disk was, and hold it against the invariants."""
    # 1: errors were corrected, which is a journal's replay
    assert subprocess.run(["e2fsck", "-fp", copy], capture_output=True, check=False).returncode < 2
    run("mount", "-o", "loop", copy, stage.disk)
    try:
        found = invariants.not_whole(stage)
        if must_work:
            found += invariants.not_working(stage, (NEWER,))
        again = stage.run(*REINSTALL)
        found += [f"I5: {again}"] if again.status else []
        found += invariants.not_whole(stage) + invariants.left_over(stage)
    finally:
        run("umount", stage.disk)
    return found


def run(*argv: str) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    subprocess.run(argv, check=True, env={**os.environ, "PATH": path}, capture_output=True)


if __name__ == "__main__":
    main()
