"""`bubble python install` through the command line: requests, several at once, version files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from urllib.parse import quote

import pytest

from bubble.cli.main import main
from bubble.pythons.catalogue.index import dump_json
from support.builds import archive_path, small_archive, small_mirror
from support.fault_handlers import Exchange, Resource
from support.fault_server import serve
from support.shimworld import in_its_place
from support.stored import PLATFORM, installed, prefix
from support.told import json_data, json_error, one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

SPECS = (
    "3.10.4",
    "3.11.7",
    "3.11.9",
    "3.12.1",
    "3.13.1",
    {"version": "3.13.1", "variant": "freethreaded"},
    {"version": "3.13.1", "variant": "debug", "fmt": "tar.zst"},
    "3.14.0rc1",
)


@pytest.fixture
def catalogue(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a mirror of small builds; every command of the test uses its catalogue."""
    path = small_mirror(str(tmp_path / "mirror"), SPECS)
    env["BUBBLE_CATALOG"] = path
    monkeypatch.setenv("BUBBLE_CATALOG", path)
    return path


@pytest.mark.usefixtures("catalogue")
def test_the_path_is_printed_and_what_lies_there_runs(
    bubble: Callable[..., Result], home: str
) -> None:
    done = bubble("python", "install", "3.12")
    program = f"{prefix(home, 'cpython-3.12.1')}/bin/python"
    assert (done.status, done.out) == (0, f"{program}\n")
    assert done.err.splitlines()[0] == "cpython-3.12.1: copying"
    assert done.err.splitlines()[1].startswith("cpython-3.12.1: installed in ")
    assert subprocess.check_output([program, "--version"]) == b"Python 3.12.1\n"
    assert os.readlink(f"{home}/pythons/3.12") == f"cpython-3.12.1-{PLATFORM}"


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("option", [[], ["--upgrade"], ["--reinstall"]])
def test_the_paths_are_printed_in_the_order_of_the_requests_whatever_was_there(
    bubble: Callable[..., Result], home: str, option: list[str]
) -> None:
    assert bubble("python", "install", "3.11.9", "3.10.4").status == 0
    asked = {"3.12": "3.12.1", "3.11": "3.11.9", "3.13t": "3.13.1+freethreaded", "3.10": "3.10.4"}
    done = bubble("python", "install", *option, *asked, "3.99", "3.12.1")
    assert done.status == 1, "3.99 fails, and keeps none of the others"
    names = [*asked.values(), "3.12.1"]
    expected = [f"{prefix(home, f'cpython-{name}')}/bin/python" for name in names]
    assert done.out.splitlines() == expected


def test_json_tells_what_was_done(bubble: Callable[..., Result], catalogue: str, home: str) -> None:
    with serve(os.path.dirname(catalogue)) as server:
        there = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        first = bubble("python", "install", "3.12", "3.11", "--json", env=there)
    assert (first.status, first.err) == (0, "")
    rows = json_data(first.out)
    assert [row["version"] for row in rows] == ["3.12.1", "3.11.9"]
    for row in rows:
        assert row["status"] == "installed"
        assert row["key"] == f"cpython-{row['version']}-{PLATFORM}"
        assert row["prefix"] == f"{home}/pythons/{row['key']}"
        assert row["executable"] == f"{row['prefix']}/bin/python"
        assert row["bytes_transferred"] > 1000
        assert row["seconds"] > 0
    again = json_data(bubble("python", "install", "3.12", "--json").out)
    assert [(row["status"], row["bytes_transferred"]) for row in again] == [("present", 0)]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("3", "cpython-3.13.1"),
        ("3.12", "cpython-3.12.1"),
        ("312", "cpython-3.12.1"),
        ("3.11.7", "cpython-3.11.7"),
        ("==3.11.*", "cpython-3.11.9"),
        (">=3.10,<3.12", "cpython-3.11.9"),
        ("~=3.11.2", "cpython-3.11.9"),
        ("<3.11", "cpython-3.10.4"),
        ("3.13t", "cpython-3.13.1+freethreaded"),
        ("3.13+freethreaded", "cpython-3.13.1+freethreaded"),
        ("3.13+debug", "cpython-3.13.1+debug"),
        ("3.14.0rc1", "cpython-3.14.0rc1"),
        ("3.14rc1", "cpython-3.14.0rc1"),
        ("cpython@3.12", "cpython-3.12.1"),
        ("cpython-3.12", "cpython-3.12.1"),
        ("python3.10", "cpython-3.10.4"),
        (f"cpython-3.11.7-{PLATFORM}", "cpython-3.11.7"),
        (f"cpython-3.13.1+debug-{PLATFORM}", "cpython-3.13.1+debug"),
    ],
)
@pytest.mark.usefixtures("catalogue")
def test_a_request_installs_the_build_that_it_means(
    request_: str, name: str, env: dict[str, str], capfd: pytest.CaptureFixture[str], home: str
) -> None:
    assert main(["python", "install", request_], env) == 0
    assert capfd.readouterr().out == f"{prefix(home, name)}/bin/python\n"
    assert main(["python", "find", request_], env) == 0
    assert in_its_place(capfd.readouterr().out) == f"{prefix(home, name)}/bin/python\n"


