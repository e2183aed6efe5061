"""Which platform this machine is, found without starting a process.

The ELF header of the running interpreter tells the architecture that programs are built for here
(a 32-bit userland on a 64-bit kernel included), and its program interpreter tells the C library.
"""

from __future__ import annotations

import os
import sys

from bubble.model.platform import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

_MACHINES = {  # (e_machine, 64-bit, little-endian) → architecture; elf.h
    (62, True, True): "x86_64",
    (3, False, True): "i686",
    (183, True, True): "aarch64",
    (40, False, True): "armv7",
    (21, True, True): "powerpc64le",
    (22, True, False): "s390x",
    (243, True, True): "riscv64",
}
_PT_INTERP = 3
_ARM_HARD_FLOAT = 0x400  # EF_ARM_ABI_FLOAT_HARD
_LEVELS = (  # the psABI's micro-architecture levels, in the words of /proc/cpuinfo
    {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
)


class Elf:
    """What an ELF file's header says; `interpreter` is "" in a static program."""

    def __init__(self, arch: str, interpreter: str, flags: int) -> None:
        self.arch = arch
        self.interpreter = interpreter
        self.flags = flags


def host_platform(env: Mapping[str, str]) -> Platform:
    """Return the platform of this machine, without an x86-64 level.

    An architecture or C library that no builds exist for is named all the same (`linux-mips-gnu`).
    """
    del env  # nothing in it overrides what the machine is; the signature leaves room
    machine = os.uname().machine.lower() if hasattr(os, "uname") else "x86_64"
    if sys.platform == "darwin":
        return Platform(os="darwin", arch=_spelt(machine), libc="none")
    if sys.platform == "win32":
        return Platform(os="windows", arch=_spelt(machine), libc="none")
    if not sys.platform.startswith("linux"):
        return Platform(os=sys.platform.rstrip("0123456789."), arch=_spelt(machine), libc="none")
    return linux_platform((sys.executable, "/bin/sh"), machine)


def linux_platform(programs: tuple[str, ...], machine: str) -> Platform:
    """Return the platform of a Linux machine by the first of `programs` that tells the C library.

    `machine` is what uname says; it counts where no program is a readable ELF file.
    """
    found = [elf for path in programs if (elf := read_elf(path))]
    arch = next((elf.arch for elf in found if elf.arch), _spelt(machine))
    if arch == "armv7" and machine.startswith(("armv5", "armv6")):
        arch = machine  # the builds need ARMv7 instructions
    dynamic = next((elf for elf in found if elf.interpreter), None)
    return Platform(os="linux", arch=arch, libc=_libc(arch, dynamic))


def glibc_version() -> tuple[int, int] | None:
    """Return the version of the running interpreter's glibc, or None where it has another libc."""
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = number.split(".")[:2]
        return (int(major), int(minor)) if name == "glibc" else None
    except (ValueError, OSError, AttributeError):
        return None


def x86_64_level(cpuinfo: str = "/proc/cpuinfo") -> int:
    """Return the x86-64 micro-architecture level (1 to 4) of the first processor.

    1 where nothing tells, as on other systems than Linux.
    """
    try:
        with open(cpuinfo, "rb") as file:
            text = file.read(16384)  # one processor takes 1.5 kB
    except OSError:
        return 1
    for line in text.decode("ascii", "replace").split("\n"):
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            flags = set(value.split())
            level = 1
            for needed in _LEVELS:
                if not needed <= flags:
                    break
                level += 1
            return level
    return 1


def read_elf(path: str) -> Elf | None:
    """Return what the header of the program at `path` says; None if it is no ELF file."""
    try:
        with open(path, "rb") as file:
            return _parse_elf(file)
    except (OSError, ValueError):
        return None


def _parse_elf(file: BinaryIO) -> Elf | None:
    head = file.read(64)
    if len(head) < 52 or head[:4] != b"\x7fELF":
        return None
    wide, little = head[4] == 2, head[5] == 1

    def number(data: bytes, offset: int, size: int) -> int:
        return int.from_bytes(data[offset : offset + size], "little" if little else "big")

    arch = _MACHINES.get((number(head, 18, 2), wide, little), "")
    flags = number(head, 48 if wide else 36, 4)
    table = number(head, 32, 8) if wide else number(head, 28, 4)
    size, count = number(head, 54 if wide else 42, 2), number(head, 56 if wide else 44, 2)
    file.seek(table)
    headers = file.read(min(size * count, 65536))
    for start in range(0, len(headers), size or 1):
        entry = headers[start : start + size]
        if number(entry, 0, 4) == _PT_INTERP:
            file.seek(number(entry, 8, 8) if wide else number(entry, 4, 4))
            length = number(entry, 32, 8) if wide else number(entry, 16, 4)
            name = file.read(min(length, 4096)).partition(b"\0")[0]
            return Elf(arch, os.fsdecode(name), flags)
    return Elf(arch, "", flags)


def _libc(arch: str, elf: Elf | None) -> str:
    interpreter = elf.interpreter if elf else ""
    if "ld-musl" in interpreter:
        return "musl"
    if "/system/bin/linker" in interpreter:
        return "bionic"
    if elf is None and glibc_version() is None and _has_musl_loader():
        return "musl"
    if arch.startswith("armv"):
        hard = "armhf" in interpreter or (elf is not None and elf.flags & _ARM_HARD_FLOAT)
        return "gnueabihf" if hard or elf is None else "gnueabi"
    return "gnu"


def _has_musl_loader() -> bool:
    try:
        return any(name.startswith("ld-musl-") for name in os.listdir("/lib"))
    except OSError:
        return False


def _spelt(machine: str) -> str:
    """Return an architecture as keys spell it."""
    return {
        "amd64": "x86_64",
        "arm64": "aarch64",
        "i386": "i686",
        "i486": "i686",
        "i586": "i686",
        "ppc64le": "powerpc64le",
        "armv7l": "armv7",
        "armv8l": "armv7",
    }.get(machine, machine)
