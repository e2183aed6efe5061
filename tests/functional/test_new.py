"""`bubble new`: a first manifest from what lies there, read back, and nothing lost."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest

from bubble.cli.main import main
from bubble.projects.locate import project_of
from bubble.projects.manifest import Bubble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


class Place:
    """A directory, and the command line in it, in this process."""

    def __init__(
        self,
        root: str,
        env: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.root = root
        self.env = env
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def put(self, **files: str) -> None:
        """Write files; `__` in a name is a slash, `_dot_` a dot."""
        for name, text in files.items():
            path = f"{self.root}/{name.replace('__', '/').replace('_dot_', '.')}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)

    def new(self, *arguments: str, cwd: str = "") -> tuple[int, str, str]:
        where = os.path.join(self.root, cwd)
        self.monkeypatch.chdir(where)
        status = main(["new", *arguments], {**self.env, "PWD": where})
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def bubbles(self) -> dict[str, Bubble]:
        """Return the project's bubbles with relative paths."""
        found = {}
        for bubble in project_of(self.root).bubbles:
            paths = {
                key: tuple(os.path.relpath(path, self.root) for path in getattr(bubble, key))
                for key in ("requirements", "constraints", "directories")
            }
            found[bubble.name] = bubble.replace(**paths)
        return found

    def files(self) -> dict[str, bytes]:
        found = {}
        for directory, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.root)] = file.read()
        return found


