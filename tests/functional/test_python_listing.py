"""`bubble python list`, `find`, `dir`, `adopt` and `update` through the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.volume import Volume
from bubble.system.host import host_platform
from support.builds import interpreters, small_mirror
from support.catalogues import release
from support.fault_server import serve
from support.needs import not_here
from support.shimworld import in_its_place
from support.told import json_data, json_error, one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

HOST = host_platform(os.environ)
PLATFORM = str(HOST)
SPECS = (
    "3.10.4",
    "3.11.7",
    "3.11.9",
    "3.12.1",
    {"version": "3.12.1", "variant": "freethreaded"},
    {"version": "3.12.1", "on": HOST.replace(os="darwin", arch="aarch64", libc="none")},
    "3.14.0rc1",
)


@pytest.fixture
def catalogue(tmp_path: Path, env: dict[str, str]) -> str:
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "mirror"), SPECS)
    return env["BUBBLE_CATALOG"]


# list


@pytest.mark.usefixtures("catalogue")
def test_the_list_shows_what_is_installed_available_and_outdated(
    bubble: Callable[..., Result],
) -> None:
    assert bubble("python", "install", "3.11.7", "3.10").status == 0
    done = bubble("python", "list")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "cpython-3.12.1  available",
        "cpython-3.11.9  available",
        "cpython-3.11.7  installed  outdated: 3.11.9 is available",
        "cpython-3.10.4  installed",
    ]
    assert bubble("python", "list", "--installed").out.splitlines() == [
        "cpython-3.11.7  installed  outdated: 3.11.9 is available",
        "cpython-3.10.4  installed",
    ]
    assert bubble("python", "list", "--available").out.splitlines() == [
        "cpython-3.12.1  available",
        "cpython-3.11.9  available",
    ]
    assert bubble("python", "upgrade").status == 0
    assert "outdated" not in bubble("python", "list").out


@pytest.mark.usefixtures("catalogue")
def test_all_versions_and_platforms_are_listed_when_asked(bubble: Callable[..., Result]) -> None:
    assert bubble("python", "list", "--all-versions").out.split()[::2] == [
        "cpython-3.12.1",
        "cpython-3.12.1+freethreaded",
        "cpython-3.11.9",
        "cpython-3.11.7",
        "cpython-3.10.4",
        "cpython-3.14.0rc1",
    ]
    assert bubble("python", "list", "3.11").out.split()[::2] == ["cpython-3.11.9"]
    assert len(bubble("python", "list", "3.11", "--all-versions").out.splitlines()) == 2
    assert bubble("python", "list", "3.12t").out.split()[::2] == ["cpython-3.12.1+freethreaded"]
    everywhere = bubble("python", "list", "3.12", "--all-platforms").out
    there = bubble("python", "list", "--platform", "aarch64-apple-darwin").out
    assert there == "cpython-3.12.1-darwin-aarch64-none  available\n"
    assert there.split()[0] in everywhere
    assert f"cpython-3.12.1-{PLATFORM}" in everywhere


@pytest.mark.usefixtures("catalogue")
def test_nothing_found_is_said_and_no_failure(bubble: Callable[..., Result]) -> None:
    done = bubble("python", "list", "3.99")
    assert (done.status, done.out) == (0, "")
    assert done.err.startswith("there is no 3.99 for ")
    assert "the nearest is 3.12.1" in done.err
    assert bubble("python", "list", "--installed").err.startswith("no Python is installed (")
    assert json_data(bubble("python", "list", "3.99", "--json").out) == []


@pytest.mark.usefixtures("catalogue")
def test_the_list_as_json(bubble: Callable[..., Result], home: str) -> None:
    bubble("python", "install", "3.11.7")
    rows = json_data(bubble("python", "list", "3.11", "--json").out)
    assert rows[1] == {
        "key": f"cpython-3.11.7-{PLATFORM}",
        "implementation": "cpython",
        "version": "3.11.7",
        "minor": "3.11",
        "variant": "",
        "platform": PLATFORM,
        "installed": True,
        "adopted": False,
        "origin": None,
        "prefix": f"{home}/pythons/cpython-3.11.7-{PLATFORM}",
        "executable": f"{home}/pythons/cpython-3.11.7-{PLATFORM}/bin/python",
        "outdated_by": "3.11.9",
        "used_by": [],
        "system": False,
    }
    assert rows[0]["installed"] is False
    assert rows[0]["prefix"] is rows[0]["executable"] is None


def test_the_embedded_catalogue_fits_into_a_terminal(bubble: Callable[..., Result]) -> None:
    done = bubble("python", "list")
    assert done.status == 0
    lines = done.out.splitlines()
    assert max(map(len, lines)) < 80
    assert any(line.startswith("cpython-3.12.") for line in lines)
    assert not any("rc" in line.split()[0] for line in lines)
    assert "pypy" not in done.out
    assert all(
        line.startswith("pypy-") for line in bubble("python", "list", "pypy").out.split()[::2]
    )


# find and dir


@pytest.mark.usefixtures("catalogue")
def test_find_prints_a_path_and_nothing_else(bubble: Callable[..., Result], home: str) -> None:
    bubble("python", "install", "3.11.7", "3.12", "3.12t", "3.14.0rc1")
    expected = {
        (): "3.12.1",
        ("3",): "3.12.1",
        ("3.11",): "3.11.7",
        ("<3.12",): "3.11.7",
        ("3.12t",): "3.12.1+freethreaded",
        ("3.14rc1",): "3.14.0rc1",
        (f"cpython-3.11-{PLATFORM}",): "3.11.7",
    }
    for words, version in expected.items():
        path = f"{home}/pythons/cpython-{version}-{PLATFORM}/bin/python"
        done = bubble("python", "find", *words)
        assert (done.status, in_its_place(done.out), done.err) == (0, f"{path}\n", "")
        told = json_data(bubble("python", "find", *words, "--json").out)
        assert told["key"] == f"cpython-{version}-{PLATFORM}"
        assert f"{told['executable']}\n" == done.out
    absent = bubble("python", "find", "3.14")
    assert absent.status == 1, "a pre-release only when it is named"
    one_error(absent.err)
    assert json_error(bubble("python", "find", "3.9", "--json").out, 1)["kind"] == "not_installed"


def test_find_takes_a_path(bubble: Callable[..., Result], tmp_path: Path) -> None:
    assert bubble("python", "find", sys.executable).out == f"{sys.executable}\n"
    assert bubble("python", "find", sys.prefix).out == f"{sys.prefix}/bin/python\n"
    assert bubble("python", "find", "./nothing", cwd=tmp_path).status == 1


def test_dir_prints_the_directory(bubble: Callable[..., Result], home: str) -> None:
    assert bubble("python", "dir").out == f"{home}/pythons\n"
    assert json_data(bubble("python", "dir", "--json").out) == {"path": f"{home}/pythons"}
    assert not os.path.exists(home), "asking makes nothing"


# adopt


def other_python() -> tuple[str, str]:
    """Return version and prefix of a CPython of this machine."""
    found = interpreters()
    return found[0] if found else not_here("no CPython to adopt")


@pytest.mark.usefixtures("catalogue")
def test_an_adopted_prefix_is_found_runs_and_is_left_alone_by_uninstall(
    bubble: Callable[..., Result], home: str
) -> None:
    version, prefix = other_python()
    before = sorted(os.listdir(f"{prefix}/bin"))
    done = bubble("python", "adopt", prefix)
    assert done.status == 0, done.err
    program = f"{home}/pythons/cpython-{version}-{PLATFORM}/bin/python"
    assert (done.out, done.err) == (f"{program}\n", f"adopted cpython-{version}\n")
    minor = version.rpartition(".")[0]
    assert bubble("python", "find", minor).out == f"{program}\n"
    asked = "import sys, platform; print(platform.python_version(), sys.prefix)"
    said = subprocess.check_output([program, "-I", "-c", asked], text=True).split()
    assert said == [version, prefix]
    (row,) = json_data(bubble("python", "list", "--installed", "--json").out)
    assert row["adopted"] is True
    assert os.path.dirname(row["origin"]) == f"{prefix}/bin"
    assert bubble("python", "list", "--installed").out.split()[:2] == [
        f"cpython-{version}",
        "adopted",
    ]
    assert bubble("python", "verify").out == f"cpython-{version}: ok\n"
    assert json_data(bubble("python", "adopt", prefix, "--json").out)["prefix"] in program
    assert bubble("python", "uninstall", minor).status == 0
    assert sorted(os.listdir(f"{prefix}/bin")) == before
    assert os.listdir(f"{home}/pythons") == []


@pytest.mark.usefixtures("catalogue")
def test_the_systems_python_is_adopted_without_its_neighbours(
    bubble: Callable[..., Result], home: str
) -> None:
    system = "/usr/bin/python3"
    if not os.access(system, os.X_OK):
        not_here("no /usr/bin/python3")
    done = bubble("python", "adopt", system)
    assert done.status == 0, done.err
    binaries = os.path.dirname(done.out.strip())
    names = set(os.listdir(binaries))
    assert {"python", "python3"} <= names
    assert not names & {"ls", "sh", "env"}
    for name in names:
        assert os.readlink(f"{binaries}/{name}").startswith("/usr/bin/")
    code = "import sys; print(sys.prefix)"
    assert subprocess.check_output([f"{binaries}/python", "-c", code], text=True) == "/usr\n"
    assert bubble("python", "verify").status == 0
    assert bubble("python", "upgrade").err == "everything is up to date\n"
    key = os.path.basename(os.path.dirname(binaries))
    assert bubble("python", "uninstall", key).status == 0
    assert os.access(system, os.X_OK)
    assert not os.path.exists(f"{home}/pythons/{key}")


@pytest.mark.usefixtures("catalogue")
def test_an_adopted_python_that_has_gone_is_damaged_and_can_be_dropped(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    version, prefix = other_python()
    program = tmp_path / "elsewhere" / "bin" / "python3"
    program.parent.mkdir(parents=True)
    # the same interpreter in another place, which can be taken away
    shutil.copy2(f"{prefix}/bin/python3", program)
    os.symlink(f"{prefix}/lib", tmp_path / "elsewhere" / "lib")
    assert bubble("python", "adopt", str(program)).status == 0
    program.unlink()
    found = bubble("python", "verify")
    assert found.status == 1
    assert f"cpython-{version} is damaged" in one_error(found.err)[0]
    repair = bubble("python", "verify", "--repair")
    assert repair.status == 1
    message, hint = one_error(repair.err)
    assert "something else installed it" in message
    command = hint.partition("bubble ")[2].split()
    assert bubble(*command).status == 0
    assert bubble("python", "list", "--installed").out == ""


@pytest.mark.usefixtures("catalogue")
def test_what_is_installed_is_not_adopted_over(
    bubble: Callable[..., Result], env: dict[str, str], tmp_path: Path
) -> None:
    version, prefix = other_python()
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "other"), [version])
    assert bubble("python", "install", version).status == 0
    clash = bubble("python", "adopt", prefix)
    assert clash.status == 1
    assert f"cpython-{version} is already installed" in one_error(clash.err)[0]
    own = bubble("python", "adopt", bubble("python", "find", version).out.strip())
    assert own.status == 2
    assert "is in the store already" in one_error(own.err)[0]


# update


def index(path: Path, *versions: str, build: str = "", sha256: str = "") -> str:
    """Write upstream's ndjson and return its URL."""
    build = build or Volume(EMBEDDED).head["date"].replace("-", "")
    lines = [release(f"{v}+{build}", [(HOST.triple, "install_only")], sha256) for v in versions]
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"file://{path}"


