"""Environments under interrupts, rivals, full disks, mounts, and with secrets about."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support import invariants
from support.env_scene import broken, env_scene, left_behind, project, request, unregistered
from support.figures import caught, record
from support.namespace import in_namespace, require_mounts
from support.needs import LINUX_ONLY, ROOT_ONLY, real_uv
from support.patience import PATIENCE
from support.scene import command, finish
from support.trees import snapshot
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.scene import Done, Scene

pytestmark = LINUX_ONLY
SECRET = "hunter2-canary-5ecret"


@pytest.fixture
def stage() -> Iterator[Scene]:
    with env_scene() as made:
        yield made


@pytest.fixture
def installer(stage: Scene, tmp_path: Path) -> tuple[str, str]:
    """Put a uv on PATH that says its process ids into a pipe and waits; return both paths."""
    directory = tmp_path / "tools"
    directory.mkdir()
    pipe = f"{tmp_path}/pipe"
    os.mkfifo(pipe)
    program = directory / "uv"
    # it has a child of its own, as a build has
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $$ $! > '{pipe}'\nwait\n")
    program.chmod(0o755)
    stage.env["PATH"] = f"{directory}:{stage.env['PATH']}"
    return str(program), pipe


def outlives(pid: int) -> bool:
    """Whether a process that was told to end is still there: what dies isn't dead at once."""
    deadline = time.monotonic() + PATIENCE
    while is_alive(pid):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.01)
    return False


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
@pytest.mark.parametrize("old", [False, True], ids=["first", "replacing"])
def test_an_installation_of_packages_that_is_interrupted_leaves_the_old_one_or_none(
    stage: Scene, installer: tuple[str, str], name: str, *, old: bool
) -> None:
    path = f"{stage.layout.envs}/train"
    if old:
        assert stage.run("create", "train", "--no-pip", "-p", request(stage)).status == 0
    before = snapshot(path) if old else {}
    done, pids = interrupted(stage, installer[1], name)
    assert "Traceback" not in done.err
    assert done.status == (130 if name == "INT" else -getattr(signal, f"SIG{name}"))
    assert not any(outlives(pid) for pid in pids), "the installer outlived the command"
    assert os.path.lexists(path) == old
    if old:
        assert snapshot(path) == before
    assert broken(path) + unregistered(stage, path) == []
    again = stage.run("create", "train", "--force", "--no-pip", "-p", request(stage))
    assert again.status == 0, again
    assert broken(path) + unregistered(stage, path) + left_behind(stage) == []
    record("signals while an installer works in a new environment", tried=1, held=1)


def test_an_installer_that_outlives_its_command_is_seen(
    stage: Scene, installer: tuple[str, str]
) -> None:
    _, pids = interrupted(stage, installer[1], "INT", bug="orphans")
    assert all(is_alive(pid) for pid in pids)
    os.killpg(os.getpgid(pids[0]), signal.SIGKILL)
    assert not any(outlives(pid) for pid in pids)
    caught("an installer that is left alone", by="an interrupt of bubble create")


def interrupted(stage: Scene, pipe: str, name: str, bug: str = "") -> tuple[Done, list[int]]:
    """Send a signal to a creation whose installer waits; return its end, and the processes."""
    words = ("create", "train", "some-package", "--force", "--installer", "uv")
    process = stage.start(*words, "-p", request(stage), bug=bug)
    with open(pipe) as file:
        pids = [int(word) for word in file.read().split()]
    process.send_signal(getattr(signal, f"SIG{name}"))
    return finish(process), pids


@pytest.mark.parametrize("backend", ["pip", "uv"])
@pytest.mark.parametrize("old", [False, True], ids=["first", "replacing"])
def test_ctrl_c_while_a_real_installer_downloads_leaves_the_old_one_or_none(
    stage: Scene, backend: str, *, old: bool
) -> None:
    path_variable = stage.env["PATH"]
    if backend == "uv":
        path_variable = f"{os.path.dirname(real_uv())}:{path_variable}"
    bundle_real_pip(stage)
    path = f"{stage.layout.envs}/train"
    make = ("create", "train", "--force", "-p", request(stage))
    if old:
        assert stage.run(*make).status == 0
    before = snapshot(path) if old else {}
    with socket.create_server(("127.0.0.1", 0)) as server:
        index = f"http://127.0.0.1:{server.getsockname()[1]}/simple/"
        settings = {
            "PIP_INDEX_URL": index,
            "UV_DEFAULT_INDEX": index,
            "PIP_CONFIG_FILE": "/dev/null",
            "PATH": path_variable,
        }
        command_line = command(*make, "some-package", "--installer", backend)
        process = subprocess.Popen(
            command_line,
            env={**stage.env, **settings, "UV_NO_CONFIG": "1"},
            cwd=f"{stage.root}/scratch",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a group of its own, as a shell makes one for each line
        )
        server.settimeout(60)
        connection, _ = server.accept()  # it asks, and gets no answer
        os.killpg(process.pid, signal.SIGINT)
        done = finish(process)
        connection.close()
    assert invariants.unclear(done) == []
    assert done.status == 130
    assert (snapshot(path) if old else os.path.lexists(path)) == (before if old else False)
    assert stage.run(*make).status == 0
    assert broken(path, pip="") + unregistered(stage, path) + left_behind(stage) == []
    record("Ctrl-C while a real installer downloads", tried=1, held=1)


