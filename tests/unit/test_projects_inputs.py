"""The digest of what a lock is made from: it changes with what a resolver reads, and else not."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubble.model.errors import BubbleError
from bubble.projects.inputs import Inputs, inputs_of
from bubble.projects.locate import bubble_of
from bubble.projects.reading import read_project
from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Files = Mapping[str, str]

# everything that a resolver may read, at once; `p` is the project
FILES = {
    "p/bubble.toml": """
python = "3.12"
platforms = ["linux-x86_64-gnu", "macos-aarch64"]
[bubbles.default]
requirements = ["requirements/main.txt"]
dependencies = ["numpy>=2", "pandas @ https://me:hunter2@host/pandas.whl"]
constraints = ["../constraints.txt"]
groups = ["test"]
project = "editable"
extras = ["gpu"]
directories = ["app"]
[bubbles.bare]
[bubbles.plain]
dependencies = ["numpy>=2"]
""",
    "p/pyproject.toml": """
[project]
name = "shop"
version = "1.0"
description = "sells"
requires-python = ">=3.11"
dependencies = ["django>=5"]
dynamic = ["readme"]
scripts = { shop = "shop:main" }
[project.optional-dependencies]
gpu = ["cupy"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[dependency-groups]
Test = ["pytest", { include-group = "lint" }]
lint = ["ruff"]
docs = ["sphinx"]
[tool.ruff]
line-length = 100
[tool.uv]
prerelease = "allow"
link-mode = "copy"
index = [{ name = "company", url = "https://me:hunter2@index.company/simple" }]
[tool.uv.sources]
tools = { path = "../tools" }
""",
    "p/requirements/main.txt": """
--index-url https://me:hunter2@host/simple  # ours
-r more.txt
-r="with space.txt"
--requirement=deep/deeper.txt
requests \\
    >=2  \\
    --hash=sha256:00
-e ../library[fast]
./wheels/own-1.0-py3-none-any.whl
token @ https://${USER}@host/${TOKEN}/x.whl
-c 'limits.txt'
""",
    "p/requirements/more.txt": "six\n-r main.txt\n",
    "p/requirements/with space.txt": "attrs\n",
    "p/requirements/limits.txt": "attrs<30\n",
    "p/requirements/deep/deeper.txt": "-c ../limits.txt\nrich\n",
    "p/wheels/own-1.0-py3-none-any.whl": "bytes",
    "constraints.txt": "numpy<3\n",
    "library/pyproject.toml": """
[project]
name = "library"
dynamic = ["version", "dependencies"]
[build-system]
requires = ["setuptools"]
[tool.setuptools.dynamic]
dependencies = { file = ["needs.txt"] }
[tool.black]
line-length = 80
""",
    "library/needs.txt": "click\n-r further.txt\n",
    "library/further.txt": "colorama\n",
    "library/setup.py": "from setuptools import setup\nsetup()\n",
    "tools/setup.py": "from setuptools import setup\nsetup(install_requires=['x'])\n",
}
Change = tuple[str, str, str]  # a file, what stands in it, and what shall stand there
MATTERS: dict[str, Change] = {
    "the bubble's Python": ("p/bubble.toml", '"3.12"', '"3.13"'),
    "a platform": ("p/bubble.toml", ', "macos-aarch64"', ""),
    "a dependency": ("p/bubble.toml", "numpy>=2", "numpy>=2.1"),
    "a dependency's address": ("p/bubble.toml", "host/pandas", "host/pandas2"),
    "an extra": ("p/bubble.toml", 'extras = ["gpu"]', ""),
    "the order of dependencies": ("p/bubble.toml", '["numpy>=2", ', '["zope", "numpy>=2", '),
    "built, not editable": ("p/bubble.toml", '"editable"', '"built"'),
    "a group": ("p/bubble.toml", '["test"]', '["test", "docs"]'),
    "a requirement": ("p/requirements/main.txt", ">=2 ", ">=3 "),
    "a requirement's hash": ("p/requirements/main.txt", "sha256:00", "sha256:01"),
    "an index": ("p/requirements/main.txt", "host/simple", "host/other"),
    "a variable's name": ("p/requirements/main.txt", "${TOKEN}", "${OTHER}"),
    "a file that is named": ("p/requirements/more.txt", "six", "six>1"),
    "one with a space": ("p/requirements/with space.txt", "attrs", "attrs>1"),
    "one behind an equals sign": ("p/requirements/deep/deeper.txt", "rich", "rich>1"),
    "constraints that are named": ("p/requirements/limits.txt", "30", "31"),
    "constraints for requirements": ("p/requirements/deep/deeper.txt", "-c", "-r"),
    "constraints outside": ("constraints.txt", "3", "4"),
    "a group's line": ("p/pyproject.toml", '"pytest"', '"pytest>8"'),
    "an included group's": ("p/pyproject.toml", '"ruff"', '"ruff>1"'),
    "the project's dependency": ("p/pyproject.toml", "django>=5", "django>=6"),
    "the project's extra": ("p/pyproject.toml", "cupy", "cupy>1"),
    "the project's name": ("p/pyproject.toml", '"shop"', '"market"'),
    "requires-python": ("p/pyproject.toml", ">=3.11", ">=3.12"),
    "uv's pre-releases": ("p/pyproject.toml", '"allow"', '"disallow"'),
    "uv's index": ("p/pyproject.toml", "index.company", "index.other"),
    "uv's sources": ("p/pyproject.toml", "../tools", "../library"),
    "a source's tree": ("tools/setup.py", "'x'", "'y'"),
    "an editable's file": ("library/needs.txt", "click", "click>8"),
    "an editable's file's file": ("library/further.txt", "colorama", "colorama>1"),
    "an editable's back end": ("library/pyproject.toml", '"setuptools"', '"setuptools>70"'),
    "an editable's setup.py": ("library/setup.py", "setup()", "setup(install_requires=[])"),
    "a local wheel": ("p/wheels/own-1.0-py3-none-any.whl", "bytes", "other bytes"),
}
DOESNT: dict[str, Change] = {
    "a comment of the manifest": ("p/bubble.toml", "python =", "# why\npython ="),
    "the layout of the manifest": ("p/bubble.toml", '["numpy>=2", ', '[\n\n "numpy>=2"   ,'),
    "the order of keys": (
        "p/bubble.toml",
        'groups = ["test"]\nproject = "editable"',
        'project = "editable"\ngroups = ["test"]',
    ),
    "the order of platforms": (
        "p/bubble.toml",
        '"linux-x86_64-gnu", "macos-aarch64"',
        '"aarch64-apple-darwin", "linux-x86_64"',
    ),
    "another bubble": ("p/bubble.toml", "[bubbles.bare]", '[bubbles.bare]\nextends = "plain"'),
    "directories": ("p/bubble.toml", '["app"]', '["web"]'),
    "a kernel": ("p/bubble.toml", 'directories = ["app"]', "kernel = true"),
    "a password": ("p/bubble.toml", "hunter2", "hunter3"),
    "a group's spelling": ("p/bubble.toml", '["test"]', '["TEST"]'),
    "an index's password": ("p/requirements/main.txt", "hunter2", "hunter3"),
    "a comment": ("p/requirements/main.txt", "# ours", "# theirs"),
    "blank lines": ("p/requirements/more.txt", "six\n", "\n  \n six  # why\n\n"),
    "how lines are joined": ("p/requirements/main.txt", "requests \\\n    >=2", "requests >=2"),
    "uv's index's password": ("p/pyproject.toml", "hunter2", "hunter3"),
    "uv's way to install": ("p/pyproject.toml", '"copy"', '"hardlink"'),
    "the project's version": ("p/pyproject.toml", '"1.0"', '"1.1"'),
    "the project's description": ("p/pyproject.toml", '"sells"', '"buys"'),
    "the project's commands": ("p/pyproject.toml", "shop:main", "shop:start"),
    "a linter": ("p/pyproject.toml", "line-length = 100", "line-length = 80"),
    "a group that isn't used": ("p/pyproject.toml", '"sphinx"', '"mkdocs"'),
    "the back end of written metadata": ("p/pyproject.toml", '["hatchling"]', '["hatchling>1"]'),
    "an editable's linter": ("library/pyproject.toml", "= 80", "= 100"),
}


def lay(root: Path, files: Files, ends: str = "\n") -> str:
    """Write the files, and return the real path of the project in them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("\n", ends).encode())
    return os.path.realpath(root / "p")


