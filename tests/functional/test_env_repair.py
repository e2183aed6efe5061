"""`bubble repair`: environments that were moved, copied, or lost their interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from bubble.selection import registry
from support.builds import packed_mirror
from support.environments import (
    adopt_python,
    create,
    files,
    install,
    names_in,
    prefix_of,
    says,
    with_tool,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from bubble.system.layout import Layout
    from support.environments import Bubble


@pytest.fixture
def project(bubble: Bubble, tmp_path: Path) -> str:
    """Return a project's directory with a `.venv`, a package `tool` and itself, editable."""
    directory = tmp_path / "old place"
    (directory / "src").mkdir(parents=True)
    (directory / "src" / "mine.py").write_text("def main():\n    print(__file__)\n")
    path = with_tool(bubble, tmp_path, cwd=str(directory))
    (packages,) = [n for n in os.listdir(f"{path}/lib") if n.startswith("python")]
    with open(f"{path}/lib/{packages}/site-packages/__editable__.mine.pth", "w") as file:
        file.write(f"{directory}/src\n")
    return str(directory)


def states(bubble: Bubble, cwd: object) -> dict[str, str]:
    return {e["path"]: e["state"] for e in bubble("list", "--json", cwd=cwd).json["data"]}


def mended(bubble: Bubble, *arguments: str, cwd: object, **more: Any) -> list[str]:
    done = bubble("repair", *arguments, "--json", cwd=cwd, **more)
    assert done.status == 0, done.err + done.out
    said: list[str] = done.json["data"]["done"]
    return said


def works_at(path: str, project: str) -> None:
    assert says(path, "tool") == "tool 1.0"
    assert prefix_of(path) == path
    done = subprocess.run(
        [f"{path}/bin/python", "-c", "import mine; mine.main()"], capture_output=True, check=True
    )
    assert done.stdout.decode() == f"{project}/src/mine.py\n"


def test_a_moved_project_is_noticed_and_mended(
    bubble: Bubble, project: str, tmp_path: Path, layout: Layout
) -> None:
    before = registry.of_directory(layout, project)
    moved = str(tmp_path / "new place")
    os.rename(project, moved)
    assert states(bubble, moved) == {f"{project}/.venv": "moved"}
    assert states(bubble, "/") == {f"{project}/.venv": "missing"}
    listed = bubble("list", cwd=moved)
    assert f"moved to {moved}/.venv" in listed.out
    info = bubble("info", cwd=moved)
    assert info.status == 1
    assert f"bubble repair '{moved}/.venv'" in info.err
    assert mended(bubble, ".", cwd=moved)
    works_at(f"{moved}/.venv", moved)
    assert names_in(f"{moved}/.venv", project) == []
    assert states(bubble, moved) == {f"{moved}/.venv": "ok"}
    after = registry.of_directory(layout, moved)
    assert before is not None
    assert after == before.replace(path=f"{moved}/.venv", project=moved)
    assert registry.of_directory(layout, project) is None
    assert mended(bubble, cwd=moved) == []


