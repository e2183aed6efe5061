"""The content of a small build whose interpreter is a **double**: a shell script.

It answers bubble's probe, `--version` and `-c CODE` as the version and variant that were asked for
(`sys.version_info`, `sys.prefix`, …); for anything else the Python that made it runs, unchanged.
It makes no virtual environments and has no pip: tests of those install a packed build.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys

from bubble.model.version import Version
from bubble.pythons.probing import probe

# before the code that `-c` runs: the identity, as far as `sys` tells it
_IDENTITY = """
import os, sys, ssl, sqlite3, ctypes, site
def _become(version, abiflags, debug, prefix):
    kind = type("version_info", (tuple,), {n: property(lambda s, i=i: s[i]) for i, n in
        enumerate(("major", "minor", "micro", "releaselevel", "serial"))})
    sys.version_info = kind(version)
    sys.version = ".".join(map(str, version[:3])) + " (a double for tests)"
    sys.prefix = sys.exec_prefix = sys.base_prefix = sys.base_exec_prefix = prefix
    sys.executable = sys._base_executable = os.path.join(prefix, "bin", "python")
    sys.abiflags = abiflags
    os.__file__ = os.path.join(prefix, "lib", "python%d.%d" % version[:2] + abiflags, "os.py")
    packages = os.path.join(os.path.dirname(os.__file__), "site-packages")
    site.getsitepackages = lambda prefixes=None: [packages]
    if debug:
        sys.gettotalrefcount = lambda: 0
    elif hasattr(sys, "gettotalrefcount"):
        del sys.gettotalrefcount
"""

# the probe's answer is written out at the time of making, with PREFIX for the prefix: a probe then
# costs a shell's start, and not a Python's under strace
_SCRIPT = """#!/bin/sh
# a double of an interpreter, for tests
program=$0
if [ -L "$0" ] && [ ! -e "${{0%/*}}/../.double" ]; then program=$(readlink -f -- "$0"); fi
prefix=$(cd -P -- "${{program%/*}}/.." && pwd -P)
case "$1" in
-V | --version) echo "Python {version}"; exit 0 ;;
esac
case "$*" in
*bubble-probe:*)
    head='{head}'
    while :; do
        case "$head" in
        */@PREFIX@*) printf '%s%s' "${{head%%/@PREFIX@*}}" "$prefix"; head=${{head#*/@PREFIX@}} ;;
        *) break ;;
        esac
    done
    printf '%s\\n' "$head"
    exit 0 ;;
esac
while :; do
    case "$1" in
    -[IBESsu] | -[IBESsu][IBESsu]) shift ;;
    -c) code=$2; shift 2
        exec '{python}' -c '{identity}
import sys
_become({info}, "{abiflags}", {debug}, sys.argv.pop(1))
exec(sys.argv.pop(1))' "$prefix" "$code" "$@" ;;
    *) break ;;
    esac
done
exec '{python}' "$@"
"""


def members(version: str, variant: str, extra_files: int) -> dict[str, tuple[str, int, bytes]]:
    """Return name below `python/` → (link target or "", mode, content), as PBS lays it out."""
    parsed = Version.parse(version)
    abiflags = "t" if "freethreaded" in variant else ""
    name = f"python{parsed.minor}{abiflags}"
    lib = f"lib/{name}"

    def file(text: str, mode: int = 0o644) -> tuple[str, int, bytes]:
        return "", mode, text.encode()

    def link(target: str) -> tuple[str, int, bytes]:
        return target, 0o777, b""

    found = {
        ".double": file("the interpreter is a double\n"),
        f"bin/{name}": file(_program(version, abiflags, debug="debug" in variant), 0o755),
        "bin/python3": link(name),
        "bin/python": link(name),
        f"bin/pydoc{parsed.minor}": file(_LAUNCHER.format(name=name) + "import pydoc\n", 0o755),
        "bin/pydoc3": link(f"pydoc{parsed.minor}"),
        f"include/{name}/Python.h": file("/* the header of a double */\n"),
        f"lib/pkgconfig/python-{parsed.minor}.pc": file(
            f"prefix=/install\nlibdir=${{prefix}}/lib\n\nName: Python\nDescription: a double\n"
            f"Version: {parsed.minor}\nCflags: -I${{prefix}}/include/{name}\n"
        ),
        "lib/pkgconfig/python3.pc": link(f"python-{parsed.minor}.pc"),
        f"{lib}/os.py": file("# the landmark of a prefix\n"),
        f"{lib}/site-packages/README.txt": file("packages go here\n"),
        f"{lib}/_sysconfigdata_{abiflags}_linux_x86_64-linux-gnu.py": file(
            "build_time_vars = {'AR': '/tools/llvm/bin/llvm-ar',\n"
            " 'CC': 'clang -pthread',\n 'LDSHARED': 'clang -pthread -shared',\n"
            f" 'LIBDIR': '/install/lib',\n 'LIBPL': '/install/{lib}/config',\n"
            " 'exec_prefix': '/install',\n 'prefix': '/install'}\n"
        ),
        f"{lib}/config-{parsed.minor}{abiflags}-x86_64-linux-gnu/Makefile": file(
            "prefix=\t/install\nCC=\tclang -pthread\nAR=\t/tools/llvm/bin/llvm-ar\n"
        ),
    }
    for number in range(extra_files):
        text = f"# file {number}\n" * (1 + number * 7 % 40)
        found[f"{lib}/extra{number % 3}/module_{number}.py"] = file(text)
    return found


_LAUNCHER = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/{name}" "$0" "$@"
' '''
"""


@functools.cache
def _program(version: str, abiflags: str, *, debug: bool) -> str:
    stages = ("alpha", "beta", "candidate", "final")
    parsed = Version.parse(version)
    info = repr((*parsed[:3], stages[parsed[3]], parsed[4])).replace("'", '"')
    python = os.path.realpath(sys.executable)
    code = (
        f"{_IDENTITY}\n_become({info}, {abiflags!r}, {debug}, '/@PREFIX@')\nexec(sys.argv.pop(1))"
    )
    done = subprocess.run(
        [python, "-I", "-B", "-c", code, probe._script(), *probe.IMPORTS],
        capture_output=True,
        check=True,
    )
    answer = done.stdout.decode().strip()
    assert "'" not in answer + python
    return _SCRIPT.format(
        version=str(parsed),
        head=answer,
        python=python,
        identity=_IDENTITY.strip(),
        info=info,
        abiflags=abiflags,
        debug=debug,
    )
