from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import zstandard

from bubble.model.download import UPSTREAM
from bubble.model.errors import BubbleError
from bubble.model.platform import parse_platform
from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.index import LIMIT, dump_json, json_entry, read_index
from bubble.pythons.catalogue.listed import everything, volume_of
from bubble.pythons.catalogue.regenerate import regenerate
from bubble.pythons.catalogue.volume import Volume, encode, pack
from support.catalogues import download, release
from support.needs import not_here

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from bubble.model.download import Download

ENTRY = json_entry(download("3.12.4"))
SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "update-catalogue")


@pytest.fixture
def uv_json() -> str:
    """Return the path of uv's whole download metadata, from BUBBLE_TEST_CATALOGUE_JSON."""
    path = os.environ.get("BUBBLE_TEST_CATALOGUE_JSON", "")
    if not path:
        not_here("BUBBLE_TEST_CATALOGUE_JSON names no copy of uv's download-metadata.json")
    return path


def uncompressed(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def index_of(entry: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"the-entry": {**entry, **changes}}).encode()


def test_what_is_written_as_json_is_read_back_as_it_was() -> None:
    downloads = [
        download("3.12.4"), download("3.14.0rc1+freethreaded"),
        download("3.13.1+freethreaded+debug"),
        download("3.12.4", platform="linux-x86_64_v3-musl"), download("3.9.1", sha256=""),
        download("pypy-3.10.16", build="7.3.19", url="https://x.org/p.tar.gz"),
        download("3.12.9", url="20261101/cpython-3.12.9%2B20261101-x.tar.gz"),
    ]  # fmt: skip
    index = read_index(dump_json(downloads).encode(), "x")
    assert set(index.downloads) == set(downloads)
    assert index.date == "2026-11-01"
    assert index.skipped == 0


def test_uvs_own_metadata_is_embedded_without_loss(uv_json: str) -> None:
    data = uncompressed(uv_json)
    entries = json.loads(data)
    embedded = {
        (str(d.key), d.url, d.sha256 or None, d.build) for d in everything(Volume(EMBEDDED))
    }
    assert embedded == {(k, e["url"], e["sha256"], e["build"]) for k, e in entries.items()}
    assert {
        k: json_entry(d) for d in read_index(data, "x").downloads if (k := str(d.key))
    } == entries


