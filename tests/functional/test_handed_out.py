"""By which path an interpreter is handed out: what others make by it survives patch upgrades."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bubble.pythons.installed import store
from support.builds import packed_mirror
from support.needs import LINUX_ONLY
from support.shimworld import PLATFORM, ShimWorld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    for name in ("cpython-3.11.7", "cpython-3.11.9", "cpython-3.12.1"):
        made.install(name)
    return made


@pytest.mark.parametrize(
    ("request_", "place"),
    [
        ("3.11", "3.11"),
        ("python3.11", "3.11"),
        (">=3.11,<3.12", "3.11"),
        ("3", "3.12"),
        ("3.11.9", f"cpython-3.11.9-{PLATFORM}"),
        ("3.11.7", f"cpython-3.11.7-{PLATFORM}"),
        ("<3.11.9", f"cpython-3.11.7-{PLATFORM}"),  # the minor link leads to another one
        (f"cpython-3.12.1-{PLATFORM}", f"cpython-3.12.1-{PLATFORM}"),
    ],
)
def test_a_request_for_a_minor_gets_the_minor_link_and_for_a_patch_release_that(
    request_: str, place: str, world: ShimWorld, bubble: Bubble, tmp_path: Path
) -> None:
    path = f"{world.layout.pythons}/{place}/bin/python"
    assert bubble("python", "find", request_).out == f"{path}\n"
    (tmp_path / ".python-version").write_text(f"{request_}\n")
    assert bubble("which", "python", cwd=tmp_path).out == f"{path}\n"
    assert bubble("python", "find", cwd=tmp_path).out == f"{path}\n"
    assert bubble("exec", "python", cwd=tmp_path).out == f"{path}\n"
    assert bubble("exec", "-p", request_, "python").out == f"{path}\n"
    for _ in range(2):  # asking, then knowing
        shim = world.run("python", str(tmp_path), {"BUBBLE_HOME": world.layout.home})
        assert shim.stdout == f"{path}\n"


def test_a_patch_release_that_comes_or_goes_changes_where_the_path_leads_and_not_the_path(
    world: ShimWorld, bubble: Bubble
) -> None:
    link = f"{world.layout.pythons}/3.11"
    assert bubble("python", "find", "3.11").out == f"{link}/bin/python\n"
    world.install("cpython-3.11.10")
    assert bubble("python", "find", "3.11").out == f"{link}/bin/python\n"
    assert os.readlink(link) == f"cpython-3.11.10-{PLATFORM}"
    world.remove("cpython-3.11.10")
    world.remove("cpython-3.11.9")
    assert os.readlink(link) == f"cpython-3.11.7-{PLATFORM}"


@pytest.mark.parametrize("command", ["current", "create", "python install 3.11", "rehash"])
def test_what_an_older_bubble_remembered_of_a_minor_is_void_with_the_first_command(
    command: str, world: ShimWorld, bubble: Bubble, tmp_path: Path
) -> None:
    """It led to the patch release, and what others make of that ends with it."""
    (tmp_path / ".python-version").write_text("3.11\n")
    env = {"BUBBLE_HOME": world.layout.home}
    for _ in range(2):
        world.run("python", str(tmp_path), env)
    requests = world.layout.requests
    before = os.readlink(f"{requests}/now")
    os.rename(f"{requests}/{before}", f"{requests}/0123456789abcdef")
    os.unlink(f"{requests}/now")
    os.symlink("0123456789abcdef", f"{requests}/now")
    key = f"cpython-3.11.9-{PLATFORM}"
    with open(f"{requests}/now/3.11", "w", encoding="utf-8") as file:
        file.write(f"{key}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    old = world.run("python", str(tmp_path), env).stdout
    assert old == f"{world.layout.pythons}/{key}/bin/python\n", "the memo is read"
    bubble(*command.split(), cwd=elsewhere)
    new = world.run("python", str(tmp_path), env).stdout
    assert new == f"{world.layout.pythons}/3.11/bin/python\n"
    assert "0123456789abcdef" not in os.listdir(requests)


@pytest.mark.real
@LINUX_ONLY
def test_what_venv_makes_of_it_goes_on_with_the_next_patch_release(
    bubble: Bubble, env: dict[str, str], layout: Layout, tmp_path: Path
) -> None:
    """And one of an exact build, which went, is taken in and mended: it is of this store."""
    env["BUBBLE_CATALOG"] = f"{packed_mirror(['3.12'])}/catalogue.json"
    done = bubble("python", "install", "3.12", env=env)
    assert done.status == 0, done.err
    pythons, minor = layout.pythons, "3.12"
    key = done.out.removeprefix(f"{pythons}/").partition("/")[0]
    for path, python in (("follows", minor), ("bound", key)):
        command = [f"{pythons}/{python}/bin/python", "-m", "venv", "--without-pip", path]
        subprocess.run(command, cwd=tmp_path, check=True)
    assert f"home = {pythons}/{minor}/bin\n" in (tmp_path / "follows/pyvenv.cfg").read_text()
    newer = f"cpython-{minor}.99-{PLATFORM}"
    os.rename(f"{pythons}/{key}", f"{pythons}/{newer}")
    store.publish_changes(layout, PLATFORM)
    run = [str(tmp_path / "follows/bin/python"), "-c", "import sys; print(sys.base_prefix)"]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout == (
        f"{pythons}/{minor}\n"
    )
    assert not os.path.exists(tmp_path / "bound/bin/python")
    (finding,) = [
        f for f in bubble("doctor", "--json", cwd=tmp_path).json["data"]["findings"]
        if f["id"] == "env.stranded"
    ]  # fmt: skip
    assert finding["where"] == f"{tmp_path}/bound"
    adopted = bubble("adopt", "bound", cwd=tmp_path)
    assert (adopted.status, "bubble repair" in adopted.err) == (0, True)
    assert bubble("repair", "./bound", cwd=tmp_path).status == 0
    subprocess.run([f"{tmp_path}/bound/bin/python", "-c", "import json"], check=True)