def test_what_a_killed_creation_started_keeps_its_scratch_until_it_ends(
    stage: Scene, installer: tuple[str, str]
) -> None:
    options = ("-p", request(stage), "--installer", "uv")
    process = stage.start("create", "train", "some-package", *options)
    with open(installer[1]) as pipe:
        pids = [int(word) for word in pipe.read().split()]
    process.kill()
    finish(process)
    (scratch,) = os.listdir(stage.layout.staging)
    make = ("create", "train", "--force", "--no-pip", "-p", request(stage))
    assert stage.run(*make).status == 0
    assert os.listdir(stage.layout.staging) == [scratch]
    os.killpg(os.getpgid(pids[0]), signal.SIGKILL)
    assert not any(outlives(pid) for pid in pids)  # what dies holds its descriptors a moment longer
    assert stage.run(*make).status == 0
    assert left_behind(stage) == []


def test_of_two_on_one_name_one_waits_and_then_says_that_it_is_there(stage: Scene) -> None:
    assert two_on_one_name(stage) == []
    record("commands at once on the same environments", tried=2, held=2)


def test_two_on_one_name_that_meet_are_seen(stage: Scene) -> None:
    assert two_on_one_name(stage, bug="meeting")
    caught("no lock is waited for", by="two creations of one name")


def two_on_one_name(stage: Scene, bug: str = "") -> list[str]:
    arguments = ("create", "train", "-p", request(stage))
    both = [stage.start(*arguments, bug=bug) for _ in range(2)]
    done = sorted([finish(process) for process in both], key=lambda d: d.status)
    right = [d.status for d in done] == [0, 1] and "is there already" in done[1].err
    path = f"{stage.layout.envs}/train"
    found = broken(path) + unregistered(stage, path) + left_behind(stage)
    return found if right else [*found, str(done)]


def test_many_that_need_pip_for_the_first_time_unpack_it_once(stage: Scene) -> None:
    names = [f"e{number}" for number in range(4)]
    started = [stage.start("create", name, "-p", request(stage)) for name in names]
    assert [finish(process).status for process in started] == [0] * len(names)
    paths = [f"{stage.layout.envs}/{name}" for name in names]
    assert [p for path in paths for p in broken(path) + unregistered(stage, path)] == []
    assert left_behind(stage) == []
    assert len(os.listdir(stage.layout.seeds)) == 1
    record("creations at once that need pip for the first time", tried=len(names), held=len(names))


def test_creations_and_removals_at_once_leave_one_or_none(stage: Scene) -> None:
    path = f"{stage.layout.envs}/train"
    make = ("create", "train", "--force", "--no-pip", "-p", request(stage))
    assert stage.run(*make).status == 0
    removal = ("remove", "train")
    started = [stage.start(*words) for words in (make, removal, make, removal)]
    done = [finish(process) for process in started]
    assert [found for d in done for found in invariants.unclear(d)] == []
    assert broken(path) + unregistered(stage, path) + left_behind(stage) == []
    record("commands at once on the same environments", tried=len(done), held=len(done))


@ROOT_ONLY
@pytest.mark.parametrize("free", [0, 8, 24, 40])
@pytest.mark.parametrize("command", ["create", "clone", "rename", "repair"])
def test_a_disk_that_gets_full_leaves_no_half_environment(
    stage: Scene, command: str, free: int
) -> None:
    words = {
        "create": ("create", "-p", request(stage), "train"),
        "clone": ("clone", "train", "other"),
        "rename": ("rename", "train", "other"),
        "repair": ("repair", "other"),
    }[command]
    if command != "create":
        assert stage.run("create", "train", "-p", request(stage)).status == 0
    if command == "repair":
        os.rename(f"{stage.layout.envs}/train", f"{stage.layout.envs}/other")
    stage.save("full")
    answer = in_namespace(stage, "env_full_disk", str(free), "full", *words)
    assert answer["problems"] == []
    if not free or command == "create":  # what needs little may have found it
        assert answer["first"][0] == 1, answer
        assert "the disk is full" in answer["first"][2]
    record(f"bubble {command} on a disk of so many KiB, then on a larger one", tried=1, held=1)