def test_the_hint_that_list_gives_mends_it(bubble: Bubble, project: str, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    os.rename(project, moved)
    (entry,) = bubble("list", "--json", cwd=moved).json["data"]
    words = entry["mend"].split(" ", 2)
    assert words[:2] == ["bubble", "repair"]
    assert bubble(*words[1:], cwd="/").status == 0
    works_at(f"{moved}/.venv", str(moved))


def test_a_copied_project_gets_an_environment_of_its_own(
    bubble: Bubble, project: str, tmp_path: Path, layout: Layout
) -> None:
    copy = str(tmp_path / "copy")
    shutil.copytree(project, copy, symlinks=True)
    original = files(project)
    assert states(bubble, copy) == {f"{project}/.venv": "ok", f"{copy}/.venv": "copied"}
    mended(bubble, ".", cwd=copy)
    works_at(f"{copy}/.venv", copy)
    assert files(project) == original
    works_at(f"{project}/.venv", project)
    assert states(bubble, copy) == {f"{project}/.venv": "ok", f"{copy}/.venv": "ok"}
    identities = {e.identity for e in registry.environments(layout)}
    assert len(identities) == 2
    assert names_in(f"{copy}/.venv", project) == []


def test_a_copy_inside_the_original_is_mended(bubble: Bubble, project: str) -> None:
    copy = f"{project}/inner"
    shutil.copytree(project, copy, symlinks=True)
    mended(bubble, ".", cwd=copy)
    works_at(f"{copy}/.venv", copy)
    works_at(f"{project}/.venv", project)


def test_a_project_seen_through_a_link_is_the_same_one(
    bubble: Bubble, project: str, tmp_path: Path, layout: Layout
) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    before = registry.environments(layout)
    assert states(bubble, link) == {f"{project}/.venv": "ok"}
    assert mended(bubble, str(link), cwd="/") == []
    assert mended(bubble, cwd=link, env={"PWD": str(link)}) == []
    assert registry.environments(layout) == before


def test_a_named_one_that_was_renamed_by_hand_is_mended(
    bubble: Bubble, layout: Layout, tmp_path: Path
) -> None:
    path = with_tool(bubble, tmp_path, "train")
    os.rename(path, f"{layout.envs}/other")
    assert states(bubble, "/") == {path: "moved"}
    assert mended(bubble, "train", cwd="/")
    assert says(f"{layout.envs}/other", "tool") == "tool 1.0"
    assert [e.name for e in registry.environments(layout)] == ["other"]


def test_one_that_lost_its_record_is_found_and_registered(
    bubble: Bubble, layout: Layout, tmp_path: Path
) -> None:
    version = adopt_python(bubble)
    path = create(bubble, "train")
    record = registry.of_name(layout, "train")
    assert record is not None
    os.unlink(f"{layout.registry}/n.train")
    assert states(bubble, "/") == {path: "unregistered"}
    unknown = bubble("info", "train", cwd=tmp_path)
    assert f"bubble repair {path}" in unknown.err
    assert mended(bubble, "train", cwd="/")
    again = registry.of_name(layout, "train")
    assert again is not None
    assert again.replace(made_at="0", request="") == record.replace(made_at="0", request="")
    assert again.request == version.rpartition(".")[0], "every patch of its minor fits it"
    assert states(bubble, "/") == {path: "ok"}


@pytest.mark.parametrize("stop", range(12))
def test_a_death_in_the_middle_is_mended_by_the_same_command(
    bubble: Bubble,
    project: str,
    tmp_path: Path,
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    stop: int,
) -> None:
    from bubble.envs.changing import registering
    from bubble.envs.changing import relocate as relocating
    from bubble.system.files import write_atomic

    moved = str(tmp_path / "new place")
    os.rename(project, moved)
    calls = 0

    class Killed(BaseException):
        pass

    def counted(function: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > stop:
                raise Killed
            return function(*arguments, **more)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(relocating, "write_atomic", counted(write_atomic))
        patched.setattr(registry, "register", counted(registry.register))
        patched.setattr(registry, "forget", counted(registry.forget))
        try:
            registering.reregister(f"{moved}/.venv", layout)
        except Killed:
            pass
        else:
            assert stop > 3, "nothing was to be done"
    mended(bubble, ".", cwd=moved)
    works_at(f"{moved}/.venv", moved)
    assert names_in(f"{moved}/.venv", project) == []
    assert states(bubble, moved) == {f"{moved}/.venv": "ok"}


@pytest.fixture
def lost(bubble: Bubble, tmp_path: Path, layout: Layout) -> str:
    """Return a named environment, made for 3.11, whose interpreter was deleted."""
    catalogue = f"{packed_mirror(['3.11'])}/catalogue.json"
    done = bubble("python", "install", "3.11", env={"BUBBLE_CATALOG": catalogue})
    assert done.status == 0, done.err
    path = create(bubble, "train", "-p", "3.11")
    install(bubble, path, tmp_path, "tool")
    for name in os.listdir(layout.pythons):
        if not os.path.islink(f"{layout.pythons}/{name}"):
            shutil.rmtree(f"{layout.pythons}/{name}")
    assert states(bubble, "/") == {path: "interpreter missing"}
    return path


def test_without_an_interpreter_that_fits_it_says_what_to_install(
    bubble: Bubble, lost: str
) -> None:
    before = files(lost)
    done = bubble("repair", "train")
    assert done.status == 1
    assert "bubble python install 3.11\n" in done.err
    assert files(lost) == before


def test_it_works_again_when_its_minor_is_installed_again(bubble: Bubble, lost: str) -> None:
    adopt_python(bubble, "3.11")
    assert states(bubble, "/") == {lost: "ok"}
    assert mended(bubble, "train", cwd="/") == []
    assert says(lost, "tool") == "tool 1.0"
    assert prefix_of(lost) == lost


def test_another_patch_of_the_minor_takes_over_and_the_packages_stay(
    bubble: Bubble, lost: str, layout: Layout
) -> None:
    made_for = registry.of_name(layout, "train")
    assert made_for is not None
    old = f"{layout.pythons}/cpython-3.11.0-linux-x86_64-gnu"
    registry.register(layout, made_for.replace(interpreter=old))
    with open(f"{lost}/pyvenv.cfg") as file:
        text = file.read()
    with open(f"{lost}/pyvenv.cfg", "w") as file:
        file.write(text.replace(made_for.interpreter, old))
    os.unlink(f"{lost}/bin/python")
    os.symlink(f"{old}/bin/python3.11", f"{lost}/bin/python")
    adopt_python(bubble, "3.11")
    assert states(bubble, "/") == {lost: "interpreter missing"}
    assert any("linked it to cpython-3.11" in said for said in mended(bubble, "train", cwd="/"))
    assert states(bubble, "/") == {lost: "ok"}
    assert says(lost, "tool") == "tool 1.0"
    assert prefix_of(lost) == lost
    record = registry.of_name(layout, "train")
    assert record is not None
    assert os.path.exists(f"{record.interpreter}/bin/python")
    assert mended(bubble, "train", cwd="/") == []


def test_another_minor_gets_the_same_packages_anew(
    bubble: Bubble, lost: str, layout: Layout, tmp_path: Path
) -> None:
    record = registry.of_name(layout, "train")
    assert record is not None
    registry.register(layout, record.replace(request=">=3.11"))
    version = adopt_python(bubble, "3.12")
    # what was installed from a file is asked for there again
    before = files(lost)
    (tmp_path / "tool-1.0-py3-none-any.whl").rename(tmp_path / "away.whl")
    broken = bubble("repair", "train", "--installer", "pip", env={"PIP_NO_INDEX": "1"})
    assert broken.status == 1
    assert files(lost) == before
    (tmp_path / "away.whl").rename(tmp_path / "tool-1.0-py3-none-any.whl")
    said = mended(bubble, "train", "--installer", "pip", cwd="/", env={"PIP_NO_INDEX": "1"})
    assert any(f"made it anew with cpython-{version}" in phrase for phrase in said)
    assert says(lost, "tool") == "tool 1.0"
    assert os.path.isdir(f"{lost}/lib/python3.12")
    assert states(bubble, "/") == {lost: "ok"}


def test_what_bubble_did_not_make_is_not_touched(bubble: Bubble, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    (stranger / "bin").mkdir(parents=True)
    (stranger / "pyvenv.cfg").write_text("home = /usr/bin\n")
    before = files(str(stranger))
    done = bubble("repair", str(stranger))
    assert done.status == 1
    assert f"bubble adopt {stranger}" in done.err
    assert files(str(stranger)) == before


def test_one_that_is_gone_can_only_be_forgotten(bubble: Bubble) -> None:
    adopt_python(bubble)
    path = create(bubble, "train", "--no-pip")
    shutil.rmtree(path)
    assert states(bubble, "/") == {path: "missing"}
    done = bubble("repair", "train")
    assert done.status == 1
    assert "bubble remove train" in done.err
    assert bubble("remove", "train").status == 0
    assert states(bubble, "/") == {}
