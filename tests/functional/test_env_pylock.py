"""`bubble create -r pylock.toml` with pip: a lock's files, and no others, checked by their hashes.

The wheels are small ones from a directory or a server on loopback; pip's index is one that isn't
there.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from support.environments import adopt_python
from support.needs import needs, not_here
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

    Bubble = Callable[..., Result]

HEAD = 'lock-version = "1.0"\ncreated-by = "a test"\n'


@pytest.fixture(autouse=True)
def python(bubble: Bubble, env: dict[str, str]) -> str:
    """Adopt an interpreter, and let pip have no index; return the version."""
    env |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    return adopt_python(bubble)


def digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def entry(name: str, version: str, *, at: str, sha256: str, marker: str = "") -> str:
    """Return a package of a lock, whose one wheel is at `at` (a URL, or a path)."""
    key = "url" if "://" in at else "path"
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        + (f"marker = {marker!r}\n" if marker else "")
        + f'wheels = [{{ {key} = "{at}", hashes = {{ sha256 = "{sha256}" }} }}]\n'
    )


def create(bubble: Bubble, lock: Path, *arguments: str) -> Result:
    return bubble("create", "train", "-r", str(lock), *arguments, "--installer", "pip")


def frozen(bubble: Bubble) -> list[str]:
    done = bubble("export", "train")
    assert done.status == 0, done.err
    return done.out.split()


def write(path: Path, *parts: str, head: str = HEAD) -> Path:
    path.write_text(head + "".join(parts))
    return path


def test_what_a_lock_names_is_installed_from_where_it_says(
    bubble: Bubble, server: FaultServer, tmp_path: Path
) -> None:
    assert server.directory
    there = wheel(server.directory, "served", "2.0", script="served")
    (tmp_path / "odd & name").mkdir()
    here = wheel(str(tmp_path / "odd & name"), "lying", "1.5")
    lock = write(
        tmp_path / "pylock.toml",
        entry("served", "2.0", at=f"{server.url}/{os.path.basename(there)}", sha256=digest(there)),
        entry("lying", "1.5", at=os.path.relpath(here, tmp_path), sha256=digest(here)),
    )
    done = create(bubble, lock)
    assert done.status == 0, done.err
    assert frozen(bubble) == ["lying==1.5", "served==2.0"]
    assert bubble("run", "train", "served").out == "served 2.0\n"
    assert not os.path.exists(f"{done.out.strip()}/.bubble-lock")


def test_a_file_that_is_not_the_locked_one_is_refused_and_nothing_is_left(
    bubble: Bubble, tmp_path: Path
) -> None:
    path = wheel(str(tmp_path), "hello", "1.0")
    done = create(
        bubble, write(tmp_path / "pylock.toml", entry("hello", "1.0", at=path, sha256="0" * 64))
    )
    assert done.status == 1
    assert "DO NOT MATCH THE HASHES" in done.err
    assert bubble("list").out == ""
    assert not os.path.exists(f"{tmp_path}/bubble/envs/train")


def test_markers_default_groups_and_wheel_tags_select(bubble: Bubble, tmp_path: Path) -> None:
    packages = []
    for name, marker in (
        ("always", ""),
        ("elsewhere", 'sys_platform == "win32"'),
        ("grouped", '"dev" in dependency_groups'),
        ("unasked", '"docs" in dependency_groups'),
        ("extra", '"more" in extras'),
        ("recent", 'python_version >= "3.9"'),
        ("ancient", 'python_version < "3.9"'),
    ):
        path = wheel(str(tmp_path), name, "1.0")
        packages.append(entry(name, "1.0", at=path, sha256=digest(path), marker=marker))
    fits = wheel(str(tmp_path), "tagged", "1.0")
    packages.append(
        '[[packages]]\nname = "tagged"\nwheels = [\n'
        f' {{ path = "tagged-1.0-cp27-cp27m-win32.whl", hashes = {{ sha256 = "{"1" * 64}" }} }},\n'
        f' {{ path = "{fits}", hashes = {{ md5 = "0", sha256 = "{digest(fits).upper()}" }} }},\n]\n'
    )
    head = (
        f'{HEAD}extras = ["more"]\ndependency-groups = ["dev", "docs"]\ndefault-groups = ["dev"]\n'
    )
    done = create(bubble, write(tmp_path / "pylock.dev.toml", *packages, head=head))
    assert done.status == 0, done.err
    assert frozen(bubble) == ["always==1.0", "grouped==1.0", "recent==1.0", "tagged==1.0"]


def test_other_requirements_may_stand_beside_a_lock(bubble: Bubble, tmp_path: Path) -> None:
    locked, first, second = (wheel(str(tmp_path), n, "1.0") for n in ("locked", "first", "second"))
    (tmp_path / "requirements.txt").write_text(f"{first}\n")
    lock = write(tmp_path / "pylock.toml", entry("locked", "1.0", at=locked, sha256=digest(locked)))
    done = create(bubble, lock, second, "-r", str(tmp_path / "requirements.txt"))
    assert done.status == 0, done.err
    names = [
        line.split("==")[0].split("@")[0].strip()
        for line in bubble("export", "train").out.splitlines()
    ]
    assert names == ["first", "locked", "second"]


BACKEND = """
import os, zipfile

