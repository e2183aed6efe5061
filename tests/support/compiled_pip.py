"""pip for a test's store, unpacked and compiled once for all tests.

An environment's own pip is compiled by whoever runs it first: a second of the processor's time,
for each test that installs something. `compile_pip` puts into the store what bubble would unpack
there, with the byte code of one interpreter, which is listed as that of any installed package, and
held against its source at every import.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from bubble.envs.making import seed
from bubble.model.errors import BubbleError
from bubble.model.version import Version
from bubble.pythons.installed import manifest
from bubble.system.layout import MANIFEST, layout_from
from bubble.system.lock import Lock
from support.builds import shared_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Interpreter:
    """An interpreter in the store: its version, and its program (absolute)."""

    version: str
    program: str


def adopted(said: str, prefix: str) -> Interpreter:
    """Return what `python adopt --json` said that it adopted, which lies at `prefix` (absolute)."""
    version = str(json.loads(said)["data"]["key"]).split("-")[1]
    return Interpreter(version, f"{prefix}/bin/python{version.rpartition('.')[0]}")


def compile_pip(env: Mapping[str, str], interpreter: Interpreter) -> None:
    """Put the pip that environments of that interpreter get into the store of `env`.

    Nothing happens where it is there already, or where nothing bundles one.
    """
    layout = layout_from(env)
    try:
        wanted = seed.pip_seed(layout, Version.parse(interpreter.version))
    except BubbleError:
        return
    if os.path.lexists(wanted.path):
        return
    unfinished = f"{layout.seeds}/unfinished"
    shutil.copytree(_compiled(wanted, interpreter), unfinished)
    os.rename(unfinished, wanted.path)


def _compiled(wanted: seed.Seed, interpreter: Interpreter) -> str:
    """Return a directory that is to be copied: made by the first who asks, and kept for others."""
    status = os.stat(wanted.wheel)
    source = f"{wanted.wheel} {status.st_mtime_ns} {status.st_size} {interpreter.version}"
    cache = shared_cache()
    path = f"{cache}/{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    with Lock(f"{cache}/.lock-pip"):
        if not os.path.exists(f"{path}/{MANIFEST}"):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            seed._unpack(wanted.wheel, path)
            _compile(path, interpreter.program)
            _list(path, f"{path}/{wanted.metadata}/RECORD")
            manifest.write(path, (), frozenset(seed._below(path)))
        os.utime(path)
    return path


def _compile(path: str, program: str) -> None:
    words = ("-I", "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", path)
    # pip has files for other versions, too: what can't be compiled stays as it is
    subprocess.run([program, *words], capture_output=True, check=False)
    for directory, _, names in os.walk(path):
        for name in names:
            os.chmod(f"{directory}/{name}", 0o644)


def _list(path: str, record: str) -> None:
    """Add what was compiled to the list of what is installed."""
    with open(record, "a", encoding="utf-8") as file:
        for directory, _, names in os.walk(path):
            for name in names:
                if name.endswith(".pyc"):
                    whole = f"{directory}/{name}"
                    file.write(f"{os.path.relpath(whole, path)},,{os.path.getsize(whole)}\n")
