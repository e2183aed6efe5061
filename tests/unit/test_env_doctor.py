"""What the doctor says where it can't look, and of interpreters that answer strangely."""

from __future__ import annotations

import builtins
import errno
import fcntl
import os

import pytest

from bubble.envs import doctor
from bubble.envs.doctor import Patient, here, mend, path, pythons, runtime, scraps
from bubble.envs.doctor.finding import NOTE, Finding
from support.clinic import program
from support.handmade import installation, machine, write
from support.needs import LINUX_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout


def patient(layout: Layout, cwd: str = "/", **env: str) -> Patient:
    """Return this machine without certificates' variables or a terminal, as seen from `cwd`."""
    clean = {n: v for n, v in os.environ.items() if n not in {"SSL_CERT_FILE", "SSL_CERT_DIR"}}
    given = {**clean, "TERM": "dumb", **env}
    return Patient(**machine(layout, given).as_dict(), cwd=cwd, python="/no/such/python")


@LINUX_ONLY
def test_what_can_not_be_looked_at_is_a_finding_and_the_rest_is_looked_at(layout: Layout) -> None:
    installation(layout)
    os.symlink("kernels", layout.kernels)
    found = {f.id: f for f in doctor.examine(patient(layout))}
    assert found["store.unreadable"].where == layout.kernels
    assert found["store.unreadable"].what.startswith(f"{layout.kernels}: ")
    assert f"chown -R {os.geteuid()} {layout.kernels}" in found["store.unreadable"].fix
    assert "store.minor-link" in found


def test_a_mending_that_can_not_be_started_is_told(layout: Layout) -> None:
    finding = Finding(
        id="x", severity=NOTE, what="x", where="/", fix="bubble gc --only links", automatic=True
    )
    (mended,) = mend([finding, finding], patient(layout))
    assert mended.command == "bubble gc --only links"
    assert "/no/such/python" in mended.failure


# this directory


def test_a_directory_that_was_deleted_chooses_nothing(layout: Layout) -> None:
    assert list(here.choice(patient(layout, cwd=""))) == []


@pytest.mark.parametrize("own", [False, True])
def test_an_unreadable_choice_is_mended_by_what_is_installed_for_this_platform(
    layout: Layout, tmp_path: Path, *, own: bool
) -> None:
    installation(layout, "3.12.1", platform="macos-aarch64-none")
    if own:
        installation(layout, "3.11.9")
    os.symlink(".python-version", tmp_path / ".python-version")
    (finding,) = here.choice(patient(layout, cwd=str(tmp_path)))
    assert finding.id == "choice.impossible"
    assert finding.fix == f"bubble use {'3.11' if own else 'system'}"


def test_only_what_has_commands_of_ours_shadows_the_shims(layout: Layout, tmp_path: Path) -> None:
    installation(layout)
    for name in ("shims", "empty", "shadowing"):
        os.makedirs(tmp_path / name)
    write(f"{layout.shims}/python")
    program(f"{tmp_path}/empty/perl", "true")
    program(f"{tmp_path}/shadowing/python", "true")
    before = [f"{tmp_path}/{name}" for name in ("not-there", "empty", "shadowing")]
    found = path.order(patient(layout, PATH=":".join([*before, layout.shims])))
    assert [(f.id, f.where) for f in found] == [("path.shadowed", f"{tmp_path}/shadowing")]


# the store


def test_a_directory_that_only_looks_like_an_installation_needs_no_receipt(layout: Layout) -> None:
    for name in ("not-a-key-at-all", ".cpython-3.11.9-linux-x86_64-gnu"):
        os.makedirs(f"{layout.pythons}/{name}")
    assert list(pythons.receipts(patient(layout))) == []
    os.makedirs(layout.python("cpython-3.11.9-linux-x86_64-gnu"))
    assert len(list(pythons.receipts(patient(layout)))) == 1


