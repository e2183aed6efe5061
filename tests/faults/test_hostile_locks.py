"""A lock in a stranger's clone brings no interpreter of its own into the store that all share."""

from __future__ import annotations

import os

import pytest

from bubble.model.download import UPSTREAM
from bubble.projects import interpreter
from bubble.projects.lockfile import Build
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

TAG = "20260101"
KEY = "cpython-3.12.12-linux-x86_64-gnu"
TRIPLE = "x86_64-unknown-linux-gnu"
NAME = f"cpython-3.12.12%2B{TAG}-{TRIPLE}-install_only_stripped.tar.gz"
REAL = f"{UPSTREAM}{TAG}/{NAME}"


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path), uv=False)


def stored() -> list[str]:
    pythons = f"{os.environ['BUBBLE_HOME']}/pythons"
    return sorted(os.listdir(pythons)) if os.path.isdir(pythons) else []


def test_its_own_archive_is_not_installed_wherever_it_lies(site: Site) -> None:
    """The bytes are right, and so is their sha256: only nobody here knows of them."""
    archive = f"{site.mirror}/{site.entry['url']}".replace("%2B", "+")
    for url in (
        f"file://{archive}",
        "https://example.invalid/python.tar.gz",
        "http://127.0.0.1:9/x",
    ):
        site.lock_by_hand("", "alpha-1.0", url=url)
        done = site.call("sync", "--frozen", env={"BUBBLE_CATALOG": None, "BUBBLE_OFFLINE": "1"})
        assert done.status == 1, done
        assert "in no catalogue that is known here" in done.err
        assert stored() == []
        assert not os.path.lexists(f"{site.root}/.venv")


def test_known_bytes_under_another_builds_key_are_not_installed(site: Site) -> None:
    version = site.version
    other = f"{version.rpartition('.')[0]}.99"
    site.lock_by_hand("", "alpha-1.0", key=site.key.replace(version, other))
    done = site.call("sync", "--frozen")
    assert done.status == 1, done
    assert stored() == []


def test_another_build_of_an_installed_version_is_not_exchanged_in_silence(site: Site) -> None:
    assert site.call("python", "install", site.version).status == 0
    site.lock_by_hand("", "alpha-1.0", sha256="a" * 64)
    done = site.call("sync", "--frozen")
    assert done.status == 1, done
    assert "and the lock has build" in done.err
    assert not os.path.lexists(f"{site.root}/.venv")
    site.lock_by_hand("", "alpha-1.0")
    assert site.call("sync", "--frozen").status == 0


ADDRESSES = {
    REAL: True,
    REAL.replace("%2B", "+"): True,
    REAL.replace("install_only_stripped.tar.gz", "pgo+lto-full.tar.zst"): True,
    # another version, kind, machine or tag than the key and the build say
    REAL.replace("3.12.12", "3.12.11"): False,
    REAL.replace("cpython-", "pypy-"): False,
    REAL.replace("x86_64", "aarch64"): False,
    REAL.replace("x86_64", "x86_64_v4"): False,
    REAL.replace("-gnu", "-musl"): False,
    REAL.replace("install_only_stripped.tar.gz", "debug-full.tar.zst"): False,
    REAL.replace("install_only", "freethreaded-install_only"): False,
    REAL.replace(f"{TAG}/", "20250101/"): False,
    # elsewhere, however it is spelled
    REAL.replace(UPSTREAM, f"{UPSTREAM}../"): False,
    REAL.replace(f"{TAG}/", f"{TAG}/../../../../evil/releases/download/{TAG}/"): False,
    REAL.replace(f"{TAG}/", f"{TAG}/%2e%2e/"): False,
    REAL.replace(f"{TAG}/", f"{TAG}/x/"): False,
    REAL.replace("https://github.com", "https://github.com@evil.invalid"): False,
    REAL.replace("https://github.com", "https://github.com.evil.invalid"): False,
    REAL.replace("https:", "http:"): False,
    f"{REAL}?x=.tar.gz": False,
    f"{REAL}#.tar.gz": False,
    REAL.upper(): False,
    f"{REAL}\n": False,
    f"file:///{REAL}": False,
    NAME: False,
    "": False,
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_upstreams_address_counts_for_the_very_build_alone(url: str) -> None:
    build = Build(key=KEY, build=TAG, url=url, sha256="a" * 64)
    assert interpreter._is_upstream(build) == ADDRESSES[url]
