"""Hostile archives by family, and a valid one for each.

Each case is the body of a tar (without its end) that the extractor has to refuse. Each family has
a control: the same shape without the attack, which has to come out.
"""

from __future__ import annotations

from support import tarbuild as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TOP = t.directory(b"python/")


def long_aliases(_arena: str) -> bytes:
    """CVE-2025-4517: 16 long directories with short aliases, so that `realpath` gives up."""
    long = b"d" * 247
    parts = [TOP]
    path = b"python"
    short = b"python"
    for alias in b"abcdefghijklmnop":
        name = bytes([alias])
        path += b"/" + long
        parts += [
            t.gnu_long(path + b"/") + t.header(path[:99], t.DIRECTORY, mode=0o755, magic=t.GNU),
            t.long_symlink(short + b"/" + name, long),
        ]
        short += b"/" + name
    out = short + b"/" + b"l" * 254
    parts += [
        t.gnu_long(out) + t.long_symlink(out[:99], b"../" * 16),
        t.long_symlink(b"python/escape", out[7:] + b"/../../canary"),
        t.hard_link(b"python/flag", b"python/escape/victim"),
        t.file(b"python/escape/evil", b"written\n"),
    ]
    return b"".join(parts)


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


def _fixed(*parts: bytes) -> Callable[[str], bytes]:
    return lambda _arena: TOP + b"".join(parts)


def _nested(depth: int) -> bytes:
    """Return directories, each in the one before."""
    parts = []
    for level in range(1, depth + 1):
        name = b"python/" + b"d/" * level
        parts.append(t.directory(name) if len(name) < 100 else t.gnu_long(name) + t.directory(b"x"))
    return b"".join(parts)


def _bare(*parts: bytes) -> Callable[[str], bytes]:
    return lambda _arena: b"".join(parts)


def _pax(*records: tuple[bytes, bytes]) -> bytes:
    return t.pax(b"".join(t.record(k, v) for k, v in records))


_F = t.file(b"python/file")
_NEGATIVE = b"\xff" * 12
_LONG = b"python/" + b"n" * 120

