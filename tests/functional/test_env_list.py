"""`bubble list`: every environment at a glance, and what is wrong with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from bubble.envs.knowing.inspect import MENDING, look_at_all
from bubble.selection import registry
from bubble.selection.identity import mark_of
from bubble.selection.registry import Environment
from bubble.system.layout import MARK
from support.builds import small_mirror
from support.environments import adopt_python, create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    """Offer doubles of interpreters: nothing here asks what a Python does."""
    path = small_mirror(str(tmp_path / "mirror"), ["3.11.8", "3.11.9", "3.12.4"])
    env["BUBBLE_CATALOG"] = path
    monkeypatch.setenv("BUBBLE_CATALOG", path)


def install(bubble: Bubble, *requests: str) -> None:
    done = bubble("python", "install", *requests)
    assert done.status == 0, done.err


def listed(bubble: Bubble, **more: Any) -> dict[str, dict[str, Any]]:
    done = bubble("list", "--json", **more)
    assert done.status == 0, done.err
    return {e["name"] or e["path"]: e for e in done.json["data"]}


def test_nothing_is_listed_where_nothing_is(bubble: Bubble, home: str) -> None:
    done = bubble("list")
    assert (done.status, done.out) == (0, "")
    assert "bubble create" in done.err
    assert not os.path.exists(home)


@pytest.mark.usefixtures("catalogue")
def test_named_ones_come_by_name_then_projects_by_path(
    bubble: Bubble, tmp_path: Path, home: str
) -> None:
    install(bubble, "3.11.9", "3.12.4")
    create(bubble, "train", "-p", "3.12", "--no-pip")
    create(bubble, "Evaluate", "-p", "3.11", "--no-pip")
    project = tmp_path / "home" / "code"
    project.mkdir()
    create(bubble, "", "-p", "3.11.9", "--no-pip", cwd=str(project))
    day = time.strftime("%Y-%m-%d")
    rows = [line.split() for line in bubble("list").out.splitlines()]
    # a day may end between making and listing
    assert [(r[0], r[1], r[2], r[3], r[5]) for r in rows] == [
        ("Evaluate", "cpython-3.11.9", "ok", "made", f"{home}/envs/Evaluate"),
        ("train", "cpython-3.12.4", "ok", "made", f"{home}/envs/train"),
        ("-", "cpython-3.11.9", "ok", "made", "~/code/.venv"),
    ]
    assert {row[4] for row in rows} <= {day, time.strftime("%Y-%m-%d")}


@pytest.mark.usefixtures("catalogue")
def test_json_says_everything_at_a_glance(bubble: Bubble, home: str) -> None:
    install(bubble, "3.11.9")
    create(bubble, "train", "-p", "3.11", "--no-pip")
    entry = listed(bubble)["train"]
    assert entry.pop("made_at") > 1_600_000_000
    assert entry == {
        "name": "train",
        "path": f"{home}/envs/train",
        "project": None,
        "bubble": None,
        "previous": False,
        "scripts": [],
        "python": "cpython-3.11.9",
        "interpreter": f"{home}/pythons/3.11",
        "request": "3.11",
        "maker": "bubble",
        "state": "ok",
        "detail": None,
        "mend": None,
        "used_at": None,
        "system": False,
    }
    measured = bubble("list", "--size", "--json").json["data"][0]["size"]
    counted = subprocess.run(
        ["du", "-s", "--block-size=1", f"{home}/envs/train"], capture_output=True, check=True
    )
    directories = sum(1 for _ in os.walk(f"{home}/envs/train")) * 4096
    assert 0 <= int(counted.stdout.split()[0]) - measured <= directories
    assert "KiB" in bubble("list", "--size").out


@pytest.mark.usefixtures("catalogue")
def test_one_made_for_an_exact_patch_is_told_of_a_newer_one(bubble: Bubble) -> None:
    install(bubble, "3.11.8")
    create(bubble, "exact", "-p", "3.11.8", "--no-pip")
    create(bubble, "minor", "-p", "3.11", "--no-pip")
    assert {e["state"] for e in listed(bubble).values()} == {"ok"}
    install(bubble, "3.11.9")
    found = listed(bubble)
    assert (found["exact"]["state"], found["exact"]["detail"]) == ("outdated", "cpython-3.11.9")
    assert (found["minor"]["state"], found["minor"]["python"]) == ("ok", "cpython-3.11.9")
    done = bubble("list")
    assert "ok (cpython-3.11.9 is installed)" in done.out
    assert done.err == ""


@pytest.mark.usefixtures("catalogue")
def test_every_fault_is_seen_and_has_a_command_that_mends_it(
    bubble: Bubble, layout: Layout
) -> None:
    install(bubble, "3.11.8", "3.11.9", "3.12.4")
    for name in ("lost", "bare", "gone", "other", "whole"):
        create(bubble, name, "-p", "3.11.9", "--no-pip")
    create(bubble, "orphan", "-p", "3.12.4", "--no-pip")
    shutil.rmtree(f"{layout.python('cpython-3.12.4-linux-x86_64-gnu')}", ignore_errors=True)
    for name in os.listdir(layout.pythons):
        if "3.12.4" in name:
            shutil.rmtree(f"{layout.pythons}/{name}")
    os.unlink(f"{layout.envs}/bare/bin/python")
    shutil.rmtree(f"{layout.envs}/gone")
    with open(f"{layout.envs}/other/{MARK}", "w") as file:
        file.write("somebody else's\n")
    os.unlink(f"{layout.registry}/n.lost")
    states = {name.removeprefix(f"{layout.envs}/"): e for name, e in listed(bubble).items()}
    assert {name: e["state"] for name, e in states.items()} == {
        "lost": "unregistered",
        "bare": "broken",
        "gone": "missing",
        "other": "replaced",
        "whole": "ok",
        "orphan": "interpreter missing",
    }
    assert all(e["mend"] for e in states.values() if e["state"] != "ok")
    assert bubble("list").err.count("bubble ") == 5
    assert bubble("repair", "bare").status == 0
    assert bubble("repair", "lost").status == 0
    assert bubble("remove", "gone").status == 0
    found = listed(bubble)
    assert {found["bare"]["state"], found["lost"]["state"]} == {"ok"}
    assert "gone" not in found


def test_the_day_of_use_is_that_of_the_interpreters_start(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    path = create(bubble, "train", "--no-pip")
    assert listed(bubble)["train"]["used_at"] is None
    then = 1_700_000_000
    os.utime(f"{path}/pyvenv.cfg", (then, then))
    assert bubble("info", "train").status == 0
    assert listed(bubble)["train"]["used_at"] is None, "looking at it is no use"
    probe = tmp_path / "probe"
    probe.write_text("x")
    os.utime(probe, (then, then))
    probe.read_text()
    if os.stat(probe).st_atime == then:
        pytest.skip("not here: this file system doesn't note when files are read")
    subprocess.run([f"{path}/bin/python", "-c", "pass"], check=True)
    assert abs(listed(bubble)["train"]["used_at"] - time.time()) < 3600
    assert "used " in bubble("list").out


def test_the_glance_costs_one_read_and_two_stats_an_environment(layout: Layout) -> None:
    count = 50
    for n in range(count):
        path = f"{layout.envs}/e{n}"
        os.makedirs(f"{path}/bin")
        for name, text in (
            ("pyvenv.cfg", "home = /x\n"),
            (MARK, f"{n:016x}\n"),
            ("bin/python", ""),
        ):
            with open(f"{path}/{name}", "w") as file:
                file.write(text)
        registry.register(layout, Environment(path=path, name=f"e{n}", identity=f"{n:016x}"))
    calls: list[str] = []
    active = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if active and event == "open":
            calls.append(str(arguments[0]))

    sys.addaudithook(hook)  # which can't be taken away, only silenced
    found = look_at_all(layout, "/")
    active.clear()
    assert [s.state for s in found] == ["ok"] * count
    inside = [c for c in calls if c.startswith(layout.envs)]
    records = [c for c in calls if c.startswith("n.e")]  # relative to the registry
    assert (len(inside), len(records)) == (count, count)


def test_a_mark_that_is_a_pipe_or_a_directory_stops_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MARK)
    assert mark_of(str(tmp_path)) == ""
    os.unlink(tmp_path / MARK)
    os.mkdir(tmp_path / MARK)
    assert mark_of(str(tmp_path)) == ""
    os.rmdir(tmp_path / MARK)
    os.symlink("/etc/hostname", tmp_path / MARK)
    assert mark_of(str(tmp_path)) == ""


def test_every_state_has_its_mending() -> None:
    assert MENDING["ok"] == ""
    assert all(command in {"", *MENDING.values()} for command in MENDING.values())
    assert {c.split()[1] for c in MENDING.values() if c} <= {"repair", "remove", "adopt"}
