"""`bubble python uninstall`, `upgrade`, `verify` through the command line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess

import pytest

from bubble.pythons.installed import store
from bubble.pythons.installed.upkeep import remove, verify
from bubble.system.host import host_platform
from bubble.system.machine import Machine
from support.builds import archive_path, small_archive, small_mirror
from support.needs import ROOT_ONLY, needs, not_here
from support.told import json_data, json_error, one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

PLATFORM = str(host_platform(os.environ))
SPECS = ("3.10.2", "3.10.4", "3.11.7", "3.11.9", "3.12.1", "3.14.0rc1", "3.14.0rc2")


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, env: dict[str, str]) -> str:
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "mirror"), SPECS)
    return env["BUBBLE_CATALOG"]


@pytest.fixture
def install(bubble: Callable[..., Result]) -> Callable[..., None]:
    def run(*requests: str) -> None:
        done = bubble("python", "install", *requests)
        assert done.status == 0, done.err

    return run


def prefix(home: str, version: str) -> str:
    return f"{home}/pythons/cpython-{version}-{PLATFORM}"


def versions(home: str) -> list[str]:
    """Return the versions in the store, and `3.11 -> 3.11.9` for each link."""
    found = []
    for name in sorted(os.listdir(f"{home}/pythons")):
        path = f"{home}/pythons/{name}"
        if os.path.islink(path):
            assert os.path.isdir(path), f"{name} leads nowhere"
            found.append(f"{name} -> {os.readlink(path).split('-')[1]}")
        else:
            found.append(name.split("-")[1])
    return found


# uninstall


def test_uninstall_removes_several_and_moves_the_links(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.10.4", "3.11.7", "3.11.9", "3.12.1")
    done = bubble("python", "uninstall", "3.11.9", "3.12")
    assert (done.status, done.err) == (0, "")
    assert done.out == "removed cpython-3.11.9\nremoved cpython-3.12.1\n"
    assert versions(home) == ["3.10 -> 3.10.4", "3.11 -> 3.11.7", "3.10.4", "3.11.7"]
    assert os.listdir(f"{home}/trash") == []
    assert not os.path.exists(f"{home}/shims/python3.12")
    assert os.path.exists(f"{home}/shims/python3.11")


def test_uninstall_of_one_that_is_not_there_leaves_the_others(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.10.4", "3.11.9")
    done = bubble("python", "uninstall", "3.12", "3.11", "--json")
    assert done.status == 1
    assert json_error(done.out, 1)["kind"] == "not_installed"
    assert json.loads(done.out)["data"] == []
    assert versions(home) == ["3.10 -> 3.10.4", "3.11 -> 3.11.9", "3.10.4", "3.11.9"]


def test_uninstall_by_a_full_key_and_of_the_last_one(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.12")
    assert bubble("python", "uninstall", f"cpython-3.12.1-{PLATFORM}").status == 0
    assert versions(home) == []
    again = bubble("python", "uninstall", "3.12")
    assert again.status == 1
    assert one_error(again.err)[0].endswith("(none is installed)")


def test_uninstall_leaves_what_lies_behind_a_link(
    bubble: Callable[..., Result], install: Callable[..., None], home: str, canary: str
) -> None:
    install("3.12")
    os.symlink(canary, f"{prefix(home, '3.12.1')}/lib/python3.12/site-packages/outside")
    assert bubble("python", "uninstall", "3.12").status == 0


# upgrade


def test_upgrade_installs_the_newest_patch_of_every_minor(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.10.2", "3.11.7", "3.12.1")
    done = bubble("python", "upgrade")
    assert done.status == 0, done.err
    assert sorted(done.out.splitlines()) == ["installed cpython-3.10.4", "installed cpython-3.11.9"]
    assert versions(home) == [
        "3.10 -> 3.10.4", "3.11 -> 3.11.9", "3.12 -> 3.12.1",
        "3.10.2", "3.10.4", "3.11.7", "3.11.9", "3.12.1",
    ]  # fmt: skip
    again = bubble("python", "upgrade")
    assert (again.status, again.out, again.err) == (0, "", "everything is up to date\n")


def test_upgrade_of_one_minor_prunes_only_there(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.10.2", "3.11.7")
    done = bubble("python", "upgrade", "3.11", "--prune")
    assert done.out == "installed cpython-3.11.9\nremoved cpython-3.11.7\n"
    assert versions(home) == ["3.10 -> 3.10.2", "3.11 -> 3.11.9", "3.10.2", "3.11.9"]


def test_prune_also_removes_what_an_earlier_upgrade_left(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.11.7", "3.11.9")
    done = bubble("python", "upgrade", "--prune", "--json")
    assert json_data(done.out) == {
        "installed": [], "carried_along": [], "kept": [], "running": [],
        "removed": [f"cpython-3.11.7-{PLATFORM}"],
    }  # fmt: skip
    assert versions(home) == ["3.11 -> 3.11.9", "3.11.9"]


@ROOT_ONLY
@needs("chattr")
@pytest.mark.parametrize("stuck", ["", "/lib"])
@pytest.mark.parametrize(
    "words", [("upgrade", "--prune"), ("uninstall", "3.10.2", "3.11.7")], ids=" ".join
)
def test_what_can_not_be_deleted_is_told_and_the_others_go(
    bubble: Callable[..., Result],
    install: Callable[..., None],
    home: str,
    words: tuple[str, ...],
    stuck: str,
) -> None:
    install("3.10.2", "3.11.7")
    path = f"{home}/pythons/cpython-3.10.2-{PLATFORM}{stuck}"
    if subprocess.run(["chattr", "+i", path], check=False).returncode:
        not_here("files can't be made immutable")
    try:
        done = bubble("python", *words)
        assert done.status == 1
        assert "operation not permitted" in one_error(done.err)[0]
        assert "removed cpython-3.11.7\n" in done.out
        # what can't even leave its place is there, whole; else only bytes of it are left
        assert ("removed cpython-3.10.2\n" in done.out) == bool(stuck)
        assert os.path.lexists(path) == (not stuck)
        assert ("3.10.2" in versions(home)) == (not stuck)
    finally:
        subprocess.run(["chattr", "-R", "-f", "-i", home], check=False)  # links have no flags


def test_an_upgrade_that_fails_prunes_nothing(
    bubble: Callable[..., Result], install: Callable[..., None], home: str, catalogue: str
) -> None:
    install("3.11.7", "3.10.2")
    mirror = os.path.dirname(catalogue)
    for directory, _, names in os.walk(mirror):
        for name in names:
            if "3.11.9" in name:
                os.unlink(f"{directory}/{name}")
    done = bubble("python", "upgrade", "--prune")
    assert done.status == 1
    assert "3.11.9" in one_error(done.err)[0]
    assert versions(home) == ["3.10 -> 3.10.4", "3.11 -> 3.11.7", "3.10.4", "3.11.7"]


def test_a_pre_release_is_upgraded_to_the_next_one(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.14.0rc1")
    assert bubble("python", "upgrade").out == "installed cpython-3.14.0rc2\n"
    assert versions(home)[0] == "3.14 -> 3.14.0rc2"
    assert bubble("python", "upgrade", "3.14").err == "everything is up to date\n"


def test_a_minor_that_the_catalogue_lacks_is_up_to_date(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    found = small_archive(str(tmp_path / "a"), "3.9.1")
    path = archive_path(found)
    assert bubble("python", "install", "--from", path, "--sha256", found.sha256).status == 0
    done = bubble("python", "upgrade")
    assert (done.status, done.err) == (0, "everything is up to date\n")


def test_upgrade_of_what_is_not_installed_fails_and_does_the_rest(
    bubble: Callable[..., Result], install: Callable[..., None]
) -> None:
    install("3.11.7")
    done = bubble("python", "upgrade", "3.12", "3.11")
    assert done.status == 1
    assert done.out == "installed cpython-3.11.9\n"
    assert "no installed Python satisfies “3.12”" in one_error(done.err)[0]


# verify


@contextlib.contextmanager
def writable(path: str) -> Iterator[None]:
    """Let a file that is there be written to, which is read-only and will be again."""
    mode = os.stat(path).st_mode if os.path.exists(path) else 0o644
    if os.path.exists(path):
        os.chmod(path, 0o644)
    yield
    os.chmod(path, mode)


def edit(path: str) -> None:
    with writable(path), open(path, "a", encoding="utf-8") as file:
        file.write("# changed\n")


def same_size(path: str) -> None:
    with writable(path), open(path, "r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(b"#" if first != b"#" else b"$")


def replace(path: str, make: Callable[[str], object]) -> None:
    os.unlink(path)
    make(path)


DAMAGE: dict[str, Callable[[str], None]] = {
    "edited": lambda p: edit(f"{p}/lib/python3.12/os.py"),
    "edited, same size": lambda p: same_size(f"{p}/lib/python3.12/os.py"),
    "missing": lambda p: os.unlink(f"{p}/lib/python3.12/os.py"),
    "a directory instead": lambda p: replace(f"{p}/lib/python3.12/os.py", os.mkdir),
    "a directory is gone": lambda p: shutil.rmtree(f"{p}/lib/python3.12/extra0"),
    "not executable": lambda p: os.chmod(f"{p}/bin/python3.12", 0o644),
    "link elsewhere": lambda p: replace(f"{p}/bin/python3", lambda a: os.symlink("/bin/sh", a)),
    "link gone": lambda p: os.unlink(f"{p}/bin/python"),
    "the interpreter is no program": lambda p: edit(f"{p}/bin/python3.12"),
    "manifest gone": lambda p: os.unlink(f"{p}/.bubble/manifest"),
    "manifest edited": lambda p: edit(f"{p}/.bubble/manifest"),
    "manifest empty": lambda p: os.truncate(f"{p}/.bubble/manifest", 0),
    "receipt is no JSON": lambda p: edit(f"{p}/.bubble/receipt.json"),
    "receipt empty": lambda p: os.truncate(f"{p}/.bubble/receipt.json", 0),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_repaired(
    damage: str, bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.12", "3.11.9")
    root = prefix(home, "3.12.1")
    DAMAGE[damage](root)
    found = bubble("python", "verify")
    assert found.status == 1
    assert found.out == "cpython-3.11.9: ok\n"
    message, hint = one_error(found.err)
    assert message.startswith("cpython-3.12.1 is damaged: ")
    assert hint == "bubble python verify --repair cpython-3.12.1"
    told = bubble("python", "verify", "3.12", "--json")
    assert json_error(told.out, told.status)["kind"] == "verify"
    (row,) = json.loads(told.out)["data"]
    assert row["ok"] is False
    assert row["problems"] or row["failure"]

    repaired = bubble("python", "verify", "--repair")
    assert repaired.status == 0, repaired.err
    assert repaired.out == "cpython-3.11.9: ok\ncpython-3.12.1: repaired\n"
    whole = bubble("python", "verify", "--json")
    assert [row["ok"] for row in json_data(whole.out)] == [True, True]
    assert versions(home) == ["3.11 -> 3.11.9", "3.12 -> 3.12.1", "3.11.9", "3.12.1"]


def test_an_installation_without_a_receipt_is_none_and_can_be_installed(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.12")
    os.unlink(f"{prefix(home, '3.12.1')}/.bubble/receipt.json")
    assert bubble("python", "find", "3.12").status == 1
    assert bubble("python", "install", "3.12").status == 0
    assert bubble("python", "verify").out == "cpython-3.12.1: ok\n"


def test_what_was_added_is_told_and_bytecode_is_not(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.12")
    library = f"{prefix(home, '3.12.1')}/lib/python3.12"
    os.makedirs(f"{library}/__pycache__")
    edit(f"{library}/__pycache__/os.cpython-312.pyc")
    assert bubble("python", "verify").out == "cpython-3.12.1: ok\n"
    edit(f"{library}/site-packages/added.py")
    found = bubble("python", "verify")
    assert found.status == 1
    assert "lib/python3.12/site-packages/added.py (extra)" in one_error(found.err)[0]


def test_a_local_archive_is_repaired_from_the_cache_or_from_where_it_was(
    bubble: Callable[..., Result], tmp_path: Path, home: str, env: dict[str, str]
) -> None:
    found = small_archive(str(tmp_path / "a"), "3.9.1")
    path = archive_path(found)
    assert bubble("python", "install", "--from", path, "--sha256", found.sha256).status == 0
    file = f"{prefix(home, '3.9.1')}/lib/python3.9/os.py"
    edit(file)
    os.rename(path, f"{path}.away")
    assert bubble("python", "verify", "--repair").out == "cpython-3.9.1: repaired\n"
    edit(file)
    shutil.rmtree(env["BUBBLE_CACHE_DIR"])
    lost = bubble("python", "verify", "--repair")
    assert lost.status == 1
    assert "No such file" in one_error(lost.err)[0]
    os.rename(f"{path}.away", path)
    assert bubble("python", "verify", "--repair").out == "cpython-3.9.1: repaired\n"


def test_repair_needs_no_catalogue_for_what_is_in_the_cache(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.12")
    edit(f"{prefix(home, '3.12.1')}/lib/python3.12/os.py")
    extra = {"BUBBLE_CATALOG": "/nonexistent.json", "BUBBLE_OFFLINE": "1"}
    assert bubble("python", "verify", "--repair", env=extra).status == 0


def test_many_problems_are_told_in_a_few(
    bubble: Callable[..., Result], install: Callable[..., None], home: str
) -> None:
    install("3.12")
    for directory, _, names in os.walk(f"{prefix(home, '3.12.1')}/lib/python3.12"):
        for name in names:
            edit(f"{directory}/{name}")
    message, _ = one_error(bubble("python", "verify").err)
    assert " more" in message
    assert len(message) < 1500
    told = json.loads(bubble("python", "verify", "--json").out)
    assert len(told["data"][0]["problems"]) >= 20


def test_verify_of_nothing_and_of_what_is_not_there(bubble: Callable[..., Result]) -> None:
    done = bubble("python", "verify")
    assert (done.status, done.out, done.err) == (0, "", "nothing is installed\n")
    assert json_data(bubble("python", "verify", "--json").out) == []


def test_what_is_removed_between_the_list_and_the_look_is_not_called_damaged(
    install: Callable[..., None], layout: Layout, env: dict[str, str]
) -> None:
    install("3.11.7", "3.11.9")
    machine = Machine(layout=layout, env=env, platform=host_platform(env))
    listed = store.installations(layout)
    remove(listed[0], machine)
    assert [v and v.is_whole for v in (verify(i, machine) for i in listed)] == [None, True]
