"""install.sh under every shell and in hostile surroundings, on a release of a few KB.

tests/real/test_install_script.py installs a real one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.fault_handlers import Resource, hang_up, portal, status
from support.fault_server import serve
from support.machines import SHELLS, Machine
from support.needs import NOT_ROOT, ROOT_ONLY, needs, which
from support.small_release import ARCHIVE, small_release

if TYPE_CHECKING:
    import tarfile
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(str(tmp_path), small_release(f"{tmp_path}/a release"))


def installed(machine: Machine, version: str = "1.0") -> None:
    done = machine.bubble("--version")
    assert (done.stdout, done.returncode) == (f"bubble {version}\n", 0), done.stderr
    left = os.listdir(f"{machine.home}/.local/lib/bubble")
    assert set(left) <= {"command", "lock", "made", "versions"}
    assert os.listdir(f"{machine.home}/.local/bin") == ["bubble"]


@pytest.mark.parametrize("name", SHELLS)
@needs("busybox", "ksh", "zsh")
def test_every_shell_installs_updates_and_fails_alike(name: str, machine: Machine) -> None:
    shell = tuple(SHELLS[name])
    assert machine.run("--dry-run", shell=shell).returncode == 0
    assert machine.everything() == {}
    done = machine.run("--no-init", shell=shell)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    installed(machine)
    whole = machine.everything()
    machine.out = small_release(f"{machine.root}/newer", version="2.0")
    os.unlink(f"{machine.out}/{ARCHIVE}")
    machine.has("curl")
    failed = machine.run("--no-init", shell=shell)
    assert failed.returncode == 1
    assert "can't be fetched" in failed.stderr
    assert machine.everything() == whole
    machine.out = small_release(f"{machine.root}/newer", version="2.0")
    updated = machine.run("--no-init", shell=shell)
    assert updated.returncode == 0, updated.stderr
    installed(machine, "2.0")


@pytest.mark.parametrize("has_flock", [True, False])
def test_two_at_once_are_one_and_a_refusal(has_flock: bool, machine: Machine) -> None:
    if has_flock:
        if which("flock") is None:
            pytest.skip("needs flock (apt install util-linux)")
        machine.has("flock")
    tar = os.readlink(f"{machine.bin}/tar")
    os.mkfifo(f"{machine.root}/go")
    machine.stands_for("tar", f"read -r go <'{machine.root}/go'; exec {tar} \"$@\"")
    first = subprocess.Popen(machine.command("--no-init"), env=machine.env())
    with open(f"{machine.root}/go", "w") as go:  # opens when tar reads
        refused = machine.run("--no-init")
        go.write("\n")
    assert first.wait() == 0
    assert refused.returncode == 1
    assert "another installation is at work" in refused.stderr
    installed(machine)


def test_a_lock_whose_number_another_process_has_by_now_is_nobodys(machine: Machine) -> None:
    os.makedirs(f"{machine.home}/.local/lib/bubble/versions")
    with open(f"{machine.home}/.local/lib/bubble/process", "w") as file:
        file.write(f"{os.getpid()} 17\n")
    with open(f"{machine.home}/.local/lib/bubble/made", "w") as file:
        file.write(f"{machine.home}/.local\n")
    done = machine.run("--no-init")
    assert done.returncode == 0, done.stderr
    installed(machine)


def answered(kind: str, data: bytes) -> object:
    return {
        "another's bytes": Resource(data[:-1] + bytes([data[-1] ^ 1])),
        "a portal's page": portal,
        "cut": Resource(data, cut=len(data) // 2, ranges=False),
        "nothing": hang_up,
        "404": status(404, b"no"),
        "500": status(500, b"no"),
    }[kind]


GETTERS = ("curl", "wget", "busybox", "python3")


@pytest.mark.parametrize("getter", GETTERS)
@needs("curl", "wget", "busybox")
def test_what_a_network_does_is_told_and_leaves_nothing(getter: str, machine: Machine) -> None:
    machine.has(getter, *(["sleep"] if getter == "curl" else []))
    if getter == "busybox":
        os.symlink(f"{machine.bin}/busybox", f"{machine.bin}/wget")
    with open(f"{machine.out}/{ARCHIVE}", "rb") as archive:
        data = archive.read()
    os.unlink(f"{machine.out}/{ARCHIVE}")
    for kind in ("another's bytes", "a portal's page", "cut", "nothing", "404", "500"):
        with serve() as server:
            with open(f"{machine.out}/install.sh", encoding="utf-8") as file:
                text = file.read()
            pointed = text.replace("http://127.0.0.1:9/", f"{server.url}/")
            alone = f"{machine.root}/alone"
            os.makedirs(alone, exist_ok=True)
            with open(f"{alone}/install.sh", "w", encoding="utf-8") as file:
                file.write(pointed)
            server.put(f"/{ARCHIVE.replace('+', '%2B')}", answered(kind, data))  # type: ignore[arg-type]
            mine, machine.out = machine.out, alone
            done = machine.run("--no-init")
            machine.out = mine
        assert done.returncode == 1, kind
        said = "can't be fetched" if kind in {"nothing", "404", "500"} else "has other bytes"
        assert said in done.stderr or (kind == "cut" and "can't be fetched" in done.stderr), kind
        assert len(done.stderr.splitlines()) == 2
        assert machine.everything() == {}, kind


@needs("wget")
def test_a_downloader_that_cannot_is_not_the_last_word(machine: Machine) -> None:
    machine.stands_for("curl", "exit 127")  # a shim of a manager without that version
    machine.has("wget")
    with serve(machine.out) as server:
        fetched = f"{machine.root}/fetched"
        small_release(fetched, url=server.url)
        os.unlink(f"{fetched}/{ARCHIVE}")
        machine.out = fetched
        done = machine.run("--no-init")
    assert done.returncode == 0, done.stderr
    installed(machine)


NAMES = (
    *("prefix", "offline", "target", "scratch", "here", "said", "command", "yes", "made", "held"),
    *("fresh", "number", "since", "kept", "url", "before", "code", "only", "dry", "explained"),
)
HARMLESS: dict[str, dict[str, str]] = {
    "a search path of cd": {"CDPATH": "/:/tmp:/usr"},
    "separators": {"IFS": "/e"},
    "tar's options": {"TAR_OPTIONS": "--exclude=bin"},
    "gzip's options": {"GZIP": "-z"},
    "another's names": dict.fromkeys(NAMES, "/nowhere"),
    "pip's": {"PIP_PYTHON": "/nowhere", "PIP_TARGET": "/nowhere", "PIP_DRY_RUN": "1"},
    "no language": {"LC_ALL": "xx_YY.nowhere"},
    "no temporary directory": {"TMPDIR": "/nowhere"},
}


@pytest.mark.parametrize("case", HARMLESS)
def test_variables_change_nothing(case: str, machine: Machine) -> None:
    os.mkdir(f"{machine.root}/here")
    os.symlink(machine.out, f"{machine.root}/here/release")
    machine.out = "release"
    done = machine.run("--no-init", env=machine.env(**HARMLESS[case]), cwd=f"{machine.root}/here")
    assert done.returncode == 0, done.stderr
    installed(machine)


PREFIXES = ["it's", 'a "b"', "a $HOME", "a `id`", "a;b", "-n", "é\u00a0", "a\\n", "a:b", "%s"]


@pytest.mark.parametrize("name", PREFIXES)
def test_any_prefix_will_do(name: str, machine: Machine) -> None:
    done = machine.run("--no-init", "--prefix", name, cwd=machine.home)
    assert done.returncode == 0, done.stderr
    assert machine.bubble("--version").stdout == "bubble 1.0\n"
    assert os.path.isdir(f"{machine.home}/{name}/versions")
    again = machine.run("--no-init")  # an update goes where it is
    assert again.returncode == 0, again.stderr
    assert not os.path.exists(f"{machine.home}/.local/lib")
    other = machine.run("--no-init", "--prefix", f"{machine.home}/other")
    assert other.returncode == 1
    assert "already" in other.stderr


def test_a_directory_with_others_files_is_no_prefix(machine: Machine) -> None:
    theirs = f"{machine.home}/.pyenv/versions/3.12.1"
    os.makedirs(theirs)
    before = machine.everything()
    everybodys = ("/",) if os.geteuid() == 0 else ()
    for prefix in (f"{machine.home}/.pyenv", machine.home, f"{machine.home}/.pyenv/", *everybodys):
        done = machine.run("--no-init", "--prefix", prefix)
        assert done.returncode == 1
        assert "has other files in it" in done.stderr
    assert machine.everything() == before


@pytest.mark.parametrize("name", ["versions", "lock", "made", "process"])
def test_what_has_another_type_than_its_name_is_for_is_told_and_stays(
    name: str, machine: Machine
) -> None:
    prefix = f"{machine.home}/.local/lib/bubble"
    assert machine.run("--no-init").returncode == 0
    os.rename(f"{prefix}/versions", f"{machine.root}/versions")
    if name == "versions":
        os.symlink("/etc/passwd", f"{prefix}/versions")
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{prefix}/{name}")
        os.makedirs(f"{prefix}/{name}/of-mine")
        with contextlib.suppress(FileExistsError):  # by it the prefix is known as bubble's
            os.mknod(f"{prefix}/made")
    before = machine.everything()
    done = machine.run("--no-init")
    assert done.returncode == 1
    assert f"{prefix}/{name} is " in done.stderr, done.stderr
    assert [line[:8] for line in done.stderr.splitlines()] == ["install.", "  hint: "]
    assert machine.everything() == before


@ROOT_ONLY
def test_a_directory_of_somebody_elses_is_no_prefix(machine: Machine) -> None:
    os.mkdir(f"{machine.root}/theirs")
    os.chown(f"{machine.root}/theirs", 12345, 12345)
    done = machine.run("--no-init", "--prefix", f"{machine.root}/theirs")
    assert done.returncode == 1
    assert "somebody else's" in done.stderr
    assert os.listdir(f"{machine.root}/theirs") == []


def test_a_link_to_a_directory_is_followed_and_stays(machine: Machine) -> None:
    os.mkdir(f"{machine.home}/disk")
    os.symlink("disk", f"{machine.home}/prefix")
    done = machine.run("--no-init", "--prefix", f"{machine.home}/prefix")
    assert done.returncode == 0, done.stderr
    with open(f"{machine.home}/.local/bin/bubble") as file:
        assert f"# prefix: {machine.home}/disk\n" in file.read()
    assert machine.run("--no-init", "--prefix", f"{machine.home}/prefix").returncode == 0


@ROOT_ONLY
def test_files_are_roots_that_an_archive_gives_to_somebody(tmp_path: Path) -> None:
    def change(member: tarfile.TarInfo) -> None:
        member.uid = member.gid = 12345

    machine = Machine(str(tmp_path), small_release(f"{tmp_path}/release", change=change))
    assert machine.run("--no-init").returncode == 0
    owners = {os.lstat(f"{d}/{n}").st_uid for d, ds, fs in os.walk(machine.home) for n in ds + fs}
    assert owners == {0}


def test_a_careless_umask_lets_nobody_write(machine: Machine) -> None:
    old = os.umask(0)
    try:
        assert machine.run("--no-init").returncode == 0
    finally:
        os.umask(old)
    modes = {os.lstat(f"{d}/{n}").st_mode & 0o22 for d, ds, fs in os.walk(machine.home)
             for n in ds + fs}  # fmt: skip
    assert modes == {0}


BAD: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "an unknown option": (("--frce",), {}, "no option --frce"),
    "an option without its value": (("--prefix",), {}, "--prefix takes a directory"),
    "an empty value": (("--offline", ""), {}, "--offline takes a directory"),
    "an empty value after =": (("--offline=",), {}, "--offline takes a directory"),
    "an empty prefix after =": (("--prefix=",), {}, "--prefix takes a directory"),
    "no such directory": (("--offline", "/no/such"), {}, "there is no directory /no/such"),
    "a directory without the release": (("--offline", "/usr"), {}, "is not in /usr"),
    "no HOME": ((), {"HOME": ""}, "HOME is not set"),
    "a relative HOME": ((), {"HOME": "here"}, "HOME is not set"),
    "a HOME that isn't": ((), {"HOME": "/proc/nobody"}, "can't be written"),
    "a place that can't be": (("--prefix", "/proc/bubble"), {}, "can't be written"),
    "a file for a prefix": (("--prefix", "/etc/passwd"), {}, "is no directory"),
    "a line break in the path": (("--prefix", "/tmp/a\nb"), {}, "line break"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_message_and_changes_nothing(case: str, machine: Machine) -> None:
    words, env, said = BAD[case]
    os.unlink(f"{machine.out}/{ARCHIVE}")
    done = machine.run(*words, env={**machine.env(), **env})
    assert done.returncode == 1
    assert said in done.stderr, done.stderr
    assert [line[:8] for line in done.stderr.splitlines()] == ["install.", "  hint: "]
    assert machine.everything() == {}


@NOT_ROOT
def test_a_directory_for_commands_that_is_not_the_users_is_told_before_anything(
    machine: Machine,
) -> None:
    os.makedirs(f"{machine.home}/.local/bin")
    os.chmod(f"{machine.home}/.local/bin", 0o555)
    done = machine.run("--no-init")
    assert done.returncode == 1
    assert f"{machine.home}/.local/bin can't be written" in done.stderr
    assert os.listdir(f"{machine.home}/.local") == ["bin"]


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
    assert machine.everything() == {}


def test_half_a_script_does_nothing(machine: Machine) -> None:
    with open(f"{machine.out}/install.sh", "rb") as file:
        whole = file.read()
    alone = f"{machine.root}/cut"
    shutil.copytree(machine.out, alone)
    machine.out = alone
    last = len(whole.removesuffix(b'{ main "$@"; }\n'))
    assert last < len(whole)
    for end in (*range(0, last, len(whole) // 20), *range(last - 3, len(whole) - 2)):
        with open(f"{alone}/install.sh", "wb") as file:
            file.write(whole[:end])
        machine.run("--no-init")
        assert machine.everything() == {}, whole[:end][-40:]


def test_a_damaged_installation_is_mended_by_a_second_run(machine: Machine) -> None:
    assert machine.run("--no-init").returncode == 0
    (version,) = os.listdir(f"{machine.home}/.local/lib/bubble/versions")
    os.unlink(f"{machine.home}/.local/lib/bubble/versions/{version}/bin/python3")
    os.unlink(f"{machine.home}/.local/lib/bubble/made")
    assert machine.run("--no-init").returncode == 0
    installed(machine)
    assert os.path.exists(f"{machine.home}/.local/lib/bubble/made")


PLATFORMS = {
    "a Pi with a 64-bit kernel": ("Linux", "aarch64", "32", "linux-armv7-gnueabihf"),
    "a Pi": ("Linux", "armv7l", "32", "linux-armv7-gnueabihf"),
    "a PC with a 32-bit userland": ("Linux", "x86_64", "32", "linux-i686-gnu"),
    "a server": ("Linux", "ppc64le", "64", "linux-powerpc64le-gnu"),
    "a Mac": ("Darwin", "arm64", "64", "darwin-aarch64-none"),
}


@pytest.mark.parametrize("case", PLATFORMS)
def test_the_platform_is_what_programs_are_built_for(case: str, machine: Machine) -> None:
    system, architecture, bits, expected = PLATFORMS[case]
    machine.stands_for("uname", f"[ $1 = -s ] && echo {system} || echo {architecture}")
    machine.stands_for("getconf", f"echo {bits}")
    done = machine.run("--dry-run")
    assert expected in done.stdout + done.stderr
