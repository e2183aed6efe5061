"""What every reader does with a file: bytes to a tree, within bounds, and with clear errors."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable, without_userinfo
from bubble.model.urls import published
from bubble.system.version_file import parse_toml, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SMALL = 1 << 20  # bytes of what people write by hand
LARGE = 32 << 20  # bytes of a lock of another tool: the largest public ones have 5 MB
_MEND = "mend the file, and import it again"


def read_bytes(path: str, limit: int) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes; raise BubbleError(usage)."""
    try:
        data = read_regular(path, limit)
    except BubbleError as error:
        raise BubbleError("usage", error.message, hint="check the path") from None
    if data is None:
        raise BubbleError(
            "usage", f"there is no file {printable(path, 500)}", hint="check the path"
        )
    return data


def read_text(path: str, limit: int) -> str:
    """Return the text of a file: UTF-8, with or without a mark, or UTF-16 with one."""
    data = read_bytes(path, limit)
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise unusable(path, "it is not UTF-8 text") from None
    if "\0" in text:
        raise unusable(path, "it has zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_toml(path: str, limit: int) -> dict[str, Any]:
    """Return what a TOML file says; raise BubbleError(usage)."""
    data = read_bytes(path, limit)
    try:
        return parse_toml(path, data)
    except BubbleError as error:
        raise BubbleError("usage", error.message, hint=_MEND) from None


def read_json(path: str, limit: int) -> Any:
    """Return what a JSON file says; raise BubbleError(usage)."""
    import json

    try:
        return json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise unusable(path, f"it is not JSON ({printable(str(error), 80)})") from None


def unusable(path: str, why: str, hint: str = _MEND) -> BubbleError:
    """Return the error for a file that can't be taken over."""
    said = without_userinfo(why)
    return BubbleError("usage", f"{printable(path, 500)} can't be imported: {said}", hint=hint)


def table(value: object) -> dict[str, Any]:
    """Return a table, or an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[dict[str, Any]]:
    """Return the tables in a list, or in a table's values."""
    values = list(value.values()) if isinstance(value, dict) else value
    return [item for item in values if isinstance(item, dict)] if isinstance(values, list) else []


def string(value: object) -> str:
    """Return a text, "" for what is none."""
    return value if isinstance(value, str) else ""


def strings(value: object) -> tuple[str, ...]:
    """Return the texts in a list, or a text as the only one."""
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def web_address(url: str) -> tuple[str, bool]:
    """Return a URL without credentials, and whether it had some; raise ValueError for no http(s).

    What is to be downloaded is named by the web alone: a `file://` of somebody else's lock would
    be read from this machine.
    """
    plain, hidden = published(url)
    if not plain.startswith(("https://", "http://")):
        raise ValueError("its address is none of the web")
    return plain, hidden


def inside(root: str, base: str, path: str) -> str:
    """Return a path (relative to `base`) relative to `root`; raise ValueError if it leads out."""
    if not path or os.path.isabs(path) or "\0" in path or "://" in path:
        raise ValueError(f"{printable(path, 120)} is no path of the project")
    found = os.path.normpath(os.path.join(base, path))
    real = os.path.realpath(found)
    top = os.path.realpath(root)
    if not (f"{found}/".startswith(f"{root}/") and f"{real}/".startswith(f"{top}/")):
        raise ValueError(f"{printable(path, 120)} leads out of the project")
    return os.path.relpath(found, root)
