"""Files in a directory that name a Python: read safely, split into entries, never interpreted.

What an entry means is `model.request`'s business, which entry wins is `selection`'s. The rules of
`.python-version` are pyenv's, with these differences: a byte order mark is read through, comments
may stand behind a version, and a request may contain spaces: nothing on a line is passed over.
"""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

LIMIT = 4096  # bytes of a version file; more is no version file
PYPROJECT_LIMIT = 1 << 18
_MOST_DOTS = 40  # of a line, outside of texts: a key of thousands takes the parser gigabytes
# TOML's strings and comments; of the quotes at the end of a long string, two may be its own. One
# without an end goes to the end, where the parser stops anyway: so no text is looked at twice
_TEXTS = (
    rb'"""(?:\\(?:.|\Z)|(?!""")[^\\])*(?:"""(?:"{0,2})|\Z)|'
    rb"'''(?:(?!''').)*(?:'''(?:'{0,2})|\Z)|"
    rb'"(?:[^"\\\n]|\\[^\n])*"?|' + rb"'[^'\n]*'?|#[^\n]*"
)
_BOM = b"\xef\xbb\xbf"
_KEPT = 8  # of what was parsed: one command reads the same few files several times
_parsed: dict[bytes, dict[str, object]] = {}


class Entry(Record):
    """One request of a version file, as written, and the line (from 1) that it stands on."""

    text: str
    line: int


def read_python_version(path: str) -> tuple[Entry, ...] | None:
    """Return the entries of a `.python-version` or `.python-versions` file.

    None: the file says nothing, because it isn't there or is a directory. An empty tuple: it is
    there and names nothing, which means the system's Python. Raises BubbleError(version_file).
    """
    data = read_regular(path, LIMIT)
    if data is None:
        return None
    entries: list[Entry] = []
    for number, line in enumerate(_text(path, data).splitlines(), 1):
        entries += [Entry(text=text, line=number) for text in _words(line)]
    return tuple(entries)


def read_tool_versions(path: str) -> tuple[Entry, ...] | None:
    """Return the versions of the first `python` line of a `.tool-versions` file (asdf, mise).

    None when the file isn't there or has no such line. Raises BubbleError(version_file).
    """
    data = read_regular(path, LIMIT * 4)
    if data is None:
        return None
    for number, line in enumerate(_text(path, data).splitlines(), 1):
        words = line.partition("#")[0].split()
        if words[:1] == ["python"]:
            return tuple(Entry(text=word, line=number) for word in words[1:])
    return None


def read_requires_python(path: str) -> tuple[Entry, ...] | None:
    """Return `project.requires-python` of a `pyproject.toml` as the one entry.

    None when the file or the key isn't there, or the file doesn't speak of `requires-python`.
    Raises BubbleError(version_file) for what isn't TOML, isn't a specifier (PEP 440), or would
    take long to read.
    """
    data = read_regular(path, PYPROJECT_LIMIT)
    if data is None or b"requires-python" not in data:
        return None
    project = parse_toml(path, data).get("project", {})
    value = project.get("requires-python") if isinstance(project, dict) else None
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise _unusable(path, "requires-python is not a specifier in quotes")
    if value.strip()[0] not in "<>=!~" or not _is_specifier(value):
        raise _unusable(path, f"requires-python is no specifier: “{printable(value, 80)}”")
    lines = data.decode().splitlines()
    line = next((n for n, text in enumerate(lines, 1) if "requires-python" in text), 1)
    return (Entry(text=value.strip(), line=line),)


def parse_toml(path: str, data: bytes) -> dict[str, object]:
    """Return what the TOML in `data`, read from `path`, says; the work is bounded.

    Nobody changes it: the same bytes give the same tables. Raises BubbleError(version_file).
    """
    known = _parsed.get(data)
    if known is None:
        if len(_parsed) == _KEPT:
            _parsed.clear()
        known = _parsed[data] = _parse(path, data)
    return known


def _parse(path: str, data: bytes) -> dict[str, object]:
    import re
    import tomllib

    data = data.removeprefix(_BOM)
    plain = re.sub(_TEXTS, b"", data, flags=re.DOTALL)
    if any(line.count(b".") > _MOST_DOTS for line in plain.split(b"\n")):
        raise _unusable(path, "it has keys of too many parts")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # also numbers of more digits than int() reads
        raise _unusable(path, f"it is not TOML ({printable(str(error), 120)})") from None


def _is_specifier(text: str) -> bool:
    from bubble.model.request import parse_request

    try:
        return parse_request(text).is_python
    except BubbleError:
        return False


def read_regular(path: str, limit: int) -> bytes | None:
    """Return the bytes of a regular file, None when there is none there or it is a directory.

    Never waits (a FIFO), never reads more than `limit` bytes. Raises BubbleError(version_file)
    for what is there and is no readable file of that size.
    """
    try:
        # looked at before it is opened: opening a device may do something (a watchdog starts)
        if not _is_regular(path, os.stat(path).st_mode):
            return None
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise _unusable(path, "it is a link to nothing", is_file=False) from None
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        if not _is_regular(path, os.fstat(descriptor).st_mode):
            return None
        data = b""
        while len(data) <= limit and (more := os.read(descriptor, limit + 1 - len(data))):
            data += more
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise _unusable(path, f"it is larger than {limit} bytes")
    return data


def _is_regular(path: str, mode: int) -> bool:
    """Whether it is a file; False for a directory; raise for what is neither."""
    if stat.S_ISREG(mode):
        return True
    if stat.S_ISDIR(mode):
        return False
    raise _unusable(path, "it is not a regular file", is_file=False)


def _text(path: str, data: bytes) -> str:
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        raise _unusable(path, "it is not UTF-8 text") from None
    for number, line in enumerate(text.replace("\r", "\n").split("\n"), 1):
        if not line.replace("\t", "").isprintable():
            raise _unusable(path, f"line {number} has control characters")
    return text


def _words(line: str) -> list[str]:
    """Return the entries of one line: whole requests, as the command line has them, split at `:`.

    pyenv takes the first word and passes over the rest: of `python 3.12`, the newest Python.
    """
    requests = (" ".join(part.split()) for part in line.partition("#")[0].split(":"))
    return [request for request in requests if request]


def _unreadable(path: str, error: OSError) -> BubbleError:
    reason = error.strerror or "it can't be read"
    return _unusable(path, reason[0].lower() + reason[1:], is_file=False)


def _unusable(path: str, reason: str, *, is_file: bool = True) -> BubbleError:
    """Return the error; `is_file`: what is there is an ordinary file, which `use` may replace."""
    match os.path.basename(path):
        case ".python-version" if is_file:
            hint = "write a new one, in that directory: bubble use 3.12"
        case "version" if is_file:
            hint = "write a new one: bubble global 3.12"
        case ".python-version" | "version":
            hint = "move it away: it is no version file that bubble could write to"
        case _:
            hint = "mend it, or choose for your directory alone: bubble use 3.12"
    return BubbleError("version_file", f"{printable(path, 500)} can't be used: {reason}", hint=hint)
