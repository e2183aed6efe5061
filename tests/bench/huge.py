"""A command that makes a huge `full` build from an install_only one; runs where zstandard is.

PYTHONPATH=tests python -m bench.huge SOURCE.tar.gz TARGET.tar.zst WINDOW_LOG
"""

from __future__ import annotations

import io
import os
import sys
import tarfile

PYTHON_JSON = b'{"version": "8", "build_options": "pgo+lto"}\n'
# below build/ and install/lib/: what is checked and skipped, and what is written
BALLAST = {"build/objects": 160, "install/lib/ballast": 160}
MEMBER = 4 << 20


def main(source: str, target: str, window_log: str) -> None:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=int(window_log))
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    with (
        open(target, "wb") as file,
        compressor.stream_writer(file) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as full,
        tarfile.open(source) as plain,
    ):
        _add(full, "python/PYTHON.json", PYTHON_JSON)
        for member in plain:
            member.name = member.name.replace("python", "python/install", 1)
            if member.islnk():
                member.linkname = member.linkname.replace("python", "python/install", 1)
            full.addfile(member, plain.extractfile(member) if member.isreg() else None)
        for directory, count in BALLAST.items():
            for number in range(count):
                _add(full, f"python/{directory}/{number}.bin", _ballast())


def _ballast() -> bytes:
    """Return a quarter of noise, and text that compresses well: 4:1 as a whole."""
    noise = os.urandom(MEMBER // 4)
    return noise + (noise[:4096] * (MEMBER * 3 // 4 // 4096))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main(*sys.argv[1:])