def build_wheel(directory, settings=None, metadata=None):
    info = "NAME-3.0.dist-info"
    with zipfile.ZipFile(os.path.join(directory, "NAME-3.0-py3-none-any.whl"), "w") as archive:
        archive.writestr("NAME.py", "HERE = True\\n")
        archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: NAME\\nVersion: 3.0\\n")
        tags = "Root-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\n" + tags)
        archive.writestr(info + "/RECORD", "")
    return "NAME-3.0-py3-none-any.whl"

build_editable = build_wheel
"""


def sources(directory: Path, name: str) -> Path:
    """Write a source tree that builds itself, without setuptools."""
    root = directory / name
    root.mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        f'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "3.0"\n'
    )
    (root / "backend.py").write_text(BACKEND.replace("NAME", name))
    return root


def test_source_distributions_archives_and_directories_are_built(
    bubble: Bubble, tmp_path: Path
) -> None:
    lines = []
    for name, table in (("made", "sdist"), ("packed", "archive")):
        root = sources(tmp_path / "src", name)
        path = f"{tmp_path}/{name}-3.0.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(root, f"{name}-3.0")
        hashes = f'hashes = {{ sha256 = "{digest(path)}" }}'
        lines.append(f'[[packages]]\nname = "{name}"\n')
        lines.append(f'{table} = {{ path = "{os.path.basename(path)}", {hashes} }}\n')
    sources(tmp_path / "src", "plain")
    sources(tmp_path / "src", "edited")
    lines.append('[[packages]]\nname = "plain"\ndirectory = { path = "src/plain" }\n')
    lines.append(
        '[[packages]]\nname = "edited"\ndirectory = { path = "src/edited", editable = true }\n'
    )
    done = create(bubble, write(tmp_path / "pylock.toml", *lines))
    assert done.status == 0, done.err
    code = "import made, packed, plain, edited; print(edited.HERE)"
    assert bubble("run", "train", "python", "-c", code).out == "True\n"


@needs("git")
def test_a_commit_of_a_repository_is_installed(bubble: Bubble, tmp_path: Path) -> None:
    root = sources(tmp_path, "versioned")
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    (root / "backend.py").write_text("a later, broken state\n")
    subprocess.run([*git, "commit", "-q", "-a", "-m", "two"], check=True)
    lock = write(
        tmp_path / "pylock.toml",
        '[[packages]]\nname = "versioned"\n'
        f'vcs = {{ type = "git", url = "file://{quote(str(root))}", commit-id = "{commit}" }}\n',
    )
    assert bubble("create", "asked").status == 0
    version = bubble("run", "asked", "pip", "--version").out.split()[1]
    if tuple(map(int, version.split(".")[:2])) < (24, 1):
        not_here(f"pip {version} takes no git+file:// address")
    done = create(bubble, lock)
    assert done.status == 0, done.err
    assert f"@{commit}" in bubble("export", "train").out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not = [toml", "can't be read as a lock file: "),
        (f'{HEAD}requires-python = ">=3.99"\npackages = []\n', "is not for this Python: "),
    ],
)
def test_a_lock_that_can_not_be_installed_is_refused_with_the_reason(
    bubble: Bubble, tmp_path: Path, text: str, reason: str
) -> None:
    lock = write(tmp_path / "pylock.toml", text, head="")
    done = create(bubble, lock)
    assert (done.status, done.out) == (2, ""), done.err
    assert f"error: {lock} {reason}" in done.err
    assert bubble("list").out == ""
    assert not os.path.exists(f"{tmp_path}/bubble/envs/train")
