"""`update` brings the new index or leaves the old one: nothing between, and never a worse one."""

from __future__ import annotations

import gzip
import os
import time
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.pythons.catalogue import open_catalogue
from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.index import LIMIT, dump_json
from bubble.pythons.catalogue.listed import everything
from bubble.pythons.catalogue.update import INDEX_URL, update
from bubble.pythons.catalogue.volume import Volume
from support.catalogues import HOST, download, release
from support.fault_handlers import Resource, hang_up, portal, redirect, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.model.download import Download
    from bubble.system.layout import Layout
    from support.fault_handlers import Handler
    from support.fault_server import FaultServer

TODAY = time.strftime("%Y%m%d", time.gmtime())
GOOD = [
    download("3.98.1", build=TODAY),
    download("3.98.0", build=TODAY),
    download("3.97.7", build=TODAY),
]
NEXT = [*GOOD, download("3.98.2", build=TODAY)]
EMBEDDED_DOWNLOADS = everything(Volume(EMBEDDED))
KNOWN = next(
    d for d in EMBEDDED_DOWNLOADS if str(d.key).startswith("cpython-3.12.4-linux-x86_64-gnu")
)


@pytest.fixture
def env(env: dict[str, str]) -> dict[str, str]:
    return {**env, "BUBBLE_HTTP_RETRIES": "0", "BUBBLE_HTTP_TIMEOUT": "5"}


@pytest.fixture
def url(tmp_path: Path) -> Callable[[list[Download]], str]:
    """Return a function that writes an index and returns its file:// URL."""

    def write(downloads: list[Download]) -> str:
        path = tmp_path / f"index-{len(os.listdir(tmp_path))}.json"
        path.write_text(dump_json(downloads))
        return f"file://{path}"

    return write


def stored(layout: Layout) -> bytes | None:
    """Return the bytes of everything below the stored catalogue, None if there is nothing."""
    if not os.path.isdir(layout.catalogue):
        return None
    data = b""
    for entry in sorted(os.scandir(layout.catalogue), key=lambda e: e.name):
        with open(entry.path, "rb") as file:
            data += entry.name.encode() + file.read()
    return data


