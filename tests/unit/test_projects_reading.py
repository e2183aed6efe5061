"""What a manifest means: inheritance, defaults, platforms, groups and extras."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from bubble.model.errors import BubbleError
from bubble.model.platform import parse_platform
from bubble.projects import checks, reading
from bubble.projects.manifest import Bubble, Project
from bubble.projects.reading import read_project

if TYPE_CHECKING:
    from pathlib import Path


def project(root: Path, text: str, **files: str) -> Project:
    """Return the project of a `bubble.toml`; `files` by name, `_` for a dot."""
    if text:
        (root / "bubble.toml").write_text(text)
    for name, content in files.items():
        (root / name.replace("_", ".")).write_text(content)
    return read_project(os.path.realpath(root))


def bubbles(root: Path, text: str, **files: str) -> dict[str, Bubble]:
    return {bubble.name: bubble for bubble in project(root, text, **files).bubbles}


PYPROJECT = """
[project]
name = "shop"
version = "1"
[project.optional-dependencies]
GPU = ["cupy"]
[dependency-groups]
Dev_Tools = ["ruff", {include-group = "test"}]
test = ["pytest"]
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        """
        python = ">=3.11,<3.14"
        platforms = ["macos-aarch64", "linux-x86_64-gnu"]
        [bubbles.Train_GPU]
        python = "pypy3.10"
        requirements = ["requirements/train.txt", "../shared.txt"]
        dependencies = ["numpy>=2; python_version >= '3.11'"]
        groups = ["dev-tools"]
        project = "built"
        extras = ["gpu"]
        constraints = ["../constraints.txt"]
        directories = ["train", "notebooks/./train", "train/"]
        kernel = true
        """,
        pyproject_toml=PYPROJECT,
    )
    root = os.path.realpath(tmp_path)
    assert found == Project(
        root=root,
        manifest=f"{root}/bubble.toml",
        platforms=("darwin-aarch64-none", "linux-x86_64-gnu"),
        bubbles=(
            Bubble(
                name="train-gpu",
                python="pypy3.10",
                requirements=(
                    f"{root}/requirements/train.txt",
                    f"{os.path.dirname(root)}/shared.txt",
                ),
                dependencies=("numpy>=2; python_version >= '3.11'",),
                groups=("dev-tools",),
                project="built",
                extras=("gpu",),
                constraints=(f"{os.path.dirname(root)}/constraints.txt",),
                directories=(f"{root}/train", f"{root}/notebooks/train"),
                kernel=True,
            ),
        ),
    )
    assert found.path(found.bubbles[0]) == f"{root}/.venvs/train-gpu"
    assert found.lock(found.bubbles[0]) == f"{root}/pylock.train-gpu.toml"


def test_a_bubble_has_what_it_extends_before_its_own(tmp_path: Path) -> None:
    found = bubbles(
        tmp_path,
        """
        [bubbles.c]
        extends = "B"
        dependencies = ["c", "a"]
        constraints = ["c.txt"]
        [bubbles.a]
        dependencies = ["a", "z"]
        requirements = ["a.txt"]
        [bubbles.b]
        extends = "a"
        dependencies = ["b"]
        requirements = ["b.txt", "a.txt"]
        """,
    )
    root = os.path.realpath(tmp_path)
    assert list(found) == ["c", "a", "b"]  # in the manifest's order
    assert found["c"].dependencies == ("a", "z", "b", "c")
    assert found["c"].requirements == (f"{root}/a.txt", f"{root}/b.txt")
    assert found["a"].dependencies == ("a", "z")


def test_two_that_extend_one_share_nothing_else(tmp_path: Path) -> None:
    found = bubbles(
        tmp_path,
        """
        [bubbles.base]
        dependencies = ["x"]
        [bubbles.left]
        extends = "base"
        dependencies = ["left"]
        [bubbles.right]
        extends = "base"
        dependencies = ["right"]
        """,
    )
    assert found["left"].dependencies == ("x", "left")
    assert found["right"].dependencies == ("x", "right")
    assert found["base"].dependencies == ("x",)


