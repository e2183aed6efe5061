"""Seeds for the archive fuzzer, and what it does to them."""

from __future__ import annotations

import random

from support import tarbuild as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (
    b"python", b"python/", b"python/a", b"python/b", b"python/d/", b"python/d", b"python/d/x",
    b"python/l", b"python/l/x", b"python/../x", b"../x", b"/x", b"python//a", b"python/./a", b"",
    b".", b"python/a\0b", b"python/A", b"python/install", b"python/install/bin", b"other/x",
    b"./python/a", b"python/build/x", b"python/PYTHON.json", "python/é".encode(), b"python/\xff",
)  # fmt: skip
TARGETS = (
    b"", b"a", b"b", b"../a", b"d/x", b"d", b"..", b".", b"/etc/passwd", b"../../x", b"d/../a",
    b"python/a", b"python/d", b"python/l", b"python/nothing", b"l", b"../canary/victim",
)  # fmt: skip
NUMBERS = (
    b"", b"0", b"00000000000\0", b"00000000005\0", b"00000001000\0", b"00000000777\0",
    b"        5 ",
    b"-0000000005", b"\xff" * 12, b"\x80" + bytes(10) + b"\5", b"\x80" + bytes(6) + b"\1" * 5,
    b"77777777777\0", b"0000_000005", b"00000000009", b"0000755\0", b"0004755\0", b"000644 \0",
)  # fmt: skip
KINDS = tuple(bytes([c]) for c in b"0123456757\0xgLKSVDNMAX ")
KEYS = (b"path", b"linkpath", b"size", b"mtime", b"comment", b"GNU.sparse.name", b"uid",
        b"SCHILY.xattr.a", b"hdrcharset", b"uname", b"SCHILY.realsize", b"x")  # fmt: skip
FIELDS = {
    "name": NAMES, "link": TARGETS, "kind": KINDS, "size": NUMBERS, "mode": NUMBERS,
    "prefix": NAMES, "magic": (t.USTAR, t.GNU, b"", b"ustar  ", b"ustar\x0001"), "mtime": NUMBERS,
    "uid": NUMBERS, "checksum": NUMBERS,
}  # fmt: skip


def seeds() -> list[bytes]:
    """Return small valid archives of every kind that the extractor takes."""
    long = b"python/" + b"long/" * 20 + b"name"
    top = t.directory(b"python/")
    pax = t.pax(t.record(b"path", long) + t.record(b"size", b"5"))
    plain = top + t.directory(b"python/d/", 0o775) + t.file(b"python/d/x", b"x" * 700, mode=0o755)
    links = t.file(b"python/a") + t.symlink(b"python/l", b"a") + t.symlink(b"python/d/up", b"../a")
    full = (
        t.file(b"python/PYTHON.json", b"{}")
        + t.file(b"python/build/core.o")
        + t.file(b"python/install/bin/python3", b"#!", mode=0o775)
    )
    bodies = [
        plain + links,
        plain + t.file(b"python/a") + t.hard_link(b"python/b", b"python/a"),
        top + pax + t.file(b"python/short") + t.file(b"python/z"),
        top + t.gnu_long(long) + t.file(long[:100], magic=t.GNU) + t.file(b"python/z"),
        top + t.long_symlink(b"python/l", b"n" * 150) + t.directory(b"python/n/"),
        t.pax(t.record(b"comment", b"hello"), b"g") + plain,
        full + t.symlink(b"python/install/bin/python", b"python3"),
        t.file(b"name", prefix=b"python/pre") + t.file(b"python/pre/other", kind=b"\0"),
        t.directory(b"pypy3/", 0o755) + t.file(b"pypy3/bin/pypy3", mode=0o755),
    ]
    bodies += [random_tree(random.Random(number)) for number in range(20)]
    return [body + t.END for body in bodies]


def random_tree(chance: random.Random) -> bytes:
    """Return a valid archive body of random directories, files and links."""
    directories = [b"python"]
    files: list[bytes] = []
    parts = [t.directory(b"python/")] if chance.random() < 0.7 else []
    for number in range(chance.randrange(2, 14)):
        parent = chance.choice(directories)
        name = (
            parent
            + b"/"
            + chance.choice([b"n", b"N", b"\xc3\xa9", b"..n", b"o" * 60])
            + b"%d" % number
        )
        kind = chance.random()
        if kind < 0.25:
            directories.append(name)
            parts.append(
                _long(name + b"/", chance)
                + t.directory(name[:99] + b"/", chance.choice([0o755, 0o700]))
            )
        elif kind < 0.7 or not files:
            files.append(name)
            data = chance.randbytes(chance.choice([0, 1, 511, 512, 513, 1500]))
            mode = chance.choice([0o644, 0o755, 0o664, 0o775, 0o400, 0o500])
            parts.append(_long(name, chance) + t.file(name[:99], data, mode=mode))
        elif kind < 0.85:
            up = b"../" * chance.randrange(name.count(b"/"))
            parts.append(
                _long(name, chance) + t.symlink(name[:99], up + b"n%d" % chance.randrange(9))
            )
        else:
            target = chance.choice(files)
            if len(target) < 100:
                parts.append(_long(name, chance) + t.hard_link(name[:99], target))
    return b"".join(parts)


def _long(name: bytes, chance: random.Random) -> bytes:
    """Return the record for a name that doesn't fit, by PAX or GNU; sometimes for one that does."""
    if len(name) < 100 and chance.random() < 0.8:
        return b""
    return t.pax(t.record(b"path", name)) if chance.random() < 0.5 else t.gnu_long(name)


