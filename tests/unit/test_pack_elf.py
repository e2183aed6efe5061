from __future__ import annotations

import struct
import sys

import pytest

from bubble.system import elf
from support.needs import LINUX_ONLY
from support.small_elf import build

OLD = "/home/somebody/.pyenv/versions/3.11.7/lib"
FORMS = pytest.mark.parametrize(
    ("wide", "order"), [(True, "<"), (True, ">"), (False, "<"), (False, ">")]
)


@FORMS
@pytest.mark.parametrize("tag", [15, 29])
def test_a_library_tells_its_names_in_every_class_and_byte_order(
    wide: bool, order: str, tag: int
) -> None:
    found = elf.read(build(OLD, wide=wide, order=order, tag=tag))
    assert found is not None
    assert found.needed == ("libc.so.6",)
    assert found.run_path == OLD


@FORMS
def test_a_run_path_is_overwritten_in_place_and_nothing_else_changes(
    wide: bool, order: str
) -> None:
    before = build(OLD, wide=wide, order=order)
    after = elf.with_run_path(before, "$ORIGIN/../lib")
    assert after is not None
    found = elf.read(after)
    assert found is not None
    assert found.run_path == "$ORIGIN/../lib"
    assert len(after) == len(before)
    start = before.index(OLD.encode())
    assert after[:start] == before[:start]
    assert after[start + len(OLD) :] == before[start + len(OLD) :]


def test_a_longer_run_path_is_refused() -> None:
    assert elf.with_run_path(build("/p/lib", wide=True, order="<"), "$ORIGIN/../lib") is None


def test_a_file_without_a_run_path_is_refused() -> None:
    assert elf.with_run_path(build("", wide=True, order="<"), "") is None


@pytest.mark.parametrize("cut", [0, 3, 20, 63, 64, 100, 170, 200, 260])
def test_what_is_cut_short_is_no_elf_file_and_no_crash(cut: int) -> None:
    assert elf.read(build(OLD, wide=True, order="<")[:cut]) is None


@pytest.mark.parametrize(
    "tag",
    [(6, 0x10000), (5, 0x90000)],
    ids=["no table of strings", "a table of strings in no segment"],
)
def test_a_dynamic_section_whose_strings_cant_be_found_is_no_crash(tag: tuple[int, int]) -> None:
    whole = build(OLD)
    broken = whole.replace(struct.pack("<qQ", 5, 0x10000), struct.pack("<qQ", *tag))
    assert broken != whole
    assert elf.read(broken) is None
    assert elf.with_run_path(broken, "$ORIGIN") is None


def test_a_file_without_a_dynamic_section_needs_nothing() -> None:
    data = bytearray(build(OLD))
    struct.pack_into("<I", data, 64 + 56, 4)  # the second segment is a note
    assert elf.read(bytes(data)) is None


def test_text_is_no_elf_file() -> None:
    assert elf.read(b"#!/bin/sh\n" * 100) is None


@LINUX_ONLY
def test_the_running_interpreter_needs_the_c_library() -> None:
    with open(sys.executable, "rb") as file:
        found = elf.read(file.read())
    assert found is not None
    assert any(name.startswith(("libc.", "libpython")) for name in found.needed)
