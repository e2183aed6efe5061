"""What can have become of a file by the time that it is to be shared; each takes its path."""

from __future__ import annotations

import os


def another(path: str) -> None:
    """Put other bytes there, as many."""
    size = os.path.getsize(path)
    os.unlink(path)
    with open(path, "wb") as file:
        file.write(b"!" * size)
    os.chmod(path, 0o444)


def writable(path: str) -> None:
    os.chmod(path, 0o644)


def setuid(path: str) -> None:
    os.chmod(path, 0o4444)


def a_link(path: str) -> None:
    """Put a link there, which leads to what was there."""
    os.rename(path, f"{path}.there")
    os.symlink(os.path.basename(f"{path}.there"), path)


def a_pipe(path: str) -> None:
    os.unlink(path)
    os.mkfifo(path, 0o444)


def a_directory(path: str) -> None:
    os.unlink(path)
    os.mkdir(path)


def gone(path: str) -> None:
    os.unlink(path)
