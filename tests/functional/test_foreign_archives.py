"""Archives that somebody brought and that are none for this machine: each is told what it is."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import struct
import tarfile
from typing import TYPE_CHECKING

import pytest

from bubble.pythons.probing.foreign import whose
from bubble.system.host import host_platform
from support.builds import archive_path, small_archive
from support.needs import LINUX_ONLY
from support.small_elf import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = LINUX_ONLY
HOST = host_platform(os.environ)


def archive(directory: Path, members: dict[str, bytes], name: str = "build.tar.gz") -> str:
    """Write an archive of executable files by name, and return its path."""
    path = f"{directory}/{name}"
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.mode, info.size = 0o755, len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def refused(bubble: Bubble, path: str, *request: str, status: int = 1) -> str:
    """Return what is said of an archive that can't be installed."""
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    done = bubble("python", "install", "--from", path, "--sha256", digest, *request)
    assert done.status == status, done.err
    assert "staging" not in done.err, "a path that is gone"
    assert "permissions" not in done.err
    assert "choose another version" not in done.err
    return done.err


def elf(machine: int, *, wide: bool = True, order: str = "<") -> bytes:
    data = bytearray(build("", wide=wide, order=order))
    data[18:20] = struct.pack(f"{order}H", machine)
    return bytes(data)


@pytest.mark.parametrize(
    ("program", "data", "system"),
    [
        ("python.exe", b"MZ" + bytes(200), "Windows"),
        ("bin/python3.11", b"MZ" + bytes(200), "Windows"),
        ("bin/python3.11", b"\xcf\xfa\xed\xfe" + bytes(200), "macOS"),
        ("bin/python3.11", b"\xca\xfe\xba\xbe" + bytes(200), "macOS"),
        ("bin/python3.11", b"\0asm" + bytes(200), "WebAssembly"),
        ("bin/python3.11", elf(22, order=">"), "s390x"),
        ("bin/python3.11", elf(2, order=">"), "another processor (ELF machine 2)"),
    ],
)
def test_a_build_for_another_system_is_told_by_the_systems_name(
    bubble: Bubble, tmp_path: Path, program: str, data: bytes, system: str
) -> None:
    path = archive(tmp_path, {f"python/{program}": data, "python/lib/python3.11/os.py": b""})
    said = refused(bubble, path, "3.11.9")
    assert f"no program for this machine, but for {system}" in said
    assert f"take a build for {HOST}" in said


def test_32_bits_and_another_c_library_are_told_apart(tmp_path: Path) -> None:
    def named(machine: int, loader: str, *, wide: bool) -> str:
        data = bytearray(elf(machine, wide=wide))
        at, size = (64, 56) if wide else (52, 32)  # the first program header becomes PT_INTERP
        offset = len(data)
        data[at : at + 4] = struct.pack("<I", 3)
        if wide:
            data[at + 8 : at + 16] = struct.pack("<Q", offset)
            data[at + 32 : at + 40] = struct.pack("<Q", len(loader) + 1)
        else:
            data[at + 4 : at + 8] = struct.pack("<I", offset)
            data[at + 16 : at + 20] = struct.pack("<I", len(loader) + 1)
        assert size
        path = tmp_path / "program"
        path.write_bytes(bytes(data) + loader.encode() + b"\0")
        return whose(str(path), os.environ)

    if HOST.triple != "x86_64-unknown-linux-gnu":
        pytest.skip("not here: another machine")
    assert named(3, "/nowhere/ld-linux.so.2", wide=False) == "i686"
    assert named(183, "/nowhere/ld-linux-aarch64.so.1", wide=True) == "aarch64"
    assert named(62, "/nowhere/ld-musl-x86_64.so.1", wide=True) == "x86_64, musl"
    assert named(62, "/nowhere/ld-linux-x86-64.so.2", wide=True) == ""
    (tmp_path / "program").write_bytes(b"#!/bin/sh\n")
    assert whose(f"{tmp_path}/program", os.environ) == ""
    assert whose(f"{tmp_path}/none", os.environ) == ""


def test_another_layout_is_told_by_what_is_at_its_top(bubble: Bubble, tmp_path: Path) -> None:
    members = {"package/package.json": b"{}", "package/python/bin/python3": b"#!/bin/sh\n"}
    said = refused(bubble, archive(tmp_path, members), "3.9.13")
    assert "no bin/python3.9 below its top directory, but package.json, python" in said
    assert "tar -czf" in said


@pytest.mark.parametrize("name", ["build.zip", "build.tar.xz"])
def test_another_format_is_to_be_packed_anew(bubble: Bubble, tmp_path: Path, name: str) -> None:
    path = f"{tmp_path}/{name}"
    with open(path, "wb") as file:
        file.write(b"PK\x03\x04" + bytes(100))
    assert "pack it anew as .tar.gz" in refused(bubble, path, "3.11.9")


@pytest.mark.parametrize(
    ("name", "request_", "hint"),
    [
        ("pypy3.9-v7.3.11-linux64.tar.gz", (), "HEX pypy3.9."),
        ("pypy3.9-v7.3.11-linux64.tar.gz", ("pypy3.9",), "HEX pypy3.9."),
        ("graalpy-24.1.1-linux-amd64.tar.gz", (), "HEX graalpy3."),
        ("own.tar.gz", (), "HEX 3.12.4"),
    ],
)
def test_a_name_that_does_not_tell_the_version_is_answered_with_its_own_kind(
    bubble: Bubble, tmp_path: Path, name: str, request_: tuple[str, ...], hint: str
) -> None:
    path = archive(tmp_path, {"python/bin/python3": b""}, name)
    assert hint in refused(bubble, path, *request_, status=2)


@pytest.mark.parametrize(
    ("variant", "version", "asked", "is_"),
    [
        ("freethreaded", "3.13.5", "3.13.5", "3.13.5t"),
        ("debug", "3.13.5", "3.13.5", "3.13.5+debug"),
        ("", "3.13.5", "3.13.5t", "3.13.5"),
        ("", "3.13.5", "3.13.4", "3.13.5"),
    ],
)
def test_a_build_that_is_another_than_was_said_is_named_as_what_it_is(
    bubble: Bubble, tmp_path: Path, variant: str, version: str, asked: str, is_: str
) -> None:
    made = archive_path(small_archive(str(tmp_path / "a"), version, variant=variant))
    path = str(shutil.copy(made, tmp_path / "own.tar.gz"))
    said = refused(bubble, path, asked)
    assert said.rstrip().endswith(f" {is_}")
    command = said[said.index("bubble python install") :].split()
    assert bubble(*command[1:]).status == 0
