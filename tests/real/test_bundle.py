"""A bundle on a machine with nothing: one command, no network, no Python."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from support.builds import packed_mirror
from support.machines import SHELLS, Machine
from support.needs import FULL, LINUX_ONLY, ROOT_ONLY, needs, real_uv, which
from support.projects import Site
from support.releases import needed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import Result

pytestmark = [LINUX_ONLY, pytest.mark.real]


class Ship(Machine):
    """A machine with a project's directory, and no way out."""

    def __init__(self, root: str) -> None:
        super().__init__(root, "")
        self.has("head")
        self.project = f"{self.home}/my project"
        os.makedirs(self.project)

    def sh(
        self, file: str, *words: str, shell: Sequence[str] = ("sh",)
    ) -> subprocess.CompletedProcess[str]:
        """Run a bundle."""
        program = which(shell[0])
        assert program
        return self.call(*alone(), program, *shell[1:], file, *words)

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.env(),
            cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
        )  # fmt: skip

    def replace(self, tool: str, script: str) -> None:
        """Let a tool be a script, in which REAL is where the tool is."""
        self.stands_for(tool, script.replace("REAL", which(tool) or ""))


def alone() -> list[str]:
    """Return what begins a command line that has no network; nothing where that can't be."""
    command = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    unshare = which("unshare")
    if unshare is None or subprocess.run([*command, "true"], check=False).returncode:
        return []
    return [unshare, *command[1:]]


@pytest.fixture
def ship(tmp_path: Path) -> Ship:
    return Ship(f"{tmp_path}/ship")


@pytest.fixture
def file(bubble: Callable[..., Result], tmp_path: Path) -> str:
    """A bundle of a project that its lock alone describes."""
    site = Site(bubble, str(tmp_path), uv=False)
    os.unlink(f"{site.root}/bubble.toml")
    site.lock_by_hand("", "alpha-1.0")
    site.env["PIP_FIND_LINKS"] = needed()
    file = f"{tmp_path}/site.sh"
    site.ok("bundle", "create", file, "--project", ".")
    return file


def everything(directory: str) -> set[str]:
    return {
        os.path.relpath(f"{parent}/{name}", directory)
        for parent, names, files in os.walk(directory)
        for name in (*names, *files)
    }


