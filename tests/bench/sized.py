"""A command that makes a smaller or a larger build of an install_only one.

PYTHONPATH=tests python -m bench.sized SOURCE.tar.gz TARGET.tar.gz MEGABYTES

Smaller: its programs and libraries are stripped, as upstream's `install_only_stripped` are, and
what no installation needs is left out. Larger: with files that hold noise.
"""

from __future__ import annotations

import copy
import io
import os
import re
import subprocess
import sys
import tarfile

_ELF = b"\x7fELF"
_UNNEEDED = re.compile(r"python/(include|lib/python3[^/]*/(idlelib|pydoc_data|tkinter))/")
_NOISE = 1 << 20


def main(source: str, target: str, megabytes: str) -> None:
    wanted = int(megabytes) * 1_000_000
    missing = wanted - os.path.getsize(source)
    with tarfile.open(source) as old, tarfile.open(target, "w:gz", compresslevel=6) as new:
        for member in old:
            if missing < 0 and _UNNEEDED.match(member.name):
                continue
            file = old.extractfile(member) if member.isreg() else None
            content = file.read() if file else b""
            if missing < 0 and content.startswith(_ELF):
                content = _stripped(content, target + ".elf")
            changed = copy.copy(member)
            changed.size = len(content)
            new.addfile(changed, io.BytesIO(content) if file else None)
        for number in range(max(missing, 0) // _NOISE):
            info = tarfile.TarInfo(f"python/lib/noise/{number}.bin")
            info.size = _NOISE
            new.addfile(info, io.BytesIO(os.urandom(_NOISE)))


def _stripped(content: bytes, path: str) -> bytes:
    with open(path, "wb") as file:
        file.write(content)
    subprocess.run(["strip", "--strip-debug", path], check=True)
    with open(path, "rb") as file:
        stripped = file.read()
    os.unlink(path)
    return stripped


if __name__ == "__main__":
    main(*sys.argv[1:])