def inputs(root: str, name: str = "default") -> Inputs:
    project = read_project(root)
    bubble = bubble_of(project, name)
    return inputs_of(project, bubble, bubble.python)


def changed(change: Change) -> dict[str, str]:
    file, old, new = change
    assert old in FILES[file], change
    return {**FILES, file: FILES[file].replace(old, new)}


@pytest.mark.parametrize("name", MATTERS)
def test_what_a_resolver_reads_changes_the_digest(name: str, tmp_path: Path) -> None:
    before = inputs(lay(tmp_path / "a", FILES))
    after = inputs(lay(tmp_path / "b", changed(MATTERS[name])))
    assert before.sha256 != after.sha256


@pytest.mark.parametrize("name", DOESNT)
def test_what_no_resolver_looks_at_leaves_the_digest(name: str, tmp_path: Path) -> None:
    before = inputs(lay(tmp_path / "a", FILES))
    after = inputs(lay(tmp_path / "b", changed(DOESNT[name])))
    assert before.sha256 == after.sha256


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_the_digest_is_the_same_at_another_root_with_another_systems_line_ends(
    ends: str, tmp_path: Path
) -> None:
    first = inputs(lay(tmp_path / "a", FILES))
    second = inputs(lay(tmp_path / "elsewhere" / "é b", FILES, ends))
    assert first.sha256 == second.sha256
    shutil.move(tmp_path / "a", tmp_path / "c")
    assert inputs(os.path.realpath(tmp_path / "c" / "p")).sha256 == first.sha256