def test_one_command_on_a_machine_without_python_and_network_and_none_of_it_stays(
    ship: Ship, file: str
) -> None:
    before = everything(ship.home)
    counter = killing(ship, "tar")
    for number in (1, 2):
        set_to(counter, number)
        assert ship.sh(file, "--project", "my project", "--no-init").returncode < 0
    set_to(counter, 0)
    done = ship.sh(file, "--project", "my project", "--no-init")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{ship.project}/.venv\n")
    assert [n for n in os.listdir(ship.home) if n.startswith(".bubble")] == []
    said = ship.call(f"{ship.project}/.venv/bin/alpha")
    assert said.stdout == "alpha 1.0\n", said
    assert "by install.sh" in ship.bubble("self", "info").stdout
    shutil.rmtree(f"{ship.project}/.venv")
    os.unlink(f"{ship.project}/pylock.toml")
    gone = ship.bubble("self", "uninstall", "--all", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert everything(ship.home) == before


@pytest.mark.parametrize("name", SHELLS)
@needs("busybox", "ksh", "zsh")
def test_every_shell_reads_it_and_sees_damage(
    name: str, ship: Ship, tmp_path: Path, release_bundle: str
) -> None:
    shell = SHELLS[name]
    done = ship.sh(release_bundle, "--check", shell=shell)
    assert (done.returncode, done.stdout) == (0, f"{release_bundle} is whole\n"), done
    assert "usage" not in done.stderr
    shown = ship.sh(release_bundle, "--help", shell=shell)
    assert "sh FILE [--project DIR]" in shown.stdout
    with open(release_bundle, "rb") as read:
        whole = read.read()
    damaged = f"{tmp_path}/damaged.sh"
    for data in (whole[:-1], whole[:20000], whole[:-3000] + b"x" + whole[-2999:]):
        with open(damaged, "wb") as written:
            written.write(data)
        done = ship.sh(damaged, shell=shell)
        assert done.returncode == 1, done
        assert "is not as it was made" in done.stderr
    for part in range(1, 16):  # half a head does nothing
        with open(damaged, "wb") as written:
            written.write(whole[: 7000 * part // 16])
        ship.sh(damaged, shell=shell)
    assert everything(ship.home) == {"my project"}


@pytest.fixture
def release_bundle(bubble: Callable[..., Result], tmp_path: Path) -> str:
    """A bundle whose bubble is none: for what never gets so far."""
    from support.builds import small_archive
    from support.bundles import double_release

    release = double_release(f"{tmp_path}/release", small_archive(f"{tmp_path}/small"))
    file = f"{tmp_path}/a bundle.sh"
    done = bubble("bundle", "create", file, "--release", release)
    assert done.status == 0, done
    return file


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown option": (("--frce",), "no option --frce"),
    "an option without its value": (("--project",), "--project takes a directory"),
    "a project that isn't there": (("--project", "no such"), "there is no directory no such"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_changes_nothing(case: str, ship: Ship, release_bundle: str) -> None:
    words, said = REFUSED[case]
    done = ship.sh(release_bundle, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "  hint: " in done.stderr
    assert everything(ship.home) == {"my project"}


def test_a_machine_of_another_kind_and_a_full_disk_leave_nothing(
    ship: Ship, release_bundle: str
) -> None:
    ship.replace("uname", '[ "$1" != -m ] || { echo riscv64; exit; }\nexec REAL "$@"\n')
    done = ship.sh(release_bundle)
    assert done.returncode == 1
    assert "this bundle is for linux-" in done.stderr
    assert everything(ship.home) == {"my project"}
    ship.replace("tar", "REAL \"$@\"\necho 'No space left on device' >&2\nexit 2\n")
    done = ship.sh(release_bundle)
    assert done.returncode == 1
    assert "is there room in" in done.stderr
    assert everything(ship.home) == {"my project"}


def killing(ship: Ship, tool: str) -> str:
    """Let a tool kill the script that calls it, the time that a file says; return that file."""
    counter = f"{ship.home}/../count"
    ship.replace(
        tool,
        f"read -r n <'{counter}'; echo $((n - 1)) >'{counter}'\n"
        '[ "$n" -ne 1 ] || kill -9 "$PPID"\nexec REAL "$@"\n',
    )
    return counter


def set_to(counter: str, number: int) -> None:
    with open(counter, "w", encoding="ascii") as written:
        written.write(f"{number}\n")


@pytest.mark.skipif(not FULL, reason="not here: the long form (BUBBLE_TEST_FULL=1)")
@pytest.mark.parametrize("tool", ["tar", "mv", "mkdir", "rm", "cp", "chmod"])
def test_killed_at_any_step_it_is_said_again(tool: str, ship: Ship, file: str) -> None:
    counter = killing(ship, tool)
    for number in range(1, 9):
        set_to(counter, number)
        if ship.sh(file, "--project", "my project", "--no-init").returncode == 0:
            break
    set_to(counter, 0)
    done = ship.sh(file, "--project", "my project", "--no-init")
    assert done.returncode == 0, done.stderr
    assert ship.call(f"{ship.project}/.venv/bin/alpha").stdout == "alpha 1.0\n"
    assert [n for n in os.listdir(ship.home) if n.startswith(".bubble")] == []
    left = os.listdir(f"{ship.home}/.local/lib/bubble")
    assert [n for n in left if n.startswith("scratch")] == []


TESTS = """\
import sys

import numpy
import pandas


def test_they_work() -> None:
    frame = pandas.DataFrame({"a": numpy.arange(4), "b": [1.5, 2.5, 3.5, 4.5]})
    assert frame.groupby(frame.a % 2).b.sum().tolist() == [5.0, 7.0]
    assert sys.version_info[:2] == (3, 12)
"""
MANIFEST = """\
python = "3.12"
platforms = ["linux-x86_64-gnu"]

[bubbles.default]
dependencies = ["numpy", "pandas", "pytest"]
"""
# what a packed interpreter takes from its distribution
LIBRARIES = "libssl3,libsqlite3-0,libffi8,libreadline8,libncursesw6,libbz2-1.0,liblzma5,libuuid1"


@pytest.mark.skipif(not FULL, reason="not here: the long form (BUBBLE_TEST_FULL=1)")
@ROOT_ONLY
@needs("debootstrap", "unshare", "chroot")
def test_a_project_with_numpy_and_pandas_in_a_bare_root_without_a_route(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    root = f"{tmp_path}/root"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={LIBRARIES}", "bookworm", root],
        check=True, capture_output=True,
    )  # fmt: skip
    assert not os.path.exists(f"{root}/usr/bin/python3")
    project = f"{tmp_path}/site"
    os.makedirs(f"{project}/tests")
    for name, text in (("bubble.toml", MANIFEST), ("tests/test_it.py", TESTS)):
        with open(f"{project}/{name}", "w", encoding="utf-8") as written:
            written.write(text)
    env = {
        "BUBBLE_CATALOG": f"{packed_mirror(['3.12'])}/catalogue.json",
        "PATH": f"{os.path.dirname(real_uv())}:{os.environ['PATH']}",
    }
    assert bubble("lock", cwd=project, env=env).status == 0
    made = []
    for number in range(2):
        done = bubble("bundle", "create", f"{number}.sh", "--project", project, env=env)
        assert done.status == 0, done
        with open(f"{tmp_path}/{number}.sh", "rb") as read:
            made.append(read.read())
    assert made[0] == made[1]
    subprocess.run(["chroot", root, "useradd", "-m", "sailor"], check=True)
    home = f"{root}/home/sailor"
    shutil.copytree(f"{project}/tests", f"{home}/my project/tests")
    shutil.copyfile(f"{tmp_path}/0.sh", f"{home}/site.sh")
    subprocess.run(["chroot", root, "chown", "-R", "sailor", "/home/sailor"], check=True)
    script = (
        "cd; ! command -v python3 && sh site.sh --project 'my project' --no-init && cd 'my project'"
        " && .venv/bin/python -m pytest -q tests"
    )
    # a library beside its program is found by /proc/self/exe
    enter = ["unshare", "-npf", f"--mount-proc={root}/proc"]
    enter += ["chroot", "--userspec=sailor:sailor", root, "env", "-i"]
    done2 = subprocess.run(
        [*enter, "HOME=/home/sailor", "PATH=/usr/bin:/bin", "sh", "-c", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done2.returncode == 0, done2.stderr
    assert "1 passed" in done2.stdout
