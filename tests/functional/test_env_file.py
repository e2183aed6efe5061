"""`bubble run --env-file`: what a command gets of a file, and what it doesn't."""

from __future__ import annotations

import pytest

from support.environments import adopt_python, create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

SAY = "import os; print(os.environ.get('A'), os.environ.get('KEEP'))"


@pytest.fixture
def project(bubble: Bubble, tmp_path: Path) -> Path:
    adopt_python(bubble)
    made = tmp_path / "project"
    made.mkdir()
    create(bubble, "", "--no-pip", cwd=str(made))
    (made / ".env").write_text("A=of the file\nKEEP=of the file\n")
    (made / "say.py").write_text(SAY)
    return made


def test_a_command_gets_what_a_named_file_says_where_nothing_is_set(
    bubble: Bubble, project: Path
) -> None:
    env = {"KEEP": "mine"}
    for words in ([".venv", "python", "-c", SAY], ["say.py"]):
        done = bubble("run", "--env-file", ".env", *words, cwd=project, env=env)
        assert (done.out, done.err) == ("of the file mine\n", "")
        assert bubble("run", *words, cwd=project, env=env).out == "None mine\n"  # unnamed: unread
    (project / "more").write_text("A=of the second\n")
    files = ["--env-file", ".env", "--env-file", "more"]
    assert bubble("run", *files, "say.py", cwd=project).out == "of the second of the file\n"


def test_a_file_chooses_no_store_and_no_python(bubble: Bubble, project: Path) -> None:
    (project / ".env").write_text("BUBBLE_HOME=/elsewhere\n")
    done = bubble("run", "--env-file", ".env", "say.py", cwd=project)
    assert done.status == 2
    assert "BUBBLE_HOME" in done.err
