"""Full, failing, read-only and corrupted disks, under the whole command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from support import invariants
from support.crashes import NEWER, OLDER
from support.figures import caught, record
from support.namespace import PREFIX, in_namespace, require_mounts
from support.needs import FULL, LINUX_ONLY, ROOT_ONLY, needs
from support.scene import command, scene
from support.sweep import Strace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = LINUX_ONLY
INSTALL = ("python", "install", "3.11.9")


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene("3.11.8", "3.11.9") as made:
        yield made


@needs("unshare")
@ROOT_ONLY
@pytest.mark.parametrize("kib", [8, 16, 32, 48, 64, 96, 112, 128, 160, 192])
def test_a_full_disk_stops_an_install_cleanly_and_a_larger_one_lets_it_go_on(
    stage: Scene, kib: int
) -> None:
    answer = in_namespace(stage, "full_disk", str(kib))
    assert answer["problems"] == []
    first = answer["first"]
    print(f"{kib} KiB: {first}")
    assert (first[0] == 0) == (kib >= 192), "sizes that don't straddle what an install takes"
    if first[0]:
        assert "disk is full" in first[2] or "no space left" in first[2]
    record("installs on a disk of so many KiB, then on a larger one", tried=1, held=1)


@needs("strace")
@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EROFS", "EMFILE"])
def test_an_error_of_any_call_fails_the_install_cleanly_or_does_no_harm(
    stage: Scene, error: str
) -> None:
    stage.run("python", "install", "3.11.8")
    stage.save("older")
    found, tried = errors_at(stage, error, step=1 if FULL else 5)
    assert not found, "\n".join(found)
    record(f"{error} in the place of a call of an install", tried=tried, held=tried)


@needs("strace")
def test_an_install_that_lets_errors_through_as_they_come_is_seen(stage: Scene) -> None:
    stage.run("python", "install", "3.11.8")
    stage.save("older")
    found, _ = errors_at(stage, "ENOSPC", step=9, bug="inarticulate")
    assert any("I6" in problem for problem in found)
    caught("errors that nobody translates", by="errors in the place of calls")


def errors_at(stage: Scene, error: str, step: int, bug: str = "none") -> tuple[list[str], int]:
    """Answer every `step`-th call by an error; return what was wrong then, and how many it was."""
    strace = Strace(command(*INSTALL, bug=bug), stage.env, [stage.disk], f"{stage.root}/scratch")
    stage.restore("older")
    points = strace.points()
    if error == "EMFILE":
        points = [point for point in points if point.name == "openat"]
    chosen = points[sum(error.encode()) % step :: step]
    found, failed, missed = [], 0, []
    for point in chosen:
        stage.restore("older")
        outcome = strace.disturb(point, f"error={error}")
        if outcome is None:
            missed.append(point)
            continue
        failed += outcome.status != 0
        problems = invariants.unclear(outcome) + invariants.not_whole(stage)
        problems += invariants.not_working(stage, (OLDER, "3.11"))
        again = stage.call(*INSTALL)
        if again.status:
            problems.append(f"I5: {again}")
        problems += invariants.not_whole(stage) + invariants.left_over(stage)
        problems += invariants.unlinked(stage)
        found += [f"{error} at {point.name} {point.call}: {problem}" for problem in problems]
    assert not missed
    assert failed
    print(f"{error} at {len(chosen)} of {len(points)} calls: {failed} failed")
    return found, len(chosen)


@needs("unshare")
@ROOT_ONLY
def test_a_read_only_store_serves_what_is_there_and_refuses_an_install(stage: Scene) -> None:
    stage.run("python", "install", "3.11.8")
    require_mounts(stage.root)
    home = stage.home
    mounts = f"mount --bind {home} {home} && mount -o remount,ro,bind {home}"
    read_only = (*PREFIX, "sh", "-ec", f'{mounts} && exec "$@"', "sh")
    for line in ("find 3.11", "list", "verify", "dir", "install 3.11.8"):
        done = stage.run("python", *line.split(), before=read_only)
        assert (done.status, done.err.count("error")) == (0, 0), (line, done)
    for line in ("install 3.11.9", "install --reinstall 3.11", "uninstall 3.11"):
        done = stage.run("python", *line.split(), before=read_only)
        assert done.status == 1
        assert "read-only" in done.err.lower()
        assert invariants.unclear(done) == []
    assert invariants.not_whole(stage) + invariants.left_over(stage) == []
    done = stage.run(*INSTALL, "--json", before=read_only)
    assert json.loads(done.out)["error"]["kind"] == "permission"


@pytest.mark.parametrize("what", ["home", "pythons", "staging", "locks", "cache", "downloads"])
def test_a_file_where_a_directory_belongs_is_named_and_stays(stage: Scene, what: str) -> None:
    path = {
        "home": stage.home,
        "pythons": stage.layout.pythons,
        "staging": stage.layout.staging,
        "locks": stage.layout.locks,
        "cache": stage.cache,
        "downloads": stage.layout.downloads,
    }[what]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write("mine")
    done = stage.run(*INSTALL)
    assert done.status == 1, done
    assert invariants.unclear(done) == []
    assert path in done.err
    with open(path, encoding="ascii") as file:
        assert file.read() == "mine"
    os.unlink(path)
    recovered(stage)


@pytest.mark.parametrize("how", ["flipped", "short", "empty", "longer", "directory", "link"])
def test_a_corrupted_cache_entry_is_fetched_again_and_offline_told(stage: Scene, how: str) -> None:
    stage.run(*INSTALL)
    stage.run("python", "uninstall", "3.11.9")
    (name,) = os.listdir(stage.layout.downloads)
    corrupt(f"{stage.layout.downloads}/{name}", how)
    stage.save("corrupt")
    done = stage.run(*INSTALL, env={"BUBBLE_MIRROR": "", "BUBBLE_CATALOG": online(stage),
                                    "BUBBLE_OFFLINE": "1"})  # fmt: skip
    assert done.status == 1
    assert "BUBBLE_OFFLINE" in done.err
    assert invariants.unclear(done) == []
    stage.restore("corrupt")
    recovered(stage)


@pytest.mark.parametrize("state", ["", "{", "[]", '{"format": 1}', "\0" * 5000, "right"])
def test_whatever_lies_in_a_partial_download_the_install_succeeds(stage: Scene, state: str) -> None:
    stage.run(*INSTALL)
    stage.run("python", "uninstall", "3.11.9")
    (name,) = os.listdir(stage.layout.downloads)
    path = f"{stage.layout.downloads}/{name}"
    size = os.path.getsize(path)
    os.unlink(path)
    with open(f"{path}.part", "wb") as file:
        file.write(b"garbage" * 1000)
    if state == "right":
        state = json.dumps(
            {
                "format": 1,
                "sha256": name,
                "url": "x",
                "validator": "",
                "total": size,
                "done": [[0, size]],
            }
        )
    with open(f"{path}.part.json", "w", encoding="ascii") as file:
        file.write(state)
    recovered(stage)


def test_a_lock_that_a_live_process_holds_ends_in_a_message_that_names_it(stage: Scene) -> None:
    stage.run("python", "install", "3.11.8")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{stage.layout.locks}/{NEWER}"],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        done = stage.run(*INSTALL, env={"BUBBLE_LOCK_TIMEOUT": "0.2"})
        assert done.status == 1
        assert f"process {holder.pid} holds" in done.err
        assert invariants.unclear(done) == []
        holder.kill()
    # the lock died with its holder
    recovered(stage)


HOLD = """
import sys
from bubble.system.lock import Lock
with Lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def recovered(stage: Scene) -> None:
    """The command that failed succeeds now, and leaves nothing."""
    done = stage.run(*INSTALL)
    assert done.status == 0, done
    assert invariants.not_whole(stage) + invariants.left_over(stage) == []
    assert invariants.unlinked(stage) == []


def corrupt(path: str, how: str) -> None:
    with open(path, "rb") as file:
        data = bytearray(file.read())
    os.unlink(path)
    if how == "directory":
        os.mkdir(path)
        return
    if how == "link":
        os.symlink("/dev/zero", path)
        return
    data[len(data) // 2] ^= 1
    content = {"short": data[:-1], "empty": bytearray(), "longer": data + b"x"}.get(how, data)
    with open(path, "wb") as file:
        file.write(content)


def online(stage: Scene) -> str:
    """Return a catalogue whose archives are on a server that nobody asks."""
    with open(f"{stage.mirror}/catalogue.json", encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries.values():
        entry["url"] = "http://127.0.0.1:9/" + entry["url"]
    path = f"{stage.root}/scratch/online.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(entries, file)
    return path
