"""What is in a directory tree, for comparing trees and for proving that one didn't change."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess

Tree = dict[str, tuple[str, int, str]]  # path: (kind, mode, content's sha256 or link target)


def snapshot(root: str, *, normal: bool = False) -> Tree:
    """Return every path below `root` without following links.

    `normal` states modes as the extractor does (0755 for directories and what the owner may
    execute, else 0644) and makes unreadable things readable first: for trees that GNU tar made.
    """
    tree: Tree = {}
    todo: list[tuple[str, ...]] = [()]
    while todo:
        here = todo.pop()
        directory = _open(root, here)
        try:
            for name in os.listdir(directory):
                mode = os.lstat(name, dir_fd=directory).st_mode
                tree["/".join((*here, name))] = _describe(name, directory, mode, normal)
                if stat.S_ISDIR(mode):
                    todo.append((*here, name))
        finally:
            os.close(directory)
    return tree


def fill(path: str, text: str = "new") -> None:
    """Make a directory at `path` with three levels and a file of that `text` on each."""
    os.makedirs(f"{path}/deep/er")
    for name in ("a", "deep/b", "deep/er/c"):
        with open(f"{path}/{name}", "w") as file:
            file.write(text)


def filled(path: str) -> str:
    """Return the text that is in a directory that `fill` made."""
    with open(f"{path}/deep/er/c") as file:
        return file.read()


def _open(root: str, parts: tuple[str, ...]) -> int:
    """Open a directory step by step: hostile trees are deeper than a path may be long."""
    here = os.open(root, os.O_RDONLY)
    for part in parts:
        below = os.open(part, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=here)
        os.close(here)
        here = below
    return here


def _describe(name: str, directory: int, mode: int, normal: bool) -> tuple[str, int, str]:
    bits = stat.S_IMODE(mode)
    if stat.S_ISLNK(mode):
        return "link", 0, os.readlink(name, dir_fd=directory)
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        return "special", bits, ""
    if normal:
        # a file's execute bit stays as it is: the inode may come again under another name
        readable = 0o700 if stat.S_ISDIR(mode) else 0o400
        os.chmod(name, bits | readable, dir_fd=directory)
    if stat.S_ISDIR(mode):
        return "dir", 0o755 if normal else bits, ""
    if normal:
        bits = 0o755 if bits & 0o100 else 0o644
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory), "rb") as file:
        return "file", bits, hashlib.file_digest(file, "sha256").hexdigest()


def gnu_tar(archive: str, destination: str, *options: str) -> str:
    """Unpack with GNU tar into an existing directory; return what it complained about."""
    done = subprocess.run(
        ["tar", "-xf", archive, "-C", destination, "--no-same-owner", *options],
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return done.stderr.decode(errors="replace") if done.returncode else ""
