"""Lock files: PEP 751's `pylock.toml`, with the interpreter in the table that it leaves to tools.

The packages are a resolver's text, which pip and uv read; `[tool.bubble]` follows it.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
_LARGEST = 64 << 20  # bytes of a lock


class Build(Record):
    """One build of the interpreter: its key and tag, where it is from, and its bytes' sha256."""

    key: str
    build: str
    url: str
    sha256: str


class Lock(Record):
    """What a lock file says of the interpreter and its inputs, and which packages it has.

    `inputs` is the digest of `projects.inputs`, "" where bubble didn't make it; `versions` maps
    the packages' canonical names to their versions ("" for source trees).
    """

    inputs: str
    request: str
    version: str
    builds: tuple[Build, ...]
    versions: dict[str, str]


def read_lock(path: str) -> Lock | None:
    """Return what the lock file at `path` (absolute) says; None when there is none.

    Raises BubbleError(lock) for what is no lock file.
    """
    try:
        data = read_regular(path, _LARGEST)
    except BubbleError as error:
        raise BubbleError("lock", error.message, hint="make it anew: bubble lock") from None
    return None if data is None else parse_lock(data, path)


def parse_lock(data: bytes, path: str) -> Lock:
    """Return what the bytes of a lock file say; `path` is for messages."""
    import tomllib

    try:
        read = tomllib.loads(data.decode())
        return _lock(read)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise BubbleError(
            "lock",
            f"{printable(path, 500)} can't be read as a lock file: {printable(str(error), 200)}",
            hint="make it anew: bubble lock",
        ) from None


def _lock(read: dict[str, Any]) -> Lock:
    from bubble.model.key import parse_key

    if read.get("lock-version") != "1.0":
        raise ValueError(f"its version is {read.get('lock-version')!r}, and 1.0 is known")
    own = read.get("tool", {}).get("bubble", {})
    if own and own.get("format") != FORMAT:
        raise ValueError(f"[tool.bubble] has format {own.get('format')!r}, and {FORMAT} is known")
    python = own.get("python", {})
    builds = [
        Build(**{name: _text(build[name]) for name in Build._fields})
        for build in python.get("builds", [])
    ]
    for build in builds:
        parse_key(build.key)
        if len(build.sha256) != 64 or not set(build.sha256) <= set("0123456789abcdef"):
            raise ValueError(f"the sha256 of {build.key} is none")
    return Lock(
        inputs=_text(own.get("inputs", "")).removeprefix("sha256:"),
        request=_text(python.get("request", "")),
        version=_text(python.get("version", "")),
        builds=tuple(builds),
        versions={_text(p["name"]): _text(p.get("version", "")) for p in read.get("packages", [])},
    )


def render(packages: str, lock: Lock) -> bytes:
    """Return a lock file's bytes: a resolver's text, and what `lock` says of the rest."""
    lines = [
        packages.rstrip("\n"),
        "",
        "[tool.bubble]",
        f"format = {FORMAT}",
        f"inputs = {_toml(f'sha256:{lock.inputs}')}",
        "",
        "[tool.bubble.python]",
        f"request = {_toml(lock.request)}",
        f"version = {_toml(lock.version)}",
    ]
    for build in lock.builds:
        lines += ["", "[[tool.bubble.python.builds]]"]
        lines += [f"{name} = {_toml(getattr(build, name))}" for name in Build._fields]
    return "".join(f"{line}\n" for line in lines).encode()


def _toml(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML, for printable text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
