from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.platform import parse_platform
from bubble.model.request import parse_request
from bubble.pythons.catalogue import Catalogue, open_catalogue
from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.index import date_of
from bubble.pythons.catalogue.listed import everything, volume_of
from bubble.pythons.catalogue.volume import Volume
from support.catalogues import HOST, download

if TYPE_CHECKING:
    from bubble.model.download import Download
    from bubble.system.layout import Layout

SMALL = [
    download("3.16.0a2"), download("3.16.0a1"), download("3.15.2"), download("3.15.2+freethreaded"),
    download("3.15.2+debug"), download("3.15.1"), download("3.14.0rc1"), download("3.14.5rc1"),
    download("3.14.10"), download("3.11.18"), download("3.11.9"), download("3.11.1"),
    download("3.8.20"), download("3.10.1", sha256=""), download("3.10.3"),
    download("pypy-3.10.16", build="7.3.19", url="https://x.org/pypy.tar.gz"),
    download("3.15.2", platform="linux-x86_64_v3-gnu"),
    download("3.15.2", platform="linux-riscv64-gnu"),
    download("3.9.25", platform="linux-riscv64-gnu"),
    download("3.12.1", platform="linux-x86_64-musl", build="20240107"),
    download("3.12.9", platform="linux-x86_64-musl", build="20250311"),
    download("3.10.8", platform="windows-x86_64-none"),
    download("pypy-3.9.1", platform="windows-x86_64-none", build="7.3", url="https://x.org/p.zip"),
]  # fmt: skip


def small(downloads: list[Download] = SMALL, origin: str = "embedded") -> Catalogue:
    data = volume_of(downloads, {"date": date_of(downloads)})
    return Catalogue((Volume("small", data),), origin=origin)