CASES: dict[str, dict[str, Callable[[str], bytes]]] = {
    "names": {
        "dot-dot first": _bare(t.file(b"../x")),
        "dot-dot below the top": _fixed(t.file(b"python/../../canary/x")),
        "dot-dot after a name": _fixed(t.file(b"python/a/../../../canary/x")),
        "dot-dot as a top": _bare(t.directory(b"../"), t.file(b"../x")),
        "dot-dot directory": _fixed(t.directory(b"python/../../canary/made/")),
        "absolute": lambda a: TOP + t.file(f"{a}/canary/x".encode()),
        "absolute first": lambda a: t.file(f"{a}/canary/x".encode()),
        "two slashes": lambda a: TOP + t.file(f"/{a}/canary/x".encode()),
        "two slashes below the top": _fixed(t.file(b"python//x")),
        "backslash": _fixed(t.file(b"python/..\\x")),
        "backslash first": _bare(t.file(b"..\\x")),
        "drive": _fixed(t.file(b"python/C:x")),
        "drive first": _bare(t.directory(b"C:x/")),
        "empty": _bare(t.file(b"")),
        "empty later": _fixed(t.file(b"")),
        "dot": _bare(t.directory(b".")),
        "dot below the top": _fixed(t.file(b"python/./x")),
        "dot before the top": _bare(t.file(b"./python/x")),
        "nul": _fixed(t.file(b"python/a\0b")),
        "nul and dot-dot": _fixed(t.file(b"python/a\0/../../../canary/x")),
        "newline": _fixed(t.file(b"python/a\nb")),
        "escape sequence": _fixed(t.file(b"python/\x1b[2Ja")),
        "not utf-8": _fixed(t.file(b"python/\xff\xfe")),
        "utf-8 surrogate": _fixed(t.file(b"python/\xed\xa0\x80")),
        "overlong utf-8 slash": _fixed(t.file(b"python/..\xc0\xafx")),
        "file with a slash": _fixed(t.file(b"python/x/")),
        "two tops": _fixed(t.file(b"other/x")),
        "file as a top": _bare(t.file(b"python")),
        "prefix with dot-dot": _fixed(t.file(b"x", prefix=b"python/../../canary")),
        "component of 256 bytes": _fixed(
            t.gnu_long(b"python/" + b"n" * 256), t.file(b"x", magic=t.GNU)
        ),
    },
    "links": {
        "written through": _fixed(
            t.symlink(b"python/l", b"../../canary"), t.file(b"python/l/x", b"evil")
        ),
        "written through, inside": _fixed(
            t.directory(b"python/d/"), t.symlink(b"python/l", b"d"), t.file(b"python/l/x")
        ),
        "file over link": _fixed(
            t.symlink(b"python/l", b"../../canary/victim"), t.file(b"python/l", b"evil")
        ),
        "file over inner link": _fixed(t.symlink(b"python/l", b"file"), t.file(b"python/l"), _F),
        "absolute": lambda a: TOP + t.symlink(b"python/l", f"{a}/canary/victim".encode()),
        "above": _fixed(t.symlink(b"python/l", b"..")),
        "above by names": _fixed(
            t.directory(b"python/d/"), t.symlink(b"python/l", b"d/../../../canary/victim")
        ),
        "chain": _fixed(
            t.directory(b"python/d/"),
            t.symlink(b"python/d/a", b".."),
            t.symlink(b"python/b", b"d/a/.."),
            t.symlink(b"python/c", b"b/canary"),
            t.file(b"python/c/x", b"evil"),
        ),
        "replaced by a directory": _fixed(
            t.symlink(b"python/l", b"../../canary"),
            t.directory(b"python/l/"),
            t.file(b"python/l/x", b"evil"),
        ),
        "directory over an inner link": _fixed(
            t.directory(b"python/d/"), t.symlink(b"python/l", b"d"), t.directory(b"python/l/")
        ),
        "link over directory": _fixed(
            t.directory(b"python/d/"), t.symlink(b"python/d", b"../../canary")
        ),
        "top is a link": _bare(t.symlink(b"python", b"../canary"), t.file(b"python/x", b"evil")),
        "evil and back": _fixed(
            t.symlink(b"python/l", b"../evil/../staging/x"), t.file(b"python/x")
        ),
        "empty target": _fixed(t.symlink(b"python/l", b"")),
        "nul in target": _fixed(t.symlink(b"python/l", b"a\0b")),
        "backslash in target": _fixed(t.symlink(b"python/l", b"..\\..\\canary")),
        "with content": _fixed(
            t.header(b"python/l", t.SYMLINK, link=b"file", size=4) + t.padded(b"data")
        ),
        "long aliases (CVE-2025-4517)": long_aliases,
    },
    "hard links": {
        "to a symbolic link": _fixed(
            t.symlink(b"python/l", b"../../canary/victim"), t.hard_link(b"python/h", b"python/l")
        ),
        "to a symbolic link, twice, then written": _fixed(
            t.symlink(b"python/l", b"../../canary/victim"),
            t.hard_link(b"python/h", b"python/l"),
            t.hard_link(b"python/i", b"python/h"),
            t.file(b"python/i", b"evil"),
        ),
        "to an inner symbolic link": _fixed(
            _F, t.symlink(b"python/l", b"file"), t.hard_link(b"python/h", b"python/l")
        ),
        "outside": _fixed(t.hard_link(b"python/h", b"../canary/victim")),
        "absolute": lambda a: TOP + t.hard_link(b"python/h", f"{a}/canary/victim".encode()),
        "outside, then written": _fixed(
            t.hard_link(b"python/h", b"../canary/victim"), t.file(b"python/h", b"evil")
        ),
        "missing": _fixed(t.hard_link(b"python/h", b"python/nothing")),
        "forward": _fixed(t.hard_link(b"python/h", b"python/file"), _F),
        "to itself": _fixed(t.hard_link(b"python/h", b"python/h")),
        "to a directory": _fixed(t.directory(b"python/d/"), t.hard_link(b"python/h", b"python/d")),
        "without a target": _fixed(_F, t.hard_link(b"python/h", b"")),
        "by another spelling": _fixed(_F, t.hard_link(b"python/h", b"python/./file")),
    },
    "records": {
        "pax size is not the header's": _fixed(
            _pax((b"size", b"1024")), t.file(b"python/a", t.file(b"python/hidden", b"evil")[:512])
        ),
        "pax size 0 over a file": _fixed(
            _pax((b"size", b"0")), t.file(b"python/a", t.directory(b"python/hidden/"))
        ),
        "header size 0 under a pax size": _fixed(
            _pax((b"size", b"512")), t.header(b"python/a"), t.directory(b"python/hidden/")
        ),
        "pax before a gnu name": _fixed(
            _pax((b"size", b"512")), t.gnu_long(_LONG), t.file(b"python/a", magic=t.GNU)
        ),
        "gnu name before pax": _fixed(
            t.gnu_long(_LONG), _pax((b"mtime", b"1")), t.file(b"python/a", magic=t.GNU)
        ),
        "path in both": _fixed(
            _pax((b"path", b"python/p")), t.gnu_long(b"python/g"), t.file(b"python/a", magic=t.GNU)
        ),
        "two pax records": _fixed(
            _pax((b"path", b"python/p")), _pax((b"path", b"python/q")), t.file(b"python/a")
        ),
        "two gnu names": _fixed(
            t.gnu_long(b"python/p"), t.gnu_long(b"python/q"), t.file(b"python/a", magic=t.GNU)
        ),
        "a key twice": _fixed(
            _pax((b"path", b"python/p"), (b"path", b"python/q")), t.file(b"python/a")
        ),
        "global path": _fixed(t.pax(t.record(b"path", b"python/p"), b"g"), t.file(b"python/a")),
        "global linkpath": _fixed(
            t.pax(t.record(b"linkpath", b"file"), b"g"), t.symlink(b"python/a", b"b")
        ),
        "global size": _fixed(t.pax(t.record(b"size", b"5"), b"g"), t.file(b"python/a")),
        "global between": _fixed(
            _pax((b"path", b"python/p")), t.pax(t.record(b"comment", b"c"), b"g"), _F
        ),
        "signed size": _fixed(_pax((b"size", b"+5")), t.file(b"python/a")),
        "negative size": _fixed(_pax((b"size", b"-5")), t.file(b"python/a")),
        "size with a space": _fixed(_pax((b"size", b" 5")), t.file(b"python/a")),
        "size with a leading zero": _fixed(_pax((b"size", b"05")), t.file(b"python/a")),
        "size of a hundred digits": _fixed(_pax((b"size", b"5" * 100)), t.file(b"python/a")),
        "empty size": _fixed(_pax((b"size", b"")), t.file(b"python/a")),
        "nul in a path": _fixed(_pax((b"path", b"python/p\0q")), t.file(b"python/a")),
        "nul in a linkpath": _fixed(_pax((b"linkpath", b"p\0q")), t.symlink(b"python/a", b"b")),
        "path with dot-dot": _fixed(_pax((b"path", b"python/../../canary/x")), t.file(b"python/a")),
        "linkpath with dot-dot": _fixed(
            _pax((b"linkpath", b"../../canary/victim")), t.symlink(b"python/a", b"b")
        ),
        "empty path": _fixed(_pax((b"path", b"")), t.file(b"python/a")),
        "signed record length": _fixed(t.pax(b"+16 path=python/p\n"), t.file(b"python/a")),
        "record length with a leading zero": _fixed(
            t.pax(b"017 path=python/p\n"), t.file(b"python/a")
        ),
        "record length too long": _fixed(t.pax(b"99 path=python/p\n"), t.file(b"python/a")),
        "record length too short": _fixed(t.pax(b"9 path=python/p\n"), t.file(b"python/a")),
        "record length 0": _fixed(t.pax(b"0 path=python/p\n"), t.file(b"python/a")),
        "record without an equals sign": _fixed(t.pax(b"10 python\n"), t.file(b"python/a")),
        "nul after the records": _fixed(
            t.pax(t.record(b"mtime", b"1") + b"\0"), t.file(b"python/a")
        ),
        "empty record": _fixed(t.pax(b""), t.file(b"python/a")),
        "sparse": _fixed(
            _pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.name", b"python/p")),
            t.file(b"python/a"),
        ),
        "star's real size": _fixed(_pax((b"SCHILY.realsize", b"1000")), t.file(b"python/a")),
        "charset": _fixed(_pax((b"hdrcharset", b"BINARY")), t.file(b"python/a")),
        "record without a member": _fixed(_F, _pax((b"path", b"python/p"))),
        "nul in a gnu name": _fixed(t.gnu_long(b"python/a\0b"), t.file(b"x", magic=t.GNU)),
        "huge record": _fixed(_pax((b"comment", b"c" * 200_000)), _F),
    },
    "headers": {
        "negative size (CVE-2025-8194)": _fixed(t.header(b"python/a", size=b"\xff" * 12)),
        "negative size that leads back": _fixed(
            t.header(b"python/a", size=b"\xff" * 10 + b"\xfe\x00")
        ),
        "negative pax record size": _fixed(t.header(b"pax", b"x", size=b"\xff" * 12), _F),
        "size with a sign": _fixed(t.header(b"python/a", size=b"-0000000005\0")),
        "size with a plus": _fixed(t.file(b"python/a", size=b"+0000000005\0")),
        "size with an underscore": _fixed(t.file(b"python/a", size=b"0000_000005\0")),
        "size in hexadecimal": _fixed(t.file(b"python/a", size=b"0x000000005\0")),
        "size that isn't octal": _fixed(t.file(b"python/a", size=b"00000000008\0")),
        "blank size": _fixed(t.header(b"python/a", size=b"")),
        "size beyond the archive": _fixed(t.header(b"python/a", size=1 << 20)),
        "size beyond the limit": _fixed(
            t.header(b"python/a", size=b"\x80" + b"\0" * 5 + b"\x7f" * 6)
        ),
        "wrong checksum": _fixed(t.header(b"python/a", checksum=b"012345\0 ")),
        "blank checksum": _fixed(t.header(b"python/a", checksum=b" " * 8)),
        "no magic": _fixed(t.file(b"python/a", magic=b"")),
        "another magic": _fixed(t.file(b"python/a", magic=b"ustar\x0001")),
    },
    "kinds and modes": {
        "fifo": _fixed(t.header(b"python/p", t.FIFO)),
        "character device": _fixed(t.header(b"python/c", t.CHARACTER)),
        "block device": _fixed(t.header(b"python/b", t.BLOCK_DEVICE)),
        "contiguous file": _fixed(t.file(b"python/c", kind=b"7")),
        "gnu sparse file": _fixed(t.file(b"python/s", kind=b"S", magic=t.GNU)),
        "gnu directory dump": _fixed(t.header(b"python/d/", b"D", magic=t.GNU)),
        "gnu volume": _fixed(t.header(b"python/v", b"V", magic=t.GNU), _F),
        "gnu rename": _fixed(t.file(b"python/n", kind=b"N", magic=t.GNU), _F),
        "unknown kind": _fixed(t.header(b"python/z", b"Z")),
        "setuid": _fixed(t.file(b"python/a", mode=0o4755)),
        "setgid": _fixed(t.file(b"python/a", mode=0o2755)),
        "sticky": _fixed(t.file(b"python/a", mode=0o1755)),
        "setgid directory": _fixed(t.directory(b"python/d/", mode=0o2755)),
        "mode with a file type": _fixed(t.file(b"python/a", mode=0o100644)),
        "mode that isn't one": _fixed(t.file(b"python/a", mode=b"rwxr-x\0\0")),
        "directory with content": _fixed(
            t.header(b"python/d/", t.DIRECTORY, size=4), t.padded(b"d")
        ),
    },
    "names twice": {
        "file twice": _fixed(_F, _F),
        "directory twice": _fixed(t.directory(b"python/d/"), t.directory(b"python/d/")),
        "top twice": _fixed(TOP),
        "file then directory": _fixed(_F, t.directory(b"python/file/")),
        "file then a file below it": _fixed(_F, t.file(b"python/file/x")),
        "file then one deep below it": _fixed(_F, t.file(b"python/file/a/b/x")),
        "directory then file": _fixed(t.directory(b"python/d/"), t.file(b"python/d")),
        "implied directory then file": _fixed(t.file(b"python/d/x"), t.file(b"python/d")),
        "hard link over file": _fixed(
            _F, t.file(b"python/b"), t.hard_link(b"python/b", b"python/file")
        ),
        "link over file": _fixed(_F, t.symlink(b"python/file", b"b")),
        "by a record": _fixed(_F, _pax((b"path", b"python/file")), t.file(b"python/b")),
    },
    "limits": {
        "10,000 deep": _fixed(
            t.gnu_long(b"python/" + b"d/" * 10_000 + b"x"), t.file(b"x", magic=t.GNU)
        ),
        "10,000 deep, one by one": lambda _a: TOP + _nested(10_000),
        "name of 60,000 bytes": _fixed(t.gnu_long(b"python/" + b"n/" * 30_000), t.directory(b"x")),
    },
    "ends": {
        "nothing": _bare(b""),
        "only a top": _bare(TOP),
        "zero block within": _fixed(bytes(t.BLOCK), _F),
        "another archive behind": _fixed(_F, t.END, t.file(b"python/second")),
    },
}

