"""Volumes that are damaged or replaced while they are read, and the script that writes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.catalogue import Catalogue
from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.index import dump_json
from bubble.pythons.catalogue.listed import everything, volume_of
from bubble.pythons.catalogue.regenerate import main
from bubble.pythons.catalogue.volume import Volume, pack
from support.catalogues import HOST, download
from support.fault_handlers import Resource

if TYPE_CHECKING:
    from pathlib import Path

    from support.fault_server import FaultServer

ONE = download("3.12.4")


def test_a_platform_that_a_newer_volume_lacks_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    path.write_bytes(volume_of([ONE], {"date": ""}))
    volume = Volume(str(path))
    path.write_bytes(volume_of([download("3.12.4", platform="darwin-aarch64-none")], {"date": ""}))
    assert volume.lines(str(HOST)) == []


@pytest.mark.parametrize(
    "line",
    ["cpython-3.12.4\t20261101\tno address", "cpython-three\t20261101\t\ta.tar.gz", ""],
    ids=["too few fields", "no version", "an empty line"],
)
def test_a_line_that_is_no_build_makes_the_file_damaged(tmp_path: Path, line: str) -> None:
    path = tmp_path / "volume"
    path.write_bytes(pack({str(HOST): [line]}, {"date": ""}))
    catalogue = Catalogue((Volume(str(path)),), origin="a test")
    with pytest.raises(BubbleError, match="is damaged") as raised:
        catalogue.downloads(HOST)
    assert raised.value.kind == "catalogue"
    assert raised.value.hint == f"delete {path}"


def test_a_byte_that_is_no_ascii_makes_the_file_damaged(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    whole = volume_of([ONE], {"date": "2026-11-01"})
    path.write_bytes(whole[:-2] + b"\xff\n")
    with pytest.raises(BubbleError, match="is damaged"):
        Volume(str(path)).lines(str(HOST))
    path.write_bytes(whole.replace(b"2026-11-01", b"2026-11-\xb2\xb3"))
    with pytest.raises(BubbleError, match="is damaged"):
        Volume(str(path))


def test_the_script_takes_an_index_from_a_server_and_the_newer_build_of_two(
    tmp_path: Path, server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(Volume(EMBEDDED))
    known = next(d for d in before if str(d.key) == str(ONE.key))
    newer = download("3.12.4", build="20991231")
    url = server.put("/index.json", Resource(dump_json([newer]).encode()))
    output = tmp_path / "out.tsv"
    assert main(["--output", str(output), url], {}) == 0
    assert capsys.readouterr().out == f"{output}: {len(before)} entries\n"
    assert set(everything(Volume(str(output)))) == {newer, *before} - {known}
    assert [entry.path for entry in server.log] == ["/index.json"]


def test_the_script_says_what_it_can_not_read_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "no\nindex"
    assert main(["--output", str(tmp_path / "out.tsv"), str(missing)], {}) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.endswith("No such file or directory\n")
    assert error.count("\n") == 1
    assert list(tmp_path.glob("out*")) == []
