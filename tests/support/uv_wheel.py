"""A wheel of uv for this machine, with a **double** of some bytes as its program."""

from __future__ import annotations

import hashlib
import os
import zipfile

from bubble.envs.tools.uv_builds import VERSION

NAME = f"uv-{VERSION}.data/scripts/uv"
GOOD = f"#!/bin/sh\necho 'uv {VERSION} (a double)'\n"


def wheel(directory: str, script: str = GOOD, name: str = NAME) -> tuple[str, int]:
    """Make the wheel for this machine; return its sha256 and size."""
    tag = f"py3-none-linux_{os.uname().machine}"
    info = f"uv-{VERSION}.dist-info"
    path = f"{directory}/uv-{VERSION}-{tag}.whl"
    os.makedirs(directory, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, script)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {VERSION}")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest(), os.path.getsize(path)
