from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.pythons.catalogue import open_catalogue
from bubble.pythons.catalogue.index import dump_json
from bubble.system.lock import Lock
from support.catalogues import HOST, download, release
from support.fault_handlers import Resource, status
from support.needs import NOT_ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from bubble.system.layout import Layout
    from support.fault_handlers import Exchange
    from support.fault_server import FaultServer

RELATIVE = "20261101/cpython-3.12.4%2B20261101-x86_64-unknown-linux-gnu-install_only.tar.gz"
ONE = download("3.12.4", url=RELATIVE)
TWO = download("3.12.5", url=RELATIVE.replace("3.12.4", "3.12.5"))


class Catalogues:
    """A catalogue on the server that answers conditional requests; `body` may change."""

    def __init__(self, *downloads: object) -> None:
        self.put(*downloads)

    def put(self, *downloads: object, body: bytes = b"") -> None:
        self.body = body or dump_json(downloads).encode()  # type: ignore[arg-type] # downloads
        self.etag = f'"{hash(self.body)}"'

    def __call__(self, exchange: Exchange) -> None:
        if exchange.entry.headers.get("if-none-match") == self.etag:
            exchange.answer(304, ETag=self.etag)
        else:
            exchange.answer(200, self.body, ETag=self.etag)


@pytest.fixture
def env(env: dict[str, str]) -> dict[str, str]:
    return {**env, "BUBBLE_HTTP_RETRIES": "0", "BUBBLE_HTTP_TIMEOUT": "5"}


def chosen(tmp_path: Path, env: dict[str, str]) -> Path:
    """Write a catalogue of one download, and have the environment name it."""
    path = tmp_path / "c.json"
    path.write_text(dump_json([ONE]))
    env["BUBBLE_CATALOG"] = str(path)
    return path


@pytest.mark.parametrize("form", ["path", "directory", "url"])
def test_a_catalogue_on_disk_replaces_everything_and_its_urls_are_below_it(
    tmp_path: Path, layout: Layout, env: dict[str, str], form: str
) -> None:
    place = tmp_path / "a mirror+1"
    place.mkdir()
    (place / "catalogue.json").write_text(dump_json([ONE]))
    forms = {"path": f"{place}/catalogue.json", "directory": str(place)}
    forms["url"] = "file://" + forms["path"].replace(" ", "%20")
    catalogue = open_catalogue(layout, {**env, "BUBBLE_CATALOG": forms[form]})
    base = "file://" + str(place).replace(" ", "%20").replace("+", "%2B")
    assert catalogue.downloads(HOST) == (ONE.replace(url=f"{base}/{RELATIVE}"),)
    assert [str(p) for p in catalogue.platforms] == [str(HOST)]
    assert catalogue.origin == f"{place}/catalogue.json"
    assert catalogue.date == "2026-11-01"