def test_regenerating_from_uvs_metadata_gives_the_same_bytes(uv_json: str, tmp_path: Path) -> None:
    output = tmp_path / "catalogue.tsv"
    for words in ([], ["--replace"]):
        subprocess.run(
            [sys.executable, SCRIPT, *words, "--output", str(output), uv_json],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with open(EMBEDDED, "rb") as file:
            assert output.read_bytes() == file.read()


def test_a_partial_index_keeps_what_is_embedded_unless_it_replaces(tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    index.write_text(dump_json([new := download("3.99.1", build="20991231")]))
    output = str(tmp_path / "out.tsv")
    before = everything(Volume(EMBEDDED))
    assert regenerate(str(index), {}, output=output, replace=False) == len(before) + 1
    assert set(everything(Volume(output))) == {*before, new}
    assert regenerate(str(index), {}, output=output, replace=True) == 1
    assert everything(Volume(output)) == [new]


def test_the_script_refuses_what_contradicts_the_embedded_catalogue(tmp_path: Path) -> None:
    known = next(d for d in everything(Volume(EMBEDDED)) if d.sha256)
    index = tmp_path / "index.json"
    index.write_text(dump_json([known.replace(sha256="0" * 64)]))
    output = tmp_path / "out.tsv"
    done = subprocess.run(
        [sys.executable, SCRIPT, "--output", str(output), str(index)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "gives another sha256" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()
    assert (
        subprocess.run([sys.executable, SCRIPT], capture_output=True, check=False).returncode == 2
    )


PREFERENCES = [
    (["install_only", "install_only_stripped", "pgo+lto+full"], "install_only_stripped"),
    (["pgo+lto+full", "install_only"], "install_only"),
    (["noopt+full", "lto+full", "pgo+full", "pgo+lto+full"], "pgo+lto+full"),
    (["noopt+full", "lto+full", "pgo+full"], "pgo+full"),
    (["noopt+full", "lto+full"], "lto+full"),
    (["noopt+full"], "noopt+full"),
    (["lto+static+full", "noopt+full"], "noopt+full"),
    (["strange+full", "noopt+full"], "noopt+full"),
]


@pytest.mark.parametrize(("variants", "wanted"), PREFERENCES)
@pytest.mark.parametrize("turned", [False, True])
def test_upstreams_flavours_are_preferred_as_people_expect(
    variants: list[str], wanted: str, turned: bool
) -> None:
    triple = "x86_64-unknown-linux-gnu"
    order = variants[::-1] if turned else variants
    line = release("3.12.4+20261101", [(triple, variant) for variant in order])
    index = read_index(line.encode(), "x")
    (found,) = index.downloads
    assert found.url.partition(f"{triple}-")[2].startswith(
        wanted.replace("+full", "-full").replace("+", "%2B")
    )
    assert str(found.key) == "cpython-3.12.4-linux-x86_64-gnu"
    assert found.build == "20261101"
    assert len(index.artifacts) == len(variants)


def test_upstreams_variants_and_platforms_become_keys() -> None:
    gnu, mac = "x86_64_v3-unknown-linux-gnu", "aarch64-apple-darwin"
    artifacts = [
        (gnu, "install_only"), (gnu, "debug+full"), (gnu, "freethreaded+pgo+lto+full"),
        (gnu, "freethreaded+debug+full"), (mac, "freethreaded-install_only_stripped"),
        (f"{mac}-debug", "full"), ("ppc64le-unknown-linux-gnu", "install_only"),
        ("mips-unknown-linux-gnu", "install_only"), ("x86_64-pc-windows-msvc-static", "pgo+full"),
        ("x86_64-unknown-linux-musl", "debug+static+full"),
    ]  # fmt: skip
    index = read_index(release("3.14.0rc1+20261101", artifacts).encode(), "x")
    assert {str(d.key) for d in index.downloads} == {
        "cpython-3.14.0rc1-linux-x86_64_v3-gnu",
        "cpython-3.14.0rc1+debug-linux-x86_64_v3-gnu",
        "cpython-3.14.0rc1+freethreaded-linux-x86_64_v3-gnu",
        "cpython-3.14.0rc1+freethreaded+debug-linux-x86_64_v3-gnu",
        "cpython-3.14.0rc1+freethreaded-darwin-aarch64-none",
        "cpython-3.14.0rc1+debug-darwin-aarch64-none",
        "cpython-3.14.0rc1-linux-powerpc64le-gnu",
    }
    assert index.skipped == 2


def test_of_several_releases_the_newest_build_counts_whatever_its_flavour() -> None:
    gnu = "x86_64-unknown-linux-gnu"
    lines = [
        release("3.12.4+20261001", [(gnu, "install_only_stripped")]),
        release("3.12.4+20261101", [(gnu, "install_only")]),
    ]
    for order in (lines, lines[::-1]):
        (found,) = read_index("\n".join(order).encode() + b"\n", "x").downloads
        assert found.build == "20261101"


def test_of_several_builds_of_a_key_in_a_map_the_newest_counts() -> None:
    builds = [download("3.12.4", build=build) for build in ("20261001", "20261101", "20260901")]
    entries = {f"entry {n}": json_entry(build) for n, build in enumerate(builds)}
    index = read_index(json.dumps(entries).encode(), "x")
    assert index.downloads == (builds[1],)
    assert [build for build, _, _ in index.artifacts] == ["20261001", "20261101", "20260901"]


def test_empty_lines_between_releases_are_none() -> None:
    lines = [release(f"3.12.{n}+20261101", [(GNU, "install_only")]) for n in (3, 4)]
    index = read_index("\n\n  \n".join(lines).encode() + b"\n\n", "x")
    assert (len(index.downloads), index.skipped) == (2, 0)


def test_a_single_release_on_one_line_is_no_map() -> None:
    line = release("3.12.4+20261101", [("x86_64-unknown-linux-gnu", "install_only")])
    assert len(read_index(line.encode(), "x").downloads) == 1


@pytest.mark.parametrize(
    "pack_it", [gzip.compress, zstandard.compress, lambda data: b"\xef\xbb\xbf" + data]
)
def test_a_compressed_index_and_one_with_a_byte_order_mark_are_read(pack_it: Any) -> None:
    assert len(read_index(pack_it(index_of(ENTRY)), "x").downloads) == 1


@pytest.mark.parametrize("pack_it", [gzip.compress, zstandard.compress])
def test_a_compressed_index_is_bounded_by_what_it_expands_to_and_by_its_end(pack_it: Any) -> None:
    with pytest.raises(BubbleError, match="larger than 64"):
        read_index(pack_it(bytes(LIMIT + 1)), "x")
    whole = pack_it(index_of(ENTRY))
    with pytest.raises(BubbleError, match=r"cut short|damaged"):
        read_index(whole[:-20], "x")
    with pytest.raises(BubbleError) as raised:
        read_index(whole[:12] + b"\xff" * 20, "x")
    assert raised.value.kind == "catalogue"


def test_a_compressed_index_with_a_wrong_checksum_is_damaged() -> None:
    data = zstandard.ZstdCompressor(write_checksum=True).compress(index_of(ENTRY))
    with pytest.raises(BubbleError, match="x is damaged: it can't be decompressed") as raised:
        read_index(data[:-1] + bytes([data[-1] ^ 1]), "x")
    assert raised.value.kind == "catalogue"


def test_unknown_implementations_variants_and_platforms_are_counted_and_left_out() -> None:
    entries = {
        "good": ENTRY,
        "a": {**ENTRY, "name": "pyodide"},
        "b": {**ENTRY, "os": "plan9"},
        "c": {**ENTRY, "variant": "jit"},
        "d": {**ENTRY, "arch": {"family": "mips", "variant": None}},
    }
    index = read_index(json.dumps(entries).encode(), "x")
    assert (len(index.downloads), index.skipped) == (1, 4)


def test_an_entry_without_a_checksum_or_a_build_is_read() -> None:
    index = read_index(index_of({k: v for k, v in ENTRY.items() if k != "build"}, sha256=None), "x")
    assert index.downloads[0].build == "20261101"
    assert not index.downloads[0].is_installable


MALFORMED: list[dict[str, Any]] = [
    {"sha256": "0" * 63}, {"sha256": "0" * 65}, {"sha256": "A" * 64}, {"sha256": "g" * 64},
    {"sha256": 7}, {"sha256": "0" * 64 + "\n"}, {"sha256": ["0" * 64]},
    {"url": None}, {"url": 7}, {"url": ""}, {"url": "ftp://x.org/a.tar.gz"},
    {"url": "javascript:x"},
    {"url": "https://x.org/a\nb.tar.gz"}, {"url": "https://x.org/a b.tar.gz"},
    {"url": "https://x.org/\x1b[2J.tar.gz"}, {"url": "https://user:pw@x.org/a.tar.gz"},
    {"url": "https://x.org"}, {"url": "https://x.org/"}, {"url": "https:///a.tar.gz"},
    {"url": "https://x.org/caf\u00e9.tar.gz"}, {"url": "../a.tar.gz"}, {"url": "a/../../b.tar.gz"},
    {"url": "/etc/passwd"}, {"url": "//x.org/a.tar.gz"}, {"url": "file://other/a.tar.gz"},
    {"url": "a\\b.tar.gz"}, {"url": "https://x.org\\@y.org/a.tar.gz"}, {"url": "x" * 3000},
    {"url": "https://x.org/a/../b.tar.gz"}, {"url": "a\tb"}, {"url": "a.tar.gz?x"},
    {"major": "3"}, {"major": -1}, {"minor": None}, {"patch": 1.5}, {"patch": True},
    {"major": 10**9}, {"prerelease": "x1"}, {"prerelease": "rc1/../.."}, {"prerelease": 5},
    {"build": "../x"}, {"build": "a/b"}, {"build": ""}, {"build": "x" * 65}, {"build": 7},
    {"build": "2026\t1101"}, {"name": None}, {"name": 7},
]  # fmt: skip


@pytest.mark.parametrize("changes", MALFORMED, ids=str)
def test_a_malformed_entry_is_one_clean_error_that_names_it(changes: dict[str, Any]) -> None:
    with pytest.raises(BubbleError) as raised:
        read_index(index_of(ENTRY, **changes), "https://x.org/c.json")
    error = raised.value
    assert error.kind == "catalogue"
    assert "https://x.org/c.json: entry “the-entry” is malformed" in error.message
    assert error.message.isprintable()
    assert len(error.message) < 400


GNU = "x86_64-unknown-linux-gnu"
NO_INDEX = (
    b"", b"\n", b"{}", b"[]", b"7", b"null", b"<html>log in</html>", b"{", b'{"a": 1}',
    b'{"a": []}', b"\xff\xfe{}", b"\0" * 100, b"[" * 200_000, b'{"a":' * 200_000,
    b'{"version": 3, "artifacts": []}',
    b'{"version": "3.12", "artifacts": []}',
    b'{"version": "3.12.4+20261101", "artifacts": 7}',
    b'{"version": "3.12.4+20261101", "artifacts": [7]}',
    b'{"version": "3.x+1", "artifacts": [{}]}',
    b'{"version": "3.12.4+20261101", "artifacts": [{"platform": 1, "variant": 2}]}',
    b'{"version": "3.12.4+20261101", "artifacts": []}',
    index_of(ENTRY)[:-5],
    release("3.12.4+2026", [(GNU, "install_only")]).encode() + b'\n{"version',
    release("3.12.4+2026", [(GNU, "install_only")], "0" * 63).encode(),
    b'{"a": {"major": ' + b"9" * 5000 + b"}}",
)  # fmt: skip


@pytest.mark.parametrize("data", NO_INDEX, ids=range(len(NO_INDEX)))
def test_what_is_no_index_is_one_clean_error(data: bytes) -> None:
    with pytest.raises(BubbleError) as raised:
        read_index(data, "x")
    assert raised.value.kind == "catalogue"
    assert raised.value.message.isprintable()


@pytest.mark.parametrize(
    "url",
    ["https://x.org/a.tar.gz", "http://127.0.0.1:8000/a.tar.gz?x=1", "file:///srv/a.tar.gz",
     "20261101/a.tar.gz", "a.tar.gz", "./a.tar.gz",
     f"{UPSTREAM}x/y.tar.gz",
     f"{UPSTREAM}20261101/cpython-3.12.4%2B20261101-x86_64-unknown-linux-gnu-a/b.tar.gz"],
)  # fmt: skip
def test_a_line_keeps_every_url(url: str) -> None:
    platform = parse_platform("linux-x86_64-gnu")
    one = download("3.12.4", url=url)
    volume = Volume("x", pack({str(platform): [encode(one)]}, {"date": ""}), base="base:///")
    wanted = url if "://" in url else f"base:///{url.removeprefix('./')}"
    assert volume.decode(volume.lines(str(platform))[0], platform) == one.replace(url=wanted)


def test_a_volume_cut_anywhere_or_with_a_byte_more_is_noticed(tmp_path: Path) -> None:
    data = volume_of([download("3.12.4"), download("3.12.3")], {"date": "2026-11-01"})
    path = tmp_path / "volume"
    for damaged in [*(data[:n] for n in range(0, len(data), 7)), data + b"x", b"x" + data]:
        path.write_bytes(damaged)
        with pytest.raises(BubbleError) as raised:
            Volume(str(path))
        assert raised.value.kind == "catalogue"
    path.write_bytes(data)
    assert len(everything(Volume(str(path)))) == 2


def test_a_volume_that_is_replaced_between_two_looks_is_read_from_one_file(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    old = [download(f"3.12.{n}") for n in range(9)]
    path.write_bytes(volume_of(old, {"date": "2026-11-01"}))
    volume = Volume(str(path))
    other: list[Download] = [download("3.11.1", platform="darwin-aarch64-none"), download("3.11.1")]
    path.write_bytes(volume_of(other, {"date": "2026-11-02", "more": "x" * 50}))
    platform = parse_platform("linux-x86_64-gnu")
    assert [volume.decode(line, platform) for line in volume.lines(str(platform))] == other[1:]
