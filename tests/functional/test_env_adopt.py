"""`bubble adopt`: other tools' environments, known and used, never changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bubble.envs.knowing.maker import maker_of
from bubble.system.layout import ADOPTED
from support.builds import interpreters
from support.environments import adopt_python, create, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(bubble: Bubble, tmp_path: Path) -> str:
    """Return a project's directory with a `.venv` that the standard library's venv made."""
    adopt_python(bubble)
    directory = tmp_path / "site"
    directory.mkdir()
    prefix = interpreters()[-1][1] if interpreters() else sys.base_prefix
    command = [f"{prefix}/bin/python3", "-m", "venv", "--without-pip", f"{directory}/.venv"]
    subprocess.run(command, check=True)
    return str(directory)


@pytest.mark.parametrize("given", [".", ".venv", "ABSOLUTE"])
def test_a_projects_venv_is_used_in_its_directory_and_gets_a_mark_and_nothing_else(
    bubble: Bubble, project: str, given: str
) -> None:
    before = files(project)
    done = bubble("adopt", f"{project}/.venv" if given == "ABSOLUTE" else given, cwd=project)
    assert done.status == 0, done.err
    assert done.out == f"adopted {project}/.venv, which venv made\n"
    added = {path: what for path, what in files(project).items() if before.get(path) != what}
    assert list(added) == [f".venv/{ADOPTED}"]
    assert bubble("which", "python", cwd=project).out == f"{project}/.venv/bin/python\n"
    (entry,) = bubble("list", "--json").json["data"]
    assert (entry["state"], entry["maker"], entry["project"]) == ("foreign", "venv", project)
    assert entry["python"].startswith("cpython-3.")
    assert "ok (made by venv)" in bubble("list").out
    assert bubble("info", "--json", cwd=project).json["data"]["packages"] == 0


def test_a_directory_uses_no_venv_that_was_not_adopted(bubble: Bubble, project: str) -> None:
    done = bubble("which", "python", cwd=project)
    assert f"{project}/.venv" not in done.out


def test_removing_it_only_forgets_it(bubble: Bubble, project: str) -> None:
    before = files(project)
    assert bubble("adopt", project).status == 0
    assert bubble("remove", f"{project}/.venv").status == 0
    assert files(project) == before
    assert bubble("list", "--json").json["data"] == []


def test_it_is_as_before_when_the_store_is_gone(bubble: Bubble, project: str) -> None:
    before = files(project)
    assert bubble("adopt", project).status == 0
    assert bubble("self", "uninstall", "--all", "--yes").status == 0
    assert files(project) == before


def test_a_clone_of_it_is_ours(bubble: Bubble, project: str) -> None:
    assert bubble("adopt", project).status == 0
    done = bubble("clone", project, "ours")
    assert done.status == 0, done.err
    found = {e["name"]: e["state"] for e in bubble("list", "--json").json["data"]}
    assert found == {"ours": "ok", None: "foreign"}
    path = bubble("info", "ours", "--json").json["data"]["path"]
    script = f'. {path}/bin/activate; python -c "import sys; print(sys.prefix)"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert said.stdout.decode() == f"{path}\n"
    assert bubble("remove", "ours").status == 0


def test_adopting_it_twice_is_one_environment(bubble: Bubble, project: str) -> None:
    assert bubble("adopt", project).status == 0
    assert bubble("adopt", project).status == 0
    assert len(bubble("list", "--json").json["data"]) == 1


def test_its_faults_are_seen(bubble: Bubble, project: str) -> None:
    assert bubble("adopt", project).status == 0
    os.unlink(f"{project}/.venv/bin/python")
    (entry,) = bubble("list", "--json").json["data"]
    assert entry["state"] in {"broken", "interpreter missing"}
    assert bubble("repair", cwd=project).status == 0
    (entry,) = bubble("list", "--json").json["data"]
    assert entry["state"] == "foreign"
    moved = f"{project}-moved"
    os.rename(project, moved)
    (entry,) = bubble("list", "--json").json["data"]
    assert entry["state"] == "missing"


def test_conda_is_refused_with_the_reason(bubble: Bubble, tmp_path: Path) -> None:
    (tmp_path / "base" / "conda-meta").mkdir(parents=True)
    done = bubble("adopt", str(tmp_path / "base"))
    assert done.status == 1
    assert "conda environment, which only conda can manage" in done.err
    assert bubble("list", "--json").json["data"] == []


def test_what_is_no_environment_is_refused(bubble: Bubble, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for given in (str(tmp_path), "/nowhere", str(tmp_path / "file"), "\x1b[31m"):
        done = bubble("adopt", given)
        assert done.status == 1
        assert "no virtual environment" in done.err
        assert "\x1b" not in done.err


def test_one_of_ours_is_repaired_and_not_adopted(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    path = create(bubble, "train", "--no-pip")
    known = bubble("adopt", path)
    assert known.status == 1
    assert "bubble list" in known.err
    moved = f"{tmp_path}/moved"
    os.rename(path, moved)
    assert f"bubble repair {moved}" in bubble("adopt", moved).err


def test_one_without_an_interpreter_is_refused(bubble: Bubble, project: str) -> None:
    os.unlink(f"{project}/.venv/bin/python")
    assert bubble("adopt", project).status == 1


# what each tool writes: uv 0.9, virtualenv 20.35; poetry, pdm and hatch call virtualenv
@pytest.mark.parametrize(
    ("path", "configuration", "maker"),
    [
        ("/p/.venv", {"home": "/usr/bin", "uv": "0.9.5"}, "uv"),
        ("/p/.venv", {"home": "/usr/bin", "virtualenv": "20.35.4"}, "virtualenv"),
        ("/c/pypoetry/virtualenvs/p-AbC-py3.12", {"virtualenv": "20.35.4"}, "poetry"),
        ("/d/pdm/venvs/p-AbC-3.12", {"virtualenv": "20.35.4"}, "pdm"),
        ("/d/hatch/env/virtual/p/AbC/p", {"virtualenv": "20.35.4"}, "hatch"),
        ("/p/.venv", {"home": "/usr/bin", "command": "/usr/bin/python3 -m venv /p/.venv"}, "venv"),
        (
            "/p/.venv",
            {"home": "/usr/bin", "bubble": "0.1.0"},
            "venv",
        ),  # what is bubble's own is in its records
    ],
)
def test_the_maker_is_known_by_its_marks(
    path: str, configuration: dict[str, str], maker: str
) -> None:
    assert maker_of(path, configuration) == maker


def test_pdm_is_known_by_its_mark_in_the_project(tmp_path: Path) -> None:
    (tmp_path / ".pdm-python").write_text("/usr/bin/python3\n")
    assert maker_of(f"{tmp_path}/.venv", {"virtualenv": "20.35.4"}) == "pdm"