@pytest.mark.usefixtures("catalogue")
def test_one_that_fails_stops_no_other(bubble: Callable[..., Result], home: str) -> None:
    done = bubble("python", "install", "3.12", "3.99", "3.11", "3.13.77")
    assert done.status == 1
    assert done.out.splitlines() == [
        f"{prefix(home, n)}/bin/python" for n in ("cpython-3.12.1", "cpython-3.11.9")
    ]
    assert done.err.count("error: ") == done.err.count("  hint: ") == 2
    again = bubble("python", "install", "3.12", "3.99", "--json")
    assert again.status == 1
    assert json_error(again.out, 1)["kind"] == "unavailable"
    document = json.loads(again.out)
    assert [row["version"] for row in document["data"]] == ["3.12.1"]
    assert document["errors"] == [document["error"]]


def test_several_are_installed_at_once(
    bubble: Callable[..., Result], tmp_path: Path, server: FaultServer
) -> None:
    meeting = threading.Barrier(3)
    entries = []
    for version in ("3.10.4", "3.11.9", "3.12.1"):
        found = small_archive(str(tmp_path / "archives"), version)

        def answer(exchange: Exchange, path: str = archive_path(found)) -> None:
            meeting.wait(60)  # nobody is answered before all have asked
            Resource(path)(exchange)

        name = quote(os.path.basename(archive_path(found)))
        entries.append(found.replace(url=server.put(f"/{name}", answer)))
    (tmp_path / "catalogue.json").write_text(dump_json(entries))
    done = bubble(
        "python", "install", "3.10", "3.11", "3.12",
        env={"BUBBLE_CATALOG": str(tmp_path / "catalogue.json")},
    )  # fmt: skip
    assert done.status == 0, done.err
    assert len(done.out.splitlines()) == 3
    assert len(server.log) == 3


def test_the_same_build_asked_for_twice_is_fetched_once(
    bubble: Callable[..., Result], catalogue: str, home: str
) -> None:
    with serve(os.path.dirname(catalogue)) as server:
        env = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        done = bubble("python", "install", "3.12", "3.12.1", "cpython-3.12", env=env)
        assert done.status == 0, done.err
        assert set(done.out.splitlines()) == {f"{prefix(home, 'cpython-3.12.1')}/bin/python"}
        assert len([entry for entry in server.log if ".tar." in entry.path]) == 1


def test_what_is_there_needs_neither_catalogue_nor_network(
    bubble: Callable[..., Result], catalogue: str
) -> None:
    first = bubble("python", "install", "3.11.7")
    shutil.rmtree(os.path.dirname(catalogue))
    again = bubble("python", "install", "3.11", env={"BUBBLE_OFFLINE": "1"})
    assert (again.status, again.out) == (0, first.out)
    assert again.err == "cpython-3.11.7 is already installed\n"


