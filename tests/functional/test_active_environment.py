"""What really runs is said where it isn't what is selected: something comes before the shims."""

from __future__ import annotations

import os
import sys

import pytest

from support.shimworld import ShimWorld, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    """Make a store of doubles, with a named environment `site`."""
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    made.install("cpython-3.11.9")
    made.install("cpython-3.12.1")
    path = f"{home}/envs/site"
    made.environment(path, "cpython-3.12.1", "bubble")
    made.register(path, "bubble", name="site")
    return made


@pytest.fixture
def active(world: ShimWorld) -> dict[str, str | None]:
    """Return the variables of a shell in which `site` is active."""
    path = f"{world.layout.envs}/site"
    return {
        "VIRTUAL_ENV": path,
        "PATH": f"{path}/bin:{world.layout.shims}:{os.environ['PATH']}",
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a directory that asks for 3.12."""
    made = tmp_path / "project"
    made.mkdir()
    (made / ".python-version").write_text("3.12\n")
    return made


LINES = (("current",), ("which", "python"), ("use", "3.11"), ("shell", "--check", "3.11"))


@pytest.mark.parametrize("words", LINES)
def test_an_active_environment_that_wins_is_said_in_one_line(
    bubble: Bubble,
    world: ShimWorld,
    project: Path,
    active: dict[str, str | None],
    words: tuple[str, ...],
) -> None:
    python = f"{world.layout.envs}/site/bin/python"
    done = bubble(*words, cwd=project, env=active)
    assert done.status == 0, done.err
    said = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    told = "the active environment comes before what is selected; leave it: deactivate"
    assert said == [f"warning: in this shell, python is {python}: {told}"]
    document = bubble(*words, "--json", cwd=project, env=active).json
    assert any(python in text for text in document["warnings"])
    if words[0] in {"current", "which"}:
        assert document["data"]["shadowed_by"] == python


@pytest.mark.parametrize("words", LINES)
def test_nothing_is_said_where_what_is_selected_runs(
    bubble: Bubble, world: ShimWorld, project: Path, words: tuple[str, ...]
) -> None:
    for env in ({"PATH": f"{world.layout.shims}:{os.environ['PATH']}"}, {}):
        done = bubble(*words, cwd=project, env=env)
        assert done.status == 0
        assert "in this shell" not in done.err


def test_nothing_is_said_where_the_active_environment_is_the_selected_one(
    bubble: Bubble, world: ShimWorld, project: Path, active: dict[str, str | None]
) -> None:
    (project / ".python-version").write_text("site\n")
    for words in (("current",), ("which", "python"), ("use", "site")):
        assert "in this shell" not in bubble(*words, cwd=project, env=active).err
    data = bubble("current", "--json", cwd=project, env=active).json["data"]
    assert data["shadowed_by"] is None
    assert world.layout.shims


def test_what_else_comes_before_the_shims_is_said_too(
    bubble: Bubble, world: ShimWorld, project: Path, tmp_path: Path
) -> None:
    write(f"{tmp_path}/brew/python", "#!/bin/sh\n", 0o755)
    env = {"PATH": f"{tmp_path}/brew:{world.layout.shims}:{os.environ['PATH']}"}
    done = bubble("current", cwd=project, env=env)
    assert f"python is {tmp_path}/brew/python: it comes before the shims on PATH" in done.err
    behind = {"PATH": f"{world.layout.shims}:{tmp_path}/brew:{os.environ['PATH']}"}
    assert "in this shell" not in bubble("current", cwd=project, env=behind).err
