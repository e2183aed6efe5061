"""`bubble export` of locks: what others read of them is what is locked."""

from __future__ import annotations

import os
import shlex
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from bubble.projects.exchange.yaml import Node, Text, read_yaml
from support.environments import adopt_python
from support.foreign_locks import DEFAULT, EVERYTHING, Index, uv_lock
from support.foreign_locks import PYPROJECT as SHOP
from support.needs import real_uv
from support.told import json_data, one_error, parse_line
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

    Bubble = Callable[..., Result]

HEX = "0" * 64


@pytest.fixture
def index(server: FaultServer) -> Index:
    return Index(server.directory, server.url)


@pytest.fixture
def project(tmp_path: Path, index: Index, bubble: Bubble) -> Path:
    """A project with a lock: `pylock.toml`, of DEFAULT and the group dev."""
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(SHOP)
    (directory / "uv.lock").write_text(uv_lock(index))
    (directory / ".python-version").write_text("3.11\n")
    done = bubble("import", "uv.lock", cwd=directory)
    assert done.status == 0, done.err
    return directory


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_requirements_of_a_lock_install_to_the_same_set(
    installer: str, project: Path, index: Index, bubble: Bubble
) -> None:
    env = {"PATH": f"{os.path.dirname(real_uv())}:{os.environ['PATH']}", **index.env}
    adopt_python(bubble, "3.11")
    done = bubble("export", "pylock.toml", "-o", "requirements.txt", cwd=project)
    assert (done.status, done.out) == (0, ""), done.err
    text = (project / "requirements.txt").read_text()
    assert text.count("--hash=sha256:") == 6
    assert 'colorama==0.4.6 ; sys_platform == "win32"' in text
    made = bubble("create", "t", "-p", "3.11", "-r", "requirements.txt", "--installer", installer,
                  cwd=project, env=env)  # fmt: skip
    assert made.status == 0, made.err
    listed = {d["name"]: d["version"] for d in bubble("export", "t", "--json").json["data"]}
    assert listed == EVERYTHING


def test_requirements_go_out_and_come_back_with_the_same_pins(
    project: Path, bubble: Bubble, tmp_path: Path
) -> None:
    bubble("export", "pylock.toml", "-o", f"{tmp_path}/r.txt", cwd=project)
    (tmp_path / "again").mkdir()
    os.rename(tmp_path / "r.txt", tmp_path / "again" / "r.txt")
    done = bubble("import", "r.txt", "--json", cwd=tmp_path / "again")
    assert json_data(done.out)["pinned"] == 6


def test_one_platforms_part_has_no_markers_and_only_its_own(project: Path, bubble: Bubble) -> None:
    linux = bubble("export", "pylock.toml", "--platform", "linux-x86_64-gnu", cwd=project)
    windows = bubble("export", "pylock.toml", "--platform", "windows-x86_64-none", cwd=project)
    assert linux.status == windows.status == 0
    assert "colorama" not in linux.out
    assert "colorama==0.4.6 \\" in windows.out
    assert " ; " not in linux.out + windows.out


def test_a_lock_for_one_platform_is_a_lock(project: Path, bubble: Bubble) -> None:
    done = bubble("export", "--format", "pylock", "--platform", "macos-aarch64", cwd=project)
    if done.status:  # the platform's full name is asked for
        done = bubble(
            "export", "--format", "pylock", "--platform", "darwin-aarch64-none", cwd=project
        )
    assert done.status == 0, done.err
    read = tomllib.loads(done.out)
    Pylock.from_dict(read)
    assert read["environments"] == ["sys_platform == 'darwin' and platform_machine == 'arm64'"]
    assert [b["key"].split("-", 2)[2] for b in read["tool"]["bubble"]["python"]["builds"]] == [
        "darwin-aarch64-none"
    ]
    assert {p["name"] for p in read["packages"]} == set(EVERYTHING)


def test_wheels_of_other_platforms_are_left_out_and_a_package_without_one_is_refused(
    project: Path, bubble: Bubble
) -> None:
    lock = project / "pylock.toml"
    tags = (
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-cp311-win_amd64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp312-cp312-win_amd64",
    )
    wheels = ",".join(
        f'{{ url = "https://f.example/x-1.0-{tag}.whl", hashes = {{ sha256 = "{i}{HEX[1:]}" }} }}'
        for i, tag in enumerate(tags)
    )
    head, tool = lock.read_text().split("[tool.bubble]\n")
    lock.write_text(
        f'{head}[[packages]]\nname = "x"\nversion = "1.0"\nwheels = [{wheels}]\n'
        f"[tool.bubble]\n{tool}"
    )
    for platform, digit in (("linux-x86_64-gnu", 0), ("windows-x86_64-none", 1),
                            ("darwin-aarch64-none", 2)):  # fmt: skip
        done = bubble("export", "pylock.toml", "--platform", platform, cwd=project)
        tail = done.out.partition("x==1.0")[2]
        assert tail.split() == ["\\", f"--hash=sha256:{digit}{HEX[1:]}"], platform
    refused = bubble("export", "pylock.toml", "--platform", "linux-aarch64-gnu", cwd=project)
    assert refused.status == 1
    assert one_error(refused.err)[0].startswith("x has neither a wheel")


