"""Staging directories, and what a sweep does with the dead ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system import kernel
from bubble.system.staging import Staging, discard, sweep
from bubble.system.trees import remove_tree
from support.trees import fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.system.layout import Layout

STAGE = """
import signal, sys
from bubble.system.layout import Layout
from bubble.system.staging import Staging
layout = Layout(home=sys.argv[1], cache=sys.argv[1])
with Staging(layout, "key") as staging:
    open(staging.path + "/file", "w").close()
    print(staging.path, flush=True)
    signal.pause()
"""


def test_what_was_not_published_is_gone(layout: Layout) -> None:
    with Staging(layout, "key") as staging:
        fill(staging.path)
        assert os.stat(staging.path).st_mode & 0o777 == 0o700
    assert os.listdir(layout.staging) == []


def test_publishing_makes_the_target_and_leaves_no_scratch(layout: Layout) -> None:
    target = layout.python("key")
    with Staging(layout, "key") as staging:
        fill(staging.path)
        staging.publish(target)
    assert filled(target) == "new"
    assert os.stat(target).st_mode & 0o777 == 0o755
    assert os.listdir(layout.staging) == []


@pytest.mark.parametrize("can_exchange", [True, False])
def test_publishing_replaces_what_is_there(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(kernel, "exchange", lambda *_: False)
    target = layout.python("key")
    fill(target, "old")
    with Staging(layout, "key") as staging:
        fill(staging.path)
        staging.publish(target)
    assert filled(target) == "new"
    assert os.listdir(layout.staging) == []
    assert not os.path.exists(layout.trash) or os.listdir(layout.trash) == []


def test_without_exchange_a_failed_replacement_puts_the_old_one_back(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "exchange", lambda *_: False)
    target = layout.python("key")
    fill(target, "old")
    with Staging(layout, "key") as staging:
        remove_tree(staging.path)  # so that the second of the two renames fails
        os.mkdir(staging.path)
        real = os.rename

        def rename(source: str, to: str) -> None:
            if source == staging.path:
                raise OSError(28, "No space left on device")
            real(source, to)

        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(OSError, match="No space"):
            staging.publish(target)
    assert filled(target) == "old"


def test_a_sweep_puts_back_what_a_dead_process_had_set_aside(layout: Layout) -> None:
    fill(f"{layout.trash}/replaced.pythons|key.0123456789ab", "old")
    os.makedirs(layout.pythons)
    sweep(layout)
    assert filled(layout.python("key")) == "old"
    assert os.listdir(layout.trash) == []


def test_a_sweep_deletes_what_was_set_aside_once_the_new_one_is_there(layout: Layout) -> None:
    fill(f"{layout.trash}/replaced.pythons|key.0123456789ab", "old")
    fill(layout.python("key"))
    sweep(layout)
    assert filled(layout.python("key")) == "new"
    assert os.listdir(layout.trash) == []


def test_a_sweep_takes_dead_staging_and_leaves_live_staging(layout: Layout) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STAGE, layout.home], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    path = process.stdout.readline().strip()
    try:
        sweep(layout)
        assert os.path.exists(f"{path}/file")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert os.path.exists(f"{path}/file")
    sweep(layout)
    assert os.listdir(layout.staging) == []


def test_a_sweep_of_a_store_that_is_not_there_does_nothing(layout: Layout) -> None:
    sweep(layout)
    assert not os.path.exists(layout.home)


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
@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_sweep_of_scratch_that_is_no_directory_says_how_to_go_on(
    layout: Layout, canary: str, scratch: str, kind: str
) -> None:
    os.mkdir(layout.home)
    path = f"{layout.home}/{scratch}"
    os.symlink(canary if kind == "link" else f"{canary}/file", path)
    with pytest.raises(BubbleError, match=f"{path} is no directory") as caught:
        sweep(layout)
    assert caught.value.kind == "store"
    assert caught.value.hint == f"move it away: mv {path} {path}.old"


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
    sweep(layout)
    assert listed(layout.staging) == listed(layout.trash) == []


def test_a_discarded_directory_is_gone(layout: Layout) -> None:
    fill(layout.python("key"))
    discard(layout, layout.python("key"))
    assert os.listdir(layout.pythons) == []
    assert os.listdir(layout.trash) == []


def _twice(call: Callable[..., None]) -> Callable[..., None]:
    def twice(name: str, **options: int) -> None:
        call(name, **options)
        call(name, **options)

    return twice