CONTROLS: dict[str, tuple[Callable[[str], bytes], set[str]]] = {
    "names": (
        _fixed(
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
    "hard links": (_fixed(_F, t.hard_link(b"python/h", b"python/file")), {"file", "h"}),
    "records": (
        _fixed(
            t.pax(t.record(b"comment", b"c"), b"g"),
            _pax(
                (b"path", b"python/p"),
                (b"size", b"5"),
                (b"mtime", b"-1.5"),
                (b"SCHILY.xattr.user.x", b"a\0b"),
            ),
            t.file(b"python/a"),
            t.gnu_long(_LONG),
            t.file(b"python/n", magic=t.GNU),
            t.gnu_long(b"python/k"),
            t.gnu_long(b"p", b"K"),
            t.symlink(b"x", b"y"),
        ),
        {"p", _LONG[7:].decode(), "k"},
    ),
    "headers": (
        _fixed(
            t.file(b"python/a", size=b"\x80" + bytes(10) + b"\5"),
            t.file(b"python/b", size=b"          5 "),
            t.file(b"python/c", kind=b"\0"),
        ),
        {"a", "b", "c"},
    ),
    "kinds and modes": (
        _fixed(
            t.file(b"python/a", mode=0o777),
            t.file(b"python/b", mode=0o664),
            t.directory(b"python/d/", mode=0o777),
        ),
        {"a", "b", "d"},
    ),
    "names twice": (
        _fixed(_F, t.file(b"python/d/x"), t.directory(b"python/d/"), t.file(b"python/d/y")),
        {"file", "d", "d/x", "d/y"},
    ),
    "limits": (lambda _a: TOP + _nested(20), {"/".join("d" * n) for n in range(1, 21)}),
    "ends": (_fixed(_F), {"file"}),
}


def control_of(family: str, arena: str) -> tuple[bytes, set[str]]:
    """Return a family's valid archive body and the paths that come out of it."""
    build, paths = CONTROLS[family]
    return build(arena), paths