def test_conda_gets_its_python_and_pips_part(project: Path, bubble: Bubble) -> None:
    done = bubble("export", "pylock.toml", "--format", "environment.yml", cwd=project)
    assert done.status == 0, done.err
    read = read_yaml(done.out)
    assert isinstance(read, Node)
    dependencies = read.get("dependencies")
    assert isinstance(dependencies, Node)
    texts = [item.text for item in dependencies.items if isinstance(item, Text)]
    assert texts == ["python=3.11", "pip"]
    part = dependencies.items[2]
    assert isinstance(part, Node)
    (key, lines), = part.pairs  # fmt: skip
    assert key == "pip"
    assert isinstance(lines, Node)
    found = [item.text for item in lines.items if isinstance(item, Text)]
    assert "requests==2.32.3" in found
    assert 'colorama==0.4.6 ; sys_platform == "win32"' in found
    assert "hashes are left out" in done.err


def test_an_environment_goes_to_conda_and_comes_back(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    wheel(str(tmp_path), "tool", "1.0")
    given = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    made = bubble("create", "train", "tool", "--installer", "pip", env=given)
    assert made.status == 0, made.err
    done = bubble("export", "train", "--format", "environment.yml")
    assert done.status == 0, done.err
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "environment.yml").write_text(done.out)
    back = bubble("import", "environment.yml", "--json", cwd=tmp_path / "back")
    (manifest,) = json_data(back.out)["files"]
    read = tomllib.loads(manifest["text"])
    assert read["bubbles"]["default"]["dependencies"] == ["tool==1.0"]
    assert done.out.count(f"python={read['python']}\n") == 1


def test_a_recipe_names_what_is_locked_and_its_commands_are_bubbles(
    project: Path, bubble: Bubble
) -> None:
    done = bubble("export", "--format", "dockerfile", cwd=project)
    assert done.status == 0, done.err
    lines = done.out.replace("\\\n", "").splitlines()
    assert sum(line.startswith("FROM ") for line in lines) == 2
    version = tomllib.loads((project / "pylock.toml").read_text())["tool"]["bubble"]["python"]
    assert f"Python {version['version']} and 6 packages" in done.out
    ran = [line.removeprefix("RUN ") for line in lines if line.startswith("RUN bubble")]
    assert ran == ["bubble sync --frozen && bubble cache prune"]
    for command in ran[0].split(" && "):
        parse_line(command)
    (copied,) = [line.split()[1:-1] for line in lines if line.startswith("COPY py")]
    assert all((project / name).exists() for name in copied)


def test_the_recipe_of_an_installed_project_has_it_before_it_is_installed(
    project: Path, bubble: Bubble
) -> None:
    lock = project / "pylock.toml"
    head, tool = lock.read_text().split("[tool.bubble]\n")
    here = '[[packages]]\nname = "shop"\ndirectory = { path = ".", editable = true }\n'
    lock.write_text(f"{head}{here}[tool.bubble]\n{tool}")
    done = bubble("export", "--format", "dockerfile", cwd=project)
    assert done.out.index("COPY . .") < done.out.index("RUN bubble sync")
    told = bubble("export", "pylock.toml", cwd=project)
    assert "\n# -e ." in told.out
    assert "pip install --no-deps -e ." in told.err


