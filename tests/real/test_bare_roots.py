"""install.sh in roots of Debian 11 and 12 by debootstrap: no Python, no curl, one downloader.

Long: each root is made anew. The downloaders are tried under each shell on a release of a few KB,
whose interpreter is a double; the whole way to a running Python, and back, with real ones: Debian
12 has this machine's C library, for Debian 11 one is built (`support.old_python`).
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support import old_python
from support.builds import packed_mirror
from support.debian_roots import HOME, LIBRARIES, debian, in_root
from support.fault_server import serve
from support.needs import FULL_ONLY, ROOT_ONLY
from support.releases import needed, pointed, release, wheels
from support.small_release import small_release

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = (("dash",), ("bash",), ("busybox", "sh"), ("ksh",), ("zsh", "--emulate", "sh"))
GETTERS = ("wget", "busybox", "python3")  # Debian 11 has Python 3.9
PACKAGES = ("busybox", "ksh", "python3", "wget", "zsh")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("roots"))


@FULL_ONLY
@ROOT_ONLY
def test_debian_11_installs_with_each_downloader_under_each_shell(
    place: str, tmp_path: Path
) -> None:
    root = debian(place, "bullseye", PACKAGES)
    os.mkdir(f"{tmp_path}/release")
    with serve(f"{tmp_path}/release") as server:
        small_release(f"{tmp_path}/release", url=server.url, base=server.url)
        shutil.copy(f"{tmp_path}/release/install.sh", f"{root}/srv/install.sh")
        for getter in GETTERS:
            hidden = hide(root, {*GETTERS} - {getter})
            if getter == "busybox":
                os.symlink("busybox", f"{root}/bin/wget")
            for shell in SHELLS:
                if shell[0] == "busybox" and getter != "busybox":
                    continue
                done = in_root(root, *shell, "/srv/install.sh", "--no-init")
                assert done.returncode == 0, (getter, shell, done.stderr)
                assert in_root(root, "bubble", "--version").stdout == "bubble 1.0\n"
                shutil.rmtree(f"{root}{HOME}")
            if getter == "busybox":
                os.unlink(f"{root}/bin/wget")
            show(hidden)


def hide(root: str, programs: set[str]) -> list[str]:
    """Rename programs of a root so that nobody finds them; return their paths."""
    found = [f"{root}/usr/bin/{name}" for name in programs] + [f"{root}/bin/{n}" for n in programs]
    there = [path for path in found if os.path.lexists(path)]
    hidden = []
    for path in there:
        if os.path.lexists(path):  # /bin may be /usr/bin
            os.rename(path, f"{path}.hidden")
            hidden.append(path)
    return hidden


def show(hidden: list[str]) -> None:
    for path in hidden:
        os.rename(f"{path}.hidden", path)


@FULL_ONLY
@ROOT_ONLY
def test_debian_12_without_python_or_curl_gets_from_nothing_to_a_python_and_back(
    place: str, tmp_path: Path
) -> None:
    root = debian(place, "bookworm", LIBRARIES)
    assert not any(os.path.exists(f"{root}/usr/bin/{n}") for n in ("python3", "curl", "wget"))
    whole = release(str(tmp_path))
    wheels(whole)
    shutil.copytree(whole, f"{root}/srv/release")
    shutil.copytree(packed_mirror(["3.11"]), f"{root}/srv/mirror")
    refused = in_root(root, "sh", "-c", "sh -s -- --no-init </srv/release/install.sh")
    assert refused.returncode == 1
    assert "can't be fetched" in refused.stderr
    assert os.listdir(f"{root}{HOME}") == []
    there_and_back(root, "/srv/release/install.sh", "3.11")


@FULL_ONLY
@ROOT_ONLY
def test_debian_11_gets_from_nothing_to_a_python_and_back_with_wget_or_busybox_alone(
    place: str, tmp_path: Path
) -> None:
    mirror = old_python.old_mirror()
    root = debian(f"{place}/real", "bullseye", (*old_python.LIBRARIES, "busybox", "wget"))
    assert not any(os.path.exists(f"{root}/usr/bin/{n}") for n in ("python3", "curl"))
    shutil.copytree(mirror, f"{root}/srv/mirror")
    with serve(str(tmp_path)) as server:
        whole = release(
            str(tmp_path), base=f"{server.url}/release", mirror=mirror, minor=old_python.MINOR
        )
        shutil.copytree(needed(), f"{root}/srv/wheels")
        shutil.copy(f"{whole}/install.sh", f"{root}/srv/install.sh")
        pointed(f"{root}/srv/install.sh", f"{server.url}/release")
        for getter, shell in (("wget", "sh"), ("busybox", "busybox sh")):
            hidden = hide(root, {"wget"} if getter == "busybox" else {"busybox"})
            if getter == "busybox":
                os.symlink("busybox", f"{root}/bin/wget")
            there_and_back(root, "/srv/install.sh", old_python.MINOR, shell=tuple(shell.split()))
            if getter == "busybox":
                os.unlink(f"{root}/bin/wget")
            show(hidden)


def there_and_back(root: str, script: str, minor: str, shell: tuple[str, ...] = ("sh",)) -> None:
    """Install bubble, a Python, an environment; run it; and take all of it away again."""
    packages = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/srv/wheels"}
    done = in_root(root, *shell, script, "--no-init", env=packages)
    assert done.returncode == 0, done.stderr
    catalogue = {"BUBBLE_CATALOG": "/srv/mirror/catalogue.json"}
    installed = in_root(root, "bubble", "python", "install", minor, env=catalogue)
    assert installed.returncode == 0, installed.stderr
    ran = in_root(root, installed.stdout.strip(), "-c", "import ssl; print(6 * 7)")
    assert ran.stdout == "42\n", ran.stderr
    made = in_root(root, "bubble", "create", "lab", "-p", minor)
    assert made.returncode == 0, made.stderr
    ran = in_root(root, "bubble", "run", "lab", "pip", "--version")
    assert f"(python {minor})" in ran.stdout, ran.stderr
    gone = in_root(root, "bubble", "self", "uninstall", "--all", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert os.listdir(f"{root}{HOME}") == []
