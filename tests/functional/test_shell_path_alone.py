"""Where no start-up file is read (cron, containers, editors), PATH alone is enough."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.system.layout import Layout
from support.needs import needs
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    """A store whose slow path is the real program."""
    made = ShimWorld(str(tmp_path / "world"), slow=sys.executable)
    prefix = made.install("cpython-3.11.7", "tool")
    write(f"{made.layout.home}/version", "3.11\n")
    assert prefix.startswith(made.layout.pythons)
    return made


@pytest.mark.parametrize("again", ["the first time", "with its memo"])
def test_cron_has_no_home_and_no_variables(world: ShimWorld, again: str) -> None:
    shims, expected = world.layout.shims, f"{world.layout.pythons}/3.11"
    for _ in range(2 if again == "with its memo" else 1):
        done = subprocess.run(
            ["/bin/sh", "-c", "python; tool"],
            env={"PATH": f"{shims}:/usr/bin:/bin"},
            cwd=world.tree,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == f"{expected}/bin/python\n{expected}/bin/tool\n", done.stderr


@needs("env", "dash")
@pytest.mark.parametrize(
    "words", [["env", "-i"], ["env", "-i", "HOME=/nonexistent"], ["env", "-i", "sh", "-c"]]
)
def test_an_empty_environment_is_enough(world: ShimWorld, words: list[str]) -> None:
    path = f"PATH={world.layout.shims}:/usr/bin:/bin"
    command = [*words[:2], path, *words[2:], "python"]
    done = subprocess.run(
        [part for part in command if part],
        cwd=world.tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.endswith("/bin/python\n"), done.stderr


def test_a_file_by_its_shims_full_path_needs_not_even_path(world: ShimWorld) -> None:
    done = subprocess.run(
        [f"{world.layout.shims}/python"],
        env={},
        cwd=world.tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.endswith("/bin/python\n"), done.stderr


def test_a_script_whose_first_line_is_usr_bin_env_python_finds_the_shim(world: ShimWorld) -> None:
    script = f"{world.root}/script"
    write(script, "#!/usr/bin/env python\n", 0o755)
    done = subprocess.run(
        [script],
        env={"PATH": f"{world.layout.shims}:/usr/bin:/bin"},
        cwd=world.tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert Layout(home=f"{world.root}/store", cache="").pythons in done.stdout, done.stderr
    assert os.path.exists(script)
