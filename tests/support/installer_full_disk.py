"""What brings bubble, on disks with more and more room.

`installer_full_disk.py ROOT KIND MIB STEP NEW VERSION [OLD]`, in a mount namespace of its own, on
disks of so many MiB: KIND is tmpfs or ext4; NEW is a bundle, or a directory with a release, of that
version; OLD another release that is there before. From no KiB that is free upwards, by STEP, until
it succeeds; prints what came of it as JSON.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys

from support.machines import Machine

_HOME = {".local"}
_PREFIX = {"command", "lock", "made", "versions"}
_SAYS = ("install.sh: ", "bundle: ", "  hint: ")


def main() -> None:
    root, kind, mib, step, new, version, *old = sys.argv[1:]
    problems, kib = [], 0
    while kib <= int(mib) * 512:
        with_room = Try(root, kind, int(mib), new, version, *old)
        status, found = with_room.run(kib)
        problems += [f"{kib} KiB free: {problem}" for problem in found]
        subprocess.run(["umount", with_room.disk], check=True)
        if status == 0:
            break
        kib += int(step)
    print(json.dumps({"problems": problems, "kib": kib}))


class Try:
    """One run on a disk of its own."""

    def __init__(
        self, root: str, kind: str, mib: int, new: str, version: str, old: str = ""
    ) -> None:
        self.disk = f"{root}/disk"
        os.makedirs(self.disk, exist_ok=True)
        if kind == "tmpfs":
            words = ["-t", "tmpfs", "-o", f"size={mib}m", "bubble-test"]
        else:
            image = f"{root}/image"
            with open(image, "wb") as file:
                file.truncate(mib << 20)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
            words = ["-o", "loop", image]
        subprocess.run(["mount", *words, self.disk], check=True)
        self.new = new
        self.version = version
        self.machine = Machine(f"{self.disk}/m", old)
        self.machine.has("head")
        if old:
            assert self.machine.run("--no-init").returncode == 0
        self.machine.out = new

    def run(self, kib: int) -> tuple[int, list[str]]:
        """Bring it with so much room, then with all of it; return the first status and faults."""
        before = self.machine.everything()
        self._fill(kib)
        done = self._bring()
        problems = []
        if done.returncode:
            after = self.machine.everything()
            changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
            problems += [f"changed: {sorted(changed)}"] if changed else []
            told = [line for line in done.stderr.splitlines() if line.startswith(_SAYS)]
            problems += [] if len(told) == 2 else [f"it said: {done.stderr}"]
        os.unlink(f"{self.disk}/ballast")
        again = self._bring()
        if again.returncode:
            return done.returncode, [*problems, f"afterwards: {again}"]
        says = self.machine.bubble("--version").stdout
        if says != f"bubble {self.version}\n":
            problems.append(f"afterwards: {says}")
        for directory, expected in ((self.machine.home, _HOME), (self.prefix, _PREFIX)):
            left = {*os.listdir(directory)} - expected
            problems += [f"left: {left}"] if left else []
        problems += [f"it isn't compiled: {path}" for path in self._uncompiled()]
        return done.returncode, problems

    @property
    def prefix(self) -> str:
        return f"{self.machine.home}/.local/lib/bubble"

    def _uncompiled(self) -> list[str]:
        """Return sources of bubble without bytecode, which nobody may be able to write later."""
        packages = f"{glob.escape(self.prefix)}/versions/*/lib/python3.*/site-packages/bubble"
        return [
            path
            for path in glob.iglob(f"{packages}/**/*.py", recursive=True)
            if not glob.glob(
                f"{glob.escape(os.path.dirname(path))}/__pycache__/{os.path.basename(path)[:-3]}.*"
            )
        ]

    def _bring(self) -> subprocess.CompletedProcess[str]:
        if os.path.isdir(self.new):
            return self.machine.run("--no-init")
        return subprocess.run(
            ["sh", self.new, "--no-init"], env=self.machine.env(), cwd=self.machine.home,
            stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
        )  # fmt: skip

    def _fill(self, kib: int) -> None:
        """Leave so many KiB free."""
        with open(f"{self.disk}/ballast", "wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, self._free() - (kib + 64) * 1024)
            while self._free() > kib * 1024:  # a file system takes room for lists of its own
                file.seek(0, os.SEEK_END)
                file.write(bytes(1024))

    def _free(self) -> int:
        status = os.statvfs(self.disk)
        return status.f_bavail * status.f_frsize


if __name__ == "__main__":
    main()