def test_an_update_adds_what_is_new_and_reports_it(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    before = open_catalogue(layout, env)
    artifacts = [(HOST.triple, "install_only"), (HOST.triple, "freethreaded+pgo+lto+full")]
    lines = [release(f"{v}+{TODAY}", artifacts) for v in ("3.98.1", "3.98.0", "3.97.7", "3.99.0a1")]
    report = update(layout, env, url=server.put("/i", Resource(("\n".join(lines) + "\n").encode())))
    assert (report.before, report.after) == (before.date, f"{TODAY[:4]}-{TODAY[4:6]}-{TODAY[6:]}")
    assert report.builds == 8
    assert report.versions == (
        "cpython-3.99.0a1", "cpython-3.98.1", "cpython-3.98.0", "cpython-3.97.7",
    )  # fmt: skip
    assert report.newest == ("3.99.0a1", "3.98.1", "3.97.7")
    assert report.source == f"{server.url}/i"
    assert "3.98.1" in "\n".join(report.lines())
    after = open_catalogue(layout, env)
    assert after.origin.startswith("updated ")
    assert after.date == report.after
    assert str(after.select(parse_request("3.98"), HOST).key.version) == "3.98.1"
    assert after.select(parse_request("3.12.4"), HOST) == KNOWN
    assert len(after.downloads(HOST)) == len(before.downloads(HOST)) + 8


def test_a_second_update_finds_nothing_new_and_asks_conditionally(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    index = dump_json(GOOD).encode()
    server.put("/i", Resource(index, etag='"v1"'))
    update(layout, env, url=f"{server.url}/i")
    before = stored(layout)
    server.put("/i", lambda exchange: exchange.answer(304))
    report = update(layout, env, url=f"{server.url}/i")
    assert (report.builds, report.before) == (0, report.after)
    assert server.log[-1].headers["if-none-match"] == '"v1"'
    assert stored(layout) == before
    server.put("/i", Resource(index, etag='"v2"'))
    assert update(layout, env, url=f"{server.url}/i").builds == 0


def test_a_newer_build_of_a_known_version_replaces_it(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    newer = download("3.12.4", build=TODAY)
    report = update(layout, env, url=url([newer]))
    assert (report.builds, report.versions) == (1, ())
    assert open_catalogue(layout, env).select(parse_request("3.12.4"), HOST) == newer


def test_updates_add_up(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    update(layout, env, url=url([GOOD[0]]))
    update(layout, env, url=url([GOOD[2]]))
    catalogue = open_catalogue(layout, env)
    assert catalogue.select(parse_request("3.98"), HOST) == GOOD[0]
    assert catalogue.select(parse_request("3.97"), HOST) == GOOD[2]


def test_relative_urls_of_a_mirror_are_stored_as_absolute_ones(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    relative = download("3.98.1", build=TODAY, url="there/x.tar.gz")
    address = server.put("/m/i.json", Resource(dump_json([relative]).encode()))
    update(layout, env, url=address)
    found = open_catalogue(layout, env).select(parse_request("3.98"), HOST)
    assert found.url == f"{server.url}/m/there/x.tar.gz"
    with_password = address.replace("://", "://user:hunter2@")
    with pytest.raises(BubbleError, match="credentials"):
        update(layout, env, url=with_password)
    server.put("/m/i.json", Resource(dump_json([relative.replace(sha256="1" * 64)]).encode()))
    with pytest.raises(BubbleError, match="another sha256"):
        update(layout, env, url=address)


def other(one: Download) -> Download:
    return one.replace(sha256="0" * 64)


FUTURE = download("3.98.3", build="29991231")
REFUSED: dict[str, tuple[list[Download], str]] = {
    "older": ([download("3.98.3", build="20200101")], "older"),
    "in the future": ([FUTURE], "yet to come"),
    "undated": ([download("3.98.3", build="ours")], "has a date"),
    "another sha256 than the embedded one": ([*NEXT, other(KNOWN)], "another sha256"),
    "another sha256 than the stored one": ([*NEXT[1:], other(GOOD[0])], "another sha256"),
    "two sha256 for one file": (
        [*NEXT, NEXT[3].replace(key=NEXT[3].key.replace(variant="debug"), sha256="0" * 64)],
        "another sha256",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_index_that_is_worse_than_what_is_known_is_refused_as_a_whole(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str], case: str
) -> None:
    update(layout, env, url=url(GOOD))
    before = stored(layout)
    downloads, reason = REFUSED[case]
    with pytest.raises(BubbleError, match=reason) as raised:
        update(layout, env, url=url(downloads))
    assert raised.value.kind == "catalogue"
    assert raised.value.hint
    assert stored(layout) == before
    assert open_catalogue(layout, env).matching(parse_request("3.98.2"), HOST) == ()
    assert update(layout, env, url=url(NEXT)).builds == 1


def test_a_contradiction_counts_in_an_artifact_that_would_not_be_chosen(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    name = KNOWN.file_name
    variant = "install_only_stripped" if "stripped" in name else "install_only"
    newer = release(f"3.12.4+{TODAY}", [(HOST.triple, "install_only_stripped")])
    known = release(f"3.12.4+{KNOWN.build}", [(HOST.triple, variant)], "0" * 64)
    assert KNOWN.url in known
    address = server.put("/i", Resource(f"{newer}\n{known}\n".encode()))
    with pytest.raises(BubbleError, match="another sha256") as raised:
        update(layout, env, url=address)
    assert name in raised.value.message
    assert stored(layout) is None


def test_a_superseded_build_of_an_earlier_update_is_still_known(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    old, new = download("3.98.1", build="20261115"), download("3.98.1", build=TODAY)
    if old.build > TODAY:
        pytest.skip("not here: the clock is before 2026-11-15")
    update(layout, env, url=url([old]))
    update(layout, env, url=url([new]))
    # the older one goes under another key: a map has room for one of each
    aside = other(old).replace(key=old.key.replace(variant="debug"))
    address = url([aside, new, NEXT[3]])
    with pytest.raises(BubbleError, match="another sha256"):
        update(layout, env, url=address)


GOOD_BYTES = dump_json(NEXT).encode()
FAULTS: dict[str, Handler] = {
    "status 500": status(500),
    "status 404": status(404),
    "status 204": status(204),
    "a portal's page": portal,
    "no answer": hang_up,
    "a body cut short": Resource(GOOD_BYTES, cut=100),
    "a body cut short without a length": Resource(GOOD_BYTES[:100], length="none"),
    "an empty body": Resource(b""),
    "a redirect to a file": redirect("file:///etc/passwd"),
    "a redirect loop": redirect("/i"),
    "too large by its length": Resource(b"x", length=LIMIT + 1),
    "too large without a length": Resource(b" " * (LIMIT + 1), length="chunked"),
    "too large when decompressed": Resource(gzip.compress(bytes(LIMIT + 1), 1)),
    "no builds": Resource(b"{}"),
    "a malformed entry": Resource(GOOD_BYTES.replace(b'"sha256": "', b'"sha256": "x', 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_any_failure_keeps_the_last_good_catalogue(
    layout: Layout, env: dict[str, str], server: FaultServer, fault: str
) -> None:
    update(layout, env, url=server.put("/i", Resource(dump_json(GOOD).encode(), etag='"g"')))
    before = stored(layout)
    server.put("/i", FAULTS[fault])
    with pytest.raises(BubbleError) as raised:
        update(layout, env, url=f"{server.url}/i")
    assert raised.value.kind in {"download", "catalogue"}
    assert raised.value.message.isprintable()
    assert stored(layout) == before
    assert open_catalogue(layout, env).select(parse_request("3.98"), HOST) == GOOD[0]
    server.put("/i", Resource(GOOD_BYTES, etag='"n"'))
    assert update(layout, env, url=f"{server.url}/i").versions == ("cpython-3.98.2",)


def test_offline_nothing_is_asked_and_the_catalogue_stays(
    layout: Layout, env: dict[str, str]
) -> None:
    with pytest.raises(BubbleError) as raised:
        update(layout, {**env, "BUBBLE_OFFLINE": "1"})
    assert raised.value.kind == "offline"
    assert INDEX_URL.startswith("https://")
    assert stored(layout) is None


@pytest.mark.parametrize("url", ["", "x", "/etc/passwd", "ftp://x.org/i", "http://", "file://h/x"])
def test_what_is_no_url_is_refused(layout: Layout, env: dict[str, str], url: str) -> None:
    with pytest.raises(BubbleError) as raised:
        update(layout, {**env, "BUBBLE_OFFLINE": "1"}, url=url)
    assert raised.value.kind == ("usage" if url else "offline")


def test_update_reads_bubble_catalog_anew_and_reports_it(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    address = server.put("/c.json", Resource(dump_json(GOOD).encode(), etag='"g"'))
    env["BUBBLE_CATALOG"] = address
    assert update(layout, env).builds == 3
    server.put("/c.json", Resource(GOOD_BYTES, etag='"n"'))
    assert update(layout, env).versions == ("cpython-3.98.2",)
    server.put("/c.json", Resource(dump_json([other(GOOD[0])]).encode(), etag='"x"'))
    with pytest.raises(BubbleError, match="another sha256") as raised:
        update(layout, env)
    assert open_catalogue(layout, env).downloads(HOST)[0] == NEXT[3]
    path = raised.value.hint.rpartition("delete ")[2]
    os.unlink(path)  # the hint works
    assert update(layout, env).builds == 1
    assert stored(layout) is None


def test_an_update_sweeps_what_dead_processes_left_and_nothing_of_live_ones(
    layout: Layout,
    env: dict[str, str],
    url: Callable[[list[Download]], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = (  # no process has a number above 4194303; the last one's is not ours to signal
        ".updated.tsv.4194304.0a1b2c3d.tmp", f".updated.tsv.{10**30}.0a1b2c3d.tmp",
        ".updated.tsv.mine.0a1b2c3d.tmp", ".x.tmp",
        f".updated.tsv.{os.getpid()}.0a1b2c3d.tmp", ".updated.tsv.7.0a1b2c3d.tmp", "notes",
    )  # fmt: skip
    os.makedirs(layout.catalogue)
    for name in names:
        with open(f"{layout.catalogue}/{name}", "w"):
            pass
    real = os.kill

    def kill(process: int, number: int) -> None:
        if process == 7:
            raise PermissionError
        real(process, number)

    monkeypatch.setattr(os, "kill", kill)
    assert update(layout, env, url=url(GOOD)).builds == 3
    assert set(os.listdir(layout.catalogue)) == {"updated.tsv", *names[4:]}


def test_what_the_embedded_catalogue_has_is_not_stored_again(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    pypy = download("pypy-3.99.1", build="9.9.9", url="https://x.org/pypy.tar.gz")
    report = update(layout, env, url=url([KNOWN, pypy, GOOD[0]]))
    assert report.builds == 2
    assert report.versions == ("pypy-3.99.1", "cpython-3.98.1")
    assert report.newest == ("3.98.1",), "of CPython only"
    kept = everything(Volume(f"{layout.catalogue}/updated.tsv"))
    assert set(kept) == {pypy, GOOD[0]}


@pytest.mark.parametrize("damage", [b"", b"x", b"bubble-catalogue 1 00000001 00000001\nx"])
def test_a_damaged_stored_catalogue_is_left_out_with_a_word_and_mended_by_an_update(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str], damage: bytes
) -> None:
    update(layout, env, url=url(GOOD))
    with open(f"{layout.catalogue}/updated.tsv", "wb") as file:
        file.write(damage)
    catalogue = open_catalogue(layout, env)
    assert catalogue.origin == "embedded"
    assert "bubble python update" in catalogue.warning
    assert catalogue.select(parse_request("3.12.4"), HOST) == KNOWN
    update(layout, env, url=url(GOOD))
    assert open_catalogue(layout, env).warning == ""


def test_the_command_reports_and_refuses(
    bubble: Callable[..., object], url: Callable[[list[Download]], str]
) -> None:
    result = bubble("python", "update", "--url", url(GOOD), "--json")
    assert result.status == 0, result.err  # type: ignore[attr-defined] # conftest's Result
    assert result.json["data"]["builds"] == 3  # type: ignore[attr-defined] # as above
    result = bubble("python", "update", "--url", url([*NEXT, other(KNOWN)]))
    assert result.status == 1  # type: ignore[attr-defined] # as above
    assert "another sha256" in result.err  # type: ignore[attr-defined] # as above
    assert "Traceback" not in result.err  # type: ignore[attr-defined] # as above
