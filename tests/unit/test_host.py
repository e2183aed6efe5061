from __future__ import annotations

import os
import struct
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bubble.system.elf import program
from bubble.system.host import glibc_version, host_platform, linux_platform, x86_64_level
from support.needs import LINUX_ONLY

if TYPE_CHECKING:
    from pathlib import Path

X86_64, I386, AARCH64, ARM, PPC64, S390, RISCV = 62, 3, 183, 40, 21, 22, 243
GLIBC, MUSL = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"
V2 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


def elf(
    machine: int, *, wide: bool = True, little: bool = True, interpreter: str = "", flags: int = 0
) -> bytes:
    """Return an ELF file's start: a PT_LOAD and, with an interpreter, a PT_INTERP header."""
    order = "<" if little else ">"
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1 if little else 2, 1)) + bytes(9)
    name = interpreter.encode() + b"\0"
    count = 2 if interpreter else 1
    if wide:
        head = struct.pack(
            order + "HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, flags, 64, 56, count, 0, 0, 0
        )
        load = struct.pack(order + "IIQQQQQQ", 1, 5, 0, 0, 0, 0, 0, 0)
        at = 64 + 56 * count
        interp = struct.pack(order + "IIQQQQQQ", 3, 4, at, 0, 0, len(name), len(name), 1)
    else:
        head = struct.pack(
            order + "HHIIIIIHHHHHH", 2, machine, 1, 0, 52, 0, flags, 52, 32, count, 0, 0, 0
        )
        load = struct.pack(order + "IIIIIIII", 1, 0, 0, 0, 0, 0, 5, 0)
        at = 52 + 32 * count
        interp = struct.pack(order + "IIIIIIII", 3, at, 0, 0, len(name), len(name), 4, 1)
    return ident + head + load + (interp + name if interpreter else b"")


@pytest.mark.parametrize(
    ("program", "uname", "platform"),
    [
        (elf(X86_64, interpreter=GLIBC), "x86_64", "linux-x86_64-gnu"),
        (elf(X86_64, interpreter=MUSL), "x86_64", "linux-x86_64-musl"),
        (elf(X86_64, interpreter="/nix/store/x-glibc/lib/ld-linux-x86-64.so.2"), "x86_64",
         "linux-x86_64-gnu"),
        (elf(I386, wide=False, interpreter="/lib/ld-linux.so.2"), "x86_64", "linux-i686-gnu"),
        (elf(AARCH64, interpreter="/lib/ld-linux-aarch64.so.1"), "aarch64", "linux-aarch64-gnu"),
        (elf(AARCH64, interpreter="/lib/ld-musl-aarch64.so.1"), "aarch64", "linux-aarch64-musl"),
        (elf(AARCH64, interpreter="/system/bin/linker64"), "aarch64", "linux-aarch64-bionic"),
        (elf(ARM, wide=False, interpreter="/lib/ld-linux-armhf.so.3", flags=0x5000400), "armv7l",
         "linux-armv7-gnueabihf"),
        (elf(ARM, wide=False, interpreter="/lib/ld-linux-armhf.so.3"), "aarch64",
         "linux-armv7-gnueabihf"),
        (elf(ARM, wide=False, interpreter="/lib/ld-linux.so.3", flags=0x5000200), "armv7l",
         "linux-armv7-gnueabi"),
        (elf(ARM, wide=False, interpreter="/lib/ld-linux-armhf.so.3"), "armv6l",
         "linux-armv6l-gnueabihf"),
        (elf(PPC64, interpreter="/lib64/ld64.so.2"), "ppc64le", "linux-powerpc64le-gnu"),
        (elf(PPC64, little=False, interpreter="/lib64/ld64.so.1"), "ppc64", "linux-ppc64-gnu"),
        (elf(S390, little=False, interpreter="/lib/ld64.so.1"), "s390x", "linux-s390x-gnu"),
        (elf(RISCV, interpreter="/lib/ld-linux-riscv64-lp64d.so.1"), "riscv64",
        "linux-riscv64-gnu"),
    ],
)  # fmt: skip
def test_the_platform_is_what_programs_are_built_for(
    tmp_path: Path, program: bytes, uname: str, platform: str
) -> None:
    path = tmp_path / "python"
    path.write_bytes(program)
    assert str(linux_platform((str(path),), uname)) == platform


