"""Read what an ELF file needs, and point its run path elsewhere, in place.

Just enough of an ELF editor to make an interpreter relocatable without `patchelf`: the string of
DT_RPATH or DT_RUNPATH is overwritten by one that isn't longer. Both classes and both byte orders.
Source: System V ABI, "Dynamic Linking"; `man 5 elf`.
"""

from __future__ import annotations

import struct

from bubble.model.record import Record

MAGIC = b"\x7fELF"
_PT_LOAD, _PT_DYNAMIC = 1, 2
_NULL, _NEEDED, _STRTAB, _RPATH, _RUNPATH = 0, 1, 5, 15, 29


class Elf(Record):
    """The dynamic section's names: `needed` sonames, and the `run_path` ("" if none).

    `slots` are the file offsets at which the run path's string stands.
    """

    needed: tuple[str, ...]
    run_path: str
    slots: tuple[int, ...]


def read(data: bytes) -> Elf | None:
    """Return what a file's content says, None if it is no ELF file with a dynamic section."""
    if data[:4] != MAGIC or len(data) < 64:
        return None
    try:
        return _read(data)
    except (struct.error, ValueError):  # cut or malformed: nothing that runs
        return None


def with_run_path(data: bytes, run_path: str) -> bytes | None:
    """Return the content with another run path, None where the old string has no room for it.

    The rest of the old string is filled with NUL: whatever follows keeps its offset.
    """
    elf = read(data)
    if elf is None or not elf.slots or len(run_path.encode()) > len(elf.run_path.encode()):
        return None
    changed = bytearray(data)
    room = len(elf.run_path.encode())
    for slot in elf.slots:
        changed[slot : slot + room] = run_path.encode().ljust(room, b"\0")
    return bytes(changed)


def _read(data: bytes) -> Elf | None:
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == 2
    segments = _segments(data, order, wide=wide)
    dynamic = next((s for s in segments if s[0] == _PT_DYNAMIC), None)
    if dynamic is None:
        return None
    pair = struct.Struct(order + ("qQ" if wide else "iI"))
    tags: list[tuple[int, int]] = []
    for tag, value in pair.iter_unpack(data[dynamic[1] : dynamic[1] + dynamic[3]]):
        if tag == _NULL:
            break
        tags.append((tag, value))
    address = next((v for t, v in tags if t == _STRTAB), None)
    if address is None:
        return None
    strings = _offset(segments, address)

    def names(*wanted: int) -> list[tuple[str, int]]:
        found = dict.fromkeys(strings + v for t, v in tags if t in wanted)
        return [(_string(data, offset), offset) for offset in found]

    paths = names(_RUNPATH) or names(_RPATH)  # the loader ignores RPATH where there is a RUNPATH
    return Elf(
        needed=tuple(name for name, _ in names(_NEEDED)),
        run_path=paths[0][0] if paths else "",
        slots=tuple(offset for _, offset in paths),
    )


def _segments(data: bytes, order: str, *, wide: bool) -> list[tuple[int, int, int, int]]:
    """Return (type, file offset, address, file size) of each program header."""
    if wide:
        (table,) = struct.unpack_from(order + "Q", data, 32)
        size, count = struct.unpack_from(order + "HH", data, 54)
        header = struct.Struct(order + "IIQQQQ")  # type flags offset vaddr paddr filesz
        pick = (0, 2, 3, 5)
    else:
        (table,) = struct.unpack_from(order + "I", data, 28)
        size, count = struct.unpack_from(order + "HH", data, 42)
        header = struct.Struct(order + "IIIII")  # type offset vaddr paddr filesz
        pick = (0, 1, 2, 4)
    rows = (header.unpack_from(data, table + i * size) for i in range(count))
    return [(row[pick[0]], row[pick[1]], row[pick[2]], row[pick[3]]) for row in rows]


def _offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, size in segments:
        if kind == _PT_LOAD and start <= address < start + size:
            return address - start + offset
    raise ValueError(address)


def _string(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode("utf-8", "surrogateescape")
