"""A valid archive for each family of hostile ones: the same shape without the attack."""

from __future__ import annotations

from support import tarbuild as t
from support.hostile_archives import FILE, LONG, TOP, fixed, nested, pax

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def aliases_control(_arena: str) -> bytes:
    """Return nested directories with short aliases that stay inside."""
    parts = [TOP]
    path = b"python"
    for alias in b"abcd":
        name = bytes([alias])
        parts += [t.symlink(path + b"/" + name, b"long-" + name)]
        path += b"/long-" + name
        parts += [t.directory(path + b"/"), t.file(path + b"/file", name)]
    return b"".join(parts)


CONTROLS: dict[str, tuple[Callable[[str], bytes], set[str]]] = {
    "names": (
        fixed(
            t.file(b"python/..x"),
            t.file(b"python/ab:c"),
            t.file("python/é".encode()),
            t.file(b"python/" + b"n" * 93),
            t.file(b"x", prefix=b"python/pre/fix"),
        ),
        {"..x", "ab:c", "é", "n" * 93, "pre", "pre/fix", "pre/fix/x"},
    ),
    "links": (
        aliases_control,
        {
            p + n
            for p, c in (
                ("", "a"),
                ("long-a/", "b"),
                ("long-a/long-b/", "c"),
                ("long-a/long-b/long-c/", "d"),
            )
            for n in (c, f"long-{c}", f"long-{c}/file")
        },
    ),
    "hard links": (fixed(FILE, t.hard_link(b"python/h", b"python/file")), {"file", "h"}),
    "records": (
        fixed(
            t.pax(t.record(b"comment", b"c"), b"g"),
            pax(
                (b"path", b"python/p"),
                (b"size", b"5"),
                (b"mtime", b"-1.5"),
                (b"SCHILY.xattr.user.x", b"a\0b"),
            ),
            t.file(b"python/a"),
            t.gnu_long(LONG),
            t.file(b"python/n", magic=t.GNU),
            t.gnu_long(b"python/k"),
            t.gnu_long(b"p", b"K"),
            t.symlink(b"x", b"y"),
        ),
        {"p", LONG[7:].decode(), "k"},
    ),
    "headers": (
        fixed(
            t.file(b"python/a", size=b"\x80" + bytes(10) + b"\5"),
            t.file(b"python/b", size=b"          5 "),
            t.file(b"python/c", kind=b"\0"),
        ),
        {"a", "b", "c"},
    ),
    "kinds and modes": (
        fixed(
            t.file(b"python/a", mode=0o777),
            t.file(b"python/b", mode=0o664),
            t.directory(b"python/d/", mode=0o777),
        ),
        {"a", "b", "d"},
    ),
    "names twice": (
        fixed(FILE, t.file(b"python/d/x"), t.directory(b"python/d/"), t.file(b"python/d/y")),
        {"file", "d", "d/x", "d/y"},
    ),
    "limits": (
        lambda _a: TOP + nested(20) + t.long_symlink(b"python/l", b"n/" * 39 + b"n" * 255),
        {"l", *("/".join("d" * n) for n in range(1, 21))},
    ),
    "ends": (fixed(FILE), {"file"}),
}


def control_of(family: str, arena: str) -> tuple[bytes, set[str]]:
    """Return a family's valid archive body and the paths that come out of it."""
    build, paths = CONTROLS[family]
    return build(arena), paths
