"""SIGKILL and a full disk while `import FILE` writes: what was there stays."""

from __future__ import annotations

import os
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest

from bubble.projects.exchange.locked import read_lock_file
from bubble.projects.reading import read_project
from support.foreign_locks import PYPROJECT
from support.kills import kill_everywhere
from support.needs import LINUX_ONLY, needs
from support.scene import command, scene
from support.told import json_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace", "prlimit")]

ENVIRONMENT = """\
dependencies:
  - python=3.11
  - pandas=2.2
  - r-base
  - pip:
      - -e ./lib
      - rich
"""
OWN = '# mine\n[bubbles.default]\ndependencies = ["mine"]\n'
PDM = f"""\
[metadata]
strategy = ["inherit_metadata", "static_urls"]
lock_version = "4.5.0"
[[package]]
name = "requests"
version = "2.32.3"
groups = ["default"]
files = [{{url = "https://f.example/requests-2.32.3-py3-none-any.whl", hash = "sha256:{"0" * 64}"}}]
"""


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene({"version": "3.11.8", "extra_files": 0}) as made:
        os.makedirs(f"{made.root}/project/lib")
        yield made


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("bug", ["", "in-place"])
def test_a_manifest_that_replaces_one_is_the_old_or_the_new_and_the_old_is_kept(
    stage: Scene, bug: str
) -> None:
    project = f"{stage.root}/project"
    write(f"{project}/environment.yml", ENVIRONMENT)
    write(f"{project}/bubble.toml", OWN)

    def then() -> list[str]:
        now = read(f"{project}/bubble.toml")
        kept = [n for n in os.listdir(project) if n.startswith("bubble.toml.before-import")]
        texts = [now, *(read(f"{project}/{name}") for name in kept)]
        found = [] if OWN in texts else [f"I2: the manifest that was there is lost: {texts}"]
        found += [f"I2: {text!r}" for text in texts if text != OWN and "r-base" not in text]
        try:
            read_project(os.path.realpath(project))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            found.append(f"I2: {error}")
        return found

    def afterwards() -> list[str]:
        default = read_project(os.path.realpath(project)).bubbles[0]
        wrong = [] if default.dependencies == ("pandas==2.2.*", "rich") else [f"I5: {default}"]
        return wrong + then()

    kill_everywhere(
        stage,
        ("import", "environment.yml", "--force"),
        directory=project,
        cwd=project,
        names="",
        then=then,
        afterwards=afterwards,
        bug=bug,
    )


def test_a_lock_and_its_manifest_come_together_when_it_is_said_again(stage: Scene) -> None:
    project = f"{stage.root}/project"
    text = PYPROJECT.split("\n[dependency-groups]")[0].replace(">=3.9", "==3.11.*")
    write(f"{project}/pyproject.toml", text)
    write(f"{project}/pdm.lock", PDM)

    def then() -> list[str]:
        now = read(f"{project}/pyproject.toml")
        found = [] if now.startswith(text) else [f"I2: {now!r}"]
        tomllib.loads(now)
        if os.path.exists(f"{project}/pylock.toml"):
            read_lock_file(f"{project}/pylock.toml")
        return found

    def afterwards() -> list[str]:
        lock = read_lock_file(f"{project}/pylock.toml").lock
        found = [] if lock.versions == {"requests": "2.32.3"} else [f"I5: {lock}"]
        if lock.version != "3.11.8" or not lock.inputs:
            found.append(f"I5: {lock}")
        return found + then()

    kill_everywhere(
        stage,
        ("import", "pdm.lock"),
        directory=project,
        cwd=project,
        names="",
        then=then,
        afterwards=afterwards,
    )


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (("strace", "-f", "-qq", "-e", "inject=fsync:error=ENOSPC:when=1"), "no_space"),
        (("strace", "-f", "-qq", "-e", "inject=fsync:error=EIO:when=2"), "io"),
        (("strace", "-f", "-qq", "-e", "inject=rename:error=EROFS:when=1"), "permission"),
        (("prlimit", "--fsize=40"), "io"),
    ],
    ids=["full", "broken", "read-only", "limit"],
)
def test_a_disk_that_refuses_leaves_the_manifest_as_it_was_and_one_clean_error(
    stage: Scene, before: tuple[str, ...], kind: str
) -> None:
    project = f"{stage.root}/project"
    write(f"{project}/environment.yml", ENVIRONMENT)
    write(f"{project}/bubble.toml", OWN)
    again = command("import", "environment.yml", "--force", bug="none")
    done = subprocess.run(
        [*before, *(("-o", "/dev/null") if before[0] == "strace" else ()), *again, "--json"],
        env=stage.env,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert json_error(done.stdout, 1)["kind"] == kind
    assert read(f"{project}/bubble.toml") == OWN
    assert not [name for name in os.listdir(project) if name.endswith(".tmp")]
    assert subprocess.run(again, env=stage.env, cwd=project, check=False).returncode == 0
    assert "pandas" in read(f"{project}/bubble.toml")
