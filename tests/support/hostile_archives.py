"""Hostile archives by family; `valid_archives` has a control for each family.

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


def fixed(*parts: bytes) -> Callable[[str], bytes]:
    return lambda _arena: TOP + b"".join(parts)


def nested(depth: int) -> bytes:
    """Return directories, each in the one before."""
    parts = []
    for level in range(1, depth + 1):
        name = b"python/" + b"d/" * level
        parts.append(t.directory(name) if len(name) < 100 else t.gnu_long(name) + t.directory(b"x"))
    return b"".join(parts)


def bare(*parts: bytes) -> Callable[[str], bytes]:
    return lambda _arena: b"".join(parts)


def pax(*records: tuple[bytes, bytes]) -> bytes:
    return t.pax(b"".join(t.record(k, v) for k, v in records))


FILE = t.file(b"python/file")
_NEGATIVE = b"\xff" * 12
LONG = b"python/" + b"n" * 120

CASES: dict[str, dict[str, Callable[[str], bytes]]] = {
    "names": {
        "dot-dot first": bare(t.file(b"../x")),
        "dot-dot below the top": fixed(t.file(b"python/../../canary/x")),
        "dot-dot after a name": fixed(t.file(b"python/a/../../../canary/x")),
        "dot-dot as a top": bare(t.directory(b"../"), t.file(b"../x")),
        "dot-dot directory": fixed(t.directory(b"python/../../canary/made/")),
        "absolute": lambda a: TOP + t.file(f"{a}/canary/x".encode()),
        "absolute first": lambda a: t.file(f"{a}/canary/x".encode()),
        "two slashes": lambda a: TOP + t.file(f"/{a}/canary/x".encode()),
        "two slashes below the top": fixed(t.file(b"python//x")),
        "backslash": fixed(t.file(b"python/..\\x")),
        "backslash first": bare(t.file(b"..\\x")),
        "drive": fixed(t.file(b"python/C:x")),
        "drive first": bare(t.directory(b"C:x/")),
        "empty": bare(t.file(b"")),
        "empty later": fixed(t.file(b"")),
        "dot": bare(t.directory(b".")),
        "dot below the top": fixed(t.file(b"python/./x")),
        "dot before the top": bare(t.file(b"./python/x")),
        "nul": fixed(t.file(b"python/a\0b")),
        "nul and dot-dot": fixed(t.file(b"python/a\0/../../../canary/x")),
        "newline": fixed(t.file(b"python/a\nb")),
        "escape sequence": fixed(t.file(b"python/\x1b[2Ja")),
        "not utf-8": fixed(t.file(b"python/\xff\xfe")),
        "utf-8 surrogate": fixed(t.file(b"python/\xed\xa0\x80")),
        "overlong utf-8 slash": fixed(t.file(b"python/..\xc0\xafx")),
        "file with a slash": fixed(t.file(b"python/x/")),
        "two tops": fixed(t.file(b"other/x")),
        "two tops, after a file": fixed(t.file(b"python/x"), t.file(b"other/x")),
        "file as a top": bare(t.file(b"python")),
        "prefix with dot-dot": fixed(t.file(b"x", prefix=b"python/../../canary")),
        "component of 256 bytes": fixed(
            t.gnu_long(b"python/" + b"n" * 256), t.file(b"x", magic=t.GNU)
        ),
    },
    "links": {
        "written through": fixed(
            t.symlink(b"python/l", b"../../canary"), t.file(b"python/l/x", b"evil")
        ),
        "written through, inside": fixed(
            t.directory(b"python/d/"), t.symlink(b"python/l", b"d"), t.file(b"python/l/x")
        ),
        "file over link": fixed(
            t.symlink(b"python/l", b"../../canary/victim"), t.file(b"python/l", b"evil")
        ),
        "file over inner link": fixed(t.symlink(b"python/l", b"file"), t.file(b"python/l"), FILE),
        "absolute": lambda a: TOP + t.symlink(b"python/l", f"{a}/canary/victim".encode()),
        "above": fixed(t.symlink(b"python/l", b"..")),
        "above by names": fixed(
            t.directory(b"python/d/"), t.symlink(b"python/l", b"d/../../../canary/victim")
        ),
        "chain": fixed(
            t.directory(b"python/d/"),
            t.symlink(b"python/d/a", b".."),
            t.symlink(b"python/b", b"d/a/.."),
            t.symlink(b"python/c", b"b/canary"),
            t.file(b"python/c/x", b"evil"),
        ),
        "replaced by a directory": fixed(
            t.symlink(b"python/l", b"../../canary"),
            t.directory(b"python/l/"),
            t.file(b"python/l/x", b"evil"),
        ),
        "directory over an inner link": fixed(
            t.directory(b"python/d/"), t.symlink(b"python/l", b"d"), t.directory(b"python/l/")
        ),
        "link over directory": fixed(
            t.directory(b"python/d/"), t.symlink(b"python/d", b"../../canary")
        ),
        "top is a link": bare(t.symlink(b"python", b"../canary"), t.file(b"python/x", b"evil")),
        "evil and back": fixed(
            t.symlink(b"python/l", b"../evil/../staging/x"), t.file(b"python/x")
        ),
        "empty target": fixed(t.symlink(b"python/l", b"")),
        "nul in target": fixed(t.symlink(b"python/l", b"a\0b")),
        "backslash in target": fixed(t.symlink(b"python/l", b"..\\..\\canary")),
        "with content": fixed(
            t.header(b"python/l", t.SYMLINK, link=b"file", size=4) + t.padded(b"data")
        ),
        "long aliases (CVE-2025-4517)": long_aliases,
    },
    "hard links": {
        "to a symbolic link": fixed(
            t.symlink(b"python/l", b"../../canary/victim"), t.hard_link(b"python/h", b"python/l")
        ),
        "to a symbolic link, twice, then written": fixed(
            t.symlink(b"python/l", b"../../canary/victim"),
            t.hard_link(b"python/h", b"python/l"),
            t.hard_link(b"python/i", b"python/h"),
            t.file(b"python/i", b"evil"),
        ),
        "to an inner symbolic link": fixed(
            FILE, t.symlink(b"python/l", b"file"), t.hard_link(b"python/h", b"python/l")
        ),
        "outside": fixed(t.hard_link(b"python/h", b"../canary/victim")),
        "absolute": lambda a: TOP + t.hard_link(b"python/h", f"{a}/canary/victim".encode()),
        "outside, then written": fixed(
            t.hard_link(b"python/h", b"../canary/victim"), t.file(b"python/h", b"evil")
        ),
        "missing": fixed(t.hard_link(b"python/h", b"python/nothing")),
        "forward": fixed(t.hard_link(b"python/h", b"python/file"), FILE),
        "to itself": fixed(t.hard_link(b"python/h", b"python/h")),
        "to a directory": fixed(t.directory(b"python/d/"), t.hard_link(b"python/h", b"python/d")),
        "without a target": fixed(FILE, t.hard_link(b"python/h", b"")),
        "by another spelling": fixed(FILE, t.hard_link(b"python/h", b"python/./file")),
    },
    "records": {
        "pax size is not the header's": fixed(
            pax((b"size", b"1024")), t.file(b"python/a", t.file(b"python/hidden", b"evil")[:512])
        ),
        "pax size 0 over a file": fixed(
            pax((b"size", b"0")), t.file(b"python/a", t.directory(b"python/hidden/"))
        ),
        "header size 0 under a pax size": fixed(
            pax((b"size", b"512")), t.header(b"python/a"), t.directory(b"python/hidden/")
        ),
        "pax before a gnu name": fixed(
            pax((b"size", b"512")), t.gnu_long(LONG), t.file(b"python/a", magic=t.GNU)
        ),
        "gnu name before pax": fixed(
            t.gnu_long(LONG), pax((b"mtime", b"1")), t.file(b"python/a", magic=t.GNU)
        ),
        "path in both": fixed(
            pax((b"path", b"python/p")), t.gnu_long(b"python/g"), t.file(b"python/a", magic=t.GNU)
        ),
        "two pax records": fixed(
            pax((b"path", b"python/p")), pax((b"path", b"python/q")), t.file(b"python/a")
        ),
        "two gnu names": fixed(
            t.gnu_long(b"python/p"), t.gnu_long(b"python/q"), t.file(b"python/a", magic=t.GNU)
        ),
        "a key twice": fixed(
            pax((b"path", b"python/p"), (b"path", b"python/q")), t.file(b"python/a")
        ),
        "global path": fixed(t.pax(t.record(b"path", b"python/p"), b"g"), t.file(b"python/a")),
        "global linkpath": fixed(
            t.pax(t.record(b"linkpath", b"file"), b"g"), t.symlink(b"python/a", b"b")
        ),
        "global size": fixed(t.pax(t.record(b"size", b"5"), b"g"), t.file(b"python/a")),
        "global between": fixed(
            pax((b"path", b"python/p")), t.pax(t.record(b"comment", b"c"), b"g"), FILE
        ),
        "global between a gnu name and its member": fixed(
            t.gnu_long(LONG), t.pax(t.record(b"comment", b"c"), b"g"), t.file(b"x", magic=t.GNU)
        ),
        "signed size": fixed(pax((b"size", b"+5")), t.file(b"python/a")),
        "negative size": fixed(pax((b"size", b"-5")), t.file(b"python/a")),
        "size with a space": fixed(pax((b"size", b" 5")), t.file(b"python/a")),
        "size with a leading zero": fixed(pax((b"size", b"05")), t.file(b"python/a")),
        "size of a hundred digits": fixed(pax((b"size", b"5" * 100)), t.file(b"python/a")),
        "empty size": fixed(pax((b"size", b"")), t.file(b"python/a")),
        "nul in a path": fixed(pax((b"path", b"python/p\0q")), t.file(b"python/a")),
        "nul in a linkpath": fixed(pax((b"linkpath", b"p\0q")), t.symlink(b"python/a", b"b")),
        "path with dot-dot": fixed(pax((b"path", b"python/../../canary/x")), t.file(b"python/a")),
        "linkpath with dot-dot": fixed(
            pax((b"linkpath", b"../../canary/victim")), t.symlink(b"python/a", b"b")
        ),
        "empty path": fixed(pax((b"path", b"")), t.file(b"python/a")),
        "signed record length": fixed(t.pax(b"+16 path=python/p\n"), t.file(b"python/a")),
        "record length with a leading zero": fixed(
            t.pax(b"017 path=python/p\n"), t.file(b"python/a")
        ),
        "record length too long": fixed(t.pax(b"99 path=python/p\n"), t.file(b"python/a")),
        "record length too short": fixed(t.pax(b"9 path=python/p\n"), t.file(b"python/a")),
        "record length 0": fixed(t.pax(b"0 path=python/p\n"), t.file(b"python/a")),
        "record without an equals sign": fixed(t.pax(b"10 python\n"), t.file(b"python/a")),
        "nul after the records": fixed(
            t.pax(t.record(b"mtime", b"1") + b"\0"), t.file(b"python/a")
        ),
        "empty record": fixed(t.pax(b""), t.file(b"python/a")),
        "sparse": fixed(
            pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.name", b"python/p")),
            t.file(b"python/a"),
        ),
        "star's real size": fixed(pax((b"SCHILY.realsize", b"1000")), t.file(b"python/a")),
        "charset": fixed(pax((b"hdrcharset", b"BINARY")), t.file(b"python/a")),
        "record without a member": fixed(FILE, pax((b"path", b"python/p"))),
        "nul in a gnu name": fixed(t.gnu_long(b"python/a\0b"), t.file(b"x", magic=t.GNU)),
        "gnu name without an end": fixed(
            t.header(b"././@LongLink", b"L", size=5, magic=t.GNU) + t.padded(b"python/name"),
            t.file(b"python/x", magic=t.GNU),
        ),
        "huge record": fixed(pax((b"comment", b"c" * 200_000)), FILE),
    },
    "headers": {
        "negative size (CVE-2025-8194)": fixed(t.header(b"python/a", size=b"\xff" * 12)),
        "negative size that leads back": fixed(
            t.header(b"python/a", size=b"\xff" * 10 + b"\xfe\x00")
        ),
        "negative pax record size": fixed(t.header(b"pax", b"x", size=b"\xff" * 12), FILE),
        "size with a sign": fixed(t.header(b"python/a", size=b"-0000000005\0")),
        "size with a plus": fixed(t.file(b"python/a", size=b"+0000000005\0")),
        "size with an underscore": fixed(t.file(b"python/a", size=b"0000_000005\0")),
        "size in hexadecimal": fixed(t.file(b"python/a", size=b"0x000000005\0")),
        "size that isn't octal": fixed(t.file(b"python/a", size=b"00000000008\0")),
        "blank size": fixed(t.header(b"python/a", size=b"")),
        "size beyond the archive": fixed(t.header(b"python/a", size=1 << 20)),
        "size beyond the limit": fixed(
            t.header(b"python/a", size=b"\x80" + b"\0" * 5 + b"\x7f" * 6)
        ),
        "wrong checksum": fixed(t.header(b"python/a", checksum=b"012345\0 ")),
        "blank checksum": fixed(t.header(b"python/a", checksum=b" " * 8)),
        "no magic": fixed(t.file(b"python/a", magic=b"")),
        "another magic": fixed(t.file(b"python/a", magic=b"ustar\x0001")),
    },
    "kinds and modes": {
        "fifo": fixed(t.header(b"python/p", t.FIFO)),
        "character device": fixed(t.header(b"python/c", t.CHARACTER)),
        "block device": fixed(t.header(b"python/b", t.BLOCK_DEVICE)),
        "contiguous file": fixed(t.file(b"python/c", kind=b"7")),
        "gnu sparse file": fixed(t.file(b"python/s", kind=b"S", magic=t.GNU)),
        "gnu directory dump": fixed(t.header(b"python/d/", b"D", magic=t.GNU)),
        "gnu volume": fixed(t.header(b"python/v", b"V", magic=t.GNU), FILE),
        "gnu rename": fixed(t.file(b"python/n", kind=b"N", magic=t.GNU), FILE),
        "unknown kind": fixed(t.header(b"python/z", b"Z")),
        "kind that clears the screen": fixed(t.header(b"python/z", b"\x1b")),
        "kind beyond ascii": fixed(t.header(b"python/z", b"\xb5")),
        "setuid": fixed(t.file(b"python/a", mode=0o4755)),
        "setgid": fixed(t.file(b"python/a", mode=0o2755)),
        "sticky": fixed(t.file(b"python/a", mode=0o1755)),
        "setgid directory": fixed(t.directory(b"python/d/", mode=0o2755)),
        "mode with a file type": fixed(t.file(b"python/a", mode=0o100644)),
        "mode that isn't one": fixed(t.file(b"python/a", mode=b"rwxr-x\0\0")),
        "directory with content": fixed(
            t.header(b"python/d/", t.DIRECTORY, size=4), t.padded(b"d")
        ),
    },
    "names twice": {
        "file twice": fixed(FILE, FILE),
        "directory twice": fixed(t.directory(b"python/d/"), t.directory(b"python/d/")),
        "top twice": fixed(TOP),
        "file then directory": fixed(FILE, t.directory(b"python/file/")),
        "file then a file below it": fixed(FILE, t.file(b"python/file/x")),
        "file then one deep below it": fixed(FILE, t.file(b"python/file/a/b/x")),
        "directory then file": fixed(t.directory(b"python/d/"), t.file(b"python/d")),
        "implied directory then file": fixed(t.file(b"python/d/x"), t.file(b"python/d")),
        "hard link over file": fixed(
            FILE, t.file(b"python/b"), t.hard_link(b"python/b", b"python/file")
        ),
        "link over file": fixed(FILE, t.symlink(b"python/file", b"b")),
        "by a record": fixed(FILE, pax((b"path", b"python/file")), t.file(b"python/b")),
    },
    "limits": {
        "10,000 deep": fixed(
            t.gnu_long(b"python/" + b"d/" * 10_000 + b"x"), t.file(b"x", magic=t.GNU)
        ),
        "10,000 deep, one by one": lambda _a: TOP + nested(10_000),
        "link to a path 50 deep": fixed(t.long_symlink(b"python/l", b"d/" * 50 + b"x")),
        "link to a path of 1,200 bytes": fixed(
            t.long_symlink(b"python/l", b"/".join([b"n" * 200] * 6))
        ),
        "name of 60,000 bytes": fixed(t.gnu_long(b"python/" + b"n/" * 30_000), t.directory(b"x")),
    },
    "ends": {
        "nothing": bare(b""),
        "only a top": bare(TOP),
        "zero block within": fixed(bytes(t.BLOCK), FILE),
        "another archive behind": fixed(FILE, t.END, t.file(b"python/second")),
    },
}
