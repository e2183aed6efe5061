"""What a release of bubble consists of: its wheel, the installer with its pins, its requirements.

`scripts/release` publishes it; a bundle takes the running program along, however that came onto
this machine: its wheel is written anew from what is installed, the same bytes everywhere.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shlex

import bubble
from bubble.model.errors import BubbleError
from bubble.program.origin import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bubble.model.download import Download

MINOR = "3.13"  # of the interpreter that bubble runs on
INSTALLER, REQUIREMENTS = "install.sh", "requirements.lock"
# where they lie in a checkout; the wheel has them beside this module
_SOURCES = {INSTALLER: "scripts/install.sh", REQUIREMENTS: "scripts/lib/requirements.lock"}
_WHEEL = "Wheel-Version: 1.0\nGenerator: bubble\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_ENTRY = "[console_scripts]\nbubble = bubble.cli.main:run\n"
_BEGIN, _END = "        # pins: begin\n", "        # pins: end\n"


def text_of(name: str) -> str:
    """Return the template of the installer, or what bubble needs, with hashes."""
    with open(_path_of(name), encoding="utf-8") as file:
        return file.read()


def install_script(wheel: str, wheel_sha256: str, pins: Iterable[Download], base: str = "") -> str:
    """Return the installer of a release: `wheel` is a file's name, `pins` its interpreters.

    `base` is the address that the release's files will lie at, "" for none.
    """
    text = pinned(text_of(INSTALLER), pins)
    values = {
        "@version@": shlex.quote(bubble.__version__),
        "@wheel@": shlex.quote(wheel),
        "@wheel_sha256@": wheel_sha256,
        "@base@": shlex.quote(base.rstrip("/")),
        "# @requirements@": text_of(REQUIREMENTS).strip(),
    }
    for mark, value in values.items():
        assert mark in text, mark
        text = text.replace(mark, value, 1)
    return text


def pinned(text: str, pins: Iterable[Download]) -> str:
    """Return the installer's text with the addresses and digests of these interpreters."""
    head, _, rest = text.partition(_BEGIN)
    lines = [
        f"        {pin.key.platform}) url={shlex.quote(pin.url)} sha256={pin.sha256} ;;\n"
        for pin in pins
    ]
    return "".join([head, _BEGIN, *lines, _END, rest.partition(_END)[2]])


def own_wheel() -> tuple[str, bytes]:
    """Return the name and the bytes of a wheel of the running program.

    Nothing in it depends on the machine; it isn't compressed, since compressors differ. Raises
    BubbleError(unavailable) where the program isn't installed as a distribution.
    """
    import zipfile

    info = f"bubble_python-{bubble.__version__}.dist-info"
    metadata, licence = _metadata()
    contents = {name: _bytes(path) for name, path in _files()} | {
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/entry_points.txt": _ENTRY.encode(),
        f"{info}/licenses/LICENSE": licence,
    }
    contents = dict(sorted(contents.items()))
    rows = [f"{name},{_hash(data)},{len(data)}\n" for name, data in contents.items()]
    record = f"{info}/RECORD"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        contents[record] = f"{''.join(rows)}{record},,\n".encode()
        for name, data in contents.items():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # modes as on Unix
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data)
    return f"bubble_python-{bubble.__version__}-py3-none-any.whl", written.getvalue()


def _package() -> str:
    return os.path.dirname(os.path.abspath(bubble.__file__))


def _checkout() -> str:
    """Return the root of the checkout that runs, "" where none does."""
    root = os.path.dirname(os.path.dirname(_package()))
    return root if os.path.exists(f"{root}/{_SOURCES[INSTALLER]}") else ""


def _path_of(name: str) -> str:
    root = _checkout()
    return f"{root}/{_SOURCES[name]}" if root else f"{_package()}/program/{name}"


def _files() -> Iterator[tuple[str, str]]:
    """Yield what belongs to the program, as the wheel names it, and where it lies."""
    yield from _below(_package(), "bubble")
    if root := _checkout():
        yield from _below(f"{root}/shims", "bubble/shims")
        for name in _SOURCES:
            yield f"bubble/program/{name}", _path_of(name)


def _below(directory: str, name: str) -> Iterator[tuple[str, str]]:
    for parent, _, files in os.walk(directory):
        if os.path.basename(parent) == "__pycache__":
            continue
        inside = os.path.normpath(os.path.join(name, os.path.relpath(parent, directory)))
        for file in files:
            if not file.endswith(".pyc"):
                yield f"{inside}/{file}", f"{parent}/{file}"


def _metadata() -> tuple[bytes, bytes]:
    """Return the distribution's METADATA, with the version that runs, and its licence."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(NAME)
    except PackageNotFoundError:
        found = None
    text = found.read_text("METADATA") if found else None
    if not found or not text:
        raise BubbleError(
            "unavailable",
            "bubble isn't installed as a package here, so that there is nothing to take along",
            hint="take a release's files: --release DIR",
        )
    text = re.sub(r"(?m)^Version: .*$", f"Version: {bubble.__version__}", text, count=1)
    return text.encode(), (found.read_text("licenses/LICENSE") or "").encode()


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.decode().rstrip('=')}"
