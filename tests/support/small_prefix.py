"""A prefix as an interpreter has one, as small as can be; its interpreter is a **double**.

The double is a shell script that gives the two answers that bubble asks an interpreter for: what
it is (`probe`) and where its files are (`pack.probe`). Both can be changed by a test.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

from bubble.pythons.probing import probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SCRIPT = """\
#!/bin/sh
# a double of an interpreter, for tests
case "$*" in
*bubble-probe:*) answer=answer ;;
*spelled_prefix*) answer=facts ;;
*) echo "a double only answers" >&2; exit 3 ;;
esac
exec cat '{directory}'/$answer
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
    for name_, text in (("facts", json.dumps(told)), ("answer", probe.MARK + json.dumps(answer))):
        with open(f"{beside}/{name_}", "w", encoding="ascii") as file:
            file.write(f"{text}\n")
    double(f"{root}/bin/{name}", _SCRIPT.format(directory=beside))
    return root


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