def test_the_shell_tells_the_libc_where_bubbles_interpreter_is_static(tmp_path: Path) -> None:
    python, shell = tmp_path / "python", tmp_path / "sh"
    python.write_bytes(elf(X86_64))
    shell.write_bytes(elf(X86_64, interpreter=MUSL))
    assert str(linux_platform((str(python), str(shell)), "x86_64")) == "linux-x86_64-musl"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF" + b"\xff" * 60, elf(X86_64,
     interpreter=GLIBC)[:100],
     b"\x7fELF\x02\x01" + b"\xff" * 200],
)  # fmt: skip
def test_what_is_no_whole_elf_file_leaves_uname_to_tell(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "python"
    path.write_bytes(content)
    found = linux_platform((str(path), str(tmp_path / "missing"), str(tmp_path)), "amd64")
    assert found.arch == "x86_64"


def test_an_elf_file_that_is_missing_or_a_directory_is_none(tmp_path: Path) -> None:
    assert program(str(tmp_path / "missing")) is None
    assert program(str(tmp_path)) is None


@LINUX_ONLY
def test_this_machine_is_what_its_own_tools_say() -> None:
    platform = host_platform({})
    assert platform.os == "linux"
    assert platform.arch in {os.uname().machine, "i686", "armv7", "powerpc64le"}
    library = subprocess.run(["ldd", "--version"], capture_output=True, text=True, check=False)
    said = library.stdout + library.stderr
    assert ("musl" in said) == (platform.libc == "musl")
    if (version := glibc_version()) is not None:
        assert f"{version[0]}.{version[1]}" in said


@pytest.mark.parametrize(
    ("system", "machine", "platform"),
    [
        ("darwin", "arm64", "darwin-aarch64-none"),
        ("darwin", "x86_64", "darwin-x86_64-none"),
        ("win32", "AMD64", "windows-x86_64-none"),
        ("freebsd14", "amd64", "freebsd-x86_64-none"),
    ],
)
def test_elsewhere_than_on_linux_uname_tells(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    assert str(host_platform({})) == platform


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("glibc 2.36", (2, 36)),
        ("glibc 2.36.1", (2, 36)),
        ("glibc", None),
        ("uclibc 1.0", None),
        (None, None),
        (ValueError("unrecognized configuration name"), None),  # musl knows no such name
        (OSError(22, "Invalid argument"), None),
    ],
)
def test_the_version_of_glibc_is_what_the_c_library_says_of_itself(
    monkeypatch: pytest.MonkeyPatch,
    answer: str | Exception | None,
    version: tuple[int, int] | None,
) -> None:
    def confstr(_: str) -> str | None:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(os, "confstr", confstr)
    assert glibc_version() == version


@pytest.mark.parametrize(
    ("libraries", "libc"),
    [(["ld-musl-x86_64.so.1", "modules"], "musl"), (["x86_64-linux-gnu"], "gnu"), (None, "gnu")],
)
def test_where_no_program_can_be_read_the_loader_in_lib_tells_musl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, libraries: list[str] | None, libc: str
) -> None:
    def listdir(path: str) -> list[str]:
        assert path == "/lib"
        if libraries is None:
            raise FileNotFoundError(path)
        return libraries

    monkeypatch.setattr(os, "confstr", lambda _: None)  # another libc than glibc
    monkeypatch.setattr(os, "listdir", listdir)
    found = linux_platform((str(tmp_path / "missing"),), "x86_64")
    monkeypatch.undo()
    assert found.libc == libc


@pytest.mark.parametrize(
    ("flags", "level"),
    [("fpu sse2", 1), (V2, 2), (V3, 3), (V4, 4), (V4.replace("movbe", ""), 2), ("", 1)],
)
def test_the_x86_64_level_is_the_highest_whose_flags_are_all_there(
    tmp_path: Path, flags: str, level: int
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\nvmx flags\t: x\n\nprocessor\t: 1\n")
    assert x86_64_level(str(path)) == level


def test_the_x86_64_level_is_one_where_nothing_tells(tmp_path: Path) -> None:
    assert x86_64_level(str(tmp_path / "missing")) == 1
    (tmp_path / "arm").write_text("processor : 0\nFeatures : fp asimd\n")
    assert x86_64_level(str(tmp_path / "arm")) == 1


def test_detection_starts_no_process_and_imports_little() -> None:
    script = (
        "import sys, bubble.system.host as h\n"
        "import os\n"
        "def no(event, args):\n"
        "    assert event not in {'subprocess.Popen', 'os.posix_spawn', 'os.fork', 'os.exec'}\n"
        "sys.addaudithook(no)\n"
        "print(h.host_platform({}), h.glibc_version(), h.x86_64_level())\n"
        "heavy = {'re', 'json', 'typing', 'subprocess', 'platform', 'ctypes'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    source = os.path.dirname(
        os.path.dirname(os.path.dirname(sys.modules["bubble.system.host"].__file__ or ""))
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {source!r})\n{script}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(host_platform({})) in done.stdout
