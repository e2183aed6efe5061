"""A release of a few KB, to try `scripts/install.sh` on: its interpreter is a **double**.

The script is the checkout's, with pins for this machine. The interpreter is a shell script that
answers what the installer asks of it: its pip copies one file, its bubble prints a version. What a
real interpreter and real packages do is `tests/real/test_install_script.py`'s.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile

from bubble.model.key import Key
from bubble.model.version import Version
from bubble.pythons.pack import file_name
from bubble.system.host import host_platform
from support.releases import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ARCHIVE = file_name(
    Key(
        implementation="cpython",
        version=Version.parse("3.13.0"),
        variant="",
        platform=host_platform({}),
    ),
    "20260101",
)
WHEEL = "bubble_python-{version}-py3-none-any.whl"

_PYTHON = """#!/bin/sh
# a double of an interpreter, for tests of install.sh
bin=${0%/*}
case "$*" in
*' -m pip install '*--require-hashes*)
    [ -d "$(pwd -P)" ] || exit 1 # as pip does
    cp "${bin%/python/bin}"/*.whl "$bin/bubble" ;;
*' -m compileall '*)
    mkdir -p "$bin/../lib/python3.13/site-packages/bubble/__pycache__"
    : >"$bin/../lib/python3.13/site-packages/bubble/__pycache__/x.pyc" ;;
*' -c '*) exit 0 ;;
*) shift; exec /bin/sh "$@" ;;
esac
"""


def small_release(
    directory: str,
    *,
    version: str = "1.0",
    base: str = "",
    url: str = "http://127.0.0.1:9",
    change: Callable[[tarfile.TarInfo], object] = lambda _: None,
) -> str:
    """Make a release in `directory`, which is made, and return that.

    The script fetches the interpreter from below `url` where it isn't beside it. `change` gets
    the archive's members before they are written.
    """
    os.makedirs(directory, exist_ok=True)
    archive = _archive(change)
    wheel = f"echo 'bubble {version}'\n".encode()
    with open(f"{directory}/{ARCHIVE}", "wb") as file:
        file.write(archive)
    with open(f"{directory}/{WHEEL.format(version=version)}", "wb") as file:
        file.write(wheel)
    with open(f"{ROOT}/scripts/install.sh", encoding="utf-8") as file:
        text = file.read()
    pin = (
        f"        {host_platform({})}) url={url}/{ARCHIVE.replace('+', '%2B')} "
        f"sha256={hashlib.sha256(archive).hexdigest()} ;;\n"
    )
    text = re.sub(r"(?s)(?<=pins: begin\n).*?(?= *# pins: end)", lambda _: pin, text)
    for mark, value in {
        "@version@": version,
        "@wheel@": WHEEL.format(version=version),
        "@wheel_sha256@": hashlib.sha256(wheel).hexdigest(),
        "@base@": base,
        "# @requirements@": "nothing==1.0",
    }.items():
        assert mark in text, mark
        text = text.replace(mark, value, 1)
    with open(f"{directory}/install.sh", "w", encoding="utf-8") as file:
        file.write(text)
    return directory


def _archive(change: Callable[[tarfile.TarInfo], object]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("python", "python/bin", "python/lib"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            change(info)
            tar.addfile(info)
        info = tarfile.TarInfo("python/bin/python3")
        info.mode, info.size = 0o755, len(_PYTHON)
        change(info)
        tar.addfile(info, io.BytesIO(_PYTHON.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)
