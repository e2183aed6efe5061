"""scripts/install.sh: from nothing but a shell to a running bubble, and without a trace again."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from bubble.system.host import host_platform
from support.fault_handlers import Resource, status
from support.fault_server import serve
from support.needs import FULL, needs, which
from support.releases import release, wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from support.fault_server import FaultServer

SHELLS = {
    "dash": ["dash"],
    "bash": ["bash"],
    "busybox": ["busybox", "sh"],
    "ksh": ["ksh"],
    "zsh": ["zsh", "--emulate", "sh"],
}
TOOLS = (
    *("basename", "cat", "chmod", "cp", "cut", "dirname", "env", "getconf", "grep", "gzip", "id"),
    *("kill", "ls", "mkdir", "mv", "printf", "pwd", "readlink", "rm", "rmdir", "sed", "sh"),
    *("sha256sum", "stat", "tail", "tar", "uname"),
)


class Machine:
    """A HOME on a path with a space, and a PATH with chosen programs only."""

    def __init__(self, root: str, out: str) -> None:
        self.home = f"{root}/a home"
        self.bin = f"{root}/bin"
        self.out = out
        os.makedirs(self.home)
        os.mkdir(self.bin)
        self.has(*TOOLS)

    def has(self, *names: str) -> None:
        for name in names:
            found = which(name)
            assert found, name
            os.symlink(found, f"{self.bin}/{name}")

    def env(self, **more: str) -> dict[str, str]:
        return {
            "HOME": self.home,
            "PATH": f"{self.home}/.local/bin:{self.bin}",
            "SHELL": "/bin/bash",
            "LC_ALL": "C",
            **more,
        }

    def run(
        self, *words: str, shell: tuple[str, ...] = ("sh",), env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        program = which(shell[0])
        assert program
        return subprocess.run(
            [program, *shell[1:], f"{self.out}/install.sh", *words],
            env=self.env() if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=300,
        )

    def bubble(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [f"{self.home}/.local/bin/bubble", *words],
            env=self.env(), cwd=self.home,
            stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
        )  # fmt: skip

    def everything(self) -> dict[str, object]:
        """Return all that HOME has, by its path: mode and content."""
        found: dict[str, object] = {}
        for directory, names, files in os.walk(self.home):
            for name in (*names, *files):
                path = f"{directory}/{name}"
                info = os.lstat(path)
                data: object = None
                if stat.S_ISREG(info.st_mode):
                    with open(path, "rb") as file:
                        data = file.read()
                found[os.path.relpath(path, self.home)] = (info.st_mode, data)
        return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A release with all that it installs beside it."""
    out = release(str(tmp_path_factory.mktemp("release")))
    wheels(out)
    return out


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory, whole: str) -> str:
    """Another release, with the same packages."""
    out = release(str(tmp_path_factory.mktemp("newer")), version="99.1")
    shutil.copytree(f"{whole}/wheels", f"{out}/wheels")
    return out


@pytest.fixture
def machine(tmp_path: Path, whole: str) -> Machine:
    return Machine(str(tmp_path), whole)


@pytest.fixture
def bare(tmp_path: Path, whole: str) -> Machine:
    """The script alone, which fetches all but the packages from a server."""
    out = f"{tmp_path}/alone"
    os.mkdir(out)
    shutil.copy2(f"{whole}/install.sh", out)
    return Machine(str(tmp_path), out)


