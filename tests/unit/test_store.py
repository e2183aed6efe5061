"""The store told from what lies about in it, and settled after a process that died."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from bubble.model.key import parse_key
from bubble.model.request import parse_request
from bubble.pythons.installed import meanings, store
from bubble.pythons.probing.stdlib import library_name
from bubble.system import removal
from bubble.system.host import host_platform
from conftest import snapshot

if TYPE_CHECKING:
    from typing import Any

    from bubble.model.platform import Platform
    from bubble.system.layout import Layout

HOST = host_platform(os.environ)


def installed(
    layout: Layout, name: str, *, build: str = "", prefix: str = ""
) -> store.Installation:
    """Put an installation into the store that is nothing but a receipt."""
    key = f"{name}-{HOST}"
    root = layout.python(key)
    os.makedirs(f"{root}/.bubble")
    fields: dict[str, Any] = dict.fromkeys(store.Receipt._fields, "")
    fields |= {"key": key, "build": build, "prefix": prefix or root, "installed_at": 0}
    store.write_receipt(root, store.Receipt(**fields))
    found = store.installation_at(layout, key)
    assert found is not None
    return found


def leave(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii"):
        pass


def settle(layout: Layout, platform: Platform = HOST) -> None:
    store.finish_changes(layout, platform)


def test_a_directory_whose_name_is_no_key_counts_for_nothing(layout: Layout) -> None:
    wanted = installed(layout, "cpython-3.12.4")
    leave(f"{layout.pythons}/my-own-three-point-twelve/.bubble/receipt.json")
    leave(f"{layout.pythons}/notes.txt")
    assert store.installations(layout) == [wanted]
    settle(layout)
    assert os.path.exists(f"{layout.pythons}/my-own-three-point-twelve/.bubble/receipt.json")


@pytest.mark.parametrize(
    ("name", "prefix", "build"),
    [
        ("pypy-3.10.14", "/opt/pypy3.10-v7.3.16-linux64", "7.3.16"),
        ("pypy-3.10.14", "/opt/pypy3.10-7.3.16/lib/deeper", "7.3.16"),
        ("pypy-3.10.14", "/opt/pypy3.10-7.3.16/other-1.0", "7.3.16"),
        ("pypy-3.10.14", "/opt/pypy", ""),
        ("pypy-3.10.14", "/usr", ""),
        ("graalpy-3.11.7", "/srv/graalpy-24.1.0", "24.1.0"),
        ("cpython-3.10.14", "/opt/cpython-20240726", ""),
    ],
)
def test_the_release_of_an_adopted_one_is_the_one_that_its_directory_names(
    layout: Layout, name: str, prefix: str, build: str
) -> None:
    found = installed(layout, name, prefix=prefix)
    assert store.build_of(found) == build
    if build:
        request = parse_request(f"{name.rpartition('.')[0].replace('-', '')}-{build}")
        assert store.matching(layout, request, HOST) == [found]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("cpython-3.12.4-linux-x86_64-gnu", "python3.12"),
        ("cpython-3.13.1+freethreaded-linux-x86_64-gnu", "python3.13t"),
        ("pypy-3.10.14-linux-x86_64-gnu", "pypy3.10"),
    ],
)
def test_each_kind_of_build_has_its_own_name_for_the_standard_library(key: str, name: str) -> None:
    assert library_name(parse_key(key)) == name


@pytest.mark.parametrize("place", ["staging", "trash"])
def test_what_a_killed_process_left_is_swept(layout: Layout, place: str) -> None:
    installed(layout, "cpython-3.12.4")
    settle(layout)
    leave(f"{layout.home}/{place}/left.0a1b2c3d4e5f/file")
    settle(layout)
    assert os.listdir(f"{layout.home}/{place}") == []


def test_a_change_that_was_not_published_is_published(layout: Layout) -> None:
    found = installed(layout, "cpython-3.12.4")
    os.symlink("gone", f"{layout.pythons}/3.9")
    settle(layout)  # nothing is remembered yet
    assert os.readlink(f"{layout.pythons}/3.12") == os.path.basename(found.prefix)
    assert not os.path.lexists(f"{layout.pythons}/3.9")
    begun = meanings.epoch(layout)
    os.unlink(f"{layout.pythons}/3.12")
    meanings.withhold(layout)  # a process began a change, and was killed
    settle(layout)
    assert os.readlink(f"{layout.pythons}/3.12") == os.path.basename(found.prefix)
    assert meanings.epoch(layout) not in {"", begun}


def test_requests_mean_nothing_while_what_is_installed_changes_and_then_what_they_mean_now(
    layout: Layout,
) -> None:
    first = installed(layout, "cpython-3.12.4")
    store.publish_changes(layout, HOST)
    begun = meanings.epoch(layout)
    for name, prefix in (
        ("3.12", f"{layout.pythons}/3.12"),
        ("3.12.4", first.prefix),
        ("3.13", meanings.NOTHING),
    ):
        meanings.remember(layout, begun, name, prefix)
    with store.changing(layout, HOST):
        assert meanings.epoch(layout) == ""
        assert meanings.meaning(layout, "3.12") is None
        second = installed(layout, "cpython-3.12.5")
        third = installed(layout, "cpython-3.13.0")
    # a minor version means its minor link, which leads to the newest
    assert meanings.meaning(layout, "3.12") == f"{layout.pythons}/3.12"
    assert os.readlink(f"{layout.pythons}/3.12") == str(second.key)
    assert meanings.meaning(layout, "3.12.4") == first.prefix
    assert meanings.meaning(layout, "3.13") == f"{layout.pythons}/3.13"
    with pytest.raises(FileNotFoundError):  # whoever looked before the change comes too late
        meanings.remember(layout, begun, "3.14", first.prefix)
    store.withdraw(layout, HOST, str(third.key))
    assert meanings.meaning(layout, "3.13") == meanings.NOTHING


def test_a_change_that_fails_ends_with_what_requests_mean_all_the_same(layout: Layout) -> None:
    first = installed(layout, "cpython-3.12.4")
    store.publish_changes(layout, HOST)
    meanings.remember(layout, meanings.epoch(layout), "3.12.4", first.prefix)
    with pytest.raises(KeyError), store.changing(layout, HOST):
        raise KeyError
    assert meanings.meaning(layout, "3.12.4") == first.prefix


def test_where_all_is_settled_or_nothing_is_there_nothing_is_written(layout: Layout) -> None:
    settle(layout)
    assert not os.path.exists(layout.home)
    installed(layout, "cpython-3.12.4")
    settle(layout)
    before = snapshot(layout.home)
    settle(layout)
    assert snapshot(layout.home) == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_store_that_may_not_be_written_is_left_as_it_is(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    installed(layout, "cpython-3.12.4")
    refuse_to_write(monkeypatch, number)
    settle(layout)
    monkeypatch.undo()
    assert os.listdir(layout.home) == ["pythons"]


def test_any_other_failure_to_settle_is_told(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(layout, "cpython-3.12.4")
    refuse_to_write(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        settle(layout)


def test_an_installation_that_has_to_stay_keeps_its_minor_link(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = (installed(layout, f"cpython-3.12.{n}") for n in (3, 4))
    store.publish_changes(layout, HOST)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(removal, "set_aside", refuse)
        with pytest.raises(PermissionError):
            store.withdraw(layout, HOST, os.path.basename(newer.prefix))
    assert os.readlink(f"{layout.pythons}/3.12") == os.path.basename(newer.prefix)
    store.withdraw(layout, HOST, os.path.basename(newer.prefix))
    assert os.readlink(f"{layout.pythons}/3.12") == os.path.basename(older.prefix)


def refuse_to_write(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have the file system say no to whatever would change it."""

    def refused(path: str, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), path)

    real = os.open

    def opened(path: str, flags: int, *rest: int) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            refused(path)
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", opened)
    for name in ("mkdir", "makedirs", "rename", "unlink", "symlink", "utime"):
        monkeypatch.setattr(os, name, refused)
