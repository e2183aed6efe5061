"""Killed, out of disk, several at once: an update of the catalogue is done or not begun."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.pythons.catalogue import open_catalogue
from bubble.pythons.catalogue.index import dump_json
from bubble.pythons.catalogue.update import update
from support.catalogues import HOST, download
from support.figures import caught, record
from support.needs import needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.model.download import Download
    from bubble.system.layout import Layout

TODAY = time.strftime("%Y%m%d", time.gmtime())
GOOD = [
    download("3.98.1", build=TODAY),
    download("3.98.0", build=TODAY),
    download("3.97.7", build=TODAY),
]
NEXT = [*GOOD, download("3.98.2", build=TODAY)]
SCRIPT = """
import sys
from bubble.model.errors import BubbleError
from bubble.pythons.catalogue.update import update
from bubble.system.layout import Layout
if "planted" in sys.argv:
    import bubble.pythons.catalogue.update as module
    def in_place(path, data, **_):
        with open(path, "wb") as file:
            file.write(data)
    module.write_atomic = in_place
try:
    update(Layout(home=sys.argv[1], cache=sys.argv[2]), {}, url=sys.argv[3])
except BubbleError as error:
    print(error.kind, error.message, sep=": ", file=sys.stderr)
    sys.exit(error.exit_status)
"""


@pytest.fixture
def url(tmp_path: Path) -> Callable[[list[Download]], str]:
    """Return a function that writes an index and returns its file:// URL."""

    def write(downloads: list[Download]) -> str:
        path = tmp_path / f"index-{len(os.listdir(tmp_path))}.json"
        path.write_text(dump_json(downloads))
        return f"file://{path}"

    return write


def test_updates_at_the_same_time_all_succeed_and_leave_a_whole_catalogue(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    addresses = [url(GOOD), url(NEXT)] * 3
    running = [subprocess.Popen(_command(layout, address), env=env) for address in addresses]
    assert [process.wait() for process in running] == [0] * 6
    assert len(open_catalogue(layout, env).matching(parse_request("3.98"), HOST)) in {2, 3}
    assert os.listdir(layout.catalogue) == ["updated.tsv"]


@needs("strace")
def test_killed_at_any_change_it_makes_an_update_leaves_the_old_or_the_new(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    kills, violations = _kill_everywhere(layout, env, url(GOOD), url(NEXT))
    assert violations == []
    record("kills of bubble python update", tried=kills, held=kills)
    assert kills >= 5  # mkdir twice, write, fsync of file and directory, rename


@needs("strace")
def test_the_killing_finds_a_planted_write_in_place(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str]
) -> None:
    kills, violations = _kill_everywhere(layout, env, url(GOOD), url(NEXT), "planted")
    assert kills
    assert violations
    caught("a catalogue that is written in place", by="kills of bubble python update")


def _kill_everywhere(
    layout: Layout, env: dict[str, str], good: str, further: str, *options: str
) -> tuple[int, list[str]]:
    """Kill an update at every call that changes something; return kills and what was wrong."""
    kills, violations = 0, []
    for name in ("mkdir", "write", "fsync", "rename", "unlink"):
        for number in range(1, 20):
            shutil.rmtree(layout.home, ignore_errors=True)
            if name != "mkdir":
                update(layout, env, url=good)
            counts = {0, 3} if name == "mkdir" else {2, 3}
            done = _strace(f"{name}:signal=KILL:when={number}", layout, env, further, *options)
            if done.returncode == 0:
                break
            assert done.returncode == -signal.SIGKILL, done.stderr
            kills += 1
            if _count(layout, env) not in counts:
                violations.append(f"{name} {number}: {_count(layout, env)} builds")
            update(layout, env, url=further)
            if os.listdir(layout.catalogue) != ["updated.tsv"] or _count(layout, env) != 3:
                violations.append(f"{name} {number}: {os.listdir(layout.catalogue)} afterwards")
        else:
            pytest.fail(f"more than 19 calls of {name}")
    return kills, violations


def _count(layout: Layout, env: dict[str, str]) -> int:
    return len(open_catalogue(layout, env).matching(parse_request("3.98"), HOST))


@needs("strace")
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("write:error=ENOSPC:when=1", "no_space"),
        ("fsync:error=EIO:when=1", "io"),
        ("rename:error=EROFS:when=1", "permission"),
        ("rename:error=EACCES:when=1", "permission"),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_catalogue_and_one_clean_error(
    layout: Layout, env: dict[str, str], url: Callable[[list[Download]], str], fault: str, kind: str
) -> None:
    update(layout, env, url=url(GOOD))
    done = _strace(fault, layout, env, url(NEXT))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{kind}: the update can't be stored in ")
    assert done.stderr.count("\n") == 1
    assert os.listdir(layout.catalogue) == ["updated.tsv"]
    assert _count(layout, env) == 2


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, "no_space"),
        (errno.EDQUOT, "no_space"),
        (errno.EACCES, "permission"),
        (errno.EIO, "io"),
    ],
)
def test_each_refusal_of_the_disk_has_its_kind(
    layout: Layout,
    env: dict[str, str],
    url: Callable[[list[Download]], str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: str,
) -> None:
    update(layout, env, url=url(GOOD))

    def rename(source: str, target: str) -> None:
        raise OSError(number, os.strerror(number), source, None, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(BubbleError, match="can't be stored in ") as caught:
        update(layout, env, url=url(NEXT))
    assert caught.value.kind == kind
    assert caught.value.message.endswith(os.strerror(number))
    assert "BUBBLE_HOME" in caught.value.hint
    assert os.listdir(layout.catalogue) == ["updated.tsv"]
    assert _count(layout, env) == 2


def _command(layout: Layout, address: str, *options: str) -> list[str]:
    return [sys.executable, "-B", "-c", SCRIPT, layout.home, layout.cache, address, *options]


def _strace(
    inject: str, layout: Layout, env: dict[str, str], address: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run an update with a fault injected; stderr is the program's own."""
    name = inject.partition(":")[0]
    words = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={name}",
        "-e",
        f"inject={inject}",
    ]
    return subprocess.run(
        [*words, *_command(layout, address, *options)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