def pointed(machine: Machine, url: str) -> None:
    """Let the script fetch the interpreter and the wheel from a server."""
    path = f"{machine.out}/install.sh"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"url=\S*/([^/\s']+)'? sha", rf"url={url}/\1 sha", text)
    text = re.sub(r"(?m)^    base=.*$", f"    base={url}", text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_one_command_brings_a_running_bubble_and_one_takes_all_of_it_away(machine: Machine) -> None:
    with open(f"{machine.home}/.bashrc", "w") as file:
        file.write("echo mine")  # and no line end
    before = machine.everything()
    done = machine.run("--yes")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 10
    assert machine.bubble("--version").stdout == machine.run("--version").stdout.join(
        ["bubble ", ""]
    )
    info = machine.bubble("self", "info")
    assert "by install.sh" in info.stdout
    assert machine.bubble("list").returncode == 0
    assert machine.bubble("doctor").returncode == 0
    assert "isn't a Python" not in machine.bubble("python", "list", "--installed").stdout
    looked = machine.bubble("self", "uninstall", "--all", "--dry-run")
    assert f"{machine.home}/.local/lib/bubble" in looked.stdout
    refused = machine.bubble("self", "uninstall", "--all")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    gone = machine.bubble("self", "uninstall", "--all", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert machine.everything() == before


@pytest.mark.parametrize("name", SHELLS)
@needs("busybox", "ksh", "zsh")
def test_every_shell_reads_it(name: str, machine: Machine) -> None:
    done = machine.run("--dry-run", shell=tuple(SHELLS[name]))
    assert done.returncode == 0, done.stderr
    assert f"{machine.home}/.local/lib/bubble/versions/" in done.stdout
    assert os.listdir(machine.home) == []


def test_a_second_run_updates_and_goes_back_and_others_see_no_gap(
    machine: Machine, tmp_path: Path, newer: str
) -> None:
    assert machine.run("--no-init").returncode == 0
    old = machine.bubble("--version").stdout
    workers = [
        subprocess.Popen(
            ["/bin/sh", "-c", f"while [ ! -e {tmp_path}/stop ]; do bubble --version || exit; done"],
            env=machine.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        updated = machine.bubble("self", "update", "--from", newer)
        assert updated.returncode == 0, updated.stderr
        assert machine.bubble("--version").stdout == "bubble 99.1\n"
        back = machine.bubble("self", "update", "--back")
        assert back.returncode == 0, back.stderr
        assert machine.bubble("--version").stdout == old
    finally:
        with open(f"{tmp_path}/stop", "w"):
            pass
        said = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 2, said
    assert {line for text in said for line in text.splitlines()} <= {old.strip(), "bubble 99.1"}


@pytest.mark.parametrize("getter", ["curl", "wget", "python3"])
def test_it_fetches_with_what_is_there(getter: str, bare: Machine, whole: str) -> None:
    if which(getter) is None:
        pytest.skip(f"needs {getter} (apt install {getter})")
    bare.has(getter)
    shutil.copytree(f"{whole}/wheels", f"{bare.out}/wheels")
    with serve(whole) as server:
        pointed(bare, server.url)
        done = bare.run("--no-init")
    assert done.returncode == 0, done.stderr
    assert bare.bubble("--version").returncode == 0


PAGE = b"<html>Please log in</html>"
WRONG: dict[str, tuple[Callable[[bytes], object], str]] = {
    "another's bytes": (lambda data: Resource(data[:-1] + b"\0"), "has other bytes"),
    "a portal's page": (lambda _: Resource(PAGE), "has other bytes"),
    "a connection that breaks": (lambda data: Resource(data, cut=1000), "can't be fetched"),
    "nothing there": (lambda _: status(404, b"no"), "can't be fetched"),
    "a server's fault": (lambda _: status(500, b"no"), "can't be fetched"),
}


@pytest.mark.parametrize("case", WRONG)
@needs("curl")
def test_what_is_not_the_release_is_never_unpacked(case: str, bare: Machine, whole: str) -> None:
    bare.has("curl", "sleep")
    answer, said = WRONG[case]
    archive = next(name for name in os.listdir(whole) if name.startswith("cpython-"))
    with open(f"{whole}/{archive}", "rb") as file:
        data = file.read()
    with serve() as server:
        put(server, f"/{archive.replace('+', '%2B')}", answer(data))
        pointed(bare, server.url)
        done = bare.run("--no-init")
    assert done.returncode == 1
    assert said in done.stderr, done.stderr
    assert "  hint: " in done.stderr
    assert not os.path.exists(f"{bare.home}/.local/bin/bubble")
    left = os.listdir(f"{bare.home}/.local/lib/bubble")
    assert sorted(left) == ["base", "command", "made", "versions"]
    assert os.listdir(f"{bare.home}/.local/lib/bubble/versions") == []


def put(server: FaultServer, path: str, handler: object) -> None:
    server.put(path, handler)  # type: ignore[arg-type]


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "an unknown option": (("--frce",), {}, "no option --frce"),
    "an option without its value": (("--prefix",), {}, "--prefix takes a directory"),
    "no such directory": (
        ("--offline", "/no/such/place"),
        {},
        "there is no directory /no/such/place",
    ),
    "a directory without the release": (("--offline", "/usr"), {}, "is not in /usr"),
    "no HOME": ((), {"HOME": ""}, "HOME is not set"),
    "a relative HOME": ((), {"HOME": "here"}, "HOME is not set"),
    "a place that can't be": (("--prefix", "/proc/bubble"), {}, "can't be written"),
    "a line break in the path": (("--prefix", "/tmp/a\nb"), {}, "line break"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_gets_one_clear_message_and_changes_nothing(case: str, bare: Machine) -> None:
    words, env, said = REFUSED[case]
    done = bare.run(*words, env={**bare.env(), **env})
    assert done.returncode == 1
    assert said in done.stderr, done.stderr
    assert not os.path.exists(f"{bare.home}/.local/bin/bubble")


def test_a_command_that_another_put_there_stays(machine: Machine) -> None:
    os.makedirs(f"{machine.home}/.local/bin")
    with open(f"{machine.home}/.local/bin/bubble", "w") as file:
        file.write("#!/bin/sh\necho another\n")
    before = machine.everything()
    done = machine.run("--no-init")
    assert done.returncode == 1
    assert "this script didn't make it" in done.stderr
    assert machine.everything() == before


def test_without_a_way_to_hash_nothing_is_unpacked(machine: Machine) -> None:
    os.unlink(f"{machine.bin}/sha256sum")
    done = machine.run("--no-init")
    assert done.returncode == 1
    assert "nothing is unpacked unchecked" in done.stderr
    assert os.listdir(machine.home) == []


def test_half_a_script_does_nothing(machine: Machine, tmp_path: Path) -> None:
    with open(f"{machine.out}/install.sh", "rb") as file:
        whole = file.read()
    machine.out = f"{tmp_path}"
    for part in range(1, 20):
        with open(f"{tmp_path}/install.sh", "wb") as file:
            file.write(whole[: len(whole) * part // 20])
        machine.run("--no-init")
        assert os.listdir(machine.home) == [], part
    with open(f"{tmp_path}/install.sh", "wb") as file:
        file.write(whole.removesuffix(b'main "$@"\n'))
    assert machine.run("--no-init").returncode == 0
    assert os.listdir(machine.home) == []


@pytest.mark.parametrize("tool", ["mv", *(["mkdir", "cp", "tar", "chmod", "rm"] if FULL else [])])
def test_killed_at_any_step_it_leaves_what_was_and_the_next_run_goes_on(
    tool: str, machine: Machine, newer: str
) -> None:
    assert machine.run("--no-init").returncode == 0
    old = machine.bubble("--version").stdout
    machine.out = newer
    real = os.readlink(f"{machine.bin}/{tool}")
    counter = f"{machine.home}/../count"
    os.unlink(f"{machine.bin}/{tool}")
    with open(f"{machine.bin}/{tool}", "w") as file:
        file.write(
            f"#!/bin/sh\nread -r n <'{counter}'; echo $((n - 1)) >'{counter}'\n"
            f'[ "$n" -ne 1 ] || kill -9 "$PPID"\nexec {real} "$@"\n'
        )
    os.chmod(f"{machine.bin}/{tool}", 0o755)
    for number in range(1, 4):
        with open(counter, "w") as file:
            file.write(f"{number}\n")
        ended = machine.run("--no-init")
        if ended.returncode == 0:
            break
        assert machine.bubble("--version").stdout == old
    with open(counter, "w") as file:
        file.write("0\n")
    assert machine.run("--no-init").returncode == 0
    assert machine.bubble("--version").stdout == "bubble 99.1\n"
    left = os.listdir(f"{machine.home}/.local/lib/bubble")
    assert [name for name in left if name.startswith("scratch")] == []
    assert len(os.listdir(f"{machine.home}/.local/lib/bubble/versions")) == 2
    assert os.listdir(f"{machine.home}/.local/bin") == ["bubble"]


def test_two_runs_of_the_release_script_give_the_same_bytes(tmp_path: Path, whole: str) -> None:
    again = release(f"{tmp_path}/again")
    for name in ("SHA256SUMS", "install.sh"):
        with open(f"{whole}/{name}", "rb") as one, open(f"{again}/{name}", "rb") as other:
            assert one.read() == other.read()


@pytest.mark.skipif(not FULL, reason="not here: the long form (BUBBLE_TEST_FULL=1)")
def test_a_release_has_a_bundle_a_platform_twice_the_same_bytes(
    tmp_path: Path, machine: Machine
) -> None:
    made = [release(f"{tmp_path}/{number}", bundles=True) for number in range(2)]
    (name,) = [n for n in os.listdir(made[0]) if n.startswith("bubble-")]
    assert name.endswith(f"-{host_platform(os.environ)}.sh")
    for file in (name, "SHA256SUMS"):
        with open(f"{made[0]}/{file}", "rb") as one, open(f"{made[1]}/{file}", "rb") as other:
            assert one.read() == other.read()
    machine.has("head")
    done = subprocess.run(
        ["sh", f"{made[0]}/{name}", "--no-init"],
        env=machine.env(), capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert machine.bubble("--version").returncode == 0