def test_what_goes_while_owners_are_looked_at_belongs_to_nobody(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = write(f"{layout.envs}/passing")
    lstat = os.lstat

    def late(at: str, **options: int) -> os.stat_result:
        if at == passing:
            raise FileNotFoundError(at)
        return lstat(at, **options)

    monkeypatch.setattr(os, "lstat", late)
    assert list(pythons.owners(patient(layout))) == []


@pytest.mark.parametrize("readable", [False, True])
@pytest.mark.parametrize("mine", [False, True])
def test_a_store_that_may_not_be_used_is_told_with_its_owner(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, *, readable: bool, mine: bool
) -> None:
    os.makedirs(layout.home)
    owner = os.stat(layout.home).st_uid
    monkeypatch.setattr(os, "access", lambda _, mode: readable and not mode & os.W_OK)
    if not mine:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    (finding,) = pythons.owners(patient(layout))
    assert finding.id == "store.access"
    assert finding.severity == (("warning" if mine else "note") if readable else "error")
    said = "it can be used, and not changed" if readable else "it can't be read"
    if mine:
        said = "can't be written: nothing can be installed" if readable else "can't be read"
    assert said in finding.what
    assert (f"belongs to {pythons.user_name(owner)}" in finding.what) is not mine
    own = f"export BUBBLE_HOME={os.environ['HOME']}/.local/share/bubble"
    fix = f"chmod u+rwx {layout.home}" if mine else own
    assert finding.fix == fix


@LINUX_ONLY
@pytest.mark.parametrize(
    ("holder", "proc", "who", "fix"),
    [
        ("SELF", True, "process SELF (", "kill SELF"),
        ("SELF", False, "process SELF (running)", "kill SELF"),
        ("999999999", True, "a process that can't be seen from here", "fuser -k "),
        ("9" * 30, True, "a process that can't be seen from here", "fuser -k "),
    ],
)
def test_a_lock_names_its_holder_as_far_as_it_can_be_seen(
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    holder: str,
    proc: bool,
    who: str,
    fix: str,
) -> None:
    own = str(os.getpid())
    lock = write(f"{layout.locks}/store", f"{holder.replace('SELF', own)}\n")
    opened = builtins.open

    def without(at: str, *rest: str, **options: str) -> object:
        if str(at).startswith("/proc/") and not proc:
            raise FileNotFoundError(errno.ENOENT, "no such file", at)
        return opened(at, *rest, **options)  # type: ignore[call-overload]  # as it came

    with opened(lock, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(builtins, "open", without)
        (finding,) = scraps.locks(patient(layout))
        monkeypatch.undo()
    assert finding.what.startswith(who.replace("SELF", own))
    assert finding.fix.startswith(fix.replace("SELF", own))


# interpreters that run


def running(layout: Layout, script: str, **env: str) -> list[Finding]:
    """Return what is found when the one interpreter is a script."""
    made = installation(layout)
    program(f"{made.prefix}/bin/python3.11", script)
    return list(runtime.running(patient(layout, **env)))


def test_an_interpreter_that_says_no_answer_is_broken(layout: Layout) -> None:
    (finding,) = running(layout, "echo hello")
    assert finding.id == "python.broken"
    assert finding.fix.startswith("bubble python verify --repair cpython-3.11.9-")


@pytest.mark.parametrize(
    ("kind", "found"), [("file", False), ("hashed", False), ("unhashed", True), ("gone", True)]
)
def test_certificates_are_a_file_or_a_directory_of_hashes(
    layout: Layout, tmp_path: Path, kind: str, *, found: bool
) -> None:
    file = str(tmp_path / "cert.pem")
    directory = str(tmp_path / "certs")
    if kind == "file":
        write(file)
    elif kind != "gone":
        write(f"{directory}/{'0a1b2c3d.0' if kind == 'hashed' else 'root.pem'}")
    script = f'echo \'{{"certificates": ["A", "{file}", "B", "{directory}"]}}\''
    assert [f.id for f in running(layout, script)] == ["system.certificates"] * found


def test_who_names_certificates_is_asked_no_more_about_them(layout: Layout) -> None:
    script = 'echo \'{"certificates": ["A", "/no", "B", "/no"]}\''
    assert running(layout, script, SSL_CERT_DIR="/x") == []


@pytest.mark.parametrize(
    ("term", "described", "fix"),
    [
        ("odd", ("o/odd",), "export TERMINFO_DIRS=/own:PLACE"),
        ("odd", ("6f/odd",), "export TERMINFO_DIRS=/own:PLACE"),
        ("odd", ("x/xterm",), "export TERM=xterm TERMINFO_DIRS=/own:PLACE"),
        ("odd", (), "install"),
        ("../x/xterm", ("x/xterm",), "export TERM=xterm TERMINFO_DIRS=/own:PLACE"),
    ],
)
def test_a_terminal_that_is_not_described_is_replaced_by_one_that_is(
    layout: Layout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    term: str,
    described: tuple[str, ...],
    fix: str,
) -> None:
    place = str(tmp_path / "terminfo")
    write(f"{tmp_path}/x/xterm")  # which a name with `..` must not reach
    for name in described:
        write(f"{place}/{name}")
    monkeypatch.setattr(runtime, "TERMINALS", (place,))
    script = 'echo \'{"terminal": "could not find terminfo database"}\''
    (finding,) = running(layout, script, TERM=term, TERMINFO_DIRS="/own:")
    assert finding.id == "system.terminfo"
    assert fix.replace("PLACE", place) in finding.fix