def test_what_is_to_be_typed_for_a_source_tree_can_be_typed(project: Path, bubble: Bubble) -> None:
    lock = project / "pylock.toml"
    head, tool = lock.read_text().split("[tool.bubble]\n")
    commit = "19e999aaf02414e3740467bff02f3abcd9d11fbe"
    url = 'url = "https://git.example/m.git"'
    part = f'{url}, commit-id = "{commit}", subdirectory = "packages/tool"'
    (project / "my-libs/one").mkdir(parents=True)
    (project / "my-libs/one/pyproject.toml").write_text("")
    trees = (
        f'[[packages]]\nname = "tool"\nvcs = {{ type = "git", {part} }}\n'
        '[[packages]]\nname = "one"\ndirectory = { path = "my-libs", editable = true, '
        'subdirectory = "one" }\n'
    )
    lock.write_text(f"{head}{trees}[tool.bubble]\n{tool}")
    told = bubble("export", "pylock.toml", cwd=project)
    where = f"git+https://git.example/m.git@{commit}#subdirectory=packages/tool"
    assert told.status == 0, told.err
    hints = [line.partition("pip install ")[2] for line in told.err.splitlines()]
    assert ["--no-deps", f"tool @ {where}"] in map(shlex.split, hints)
    assert ["--no-deps", "-e", "./my-libs/one"] in map(shlex.split, hints)
    missing = bubble("export", "pylock.other.toml", cwd=project)
    assert missing.status == 1
    assert "there is no pylock.other.toml" in missing.err


HOSTILE = {
    "a line break in a path": '"./x\\n--index-url http://evil.example"',
    "an option for a path": '"--index-url=http://evil.example"',
    "a blank in a path": '"x y"',
    "a quote": '"x\'y"',
    "a variable": '"${HOME}/x"',
    "a command": '"$(id)"',
    "an escape sequence": '"\\u001b[31m"',
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("form", ["requirements", "environment.yml", "dockerfile", "pylock"])
def test_a_hostile_lock_says_nothing_in_another_tools_file(
    case: str, form: str, project: Path, bubble: Bubble
) -> None:
    lock = project / "pylock.toml"
    head, tool = lock.read_text().split("[tool.bubble]\n")
    for table in (
        f"directory = {{ path = {HOSTILE[case]} }}",
        f'archive = {{ url = {HOSTILE[case]}, hashes = {{ sha256 = "{HEX}" }} }}',
    ):
        lock.write_text(f'{head}[[packages]]\nname = "x"\n{table}\n[tool.bubble]\n{tool}')
        done = bubble("export", "pylock.toml", "--format", form, cwd=project)
        assert done.status in {1, 2}
        assert done.out == ""
        one_error(done.err)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 1),
        ('lock-version = "1.0"\n', 1),
        ('lock-version = "9.0"\ncreated-by = "x"\npackages = []\n', 1),
        ("[[[[", 2),
        ('lock-version = "1.0"\ncreated-by = "x"\npackages = [{name = "../x"}]\n', 1),
    ],
)
def test_what_is_no_lock_is_refused(text: str, status: int, project: Path, bubble: Bubble) -> None:
    (project / "pylock.toml").write_text(text)
    done = bubble("export", "pylock.toml", cwd=project)
    assert done.status == status, done.err
    one_error(done.err)


def test_credentials_of_a_lock_stay_in_it(project: Path, bubble: Bubble) -> None:
    lock = project / "pylock.toml"
    head, tool = lock.read_text().split("[tool.bubble]\n")
    commit = "1" * 40
    vcs = f'{{ type = "git", url = "https://me:s3cret@g.example/x", commit-id = "{commit}" }}'
    lock.write_text(f'{head}[[packages]]\nname = "x"\nvcs = {vcs}\n[tool.bubble]\n{tool}')
    done = bubble("export", "pylock.toml", cwd=project)
    assert done.status == 0, done.err
    assert f"x @ git+https://g.example/x@{commit}" in done.out
    assert "s3cret" not in done.out + done.err
    assert "credentials" in done.err


def test_an_output_is_written_in_one_step_in_the_place_of_a_file_alone(
    project: Path, bubble: Bubble
) -> None:
    (project / "old.txt").write_text("old\n")
    os.chmod(project / "old.txt", 0o600)
    assert bubble("export", "pylock.toml", "-o", "old.txt", cwd=project).status == 0
    assert "requests==" in (project / "old.txt").read_text()
    assert os.stat(project / "old.txt").st_mode & 0o777 == 0o600
    os.mkfifo(project / "pipe")
    for name in ("pipe", "."):
        assert bubble("export", "pylock.toml", "-o", name, cwd=project).status == 2
    assert bubble("export", "pylock.toml", "-o", "no/such/x", cwd=project).status == 1


def test_what_an_environment_hasnt_got_is_said(project: Path, bubble: Bubble) -> None:
    refused = bubble("export", "train", "--platform", "linux-x86_64-gnu", cwd=project)
    assert refused.status == 2
    assert "bubble export pylock.toml" in one_error(refused.err)[1]
    assert bubble("export", "pyproject.toml", cwd=project).status == 2
    missing = bubble("export", "nobody", "--format", "dockerfile", cwd=project)
    assert missing.status != 0
    one_error(missing.err)
    assert set(DEFAULT) < set(EVERYTHING)
