"""Going on with an interrupted download: only what is missing comes again, and it is right."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http import files
from bubble.system.http.download import download
from support.fault_handlers import Resource, portal, redirect, sequence, status
from support.patience import PATIENCE
from support.transfers import ALONE, QUICK, Target, sha256, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from support.fault_server import FaultServer

SIZE = 8_000_000
DATA = some_bytes(SIZE)

CHILD = """
import sys
from bubble.system.http import files
from bubble.system.http.download import download
from bubble.system.http.settings import Settings
url, destination, sha256, connections = sys.argv[1:]
settings = Settings(connections=int(connections), segment_after=0.02, segment_size=500_000, near=60)
download([url], destination, sha256=sha256, env={}, settings=settings)
"""


def child(target: Target, url: str, connections: int = 1) -> subprocess.Popen[bytes]:
    arguments = [url, target.path, sha256(DATA), str(connections)]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stderr=subprocess.PIPE)


def claimed(target: Target) -> int:
    """Return how many bytes the state file claims."""
    try:
        with open(f"{target.path}.part.json", "rb") as file:
            return sum(end - start for start, end in json.load(file)["done"])
    except FileNotFoundError:
        return 0


def wait_until(target: Target, count: int) -> None:
    until = time.monotonic() + 60
    while claimed(target) < count:
        assert time.monotonic() < until, claimed(target)
        time.sleep(0.01)


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_download_brings_only_what_is_missing(
    server: FaultServer, target: Target, number: int, connections: int
) -> None:
    url = server.put("/file", Resource(DATA, rate=6_000_000 / connections))
    with child(target, url, connections) as process:
        wait_until(target, SIZE // 2)
        process.send_signal(number)
        _, trouble = process.communicate(timeout=PATIENCE)
        assert process.returncode in {-number, 1, 130}, trouble
    there = claimed(target)
    assert SIZE // 2 <= there < SIZE
    with open(f"{target.path}.part", "rb") as file:
        half = file.read()
    with open(f"{target.path}.part.json", "rb") as file:
        ranges = json.load(file)["done"]
    assert all(half[start:end] == DATA[start:end] for start, end in ranges)
    first_run = len(server.log)
    server.put("/file", Resource(DATA))
    # alone: what is under way when one connection takes a share from another comes twice
    done = target.get(url)
    assert done.bytes_resumed == there
    assert done.bytes_transferred == SIZE - there
    assert all(entry.headers["if-range"] == '"v1"' for entry in server.log[first_run:])
    assert all(entry.status == 206 for entry in server.log[first_run:])


def test_killed_at_any_moment_the_file_ends_up_right(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, rate=4_000_000))
    kills = 0
    for step in range(1, 8):
        with child(target, url, connections=3) as process:
            wait_until(target, step * SIZE // 8)
            process.kill()
            process.communicate()
            kills += process.returncode == -signal.SIGKILL
    assert kills == 7
    target.get(url)
    # 7 kills lose at most what was not yet claimed: 1 MiB each, and what was in flight
    assert server.sent < SIZE * 2.5


def test_a_state_is_left_when_the_caller_stops_the_download(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, rate=8_000_000))

    def stop(there: int, _: int | None) -> None:
        if there > SIZE // 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.get(url, settings=QUICK, progress=stop)
    assert not [t for t in threading.enumerate() if t.name.endswith("(_work)")]
    there = claimed(target)
    assert SIZE // 4 < there < SIZE
    server.put("/file", Resource(DATA))
    done = target.get(url)
    assert (done.bytes_resumed, done.bytes_transferred) == (there, SIZE - there)


def test_a_changed_file_is_brought_anew(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, etag='"v2"'))
    target.leave_part((0, SIZE // 2), url=url)
    done = target.get(url)
    assert done.bytes_resumed == 0
    assert done.bytes_transferred == SIZE
    (entry,) = server.log
    assert entry.status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"range_status": 416},
        {"content_range": f"bytes 0-{SIZE - 1}/{SIZE}"},
        {"content_range": f"bytes {SIZE // 2}-{SIZE - 1}/{SIZE + 1}"},
        {"content_range": f"bytes {SIZE // 2}-{SIZE - 2}/{SIZE}"},
        {"content_range": f"bytes {SIZE // 2}-{SIZE - 1}/*"},
        {"content_range": "nonsense"},
        {"etag": '"v2"', "ignore_if_range": True},
        {"length": SIZE // 2 - 1},
    ],
)
def test_a_wrong_answer_to_a_range_starts_over_once(
    server: FaultServer, target: Target, wrong: dict[str, object]
) -> None:
    url = server.put("/file", Resource(DATA, **wrong))  # type: ignore[arg-type] # a table
    if "length" in wrong:
        url = server.put(
            "/file",
            sequence(Resource(DATA, **wrong), Resource(DATA)),  # type: ignore[arg-type] # a table
        )
    target.leave_part((0, SIZE // 2), url=url)
    done = target.get(url)
    assert [entry.range != "" for entry in server.log] == [True, False]
    assert done.bytes_resumed == 0


def test_a_range_that_is_ignored_is_taken_as_the_whole(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, range_status=200))
    target.leave_part((0, SIZE // 2), url=url)
    assert target.get(url).bytes_transferred == SIZE
    assert len(server.log) == 1


def test_without_a_validator_the_hash_decides(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, etag=""))
    target.leave_part((0, SIZE // 2), url=url, validator="")
    assert target.get(url).bytes_transferred == SIZE // 2
    assert "if-range" not in server.log[0].headers


def test_a_weak_etag_is_no_validator_but_a_date_is(server: FaultServer, target: Target) -> None:
    date = "Tue, 10 Nov 2026 10:00:00 GMT"
    url = server.put("/file", Resource(DATA, etag='W/"v"', last_modified=date, cut=SIZE // 2))
    target.get(url)
    assert server.log[1].headers["if-range"] == date


def test_bytes_that_went_bad_on_disk_are_brought_anew(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA))
    target.leave_part((0, SIZE // 2), url=url)
    with open(f"{target.path}.part", "r+b") as file:
        file.write(bytes(1000))
    target.get(url)
    assert [entry.sent for entry in server.log] == [SIZE // 2, SIZE]


def test_a_part_that_lacks_nothing_is_published_without_a_request(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", status(500))
    target.leave_part((0, SIZE), url=url)
    assert target.get(url).bytes_transferred == 0
    assert server.log == []


def test_a_file_that_is_there_already_is_not_brought_again(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA))
    target.get(url)
    target.leave_part((0, 10), url=url)
    assert target.get(url).bytes_transferred == 0
    with open(target.path, "r+b") as file:
        file.write(bytes(1000))
    assert target.get(url).bytes_transferred == SIZE


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": 1}',
        {"format": 2},
        {"sha256": "0" * 64},
        {"total": "many"},
        {"total": 10},
        {"total": True},
        {"done": [[0, SIZE * 2]]},
        {"done": [[-5, 10]]},
        {"done": [[10, 5]]},
        {"done": [[0, 10], [5, 20]]},
        {"done": [[0, 10**30]]},
        {"done": "all"},
        {"done": [["x", "y"]]},
        {"validator": '"v1"\r\nX-Evil: 1'},
        {"validator": 3},
        {"url": None},
    ],
)
def test_a_state_that_makes_no_sense_is_forgotten(
    server: FaultServer, target: Target, state: bytes | dict[str, object]
) -> None:
    url = server.put("/file", Resource(DATA))
    target.leave_part((0, 1000), url=url)
    path = f"{target.path}.part.json"
    if isinstance(state, dict):
        with open(path, "rb") as file:
            state = json.dumps(json.load(file) | state).encode()
    with open(path, "wb") as file:
        file.write(state)
    assert target.get(url).bytes_resumed == 0
    assert [entry.range for entry in server.log] == [""]


def test_a_part_without_a_state_is_forgotten(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA))
    with open(f"{target.path}.part", "wb") as file:
        file.write(bytes(SIZE * 2))
    assert target.get(url).bytes_transferred == SIZE


def test_a_part_shorter_than_its_state_is_forgotten(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA))
    target.leave_part((0, SIZE // 2), url=url)
    os.truncate(f"{target.path}.part", SIZE // 2 - 1)
    assert target.get(url).bytes_transferred == SIZE


def test_a_link_in_the_place_of_the_part_is_not_followed(
    server: FaultServer, target: Target, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    os.symlink(tmp_path / "victim", f"{target.path}.part")
    assert target.fails(server.put("/file", Resource(DATA))).kind == "io"
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_two_processes_on_one_destination_download_once(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, rate=16_000_000))
    processes = [child(target, url) for _ in range(4)]
    for process in processes:
        with process:
            _, trouble = process.communicate(timeout=60)
            assert process.returncode == 0, trouble
    assert server.sent == SIZE
    assert target.left() == [os.path.basename(target.path)]


def test_a_part_that_somebody_writes_is_waited_for(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA))
    target.leave_part((0, 1000), url=url)
    with open(f"{target.path}.part", "r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BubbleError) as caught:
            target.get(url, settings=ALONE.replace(deadline=0.2))
        assert caught.value.kind == "locked"
        assert server.log == []
        # the other one ends: its file is the destination's now, and must not be written again
        waiting = threading.Timer(0.3, lambda: finish(other))
        waiting.start()

        def finish(file: IO[bytes]) -> None:
            os.rename(f"{target.path}.part", f"{target.path}.taken")
            fcntl.flock(file, fcntl.LOCK_UN)

        download([url], target.path, sha256=sha256(DATA), env={}, settings=ALONE)
        waiting.join()
    with open(f"{target.path}.taken", "rb") as file:
        assert file.read() == DATA[:1000]


def test_a_part_renamed_between_opening_and_locking_is_not_written(
    server: FaultServer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.put("/file", Resource(DATA))
    target.leave_part((0, 1000), url=url)
    lock = files._try_lock
    elsewhere = f"{os.path.dirname(os.path.dirname(target.path))}/taken"

    def rename_first(fd: int) -> bool:
        if not os.path.exists(elsewhere):
            os.rename(f"{target.path}.part", elsewhere)
        return lock(fd)

    monkeypatch.setattr(files, "_try_lock", rename_first)
    target.get(url)
    with open(elsewhere, "rb") as file:
        assert file.read() == DATA[:1000]


def test_a_resume_follows_the_redirects_anew(server: FaultServer, target: Target) -> None:
    server.put("/signed", sequence(Resource(DATA, cut=SIZE // 2), status(403)))
    url = server.put("/file", sequence(redirect("/signed?once"), redirect("/again")))
    server.put("/again", Resource(DATA))
    assert target.get(url, settings=ALONE).bytes_transferred == SIZE


def test_a_failed_resume_keeps_what_is_there(server: FaultServer, target: Target) -> None:
    url = server.put("/file", portal)
    target.leave_part((0, SIZE // 2), (SIZE - 1000, SIZE), url=url)
    for handler in (portal, status(404), status(500)):
        server.put("/file", handler)
        target.fails(url)
    server.put("/file", Resource(DATA))
    assert target.get(url).bytes_transferred == SIZE - SIZE // 2 - 1000
