"""Adopting through a `bin` that others use too: the interpreter's own commands, and no others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bubble.pythons.adopting.adopt import adopt
from bubble.pythons.adopting.commands import renew_links
from support.clinic import program
from support.handmade import machine, write
from support.small_prefix import small_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.pythons.installed.store import Installation
    from bubble.system.layout import Layout

OTHERS = ("git", "ls", "kubectl", "black", "python3.9", "pip3.9", "pypy3.10")


@pytest.fixture
def shared(tmp_path: Path) -> str:
    """Return a directory of programs, of Python and not."""
    directory = f"{os.path.realpath(tmp_path)}/shared/bin"
    for name in OTHERS:
        program(f"{directory}/{name}", "echo another")
    return directory


def owner(root: str, executable: str = "", pip: str = "pip") -> str:
    """Make an interpreter with pip in a prefix; it says that it was run as `executable`."""
    says = {"executable": executable} if executable else {}
    small_prefix(root, says=says)
    for name in (pip, "theirs"):
        program(f"{root}/bin/{name}", f"echo {name} of {root}")
    return root


def links(installation: Installation) -> dict[str, str]:
    directory = f"{installation.prefix}/bin"
    return {name: os.readlink(f"{directory}/{name}") for name in os.listdir(directory)}


def test_a_link_in_a_shared_directory_adopts_what_it_leads_to(
    layout: Layout, shared: str, tmp_path: Path
) -> None:
    """`/usr/local/bin/python3.11` of a `make install` elsewhere, uv's in `~/.local/bin`."""
    root = owner(f"{os.path.realpath(tmp_path)}/opt/x", f"{shared}/python3.11")
    os.symlink(f"{root}/bin/python3.11", f"{shared}/python3.11")
    program(f"{shared}/pip3.11", "echo the link's neighbour, of another Python")
    made = adopt(f"{shared}/python3.11", machine(layout))
    found = links(made)
    assert set(found) == {"python", "python3", "python3.11", "pip", "theirs"}
    assert found["pip"] == f"{root}/bin/pip"
    assert found["python3.11"] == f"{root}/bin/python3.11"
    program(f"{shared}/later", "echo another")
    program(f"{root}/bin/black", "echo its own")
    renew_links(made)
    assert links(made).keys() - found.keys() == {"black"}


@pytest.mark.parametrize("where", [".local", "several"])
def test_an_interpreter_in_a_prefix_for_all_brings_its_own_commands_alone(
    layout: Layout, tmp_path: Path, where: str
) -> None:
    root = owner(f"{os.path.realpath(tmp_path)}/me/{where}", pip="pip3.11")
    for name in OTHERS if where == "several" else ("git", "ls"):
        program(f"{root}/bin/{name}", "echo another")
    program(f"{root}/bin/pip", "echo of another version")
    made = adopt(f"{root}/bin/python3.11", machine(layout))
    found = links(made)
    assert set(found) == {"python", "python3", "python3.11", "pip", "pip3", "pip3.11"}
    assert {found[name] for name in ("pip", "pip3", "pip3.11")} == {f"{root}/bin/pip3.11"}
    renew_links(made)
    assert links(made) == found


def test_a_program_beside_no_library_of_its_own_brings_nothing_along(
    layout: Layout, shared: str, tmp_path: Path
) -> None:
    """A copy or a wrapper in ~/bin, and Debian's /usr/bin/pypy3, whose prefix is elsewhere."""
    root = owner(f"{os.path.realpath(tmp_path)}/opt/x", f"{shared}/python3.11")
    os.rename(f"{root}/bin/python3.11", f"{shared}/python3.11")
    interpreter = f"#!{shared}/python3.11"
    write(f"{shared}/pip3", f"{interpreter}\nprint('its own, by the first line')\n")
    os.chmod(f"{shared}/pip3", 0o755)
    made = adopt(f"{shared}/python3.11", machine(layout))
    assert links(made) == {
        **dict.fromkeys(("python", "python3", "python3.11"), f"{shared}/python3.11"),
        **dict.fromkeys(("pip", "pip3"), f"{shared}/pip3"),
    }


def test_what_an_older_bubble_adopted_too_much_of_goes(
    layout: Layout, shared: str, tmp_path: Path
) -> None:
    root = owner(f"{os.path.realpath(tmp_path)}/opt/x")
    made = adopt(root, machine(layout))
    directory = f"{made.prefix}/bin"
    os.rename(f"{root}/bin/python3.11", f"{shared}/python3.11")
    for name in (*os.listdir(directory), "git", "ls"):
        if os.path.lexists(f"{directory}/{name}"):
            os.unlink(f"{directory}/{name}")
        target = name if os.path.exists(f"{shared}/{name}") else "python3.11"
        os.symlink(f"{shared}/{target}", f"{directory}/{name}")
    renew_links(made)
    assert {"git", "ls", "theirs"}.isdisjoint(links(made))
    assert "python3.11" in links(made)


def test_a_real_interpreter_behind_a_link_runs_as_itself(layout: Layout, shared: str) -> None:
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    os.symlink(base, f"{shared}/{name}")
    made = adopt(f"{shared}/{name}", machine(layout))
    assert {"git", "ls", "kubectl", "black"}.isdisjoint(links(made))
    said = subprocess.check_output(
        [made.executable, "-c", "import sys, ssl; print(sys.prefix)"], text=True
    )
    assert said.strip() == sys.base_prefix
