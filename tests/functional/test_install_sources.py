"""Where `bubble python install` takes builds from: archives, mirrors, catalogues, platforms."""

from __future__ import annotations

import json
import os
import shutil
from urllib.parse import quote

import pytest

from bubble.cli.main import main
from bubble.model.download import UPSTREAM
from bubble.pythons.catalogue.index import dump_json
from bubble.system import host
from bubble.system.host import host_platform
from support.builds import archive_path, small_archive, small_mirror
from support.catalogues import release
from support.fault_server import serve
from support.needs import LINUX_ONLY
from support.stored import PLATFORM, installed, prefix
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.model.download import Download
    from conftest import Result

SPECS = ("3.11.9", "3.12.1")


@pytest.fixture
def catalogue(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a mirror of small builds; every command of the test uses its catalogue."""
    path = small_mirror(str(tmp_path / "mirror"), SPECS)
    env["BUBBLE_CATALOG"] = path
    monkeypatch.setenv("BUBBLE_CATALOG", path)
    return path


# archives on this machine


def archive_of(tmp_path: Path, version: str = "3.12.4") -> tuple[Download, str]:
    found = small_archive(str(tmp_path / "archives"), version)
    return found, archive_path(found)


@pytest.mark.usefixtures("catalogue")
def test_an_archive_is_installed_by_its_checksum_and_name(
    bubble: Callable[..., Result], tmp_path: Path, home: str
) -> None:
    found, path = archive_of(tmp_path)
    shutil.copy(path, tmp_path)
    name = os.path.basename(path)
    done = bubble("python", "install", "--from", name, "--sha256", found.sha256.upper())
    assert done.status == 0, done.err
    assert done.out == f"{prefix(home, 'cpython-3.12.4')}/bin/python\n"
    again = bubble("python", "install", "--from", path, "--sha256", found.sha256)
    assert (again.status, again.out) == (0, done.out)
    assert "already installed" in again.err
    anew = bubble("python", "install", "--reinstall", "--from", path, "--sha256", found.sha256)
    assert "reinstalled" in anew.err
    assert bubble("python", "verify", "3.12.4").status == 0


def test_an_archive_that_the_catalogue_knows_needs_no_checksum(
    bubble: Callable[..., Result], catalogue: str, tmp_path: Path, home: str
) -> None:
    with open(catalogue, encoding="utf-8") as file:
        entries = json.load(file)
    (url,) = [e["url"] for k, e in entries.items() if k.startswith("cpython-3.12.1-")]
    source = f"{os.path.dirname(catalogue)}/{url.replace('%2B', '+')}"
    copy = shutil.copy(source, tmp_path)
    done = bubble("python", "install", "--from", copy)
    assert done.out == f"{prefix(home, 'cpython-3.12.1')}/bin/python\n", done.err
    # another file under that name is not what the catalogue knows
    _, other = archive_of(tmp_path, "3.12.9")
    shutil.copy(other, copy)
    fresh = {"BUBBLE_CACHE_DIR": str(tmp_path / "other-cache")}
    wrong = bubble("python", "install", "--reinstall", "--from", copy, env=fresh)
    assert wrong.status == 1
    message, hint = one_error(wrong.err)
    assert "not the bytes that were asked for" in message
    assert "checksum" in hint
    assert bubble("python", "verify").status == 0


@pytest.mark.parametrize("request_", [f"cpython-3.12.4-{PLATFORM}", "3.12.4"])
@pytest.mark.usefixtures("catalogue")
def test_an_archive_whose_name_tells_nothing_takes_the_version_from_the_request(
    request_: str, bubble: Callable[..., Result], tmp_path: Path, home: str
) -> None:
    found, path = archive_of(tmp_path)
    plain = shutil.copy(path, tmp_path / "some.tar.gz")
    arguments = ("python", "install", "--from", str(plain), "--sha256", found.sha256)
    assert "doesn't tell which build it is" in one_error(bubble(*arguments).err)[0]
    assert "doesn't tell which build it is" in one_error(bubble(*arguments, "3.12").err)[0]
    done = bubble(*arguments, request_)
    assert done.out == f"{prefix(home, 'cpython-3.12.4')}/bin/python\n", done.err
    # a version that it isn't is found out when the interpreter runs
    lie = bubble(*arguments, "3.12.5")
    assert lie.status == 1
    assert "its version is “3.12.4”" in one_error(lie.err)[0]
    assert installed(home) == ["3.12", f"cpython-3.12.4-{PLATFORM}"]


@pytest.mark.usefixtures("catalogue")
def test_an_archive_of_another_version_than_asked_is_refused(
    bubble: Callable[..., Result], tmp_path: Path, home: str
) -> None:
    found, path = archive_of(tmp_path)
    done = bubble("python", "install", "--from", path, "--sha256", found.sha256, "3.11")
    assert done.status == 2
    assert "is cpython-3.12.4, not “3.11”" in one_error(done.err)[0]
    assert installed(home) == []


def test_a_checksum_makes_an_archive_installable_without_any_catalogue(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    found, path = archive_of(tmp_path)
    env = {"BUBBLE_CATALOG": "/nonexistent/catalogue.json", "BUBBLE_OFFLINE": "1"}
    done = bubble("python", "install", "--from", path, "--sha256", found.sha256, env=env)
    assert done.status == 0, done.err


# platforms


@LINUX_ONLY
@pytest.mark.skipif(not PLATFORM.startswith("linux-x86_64-"), reason="not here: x86-64 only")
@pytest.mark.parametrize("level", [2, 3, 4])
def test_a_level_of_x86_64_is_installed_when_it_is_asked_for_and_the_processor_has_it(
    level: int,
    env: dict[str, str],
    tmp_path: Path,
    home: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    plain = host_platform(env)
    leveled = plain.replace(arch=f"x86_64_v{level}")
    env = {
        **env,
        "BUBBLE_CATALOG": small_mirror(
            str(tmp_path / "m"), ["3.12.1", {"version": "3.12.3", "on": leveled}]
        ),
    }
    monkeypatch.setattr(host, "x86_64_level", lambda: level)
    assert main(["python", "install", "3.12"], env) == 0
    assert "3.12.1" in capfd.readouterr().out, "a level is never chosen by itself"
    assert main(["python", "install", "--platform", leveled.triple, "3.12"], env) == 0
    program = f"{home}/pythons/cpython-3.12.3-{leveled}/bin/python"
    assert capfd.readouterr().out == f"{program}\n"
    assert os.readlink(f"{home}/pythons/3.12") == f"cpython-3.12.1-{plain}"
    assert main(["python", "find", f"cpython-3.12-{leveled}"], env) == 0
    assert capfd.readouterr().out == f"{program}\n"
    assert main(["python", "find", "3.12"], env) == 0
    assert "3.12.1" in os.path.realpath(capfd.readouterr().out.strip())

    monkeypatch.setattr(host, "x86_64_level", lambda: level - 1)
    assert main(["python", "install", "--reinstall", f"cpython-3.12.3-{leveled}"], env) == 1
    message, hint = one_error(capfd.readouterr().err.partition("failed\n")[2])
    assert f"this processor is x86-64-v{level - 1}" in message
    assert hint.endswith("bubble python install 3.12.3")


# where builds come from


def upstream_like(tmp_path: Path) -> tuple[str, str]:
    """Return the catalogue of builds at upstream's address, and a directory that mirrors them."""
    entries = []
    for version in ("3.11.9", "3.12.1"):
        found = small_archive(str(tmp_path / "releases" / "20240726"), version)
        name = quote(os.path.basename(archive_path(found)))
        entries.append(found.replace(url=f"{UPSTREAM}20240726/{name}"))
    path = tmp_path / "upstream.json"
    path.write_text(dump_json(entries))
    return str(path), str(tmp_path / "releases")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_mirror_stands_in_for_upstream(
    scheme: str, bubble: Callable[..., Result], tmp_path: Path, home: str
) -> None:
    catalogue, releases = upstream_like(tmp_path)
    with serve(releases) as server:
        mirror = server.url if scheme == "http" else f"file://{releases}"
        env = {"BUBBLE_CATALOG": catalogue, "BUBBLE_MIRROR": f"{mirror}/"}
        done = bubble("python", "install", "3.12", env=env)
        assert done.out == f"{prefix(home, 'cpython-3.12.1')}/bin/python\n", done.err
        assert bool(server.log) is (scheme == "http")


@pytest.mark.parametrize("form", ["path", "directory", "file", "http", "ndjson", "http ndjson"])
def test_a_catalogue_may_be_a_path_or_an_address_in_either_format(
    form: str, bubble: Callable[..., Result], catalogue: str, tmp_path: Path, home: str
) -> None:
    directory = os.path.dirname(catalogue)
    extra = {}
    if "ndjson" in form:
        catalogue, releases = upstream_like(tmp_path)
        with open(catalogue, encoding="utf-8") as file:
            (known,) = [e for k, e in json.load(file).items() if "3.12.1" in k]
        triple = host_platform(os.environ).triple
        line = release("3.12.1+20240726", [(triple, "install_only")], known["sha256"])
        catalogue, directory = str(tmp_path / "index.ndjson"), str(tmp_path)
        with open(catalogue, "w", encoding="utf-8") as file:
            file.write(f"{line}\n")
        extra = {"BUBBLE_MIRROR": f"file://{releases}"}
    with serve(directory) as server:
        where = {
            "path": catalogue,
            "ndjson": catalogue,
            "directory": directory,
            "file": f"file://{catalogue}",
        }.get(form, f"{server.url}/{os.path.basename(catalogue)}")
        done = bubble("python", "install", "3.12", env={"BUBBLE_CATALOG": where, **extra})
    assert done.out == f"{prefix(home, 'cpython-3.12.1')}/bin/python\n", done.err


def test_offline_takes_what_is_cached_and_what_is_on_this_machine(
    bubble: Callable[..., Result], catalogue: str, home: str
) -> None:
    offline = {"BUBBLE_OFFLINE": "1"}
    with serve(os.path.dirname(catalogue)) as server:
        there = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        assert bubble("python", "install", "3.12", env=there).status == 0
        shutil.rmtree(home)
        asked = len(server.log)
        cached = bubble("python", "install", "3.12", env=there | offline)
        assert cached.status == 0, cached.err
        other = bubble("python", "install", "3.11", env=there | offline)
        assert other.status == 1
        assert "BUBBLE_OFFLINE" in one_error(other.err)[0]
        assert len(server.log) == asked, "offline means that nobody is asked"
    assert bubble("python", "install", "3.11", env=offline).status == 0, "file:// is no network"


def test_a_catalogue_that_can_not_be_reached_again_is_used_with_a_warning(
    bubble: Callable[..., Result], catalogue: str
) -> None:
    with serve(os.path.dirname(catalogue)) as server:
        there = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        assert bubble("python", "install", "3.12", env=there).status == 0
    done = bubble("python", "install", "--reinstall", "3.12", env=there)
    assert done.status == 0
    assert "warning: the copy of " in done.err
    told = bubble("python", "install", "--reinstall", "3.12", "--json", env=there)
    assert len(json.loads(told.out)["warnings"]) == 1
