"""Every finding of the doctor: produced, mended by its own command in a shell, and gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from shlex import quote

import pytest

from bubble.selection import registry
from support.clinic import PLATFORM, Clinic, old, program, write
from support.mortal import mortal
from support.needs import ROOT_ONLY, needs, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEAD = 2**22 + 1  # no process has that number: Linux's highest is 2**22


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    return Clinic(str(tmp_path), env, ["3.11.9", "3.11.8", "3.12.4"])


def test_a_healthy_machine_gets_one_line(clinic: Clinic) -> None:
    assert clinic.run("doctor") == "nothing is wrong: 1 Python, 0 environments\n"


def test_a_machine_without_anything_is_healthy(bubble: Callable[..., object]) -> None:
    done = bubble("doctor")
    assert "nothing is wrong: 0 Pythons, 0 environments" in str(done)
    assert "no Python is installed yet: bubble python install 3" in str(done)


def test_whether_a_new_shell_will_have_the_shims_is_told(clinic: Clinic) -> None:
    off_path(clinic)
    assert "bubble init --install" in clinic.examine()["path.no-shims"]["what"]
    clinic.run("init", "bash", "--install")
    assert "a new one has them" in clinic.examine()["path.no-shims"]["what"]


# PATH and the shims


def off_path(c: Clinic) -> None:
    c.env["PATH"] = c.env["PATH"].partition(":")[2]


def twice_on_path(c: Clinic) -> None:
    c.env["PATH"] += f":{c.layout.shims}/"


def shadowed(c: Clinic) -> None:
    program(f"{c.root}/early/python3", "echo early")
    c.env["PATH"] = f"{c.root}/early:{c.env['PATH']}"


def behind_pyenv(c: Clinic) -> None:
    program(f"{c.root}/.pyenv/shims/python", "echo pyenv")
    c.env["PATH"] = f"{c.root}/.pyenv/shims:{c.env['PATH']}"


def shim_missing(c: Clinic) -> None:
    os.unlink(f"{c.layout.shims}/python3")


def shim_of_another_bubble(c: Clinic) -> None:
    write(c.layout.shim, "#!/bin/sh\n# bubble shim 0\n")


# what dead processes leave


def dead_staging(c: Clinic) -> None:
    write(f"{c.layout.staging}/cpython-3.13.0.0123456789ab/bin/python", "")
    old(f"{c.layout.staging}/cpython-3.13.0.0123456789ab")


def trash(c: Clinic) -> None:
    write(f"{c.layout.trash}/cpython-3.10.1.0123456789ab/file", "")


def immutable_trash(c: Clinic) -> None:
    trash(c)
    (name,) = os.listdir(c.layout.trash)
    if subprocess.run(["chattr", "-R", "+i", f"{c.layout.trash}/{name}"], check=False).returncode:
        not_here("files can't be made immutable")
    program(f"{c.tools}/sudo", 'exec "$@"')


def temporary_file(c: Clinic) -> None:
    old(write(f"{c.layout.pythons}/.3.11.{DEAD}.0a1b2c3d.tmp", ""))


def temporary_shim(c: Clinic) -> None:
    old(write(f"{c.layout.shims}/.python3.11.{DEAD}.tmp", ""))


# the store


def dangling_link(c: Clinic) -> None:
    os.symlink(f"cpython-3.10.1-{PLATFORM}", f"{c.layout.pythons}/3.10")


def older_link(c: Clinic) -> None:
    c.run("python", "install", "3.11.8")
    os.unlink(f"{c.layout.pythons}/3.11")
    os.symlink(os.path.basename(c.key("3.11.8")), f"{c.layout.pythons}/3.11")


def no_link(c: Clinic) -> None:
    os.unlink(f"{c.layout.pythons}/3.11")


def no_receipt(c: Clinic) -> None:
    os.unlink(f"{c.prefix}/.bubble/receipt.json")


def damaged_receipt(c: Clinic) -> None:
    write(f"{c.prefix}/.bubble/receipt.json", "{")


def lost_interpreter(c: Clinic) -> None:
    os.unlink(f"{c.prefix}/bin/python3.11")


def adopted_and_gone(c: Clinic) -> None:
    c.run("python", "install", "3.12.4")
    shutil.copytree(c.key("3.12.4"), f"{c.root}/other", symlinks=True)
    c.run("python", "uninstall", "3.12.4")
    shutil.rmtree(f"{c.root}/other/.bubble")
    c.run("python", "adopt", f"{c.root}/other/bin/python3.12")
    shutil.rmtree(f"{c.root}/other")


def old_memo(c: Clinic) -> None:
    write(c.layout.answer(c.cwd), f"{c.prefix}\n1 .python-version\n.python-version\n3.11\n")


def file_for_a_directory(c: Clinic) -> None:
    write(c.layout.envs, "")


def foreign_owner(c: Clinic) -> None:
    os.chown(c.prefix, 12345, 12345)


def unwritable(c: Clinic) -> None:
    c.before = mortal()
    os.chmod(c.layout.home, 0o500)


# interpreters that don't run


def broken(c: Clinic) -> None:
    program(f"{c.prefix}/bin/python3.11", "echo 'no module named encodings' >&2; exit 1")


def newer_libc(c: Clinic) -> None:
    message = "python: /lib/libc.so.6: version `GLIBC_2.99' not found (required by python)"
    program(f"{c.prefix}/bin/python3.11", f"echo {quote(message)} >&2; exit 1")


def library_missing(c: Clinic) -> None:
    """Lack libcrypt; the package manager is a double, which brings the interpreter back."""
    shutil.copy(f"{c.prefix}/bin/python3.11", f"{c.root}/whole")
    message = "error while loading shared libraries: libcrypt.so.1: cannot open shared object file"
    program(f"{c.prefix}/bin/python3.11", f"echo {quote(message)} >&2; exit 127")
    program(f"{c.tools}/apt-get", f"cp {c.root}/whole {c.prefix}/bin/python3.11")
    program(f"{c.tools}/sudo", 'exec "$@"')


def answering(c: Clinic, answer: str) -> None:
    """Let the interpreter say to the doctor what one built for another system would say."""
    program(f"{c.prefix}/bin/python3.11", f"echo {quote(answer)}")


def certificates_elsewhere(c: Clinic) -> None:
    if not os.path.isfile("/etc/ssl/certs/ca-certificates.crt"):
        not_here("no certificates in /etc/ssl/certs")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # the machine may have needed them itself
        c.env.pop(name, None)
    answering(c, '{"certificates": ["SSL_CERT_FILE", "/no/cert.pem", "SSL_CERT_DIR", "/no"]}')


def no_terminals(c: Clinic) -> None:
    """Describe a terminal in the build's own directory alone."""
    write(f"{c.prefix}/share/terminfo/b/bubbleterm", "")
    c.env["TERM"] = "bubbleterm"
    script = """case "${TERMINFO_DIRS-}" in
*/share/terminfo) echo '{}' ;;
*) echo '{"terminal": "could not find terminfo database"}' ;;
esac"""
    program(f"{c.prefix}/bin/python3.11", script)


