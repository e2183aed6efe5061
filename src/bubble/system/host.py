"""Which platform this machine is, found without starting a process.

The ELF header of the running interpreter tells the architecture that programs are built for here
(a 32-bit userland on a 64-bit kernel included), and its program interpreter tells the C library.
"""

from __future__ import annotations

import os
import sys

from bubble.model.platform import Platform
from bubble.system import elf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MACHINES = {  # (e_machine, 64-bit, little-endian) → architecture; elf.h
    (62, True, True): "x86_64",
    (3, False, True): "i686",
    (183, True, True): "aarch64",
    (40, False, True): "armv7",
    (21, True, True): "powerpc64le",
    (22, True, False): "s390x",
    (243, True, True): "riscv64",
}
_ARM_HARD_FLOAT = 0x400  # EF_ARM_ABI_FLOAT_HARD
_LEVELS = (  # the psABI's micro-architecture levels, in the words of /proc/cpuinfo
    {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
)


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
    found = [told for path in programs if (told := elf.program(path))]
    arch = next((arch for told in found if (arch := architecture(told))), _spelt(machine))
    if arch == "armv7" and machine.startswith(("armv5", "armv6")):
        arch = machine  # the builds need ARMv7 instructions
    dynamic = next((told for told in found if told.interpreter), None)
    return Platform(os="linux", arch=arch, libc=_libc(arch, dynamic))


def architecture(program: elf.Program) -> str:
    """Return the architecture that a program is built for, "" for one without builds."""
    return _MACHINES.get((program.machine, program.wide, program.little), "")


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


def _libc(arch: str, program: elf.Program | None) -> str:
    interpreter = program.interpreter if program else ""
    if "ld-musl" in interpreter:
        return "musl"
    if "/system/bin/linker" in interpreter:
        return "bionic"
    if program is None and glibc_version() is None and _has_musl_loader():
        return "musl"
    if arch.startswith("armv"):
        hard = "armhf" in interpreter or (program is not None and program.flags & _ARM_HARD_FLOAT)
        return "gnueabihf" if hard or program is None else "gnueabi"
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
