"""Staging directories: published, replaced, swept; what outlives a kill stands in the journal."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system import journal, kernel, removal
from bubble.system.removal import set_aside
from bubble.system.staging import Staging
from bubble.system.sweep import sweep
from support.namespace import on_overlay
from support.needs import ROOT_ONLY, other_disk
from support.trees import fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout

STAGE = """
import signal, sys
from bubble.system.layout import Layout
from bubble.system.staging import Staging
layout = Layout(home=sys.argv[1], cache=sys.argv[1])
with Staging(layout, sys.argv[2]) as staging:
    open(staging.path + "/file", "w").close()
    print(staging.path, flush=True)
    signal.pause()
"""


class Killed(BaseException):
    """What a kill is, as far as a test in one process can have it."""


@pytest.fixture(params=["store", "project"])
def target(request: pytest.FixtureRequest, layout: Layout, tmp_path: Path) -> str:
    """Return where something is published: in the store, or in a directory of the user's."""
    if request.param == "store":
        return layout.python("key")
    (tmp_path / "project").mkdir()
    return str(tmp_path / "project" / ".venv")


def scratch(layout: Layout, target: str) -> list[str]:
    """Return everything that must be gone in the end."""
    places = (layout.staging, layout.trash, layout.journal)
    found = [f"{p}/{name}" for p in places if os.path.isdir(p) for name in os.listdir(p)]
    parent, name = os.path.split(target)
    beside = os.listdir(parent) if os.path.isdir(parent) else []
    return found + [f"{parent}/{other}" for other in beside if other != name]


def publish(layout: Layout, target: str, text: str = "new") -> None:
    with Staging(layout, target) as staging:
        fill(staging.path, text)
        staging.publish()


def test_what_was_not_published_is_gone(layout: Layout, target: str) -> None:
    with Staging(layout, target) as staging:
        fill(staging.path)
        assert os.stat(staging.path).st_mode & 0o777 == 0o700
    assert scratch(layout, target) == []


def test_publishing_makes_the_target_and_leaves_no_scratch(layout: Layout, target: str) -> None:
    publish(layout, target)
    assert filled(target) == "new"
    assert os.stat(target).st_mode & 0o777 == 0o755
    assert scratch(layout, target) == []


