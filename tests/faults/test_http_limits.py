"""What bounds a download: time, rate, memory, the disk; and what it never tells or passes on."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http.download import download
from bubble.system.http.fetch import fetch
from support.fault_handlers import Exchange, Resource, hang_up, redirect, sequence, status
from support.fault_server import FaultServer, serve
from support.needs import LINUX_ONLY, needs
from support.patience import PATIENCE
from support.transfers import ALONE, Target, sha256, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

DATA = some_bytes(300_000)
SECRET = "hunter2"


def drip_head(exchange: Exchange) -> None:
    exchange.sock.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not exchange.server.stopping.wait(0.05):
        exchange.sock.sendall(b"x")


@pytest.mark.parametrize("length", ["right", "none", "chunked"])
def test_a_byte_now_and_then_does_not_run_for_ever(
    server: FaultServer, target: Target, length: str
) -> None:
    url = server.put("/file", Resource(DATA, rate=20, length=length))
    slow = ALONE.replace(minimum_rate=1000, rate_window=0.3, attempts=2)
    error = target.fails(url, settings=slow)
    assert "too slow" in error.message
    assert len(server.log) == 2


@pytest.mark.parametrize("handler", [Resource(DATA, rate=20), drip_head])
def test_the_deadline_ends_what_is_slow(
    server: FaultServer, target: Target, handler: object
) -> None:
    assert callable(handler)
    started = time.monotonic()
    error = target.fails(server.put("/file", handler), settings=ALONE.replace(deadline=0.5))
    assert "not done within 0.5 s" in error.message
    assert time.monotonic() - started < PATIENCE
    assert not [t for t in threading.enumerate() if t.name.endswith("(_work)")]


def test_the_deadline_counts_retries_and_all_places(server: FaultServer, target: Target) -> None:
    one, two = server.put("/1", status(503)), server.put("/2", status(503))
    settings = ALONE.replace(deadline=0.5, backoff=5, backoff_limit=5)
    assert "not done within" in target.fails(one, two, settings=settings).message


def test_a_server_that_says_nothing_times_out(server: FaultServer, target: Target) -> None:
    def say_nothing(exchange: Exchange) -> None:
        exchange.server.stopping.wait()

    url = server.put("/file", say_nothing)
    error = target.fails(url, settings=ALONE.replace(read_timeout=0.2, attempts=1))
    assert "timed out" in error.message


MEMORY = """
import resource, sys
from bubble.system.http.download import download
from bubble.system.http.settings import Settings
url, small, destination, sha256, small_sha256, connections = sys.argv[1:]
settings = Settings(connections=int(connections), segment_after=0.01, near=60)
download([small], destination + ".small", sha256=small_sha256, env={}, settings=settings)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
done = download([url], destination, sha256=sha256, env={}, settings=settings)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@LINUX_ONLY
@pytest.mark.parametrize("connections", [1, 8])
def test_memory_does_not_grow_with_the_file(
    server: FaultServer, tmp_path: Path, connections: int
) -> None:
    size = 200 * 1024 * 1024
    sparse = tmp_path / "sparse"
    with open(sparse, "wb") as file:
        file.truncate(size)
    import hashlib

    with open(sparse, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    url = server.put("/file", Resource(str(sparse)))
    if connections > 1:
        url = server.put("/file", Resource(str(sparse), rate=60_000_000))
    small = server.put("/small", Resource(DATA))
    arguments = [url, small, str(tmp_path / "got"), digest, sha256(DATA), str(connections)]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *arguments], check=True, capture_output=True, text=True
    )
    assert os.path.getsize(tmp_path / "got") == size
    # eight threads' stacks and buffers take 12 MiB, whatever the size
    assert int(done.stdout) < 32 * 1024, f"{done.stdout} KiB"
    assert len(server.requests("/file")) >= connections


NO_SPACE = """
import resource, signal, sys
from bubble.model.errors import BubbleError
from bubble.system.http.download import download
try:
    download([sys.argv[1]], sys.argv[2], sha256=sys.argv[3], env={})
except BubbleError as error:
    print(error.kind)
"""


