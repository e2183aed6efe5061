"""Operations on interpreters where something is in their way, called as the commands call them."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.cli.main import main
from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.pythons.adopting.adopt import adopt
from bubble.pythons.adopting.commands import renew_links
from bubble.pythons.installed import store
from bubble.pythons.installed.listing import list_pythons
from bubble.pythons.installed.upkeep import named, remove, repair, verify
from bubble.pythons.installing.batch import install_downloads, install_requests
from bubble.pythons.installing.install import install
from bubble.pythons.installing.local import download_of, install_archive, key_of_file
from bubble.pythons.installing.progress import Progress
from bubble.system.host import host_platform
from bubble.system.machine import Machine
from support.builds import archive_path, small_archive, small_mirror
from support.small_prefix import double, small_prefix

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.model.download import Download
    from bubble.system.layout import Layout

HOST = host_platform(os.environ)
QUIET = Progress()


@pytest.fixture
def machine(layout: Layout, env: dict[str, str], tmp_path: Path) -> Machine:
    """Return this machine with a catalogue of 3.11.9 and 3.12.1."""
    catalogue = small_mirror(str(tmp_path / "mirror"), ["3.11.9", "3.12.1"])
    return Machine(layout=layout, env={**env, "BUBBLE_CATALOG": catalogue}, platform=HOST)


@pytest.fixture
def owner(tmp_path: Path) -> str:
    """Return a prefix that somebody else takes care of."""
    files = {"bin/pydoc3.11": "#!/bin/sh\n"}
    root = small_prefix(f"{os.path.realpath(tmp_path)}/owner", files=files)
    os.chmod(f"{root}/bin/pydoc3.11", 0o755)
    os.symlink("python3.11", f"{root}/bin/python3")
    return root


def archive(tmp_path: Path, version: str = "3.11.7", *, files: int = 2) -> Download:
    return small_archive(str(tmp_path / f"archives{files}"), version, extra_files=files)


def versions(machine: Machine) -> list[str]:
    return [str(i.key.version) for i in store.installations(machine.layout)]


# install


def test_what_can_not_run_or_be_verified_is_refused_before_anything_is_made(
    machine: Machine, tmp_path: Path
) -> None:
    found = archive(tmp_path)
    other = found.key.replace(platform=HOST.replace(os="windows", libc="none"))
    for download, reason in (
        (found.replace(sha256=""), "no checksum"),
        (found.replace(key=other), f"can't run here: this machine is {HOST}"),
    ):
        with pytest.raises(BubbleError, match=reason) as caught:
            install(download, machine)
        assert caught.value.kind == "unavailable"
        assert "bubble " in caught.value.hint
    assert not os.path.exists(machine.layout.home)
    assert not os.path.exists(machine.layout.cache)


@pytest.mark.parametrize("kind", ["damaged", "link", "directory", "pipe"])
def test_what_is_no_archive_in_the_cache_is_thrown_away_and_fetched_anew(
    machine: Machine, tmp_path: Path, canary: str, kind: str
) -> None:
    found = archive(tmp_path)
    path = f"{machine.layout.downloads}/{found.sha256}"
    os.makedirs(machine.layout.downloads)
    if kind == "damaged":
        shutil.copy(archive_path(found), path)
        os.truncate(path, 100)
    elif kind == "link":
        os.symlink(archive_path(found), path)  # whoever owns that may change it afterwards
    elif kind == "directory":
        os.mkdir(path)
        os.symlink(canary, f"{path}/link")
    else:
        os.mkfifo(path)
    assert install(found, machine).status == "installed"
    assert os.path.isfile(path)
    assert not os.path.islink(path)
    assert os.path.getsize(path) == os.path.getsize(archive_path(found))


def test_of_several_a_failure_of_the_system_is_told_and_the_others_are_there(
    machine: Machine, tmp_path: Path
) -> None:
    downloads = [archive(tmp_path, version) for version in ("3.10.2", "3.11.7", "3.12.4")]
    os.makedirs(f"{machine.layout.locks}/{downloads[1].key}")  # where a lock has to be a file
    batch = install_downloads(downloads, machine, QUIET)
    assert [error.kind for error in batch.errors] == ["io"]
    assert str(downloads[1].key) in batch.errors[0].message
    assert len(batch.installed) == 2
    assert versions(machine) == ["3.12.4", "3.10.2"]


def test_a_reinstall_of_what_the_catalogue_has_no_more_is_of_the_best_that_it_has(
    machine: Machine, tmp_path: Path
) -> None:
    install(archive(tmp_path), machine)
    exact = install_requests([parse_request("3.11.7")], machine, QUIET, reinstall=True)
    assert [e.kind for e in exact.errors] == ["unavailable"]
    assert versions(machine) == ["3.11.7"]
    any_patch = install_requests([parse_request("3.11")], machine, QUIET, reinstall=True)
    assert [(str(i.installation.key.version), i.status) for i in any_patch.installed] == [
        ("3.11.9", "installed")
    ]
    assert versions(machine) == ["3.11.9", "3.11.7"]


def test_another_archive_of_what_is_installed_replaces_it_by_the_hints_command_only(
    machine: Machine, tmp_path: Path
) -> None:
    one, two = archive(tmp_path), archive(tmp_path, files=5)
    assert install_archive(one, machine, QUIET).errors == ()
    path = archive_path(two)
    (error,) = install_archive(download_of(path, two.sha256, machine), machine, QUIET).errors
    assert error.kind == "store"
    assert error.message.endswith(
        f"is already installed, with sha256 {one.sha256}: this archive is another one"
    )
    (present,) = store.installations(machine.layout)
    assert store.read_receipt(present.prefix).sha256 == one.sha256
    command = shlex.split(error.hint.partition("bubble ")[2])
    assert main(command, machine.env) == 0
    assert store.read_receipt(present.prefix).sha256 == two.sha256


def test_an_archive_of_what_was_adopted_is_told_from_where_that_is(
    machine: Machine, tmp_path: Path, owner: str
) -> None:
    adopt(owner, machine)
    batch = install_archive(archive(tmp_path, "3.11.9"), machine, QUIET)
    assert batch.installed == ()
    assert f"is already installed, from {owner}/bin/python3.11" in batch.errors[0].message


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("cpython-3.13.1+20250115-x86_64-unknown-linux-gnu-install_only.tar.gz",
         "cpython-3.13.1-linux-x86_64-gnu"),
        ("cpython-3.13.1+20250115-aarch64-apple-darwin-freethreaded+pgo+lto-full.tar.zst",
         "cpython-3.13.1+freethreaded-darwin-aarch64-none"),
        ("pypy-3.10.14-x86_64-unknown-linux-gnu-install_only.tar.gz", "None"),
        ("cpython-3.13.1+20250115-x86_64-unknown-linux-gnu-.tar.gz", "None"),
        ("cpython-three-x86_64-unknown-linux-gnu-install_only.tar.gz", "None"),
        ("my.tar.gz", "None"),
    ],
)  # fmt: skip
def test_a_file_name_tells_its_key_or_none(name: str, key: str) -> None:
    assert str(key_of_file(name)) == key


def test_without_a_checksum_an_archive_needs_a_catalogue(machine: Machine, tmp_path: Path) -> None:
    without = machine.replace(env={**machine.env, "BUBBLE_CATALOG": "/nonexistent.json"})
    found = archive(tmp_path)
    with pytest.raises(BubbleError, match="nonexistent") as caught:
        download_of(archive_path(found), "", without)
    assert caught.value.kind == "catalogue"
    assert download_of(archive_path(found), found.sha256, without).key == found.key


# adopted


def test_the_commands_of_an_adopted_interpreter_follow_its_owner(
    machine: Machine, owner: str
) -> None:
    links = f"{adopt(owner, machine).prefix}/bin"
    before = set(os.listdir(links))
    assert "pydoc3.11" in before
    double(f"{owner}/bin/black", "#!/bin/sh\n")
    os.unlink(f"{owner}/bin/pydoc3.11")
    os.mkdir(f"{owner}/bin/directory")
    with open(f"{owner}/bin/notes", "w", encoding="ascii"):
        pass
    (installation,) = store.installations(machine.layout)
    renew_links(installation)
    assert set(os.listdir(links)) == before - {"pydoc3.11"} | {"black"}
    assert os.readlink(f"{links}/black") == f"{owner}/bin/black"


def test_two_that_renew_at_once_make_one_link(
    machine: Machine, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = adopt(owner, machine)
    for name in ("black", "isort"):
        double(f"{owner}/bin/{name}", "#!/bin/sh\n")
    real = os.symlink

    def symlink(source: str, link: str) -> None:
        real(source, link)  # the other one
        real(source, link)

    monkeypatch.setattr(os, "symlink", symlink)
    renew_links(installation)
    assert {"black", "isort"} <= set(os.listdir(f"{installation.prefix}/bin"))


def test_of_an_owner_who_has_gone_the_links_stay(machine: Machine, owner: str) -> None:
    installation = adopt(owner, machine)
    before = os.listdir(f"{installation.prefix}/bin")
    shutil.rmtree(owner)
    renew_links(installation)
    assert os.listdir(f"{installation.prefix}/bin") == before
    shutil.rmtree(f"{installation.prefix}/bin")
    renew_links(installation)
    assert not os.path.exists(f"{installation.prefix}/bin")


def test_an_adopted_interpreter_that_became_another_is_told(
    machine: Machine, owner: str, tmp_path: Path
) -> None:
    installation = adopt(owner, machine)
    found = verify(installation, machine)
    assert found
    assert found.is_whole
    moved = f"{tmp_path}/moved"
    for change, message in (
        ({"version": "3.11.10"}, f"{owner}/bin/python3.11 is now cpython 3.11.10"),
        ({"says": {"prefix": moved}}, f"its prefix is {moved}, and was {owner}"),
    ):
        small_prefix(owner, **change)
        found = verify(installation, machine)
        assert found
        assert found.failure == message
        batch = repair([found], machine, QUIET)
        assert [e.kind for e in batch.errors] == ["verify"]


def test_an_adopted_one_whose_receipt_is_damaged_is_listed_with_its_own_path(
    machine: Machine, owner: str
) -> None:
    installation = adopt(owner, machine)
    with open(f"{installation.prefix}/.bubble/receipt.json", "w", encoding="ascii") as file:
        file.write("{")
    listing = list_pythons(machine.layout, machine.env, HOST, available=False)
    assert [(row.key, row.origin) for row in listing.rows] == [
        (installation.key, installation.executable)
    ]


# uninstall, verify, repair


def test_of_several_that_a_request_means_one_must_be_named(
    machine: Machine, tmp_path: Path
) -> None:
    for version in ("3.11.7", "3.11.9", "3.12.4"):
        install(archive(tmp_path, version), machine)
    with pytest.raises(
        BubbleError, match=r"means 2 installed Pythons: .*3\.11\.9, .*3\.11\.7"
    ) as e:
        named(parse_request("3.11"), machine)
    assert e.value.kind == "request"
    request = e.value.hint.rpartition(" ")[2]
    assert str(named(parse_request(request), machine).key.version) == "3.11.7"


def test_what_went_by_other_hands_is_removed_with_its_links(
    machine: Machine, tmp_path: Path
) -> None:
    for version in ("3.11.7", "3.11.9"):
        install(archive(tmp_path, version), machine)
    newest, older = store.installations(machine.layout)
    shutil.rmtree(newest.prefix)
    remove(newest, machine)
    assert os.readlink(f"{machine.layout.pythons}/3.11") == str(older.key)
    remove(older, machine)
    assert os.listdir(machine.layout.pythons) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO])
def test_a_store_without_room_for_a_lock_is_verified_all_the_same_unless_its_disk_fails(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    installation = install(archive(tmp_path), machine).installation
    real = os.open

    def opened(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).startswith(machine.layout.locks):
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", opened)
    if number == errno.EIO:
        with pytest.raises(OSError, match="Input/output error"):
            verify(installation, machine)
    else:
        found = verify(installation, machine)
        assert found
        assert found.is_whole


def test_a_repair_of_nothing_takes_away_what_a_killed_one_left(machine: Machine) -> None:
    leftover = f"{machine.layout.staging}/cpython.0a1b2c3d4e5f"
    os.makedirs(leftover)
    batch = repair([], machine, QUIET)
    assert (batch.installed, batch.errors) == ((), ())
    assert os.listdir(machine.layout.staging) == []


@pytest.mark.parametrize("kept", [True, False])
def test_what_came_from_another_archive_is_repaired_from_that_or_else_from_the_listed_one(
    machine: Machine, tmp_path: Path, kept: bool
) -> None:
    own = archive(tmp_path, "3.12.1")
    installation = install(own, machine).installation
    os.unlink(f"{installation.prefix}/lib/python3.12/os.py")
    found = verify(installation, machine)
    assert found
    assert [(p.path, p.what) for p in found.problems] == [("lib/python3.12/os.py", "missing")]
    if not kept:
        shutil.rmtree(machine.layout.downloads)
        os.unlink(archive_path(own))
    assert repair([found], machine, QUIET).errors == ()
    assert (store.read_receipt(installation.prefix).sha256 == own.sha256) is kept
    again = verify(installation, machine)
    assert again
    assert again.is_whole