def test_a_changed_file_is_read_anew_and_an_unchanged_one_is_not_parsed(
    tmp_path: Path, layout: Layout, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = chosen(tmp_path, env)
    assert len(open_catalogue(layout, env).downloads(HOST)) == 1
    path.write_text(dump_json([ONE, TWO]))
    assert len(open_catalogue(layout, env).downloads(HOST)) == 2

    def no_parsing(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("bubble.pythons.catalogue.compile.read_index", no_parsing)
    assert len(open_catalogue(layout, env).downloads(HOST)) == 2
    os.utime(path, ns=(1, 1))
    with pytest.raises(AssertionError):
        open_catalogue(layout, env)


def test_upstreams_ndjson_serves_as_a_catalogue(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    path = tmp_path / "index.ndjson"
    path.write_text(release("3.12.4+20261101", [(HOST.triple, "install_only")]) + "\n")
    found = open_catalogue(layout, {**env, "BUBBLE_CATALOG": str(path)}).downloads(HOST)
    assert [str(d.key) for d in found] == ["cpython-3.12.4-linux-x86_64-gnu"]


def test_a_catalogue_without_dates_serves(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    path = tmp_path / "c.json"
    path.write_text(dump_json([download("3.12.4", build="ours", url="ours/x.tar.gz")]))
    catalogue = open_catalogue(layout, {**env, "BUBBLE_CATALOG": str(path)})
    assert catalogue.date == ""
    assert catalogue.select(parse_request("3.12"), HOST).url == f"file://{tmp_path}/ours/x.tar.gz"
    with pytest.raises(BubbleError, match=re.escape(f"(the catalogue, {path})")):
        catalogue.select(parse_request("3.13"), HOST)


def test_a_catalogue_on_a_server_is_asked_once_and_anew_by_refresh_only(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    served = Catalogues(ONE)
    env["BUBBLE_CATALOG"] = server.put("/m/c.json", served) + "?token=secret"
    catalogue = [open_catalogue(layout, env) for _ in range(3)][-1]
    assert [d.url for d in catalogue.downloads(HOST)] == [f"{server.url}/m/{RELATIVE}"]
    assert [entry.status for entry in server.log] == [200]
    open_catalogue(layout, env, refresh=True)
    assert [entry.status for entry in server.log] == [200, 304]
    served.put(ONE, TWO)
    assert len(open_catalogue(layout, env, refresh=True).downloads(HOST)) == 2
    assert len(open_catalogue(layout, env).downloads(HOST)) == 2
    assert [entry.status for entry in server.log] == [200, 304, 200]


@pytest.mark.parametrize(
    "fault",
    [status(500), status(404), Resource(b'{"a"', etag=""), Resource(b"<html>log in</html>",
     etag=""),
     Resource(dump_json([ONE]).encode(), cut=30), Resource(b"{}", etag="")],
)  # fmt: skip
def test_a_refresh_that_fails_leaves_the_last_good_copy_and_warns(
    layout: Layout, env: dict[str, str], server: FaultServer, fault: Resource
) -> None:
    env["BUBBLE_CATALOG"] = server.put("/c.json", Catalogues(ONE))
    good = open_catalogue(layout, env).downloads(HOST)
    server.put("/c.json", fault)
    catalogue = open_catalogue(layout, env, refresh=True)
    assert catalogue.downloads(HOST) == good
    assert "/c.json" in catalogue.warning
    assert catalogue.warning.isprintable()
    assert open_catalogue(layout, env).warning == ""


def test_a_server_that_goes_back_or_contradicts_itself_is_not_followed(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    served = Catalogues(ONE)
    env["BUBBLE_CATALOG"] = server.put("/c.json", served)
    good = open_catalogue(layout, env).downloads(HOST)
    for bad, reason in (
        (ONE.replace(sha256="0" * 64), "another sha256"),
        (download("3.12.4", build="20261001", url=RELATIVE), "older"),
    ):
        served.put(bad)
        catalogue = open_catalogue(layout, env, refresh=True)
        assert catalogue.downloads(HOST) == good
        assert reason in catalogue.warning


def test_a_server_whose_catalogues_have_no_dates_is_followed(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    undated = [download(f"3.12.{n}", build="ours", url=f"ours/{n}.tar.gz") for n in (4, 5)]
    served = Catalogues(undated[0])
    env["BUBBLE_CATALOG"] = server.put("/c.json", served)
    assert len(open_catalogue(layout, env).downloads(HOST)) == 1
    served.put(*undated)
    catalogue = open_catalogue(layout, env, refresh=True)
    assert (len(catalogue.downloads(HOST)), catalogue.warning) == (2, "")


def test_without_any_copy_a_failure_is_the_error(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    env["BUBBLE_CATALOG"] = server.put("/c.json", status(500))
    with pytest.raises(BubbleError) as raised:
        open_catalogue(layout, env)
    assert raised.value.kind == "download"
    env["BUBBLE_OFFLINE"] = "1"
    with pytest.raises(BubbleError) as raised:
        open_catalogue(layout, env)
    assert raised.value.kind == "offline"


def test_offline_the_copy_serves(layout: Layout, env: dict[str, str], server: FaultServer) -> None:
    env["BUBBLE_CATALOG"] = server.put("/c.json", Catalogues(ONE))
    open_catalogue(layout, env)
    env["BUBBLE_OFFLINE"] = "1"
    assert open_catalogue(layout, env).warning == ""
    assert "BUBBLE_OFFLINE" in open_catalogue(layout, env, refresh=True).warning


def test_credentials_are_neither_shown_nor_kept_on_disk(
    layout: Layout, env: dict[str, str], server: FaultServer
) -> None:
    url = server.put("/m/c.json", Catalogues(ONE)).replace("://", "://user:hunter2@")
    env["BUBBLE_CATALOG"] = f"{url}?sig=s3cret"
    catalogue = open_catalogue(layout, env)
    assert catalogue.origin == f"{server.url}/m/c.json"
    with pytest.raises(BubbleError) as raised:
        catalogue.select(parse_request("3.99"), HOST)
    shown = catalogue.origin + raised.value.message + raised.value.hint
    for root in (layout.home, layout.cache):
        for directory, _, names in os.walk(root):
            for name in names:
                with open(os.path.join(directory, name), errors="replace") as file:
                    shown += name + file.read()
    assert "hunter2" not in shown
    assert "s3cret" not in shown


def test_a_damaged_compiled_copy_is_made_anew(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    chosen(tmp_path, env)
    open_catalogue(layout, env)
    (compiled,) = (e for e in os.scandir(layout.catalogues) if e.name.endswith(".tsv"))
    for content in (b"", b"x", b"bubble-catalogue 1 00000001 00000001\n"):
        with open(compiled.path, "wb") as file:
            file.write(content)
        assert len(open_catalogue(layout, env).downloads(HOST)) == 1


def test_what_a_killed_compiler_left_goes_and_other_files_stay(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    path = chosen(tmp_path, env)
    open_catalogue(layout, env)
    (compiled,) = (name for name in os.listdir(layout.catalogues) if name.endswith(".tsv"))
    killed, others = f".{compiled}.4194304.0a1b2c3d.tmp", ".another.tsv.4194304.0a1b2c3d.tmp"
    for name in (killed, others):
        with open(f"{layout.catalogues}/{name}", "w"):
            pass
    path.write_text(dump_json([ONE, TWO]))
    assert len(open_catalogue(layout, env).downloads(HOST)) == 2
    assert set(os.listdir(layout.catalogues)) == {".lock", compiled, others}


def test_while_another_process_writes_the_copy_the_catalogue_is_read_all_the_same(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    chosen(tmp_path, env)
    with Lock(f"{layout.catalogues}/.lock"):
        assert len(open_catalogue(layout, env).downloads(HOST)) == 1
        assert os.listdir(layout.catalogues) == [".lock"]
    assert len(open_catalogue(layout, env).downloads(HOST)) == 1
    assert len(os.listdir(layout.catalogues)) == 2


def test_a_catalogue_on_a_disk_that_fails_is_one_clean_error(
    tmp_path: Path, layout: Layout, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.json"
    path.write_text(dump_json([ONE]))
    real = os.open

    def opened(name: str, *rest: Any, **options: Any) -> int:
        if name == str(path):
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)
        return real(name, *rest, **options)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(BubbleError) as raised:
        open_catalogue(layout, {**env, "BUBBLE_CATALOG": str(path)})
    assert raised.value.kind == "catalogue"
    assert raised.value.message == f"BUBBLE_CATALOG: {path}: Input/output error"


@NOT_ROOT
def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    path = tmp_path / "c.json"
    path.write_text(dump_json([ONE]))
    assert len(open_catalogue(layout, {**env, "BUBBLE_CATALOG": str(path)}).downloads(HOST)) == 1


def test_a_cache_that_is_a_file_costs_time_and_nothing_else(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    (tmp_path / "cache").write_text("")
    path = tmp_path / "c.json"
    path.write_text(dump_json([ONE]))
    for _ in range(2):
        catalogue = open_catalogue(layout, {**env, "BUBBLE_CATALOG": str(path)})
        assert len(catalogue.downloads(HOST)) == 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("relative/c.json", "usage"), ("c.json", "usage"), ("/no/such/file.json", "catalogue"),
        ("/", "catalogue"), ("ftp://x.org/c.json", "usage"), ("file://host/c.json", "usage"),
        ("http://", "usage"), ("/a\nb", "usage"), ("/dev/null/c.json", "catalogue"),
        ("\x1b[2J", "usage"), ("https://x.org:port/c", "usage"), ("file:///a\x00b", "usage"),
    ],
)  # fmt: skip
def test_what_names_no_catalogue_is_one_clean_error(
    layout: Layout, env: dict[str, str], value: str, kind: str
) -> None:
    with pytest.raises(BubbleError) as raised:
        open_catalogue(layout, {**env, "BUBBLE_CATALOG": value})
    assert raised.value.kind == kind
    assert raised.value.message.isprintable()
    assert raised.value.hint


def test_a_pipe_or_a_device_as_catalogue_does_not_hang(
    tmp_path: Path, layout: Layout, env: dict[str, str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for value in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(BubbleError) as raised:
            open_catalogue(layout, {**env, "BUBBLE_CATALOG": str(value)})
        assert raised.value.kind == "catalogue"
