"""Environments of the time of hard links: each gets files of its own, with the right content."""

from __future__ import annotations

import os

import pytest

from bubble.envs.changing.repair import repair
from bubble.envs.changing.unshare import is_shared, unshare
from bubble.envs.doctor import environments
from bubble.envs.doctor.finding import Patient
from support.handmade import environment, installation, machine, world, write
from support.needs import ROOT_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

PACKAGES = "lib/python3.11/site-packages"
FILES = ("tool.py", "tool/deep/mod.py", "tool-1.0.dist-info/METADATA", "__pycache__/tool.pyc")


def package(root: str, installer: str = "pip", name: str = "tool", version: str = "1.0") -> str:
    """Put a package of FILES into an environment, and return its site-packages."""
    directory = f"{root}/{PACKAGES}"
    info = f"{name}-{version}.dist-info"
    files = [file.replace("tool", name).replace("1.0", version) for file in FILES]
    for file in files:
        write(f"{directory}/{file}", f"{file}\n")
    listed = [file for file in files if not file.endswith(".pyc")]
    outside = ["../../../bin/tool", "/etc/hostname", '"a,b"', "gone.py"]
    write(f"{directory}/{info}/RECORD", "".join(f"{f},,\n" for f in [*listed, *outside]))
    write(f"{directory}/{info}/INSTALLER", f"{installer}\n")
    return directory


def linked(source: str, target: str) -> None:
    """Link everything below a directory into another, as earlier versions did."""
    for above, _, names in os.walk(source):
        inside = os.path.relpath(above, source)
        for name in names:
            if name not in {"RECORD", "INSTALLER"}:
                os.unlink(f"{target}/{inside}/{name}")
                os.link(f"{above}/{name}", f"{target}/{inside}/{name}")


@pytest.fixture
def pair(layout: Layout) -> tuple[str, str]:
    """Return two environments that share the files of a package."""
    installation(layout)
    one, other = environment(layout, "one").path, environment(layout, "other").path
    linked(package(one), package(other))
    return one, other


def shared_files(one: str, other: str) -> set[str]:
    return {
        file
        for file in FILES
        if os.path.samefile(f"{one}/{PACKAGES}/{file}", f"{other}/{PACKAGES}/{file}")
    }


def test_each_gets_files_of_its_own_with_what_was_in_them(
    pair: tuple[str, str], layout: Layout
) -> None:
    one, other = pair
    os.chmod(f"{one}/{PACKAGES}/tool.py", 0o755)
    assert shared_files(one, other) == set(FILES)
    assert unshare(one, layout) == len(FILES)
    assert shared_files(one, other) == set()
    for file in FILES:
        with open(f"{one}/{PACKAGES}/{file}") as text:
            assert text.read() == f"{file}\n"
    assert os.stat(f"{one}/{PACKAGES}/tool.py").st_mode & 0o777 == 0o755
    assert not any(name.endswith(".tmp") for _, _, names in os.walk(one) for name in names)
    assert (is_shared(one), is_shared(other), unshare(one, layout)) == (False, False, 0)


def test_the_doctor_tells_and_repair_mends(pair: tuple[str, str], layout: Layout) -> None:
    patient = Patient(**machine(layout).as_dict(), cwd="/", python="/nonexistent")
    found = list(environments.shared(patient))
    assert [f.fix for f in found] == ["bubble repair one", "bubble repair other"]
    done = repair("one", world(layout)).done
    assert any(said.startswith(f"gave it {len(FILES)} files of its own") for said in done)
    assert list(environments.shared(patient)) == []
    assert shared_files(*pair) == set()


def test_the_pip_that_bubble_put_there_is_the_stores_again(layout: Layout) -> None:
    one, other = environment(layout, "one").path, environment(layout, "other").path
    linked(package(one, "bubble", "pip", "24.0"), package(other, "bubble", "pip", "24.0"))
    seed = f"{layout.seeds}/pip-24.0/pip.py"
    write(seed, "as it was unpacked\n")
    with open(f"{other}/{PACKAGES}/pip.py", "w") as file:
        file.write("planted by who owns the other one\n")
    unshare(one, layout)
    with open(f"{one}/{PACKAGES}/pip.py") as file:
        assert file.read() == "as it was unpacked\n"
    with open(f"{one}/{PACKAGES}/pip/deep/mod.py") as file:
        assert file.read() == "pip/deep/mod.py\n", "no seed has it: its own"


@pytest.mark.parametrize("number", range(len(FILES)))
def test_one_that_is_killed_on_its_way_is_seen_and_ended_by_the_next(
    pair: tuple[str, str], layout: Layout, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    one, other = pair
    renamed, ready = os.rename, iter(range(number))

    def rename(source: str, target: str) -> None:
        if next(ready, None) is None:
            raise KeyboardInterrupt
        renamed(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        unshare(one, layout)
    monkeypatch.undo()
    left = len(FILES) - number
    assert len(shared_files(one, other)) == left
    assert is_shared(one)
    assert unshare(one, layout) == left
    assert shared_files(one, other) == set()


@ROOT_ONLY
def test_the_owner_is_that_of_the_directory(pair: tuple[str, str], layout: Layout) -> None:
    one, other = pair
    for above, _, names in os.walk(other):
        for name in ("", *names):
            os.lchown(f"{above}/{name}".rstrip("/"), 65534, 65534)
    unshare(one, layout)
    for path, owner in ((one, 0), (other, 65534)):
        unshare(path, layout)
        assert {os.stat(f"{path}/{PACKAGES}/{file}").st_uid for file in FILES} == {owner}


@pytest.mark.parametrize("installer", ["uv", ""])
def test_what_another_tool_linked_stays_linked(layout: Layout, installer: str) -> None:
    one, other = environment(layout, "one").path, environment(layout, "other").path
    linked(package(one, installer), package(other, installer))
    assert not is_shared(one)
    assert unshare(one, layout) == 0
    assert shared_files(one, other) == set(FILES)


def test_nothing_is_followed_out_of_the_environment(pair: tuple[str, str], layout: Layout) -> None:
    one, _ = pair
    away = f"{layout.home}/away"
    os.rename(f"{one}/{PACKAGES}/tool", away)
    os.symlink(away, f"{one}/{PACKAGES}/tool")
    before = os.stat(f"{away}/deep/mod.py").st_ino
    unshare(one, layout)
    assert os.stat(f"{away}/deep/mod.py").st_ino == before
    os.rename(f"{one}/lib", f"{layout.home}/lib")
    os.symlink(f"{layout.home}/lib", f"{one}/lib")
    assert not is_shared(one)


def test_an_environment_without_packages_is_shared_with_nobody(layout: Layout) -> None:
    assert not is_shared(environment(layout, "one").path)
    assert not is_shared("/nonexistent")
