"""Ask an interpreter where its own files are; what it is, `probe` asks. For packing only."""

from __future__ import annotations

import json
import os
import subprocess

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.adopting.adopt import executable_at
from bubble.pythons.probing.isolation import isolated, isolated_python_2, without_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# -S: site would run the machine's .pth files, and would hide the base of a virtual environment.
# Must parse and run on every Python 3.
_SCRIPT = r"""
import json, os, platform, sys, sysconfig
prefix = os.path.realpath(sys.base_prefix)
var = sysconfig.get_config_var
stdlib = os.path.realpath(os.path.dirname(os.__file__))
import site
try:
    built = __import__(sysconfig._get_sysconfigdata_name()).build_time_vars
except Exception:
    built = {}
ldversion = var("LDVERSION") or var("VERSION")
names = [os.path.join(prefix, "bin", "python" + str(n)) for n in (ldversion, var("VERSION"))]
names.append(getattr(sys, "_base_executable", None) or sys.executable)
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "minor": "%d.%d" % sys.version_info[:2],
    "ldversion": ldversion,
    "prefix": prefix,
    "spelled_prefix": built.get("prefix") or prefix,
    "executable": [os.path.realpath(n) for n in names if os.path.exists(n)][0],
    "stdlib": stdlib,
    "dynload": os.path.realpath(os.path.join(
        sys.base_exec_prefix, os.path.relpath(stdlib, prefix), "lib-dynload")),
    "site_packages": [os.path.abspath(p) for p in site.getsitepackages([sys.base_prefix])],
    "include": sysconfig.get_path("include"),
    "pyconfig_h": sysconfig.get_config_h_filename(),
    "libdirs": [d for d in (var("LIBDIR"), os.path.join(prefix, "lib")) if d],
    "libraries": [n for n in (var("INSTSONAME"), var("LDLIBRARY")) if n] + ["libpython3.so"],
    "wheels": var("WHEEL_PKG_DIR") or "",
}))
"""


class Facts(Record):
    """Where an interpreter's files are (absolute, real paths), and what it is.

    `prefix` is the base installation's, `spelled_prefix` the one its build was configured with;
    `ldversion` is the version with the ABI's flags (`3.13t`); `libraries` are names in `libdirs`.
    """

    implementation: str
    version: str
    minor: str
    ldversion: str
    prefix: str
    spelled_prefix: str
    executable: str
    stdlib: str
    dynload: str
    site_packages: tuple[str, ...]
    include: str
    pyconfig_h: str
    libdirs: tuple[str, ...]
    libraries: tuple[str, ...]
    wheels: str

    def inside(self, path: str) -> str:
        """Return an absolute path relative to the prefix, or "" if it lies elsewhere."""
        if path.startswith(self.prefix.rstrip("/") + "/"):
            return path[len(self.prefix.rstrip("/")) + 1 :]
        return ""

    @property
    def library(self) -> str:
        """The standard library's directory relative to the prefix: `lib/python3.11`."""
        return self.inside(self.stdlib)


def facts_of(prefix: str, env: Mapping[str, str]) -> Facts:
    """Return the facts of the interpreter `prefix`: an executable's path, or a prefix with one.

    Raises BubbleError(probe) when none runs there, or it is none that can be packed.
    """
    executable = _executable(os.path.abspath(prefix))
    answer = _run(executable, env)
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in answer.items()
    }
    facts = Facts(**fields)
    if facts.implementation != "cpython":
        raise _refusal(executable, f"is {printable(facts.implementation)}: only CPython is packed")
    if not facts.library or not facts.inside(facts.executable):
        raise _refusal(executable, f"has files outside of its prefix {printable(facts.prefix)}")
    return facts


def _executable(path: str) -> str:
    executable = executable_at(path)
    if executable:
        return executable
    raise BubbleError(
        "probe",
        f"there is no Python interpreter at {printable(path)}",
        hint="name a prefix (with bin/python3 in it) or an interpreter's path",
    )


def _run(executable: str, env: Mapping[str, str]) -> dict[str, Any]:
    clean = without_python(env)
    try:
        done = subprocess.run(
            isolated(executable, "-B", "-S", "-c", _SCRIPT),
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode == 0:
            answer = json.loads(done.stdout)
            if isinstance(answer, dict):
                return answer
        if _is_python2(executable, clean):
            raise _refusal(executable, "is a Python 2, which can't be packed")
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        problem = f"doesn't answer: {printable(last) or f'exit status {done.returncode}'}"
    except subprocess.TimeoutExpired:
        problem = "doesn't answer within a minute"
    except (OSError, ValueError) as error:
        problem = f"doesn't run as a Python 3 does: {printable(str(error))}"
    raise _refusal(executable, problem)


def _is_python2(executable: str, env: Mapping[str, str]) -> bool:
    script = "import sys; sys.exit(22 if sys.version_info[0] == 2 else 0)"
    try:
        done = subprocess.run(
            isolated_python_2(executable, "-c", script),
            env=env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 22


def _refusal(executable: str, problem: str) -> BubbleError:
    return BubbleError(
        "probe",
        f"{printable(executable)} {problem}",
        hint="name the prefix or the path of a CPython 3 that runs on this machine",
    )
