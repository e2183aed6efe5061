from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.model.download import CDN, UPSTREAM, Download, urls_of
from bubble.model.errors import BubbleError
from bubble.model.key import IMPLEMENTATIONS, VARIANTS, Key, parse_key
from bubble.model.platform import Platform, parse_platform, runs_on
from bubble.model.version import FINAL, Version, split_version

PLATFORMS = [
    ("linux-x86_64-gnu", "x86_64-unknown-linux-gnu"),
    ("linux-x86_64-musl", "x86_64-unknown-linux-musl"),
    ("linux-x86_64_v3-gnu", "x86_64_v3-unknown-linux-gnu"),
    ("linux-aarch64-gnu", "aarch64-unknown-linux-gnu"),
    ("linux-armv7-gnueabihf", "armv7-unknown-linux-gnueabihf"),
    ("linux-armv7-gnueabi", "armv7-unknown-linux-gnueabi"),
    ("linux-i686-gnu", "i686-unknown-linux-gnu"),
    ("linux-powerpc64le-gnu", "ppc64le-unknown-linux-gnu"),
    ("linux-riscv64-gnu", "riscv64-unknown-linux-gnu"),
    ("linux-s390x-gnu", "s390x-unknown-linux-gnu"),
    ("darwin-aarch64-none", "aarch64-apple-darwin"),
    ("darwin-x86_64-none", "x86_64-apple-darwin"),
    ("windows-x86_64-none", "x86_64-pc-windows-msvc"),
    ("windows-i686-none", "i686-pc-windows-msvc"),
    ("emscripten-wasm32-musl", "wasm32-unknown-emscripten"),
]
versions = st.builds(
    lambda release, stage, serial: Version((*release, stage, serial if stage < FINAL else 0)),
    st.tuples(*[st.integers(0, 999)] * 3),
    st.integers(0, FINAL),
    st.integers(0, 99),
)


@pytest.mark.parametrize(("name", "triple"), PLATFORMS)
def test_a_platform_and_its_triple_are_read_and_written_alike(name: str, triple: str) -> None:
    platform = parse_platform(name)
    assert str(platform) == name
    assert platform.triple == triple
    assert parse_platform(triple) == platform


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("macos-arm64-none", "darwin-aarch64-none"),
        ("Linux-AMD64-gnu", "linux-x86_64-gnu"),
        ("x86_64-pc-windows-msvc-shared", "windows-x86_64-none"),
        ("armv7l-unknown-linux-gnueabihf", "linux-armv7-gnueabihf"),
    ],
)
def test_other_spellings_of_a_platform_are_understood(text: str, name: str) -> None:
    assert str(parse_platform(text)) == name


@pytest.mark.parametrize(
    "text",
    ["", "-", "--", "linux", "linux-x86_64", "linux-x86_64-none", "linux-mips-gnu",
     "darwin-x86_64-gnu",
     "x86_64-unknown-linux", "x86_64-unknown-linux-gnu-x", "x86_64-apple-darwin-x", "a-b-c",
     "x86_64-pc-windows-msvc-static", "x86_64-pc-windows-gnu", "x86_64_v5-unknown-linux-gnu",
     "linux-x86_64-gnu\n", "linux-x86_64-gnu\0", "linux-../..-gnu", "\x1b-\x1b-\x1b", "x" * 10_000],
)  # fmt: skip
def test_what_is_no_platform_is_one_clean_error(text: str) -> None:
    with pytest.raises(BubbleError) as raised:
        parse_platform(text)
    assert raised.value.kind == "request"
    assert raised.value.message.isprintable()


def test_a_level_and_the_plain_build_run_here_but_not_another_libc() -> None:
    here = parse_platform("linux-x86_64-gnu")
    for name in ("linux-x86_64-gnu", "linux-x86_64_v3-gnu"):
        assert runs_on(parse_platform(name), here)
    for name in ("linux-x86_64-musl", "linux-aarch64-gnu", "linux-i686-gnu", "darwin-x86_64-none"):
        assert not runs_on(parse_platform(name), here)


