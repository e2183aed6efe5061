"""Whole interpreters of this machine, packed, and run where their own prefix can't be reached.

Two versions normally; all with BUBBLE_TEST_FULL=1 or BUBBLE_TEST_PYTHONS=all.
"""

from __future__ import annotations

import os
import subprocess
import tarfile

import pytest

from bubble.pythons.catalogue import open_catalogue
from bubble.pythons.pack import pack
from bubble.pythons.probing.probe import check
from bubble.system.host import host_platform
from bubble.system.layout import layout_from
from support.builds import fetched_pip, interpreters, packed_mirror
from support.needs import FULL, LINUX_ONLY, not_here, which
from support.unpack import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.model.download import Download
    from bubble.system.layout import Layout

pytestmark = [pytest.mark.real, LINUX_ONLY]

# the system's own shares its prefix with everything else, and has a test of its own
FOUND = [pair for pair in interpreters() if pair[1] != "/usr"]
ALL = FULL or os.environ.get("BUBBLE_TEST_PYTHONS") == "all"
# the oldest and the newest differ most
CHOSEN = FOUND if ALL or len(FOUND) < 3 else [FOUND[0], FOUND[-1]]
EACH = pytest.mark.parametrize(
    ("version", "prefix"), CHOSEN or [("none", "")], ids=[v for v, _ in CHOSEN] or ["none"]
)
ALWAYS = ("ssl", "sqlite3", "ctypes", "lzma")
PERHAPS = ("readline", "tkinter", "bz2", "curses", "dbm")

# what runs with the original prefix hidden: $1 the interpreter, $2 the prefix, $3 a scratch
# directory, $4 modules, $5 whether the prefix is hidden
SCRIPT = r"""
set -eu
program=$1 prefix=$2 scratch=$3
if [ "$5" = yes ]; then [ -z "$(ls -A "$prefix")" ]; fi
for module in $4; do "$program" -c "import $module"; done
"$program" -c '
import sys, sysconfig
hidden, here = sys.argv[1:]
assert sys.prefix == here, sys.prefix
assert not [p for p in sys.path if p.startswith(hidden)], sys.path
import ssl, sqlite3, ctypes, lzma
used = [line.split(None, 5)[-1] for line in open("/proc/self/maps")]
assert not [p for p in used if p.startswith(hidden)], used
' "$prefix" "${program%/bin/python3}"
"${program%/python3}/pip3" --version
"$program" -m venv "$scratch/made here"
"$scratch/made here/bin/python" -c 'import sys; assert sys.prefix != sys.base_prefix'
"$scratch/made here/bin/python" -m pip --version
"""


