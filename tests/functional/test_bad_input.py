"""Whatever is typed wrong: the right exit status, one error, one next step, no traceback."""

from __future__ import annotations

import hashlib
import os
import pwd
import socket
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from bubble.cli.main import main
from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.volume import Volume
from support.builds import archive_path, small_archive, small_mirror
from support.catalogues import release
from support.fault_handlers import status as answer
from support.figures import record
from support.needs import LINUX_ONLY, needs
from support.told import json_error, nothing_raw, one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

PROGRAM = os.path.join(os.path.dirname(sys.executable), "bubble")
SHA = "a" * 64
LONG = "a" * 100_000  # Linux takes 128 KiB in one argument; `test_a_megabyte…` has more


@dataclass(frozen=True)
class Case:
    """A command line, its exit status, the error's kind, and words of the message.

    In `line` and `env` {d} is a directory with the files that `place` makes; its words are split
    at blanks, `_` is an empty one.
    """

    line: str
    status: int
    kind: str
    says: str
    env: dict[str, str] = field(default_factory=dict)


USAGE, FAILED = 2, 1
CASES = [
    # requests
    Case("python install _", USAGE, "request", "empty"),
    Case("python install 3.x", USAGE, "request", "“3.x” is no Python request"),
    Case("python install >=3.10,<foo", USAGE, "request", "is no Python request"),
    Case("python install 3.12.4.5", USAGE, "request", "is no Python request"),
    Case("python install -- -3", USAGE, "request", "is no Python request"),
    Case("python install cpython-3.12-amiga-m68k-none", USAGE, "request", "no "),
    Case("python install \x1b[31mred\x1b[0m", USAGE, "request", "\\x1b[31mred"),
    Case("python install 3.12\n3.13", USAGE, "request", "\\n"),
    Case("python install 3.11.\u202e9", USAGE, "request", "is no Python request"),
    Case("python find \udcff\udcfe", USAGE, "request", "\\udcff"),
    Case(f"python find {LONG}", USAGE, "request", "aaa…"),
    Case("python find foo", USAGE, "request", "no version that a build could have"),
    Case("python install /usr/bin/python3", USAGE, "request", "is a path"),
    Case("python install system", USAGE, "request", "belongs to the system"),
    Case("python list foo", USAGE, "request", "no version that a build could have"),
    Case("python verify foo", USAGE, "request", "no version that a build could have"),
    # versions that there aren't
    Case("python install 3.99", FAILED, "unavailable", "the nearest is 3.12.1"),
    Case("python install 3.11.99", FAILED, "unavailable", "the newest 3.11 is 3.11.9"),
    Case("python install 4", FAILED, "unavailable", "the newest is 3.12.1"),
    Case("python install >=4", FAILED, "unavailable", "the newest is 3.12.1"),
    Case("python install 3.12t", FAILED, "unavailable", "free-threaded"),
    Case("python install 3.14", FAILED, "unavailable", "only pre-releases"),
    Case("python install pypy3.10", FAILED, "unavailable", "no PyPy"),
    Case("python install --platform aarch64-apple-darwin 3.12", FAILED, "unavailable", "darwin"),
    Case("python install --platform amiga 3.12", USAGE, "request", "“amiga” is no platform"),
    Case("python find 3.9", FAILED, "not_installed", "no installed Python satisfies “3.9”"),
    Case("python find /nonexistent", FAILED, "not_installed", "no interpreter at"),
    Case("python verify 3.9", FAILED, "not_installed", "no installed Python satisfies “3.9”"),
    Case("python uninstall 3.9", FAILED, "not_installed", "no installed Python satisfies “3.9”"),
    Case("python upgrade 3.9", FAILED, "not_installed", "no installed Python satisfies “3.9”"),
    # archives
    Case("python install --from {d}", USAGE, "usage", "there is no archive"),
    Case("python install --from {d}/missing.tar.gz", USAGE, "usage", "there is no archive"),
    Case("python install --from {d}/empty.tar.gz", FAILED, "checksum", "no checksum is known"),
    Case("python install --from {d}/empty.tar.gz --sha256 abc", USAGE, "usage", "no sha256"),
    Case(f"python install --from {{d}}/empty.tar.gz --sha256 {SHA}", USAGE, "request", "the name"),
    Case(
        f"python install --from {{d}}/empty.tar.gz --sha256 {SHA} 3.12.4",
        FAILED,
        "checksum",
        "not the bytes",
    ),
    Case("python install --from {d}/text.tar.gz --sha256 {text} 3.12.4", FAILED, "archive", "gzip"),
    Case("python install --from {d}/cut.tar.gz --sha256 {cut} 3.12.4", FAILED, "archive", "cut"),
    Case("python install --from {d}/empty.tar.gz 3.11 3.12", USAGE, "usage", "one request"),
    Case("python install --from {d}/empty.tar.gz --upgrade", USAGE, "usage", "--upgrade"),
    Case(f"python install --sha256 {SHA} 3.12", USAGE, "usage", "--sha256 goes with --from"),
    # the command line itself
    Case("pythn list", USAGE, "usage", "no command “pythn”"),
    Case("python instal 3.12", USAGE, "usage", "no command “python instal”"),
    Case("install scipy", USAGE, "usage", "no command “install”"),
    Case("python \x1b[31m", USAGE, "usage", "\\x1b[31m"),
    Case(f"{LONG}", USAGE, "usage", "no command “aaa"),
    Case("--bogus", USAGE, "usage", "no option “--bogus”"),
    Case("python --bogus", USAGE, "usage", "no option “--bogus”"),
    Case("python install --reinstal 3.12", USAGE, "usage", "no option “--reinstal”"),
    Case(f"python install --{LONG}", USAGE, "usage", "no option"),
    Case("python install --\x1b[31m", USAGE, "usage", "\\x1b[31m"),
    Case("python install", USAGE, "usage", "say which Python to install"),
    Case("python uninstall", USAGE, "usage", "REQUEST"),
    Case("python install --from", USAGE, "usage", "expected one argument"),
    Case("python dir extra", USAGE, "usage", "one argument too many"),
    Case("python list --installed --available", USAGE, "usage", "not allowed with"),
    Case("python install --reinstall --upgrade 3.12", USAGE, "usage", "not allowed with"),
    Case("help nope", USAGE, "usage", "no command “nope”"),
    # adopt and mirrors
    Case("python adopt {d}", USAGE, "usage", "no interpreter at"),
    Case("python adopt {d}/text.tar.gz", USAGE, "usage", "no interpreter at"),
    Case("python adopt /bin/ls", FAILED, "probe", "doesn't run"),
    Case("python adopt {venv}", USAGE, "usage", "virtual environment"),
    Case("mirror create", USAGE, "usage", "DIR, REQUEST"),
    Case("mirror create {d}/m 3.99", FAILED, "unavailable", "no 3.99"),
    Case("mirror create {d}/m 3.12 --base-url gopher://x", USAGE, "usage", "gopher"),
    Case("mirror pack {d}/m {d}", FAILED, "probe", "no Python interpreter"),
    Case("mirror pack {d}/m {venv} --tag ../x", USAGE, "usage", "can't be a release's tag"),
    Case("python update --url nonsense", USAGE, "usage", "nonsense"),
    Case("python update --url file:///nonexistent", FAILED, "download", "/nonexistent"),
    # variables
    Case("python list", USAGE, "usage", "BUBBLE_HOME", {"BUBBLE_HOME": "rel"}),
    Case("python find 3", USAGE, "usage", "BUBBLE_HOME", {"BUBBLE_HOME": "/a\n/b"}),
    Case("python find 3", USAGE, "usage", "BUBBLE_CACHE_DIR", {"BUBBLE_CACHE_DIR": "."}),
    Case("python list", FAILED, "store", "not a directory", {"BUBBLE_HOME": "{d}/text.tar.gz"}),
    Case("python install 3.12", FAILED, "store", "text", {"BUBBLE_HOME": "{d}/text.tar.gz"}),
    Case("python install 3.12", FAILED, "io", "no such file", {"BUBBLE_HOME": "{d}/dangling"}),
    Case("python install 3.12", FAILED, "io", "too long", {"BUBBLE_HOME": "/tmp/" + "x" * 300}),
    Case("python install 3.12", FAILED, "io", "/proc", {"BUBBLE_HOME": "/proc/nothing"}),
    Case("python install 3.12", FAILED, "store", "text", {"BUBBLE_CACHE_DIR": "{d}/text.tar.gz"}),
    Case("python list", FAILED, "catalogue", "/missing", {"BUBBLE_CATALOG": "{d}/missing"}),
    Case("python list", FAILED, "catalogue", "no JSON", {"BUBBLE_CATALOG": "{d}/text.tar.gz"}),
    Case("python list", FAILED, "catalogue", "empty", {"BUBBLE_CATALOG": "{d}/empty.tar.gz"}),
    Case("python list", FAILED, "catalogue", "catalogue.json", {"BUBBLE_CATALOG": "{d}"}),
    Case("python list", USAGE, "usage", "BUBBLE_CATALOG", {"BUBBLE_CATALOG": "rel.json"}),
    Case("python list", USAGE, "usage", "ftp://x", {"BUBBLE_CATALOG": "ftp://x/y"}),
    Case("python list", USAGE, "usage", "URL", {"BUBBLE_CATALOG": "http://"}),
    Case("python list", FAILED, "download", "efused", {"BUBBLE_CATALOG": "{refused}/c.json"}),
    Case("python list", FAILED, "download", "404", {"BUBBLE_CATALOG": "{server}/nothing"}),
    Case("python list", FAILED, "catalogue", "JSON", {"BUBBLE_CATALOG": "{server}/portal"}),
    Case(
        "python list",
        FAILED,
        "offline",
        "BUBBLE_OFFLINE",
        {"BUBBLE_CATALOG": "{server}/x", "BUBBLE_OFFLINE": "1"},
    ),
    Case(
        "python install 3.12",
        USAGE,
        "usage",
        "BUBBLE_MIRROR",
        {"BUBBLE_CATALOG": "", "BUBBLE_MIRROR": "gopher://x"},
    ),
    Case(
        "python install 3.12",
        USAGE,
        "usage",
        "BUBBLE_MIRROR",
        {"BUBBLE_CATALOG": "", "BUBBLE_MIRROR": "/a/path"},
    ),
    Case(
        "python install 3.12",
        FAILED,
        "download",
        "efused",
        {"BUBBLE_CATALOG": "", "BUBBLE_MIRROR": "{refused}"},
    ),
    Case(
        "python install 3.12",
        FAILED,
        "offline",
        "BUBBLE_OFFLINE",
        {"BUBBLE_CATALOG": "", "BUBBLE_OFFLINE": "1"},
    ),
]