@needs("mount", "unshare")
def test_a_full_disk_is_said_and_a_retry_goes_on(
    server: FaultServer, target: Target, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("not here: mount namespaces are not allowed")
    url = server.put("/file", Resource(DATA))
    script = (
        'mount -t tmpfs -o size=200k none "$1" && "$2" -c "$3" "$4" "$1/file" "$5" && ls "$1" '
        '&& mount -o remount,size=2m "$1" && "$2" -c "$3" "$4" "$1/file" "$5" && ls "$1"'
    )
    arguments = [str(small), sys.executable, NO_SPACE, url, sha256(DATA)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    first, *left = done.stdout.split()
    assert first == "no_space"
    assert left[-1] == "file"
    assert set(left[:-1]) <= {"file.part", "file.part.json"}
    # what was written is not sent again, as far as the full disk let us note it
    assert server.sent <= 2 * len(DATA)
    assert target.left() == []


def test_a_directory_that_cannot_be_made_is_an_error(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")
    url = server.put("/file", Resource(DATA))
    target = Target(str(tmp_path / "blocked" / "file"), DATA)
    with pytest.raises(BubbleError) as caught:
        target.get(url)
    assert caught.value.kind == "io"
    assert server.log == []


INTERRUPTED = """
import sys
from bubble.system.http.download import download
from bubble.system.http.settings import Settings
settings = Settings(connections=4, segment_after=0.01, segment_size=100_000, near=60)
print("started", flush=True)
try:
    download([sys.argv[1]], sys.argv[2], sha256=sys.argv[3], env={}, settings=settings)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("handler", [drip_head, Resource(DATA, rate=1000)])
def test_ctrl_c_ends_a_download_that_hangs(
    server: FaultServer, target: Target, handler: object
) -> None:
    assert callable(handler)
    url = server.put("/file", handler)
    arguments = [url, target.path, sha256(DATA)]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + PATIENCE
        while not server.log:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
    assert out.split() == ["started", "interrupted"]
    assert process.returncode == 0


def everything_told(error: BaseException) -> str:
    """Return all that a log or a traceback of the error could show."""
    assert isinstance(error, BubbleError)
    shown = "".join(traceback.format_exception(error))
    return f"{shown} {error.message} {error.hint} {error.details} {error.args}"


@pytest.mark.parametrize(
    "handler",
    [status(404), status(500), hang_up, redirect("http://user:hunter2@[broken"),
     redirect("http://user:hunter2@host:port/"), redirect("ftp://user:hunter2@host/"),
     redirect("?again=hunter2"), Resource(DATA, cut=10), Resource(DATA[:-1])],
)  # fmt: skip
def test_no_error_tells_a_secret(server: FaultServer, target: Target, handler: object) -> None:
    assert callable(handler)
    server.put("/file", handler)
    url = f"http://user:{SECRET}@127.0.0.1:{server.port}/file?token={SECRET}"
    with pytest.raises(BubbleError) as caught:
        download([url], target.path, sha256=sha256(DATA), env={}, settings=ALONE)
    assert SECRET not in everything_told(caught.value)
    with pytest.raises(BubbleError) as caught:
        fetch(url, limit=1000, env={}, settings=ALONE)
    assert SECRET not in everything_told(caught.value)
    for name in target.left():
        with open(os.path.join(os.path.dirname(target.path), name), "rb") as file:
            assert SECRET.encode() not in file.read()


def test_no_state_file_tells_a_secret(server: FaultServer, target: Target) -> None:
    server.put("/file", Resource(DATA, cut=200_000))
    url = f"http://user:{SECRET}@127.0.0.1:{server.port}/file?token={SECRET}"
    with pytest.raises(BubbleError):
        download(
            [url], target.path, sha256=sha256(DATA), env={}, settings=ALONE.replace(attempts=1)
        )
    with open(f"{target.path}.part.json", encoding="ascii") as file:
        assert SECRET not in file.read()
    server.put("/file", Resource(DATA))
    target.get(url)
    assert server.log[-1].headers["if-range"] == '"v1"'


def test_credentials_go_to_their_origin_alone(server: FaultServer, target: Target) -> None:
    with serve() as other:
        other.put("/file", Resource(DATA, headers={"Set-Cookie": "a=b"}))
        server.put("/own", redirect(f"{other.url}/file"))
        server.put("/file", redirect("/own"))
        target.get(f"http://user:{SECRET}@127.0.0.1:{server.port}/file")
        assert ["authorization" in entry.headers for entry in server.log] == [True, True]
        (entry,) = other.log
        assert not {"authorization", "cookie", "referer"} & entry.headers.keys()


def test_cookies_are_not_kept(server: FaultServer, target: Target) -> None:
    limping = Resource(DATA, cut=1000, headers={"Set-Cookie": "id=1; Path=/"})
    target.get(server.put("/file", sequence(limping, Resource(DATA))))
    assert all("cookie" not in entry.headers for entry in server.log)


def test_a_proxy_of_the_environment_is_used(server: FaultServer, target: Target) -> None:
    server.put("http://elsewhere.test/file", Resource(DATA))
    env = {"http_proxy": f"http://user:{SECRET}@127.0.0.1:{server.port}"}
    target.get("http://elsewhere.test/file", env=env)
    assert server.log[0].headers["proxy-authorization"].startswith("Basic ")
    os.unlink(target.path)
    url = server.put("/file", Resource(DATA))
    target.get(url, env={"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"})
    os.unlink(target.path)
    error = target.fails(url, env={"http_proxy": f"nonsense://user:{SECRET}@x"})
    assert error.kind == "usage"
    assert SECRET not in everything_told(error)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://x"])
def test_a_proxy_that_can_not_be_used_fails_only_what_goes_by_it(
    server: FaultServer, target: Target, proxy: str
) -> None:
    url = server.put("/file", Resource(DATA))
    server.put("http://elsewhere.test/file", Resource(DATA))
    ours = f"http://127.0.0.1:{server.port}"
    target.get("http://elsewhere.test/file", env={"all_proxy": proxy, "http_proxy": ours})
    os.unlink(target.path)
    target.get(url, env={"all_proxy": proxy, "no_proxy": "127.0.0.1"})
    os.unlink(target.path)
    error = target.fails(url, env={"all_proxy": proxy})
    assert proxy in error.message or error.kind == "download"  # with the extra: nobody listens


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "machine elsewhere.test", "default"])
def test_a_netrc_gives_a_server_its_own_line_and_nobody_elses(
    server: FaultServer, target: Target, tmp_path: Path, entry: str
) -> None:
    url = server.put("/file", Resource(DATA))
    own = entry == "machine 127.0.0.1"
    (tmp_path / ".netrc").write_text(f"{entry} login me password {SECRET}\n")
    for env in ({"HOME": str(tmp_path)}, {"NETRC": str(tmp_path / ".netrc")}):
        target.get(url, env=env)
        os.unlink(target.path)
    target.get(f"http://you:x@127.0.0.1:{server.port}/file", env={"HOME": str(tmp_path)})
    sent = [entry.headers.get("authorization", "") for entry in server.log]
    line, theirs = (
        f"Basic {base64.b64encode(login.encode()).decode()}" for login in (f"me:{SECRET}", "you:x")
    )
    assert sent == [line if own else ""] * 2 + [theirs]


def test_who_asks_for_a_name_and_a_password_is_named(server: FaultServer, target: Target) -> None:
    url = server.put("/file", status(401))
    assert ".netrc" in target.fails(url).hint
    error = target.fails(f"http://user:{SECRET}@127.0.0.1:{server.port}/file")
    assert "doesn't take" in error.message
    assert SECRET not in everything_told(error)
    server.put("http://elsewhere.test/file", status(407))
    ours = {"http_proxy": f"http://127.0.0.1:{server.port}"}
    error = target.fails("http://elsewhere.test/file", env=ours)
    assert "the proxy wants" in error.message
    assert "in HTTP_PROXY or" in error.hint