@pytest.fixture
def place(
    tmp_path: Path,
    env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Place:
    root = tmp_path / "project"
    root.mkdir()
    return Place(os.path.realpath(root), env, monkeypatch, capsys)


DEFAULT = Bubble(name="default")
# files, and the bubbles that come of them
CASES: dict[str, tuple[dict[str, str], list[Bubble]]] = {
    "nothing": ({}, [DEFAULT]),
    "requirements": (
        {"requirements_dot_txt": "six"},
        [DEFAULT.replace(requirements=("requirements.txt",))],
    ),
    "for development, too": (
        {
            "dev-requirements_dot_txt": "",
            "requirements-test_dot_txt": "",
            "requirements_dot_txt": "",
            "constraints_dot_txt": "",
        },
        [
            DEFAULT.replace(
                requirements=(
                    "requirements.txt",
                    "dev-requirements.txt",
                    "requirements-test.txt",
                ),
                constraints=("constraints.txt",),
            )
        ],
    ),
    "pairs of pip-compile": (
        {
            "requirements__base_dot_in": "",
            "requirements__base_dot_txt": "",
            "requirements__dev_dot_in": "",
            "requirements__dev_dot_txt": "",
            "requirements__production_dot_txt": "",
        },
        [
            DEFAULT.replace(requirements=("requirements/base.in", "requirements/dev.in")),
            Bubble(name="production", requirements=("requirements/production.txt",)),
        ],
    ),
    "files that are parts of others": (
        {
            "requirements_dot_txt": "-r requirements/production.txt\n",
            "requirements__production_dot_txt": "-r shared.txt\nsix\n",
            "requirements__shared_dot_txt": "",
            "requirements__docs_dot_txt": "-r shared.txt\n-c pins.txt\n",
            "requirements__pins_dot_txt": "six<2\n",
            "requirements__dev_dot_txt": "-r ../requirements.txt\n-c base.txt\n",
            "requirements__base_dot_txt": "",
            "app__requirements_dot_txt": "-r ../requirements/staging.txt\n",
            "requirements__staging_dot_txt": "",
            "web__requirements_dot_txt": "",
            "web__requirements__limits_dot_txt": "",
            "requirements__web_dot_txt": "-c ../web/requirements/limits.txt\n",
        },
        [
            DEFAULT.replace(
                requirements=("requirements.txt", "requirements/base.txt", "requirements/dev.txt")
            ),
            Bubble(name="app", requirements=("app/requirements.txt",), directories=("app",)),
            Bubble(name="docs", requirements=("requirements/docs.txt",)),
            Bubble(name="staging", requirements=("requirements/staging.txt",)),
            Bubble(
                name="web",
                requirements=("requirements/web.txt", "web/requirements.txt"),
                directories=("web",),
            ),
        ],
    ),
    "a package whose requirements are left out": (
        {
            "pyproject_dot_toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]',
            "requirements_dot_txt": "-r requirements/docs.txt\n",
            "requirements__docs_dot_txt": "",
        },
        [
            DEFAULT.replace(dependencies=("six",), declared=("six",)),
            Bubble(name="docs", requirements=("requirements/docs.txt",)),
        ],
    ),
    "directories with their own": (
        {
            "train__requirements_dot_txt": "torch",
            "train___dot_python-version": "3.11\n",
            "Evaluate__requirements__dev_dot_txt": "",
            "src__x_dot_py": "",
            "con__requirements_dot_txt": "",
            "lib__requirements_dot_txt": "",
            "lib__pyproject_dot_toml": "",
            "env__requirements_dot_txt": "",
            "_dot_venv__requirements_dot_txt": "",
        },
        [
            DEFAULT,
            Bubble(
                name="evaluate",
                requirements=("Evaluate/requirements/dev.txt",),
                directories=("Evaluate",),
            ),
            Bubble(
                name="train",
                python="3.11",
                requirements=("train/requirements.txt",),
                directories=("train",),
            ),
        ],
    ),
    "a package": (
        {
            "pyproject_dot_toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]\n'
            "[project.optional-dependencies]\ntests = []\ngpu = []\n"
            '[build-system]\nrequires = ["hatchling"]\n'
            "[dependency-groups]\nDev = []\ndocs = []\n",
            "requirements_dot_txt": "",
        },
        [DEFAULT.replace(project="editable", groups=("Dev",), extras=("tests",))],
    ),
    "an application": (
        {
            "pyproject_dot_toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]',
            "requirements-docs_dot_txt": "",
        },
        [
            DEFAULT.replace(dependencies=("six",), declared=("six",)),
            Bubble(name="docs", requirements=("requirements-docs.txt",)),
        ],
    ),
    "a linter's settings": (
        {"pyproject_dot_toml": "[tool.ruff]\n", "requirements_dot_txt": ""},
        [DEFAULT.replace(requirements=("requirements.txt",))],
    ),
    "an old package": ({"setup_dot_py": ""}, [DEFAULT.replace(project="editable")]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_manifest_is_made_from_what_lies_there(name: str, place: Place) -> None:
    files, expected = CASES[name]
    place.put(**files)
    before = place.files()
    assert place.new("--dry-run")[0] == 0
    assert place.files() == before
    status, out, err = place.new()
    assert status == 0, err
    assert place.bubbles() == {bubble.name: bubble for bubble in expected}
    after = place.files()
    written = os.path.relpath(out.strip(), place.root)
    assert {name: data for name, data in after.items() if name != written} == {
        name: data for name, data in before.items() if name != written
    }
    assert after[written].startswith(before.get(written, b""))
    assert "bubble sync" in err


def test_what_it_shows_is_what_it_writes(place: Place) -> None:
    place.put(requirements_dot_txt="")
    shown = place.new("--dry-run")[1]
    place.new()
    assert place.files()["bubble.toml"].decode() == shown


def test_what_was_left_out_is_told(place: Place) -> None:
    place.put(
        requirements_dot_txt="-r requirements/part.txt\n-r missing.txt\n",
        requirements__part_dot_txt="-c limits.txt\n",
        requirements__limits_dot_txt="",
        con__requirements_dot_txt="",
        lib__pyproject_dot_toml="",
        uv_dot_lock="",
    )
    err = place.new()[2]
    for words in (
        *("con/ was left out", "lib/ is a project of its own", "bubble import uv.lock"),
        "requirements/part.txt was left out: it is a part of requirements.txt",
        "requirements/limits.txt was left out: requirements/part.txt takes it as constraints",
        "requirements.txt, line 2: -r names",
    ):
        assert words in err


def test_a_project_of_another_tool_is_taken_over_by_import(place: Place) -> None:
    place.put(Pipfile="")
    status, _, err = place.new()
    assert status == 1
    assert "bubble import Pipfile" in err
    assert list(place.files()) == ["Pipfile"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_nothing_else_of_a_pyproject_changes(ends: str, end: str, place: Place) -> None:
    text = (
        f'# mine{ends}[project]{ends}name   =  "é"{ends}[tool.ruff]{ends}x = 1 # odd{end and ends}'
    )
    place.put(pyproject_dot_toml=text)
    os.chmod(f"{place.root}/pyproject.toml", 0o640)
    assert place.new("-p", "3.12")[0] == 0
    data = place.files()["pyproject.toml"]
    assert data.startswith(text.encode())
    assert data.count(b"\r\n") == (data.count(b"\n") if ends == "\r\n" else 0)
    table = tomllib.loads(data.decode())["tool"]
    assert table["ruff"] == {"x": 1}
    assert table["bubble"]["python"] == "3.12"
    assert os.stat(f"{place.root}/pyproject.toml").st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "text",
    ['project = {name = "x"}\ntool = {ruff = {}}\n', '[project\nname = "x"', "[project]\nname = 1"],
)
def test_a_pyproject_that_nothing_can_be_put_into_stays_as_it_is(text: str, place: Place) -> None:
    place.put(pyproject_dot_toml=text)
    status, _, err = place.new()
    assert status == 1, err
    assert place.files() == {"pyproject.toml": text.encode()}


def test_nothing_is_overwritten(place: Place) -> None:
    place.put(bubble_dot_toml="# mine\n", requirements_dot_txt="")
    before = place.files()
    status, _, err = place.new()
    assert (status, "already" in err) == (1, True)
    assert place.files() == before
    assert place.new("--force")[0] == 0
    after = place.files()
    assert after["bubble.toml.old"] == b"# mine\n"
    assert b"requirements.txt" in after["bubble.toml"]
    place.put(bubble_dot_toml="# mine again\n")
    before = place.files()
    status, _, err = place.new("--force")
    assert (status, "bubble.toml.old is there already" in err) == (1, True)
    assert place.files() == before


def test_what_is_there_already_is_nothing_to_do(place: Place) -> None:
    place.put(requirements_dot_txt="")
    assert place.new()[0] == 0
    before = place.files()
    for arguments in ([], ["--force"]):
        status, _, err = place.new(*arguments)
        assert (status, err.splitlines()[0].split()[0]) == (0, "unchanged")
        assert place.files() == before


def test_a_project_never_gets_a_second_manifest(place: Place) -> None:
    place.put(bubble_dot_toml="# mine\n", pyproject_dot_toml='[project]\nname = "x"\n')
    assert place.new()[0] == 1
    assert place.new("--force")[0] == 0
    assert place.bubbles().keys() == {"default"}
    assert place.files()["pyproject.toml"] == b'[project]\nname = "x"\n'


def test_a_table_that_is_there_is_not_replaced(place: Place) -> None:
    place.put(pyproject_dot_toml='[project]\nname = "x"\n[tool.bubble]\npython = "3.12"\n')
    before = place.files()
    for arguments in ([], ["--force"]):
        assert place.new(*arguments)[0] == 1
        assert place.files() == before


def test_within_a_project_it_has_to_be_meant(place: Place) -> None:
    place.put(bubble_dot_toml="", sub__requirements_dot_txt="")
    status, _, err = place.new(cwd="sub")
    assert (status, "is in the project" in err) == (1, True)
    assert place.new("--force", cwd="sub")[0] == 0
    assert project_of(f"{place.root}/sub").root == f"{place.root}/sub"


def test_home_is_no_place_for_a_project(place: Place) -> None:
    place.env["HOME"] = place.root
    status, _, err = place.new("--force")
    assert (status, "can't be a project" in err) == (2, True)
    assert place.files() == {}


@pytest.mark.parametrize("python", ["system", "./x", "cpython-3.12.1-linux-x86_64-gnu", "3.x"])
def test_a_python_that_no_manifest_can_have_is_refused(python: str, place: Place) -> None:
    status, _, err = place.new("--python", python)
    assert status == 2, err
    assert place.files() == {}


def test_names_that_mean_something_elsewhere_stay_texts(place: Place) -> None:
    for name in ('a"b', "x]y", "new\nline", "$(id)", "[tool]", "é"):
        os.mkdir(f"{place.root}/{name}")
        with open(f"{place.root}/{name}/requirements.txt", "w", encoding="utf-8"):
            pass
    with open(f'{place.root}/requirements-a"b.txt', "w", encoding="utf-8"):
        pass
    status, _, err = place.new()
    assert status == 0, err
    assert "\nline" not in err
    assert list(place.bubbles()) == ["default"]


def test_the_directorys_own_python_is_left_where_it_is_said(place: Place) -> None:
    place.put(**{"_dot_python-version": "3.12\n"})
    err = place.new()[2]
    assert ".python-version says" in err
    assert "python" not in tomllib.loads(place.files()["bubble.toml"].decode())


def test_it_is_one_json_object(bubble: Callable[..., Result], place: Place) -> None:
    place.put(requirements_dot_txt="")
    done = bubble("new", "--json", cwd=place.root)
    assert done.json["data"]["path"] == f"{place.root}/bubble.toml"
    assert done.json["data"]["bubbles"] == ["default"]
    assert done.json["data"]["written"] is True
    assert bubble("new", "--json", cwd=place.root).json["data"]["written"] is False
    place.put(bubble_dot_toml="# mine")
    failed = bubble("new", "--json", cwd=place.root)
    assert failed.json["error"]["kind"] == "manifest"