@pytest.mark.parametrize(
    ("top", "base", "own", "expected"),
    [
        ("3.11", "3.12", "3.13", "3.13"),
        ("3.11", "3.12", "", "3.12"),
        ("3.11", "", "", "3.11"),
        ("", "", "", ""),
        ("3.11", "", "3.13", "3.13"),
    ],
)
def test_the_nearest_python_counts(
    top: str, base: str, own: str, expected: str, tmp_path: Path
) -> None:
    def said(text: str) -> str:
        return f'python = "{text}"\n' if text else ""

    text = f'{said(top)}[bubbles.a]\n{said(base)}[bubbles.b]\nextends = "a"\n{said(own)}'
    assert bubbles(tmp_path, text)["b"].python == expected


def test_the_project_itself_is_inherited_until_somebody_says_otherwise(tmp_path: Path) -> None:
    found = bubbles(
        tmp_path,
        """
        [bubbles.a]
        project = "editable"
        extras = ["gpu"]
        [bubbles.b]
        extends = "a"
        [bubbles.c]
        extends = "a"
        project = "built"
        [bubbles.d]
        project = "none"
        """,
        pyproject_toml=PYPROJECT,
    )
    assert [found[name].project for name in "abcd"] == ["editable", "editable", "built", ""]
    assert found["c"].extras == ("gpu",)


def test_directories_and_kernels_are_a_bubbles_own(tmp_path: Path) -> None:
    text = '[bubbles.a]\ndirectories = ["x"]\nkernel = true\n[bubbles.b]\nextends = "a"\n'
    found = bubbles(tmp_path, text + 'directories = ["x/y"]')
    assert found["b"].directories == (f"{os.path.realpath(tmp_path)}/x/y",)
    assert not found["b"].kernel


def test_a_chain_may_be_as_long_as_a_project_may_have_bubbles(tmp_path: Path) -> None:
    text = "".join(
        f'[bubbles.b{i}]\nextends = "b{i + 1}"\ndependencies = ["p{i}"]\n' for i in range(199)
    )
    found = bubbles(tmp_path, text + "[bubbles.b199]\n")
    assert found["b0"].dependencies == tuple(f"p{i}" for i in reversed(range(199)))


DEFAULTS: dict[str, tuple[dict[str, str], Bubble]] = {
    "requirements": ({"requirements_txt": ""}, Bubble(name="default", requirements=("*",))),
    "a package": (
        {"pyproject_toml": PYPROJECT + "[build-system]\n"},
        Bubble(name="default", project="editable"),
    ),
    "a package with dev": (
        {"pyproject_toml": "[build-system]\n[dependency-groups]\ndev = []"},
        Bubble(name="default", project="editable", groups=("dev",)),
    ),
    "dev by another spelling": (
        {"pyproject_toml": "[dependency-groups]\nDEV = []"},
        Bubble(name="default", groups=("dev",)),
    ),
    "an application": (
        {"pyproject_toml": '[project]\nname="x"\ndependencies = ["six>1"]', "requirements_txt": ""},
        Bubble(name="default", dependencies=("six>1",), declared=("six>1",)),
    ),
    "dependencies that a build tells": (
        {"pyproject_toml": '[project]\nname="x"\ndynamic = ["dependencies"]'},
        Bubble(name="default", project="editable"),
    ),
    "a linter's settings": (
        {"pyproject_toml": "[tool.ruff]", "requirements_txt": ""},
        Bubble(name="default", requirements=("*",)),
    ),
    "a lock": ({"pylock_toml": ""}, Bubble(name="default", only_locked=True)),
    "a lock and more": (
        {"pylock_toml": "", "requirements_txt": ""},
        Bubble(name="default", requirements=("*",)),
    ),
    "nothing": ({"pyproject_toml": ""}, Bubble(name="default")),
}


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("table", [False, True])
def test_without_a_manifest_a_project_has_its_default_bubble(
    name: str, table: bool, tmp_path: Path
) -> None:
    files, expected = DEFAULTS[name]
    if table:  # which names no bubble
        files = {**files, "pyproject_toml": files.get("pyproject_toml", "") + "\n[tool.bubble]\n"}
    found = project(tmp_path, "", **files)
    file = f"{found.root}/requirements.txt"
    named = expected.replace(requirements=(file,)) if expected.requirements else expected
    assert found.bubbles == (named,)
    assert bool(found.manifest) is table