def test_a_file_may_have_another_name(tmp_path: Path) -> None:
    first = inputs(lay(tmp_path / "a", FILES))
    renamed = {
        name.replace("more.txt", "rest.in"): text.replace("more.txt", "rest.in")
        for name, text in FILES.items()
    }
    assert inputs(lay(tmp_path / "b", renamed)).sha256 == first.sha256


def test_a_manifest_in_either_file_has_the_same_digest(tmp_path: Path) -> None:
    first = inputs(lay(tmp_path / "a", FILES))
    own = FILES["p/bubble.toml"].replace("[bubbles", "[tool.bubble.bubbles")
    moved = {**FILES, "p/pyproject.toml": f"{FILES['p/pyproject.toml']}[tool.bubble]{own}"}
    del moved["p/bubble.toml"]
    assert inputs(lay(tmp_path / "b", moved)).sha256 == first.sha256


def test_extras_that_no_bubble_asks_for_are_nobodys(tmp_path: Path) -> None:
    changed = {}
    for name, gpu in (("a", "cupy"), ("b", "jax")):
        for own in ("django", "shop[gpu]"):
            text = f"""
                [project]
                name = "Shop"
                dependencies = ["{own}"]
                optional-dependencies = {{ gpu = ["{gpu}"] }}
                [tool.bubble.bubbles.default]
                project = "editable"
            """
            root = lay(tmp_path / name, {"p/pyproject.toml": text})
            changed[own, name] = inputs(root).sha256
    assert changed["django", "a"] == changed["django", "b"]
    assert changed["shop[gpu]", "a"] != changed["shop[gpu]", "b"]


def test_every_file_that_was_read_is_named(tmp_path: Path) -> None:
    root = lay(tmp_path, FILES)
    top = os.path.dirname(root)
    found = inputs(root).files
    assert found[0] == f"{root}/bubble.toml"
    unread = {"p/wheels/own-1.0-py3-none-any.whl"}
    assert set(found) == {f"{top}/{name}" for name in FILES.keys() - unread}
    assert set(inputs(root, "bare").files) == {f"{root}/bubble.toml", f"{root}/pyproject.toml"}


