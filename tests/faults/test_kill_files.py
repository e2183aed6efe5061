"""SIGKILL before every change of a version file, the global pin, start-up files and the cache."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from support import invariants
from support.kills import kill_everywhere, scraps
from support.needs import LINUX_ONLY, needs
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]
COMMENT = "# why\n"
RC = {".bashrc": b"alias ll='ls -l'\nexport A=1", ".profile": b"umask 022\n"}


@pytest.fixture
def stage() -> Iterator[Scene]:
    small = {"extra_files": 0}
    with scene({"version": "3.11.8", **small}, {"version": "3.12.4", **small}) as made:
        made.run("python", "install", "3.11.8", "3.12.4")
        yield made


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def write(path: str, data: bytes, mode: int = 0o664) -> None:
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def other(path: str, *allowed: bytes, mode: int = 0o664) -> list[str]:
    """I2: a file is one of these, with its mode."""
    found = [] if read(path) in allowed else [f"I2: {path} is {read(path)!r}"]
    there = stat.S_IMODE(os.stat(path).st_mode)
    return found if there == mode else [*found, f"I2: {path} has mode {there:o}"]


@pytest.mark.parametrize("bug", ["", "in-place"])
def test_a_version_file_whose_writer_is_killed_anywhere_is_the_old_or_the_new(
    stage: Scene, bug: str
) -> None:
    project = f"{stage.root}/project"
    path = f"{project}/.python-version"
    os.mkdir(project)
    write(path, f"{COMMENT}3.11.8\n".encode())
    old, new = f"{COMMENT}3.11.8\n".encode(), f"{COMMENT}3.12\n".encode()
    kill_everywhere(
        stage,
        ("use", "3.12"),
        directory=project,
        cwd=project,
        then=lambda: other(path, old, new),
        afterwards=lambda: other(path, new),
        bug=bug,
    )


def test_a_global_pin_whose_writer_is_killed_anywhere_is_the_old_or_the_new(stage: Scene) -> None:
    path = stage.layout.global_pin
    write(path, b"3.11\n")
    kill_everywhere(
        stage,
        ("use", "--global", "3.12"),
        directory=f"{stage.root}/user",
        then=lambda: other(path, b"3.11\n", b"3.12\n"),
        afterwards=lambda: other(path, b"3.12\n"),
    )


def start_up_files(stage: Scene) -> str:
    user = f"{stage.root}/user"
    for name, text in RC.items():
        write(f"{user}/{name}", text)
    return user


def kept(user: str) -> list[str]:
    """I2: what the user wrote is there, alone or with bubble's whole block after it."""
    found = []
    for name, text in RC.items():
        now = read(f"{user}/{name}")
        block = now.removeprefix(text)
        whole = b"# >>> bubble init >>>" in block and block.endswith(b"# <<< bubble init <<<\n")
        if not now.startswith(text) or (block and not whole):
            found.append(f"I2: {name} is {now!r}")
        found += other(f"{user}/{name}", now)
        backup = f"{user}/{name}.before-bubble"
        if os.path.exists(backup):
            found += other(backup, text)
    return found


@pytest.mark.parametrize("bug", ["", "in-place", "whole-file"])
def test_start_up_files_whose_writer_is_killed_anywhere_keep_what_the_user_wrote(
    stage: Scene, bug: str
) -> None:
    user = start_up_files(stage)

    def complete() -> list[str]:
        found = kept(user) + home_scraps(stage)
        blocks = [read(f"{user}/{name}").count(b"# >>> bubble init >>>") for name in RC]
        return found if blocks == [1, 1] else [*found, f"I5: {blocks} blocks"]

    kill_everywhere(
        stage,
        ("init", "bash", "--install"),
        directory=user,
        then=lambda: kept(user),
        afterwards=complete,
        bug=bug,
    )


def test_start_up_files_from_which_bubble_is_taken_are_what_they_were(stage: Scene) -> None:
    user = start_up_files(stage)
    assert stage.run("init", "bash", "--install").status == 0

    def gone() -> list[str]:
        found = [what for name, text in RC.items() for what in other(f"{user}/{name}", text)]
        return found + [f"I3: {n} is left" for n in os.listdir(user) if n not in RC]

    kill_everywhere(
        stage,
        ("init", "bash", "--uninstall"),
        directory=user,
        then=lambda: kept(user),
        afterwards=gone,
    )


def home_scraps(stage: Scene) -> list[str]:
    return [what for what in scraps(stage.home) if what.startswith(f"I3: {stage.home}/.init")]


@pytest.mark.parametrize("bug", ["", "blind-prune"])
def test_a_cache_that_is_being_emptied_by_who_is_killed_has_whole_files_or_none(
    stage: Scene, bug: str
) -> None:
    write(f"{stage.layout.downloads}/{'0' * 64}.part", b"begun")
    write(f"{stage.layout.downloads}/{'0' * 64}.part.json", b"{}")

    def whole() -> list[str]:
        return [
            f"I1: {name} has other bytes"
            for name in os.listdir(stage.layout.downloads)
            if "." not in name
            and hashlib.sha256(read(f"{stage.layout.downloads}/{name}")).hexdigest() != name
        ] + invariants.not_whole(stage)

    def empty() -> list[str]:
        left = os.listdir(stage.layout.downloads)
        return whole() + [f"I5: {name} is left" for name in left]

    kill_everywhere(
        stage,
        ("cache", "prune"),
        directory=f"{stage.root}/user",
        then=whole,
        afterwards=empty,
        bug=bug,
    )


@pytest.mark.parametrize("before", [b"", b"# mine\n"])
def test_a_manifest_whose_writer_is_killed_anywhere_is_the_old_or_the_new(
    stage: Scene, before: bytes
) -> None:
    project = f"{stage.root}/project"
    path = f"{project}/bubble.toml"
    os.mkdir(project)
    write(f"{project}/requirements.txt", b"six\n")
    if before:
        write(path, before)
    force = ("--force",) if before else ()
    shown = stage.run("new", *force, "--dry-run", before=("env", "-C", project))
    new = shown.out.encode()
    assert b"requirements.txt" in new, shown

    def then() -> list[str]:
        there = read(path) if os.path.exists(path) else b""
        wrong = [] if there in {before, new} else [f"I2: {there!r}"]
        kept = f"{path}.old"
        if there == new and before and read(kept) != before:
            wrong.append(f"I2: {before!r} is lost")
        return wrong

    def afterwards() -> list[str]:
        names = {"bubble.toml", "requirements.txt", *(["bubble.toml.old"] if before else [])}
        found = then() if read(path) == new else ["I5: it isn't written"]
        return found + [f"I3: {name}" for name in set(os.listdir(project)) - names]

    kill_everywhere(
        stage, ("new", *force), directory=project, cwd=project, then=then, afterwards=afterwards
    )