def test_a_manifest_without_bubbles_gives_its_python_to_the_default_one(tmp_path: Path) -> None:
    found = project(tmp_path, 'python = "3.12"', requirements_txt="")
    assert [(b.name, b.python, len(b.requirements)) for b in found.bubbles] == [
        ("default", "3.12", 1)
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("macos-aarch64", "darwin-aarch64-none"),
        ("macos-arm64", "darwin-aarch64-none"),
        ("darwin-x86_64", "darwin-x86_64-none"),
        ("windows-x86_64", "windows-x86_64-none"),
        ("Windows-AMD64", "windows-x86_64-none"),
        ("linux-x86_64", "linux-x86_64-gnu"),
        ("linux-aarch64-musl", "linux-aarch64-musl"),
        ("macos-aarch64-none", "darwin-aarch64-none"),
        ("x86_64-unknown-linux-musl", "linux-x86_64-musl"),
        ("aarch64-apple-darwin", "darwin-aarch64-none"),
        ("x86_64-pc-windows-msvc", "windows-x86_64-none"),
        ("linux-x86_64_v3-gnu", "linux-x86_64_v3-gnu"),
    ],
)
def test_a_platform_is_what_keys_call_it(text: str, key: str, tmp_path: Path) -> None:
    found = project(tmp_path, f'platforms = ["{text}", "{key}"]').platforms
    assert found == (key,)
    assert str(parse_platform(key)) == key


@pytest.mark.parametrize(
    "text", ["3", "3.12", "3.12.4", ">=3.11,<3.14", "==3.12.*", "3.13t", "pypy3.10", "graalpy",
             "312", "cpython@3.12", "3.14rc1", "~=3.12.2"],
)  # fmt: skip
def test_a_request_for_a_version_is_taken(text: str, tmp_path: Path) -> None:
    assert project(tmp_path, f'python = "{text}"').bubbles[0].python == text


_CLAUSES = r"[<>=!~]{0,2} ?[0-9.*]{0,4}(, ?[<>=!~]{1,2}[0-9.]{0,3})?"
LINES = st.from_regex(r"[a-z][a-z0-9._-]{0,4}(\[[a-z-]{0,3}\])? ?" + _CLAUSES, fullmatch=True)


@given(LINES)
def test_a_line_that_is_taken_without_the_parser_is_one_for_the_parser(text: str) -> None:
    if checks._SIMPLE.fullmatch(text):
        Requirement(text)


@pytest.mark.parametrize("text", ["numpy", "numpy>=2", "numpy >= 2, < 3", "a.b_c[x-y]==1.0.0"])
def test_simple_lines_need_no_parser(text: str) -> None:
    assert checks._SIMPLE.fullmatch(text)


def test_extras_are_the_builds_business_where_they_are_dynamic(tmp_path: Path) -> None:
    text = '[bubbles.a]\nproject = "editable"\nextras = ["any"]\n'
    for pyproject in ('[project]\nname="x"\ndynamic=["optional-dependencies"]', "[build-system]"):
        assert bubbles(tmp_path, text, pyproject_toml=pyproject)["a"].extras == ("any",)
    with pytest.raises(BubbleError, match="hasn't"):
        bubbles(tmp_path, text, pyproject_toml='[project]\nname="x"')


def test_a_setup_py_alone_can_be_installed(tmp_path: Path) -> None:
    text = '[bubbles.a]\nproject = "editable"\n'
    assert bubbles(tmp_path, text, setup_py="")["a"].project == "editable"


PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "projects.md")


def test_the_page_shows_manifests_that_can_be_read_and_every_key(tmp_path: Path) -> None:
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    blocks = re.findall(r"^```toml\n# (\S+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in blocks] == ["bubble.toml", "pyproject.toml"]
    for number, (name, content) in enumerate(blocks):
        root = tmp_path / str(number)
        root.mkdir()
        groups = "[build-system]\n[dependency-groups]\ndev=[]\ndocs=[]\n"
        (root / name).write_text((groups if name == "pyproject.toml" else "") + content)
        assert len(read_project(os.path.realpath(root)).bubbles) == 2
    top, bubble = text.split("At the top:")[1].split("In `[bubbles.NAME]`:")
    rows = r"^\| `([a-z]+)` \|"
    assert set(re.findall(rows, top, re.MULTILINE)) == reading._TOP
    assert set(re.findall(rows, bubble, re.MULTILINE)) == reading._BUBBLE
