"""Read ELF files: what a program is built for and needs; and point its run path elsewhere.

`program` reads a header and no more: it is on everyday paths. `read` and `with_run_path` are just
enough of an editor to make an interpreter relocatable without `patchelf`: the string of DT_RPATH
or DT_RUNPATH is overwritten by one that isn't longer. Both classes and both byte orders.
Source: System V ABI, "Object Files" and "Dynamic Linking"; `man 5 elf`.
"""

from __future__ import annotations

import os

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x7fELF"
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_NULL, _NEEDED, _STRTAB, _RPATH, _RUNPATH = 0, 1, 5, 15, 29
_HEAD = 64
_MOST = 65536  # bytes of program headers; a program has a dozen headers of 56


class Program(Record):
    """What a program is built for: `machine` and `flags` are elf.h's e_machine and e_flags.

    `interpreter` is the path of its dynamic loader, "" in a static program.
    """

    machine: int
    wide: bool
    little: bool
    flags: int
    interpreter: str


class Dynamic(Record):
    """The dynamic section's names: `needed` sonames, and the `run_path` ("" if none).

    `slots` are the file offsets at which the run path's string stands.
    """

    needed: tuple[str, ...]
    run_path: str
    slots: tuple[int, ...]


def program(path: str) -> Program | None:
    """Return what the headers of the file at `path` say; None if it is no readable ELF file."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            form = _form(head)
            if form is None:
                return None
            start, length = form.table(head)
            file.seek(start)
            loader = b""
            for kind, offset, _, size in form.segments(file.read(min(length, _MOST))):
                if kind == _PT_INTERP:
                    file.seek(offset)
                    loader = file.read(min(size, 4096)).partition(b"\0")[0]
                    break
    except (OSError, ValueError, OverflowError):
        return None
    return Program(
        machine=form.number(head, 18, 2),
        wide=form.wide,
        little=form.little,
        flags=form.number(head, 48 if form.wide else 36, 4),
        interpreter=os.fsdecode(loader),
    )


def read(data: bytes) -> Dynamic | None:
    """Return what a file's content says, None if it is no ELF file with a dynamic section."""
    form = _form(data[:_HEAD])
    if form is None:
        return None
    start, length = form.table(data)
    segments = list(form.segments(data[start : start + length]))
    dynamic = next((s for s in segments if s[0] == _PT_DYNAMIC), None)
    if dynamic is None:
        return None
    tags = list(form.tags(data[dynamic[1] : dynamic[1] + dynamic[3]]))
    try:
        strings = _offset(segments, next(value for tag, value in tags if tag == _STRTAB))
        needed = _names(data, strings, tags, _NEEDED)
        # the loader ignores RPATH where there is a RUNPATH
        paths = _names(data, strings, tags, _RUNPATH) or _names(data, strings, tags, _RPATH)
    except (ValueError, StopIteration):  # cut or malformed: nothing that runs
        return None
    return Dynamic(
        needed=tuple(needed.values()),
        run_path=next(iter(paths.values()), ""),
        slots=tuple(paths),
    )


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


class _Form(Record):
    """How a file's numbers are written: 64-bit or 32-bit, little or big end first."""

    wide: bool
    little: bool

    def number(self, data: bytes, offset: int, size: int) -> int:
        return int.from_bytes(data[offset : offset + size], "little" if self.little else "big")

    def table(self, head: bytes) -> tuple[int, int]:
        """Return where the program headers start, and the bytes that they take."""
        start = self.number(head, 32, 8) if self.wide else self.number(head, 28, 4)
        size, count = (self.number(head, at, 2) for at in ((54, 56) if self.wide else (42, 44)))
        return start, size * count if size == self.entry else 0

    @property
    def entry(self) -> int:
        return 56 if self.wide else 32

    def segments(self, table: bytes) -> Iterator[tuple[int, int, int, int]]:
        """Yield (type, file offset, address, file size) of each whole program header."""
        size, fields = (8, (8, 16, 32)) if self.wide else (4, (4, 8, 16))
        for start in range(0, len(table) - self.entry + 1, self.entry):
            offset, address, length = (self.number(table, start + at, size) for at in fields)
            yield self.number(table, start, 4), offset, address, length

    def tags(self, section: bytes) -> Iterator[tuple[int, int]]:
        """Yield the (tag, value) pairs of a dynamic section, up to its end."""
        size = 8 if self.wide else 4
        for start in range(0, len(section) - 2 * size + 1, 2 * size):
            tag = self.number(section, start, size)
            if tag == _NULL:
                return
            yield tag, self.number(section, start + size, size)


def _form(head: bytes) -> _Form | None:
    wide = head[4:5] == b"\2"
    if head[:4] != MAGIC or len(head) < (64 if wide else 52):
        return None
    return _Form(wide=wide, little=head[5] == 1)


def _names(data: bytes, strings: int, tags: list[tuple[int, int]], wanted: int) -> dict[int, str]:
    """Return the strings of the wanted tags, by their offset in the file."""
    return {strings + v: _string(data, strings + v) for tag, v in tags if tag == wanted}


def _offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, size in segments:
        if kind == _PT_LOAD and start <= address < start + size:
            return address - start + offset
    raise ValueError(address)


def _string(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode("utf-8", "surrogateescape")