def no_compiler(c: Clinic) -> None:
    answering(c, '{"compiler": "nosuch-cc -pthread"}')
    program(f"{c.tools}/cc", "true")


# environments and kernels


def environment(c: Clinic, request: str = "3.11") -> registry.Environment:
    c.run("create", "train", "-p", request, "--no-pip")
    found = registry.of_name(c.layout, "train")
    assert found is not None
    return found


def broken_environment(c: Clinic) -> None:
    os.unlink(f"{environment(c).path}/bin/python")


def environment_without_interpreter(c: Clinic) -> None:
    environment(c, "3.11.9")
    c.run("python", "install", "3.11.8")
    shutil.rmtree(c.prefix)
    c.run("gc", "--only", "links")


def minor_without_interpreter(c: Clinic) -> None:
    environment(c)
    c.run("python", "uninstall", "--force", "3.11.9")


def environment_gone(c: Clinic) -> None:
    shutil.rmtree(environment(c).path)


def project_environment(c: Clinic) -> None:
    write(f"{c.cwd}/file", "the project's\n")
    c.run("create", "-p", "3.11", "--no-pip")


def project_moved(c: Clinic) -> None:
    project_environment(c)
    moved = f"{c.root}/elsewhere"
    os.rename(c.cwd, moved)
    c.cwd = moved


def project_copied(c: Clinic) -> None:
    project_environment(c)
    copy = f"{c.root}/copy"
    shutil.copytree(c.cwd, copy, symlinks=True)
    c.cwd = copy


def environment_replaced(c: Clinic) -> None:
    project_environment(c)
    shutil.rmtree(f"{c.cwd}/.venv")
    foreign_environment(c)


def environment_unregistered(c: Clinic) -> None:
    registry.forget(c.layout, environment(c))


def foreign_environment(c: Clinic) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", f"{c.cwd}/.venv"], env=c.env, check=True
    )


def stranded_environment(c: Clinic) -> None:
    """What `python -m venv` makes of one exact build, whose interpreter another one replaces."""
    made = f"{c.cwd}/v"
    os.makedirs(f"{made}/bin")
    os.makedirs(f"{made}/lib/python3.11/site-packages")
    write(f"{made}/pyvenv.cfg", f"home = {c.prefix}/bin\nversion = 3.11.9\n")
    os.symlink(f"{c.prefix}/bin/python", f"{made}/bin/python")
    c.run("python", "install", "3.11.8")
    shutil.rmtree(c.prefix)
    c.run("gc", "--only", "links")


