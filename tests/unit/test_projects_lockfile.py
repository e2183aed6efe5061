"""Lock files are read as anybody's: what is wrong with one is said, and nothing of it is used."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.projects.changes import changes
from bubble.projects.lockfile import Build, Lock, parse_lock, read_lock, render
from support.hostile_locks import HEAD, LOCKS, SUM, build, package, wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_there_are_a_hundred_and_more() -> None:
    assert len(LOCKS) > 100


@pytest.mark.parametrize("name", sorted(LOCKS))
def test_a_hostile_lock_is_one_short_error_and_nothing_else(name: str, tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_bytes(LOCKS[name].replace(b"DIRECTORY", str(tmp_path).encode()))
    (tmp_path / "pyproject.toml").write_text("")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with pytest.raises(BubbleError) as caught:
        read_lock(str(path))
    error = caught.value
    assert error.kind == "lock"
    assert error.message.isprintable()
    assert len(error.message) < 1000
    assert error.hint.isprintable()
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    assert spent < 10, "its size or its depth costs seconds"  # of processor time, at any load


GOOD = {
    "a wheel": wheel('url = "https://h.example/a-1.0-py3-none-any.whl"'),
    "a wheel beside it": wheel('path = "w/a-1.0-py3-none-any.whl"'),
    "a wheel above it, which its sha256 tells": wheel('path = "../w/a-1.0-py3-none-any.whl"'),
    "a wheel of a directory of the machine": wheel('url = "file:///opt/w/a-1.0-py3-none-any.whl"'),
    "a name that is said": wheel('url = "https://h.example/x", name = "a-1.0-py3-none-any.whl"'),
    "a source archive": package(
        f'sdist = {{ url = "https://h.example/a-1.0.tar.gz", hashes = {{ sha256 = "{SUM}" }} }}'
    ),
    "this project": package('directory = { path = ".", editable = true }'),
    "one beside it": package('directory = { path = "../other" }'),
    "a repository": package(
        f'vcs = {{ type = "git", url = "https://h.example/a", commit-id = "{"c" * 40}" }}'
    ),
    "a repository by ssh": package(
        f'vcs = {{ type = "git", url = "ssh://git@h.example/a", commit-id = "{"c" * 40}" }}'
    ),
    "no packages": HEAD + "packages = []\n",
    "an interpreter": build(),
    "letters of everybody": package('directory = { path = "prójekt ü" }'),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_what_locks_of_today_say_is_taken(name: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for directory in (root, tmp_path / "other", root / "prójekt ü"):
        directory.mkdir()
        (directory / "pyproject.toml").write_text("")
    path = root / "pylock.toml"
    path.write_text(GOOD[name], encoding="utf-8")
    lock = read_lock(str(path))
    assert lock is not None
    assert lock.versions in ({"a": "1.0"}, {})


def test_no_lock_is_none_and_one_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    assert read_lock(str(tmp_path / "pylock.toml")) is None
    (tmp_path / "pylock.link.toml").symlink_to("nowhere")
    with pytest.raises(BubbleError, match="link to nothing"):
        read_lock(str(tmp_path / "pylock.link.toml"))


def test_a_package_may_be_there_twice_for_different_machines() -> None:
    one, other = (
        wheel(f'url = "https://h.example/a-{v}-py3-none-any.whl"').partition(HEAD)[2].replace(
            'version = "1.0"', f'version = "{v}"'
        )
        for v in ("1", "2")
    )  # fmt: skip
    lock = parse_lock((HEAD + one + other).encode(), "/x/pylock.toml")
    assert lock.versions == {"a": "1 | 2"}


def of(version: str = "3.12.4", variant: str = "", **more: str) -> Lock:
    right = {"build": "20260101", "url": "https://h.example/p.tar.gz", "sha256": SUM, **more}
    key = f"cpython-{version}{variant}-linux-x86_64-gnu"
    return Lock(
        inputs="", request="3.12", version=version, builds=(Build(key=key, **right),), versions={}
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (of(), of("3.12.5"), ["cpython 3.12.4 → 3.12.5"]),
        (of(), of(), []),
        (
            of(),
            of(variant="+freethreaded"),
            ["- cpython 3.12.4", "+ cpython+freethreaded 3.12.4"],
        ),
        (
            of(),
            of(build="20260201"),
            ["cpython 3.12.4: build 20260101 → 20260201 for linux-x86_64-gnu"],
        ),
        (of(), of(sha256="1" * 64), ["cpython 3.12.4: other bytes for linux-x86_64-gnu"]),
        (of(), of(url="https://x"), ["cpython 3.12.4: other place for linux-x86_64-gnu"]),
        (
            of(),
            of().replace(request=">=3.12"),
            ["cpython 3.12.4: asked for as >=3.12, not as 3.12"],
        ),
        (
            of(),
            of().replace(builds=(*of().builds, *of("3.12.4", build="1").builds)).replace(
                builds=(
                    *of().builds,
                    of().builds[0].replace(key="cpython-3.12.4-darwin-aarch64-none"),
                )
            ),
            ["cpython 3.12.4: also for darwin-aarch64-none"],
        ),
    ],
)  # fmt: skip
def test_every_change_of_the_interpreter_is_said(
    before: Lock, after: Lock, said: list[str]
) -> None:
    assert [str(change) for change in changes(before, after)] == said


def test_a_file_of_the_same_version_that_is_another_one_is_said() -> None:
    """An index that exchanges files, or a hand that did it in the lock."""
    before = of().replace(versions={"a": "1", "b": "1"}, files={"a": ("1",), "b": ("1",)})
    after = of().replace(versions={"a": "1", "b": "1"}, files={"a": ("2",), "b": ("1", "2")})
    assert [str(change) for change in changes(before, after)] == [
        "a 1: 1 new and 1 gone files of the same version",
        "b 1: 1 new file of the same version",
    ]


def test_what_is_rendered_is_read_back_and_rendered_the_same() -> None:
    packages = wheel('url = "https://h.example/a-1.0-py3-none-any.whl"')
    lock = of().replace(inputs=SUM, request='>=3.12,"ü\x7f')
    data = render(packages, lock)
    again = parse_lock(data, "/x/pylock.toml")
    assert (again.inputs, again.request, again.builds) == (SUM, lock.request, lock.builds)
    assert render(packages, again) == data
