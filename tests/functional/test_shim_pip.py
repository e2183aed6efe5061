"""Commands come and go by pip through a shim, and the shims follow without a rehash.

pip is a double here, so that each case costs milliseconds; `tests/real` does it with the real one.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection.commands import is_python_command
from bubble.selection.shims import rehash
from support.realshims import RealShims
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# as `python -m pip` and as `pip`: installs or removes one command that prints its own path
DOUBLE = """#!/bin/sh
bin=${0%/*}
[ "$1" != -m ] || shift 2
case $1 in
install) printf '#!/bin/sh\\necho "$0"\\n' >"$bin/$2" && chmod +x "$bin/$2" ;;
uninstall) rm "$bin/$2" ;;
fail) printf '#!/bin/sh\\n' >"$bin/$2" && chmod +x "$bin/$2" && exit 9 ;;
*) echo "$0" ;;
esac
"""


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable)
    for version in ("3.11.7", "3.12.1"):
        prefix = made.install(f"cpython-{version}")
        for name in ("python", "pip", "pip3", f"pip{version.rpartition('.')[0]}"):
            write(f"{prefix}/bin/{name}", DOUBLE, 0o755)
    made.changed()
    write(f"{made.tree}/.python-version", "3.11\n")
    return made


def run(
    world: ShimWorld, command: str, *arguments: str, path: str = ""
) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": f"{world.layout.shims}:{path or '/usr/bin:/bin'}",
        "HOME": world.root,
        "BUBBLE_HOME": world.layout.home,
    }
    return world.run(command, world.tree, env, arguments=arguments)


def shim(world: ShimWorld, name: str) -> str:
    return f"{world.layout.shims}/{name}"


@pytest.mark.parametrize(
    "words", [("pip",), ("pip3",), ("pip3.11",), ("python", "-m", "pip")], ids=" ".join
)
def test_a_command_is_there_after_its_installation_and_gone_after_its_removal(
    world: ShimWorld, words: tuple[str, ...]
) -> None:
    run(world, "python")
    assert run(world, *words, "install", "tool").returncode == 0
    first = run(world, "tool")
    assert first.stdout.endswith("/pythons/3.11/bin/tool\n")
    assert run(world, *words, "uninstall", "tool").returncode == 0
    assert not os.path.exists(shim(world, "tool"))


def test_a_command_that_a_failed_installation_left_has_a_shim_too(world: ShimWorld) -> None:
    assert run(world, "pip", "fail", "tool").returncode == 9
    assert os.path.exists(shim(world, "tool"))


def test_a_shim_stays_while_another_version_has_the_command(world: ShimWorld) -> None:
    for version in ("3.12", "3.11"):
        write(f"{world.tree}/.python-version", f"{version}\n")
        assert run(world, "pip", "install", "tool").returncode == 0
    assert run(world, "pip", "uninstall", "tool").returncode == 0
    done = run(world, "tool")
    assert done.returncode == 127
    assert "cpython-3.12.1" in done.stderr


def test_a_command_of_another_version_names_the_versions_that_have_it(world: ShimWorld) -> None:
    write(f"{world.tree}/.python-version", "3.12\n")
    run(world, "pip", "install", "tool")
    write(f"{world.tree}/.python-version", "3.11\n")
    done = run(world, "tool")
    assert (done.returncode, done.stdout) == (127, "")
    assert "tool: not found in cpython-3.11.7" in done.stderr
    assert "it is in cpython-3.12.1" in done.stderr
    assert "hint: bubble exec -p cpython-3.12.1 tool" in done.stderr


def test_a_shim_that_nothing_selected_stands_behind_lets_the_system_through(
    world: ShimWorld,
) -> None:
    write(f"{world.root}/bin/tool", "#!/bin/sh\necho system\n", 0o755)
    write(f"{world.tree}/.python-version", "3.12\n")
    run(world, "pip", "install", "tool")
    assert run(world, "tool", path=f"{world.root}/bin:/usr/bin:/bin").stdout != "system\n"
    write(f"{world.tree}/.python-version", "3.11\n")
    done = run(world, "tool", path=f"{world.root}/bin:/usr/bin:/bin")
    assert (done.stdout, done.stderr, done.returncode) == ("system\n", "", 0)


def test_a_shim_that_nothing_at_all_stands_behind_lets_the_system_through(
    world: ShimWorld,
) -> None:
    """What `rm` took away, without pip."""
    write(f"{world.root}/bin/tool", "#!/bin/sh\necho system\n", 0o755)
    run(world, "pip", "install", "tool")
    run(world, "tool")
    os.unlink(f"{world.layout.pythons}/cpython-3.11.7-linux-x86_64-gnu/bin/tool")
    done = run(world, "tool", path=f"{world.root}/bin:/usr/bin:/bin")
    assert (done.stdout, done.stderr, done.returncode) == ("system\n", "", 0)
    assert run(world, "tool").returncode == 127


@pytest.mark.parametrize("name", ["python3.12", "pip3.12", "python3.12-config", "pypy3"])
def test_an_interpreter_never_comes_from_the_system_in_place_of_the_selected(
    world: ShimWorld, name: str
) -> None:
    write(f"{world.root}/bin/{name}", "#!/bin/sh\necho system\n", 0o755)
    if not os.path.exists(shim(world, name)):
        os.link(world.layout.shim, shim(world, name))
    done = run(world, name, path=f"{world.root}/bin:/usr/bin:/bin")
    if name in {"python3.12", "pip3.12"}:  # which is installed, though not selected
        assert done.stdout.endswith(f"/pythons/3.12/bin/{name}\n")
    else:
        assert (done.returncode, done.stdout) == (127, "")


def test_names_that_only_begin_like_an_interpreter_are_anybodys() -> None:
    own = ("python", "python3", "python3.13t", "python2.7", "pip", "pip3.11", "pypy3.10", "graalpy")
    others = ("pipx", "pipenv", "pip-compile", "pip-audit", "python-argcomplete", "pythonista")
    assert all(map(is_python_command, (*own, "python3-config", "python-config")))
    assert not any(map(is_python_command, others))


def test_an_adopted_pythons_commands_follow_its_own_pip(tmp_path: Path) -> None:
    """Its commands lie outside the store, which has links to them."""
    shims = RealShims(str(tmp_path))
    adopted = shims.installed[0].prefix
    own = f"{tmp_path}/own/bin"
    write(f"{tmp_path}/own/lib/python3.12/os.py", "", 0o644)
    write(f"{own}/python3", f"#!/bin/sh\nexec '{shims.direct}' \"$@\"\n", 0o755)
    write(f"{own}/pip", DOUBLE.replace("${0%/*}", own), 0o755)
    os.unlink(f"{adopted}/bin/python3")
    os.symlink(f"{own}/python3", f"{adopted}/bin/python3")
    if os.path.lexists(f"{adopted}/bin/pip"):
        os.unlink(f"{adopted}/bin/pip")
    os.symlink(f"{own}/pip", f"{adopted}/bin/pip")
    rehash(shims.layout, sys.executable)
    assert shims.run("pip", "install", "tool").returncode == 0
    assert shims.run("tool").stdout == f"{adopted}/bin/tool\n".encode()
    assert shims.run("pip", "uninstall", "tool").returncode == 0
    assert not os.path.lexists(f"{adopted}/bin/tool")
    assert not os.path.exists(f"{shims.shims}/tool")