@pytest.mark.parametrize("can_exchange", [True, False])
def test_publishing_replaces_what_is_there(
    layout: Layout, target: str, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(kernel, "exchange", lambda *_: False)
    fill(target, "old")
    publish(layout, target)
    assert filled(target) == "new"
    assert scratch(layout, target) == []


def test_without_exchange_a_failed_replacement_puts_the_old_one_back(
    layout: Layout, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "exchange", lambda *_: False)
    fill(target, "old")
    real = os.rename
    with Staging(layout, target) as staging:

        def rename(source: str, to: str, **options: int) -> None:
            if source == os.path.basename(staging.path):  # the second of the two renames
                raise OSError(errno.ENOSPC, "No space left on device")
            real(source, to, **options)

        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(OSError, match="No space"):
            staging.publish()
    assert filled(target) == "old"
    assert scratch(layout, target) == []


def test_without_exchange_a_kill_between_the_renames_is_made_good(
    layout: Layout, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(target, "old")
    with monkeypatch.context() as patched:
        patched.setattr(kernel, "exchange", lambda *_: False)
        killed(layout, target, patched, "key.", ".bubble-")
    assert not os.path.lexists(target)
    assert sweep(layout) == ()
    assert filled(target) == "new"
    assert scratch(layout, target) == []


def killed(layout: Layout, target: str, patched: pytest.MonkeyPatch, *names: str) -> None:
    """Die in a publication, at the rename of what has one of these names; undo nothing."""
    real = os.rename

    def rename(source: str, to: str, **options: int) -> None:
        if source.startswith(names):
            patched.setattr(os, "rename", real)
            raise Killed
        real(source, to, **options)

    patched.setattr(os, "rename", rename)
    patched.setattr(removal.Remains, "put_back", lambda _: None)
    patched.setattr(journal, "unlink_quietly", lambda _: None)
    patched.setattr(Staging, "_clear", lambda _: None)
    with pytest.raises(Killed):
        publish(layout, target)


def test_what_was_set_aside_beside_its_place_goes_with_the_next_sweep(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "project" / ".venv")
    fill(path)
    with monkeypatch.context() as patched:
        another_file_system(patched, layout)
        remains = set_aside(layout, path)
    assert os.path.dirname(remains.path) == os.path.dirname(path)
    sweep(layout)
    assert filled(remains.path) == "new"  # its owner lives
    del_entry(remains)
    assert sweep(layout) == ()
    assert scratch(layout, path) == []


def del_entry(remains: removal.Remains) -> None:
    """Let go of an entry, as the end of a process does."""
    assert remains._entry
    remains._entry.leave()


def another_file_system(patched: pytest.MonkeyPatch, layout: Layout) -> None:
    """A double: the store is on another one than all else."""
    real = os.rename

    def rename(source: str, to: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        ends = [os.readlink(f"/proc/self/fd/{fd}") for fd in (src_dir_fd, dst_dir_fd)]
        if len({end.startswith(f"{layout.home}/") for end in ends}) == 2:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(source, to, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    patched.setattr(os, "rename", rename)


def test_where_nothing_can_be_made_on_the_other_disk_that_is_what_is_told(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for a full disk, and for another one."""
    target = layout.python("key")

    def full(name: str, *_: int, **__: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", name)

    def across(*_: str, **__: int) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    with Staging(layout, target) as staging, monkeypatch.context() as patched:
        fill(staging.path)
        for place in (layout.pythons, layout.journal):
            os.mkdir(place)
        patched.setattr(os, "rename", across)
        patched.setattr(os, "mkdir", full)
        with pytest.raises(OSError, match="No space") as caught:
            staging.publish()
    assert caught.value.filename.startswith(f"{layout.pythons}/.bubble-")
    assert sweep(layout) == ()
    assert scratch(layout, target) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_part_of_the_store_may_lie_on_another_disk(
    layout: Layout, tmp_path: Path, there: bool
) -> None:
    os.makedirs(layout.home)
    with other_disk(str(tmp_path)) as directory:
        os.symlink(directory, layout.pythons)
        if there:
            fill(layout.python("key"), "old")
        publish(layout, layout.python("key"))
        assert filled(layout.python("key")) == "new"
        assert os.stat(layout.python("key")).st_mode & 0o777 == 0o755
        assert scratch(layout, layout.python("key")) == []
        set_aside(layout, layout.python("key")).delete()
        assert os.listdir(directory) == []
        assert scratch(layout, layout.python("key")) == []


def test_a_sweep_takes_dead_staging_and_leaves_live_staging(layout: Layout, target: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STAGE, layout.home, target], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    path = process.stdout.readline().strip()
    try:
        sweep(layout)
        assert os.path.exists(f"{path}/file")
        assert journal.left(layout) == []
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert os.path.exists(f"{path}/file")
    sweep(layout)
    assert scratch(layout, target) == []


def test_a_sweep_of_a_store_that_is_not_there_does_nothing(layout: Layout) -> None:
    assert sweep(layout) == ()
    assert not os.path.exists(layout.home)


def test_what_an_older_bubble_was_replacing_in_the_store_is_put_back(layout: Layout) -> None:
    fill(f"{layout.trash}/replaced.pythons|key.0123456789ab", "old")
    fill(f"{layout.trash}/replaced.pythons|there.0123456789ab", "old")
    fill(layout.python("there"))
    sweep(layout)
    assert filled(layout.python("key")) == "old"
    assert filled(layout.python("there")) == "new"
    assert os.listdir(layout.trash) == []


@pytest.mark.parametrize(
    "name",
    [
        "replaced.pythons|key.0123456789ab",  # nothing is left of the place it would go back to
        "replaced...|canary|x.0123456789ab",  # `..|canary|x`: these didn't come from here
        "replaced..|x.0123456789ab",
        "replaced.|x.0123456789ab",
        "replaced.",
    ],
)
def test_a_sweep_deletes_what_has_no_place_to_go_back_to(
    layout: Layout, canary: str, name: str
) -> None:
    assert os.path.dirname(canary) == os.path.dirname(layout.home)
    fill(f"{layout.trash}/{name}", "old")
    sweep(layout)
    assert os.listdir(layout.trash) == []
    assert set(os.listdir(layout.home)) <= {"locks", "trash"}


def test_a_sweep_leaves_what_is_no_directory_in_staging(layout: Layout, canary: str) -> None:
    os.makedirs(f"{layout.staging}/key.0123456789ab")
    os.symlink(canary, f"{layout.staging}/link")
    with open(f"{layout.staging}/file", "w"):
        pass
    sweep(layout)
    assert sorted(os.listdir(layout.staging)) == ["file", "link"]


@pytest.mark.parametrize("scratch", ["staging", "trash"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_scratch_that_is_no_directory_stops_no_sweep_and_is_told_to_who_needs_it(
    layout: Layout, canary: str, scratch: str, kind: str
) -> None:
    fill(layout.python("key"))
    path = f"{layout.home}/{scratch}"
    os.symlink({"link": canary, "file": f"{canary}/file", "dangling": "gone"}[kind], path)
    assert sweep(layout) == ()
    use = set_aside if scratch == "trash" else publish
    with pytest.raises(BubbleError, match=f"{path} is no directory") as caught:
        use(layout, layout.python("key"))
    assert caught.value.kind == "store"
    assert caught.value.hint == f"move it away: mv {path} {path}.old"
    assert filled(layout.python("key")) == "new"


def test_two_sweepers_at_once_disturb_nobody(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for the other one: it is faster after each listing and before each call."""
    fill(f"{layout.staging}/key.0123456789ab")
    fill(f"{layout.trash}/old.0123456789ab")
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda place: [*listed(place), "gone.0123456789ab"])
    for call in ("unlink", "rmdir"):
        monkeypatch.setattr(os, call, _twice(getattr(os, call)))
    assert sweep(layout) == ()
    assert listed(layout.staging) == listed(layout.trash) == []


def _twice(call: Callable[..., None]) -> Callable[..., None]:
    def twice(name: str, **options: int) -> None:
        call(name, **options)
        call(name, **options)

    return twice


def test_what_was_set_aside_and_deleted_is_gone(layout: Layout, target: str) -> None:
    fill(target)
    set_aside(layout, target).delete()
    assert not os.path.lexists(target)
    assert scratch(layout, target) == []


# a directory that can't be renamed

OVERLAY = """
import os, sys
from bubble.system.layout import Layout
from bubble.system.removal import set_aside
from bubble.system.staging import Staging
from bubble.system.sweep import sweep
from support.trees import fill, filled
home, target = sys.argv[1:3]
layout = Layout(home=home, cache=home)
"""


@ROOT_ONLY
@pytest.mark.parametrize("place", ["store", "project"])
@pytest.mark.parametrize("action", ["replace", "remove"])
def test_what_a_lower_layer_made_is_replaced_and_removed(
    tmp_path: Path, place: str, action: str
) -> None:
    root = str(tmp_path / "root")
    target = f"{root}/home/pythons/key" if place == "store" else f"{root}/project/.venv"
    fill(target, "old")
    act = {
        "remove": "set_aside(layout, target).delete()\nassert not os.path.lexists(target)",
        "replace": "with Staging(layout, target) as s:\n    fill(s.path)\n    s.publish()\n"
        "assert filled(target) == 'new'",
    }[action]
    check = "names = [n for _, d, f in os.walk(sys.argv[3]) for n in d + f]\nprint(names)"
    done = on_overlay(root, f"{OVERLAY}{act}\n{check}", f"{root}/home", target, root)
    assert done.returncode == 0, done.stderr
    assert "bubble-" not in done.stdout