@pytest.mark.usefixtures("catalogue")
def test_an_older_one_satisfies_unless_an_upgrade_is_asked(
    bubble: Callable[..., Result], home: str
) -> None:
    assert bubble("python", "install", "3.11.7").status == 0
    assert "3.11.7" in bubble("python", "install", "3.11").out
    link = f"{home}/pythons/3.11"
    assert os.readlink(link).startswith("cpython-3.11.7-")
    upgraded = bubble("python", "install", "--upgrade", "3.11")
    assert upgraded.out == f"{prefix(home, 'cpython-3.11.9')}/bin/python\n"
    assert os.readlink(link).startswith("cpython-3.11.9-")
    assert os.path.isdir(prefix(home, "cpython-3.11.7"))
    nothing_left = bubble("python", "install", "--upgrade", "3.11")
    assert nothing_left.status == 0
    assert "cpython-3.11.9 is already installed" in nothing_left.err


@pytest.mark.usefixtures("catalogue")
def test_an_older_patch_installed_later_leaves_the_minor_link(
    bubble: Callable[..., Result], home: str
) -> None:
    bubble("python", "install", "3.11.9")
    bubble("python", "install", "3.11.7", "3.13t", "3.13")
    assert os.readlink(f"{home}/pythons/3.11") == f"cpython-3.11.9-{PLATFORM}"
    assert os.readlink(f"{home}/pythons/3.13") == f"cpython-3.13.1-{PLATFORM}"
    assert os.readlink(f"{home}/pythons/3.13+freethreaded").startswith("cpython-3.13.1+free")


@pytest.mark.usefixtures("catalogue")
def test_a_reinstall_replaces_what_is_there_from_the_cache(
    bubble: Callable[..., Result], home: str
) -> None:
    bubble("python", "install", "3.11.7")
    file = f"{prefix(home, 'cpython-3.11.7')}/lib/python3.11/os.py"
    os.chmod(file, 0o644)  # it is read-only
    with open(file, "a", encoding="utf-8") as opened:
        opened.write("# an edit\n")
    # 3.11.9 is newer, but a reinstall is of what is there
    done = bubble("python", "install", "--reinstall", "3.11", "--json")
    (row,) = json_data(done.out)
    assert (row["version"], row["status"], row["bytes_transferred"]) == ("3.11.7", "reinstalled", 0)
    with open(file, encoding="utf-8") as opened:
        assert "an edit" not in opened.read()
    fresh = bubble("python", "install", "--reinstall", "3.12", "--json")
    assert json_data(fresh.out)[0]["status"] == "installed", "a reinstall of nothing installs"


# what a directory asks for


@pytest.mark.usefixtures("catalogue")
def test_without_a_request_the_directory_is_asked(
    bubble: Callable[..., Result], tmp_path: Path, home: str
) -> None:
    project = tmp_path / "project" / "below"
    project.mkdir(parents=True)
    (tmp_path / "project" / ".python-version").write_text("3.11.7\n3.12\n")
    done = bubble("python", "install", cwd=project)
    assert done.status == 0, done.err
    assert installed(home) == [
        "3.11", "3.12", f"cpython-3.11.7-{PLATFORM}", f"cpython-3.12.1-{PLATFORM}"
    ]  # fmt: skip
    assert f"{tmp_path}/project/.python-version asks for 3.11.7, 3.12" in done.err
    (project / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.10,<3.11"\n')
    assert "cpython-3.10.4" in bubble("python", "install", cwd=project).out
    asked = bubble("python", "install", cwd=project, env={"BUBBLE_PYTHON": "3.13t"})
    assert "cpython-3.13.1+freethreaded" in asked.out


@pytest.mark.usefixtures("catalogue")
def test_where_nothing_asks_for_a_build_one_must_be_named(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    done = bubble("python", "install")
    assert done.status == 2
    assert "say which Python to install" in one_error(done.err)[0]
    (tmp_path / ".python-version").write_text("system\n")
    asked = bubble("python", "install")
    assert (asked.status, asked.out) == (0, "")
    assert "there is nothing to install" in asked.err


@pytest.mark.usefixtures("catalogue")
def test_a_version_file_that_names_no_version_is_an_error_that_names_the_file(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / ".python-version").write_text("3.x\n")
    done = bubble("python", "install")
    assert done.status == 2
    assert f"{tmp_path}/.python-version" in one_error(done.err)[0]
