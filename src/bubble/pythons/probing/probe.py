"""Ask an interpreter what it is, by running it once.

Imported by installing, adopting and diagnosing: never on an everyday path.
"""

from __future__ import annotations

import errno
import json
import os
import signal

from bubble.model.errors import BubbleError
from bubble.model.platform import Platform
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.version import Version
from bubble.pythons.probing.isolation import isolated, isolated_python_2, without_python
from bubble.system import process
from bubble.system.layout import BUBBLE_DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bubble.model.key import Key

# their compiled halves: what can be missing is the libraries, not what a checksum has vouched for
COMPILED = ("_ssl", "_sqlite3", "_ctypes")
IMPORTS = ("ssl", "sqlite3", "ctypes")  # each needs a shared library beside or inside the build
MARK = "bubble-probe:"
_STAGES = {"alpha": "a", "beta": "b", "candidate": "rc", "final": ""}
_MACHINES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i386": "i686",
    "i586": "i686",
    "armv6l": "armv7",
    "armv7l": "armv7",
    "armv8l": "armv7",
    "ppc64le": "powerpc64le",
    "ppc64": "powerpc64",
}
_32_BIT = {"x86_64": "i686", "aarch64": "armv7"}  # a 32-bit interpreter on a 64-bit kernel


class Probe(Record):
    """What an interpreter says of itself. Paths are absolute; strings are as the interpreter's.

    `variant` is one of key.VARIANTS.
    """

    implementation: str
    version: Version
    variant: str
    platform: Platform
    prefix: str
    base_prefix: str
    executable: str
    stdlib: str
    site_packages: str
    is_virtual: bool


def check(
    root: str,
    key: Key,
    *,
    env: Mapping[str, str],
    timeout: float = 60,
    imports: Sequence[str] | None = None,
) -> Probe:
    """Probe the interpreter of the prefix `root` and hold it against `key`.

    Raises BubbleError(probe) when it doesn't run, can't import `imports` (default: ssl, sqlite3
    and ctypes; of CPython: COMPILED), or is something else: `details` say what, as a request.
    An x86-64 level of the key (v2 to v4) can't be seen from inside and counts as x86_64.
    """
    # without bytecode, the Python halves of these modules take longer than all else together
    if imports is None:
        imports = COMPILED if key.implementation == "cpython" else IMPORTS
    found = probe(interpreter(root), env=env, timeout=timeout, imports=imports)
    base = key.platform.arch.partition("_v")[0]
    expected = {
        "implementation": key.implementation,
        "version": key.version,
        "variant": key.variant,
        "platform": key.platform.replace(arch=base),
        "prefix": os.path.realpath(root),
    }
    actual = {**found.as_dict(), "prefix": os.path.realpath(found.prefix)}
    for name, value in expected.items():
        if actual[name] != value:
            raise BubbleError(
                "probe",
                f"the build is not what it should be: its {name} is “{_said(actual[name])}”,"
                f" not “{_said(value)}”",
                hint="the archive doesn't belong to this key: check where it comes from",
                details={"found": _key(found).request},
            )
    return found


def check_unpacked(
    root: str, key: Key, *, env: Mapping[str, str], imports: Sequence[str] | None = None
) -> Probe:
    """Do the same for what an archive was unpacked to; errors name no path that will be gone."""
    program = interpreter(root)
    if not os.path.lexists(program):
        raise _without_interpreter(root, key)
    try:
        return check(root, key, env=env, imports=imports)
    except BubbleError as error:
        message = error.message.replace(f"{printable(root)}/", "its ")
        again = message if message == error.message else f"{key.name}: {message}"
        hint = "take another build" if "by hand" in error.hint else error.hint
        raise BubbleError(error.kind, again, hint=hint, details=error.details) from None


def _without_interpreter(root: str, key: Key) -> BubbleError:
    there = sorted(name for name in os.listdir(root) if name != BUBBLE_DIR)
    shown = printable(", ".join(there[:5]), 200) + " …" * bool(there[5:])
    return BubbleError(
        "probe",
        f"{key.name}: the archive has no bin/python{key.version.minor} below its top directory, "
        f"but {shown}",
        hint="pack it anew with the prefix (the directory above bin) as its one top directory: "
        "tar -czf ARCHIVE.tar.gz -C DIR python",
    )


def _key(found: Probe) -> Key:
    from bubble.model.key import Key

    return Key(
        implementation=found.implementation,
        version=found.version,
        variant=found.variant,
        platform=found.platform,
    )


def interpreter(root: str) -> str:
    """Return the path of the interpreter in the prefix `root`, whether it exists or not."""
    windows = f"{root}/python.exe"
    return windows if os.path.exists(windows) else f"{root}/bin/python"


def probe(
    executable: str,
    *,
    env: Mapping[str, str],
    timeout: float = 60,
    imports: Sequence[str] = IMPORTS,
) -> Probe:
    """Run `executable` (an absolute path) once and return what it says of itself.

    `env` is cleaned of what makes an interpreter pretend (PYTHON*, __PYVENV_LAUNCHER__); what
    the loader needs on this machine (LD_LIBRARY_PATH, LD_PRELOAD) stays, because the user's runs
    have it too. `timeout` is in seconds; `imports` must all be importable.
    Raises BubbleError(probe) with the reason in one line.
    """
    clean = without_python(env)
    arguments = ("-B", "-c", _script(), *imports)
    done = _run(isolated(executable, *arguments), clean, timeout)
    if done.status == 2 and "Unknown option: -I" in done.stderr:  # Python 2
        done = _run(isolated_python_2(executable, *arguments), clean, timeout, cwd="/")
    answer = _answer(done.stdout)
    if answer is None:
        raise _silent(executable, done)
    if answer.get("failed"):
        raise _missing(executable, answer["failed"], answer["error"])
    try:
        return _probe(answer)
    except (KeyError, TypeError, ValueError):
        raise BubbleError(
            "probe",
            f"{printable(executable)} gave an answer that makes no sense",
            hint="check that it is a Python interpreter",
        ) from None


