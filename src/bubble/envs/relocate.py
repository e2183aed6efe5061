"""Moving an environment: every place in it that names where it lies, rewritten.

Scripts (`#!` lines and the sh form of long ones), activation scripts, `pyvenv.cfg`, `.pth` files,
and the RECORD lines of what was rewritten. Byte-compiled files keep the old path as a mere label,
which the import system corrects as it loads them.
"""

from __future__ import annotations

import os

from bubble.system.files import read_text, write_atomic

_SNIFF = 4096  # bytes of a script in which its interpreter is named


def relocate(root: str, old: str, new: str) -> tuple[str, ...]:
    """Rewrite the environment that lies at `root` from `old` to `new` (all absolute).

    Returns the rewritten files, relative to `root`. Files are replaced, never written in place:
    they may be hard links of another environment's.
    """
    changed = [
        path
        for path in (*_in_bin(root), "pyvenv.cfg", *_in_site_packages(root))
        if _rewrite(f"{root}/{path}", old, new)
    ]
    _forget_hashes(root, set(changed))
    return tuple(changed)


def site_packages(root: str) -> list[str]:
    """Return the `site-packages` directories of an environment, relative to it."""
    try:
        names = sorted(os.listdir(f"{root}/lib"))
    except FileNotFoundError:
        return []
    found = (f"lib/{name}/site-packages" for name in names)
    return [directory for directory in found if os.path.isdir(f"{root}/{directory}")]


def _in_bin(root: str) -> list[str]:
    with os.scandir(f"{root}/bin") as entries:
        return sorted(f"bin/{e.name}" for e in entries if e.is_file(follow_symlinks=False))


def _in_site_packages(root: str) -> list[str]:
    return [
        f"{directory}/{name}"
        for directory in site_packages(root)
        for name in sorted(os.listdir(f"{root}/{directory}"))
        if name.endswith((".pth", ".egg-link"))
    ]


def _rewrite(path: str, old: str, new: str) -> bool:
    """Replace whole path components `old` by `new`; binary files only if they are scripts."""
    try:
        with open(path, "rb") as file:
            head = file.read(_SNIFF)
            if b"\0" in head:
                return False
            data = head + file.read()
    except (FileNotFoundError, IsADirectoryError):
        return False
    replaced = _replaced(data, os.fsencode(old), os.fsencode(new))
    if replaced == data:
        return False
    write_atomic(path, _fitting(replaced, new), os.stat(path).st_mode & 0o777)
    return True


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    parts = data.split(old)
    result = parts[0]
    for part in parts[1:]:
        # `/x/env2` is another directory than `/x/env`
        continues = part[:1].isalnum() or part[:1] in {b"_", b"-", b"."}
        result += (old if continues else new) + part
    return result


def _fitting(data: bytes, new: str) -> bytes:
    """Turn a `#!` line that became too long, or has spaces now, into the form that sh reads."""
    first, newline, rest = data.partition(b"\n")
    if not first.startswith(b"#!" + os.fsencode(new) + b"/bin/python"):
        return data
    program = first[2:]
    options = b""
    marker = program.rfind(b"/bin/")
    name, space, tail = program[marker + 5 :].partition(b" ")
    if space:
        program, options = program[: marker + 5] + name, b" " + tail
    if b" " not in program and len(first) <= 126:
        return data
    quoted = program.replace(b"'", b"'\"'\"'")
    return (
        b"#!/bin/sh\n'''exec' '" + quoted + b"'" + options + b' "$0" "$@"\n' + b"' '''\n" + rest
        if newline
        else data
    )


def _forget_hashes(root: str, changed: set[str]) -> None:
    """Take the hashes of rewritten files out of the RECORDs, which list them."""
    scripts = {name for name in changed if name.startswith("bin/")}
    if not scripts:
        return
    for directory in site_packages(root):
        for name in sorted(os.listdir(f"{root}/{directory}")):
            record = f"{root}/{directory}/{name}/RECORD"
            text = read_text(record, 1 << 26) if name.endswith(".dist-info") else None
            if text is None or "../../../bin/" not in text:
                continue
            lines = [_without_hash(line, scripts) for line in text.splitlines()]
            fresh = "".join(f"{line}\n" for line in lines)
            if fresh != text:
                write_atomic(record, fresh.encode("utf-8", "surrogateescape"))


def _without_hash(line: str, scripts: set[str]) -> str:
    path, _, _ = line.partition(",")
    return f"{path},," if path.removeprefix("../../../") in scripts else line