@given(versions)
def test_a_version_is_read_back_as_it_is_written(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(versions, versions)
def test_versions_are_ordered_as_pep_440_orders_them(one: Version, other: Version) -> None:
    from packaging.version import Version as Pep440

    assert (one < other) == (Pep440(str(one)) < Pep440(str(other)))


@pytest.mark.parametrize(
    "text",
    ["", ".", "3.", ".3", "3..1", "3.1.2.3", "a", "3a", "3rc", "3.x", "-3", "+3", "3.-1", "3.1 ",
     " 3.1",
     "3.1\n", "3.\uff11", "3.1e3", "3_1", "1234567", "3.14rc1rc2", "3.14RC1"],
)  # fmt: skip
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is nobody's: callers catch it
        split_version(text)


@given(
    st.sampled_from(IMPLEMENTATIONS),
    versions,
    st.sampled_from(VARIANTS),
    st.sampled_from([name for name, _ in PLATFORMS]),
)
def test_a_key_is_read_back_as_it_is_written(
    implementation: str, version: Version, variant: str, platform: str
) -> None:
    key = Key(
        implementation=implementation,
        version=version,
        variant=variant,
        platform=parse_platform(platform),
    )
    assert parse_key(str(key)) == key


@pytest.mark.parametrize(
    "text",
    ["", "cpython", "cpython-3.12", "3.12.4-linux-x86_64-gnu", "jython-2.7.0-linux-x86_64-gnu",
     "cpython-3.12.4+x-linux-x86_64-gnu", "cpython-3.12.4-linux-x86_64", "../cpython-3.12.4",
     "cpython-3.12.4-linux-x86_64-gnu/..", "cpython-3.x-linux-x86_64-gnu", "\x1b[2J"],
)  # fmt: skip
def test_what_is_no_full_key_is_one_clean_error(text: str) -> None:
    with pytest.raises(BubbleError) as raised:
        parse_key(text)
    assert raised.value.kind == "request"
    assert raised.value.message.isprintable()


def test_the_minor_link_is_named_after_implementation_minor_and_variant() -> None:
    assert parse_key("cpython-3.11.9-linux-x86_64-gnu").minor == "3.11"
    assert parse_key("cpython-3.13.1+freethreaded-linux-x86_64-gnu").minor == "3.13+freethreaded"
    assert parse_key("pypy-3.10.16-linux-x86_64-gnu").minor == "pypy3.10"


def test_rank_prefers_finals_then_cpython_then_the_newest_then_the_default_variant() -> None:
    names = [
        "cpython-3.13.1", "cpython-3.13.1+freethreaded", "cpython-3.13.1+debug",
        "cpython-3.12.16", "cpython-3.9.20", "pypy-3.12.1", "cpython-3.14.0rc1",
    ]  # fmt: skip
    keys = [parse_key(f"{name}-linux-x86_64-gnu") for name in names]
    assert [
        k.name for k in sorted(random.sample(keys, len(keys)), key=lambda k: k.rank, reverse=True)
    ] == names


def test_upstreams_cdn_comes_before_github_and_a_mirror_replaces_both() -> None:
    name = "20240726/cpython-3.12.4%2B20240726-x86_64-unknown-linux-gnu-install_only.tar.gz"
    download = _download(UPSTREAM + name)
    assert urls_of(download) == (CDN + name, UPSTREAM + name)
    assert urls_of(download, "file:///srv/m/") == (f"file:///srv/m/{name}",)
    assert urls_of(_download("https://example.org/x.tar.gz"), "file:///srv") == (
        "https://example.org/x.tar.gz",
    )


@pytest.mark.parametrize(
    ("mirror", "problem"),
    [
        ("mirror.example", "must be a URL"),
        ("ftp://user:secret@mirror.example/", "must be a URL"),
        ("file://srv/m", "must be a URL"),
        ("https://user:secret@mirror.example/m?token=secret", "query or a fragment"),
        ("file:///srv/m#1", "query or a fragment"),
    ],
)
def test_a_mirror_that_no_path_can_be_put_behind_is_refused(mirror: str, problem: str) -> None:
    with pytest.raises(BubbleError, match=problem) as caught:
        urls_of(_download(UPSTREAM + "20240726/x.tar.gz"), mirror)
    assert caught.value.kind == "usage"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("key", "name", "flavour"),
    [
        ("cpython", "cpython-3.12.4%2B20240726-x-install_only_stripped.tar.gz",
         "install_only_stripped"),
        ("cpython", "cpython-3.12.4%2B20240726-x-install_only.tar.gz", "install_only"),
        ("cpython", "cpython-3.12.4%2b20240726-x-pgo%2blto-full.tar.zst", "full"),
        ("pypy", "pypy3.12-v7.3.20-linux64.tar.gz", "other"),
    ],
)  # fmt: skip
def test_the_flavour_is_what_the_archives_name_tells(key: str, name: str, flavour: str) -> None:
    download = _download(f"https://x/{name}")
    download = download.replace(key=download.key.replace(implementation=key))
    assert download.flavour == flavour
    assert "%" not in download.file_name


@pytest.mark.parametrize(
    ("platform", "build", "url", "obstacle"),
    [
        ("linux-x86_64-gnu", "20200101", "https://x/y.tar.gz", ""),
        ("linux-x86_64-musl", "20250311", "https://x/y.tar.gz", ""),
        ("linux-x86_64-musl", "20250310", "https://x/y.tar.gz", "statically"),
        ("linux-x86_64-musl", "local", "https://x/y.tar.gz", ""),
        ("windows-x86_64-none", "7.3.1", "https://x/pypy.zip", "unpacks"),
    ],
)
def test_static_musl_builds_and_zip_archives_are_not_installable(
    platform: str, build: str, url: str, obstacle: str
) -> None:
    download = _download(url, parse_platform(platform), build)
    assert obstacle in download.obstacle
    assert download.is_installable is not bool(obstacle)


def test_a_download_without_a_checksum_is_not_installable() -> None:
    assert "checksum" in _download("https://x/y.tar.gz").replace(sha256="").obstacle


def _download(url: str, platform: Platform | None = None, build: str = "20240726") -> Download:
    key = parse_key("cpython-3.12.4-linux-x86_64-gnu")
    if platform is not None:
        key = key.replace(platform=platform)
    return Download(key=key, url=url, sha256="0" * 64, build=build)
