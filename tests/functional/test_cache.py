"""The download cache: where it is, how large, and emptied beside working processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bubble.pythons.installing.cache import contents, drop
from support.clinic import Clinic, old, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    return Clinic(str(tmp_path), env, ["3.11.9"])


def test_the_directory_is_what_the_variable_says(clinic: Clinic) -> None:
    assert clinic.run("cache", "dir") == f"{clinic.layout.cache}\n"


def test_an_empty_cache_has_no_size(bubble: Callable[..., Result]) -> None:
    done = bubble("cache", "size", "--json")
    assert done.json["data"]["bytes"] == 0
    assert bubble("cache", "prune").out == "removed 0 files, 0 B\n"


def test_the_size_is_what_lies_on_disk(clinic: Clinic) -> None:
    write(f"{clinic.layout.downloads}/{'b' * 64}.part", "x" * 100_000)
    data = json.loads(clinic.run("cache", "size", "--json"))["data"]
    assert data["kinds"]["archive"]["files"] == 1
    assert data["kinds"]["partial"] == {"files": 1, "bytes": _blocks(clinic, "b" * 64 + ".part")}
    assert data["bytes"] == sum(kind["bytes"] for kind in data["kinds"].values())
    assert "archives" in clinic.run("cache", "size")


def test_pruning_empties_it_and_the_next_install_fetches_anew(clinic: Clinic) -> None:
    assert "would remove" in clinic.run("cache", "prune", "--dry-run")
    assert os.listdir(clinic.layout.downloads)
    clinic.run("cache", "prune")
    assert not os.listdir(clinic.layout.downloads)
    assert not [n for n in os.listdir(clinic.layout.catalogues) if n.endswith(".tsv")]
    clinic.run("python", "install", "--reinstall", "3.11.9")
    assert len(os.listdir(clinic.layout.downloads)) == 1


def test_only_what_is_older_goes(clinic: Clinic) -> None:
    ancient = old(write(f"{clinic.layout.downloads}/{'a' * 64}", "x"), 40 * 86400)
    data = json.loads(clinic.run("cache", "prune", "--older-than", "30", "--json"))["data"]
    assert [item["path"] for item in data["removed"]] == [ancient]


@pytest.mark.parametrize("days", ["-1", "soon", "nan", "inf"])
def test_an_age_that_is_none_is_refused(days: str, bubble: Callable[..., Result]) -> None:
    done = bubble("cache", "prune", f"--older-than={days}")
    assert done.status == 2
    assert "Traceback" not in done.err


def test_what_another_process_downloads_or_unpacks_stays(layout: Layout) -> None:
    archive = write(f"{layout.downloads}/{'a' * 64}", "an archive")
    part = write(f"{layout.downloads}/{'b' * 64}.part", "a part")
    code = (
        "import fcntl, os, sys\n"
        "from bubble.system.lock import Lock\n"
        "with Lock(sys.argv[1]):\n"
        "    fcntl.flock(os.open(sys.argv[2], os.O_RDWR), fcntl.LOCK_EX)\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, f"{layout.download_locks}/{'a' * 64}", part],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        dropped = drop(layout, contents(layout))
        assert dropped.removed == ()
        assert {item.path for item in dropped.in_use} == {archive, part}
        holder.communicate("")
    assert len(drop(layout, contents(layout)).removed) == 2
    assert contents(layout) == []


def test_what_does_not_belong_to_the_cache_stays(layout: Layout, canary: str) -> None:
    mine = write(f"{layout.downloads}/notes.txt", "mine")
    os.symlink(f"{canary}/file", f"{layout.downloads}/{'c' * 64}")
    assert contents(layout) == []
    assert os.path.exists(mine)


def _blocks(clinic: Clinic, name: str) -> int:
    return os.stat(f"{clinic.layout.downloads}/{name}").st_blocks * 512
