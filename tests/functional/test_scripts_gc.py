"""`bubble gc` and the environments of scripts; `list`, `info` and `uninstall` know them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bubble.envs.knowing.scripts import all_memos
from bubble.selection import registry
from support.environments import adopt_python

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]

DAY = 86400


@pytest.fixture
def scripts(bubble: Bubble, tmp_path: Path) -> tuple[str, str]:
    """Have two scripts that ran, in an environment each that is an hour old; return the paths."""
    adopt_python(bubble)
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f"# /// script\n# # {name}\n# ///\nprint('ran')\n")
        assert bubble("run", f"{name}.py").out == "ran\n"
    found = {}
    for row in bubble("list", "--json").json["data"]:
        (script,) = row["scripts"]
        found[os.path.basename(script)] = row["path"]
    return found["one.py"], found["two.py"]


def older(layout: Layout, path: str, seconds: float) -> None:
    """Let an environment have been made so long ago."""
    environment = next(e for e in registry.environments(layout) if e.path == path)
    made_at = str(int(time.time() - seconds))
    registry.register(layout, environment.replace(made_at=made_at))


def unused(bubble: Bubble, *more: str) -> list[tuple[str, str]]:
    done = bubble("gc", "--only", "scripts", "--json", *more)
    assert done.status == 0, done.out + done.err
    return [(item["path"], item["why"]) for item in done.json["data"]["removed"]]


def test_an_environment_goes_with_its_last_script(
    bubble: Bubble, tmp_path: Path, layout: Layout, scripts: tuple[str, str]
) -> None:
    one, two = scripts
    for path in scripts:
        older(layout, path, 2 * 3600)
    assert unused(bubble) == []
    (tmp_path / "one.py").unlink()
    told = dict(unused(bubble, "--dry-run"))
    assert told.pop(one) == "no script uses it"
    assert list(told.values()) == ["what is remembered of a script leads nowhere"]
    assert os.path.isdir(one)
    assert len(unused(bubble)) == 2
    assert not os.path.lexists(one)
    assert os.path.isdir(two)
    assert [e.path for e in registry.environments(layout)] == [two]
    assert len(list(all_memos(layout))) == 1
    assert unused(bubble) == []
    assert bubble("run", "two.py").out == "ran\n"


def test_an_environment_that_no_script_has_used_for_long_goes_and_comes_back(
    bubble: Bubble, layout: Layout, scripts: tuple[str, str]
) -> None:
    for path in scripts:
        older(layout, path, 100 * DAY)
    for memo, _ in all_memos(layout):
        os.utime(memo, (time.time() - 59 * DAY,) * 2)
    assert unused(bubble) == []
    for memo, _ in all_memos(layout):
        os.utime(memo, (time.time() - 61 * DAY,) * 2)
    assert bubble("run", "one.py").out == "ran\n", "which is a use"
    assert unused(bubble) == [(scripts[1], "no script has used it for 61 days")]
    assert bubble("run", "two.py").out == "ran\n"
    assert os.path.isdir(scripts[1])


def test_what_was_just_made_and_what_runs_stays(
    bubble: Bubble, tmp_path: Path, layout: Layout, env: dict[str, str], scripts: tuple[str, str]
) -> None:
    one, two = scripts
    (tmp_path / "one.py").unlink()
    assert [path for path, _ in unused(bubble) if path == one] == [], "it is young"
    older(layout, one, 2 * 3600)
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    text = "# /// script\n# # one\n# ///\nimport sys\nprint('here', flush=True)\nsys.stdin.read()\n"
    (tmp_path / "one.py").write_text(text)
    with subprocess.Popen(
        [program, "run", "one.py"],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"here\n"
        (tmp_path / "one.py").unlink()
        assert one not in dict(unused(bubble))
        child.communicate()
    assert one in dict(unused(bubble))
    assert os.path.isdir(two)


def test_list_info_and_uninstall_say_whose_it_is(
    bubble: Bubble, tmp_path: Path, scripts: tuple[str, str]
) -> None:
    listed = bubble("list").out
    assert "(of one.py)" in listed
    assert str(tmp_path / "one.py") in bubble("info", scripts[0]).out
    assert bubble("info", scripts[0], "--json").json["data"]["scripts"] == [
        str(tmp_path / "one.py")
    ]
    key = bubble("python", "list", "--installed", "--json").json["data"]
    assert key
    done = bubble("python", "uninstall", "3")
    assert done.status == 1
    assert scripts[0] in done.err