def test_bubbles_with_other_contents_have_other_digests(tmp_path: Path) -> None:
    root = lay(tmp_path, FILES)
    assert len({inputs(root, name).sha256 for name in ("default", "bare", "plain")}) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("six\n\n-r gone.txt\n", "r.txt, line 3: -r names .*gone.txt, which isn't there"),
        ("-c  sub/gone.txt\n", "r.txt, line 1: -c names .*sub/gone.txt"),
        ("-r .\n", "line 1: -r names .*which is a directory"),
        ("-r ${WHERE}.txt\n", "line 1: -r names .*no other machine"),
        ("-r\n", "line 1: -r names no file"),
        ("-r \\\n\n gone\n", "line 1: -r names no file"),
        ("-r r.fifo\n", "r.fifo can't be used: it is not a regular file"),
        ("-r /dev/zero\n", "/dev/zero can't be used: it is not a regular file"),
        ("-r 0.txt\n", "more than 200 files"),
        ("-r large.txt\n", "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_line(
    text: str, words: str, tmp_path: Path
) -> None:
    files = {"p/bubble.toml": '[bubbles.default]\nrequirements = ["r.txt"]', "p/r.txt": text}
    root = lay(tmp_path, files)
    for number in range(300):
        (tmp_path / f"p/{number}.txt").write_text(f"-r {number + 1}.txt\n")
    os.mkfifo(f"{root}/r.fifo")
    with open(f"{root}/large.txt", "wb") as file:
        file.truncate(9 << 20)
    with pytest.raises(BubbleError, match=words) as caught:
        inputs(root)
    assert caught.value.kind == "manifest"


MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        (" " * 7 * MIB, False),
        ("a\\\n" * 150_000, False),
        ("\\\n" * 150_000, False),
        ("#" * 7 * MIB, False),
        ("a#" * 3 * MIB, False),
        ("a\n" * 150_000, False),
        ("a\n" * 250_000, True),
        ("-r a.txt\n" * 150_000, True),
        ("./x/\n" * 150_000, False),
        ("-e " + "[" * 7 * MIB, False),
        ("a @ " * MIB, False),
        ("https://a@" * (MIB // 2), False),
    ],
)
def test_no_file_takes_long_to_read(text: str, fails: bool, tmp_path: Path) -> None:
    manifest = '[bubbles.default]\nrequirements = ["r.txt"]'
    root = lay(tmp_path, {"p/bubble.toml": manifest, "p/r.txt": text})
    signal.alarm(int(PATIENCE))
    try:
        if fails:
            with pytest.raises(BubbleError):
                inputs(root)
        else:
            inputs(root)
    finally:
        signal.alarm(0)


def test_a_file_that_the_manifest_names_is_missed_with_the_manifests_line(tmp_path: Path) -> None:
    text = '[bubbles.B]\nrequirements = [\n"r.txt",\n"gone.txt"]\n[bubbles.default]\nextends = "b"'
    root = lay(tmp_path, {"p/bubble.toml": text, "p/r.txt": ""})
    with pytest.raises(BubbleError, match=r"bubble.toml, line 4: bubbles.B.requirements\[1\]"):
        inputs(root)


def test_without_a_manifest_a_lock_alone_is_nothing_to_lock_from(tmp_path: Path) -> None:
    root = lay(tmp_path, {"p/pylock.toml": ""})
    assert read_project(root).bubbles[0].only_locked
    with pytest.raises(BubbleError, match="only the lock") as caught:
        inputs(root)
    assert "--frozen" in caught.value.hint


PIECES = [*"ab =#\\\n\r\t\"'-/.[]@;<", "-r ", "-c ", "\\\n", " #", "file:", "${A}"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXT, ends=st.sampled_from(["\n", "\r\n"]))
def test_whatever_a_file_says_it_is_read_the_same_twice_or_an_error(
    text: str, ends: str, tmp_path: Path
) -> None:
    manifest = '[bubbles.default]\nrequirements = ["r.txt"]'
    found = []
    for place, shape in (("x", "\n"), ("y/z", ends)):
        root = lay(tmp_path / place, {"p/bubble.toml": manifest, "p/r.txt": text}, shape)
        try:
            found.append(inputs(root).sha256)
        except BubbleError as error:
            found.append(error.message.replace(root, ""))
    assert found[0] == found[1] or "\r" in text