@EACH
def test_a_packed_interpreter_runs_elsewhere_without_its_own_prefix(
    tmp_path: Path, version: str, prefix: str, env: dict[str, str]
) -> None:
    root = unpacked(tmp_path / "a place with spaces", version)
    original = f"{prefix}/bin/python{'.'.join(version.split('.')[:2])}"
    modules = [*ALWAYS, *(m for m in PERHAPS if imports(original, m, env))]
    program = f"{root}/bin/python3"
    start = hiding(prefix)
    arguments = [program, prefix, str(tmp_path), " ".join(modules), "yes" if start else "no"]
    done = subprocess.run(
        [*start, "sh", "-c", SCRIPT, "sh", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pip " in done.stdout


@EACH
def test_a_packed_interpreter_is_what_its_key_says(
    tmp_path: Path, version: str, env: dict[str, str], layout: Layout, prefix: str
) -> None:
    del prefix
    root = unpacked(tmp_path, version)
    download = listed(version, layout, env)
    assert str(check(root, download.key, env=env).version) == version


@EACH
def test_an_archive_has_only_what_upstreams_have(version: str, prefix: str) -> None:
    minor = ".".join(version.split(".")[:2])
    with tarfile.open(archive(version)) as opened:
        members = opened.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == {"python"}
    assert {name.split("/")[1] for name in names} <= {"bin", "include", "lib", "lib64", "share"}
    assert {oct(m.mode) for m in members if m.isfile()} == {"0o644", "0o755"}
    assert {(m.uid, m.gid, m.mtime) for m in members} == {(0, 0, 1721952000)}
    assert all(m.isfile() or m.issym() for m in members)
    assert f"python/bin/python{minor}" in names
    assert f"python/include/python{minor}/Python.h" in names
    for link in (m for m in members if m.issym()):
        target = os.path.normpath(f"{os.path.dirname(link.name)}/{link.linkname}")
        assert target in names or any(name.startswith(f"{target}/") for name in names), link.name
    wrong = [n for n in names if "__pycache__" in n or n.endswith((".a", ".pyc", ".o"))]
    assert wrong == []
    assert not [n for n in names if n.startswith(f"python/lib/python{minor}/test/")]
    packages = {n.split("/")[4].split("-")[0] for n in names if "/site-packages/" in n}
    known = {"pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils"}
    assert packages - {"distutils_precedence.pth"} <= known
    assert prefix  # the interpreter that it came from


@EACH
def test_no_text_of_an_archive_names_the_prefix_that_it_came_from(
    tmp_path: Path, version: str, prefix: str
) -> None:
    root = unpacked(tmp_path, version)
    left = []
    for directory, _, names in os.walk(root):
        for name in names:
            with open(f"{directory}/{name}", "rb") as file:
                data = file.read()
            # libpython has it compiled in, as upstream's has /install
            if b"\0" not in data[:4096] and f"{prefix}/".encode() in data:
                left.append(os.path.relpath(f"{directory}/{name}", root))
    assert left == []


@EACH
def test_packing_twice_gives_the_same_bytes(
    tmp_path: Path, version: str, prefix: str, env: dict[str, str]
) -> None:
    path, platform = archive(version), host_platform(env)
    store = layout_from(env)
    one = pack(
        str(tmp_path),
        prefix,
        layout=store,
        env=env,
        platform=platform,
        tag="20240726",
        fetch_pip=fetched_pip,
    )
    with open(path, "rb") as file, open(one.path, "rb") as again:
        assert again.read() == file.read()
    other = pack(
        str(tmp_path),
        prefix,
        layout=store,
        env=env,
        platform=platform,
        fetch_pip=fetched_pip,
        clock=lambda: 1769817600.0,
    )
    assert other.asset.startswith("20260131/")
    assert other.sha256 != one.sha256  # of another date
    env = {**env, "SOURCE_DATE_EPOCH": "1721952000"}
    dated = pack(
        str(tmp_path),
        prefix,
        layout=store,
        env=env,
        platform=platform,
        tag="20260201",
        fetch_pip=fetched_pip,
    )
    assert dated.sha256 == one.sha256


def test_the_systems_python_is_packed_without_the_rest_of_usr(
    tmp_path: Path, env: dict[str, str]
) -> None:
    if not os.access("/usr/bin/python3", os.X_OK):
        not_here("no /usr/bin/python3")
    store = layout_from(env)
    packed = pack(
        str(tmp_path),
        "/usr/bin/python3",
        layout=store,
        env=env,
        platform=host_platform(env),
        fetch_pip=fetched_pip,
    )
    unpack(packed.path, tmp_path / "a b")
    assert packed.files < 5000
    root = f"{tmp_path}/a b/python"
    found = check(root, packed.key, env=env)
    assert found.prefix == root
    assert found.stdlib.startswith(f"{root}/lib")
    names = os.listdir(f"{root}/bin")
    assert [n for n in names if not n.startswith(("python", "pip", "pydoc", "idle", "2to3"))] == []


def archive(version: str) -> str:
    """Return the path of the packed archive of one version, or skip."""
    if version == "none":
        not_here("no CPython to pack")
    directory = f"{packed_mirror([v for v, _ in CHOSEN])}/20240726"
    (name,) = (n for n in os.listdir(directory) if n.startswith(f"cpython-{version}+"))
    return f"{directory}/{name}"


def unpacked(directory: Path, version: str) -> str:
    """Unpack a version and return its prefix."""
    unpack(archive(version), directory)
    return str(directory / "python")


def listed(version: str, layout: Layout, env: dict[str, str]) -> Download:
    """Return the download that the mirror's own catalogue has."""
    catalogue = f"{packed_mirror([v for v, _ in CHOSEN])}/catalogue.json"
    found = open_catalogue(layout, {**env, "BUBBLE_CATALOG": catalogue})
    downloads = found.downloads(host_platform(env))
    (download,) = (d for d in downloads if str(d.key.version) == version)
    return download


def imports(program: str, module: str, env: dict[str, str]) -> bool:
    done = subprocess.run(
        [program, "-c", f"import {module}"], env=env, capture_output=True, check=False
    )
    return done.returncode == 0


def hiding(prefix: str) -> list[str]:
    """Return a command's beginning that runs the rest where `prefix` is an empty directory.

    Without the right to mount, nothing: that no file of the prefix is mapped is checked in any
    case.
    """
    if os.geteuid() != 0 or which("unshare") is None or prefix in {"/usr/local", "/"}:
        return []
    script = 'mount -t tmpfs none "$1" && shift && exec "$@"'
    start = ["unshare", "-m", "sh", "-c", script, "sh", prefix]
    allowed = subprocess.run([*start, "true"], capture_output=True, check=False).returncode == 0
    return start if allowed else []