@pytest.fixture(scope="module")
def embedded() -> list[Download]:
    return everything(Volume(EMBEDDED))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("3", "cpython-3.15.2-linux-x86_64-gnu"),
        ("3.15", "cpython-3.15.2-linux-x86_64-gnu"),
        ("3.15.1", "cpython-3.15.1-linux-x86_64-gnu"),
        ("3.1", ""),
        ("python", "cpython-3.15.2-linux-x86_64-gnu"),
        ("3.15t", "cpython-3.15.2+freethreaded-linux-x86_64-gnu"),
        ("3.15+debug", "cpython-3.15.2+debug-linux-x86_64-gnu"),
        ("3.14rc1", "cpython-3.14.0rc1-linux-x86_64-gnu"),
        ("3.16.0a2", "cpython-3.16.0a2-linux-x86_64-gnu"),
        ("3.16", ""),
        (">=3.11,<3.14", "cpython-3.11.18-linux-x86_64-gnu"),
        (">=3.9", "cpython-3.15.2-linux-x86_64-gnu"),
        ("3.10", "cpython-3.10.3-linux-x86_64-gnu"),
        ("3.10.1", ""),
        ("pypy", "pypy-3.10.16-linux-x86_64-gnu"),
        ("pypy3.10", "pypy-3.10.16-linux-x86_64-gnu"),
        ("pypy3.10-7.3.19", "pypy-3.10.16-linux-x86_64-gnu"),
        ("pypy3.10-7.3", "pypy-3.10.16-linux-x86_64-gnu"),
        ("cpython-3.15-linux-x86_64_v3-gnu", "cpython-3.15.2-linux-x86_64_v3-gnu"),
        ("cpython-3.15.2+debug-linux-x86_64-gnu", "cpython-3.15.2+debug-linux-x86_64-gnu"),
        ("cpython-3.12-linux-x86_64-musl", "cpython-3.12.9-linux-x86_64-musl"),
        ("cpython-3.12.1-linux-x86_64-musl", ""),
    ],
)
def test_the_best_build_for_a_request_is_selected(text: str, key: str) -> None:
    catalogue = small()
    request = parse_request(text)
    found = catalogue.matching(request, HOST)
    assert str(found[0].key if found else "") == key
    if key:
        assert catalogue.select(request, HOST) == found[0]


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("3.11.99", "the newest 3.11 is 3.11.18", "bubble python install 3.11.18"),
        ("3.11.2", "the nearest is 3.11.1", "bubble python install 3.11.1"),
        ("3.99", "builds go from 3.8 to 3.15, the nearest is 3.15.2", "install 3.15.2"),
        ("3.7", "builds go from 3.8 to 3.15, the nearest is 3.8.20", "install 3.8.20"),
        ("3.13.2", "the nearest is 3.14.10", "install 3.14.10"),
        ("4", "the newest is 3.15.2", "install 3.15.2"),
        (">=3.20", "nothing is >=3.20", "install 3.15.2"),
        ("3.16", "only pre-releases so far: ask for 3.16.0a2", "install 3.16.0a2"),
        ("3.14.0rc9", "there is no 3.14.0rc9", "install 3.14.0rc1"),
        ("3.11t", "no free-threaded build", "bubble python install 3.15.2t"),
        ("3.11td", "no free-threaded debug build", "bubble python install 3.11.18"),
        ("pypy3.10t", "no free-threaded build", "bubble python install pypy3.10.16"),
        ("pypy3.10-7.3.1", "no pypy3.10-7.3.1 for linux-x86_64-gnu; there is 7.3.19 (pypy3.10.16)",
         "bubble python install pypy3.10.16"),
        ("pypy3.11-7.3.19", "there is no pypy3.11-7.3.19 for linux-x86_64-gnu",
         "bubble python install pypy3.10.16"),
        # nothing of its kind is for this machine: there is nothing near it
        ("pypy3.9t", "there is no pypy3.9t for linux-x86_64-gnu (the catalogue",
         "for a newer catalogue: bubble python update"),
        ("3.10.1", "no checksum", "bubble python install 3.10.3"),
        ("cpython-3.12.1-linux-x86_64-musl", "statically", "cpython-3.12.9-linux-x86_64-musl"),
        ("pypy3.9-windows-x86_64-none", "unpacks", "bubble python list"),
        ("graalpy", "no GraalPy for linux-x86_64-gnu", "bubble python list"),
        ("pypy-3.10.16-linux-riscv64-gnu", "no PyPy for linux-riscv64-gnu; there is for",
         "bubble python list"),
        ("3.8-linux-riscv64-gnu", "but for linux-x86_64-gnu; builds go from 3.9", "cpython-3.9.25"),
        ("3.12-linux-s390x-gnu", "no builds for linux-s390x-gnu; there are for linux-riscv64",
         "--all-platforms"),
    ],
)  # fmt: skip
def test_an_unsatisfiable_request_says_what_is_nearest_and_the_catalogues_date(
    text: str, says: str, hint: str
) -> None:
    with pytest.raises(BubbleError) as raised:
        small().select(parse_request(text), HOST)
    error = raised.value
    assert error.kind == "unavailable"
    assert says in error.message
    assert "the catalogue of 2026-11-01, embedded" in error.message
    assert hint in error.hint
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "text",
    ["3.11.99", "3.99", "2.7", "4", "3.16", "3.11t", "3.11td", "pypy3.10t", "3.10.1", ">=3.20",
     "3.8-linux-riscv64-gnu", "cpython-3.12.1-linux-x86_64-musl", "pypy2", "3.14.0rc9", "3.99t",
     "pypy3.10-7.3.1"],
)  # fmt: skip
def test_what_a_hint_tells_to_install_can_be_selected(text: str) -> None:
    catalogue = small()
    with pytest.raises(BubbleError) as raised:
        catalogue.select(parse_request(text), HOST)
    command = raised.value.hint.partition(",")[0]
    word = command.removeprefix("bubble python install ")
    assert word != command
    assert catalogue.select(parse_request(word), HOST).is_installable


def test_a_name_is_told_to_be_no_version() -> None:
    with pytest.raises(BubbleError) as raised:
        small().select(parse_request("myenv"), HOST)
    assert raised.value.kind == "request"


def test_an_empty_catalogue_for_a_platform_that_no_builds_exist_for_is_no_crash() -> None:
    mips = HOST.replace(arch="mips")
    assert small().downloads(mips) == ()
    with pytest.raises(BubbleError, match="no builds for linux-mips-gnu"):
        small().select(parse_request("3.12"), mips)