def _script() -> str:
    import importlib.util

    spec = importlib.util.find_spec("bubble.pythons.probing.probe_script")
    assert spec is not None
    assert spec.loader is not None
    source: str = spec.loader.get_source(spec.name)  # type: ignore[attr-defined] # a source loader
    return source


def _run(
    argv: list[str], env: Mapping[str, str], timeout: float, cwd: str | None = None
) -> process.Completed:
    shown = printable(argv[0])
    try:
        return process.run(argv, env=env, timeout=timeout, cwd=cwd)
    except TimeoutError:
        raise BubbleError(
            "probe",
            f"{shown} gave no answer within {timeout:g} seconds",
            hint="run it by hand to see what it waits for",
        ) from None
    except OSError as error:
        message, hint = _unstartable(argv[0], error, env)
        raise BubbleError("probe", f"{shown} doesn't run: {message}", hint=hint) from None


def _unstartable(executable: str, error: OSError, env: Mapping[str, str]) -> tuple[str, str]:
    from bubble.pythons.probing.foreign import whose
    from bubble.system.host import host_platform

    built_for = whose(executable, env)
    if built_for and error.errno in (errno.ENOENT, errno.ENOEXEC, errno.EACCES):
        return (
            f"it is no program for this machine, but for {built_for}",
            f"take a build for {host_platform(env)}",
        )
    if error.errno == errno.ENOENT and os.path.exists(executable):
        return (
            "the program loader that it needs is not on this system",
            "it was built for another C library: take a build for this one (gnu or musl)",
        )
    if error.errno == errno.ENOENT:
        return "there is no such file", "check the path"
    if error.errno == errno.ENOEXEC:
        return (
            "the file is no program for this machine",
            "take a build for this machine's architecture",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            "it is not executable for this user",
            "check its permissions, and that its file system is not mounted noexec",
        )
    return printable(error.strerror or str(error)), "run it by hand to see more"


def _answer(stdout: str) -> dict[str, Any] | None:
    for line in reversed(stdout.splitlines()):
        if line.startswith(MARK):
            try:
                answer = json.loads(line.removeprefix(MARK))
            except ValueError:
                return None
            return answer if isinstance(answer, dict) else None
    return None


def _silent(executable: str, done: process.Completed) -> BubbleError:
    """Return the error for an interpreter that ended without an answer."""
    if done.status < 0:
        try:
            name = signal.Signals(-done.status).name
        except ValueError:
            name = f"signal {-done.status}"
        reason = f"it was killed by {name}"
    else:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        loader = [x for x in lines if "shared librar" in x or "not found (required by" in x]
        last = (loader or lines[-1:] or [f"exit status {done.status}, and no word"])[0]
        reason = last.removeprefix(f"{executable}: ")
        if MARK in done.stderr:  # our own program, quoted by something that can't run it
            reason = "it is no Python interpreter"
    return BubbleError(
        "probe", f"{printable(executable)} doesn't run: {printable(reason)}", hint=_hint(reason)
    )


def _missing(executable: str, module: str, error: str) -> BubbleError:
    return BubbleError(
        "probe",
        f"{printable(executable)} can't import {printable(module)}: {printable(error)}",
        hint=_hint(error),
    )


def _hint(reason: str) -> str:
    if "libcrypt.so.1" in reason:
        return (
            "install the system's libcrypt.so.1 (Debian, Ubuntu: libcrypt1; Fedora, RHEL, Arch:"
            " libxcrypt-compat), or take a newer build"
        )
    if "GLIBC_" in reason:
        return "this system's glibc is older than the build needs: take an older build, or musl"
    if "shared librar" in reason or "shared object" in reason:
        return "install the system's package that has this library, or take another build"
    if "SIGILL" in reason:
        return "the build uses instructions that this CPU lacks: take the one without _v2 to _v4"
    return "run it by hand to see more, or take another build"


def _probe(answer: dict[str, Any]) -> Probe:
    version = f"{answer['version']}{_STAGES[answer['stage']]}"
    if answer["stage"] != "final":
        version += str(answer["serial"])
    free = "t" in answer["abiflags"]
    variants = [name for name, on in (("freethreaded", free), ("debug", answer["debug"])) if on]
    names = ("prefix", "base_prefix", "executable", "stdlib", "site_packages")
    return Probe(
        implementation=answer["implementation"],
        version=Version.parse(version),
        variant="+".join(variants),
        platform=_platform(answer),
        is_virtual=answer["prefix"] != answer["base_prefix"],
        **{name: answer[name] for name in names},
    )


def _platform(answer: dict[str, Any]) -> Platform:
    machine = answer["machine"].lower()
    arch = _MACHINES.get(machine, machine)
    if answer["bits"] == 32:
        arch = _32_BIT.get(arch, arch)
    os_name = answer["os"]
    if os_name in ("darwin", "win32"):
        return Platform(os="darwin" if os_name == "darwin" else "windows", arch=arch, libc="none")
    libc = "gnu" if answer["libc"] or "gnu" in answer["multiarch"] else "musl"
    if arch == "armv7" and libc == "gnu":
        libc = "gnueabi" if answer["multiarch"].endswith("gnueabi") else "gnueabihf"
    return Platform(os="linux" if os_name.startswith("linux") else os_name, arch=arch, libc=libc)


def _said(value: object) -> str:
    return printable(str(value)) or "default"