def test_a_newer_index_is_taken_and_shown(bubble: Callable[..., Result], tmp_path: Path) -> None:
    url = index(tmp_path / "new.ndjson", "3.12.98")
    assert bubble("python", "list", "3.12").out.split()[0] != "cpython-3.12.98"
    done = bubble("python", "update", "--url", url)
    assert done.status == 0, done.err
    assert "1 new build, with 3.12.98" in done.out
    assert bubble("python", "list", "3.12").out.split()[0] == "cpython-3.12.98"
    told = json_data(bubble("python", "update", "--url", url, "--json").out)
    assert (told["builds"], told["after"]) == (0, Volume(EMBEDDED).head["date"])


def test_what_is_older_or_contradicts_is_refused_and_the_last_good_one_stays(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    assert bubble("python", "update", "--url", index(tmp_path / "a", "3.12.98")).status == 0
    older = bubble("python", "update", "--url", index(tmp_path / "b", "3.12.99", build="20240101"))
    assert older.status == 1
    assert "older" in one_error(older.err)[0]
    other = index(tmp_path / "c", "3.12.98", "3.12.99", sha256="b" * 64)
    contradicting = bubble("python", "update", "--url", other)
    assert contradicting.status == 1
    one_error(contradicting.err)
    broken = tmp_path / "d"
    broken.write_text('{"cut short')
    assert bubble("python", "update", "--url", f"file://{broken}").status == 1
    assert bubble("python", "list", "3.12").out.split()[0] == "cpython-3.12.98"


def test_update_asks_the_catalogue_of_the_environment_anew(
    bubble: Callable[..., Result], catalogue: str
) -> None:
    with serve(os.path.dirname(catalogue)) as server:
        there = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        assert "cpython-3.12.1" in bubble("python", "list", env=there).out
        small_mirror(os.path.dirname(catalogue), ["3.12.7"])
        assert "cpython-3.12.7" not in bubble("python", "list", env=there).out, "a list asks nobody"
        assert "3.12.7" in bubble("python", "update", env=there).out
        assert "cpython-3.12.7" in bubble("python", "list", env=there).out


# mirrors


def test_a_created_mirror_serves_another_machine(
    bubble: Callable[..., Result], catalogue: str, tmp_path: Path, home: str
) -> None:
    target = tmp_path / "usb"
    line = ("mirror", "create", str(target), "3.11", "3.12", "3.99")
    done = bubble(*line, "--platform", HOST.triple, "--platform", "aarch64-apple-darwin")
    assert done.status == 1
    assert done.err.count("error: ") == 3  # 3.99 for both, and 3.11 for the second
    assert len(done.out.splitlines()) == 3
    for path in done.out.splitlines():
        assert os.path.isfile(path)
    assert f"catalogue: {target}/catalogue.json" in done.err
    told = bubble("mirror", "create", str(target), "3.12", "--json")
    data = json_data(told.out)
    assert (data["added"], len(data["kept"])) == ([], 1)
    shutil.rmtree(os.path.dirname(catalogue))
    with serve(str(target)) as server:
        there = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        assert bubble("python", "install", "3.12", env=there).status == 0
    assert os.path.isdir(f"{home}/pythons/3.12")


@pytest.mark.usefixtures("catalogue")
def test_a_base_url_makes_addresses_absolute(bubble: Callable[..., Result], tmp_path: Path) -> None:
    base = "https://builds.example/python"
    done = bubble("mirror", "create", str(tmp_path / "m"), "3.12", "--base-url", f"{base}/")
    assert done.status == 0, done.err
    with open(tmp_path / "m" / "catalogue.json", encoding="utf-8") as file:
        (entry,) = json.load(file).values()
    assert entry["url"].startswith(f"{base}/20240726/cpython-3.12.1")


@pytest.mark.real
def test_a_packed_interpreter_is_told_with_what_it_needs_and_can_be_installed(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    version, prefix = other_python()
    target = tmp_path / "mirror"
    done = bubble("mirror", "pack", str(target), prefix, "--tag", "20260131")
    assert done.status == 0, done.err
    assert os.path.isfile(done.out.strip())
    assert f"packed cpython-{version}, " in done.err
    assert "taken from the system, not packed: lib" in done.err
    line = done.err.splitlines()[-1].partition("to install it: ")[2]
    setting, *command = line.split()
    name, _, value = setting.partition("=")
    installed = bubble(*command[1:], env={name: value})
    assert installed.status == 0, installed.err
    code = "import ssl, sqlite3, ctypes, sys; print(sys.version.split()[0])"
    assert (
        subprocess.check_output([installed.out.strip(), "-c", code], text=True).strip() == version
    )
    # and the pip that it was tried with, where it brings none of its own
    assert bubble("python", "verify").out.startswith(f"cpython-{version}: ok\n")