@ROOT_ONLY
def test_a_removal_stops_before_what_is_mounted_in_an_environment(stage: Scene) -> None:
    require_mounts(stage.root)
    assert stage.run("create", "train", "--no-pip", "-p", request(stage)).status == 0
    path = f"{stage.layout.envs}/train"
    os.mkdir(f"{path}/data")
    before = snapshot(stage.canary)
    script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
    prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh")
    refused = stage.run("remove", "train", before=(*prefix, stage.canary, f"{path}/data"))
    assert refused.status == 1
    assert f"{path}/data is mounted" in refused.err
    replaced = stage.run(
        *("create", "train", "--force", "--no-pip", "-p", request(stage)),
        before=(*prefix, stage.canary, f"{path}/data"),
    )
    assert invariants.unclear(replaced) == []
    assert snapshot(stage.canary) == before
    assert broken(path) + unregistered(stage, path) == []
    assert stage.run("remove", "train").status == 0
    assert snapshot(stage.canary) == before
    assert left_behind(stage) == []


def test_a_removal_takes_hostile_names_and_follows_no_link(stage: Scene) -> None:
    assert stage.run("create", "train", "--no-pip", "-p", request(stage)).status == 0
    path = f"{stage.layout.envs}/train"
    before = snapshot(stage.canary)
    for name in ("-rf", "a\nb", "\udcff", "x" * 255, " ", "*", "$(touch ran)"):
        os.mkdir(f"{path}/{name}")
        os.symlink(stage.canary, f"{path}/{name}/link")
        os.link(f"{stage.canary}/d/file", f"{path}/{name}/hard")
    os.symlink(f"{stage.canary}/d", f"{path}/lib/canary")
    os.symlink("/", f"{path}/root")
    os.mkfifo(f"{path}/pipe")
    os.mkdir(f"{path}/closed", 0o500)
    deep = os.open(path, os.O_RDONLY)
    for _ in range(300):  # deeper than a path may be long
        os.mkdir("deep-directory", dir_fd=deep)
        below = os.open("deep-directory", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    assert stage.run("remove", "train").status == 0
    assert snapshot(stage.canary) == before
    assert left_behind(stage) == []


def bundle_real_pip(stage: Scene) -> None:
    """Take the small pip away, so that environments get the real one."""
    for key in invariants.installed(stage):
        small = f"{stage.layout.python(key)}/lib/python3.11/ensurepip/_bundled"
        for name in os.listdir(small) if os.path.isdir(small) else ():
            if name.startswith("pip-99"):
                os.unlink(f"{small}/{name}")


class Index(BaseHTTPRequestHandler):
    """A package index that wants a password; it remembers which ones it was given."""

    directory = ""
    authorized: list[str] = []  # noqa: RUF012 - set anew by the test
    arguments: list[bytes] = []  # noqa: RUF012 - as above

    def do_GET(self) -> None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    self.arguments.append(file.read())
            except OSError:
                continue
        given = self.headers.get("Authorization", "")
        name = self.path.rpartition("/")[2]
        body, status = b"", 404
        if not given:
            status = 401
        else:
            self.authorized.append(given)
            if self.path == "/simple/hello/":
                (file_name,) = (n for n in os.listdir(self.directory) if n.startswith("hello-"))
                body, status = f'<a href="/files/{file_name}">{file_name}</a>'.encode(), 200
            elif name in os.listdir(self.directory):
                with open(f"{self.directory}/{name}", "rb") as file:
                    body, status = file.read(), 200
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("package", ["hello", "no-such-package"])
def test_the_password_of_an_index_is_used_and_written_nowhere(
    stage: Scene, tmp_path: Path, package: str
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    wheel(str(served), "hello", "1.0", script="hello")
    bundle_real_pip(stage)
    Index.directory, Index.authorized, Index.arguments = str(served), [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        index = f"http://user:{SECRET}@127.0.0.1:{server.server_port}/simple/"
        environment = {
            "PIP_INDEX_URL": index,
            "PIP_CONFIG_FILE": os.devnull,
            "HOME": f"{stage.root}/user",
            "BUBBLE_DEBUG": "",
        }
        options = ("-p", request(stage), "--installer", "pip")
        done = stage.run("create", "train", package, *options, env=environment)
        asked_json = stage.run("create", "other", package, "--json", *options, env=environment)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert Index.authorized, "the password was never used"
    assert done.status == (0 if package == "hello" else 1), done
    assert asked_json.status == done.status
    if done.status == 0:
        assert stage.run("run", "train", "hello").out == "hello 1.0\n"
    said = done.out + done.err + asked_json.out + asked_json.err
    assert SECRET not in said
    assert not [words for words in Index.arguments if SECRET.encode() in words]
    written = subprocess.run(
        ["grep", "-rlaF", SECRET, stage.disk, f"{stage.root}/user", project(stage)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (written.returncode, written.stdout) == (1, ""), written