def name(case: Case) -> str:
    text = " ".join([case.line, *(f"{k}={v}" for k, v in case.env.items())])
    return text.encode("unicode_escape", "backslashreplace").decode()[:70]


@pytest.fixture
def place(tmp_path: Path, server: FaultServer) -> dict[str, str]:
    """Make the files that the cases name, and return what the words in braces stand for."""
    directory = tmp_path / "files"
    directory.mkdir()
    whole = archive_path(small_archive(str(tmp_path / "whole"), "3.12.4"))
    with open(whole, "rb") as file:
        data = file.read()
    (directory / "cut.tar.gz").write_bytes(data[: len(data) // 2])
    (directory / "empty.tar.gz").write_bytes(b"")
    (directory / "text.tar.gz").write_bytes(b"this is a text\n" * 100)
    (directory / "dangling").symlink_to("/nonexistent/directory")
    server.put("/portal", answer(200, b"<html>Please log in</html>"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return {
        "d": str(directory),
        "text": _sha256(directory / "text.tar.gz"),
        "cut": _sha256(directory / "cut.tar.gz"),
        "venv": sys.prefix,
        "refused": f"http://127.0.0.1:{port}",
        "server": server.url,
        "catalogue": small_mirror(str(tmp_path / "mirror"), ["3.11.9", "3.12.1", "3.14.0rc1"]),
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_bad_input_gives_one_error_and_a_next_step(
    case: Case,
    place: dict[str, str],
    bubble: Callable[..., Result],
    env: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if "{venv}" in case.line and sys.prefix == sys.base_prefix:
        pytest.skip("needs to run in a virtual environment (scripts/test)")
    words = ["" if w == "_" else w.format(**place) for w in case.line.split(" ")]
    extra = {"BUBBLE_CATALOG": place["catalogue"]}
    extra |= {k: v.format(**place) for k, v in case.env.items()}

    done = bubble(*words, env=extra)
    assert done.status == case.status, done
    assert done.out == ""
    message, hint = one_error(done.err)
    assert case.says in message
    assert len(message) < 900

    # the same as JSON; in this process, which spares a start
    at = words.index("--") if "--" in words else len(words)
    monkeypatch.chdir(tmp_path)
    status = main([*words[:at], "--json", *words[at:]], {**env, **extra})
    told = capfd.readouterr()
    assert status == case.status
    assert told.err == ""
    error = json_error(told.out, status)
    assert error["kind"] == case.kind
    assert (error["message"], error["hint"]) == (message, hint)
    record("command lines that are wrong: one message and a next step", tried=1, held=1)


def test_a_megabyte_of_argument_is_answered_in_a_line(
    env: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["python", "find", "3" * 1_000_000],
        ["x" * 1_000_000],
        ["python", "install", "-" * 1_000_000],
    ):
        assert main(words, env) == USAGE
        assert len(one_error(capfd.readouterr().err)[0]) < 400


def test_uninstall_of_what_means_several_names_them(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    env = {"BUBBLE_CATALOG": small_mirror(str(tmp_path / "m"), ["3.11.7", "3.11.9"])}
    assert bubble("python", "install", "3.11.7", "3.11.9", env=env).status == 0
    done = bubble("python", "uninstall", "3.11", env=env)
    assert done.status == USAGE
    message, hint = one_error(done.err)
    assert "cpython-3.11.9, cpython-3.11.7" in message
    assert hint == "name one: bubble python uninstall cpython-3.11.7"
    assert bubble(*hint.partition("bubble ")[2].split(), env=env).status == 0


def test_without_home_and_without_a_passwd_entry_the_variables_are_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(KeyError):
        pwd.getpwuid(54321)
    assert main(["python", "dir"], {"PATH": os.defpath}) == USAGE
    assert "BUBBLE_HOME" in one_error(capfd.readouterr().err)[1]


@LINUX_ONLY
@needs("setpriv")
@pytest.mark.parametrize("mode", [0o000, 0o555])
@pytest.mark.parametrize("command", ["install 3.12", "find 3.12", "list --installed", "update"])
def test_a_home_that_may_not_be_used_is_refused_for_want_of_permission(
    command: str, mode: int, env: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "closed"
    (home / "pythons").mkdir(parents=True)
    catalogue = small_mirror(str(tmp_path / "m"), ["3.12.1"])
    if command == "update":
        command = f"update --url file://{_newer_index(tmp_path)}"
    home.chmod(mode)
    # root without its capabilities is a user like any other
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if not os.geteuid() else []
    try:
        done = subprocess.run(
            [*powerless, PROGRAM, "python", *command.split()],
            env={**env, "BUBBLE_HOME": str(home), "BUBBLE_CATALOG": catalogue},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        home.chmod(0o755)
    if mode == 0o555 and command in {"find 3.12", "list --installed"}:
        assert done.returncode == (FAILED if "find" in command else 0), done
        nothing_raw(done.stderr)
        return
    assert done.returncode == FAILED, done
    assert "permission denied" in one_error(done.stderr)[0].lower()


def _newer_index(tmp_path: Path) -> str:
    """Write an index that has a build which the embedded catalogue lacks."""
    path = tmp_path / "newer.ndjson"
    build = Volume(EMBEDDED).head["date"].replace("-", "")
    path.write_text(release(f"3.12.99+{build}", [("x86_64-unknown-linux-gnu", "install_only")]))
    return str(path)