def kernel_without_environment(c: Clinic) -> None:
    found = environment(c)
    write(f"{found.path}/lib/python3.11/site-packages/ipykernel_launcher.py", "")
    c.run("kernel", "install", "train")
    shutil.rmtree(found.path)
    registry.forget(c.layout, found)


# this shell and this directory


def python_home(c: Clinic) -> None:
    c.env["PYTHONHOME"] = sys.base_prefix


def activated_and_gone(c: Clinic) -> None:
    c.env["VIRTUAL_ENV"] = f"{c.root}/gone"


def activated_and_not_on_path(c: Clinic) -> None:
    c.env["VIRTUAL_ENV"] = environment(c).path


def certificates_gone(c: Clinic) -> None:
    c.env["SSL_CERT_FILE"] = f"{c.root}/gone.pem"


def shell_asks_for_nothing_installed(c: Clinic) -> None:
    c.env["BUBBLE_PYTHON"] = "3.99"


def pin_not_installed(c: Clinic) -> None:
    write(f"{c.cwd}/.python-version", "3.12\n")


def pin_unreadable(c: Clinic) -> None:
    with open(f"{c.cwd}/.python-version", "wb") as file:
        file.write(b"\xff\x00")


def worktree_without_its_environment(c: Clinic) -> None:
    project_environment(c)
    git, tree = f"{c.cwd}/.git/worktrees/tree", f"{c.root}/tree"
    write(f"{tree}/.git", f"gitdir: {git}\n")
    write(f"{git}/gitdir", f"{tree}/.git\n")
    c.cwd = tree


def second_pin_not_installed(c: Clinic) -> None:
    write(f"{c.cwd}/.python-version", "3.11\n3.12\n")


CASES: list[object] = [
    ("path.no-shims", off_path),
    ("path.twice", twice_on_path),
    ("path.shadowed", shadowed),
    ("path.other-manager", behind_pyenv),
    ("shims.outdated", shim_missing),
    ("shims.outdated", shim_of_another_bubble),
    ("store.leftovers", dead_staging),
    ("store.leftovers", trash),
    pytest.param("store.undeletable", immutable_trash, marks=[ROOT_ONLY, needs("chattr")]),
    ("store.leftovers", temporary_file),
    ("store.leftovers", temporary_shim),
    ("store.minor-link", dangling_link),
    ("store.minor-link", older_link),
    ("store.minor-link", no_link),
    ("store.memo-format", old_memo),
    ("store.shape", file_for_a_directory),
    pytest.param("store.owner", foreign_owner, marks=ROOT_ONLY),
    ("store.access", unwritable),
    ("python.receipt", no_receipt),
    ("python.receipt", damaged_receipt),
    ("python.damaged", lost_interpreter),
    ("python.adopted-gone", adopted_and_gone),
    ("python.broken", broken),
    ("python.libc", newer_libc),
    ("python.library", library_missing),
    ("system.certificates", certificates_elsewhere),
    ("system.terminfo", no_terminals),
    ("system.compiler", no_compiler),
    ("env.broken", broken_environment),
    ("env.interpreter-missing", environment_without_interpreter),
    ("env.interpreter-missing", minor_without_interpreter),
    ("env.missing", environment_gone),
    ("env.moved", project_moved),
    ("env.copied", project_copied),
    ("env.replaced", environment_replaced),
    ("env.unregistered", environment_unregistered),
    ("env.not-adopted", foreign_environment),
    ("env.stranded", stranded_environment),
    ("kernel.python", kernel_without_environment),
    ("variable.pythonhome", python_home),
    ("variable.virtual-env", activated_and_gone),
    ("variable.virtual-env", activated_and_not_on_path),
    ("variable.certificates", certificates_gone),
    ("choice.impossible", shell_asks_for_nothing_installed),
    ("choice.impossible", pin_not_installed),
    ("choice.impossible", pin_unreadable),
    ("choice.worktree", worktree_without_its_environment),
    ("choice.missing", second_pin_not_installed),
]


@pytest.mark.parametrize(("name", "make_ill"), CASES)
def test_a_finding_is_seen_and_its_command_mends_it(
    name: str, make_ill: Callable[[Clinic], None], clinic: Clinic
) -> None:
    make_ill(clinic)
    before = clinic.examine()
    assert name in before, before
    after = clinic.mend(before[name])
    assert name not in after, (before[name], after)
    assert after.keys() < before.keys(), "mending one thing broke another"
