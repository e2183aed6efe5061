"""Try an archive before it is published: unpacked, patched and run as an installation is.

What the interpreter can do where it is, its archive must be able to do elsewhere: import every
compiled module, start Tcl, have an extension built against it; without a file of where it came
from. On the same machine: what the system's own libraries do elsewhere can't be seen here.
"""

from __future__ import annotations

import json
import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.probing.isolation import isolated, without_python
from bubble.system import process
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bubble.model.key import Key
    from bubble.pythons.pack.member import Member
    from bubble.pythons.pack.probe import Facts
    from bubble.system.layout import Layout

MARK = "bubble-trial:"
_LIMIT = 120  # seconds for an interpreter to import all that it has, or to build an extension

# Must run on every Python 3, with nothing but its standard library.
_TRY = r"""
import json, sys
def say(*words):
    sys.stdout.write("\n" + sys.argv[1] + json.dumps(words) + "\n")
    sys.stdout.flush()
def attempt(name, action):
    say("next", name)
    try:
        said = str(action() or "")
    except BaseException as problem:
        say("lost", name, "%s: %s" % (type(problem).__name__, problem))
    else:
        say("has", name, said)
def tcl():
    import tkinter
    return tkinter.Tcl().eval("info library")
for name in sys.argv[2:]:
    attempt(name, tcl if name == "Tcl" else lambda: __import__(name) and "")
with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
    say("maps", *sorted({line.rstrip("\n").split(None, 5)[5] for line in maps if "/" in line}))
"""
_SOURCE = r"""
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "bubbletrial", 0, -1, 0};
PyMODINIT_FUNC PyInit_bubbletrial(void) { return PyModule_Create(&module); }
"""
_BUILD = r"""
import shlex, subprocess, sys, sysconfig
directory, source = sys.argv[1:]
def words(name):
    return shlex.split(sysconfig.get_config_var(name) or "")
def compiled(compiler, options):
    try:
        return subprocess.run(compiler + options, stderr=subprocess.PIPE)
    except OSError:
        return None  # there is none of this name
with open(directory + "/bubbletrial.c", "w") as file:
    file.write(source)
options = words("CFLAGS") + words("CCSHARED")
for name in ("include", "platinclude"):
    options += ["-isystem", sysconfig.get_path(name)]
options += ["-shared", directory + "/bubbletrial.c", "-o", directory + "/bubbletrial.so"]
done = compiled(words("CC") or ["cc"], options) or compiled(["cc"], options)
if done is None:
    sys.exit(0)
if done.returncode:
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    sys.exit(next((line for line in lines if "error" in line), lines[-1] if lines else "?"))
sys.path.insert(0, directory)
import bubbletrial
"""


class Abilities(Record):
    """What an interpreter can do: `has` what each thing said that worked, `lost` why it didn't.

    By the names of its compiled modules, and "Tcl" (what Tcl says its library is). `mapped` are
    the files (absolute) that were loaded for it.
    """

    has: dict[str, str]
    lost: dict[str, str]
    mapped: tuple[str, ...]


def abilities(executable: str, names: tuple[str, ...], env: Mapping[str, str]) -> Abilities:
    """Return which of `names` an interpreter (absolute path) can do; one crash ends only itself."""
    has: dict[str, str] = {}
    lost: dict[str, str] = {}
    left = names
    while True:
        command = isolated(executable, "-B", "-S", "-W", "ignore", "-c", _TRY, MARK, *left)
        ended = ""
        try:
            said = process.run(command, env=without_python(env), timeout=_LIMIT, cwd="/").stdout
        except TimeoutError:
            said, ended = "", f"no answer within {_LIMIT} s"
        begun = left[0] if ended and left else ""
        for word, *rest in _answers(said):
            if word == "maps":
                return Abilities(has=has, lost=lost, mapped=tuple(rest))
            if word == "next":
                begun = rest[0]
            else:
                (has if word == "has" else lost)[rest[0]] = rest[1]
        if begun not in left:  # it doesn't even begin
            return Abilities(has=has, lost=lost, mapped=())
        lost[begun] = ended or "the interpreter crashed"
        left = left[left.index(begun) + 1 :]


def compiled_modules(facts: Facts) -> tuple[str, ...]:
    """Return the names of an interpreter's compiled modules, and "Tcl"."""
    names = os.listdir(facts.dynload) if os.path.isdir(facts.dynload) else ()
    return (*sorted({name.partition(".")[0] for name in names if ".so" in name}), "Tcl")


def try_archive(
    archive: str,
    key: Key,
    facts: Facts,
    members: Mapping[str, Member],
    before: Abilities,
    *,
    layout: Layout,
    env: Mapping[str, str],
) -> None:
    """Unpack `archive` (absolute) in the store's staging and hold it against what was `before`.

    Raises BubbleError(probe) with the first thing that it can't do any more, and OSError.
    """
    from bubble.pythons.patch import link_interpreter, patch
    from bubble.pythons.probing.probe import check_unpacked
    from bubble.system.archive import extract

    sweep(layout)
    with Staging(layout, layout.python(str(key))) as staging:
        root = f"{staging.path}/python"
        os.mkdir(root)
        extract(archive, root)
        link_interpreter(root, key)
        patch(root, root, key)
        try:
            # what it can import here is asked below: it may be for a machine with other libraries
            check_unpacked(root, key, env=env, imports=())
        except BubbleError as error:
            raise _refused(key, error.message.removeprefix(f"{key.name}: ")) from None
        after = abilities(f"{root}/bin/python", tuple(before.has), env)
        for name in before.has:
            if name not in after.has:
                raise _refused(key, f"{name} is lost: {after.lost.get(name, 'it crashes')}")
        sources = {os.path.realpath(m.source) for m in members.values() if m.source}
        for path in after.mapped:
            if os.path.realpath(path) in sources:
                raise _refused(key, f"it still loads {path}, of where it was packed")
        scratch = f"{staging.path}/scratch"
        os.mkdir(scratch)
        problem = _built(f"{root}/bin/python", facts, scratch, env)
        # what can't be built with it where it is isn't lost here
        if problem and not _built(facts.executable, facts, scratch, env):
            raise _refused(key, f"no extension can be built with it: {problem}")


def _built(executable: str, facts: Facts, scratch: str, env: Mapping[str, str]) -> str:
    """Build and import an extension where headers and a compiler are; return what went wrong."""
    if not os.path.isfile(f"{facts.include}/Python.h"):
        return ""
    command = isolated(executable, "-B", "-S", "-c", _BUILD, scratch, _SOURCE)
    try:
        done = process.run(command, env=without_python(env), timeout=_LIMIT, cwd="/")
    except TimeoutError:
        return f"no end within {_LIMIT} s"
    said = done.stderr.strip().rpartition("\n")[2].replace(f"{os.path.dirname(scratch)}/", "")
    return (said or f"status {done.status}") if done.status else ""


def _answers(said: str) -> list[Any]:
    lines = [x.removeprefix(MARK) for x in said.splitlines() if x.startswith(MARK)]
    return [json.loads(line) for line in lines]


def _refused(key: Key, problem: str) -> BubbleError:
    return BubbleError(
        "probe",
        f"{key.name} isn't published: packed, it can't do what it does in its place: "
        f"{printable(problem)}",
        hint="pack a build that has its libraries in its prefix, or uses the system's",
    )