def mutated(chance: random.Random, tar: bytes, others: list[bytes]) -> bytes:
    """Return a tar after one to three mutations, rarely after none."""
    for _ in range(chance.choice([0, 1, 1, 1, 1, 2, 2, 3])):
        tar = chance.choice(_MUTATIONS)(chance, tar, others)
    return tar


def mutated_bytes(chance: random.Random, data: bytes) -> bytes:
    """Return compressed bytes with bits flipped, cut, or with something added or repeated."""
    at = chance.randrange(len(data) + 1)
    what = chance.randrange(4)
    if what == 0:
        return data[:at]
    if what == 1:
        return data + chance.choice([b"\0", data, chance.randbytes(9), bytes(512)])
    if what == 2:
        return data[:at] + data[max(0, at - 8) :]
    return _flip(chance, data, [])


def _flip(chance: random.Random, tar: bytes, _others: list[bytes]) -> bytes:
    changed = bytearray(tar)
    for _ in range(chance.randrange(1, 4)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _headers(tar: bytes) -> list[int]:
    """Return where headers are: blocks whose checksum is right."""
    found = []
    for at in range(0, len(tar) - t.BLOCK + 1, t.BLOCK):
        block = tar[at : at + t.BLOCK]
        if block.strip(b"\0") and t.sealed(block)[:512] == block:
            found.append(at)
    return found


def _edit(chance: random.Random, tar: bytes, block: Callable[[bytes], bytes]) -> bytes:
    headers = _headers(tar)
    if not headers:
        return tar
    at = chance.choice(headers)
    return tar[:at] + block(tar[at : at + t.BLOCK]) + tar[at + t.BLOCK :]


def _field(chance: random.Random, tar: bytes, _others: list[bytes]) -> bytes:
    """Set a field of a header to something interesting, and its checksum right again."""
    field = chance.choice(list(FIELDS))
    start, length = t.FIELDS[field]
    value = chance.choice(FIELDS[field])[:length].ljust(length, b"\0")

    def change(block: bytes) -> bytes:
        new = block[:start] + value + block[start + length :]
        return new if field == "checksum" else t.sealed(new)

    return _edit(chance, tar, change)


def _flip_sealed(chance: random.Random, tar: bytes, others: list[bytes]) -> bytes:
    return _edit(chance, tar, lambda block: t.sealed(_flip(chance, block, others)))


def _blocks(chance: random.Random, tar: bytes, _others: list[bytes]) -> bytes:
    """Repeat, drop, clear or move a run of blocks."""
    count = len(tar) // t.BLOCK
    start = chance.randrange(count + 1) * t.BLOCK
    end = start + chance.randrange(1, 4) * t.BLOCK
    run = tar[start:end]
    what = chance.randrange(4)
    if what == 0:
        return tar[:end] + run + tar[end:]
    if what == 1:
        return tar[:start] + tar[end:]
    if what == 2:
        return tar[:start] + bytes(len(run)) + tar[end:]
    rest = tar[:start] + tar[end:]
    to = chance.randrange(len(rest) // t.BLOCK + 1) * t.BLOCK
    return rest[:to] + run + rest[to:]


def _splice(chance: random.Random, tar: bytes, others: list[bytes]) -> bytes:
    """Put members of another archive before one of ours."""
    other = chance.choice(others)
    cuts = [*_headers(other), len(other) - len(t.END)]
    start, end = sorted((chance.choice(cuts), chance.choice(cuts)))
    at = chance.choice([*_headers(tar), max(0, len(tar) - len(t.END))])
    return tar[:at] + other[start:end] + tar[at:]


def _member(chance: random.Random, tar: bytes, _others: list[bytes]) -> bytes:
    """Put a member with an interesting name, kind or target before one of ours."""
    kind = chance.choice(KINDS)
    data = chance.choice([b"", b"data", b"n" * 600]) if kind in b"01x7" else b""
    link = chance.choice(TARGETS)
    new = t.header(chance.choice(NAMES), kind, size=len(data), link=link) + t.padded(data)
    at = chance.choice([*_headers(tar), max(0, len(tar) - len(t.END))])
    return tar[:at] + new + tar[at:]


def _record(chance: random.Random, tar: bytes, _others: list[bytes]) -> bytes:
    """Put a PAX or GNU record before a member."""
    value = chance.choice([*NAMES, *TARGETS, b"5", b"0", b"-1", b"+5", b"700", b"1.5"])
    if chance.random() < 0.3:
        new = t.gnu_long(value, chance.choice([b"L", b"K"]))
    else:
        data = b"".join(
            t.record(chance.choice(KEYS), chance.choice([value, chance.choice(NAMES), b"5"]))
            for _ in range(chance.choice([1, 1, 2]))
        )
        if chance.random() < 0.2:
            data = _flip(chance, data, [])
        new = t.pax(data, chance.choice([b"x", b"x", b"x", b"g"]))
    headers = _headers(tar)
    at = chance.choice(headers) if headers else 0
    return tar[:at] + new + tar[at:]


def _cut(chance: random.Random, tar: bytes, _others: list[bytes]) -> bytes:
    return tar[: chance.randrange(len(tar) // t.BLOCK + 1) * t.BLOCK]


_MUTATIONS = (
    _flip, _field, _field, _field, _flip_sealed, _flip_sealed, _blocks, _splice, _member, _member,
    _record, _record, _cut,
)  # fmt: skip
