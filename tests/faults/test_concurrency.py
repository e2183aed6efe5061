"""Many processes on one store, and many stores on one cache: real processes, one real server."""

from __future__ import annotations

import json
import random
import threading
import time

import pytest

from support import invariants
from support.fault_handlers import Resource
from support.fault_server import serve
from support.figures import caught, record
from support.needs import FULL
from support.patience import PATIENCE
from support.scene import Done, finish, scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.fault_server import FaultServer
    from support.scene import Scene

PROCESSES = 32
SECONDS = 10 if FULL else 4


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene("3.11.8", "3.11.9", "3.12.4") as made:
        yield made


@pytest.fixture
def server(stage: Scene) -> Iterator[FaultServer]:
    with serve(stage.mirror) as running:
        stage.env["BUBBLE_CATALOG"] = f"{running.url}/catalogue.json"
        yield running


def test_32_processes_at_once_download_once_and_all_print_the_same_path(
    stage: Scene, server: FaultServer
) -> None:
    done = together(stage, server, PROCESSES)
    assert complaints(done) == []
    assert len(downloads(server)) == 1
    assert len({row(d)["executable"] for d in done}) == 1
    assert consistent(stage) == []
    record("processes that install one version at once", tried=PROCESSES, held=PROCESSES)


def test_without_locks_that_would_be_noticed(stage: Scene, server: FaultServer) -> None:
    done = together(stage, server, 8, bug="no-lock")
    assert complaints(done) != []
    caught("no lock is ever waited for", by="many installs of one version")


def test_several_stores_on_one_cache_download_once(stage: Scene, server: FaultServer) -> None:
    homes = [f"{stage.disk}/home{number}" for number in range(4)]
    processes = [
        stage.start("python", "install", "3.11.9", env={"BUBBLE_HOME": home})
        for home in homes
        for _ in range(2)
    ]
    done = [finish(process) for process in processes]
    assert [d.status for d in done] == [0] * 8, done
    assert len(downloads(server)) == 1
    assert len({d.out for d in done}) == 4


def test_eight_processes_doing_all_sorts_of_things_end_consistent(stage: Scene) -> None:
    stage.run("python", "install", "3.11.8")
    stop = time.monotonic() + SECONDS
    found: list[str] = []
    counts: list[int] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        count = 0
        # each gets its turn, however slow the machine is
        while count < 3 or time.monotonic() < stop:
            arguments = chance.choice(ACTIONS)
            done = stage.run("python", *arguments)
            count += 1
            found.extend(f"{arguments}: {what}" for what in invariants.unclear(done))
            if done.status and not excused(done):
                found.append(f"{arguments}: {done}")
        counts.append(count)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(counts)} commands in {SECONDS} s")
    assert found == []
    record("commands of 8 workers on one store", tried=sum(counts), held=sum(counts))
    # nobody died, so nothing is left even before a further command
    assert consistent(stage) == []
    assert stage.run("python", "install", "3.11.9", "3.12.4").status == 0
    assert consistent(stage) == []


ACTIONS = (
    ("install", "3.11.9"),
    ("install", "3.11.8", "3.12.4"),
    ("install", "--reinstall", "3.11.9"),
    ("uninstall", "3.11.9"),
    ("uninstall", "3.12.4"),
    ("verify",),
    ("list", "--installed"),
    ("find", "3.11"),
)


def complaints(done: list[Done]) -> list[str]:
    """All of many installs of one version succeed, and one of them did the work."""
    if failed := [str(d) for d in done if d.status]:
        return failed
    statuses = sorted(row(d)["status"] for d in done)
    return [] if statuses == ["installed"] + ["present"] * (len(done) - 1) else statuses


def excused(done: Done) -> bool:
    """Whether it failed because another process had removed what it was to work on."""
    return "no installed Python satisfies" in done.err


def together(stage: Scene, server: FaultServer, count: int, bug: str = "") -> list[Done]:
    """Run installs that have all begun before the server lets go of the archive."""
    (asset,) = [asset for asset in stage.assets() if "3.11.9" in asset]
    server.put(f"/{asset}", Resource(stage.asset_path(asset), hold_at=100))
    arguments = ("python", "install", "3.11.9", "--json")
    processes = [stage.start(*arguments, bug=bug) for _ in range(count)]
    wait(lambda: len(server.requests("/catalogue.json")) == count and server.held.is_set())
    server.go.set()
    return [finish(process) for process in processes]


def downloads(server: FaultServer) -> list[str]:
    return [entry.path for entry in server.log if entry.path.endswith(".tar.gz")]


def row(done: Done) -> dict[str, str]:
    document: dict[str, list[dict[str, str]]] = json.loads(done.out)
    return document["data"][0]


def consistent(stage: Scene) -> list[str]:
    found = invariants.not_whole(stage) + invariants.left_over(stage)
    return found + invariants.unlinked(stage)


def wait(until: Callable[[], bool], timeout: float = PATIENCE) -> None:
    end = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < end, "it didn't come to that"
        time.sleep(0.01)