def test_a_hint_names_update_only_where_the_catalogue_can_be_updated() -> None:
    for origin, there in (("embedded", True), ("updated 2026-11-02", True), ("/srv/c.json", False)):
        with pytest.raises(BubbleError) as raised:
            small(origin=origin).select(parse_request("3.99"), HOST)
        assert ("bubble python update" in raised.value.hint) is there


def test_of_two_volumes_the_newer_build_of_a_key_counts() -> None:
    old = [download("3.12.4", build="20240726"), download("3.12.3", build="20240726")]
    new = [download("3.12.4", build="20240814"), download("3.12.3", build="20240101")]
    volumes = tuple(
        Volume(n, volume_of(d, {"date": date_of(d)})) for n, d in (("a", old), ("b", new))
    )
    for order in (volumes, volumes[::-1]):
        catalogue = Catalogue(order, origin="embedded")
        assert catalogue.downloads(HOST) == (new[0], old[1])
        assert catalogue.select(parse_request("3.12.4"), HOST).build == "20240814"
        assert catalogue.date == "2024-08-14"


def test_an_archive_is_found_by_its_name_and_by_its_digest() -> None:
    catalogue = small()
    for wanted in SMALL:
        assert catalogue.by_file(wanted.file_name) == wanted
        assert catalogue.by_file(wanted.url.rpartition("/")[2]) == wanted
        if wanted.sha256:
            assert catalogue.by_sha256(wanted.sha256) == wanted
    assert catalogue.by_file("cpython-3.12.4.tar.gz") is None
    assert catalogue.by_file("") is None
    assert catalogue.by_sha256("0" * 64) is None
    assert catalogue.by_sha256("") is None


def test_a_build_after_its_name_sorts_by_number() -> None:
    pypy = [
        download("pypy-3.10.16", build=b, url=f"https://x.org/{b}/p.tar.gz")
        for b in ("7.3.9", "7.3.19")
    ]
    volumes = tuple(Volume("v", volume_of([d], {"date": ""})) for d in pypy)
    for order in (volumes, volumes[::-1]):
        assert Catalogue(order, origin="x").downloads(HOST)[0].build == "7.3.19"


def test_the_embedded_catalogue_has_what_upstream_has(embedded: list[Download]) -> None:
    assert len(embedded) >= 6816
    assert len({str(d.key) for d in embedded}) == len(embedded)
    assert len({d.url for d in embedded}) == len(embedded)
    assert len({d.key.platform for d in embedded}) == 22
    assert date_of(embedded) >= "2026-11-10"


def test_the_embedded_catalogue_has_a_checksum_for_everything_but_emscripten(
    embedded: list[Download],
) -> None:
    assert {d.key.platform.os for d in embedded if not d.sha256} == {"emscripten"}


def test_the_embedded_catalogue_has_no_build_of_a_level_in_a_plain_platform(
    embedded: list[Download],
) -> None:
    for one in embedded:
        if one.key.implementation == "cpython" and one.key.platform.os == "linux":
            assert f"-{one.key.platform.triple}-" in one.url
        assert "static" not in one.url


def test_the_embedded_catalogue_adds_less_than_a_megabyte_to_the_wheel() -> None:
    with open(EMBEDDED, "rb") as file:
        assert len(zlib.compress(file.read(), 6)) < 500_000


def test_open_catalogue_without_settings_is_the_embedded_one(
    layout: Layout, env: dict[str, str], embedded: list[Download]
) -> None:
    catalogue = open_catalogue(layout, env)
    assert (catalogue.origin, catalogue.warning) == ("embedded", "")
    assert catalogue.date == date_of(embedded)
    found = catalogue.downloads(HOST)
    assert set(found) == {d for d in embedded if d.key.platform == HOST}
    assert list(found) == sorted(found, key=lambda d: d.key.rank, reverse=True)
    assert parse_platform("linux-riscv64-gnu") in catalogue.platforms
    assert catalogue.select(parse_request("3.11.9"), HOST).key == parse_key(
        "cpython-3.11.9-linux-x86_64-gnu"
    )
