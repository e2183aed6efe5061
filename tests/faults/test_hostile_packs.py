"""Packs from anybody: refused as a whole, or unpacked below one directory and nowhere else."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import zipfile
from typing import Any

import pytest

from support.builds import small_mirror
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

SAID = json.dumps({"format": 1, "python": "cpython-3.12.1-linux-x86_64-gnu", "packages": {}})
GOOD: tuple[str, bytes, dict[str, Any]] = ("bubble-pack.json", SAID.encode(), {})
# name, content, and what the header says besides; `link` is a symbolic link's target
HOSTILE: dict[str, list[tuple[str, bytes, dict[str, Any]]]] = {
    "absolute": [("/etc/mine", b"x", {})],
    "above": [("../mine", b"x", {})],
    "above, deeper": [("bin/../../mine", b"x", {})],
    "a link out": [("bin/python", b"", {"link": "../../../outside"})],
    "an absolute link": [("bin/python", b"", {"link": "/bin/sh"})],
    "through a link": [("lib", b"", {"link": "bin"}), ("lib/mine", b"x", {})],
    "through a link out": [("lib", b"", {"link": ".."}), ("lib/mine", b"x", {})],
    "a name twice": [("bin/x", b"1", {}), ("bin/x", b"2", {})],
    "a file that is a directory": [("bin", b"1", {}), ("bin/x", b"2", {})],
    "setuid": [("bin/x", b"1", {"mode": 0o4755})],
    "a line feed": [("bin/x\ny", b"1", {})],
    "a backslash": [("bin\\x", b"1", {})],
    "a drive": [("c:/x", b"1", {})],
    "a dot": [("./bin/x", b"1", {})],
    "empty between": [("bin//x", b"1", {})],
    "too deep": [("/".join("d" * 60), b"1", {})],
    "too long": [("n" * 2000, b"1", {})],
    "a bomb": [("zeros", bytes(48 << 20), {})],
    "no pack": [],
}
TAR_ONLY: dict[str, dict[str, Any]] = {
    "a device": {"type": tarfile.CHRTYPE},
    "a pipe": {"type": tarfile.FIFOTYPE},
    "a hard link out": {"type": tarfile.LNKTYPE, "linkname": "../../outside"},
    "a hard link to nothing": {"type": tarfile.LNKTYPE, "linkname": "bin/none"},
    "an unknown type": {"type": b"Z"},
}


def tar(path: str, members: list[tuple[str, bytes, dict[str, Any]]], said: bool = True) -> str:
    with tarfile.open(path, "w:gz") as archive:
        for name, data, more in [GOOD] * said + members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), more.get("mode", 0o644)
            info.type = more.get("type", tarfile.REGTYPE)
            info.linkname = more.get("linkname", "")
            if "link" in more:
                info.type, info.linkname = tarfile.SYMTYPE, more["link"]
            archive.addfile(info, io.BytesIO(data))
    return path


def packed(path: str, members: list[tuple[str, bytes, dict[str, Any]]], said: bool = True) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, more in [GOOD] * said + members:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            kind, mode = stat.S_IFREG, more.get("mode", 0o644)
            if "link" in more:
                kind, mode, data = stat.S_IFLNK, 0o777, more["link"].encode()  # noqa: PLW2901
            info.external_attr = (kind | mode) << 16
            archive.writestr(info, data)
    return path


def is_refused(file: str, bubble: Callable[..., Result], tmp_path: Path, *, said: str = "") -> None:
    before = snapshot(str(tmp_path / "area"))
    done = bubble("unpack", file, str(tmp_path / "area" / "place"), "--json")
    assert done.status == 1, done
    assert done.json["error"]["kind"] in {"archive", "io"}, done
    assert said in done.json["error"]["message"]
    assert snapshot(str(tmp_path / "area")) == before


@pytest.fixture
def area(tmp_path: Path) -> Path:
    (tmp_path / "area" / "bin").mkdir(parents=True)
    (tmp_path / "area" / "outside").write_text("mine")
    return tmp_path / "area"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.usefixtures("area")
def test_a_hostile_pack_is_refused(
    name: str, kind: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    make = tar if kind == "tar" else packed
    file = make(f"{tmp_path}/pack", HOSTILE[name], name != "no pack")
    is_refused(file, bubble, tmp_path)


@pytest.mark.parametrize("name", TAR_ONLY)
@pytest.mark.usefixtures("area")
def test_a_tar_of_what_no_pack_has_is_refused(
    name: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    is_refused(tar(f"{tmp_path}/pack", [("bin/x", b"", TAR_ONLY[name])]), bubble, tmp_path)


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.usefixtures("area")
def test_a_pack_that_is_cut_or_spoilt_is_refused(
    kind: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    make = tar if kind == "tar" else packed
    content = os.urandom(5000)
    file = make(f"{tmp_path}/pack", [("bin/x", content, {})])
    with open(file, "rb") as whole:
        data = whole.read()
    spoilt = bytearray(data)
    spoilt[len(data) // 2] ^= 0xFF
    cut = (b"", data[:2], data[: len(data) // 2], data[:-1])
    # what comes before a zip belongs to whoever it is appended to
    for wrong in (*cut, bytes(spoilt), *([b"PK" + data] if kind == "tar" else [])):
        with open(file, "wb") as other:
            other.write(wrong)
        is_refused(file, bubble, tmp_path)


@pytest.mark.usefixtures("area")
def test_a_zip_that_is_encrypted_or_says_another_size_is_refused(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    file = packed(f"{tmp_path}/pack", [("bin/x", b"x" * 100, {})])
    with open(file, "rb") as whole:
        data = bytearray(whole.read())
    at = data.rindex(b"PK\x01\x02")  # the last of the directory: of bin/x
    for offset, value in ((8, 1), (24, 7)):  # flags, and the size of the content
        wrong = bytearray(data)
        wrong[at + offset] ^= value
        with open(file, "wb") as other:
            other.write(wrong)
        is_refused(file, bubble, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', "[" * 100_000, "\0"])
@pytest.mark.usefixtures("area")
def test_what_a_pack_says_of_itself_is_read_with_care(
    text: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    file = tar(f"{tmp_path}/pack", [("bubble-pack.json", text.encode(), {})], said=False)
    is_refused(file, bubble, tmp_path, said="bubble-pack.json")


ALONE: dict[str, list[tuple[str, bytes, dict[str, Any]]]] = {
    "an interpreter": [("bin/python3", b"#!/bin/sh\n", {"mode": 0o755})],
    "a configuration": [("pyvenv.cfg", b"home = /tmp\n", {})],
    "a mark of ours": [(".bubble-unpacked", b"x", {})],
    "a link for a directory": [("elsewhere/x", b"", {}), ("lib", b"", {"link": "elsewhere"})],
    "a file for a directory": [("lib", b"", {})],
}


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.usefixtures("area")
def test_packages_alone_are_no_interpreter(
    name: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    mirror = small_mirror(f"{tmp_path}/mirror", ["3.12.1"])
    assert bubble("python", "install", "3.12.1", env={"BUBBLE_CATALOG": mirror}).status == 0
    key = bubble("python", "list", "--installed", "--json").json["data"][0]["key"]
    said = json.dumps({**json.loads(SAID), "python": key, "interpreter": False}).encode()
    good = tar(f"{tmp_path}/good", [("bubble-pack.json", said, {})], said=False)
    assert bubble("unpack", good, str(tmp_path / "fine")).status == 0
    members = [("bubble-pack.json", said, {}), *ALONE[name]]
    is_refused(tar(f"{tmp_path}/pack", members, said=False), bubble, tmp_path)


def test_what_lies_there_stays(bubble: Callable[..., Result], area: Path, tmp_path: Path) -> None:
    file = tar(f"{tmp_path}/pack", [("bin/x", b"x", {})])
    before = snapshot(str(area))
    for place in (area, area / "outside", area / "none" / "place"):
        done = bubble("unpack", file, str(place))
        assert done.status == 2, done
    assert bubble("unpack", str(area), str(area / "new")).status == 2
    assert bubble("unpack", str(area / "nothing"), str(area / "new")).status == 2
    assert snapshot(str(area)) == before
    (area / "empty").mkdir()
    done = bubble("unpack", file, str(area / "empty"), "--json")
    assert done.json["data"]["directory"] == str(area / "empty")
    assert (area / "empty" / "bin" / "x").read_text() == "x"
    again = bubble("unpack", file, str(area / "empty"), "--json")
    assert (again.status, again.json["data"]["status"]) == (0, "present")
    # the same file's mark in what anybody may write is nobody's word
    (area / "empty").chmod(0o777)
    assert bubble("unpack", file, str(area / "empty")).status == 2
    (area / "empty").chmod(0o755)
    other = tar(f"{tmp_path}/other", [("bin/x", b"y", {})])
    assert bubble("unpack", other, str(area / "empty")).status == 2
    assert (area / "empty" / "bin" / "x").read_text() == "x"
    assert "made for linux-x86_64-gnu" not in done.err or os.uname().machine != "x86_64"
