"""Every command that may take long tells of it, on a clock that the test makes run."""

from __future__ import annotations

import contextlib
import io

from bubble.cli import progress as progress_module
from bubble.cli.main import main
from bubble.cli.progress import LineProgress
from support.builds import small_mirror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    import pytest

    from bubble.pythons.installing.progress import Task


class SlowWorld(LineProgress):
    """A display for which four seconds pass whenever it looks, and which looks at each task."""

    def __init__(self, say: Callable[[str], None], *, after: float) -> None:
        assert after > 0
        self._now = 0.0
        super().__init__(say, clock=self._later, pause=lambda _: True)

    def _later(self) -> float:
        self._now += 4
        return self._now

    def _begun(self, task: Any) -> Task:
        begun = super()._begun(task)
        self.tick()
        return begun


def told(env: Mapping[str, str], *words: str) -> list[str]:
    """Run a command line in this process, and return its lines on stderr."""
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        main(words, env)
    return err.getvalue().splitlines()


def test_every_long_command_tells_that_it_goes_on_but_none_beside_json(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_module, "LineProgress", SlowWorld)
    env |= {"BUBBLE_CATALOG": small_mirror(f"{tmp_path}/mirror", ["3.12.4"]), "BUBBLE_OFFLINE": "1"}
    project = tmp_path / "site"
    project.mkdir()
    (project / "bubble.toml").write_text('[bubbles.default]\npython = "3.12"\n')
    monkeypatch.chdir(project)
    mirror = str(tmp_path / "another")
    cases = [
        (("python", "install", "3.12"), "cpython-3.12.4"),
        (("create", "web", "--no-pip"), f"making {env['BUBBLE_HOME']}/envs/web"),
        (("clone", "web", "api"), "cloning web"),
        (("gc", "--yes"), "looking for what nobody needs"),
        # these come to no good end with a double for an interpreter, and tell until then
        (("lock",), "lock default"),
        (("sync",), "sync default"),
        (("mirror", "pack", mirror, f"{env['BUBBLE_HOME']}/envs/web"), "packing web"),
    ]
    for words, name in cases:
        lines = [line for line in told(env, *words) if line.startswith(f"{name}: ")]
        assert any(line.endswith(" s so far") for line in lines), words
    for words in (("create", "etc", "--no-pip", "--json"), ("gc", "--json", "--yes")):
        assert told(env, *words) == []
