"""A prefix as an interpreter has one, as small as can be; its interpreter is a **double**.

The double is a shell script that gives the answers that bubble asks an interpreter for: what it is
(`probe`), where its files are (`pack.probe`), and what it can do (`pack.trial`: nothing). The first
two can be changed by a test. It knows its prefix by where it lies, as an interpreter does.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tarfile

from bubble.pythons.pack import Packed, pack
from bubble.pythons.pack.probe import Facts
from bubble.pythons.probing import probe
from bubble.system.host import host_platform
from bubble.system.layout import layout_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

PREFIX = "/home/somebody/.pyenv/versions/3.11.7"
HOST = host_platform(os.environ)
TAG = "20240726"
_SCRIPT = """\
#!/bin/sh
# a double of an interpreter, for tests
case "$*" in
*bubble-probe:*) answer=answer ;;
*spelled_prefix*) answer=facts ;;
*bubble-trial:*) echo 'bubble-trial:["maps"]'; exit ;;
*bubbletrial*) exit ;;
*) echo "a double only answers" >&2; exit 3 ;;
esac
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P)
root=$(cat '{directory}/root')
exec sed "s#$root/#$here/#g; s#\"$root\"#\"$here\"#g" '{directory}'/$answer
"""


def small_prefix(
    root: str,
    *,
    version: str = "3.11.9",
    files: Mapping[str, str | bytes] | None = None,
    says: Mapping[str, Any] | None = None,
    **facts: object,
) -> str:
    """Make the prefix `root` (absolute) and return it.

    `files` are contents by relative path, beside the interpreter and `os.py`; `says` changes what
    the interpreter tells of itself, `facts` where its files are.
    """
    minor = version.rpartition(".")[0]
    name = f"python{minor}"
    library = f"{root}/lib/{name}"
    content: dict[str, str | bytes] = {f"lib/{name}/os.py": "", **(files or {})}
    for path, text in content.items():
        os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
        with open(f"{root}/{path}", "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
    told = {
        "implementation": "cpython",
        "version": version,
        "minor": minor,
        "ldversion": minor,
        "prefix": root,
        "spelled_prefix": root,
        "executable": f"{root}/bin/{name}",
        "stdlib": library,
        "dynload": f"{library}/lib-dynload",
        "site_packages": [f"{library}/site-packages"],
        "include": f"{root}/include/{name}",
        "pyconfig_h": f"{root}/include/{name}/pyconfig.h",
        "libdirs": [f"{root}/lib"],
        "libraries": [f"libpython{minor}.so.1.0", f"libpython{minor}.a", "libpython3.so"],
        "wheels": "",
        **facts,
    }
    answer = {
        **_answer(), "version": version, "stage": "final", "abiflags": "", "debug": 0,
        "prefix": root, "base_prefix": root, "executable": f"{root}/bin/{name}",
        "stdlib": library, "site_packages": f"{library}/site-packages", **(says or {}),
    }  # fmt: skip
    beside = f"{root}.answers"
    os.makedirs(beside, exist_ok=True)
    answers = {"facts": json.dumps(told), "answer": probe.MARK + json.dumps(answer), "root": root}
    for name_, text in answers.items():
        with open(f"{beside}/{name_}", "w", encoding="ascii") as file:
            file.write(f"{text}\n")
    double(f"{root}/bin/{name}", _SCRIPT.format(directory=beside))
    return root


def facts(prefix: str = PREFIX, spelled: str = "") -> Facts:
    """Return where the files of an interpreter of a prefix (absolute) are, without one."""
    return Facts(
        implementation="cpython",
        version="3.11.7",
        minor="3.11",
        ldversion="3.11",
        prefix=prefix,
        spelled_prefix=spelled or prefix,
        executable=f"{prefix}/bin/python3.11",
        stdlib=f"{prefix}/lib/python3.11",
        dynload=f"{prefix}/lib/python3.11/lib-dynload",
        site_packages=(f"{prefix}/lib/python3.11/site-packages",),
        include=f"{prefix}/include/python3.11",
        pyconfig_h=f"{prefix}/include/python3.11/pyconfig.h",
        libdirs=(f"{prefix}/lib",),
        libraries=("libpython3.11.so.1.0",),
        wheels="",
    )


def packed(
    root: str, tmp_path: Path, env: dict[str, str], tag: str = TAG, **options: Any
) -> Packed:
    """Pack a prefix into `mirror` below a directory."""
    store = layout_from(env)
    return pack(
        str(tmp_path / "mirror"), root, layout=store, env=env, platform=HOST, tag=tag, **options
    )


def members(done: Packed) -> dict[str, tarfile.TarInfo]:
    """Return what the archive has, by names below `python/`."""
    with tarfile.open(done.path) as archive:
        return {m.name.removeprefix("python/"): m for m in archive.getmembers()}


def content(done: Packed, name: str) -> bytes:
    """Return what a file of the archive has."""
    with tarfile.open(done.path) as archive:
        file = archive.extractfile(f"python/{name}")
        assert file is not None
        return file.read()


def links(done: Packed) -> dict[str, str]:
    """Return the links of the archive, and where they lead."""
    return {name: m.linkname for name, m in members(done).items() if m.issym()}


def double(path: str, text: str) -> str:
    """Write an executable script and return its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


@functools.cache
def _answer() -> dict[str, Any]:
    """Return what the running interpreter tells of itself."""
    command = [sys.executable, "-I", "-B", "-c", probe._script()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout.strip().removeprefix(probe.MARK))
    assert isinstance(answer, dict)
    return answer
