"""What a script's block says: checked to the last key of the standard (PEP 723) before it is used.

Of `[tool.uv]`, only what decides where packages come from counts; what would have uv do something
else (another cache, other targets, other interpreters) is left out.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.checks import is_simple
from bubble.system.version_file import parse_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.scripts.source import Script

_LARGEST = 1 << 20  # bytes of a block
_MOST = 5000  # dependencies
_KEYS = ("dependencies", "requires-python", "tool")
# of [tool.uv]: where packages are looked for …
INDEXES = ("index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy")
# … which ones may be taken …
CHOICES = (
    "constraint-dependencies", "override-dependencies", "exclude-dependencies",
    "build-constraint-dependencies", "exclude-newer", "exclude-newer-package", "prerelease",
    "resolution", "fork-strategy", "no-build", "no-build-package", "no-binary", "no-binary-package",
    "dependency-metadata", "config-settings",
)  # fmt: skip
# … and what single ones come from
SOURCES = "sources"
KNOWN = (*INDEXES, *CHOICES, SOURCES)


class Metadata(Record):
    """What a script asks for.

    `requires_python` is a specifier (PEP 440) or "", `dependencies` are PEP 508 lines, `uv` holds
    the KNOWN keys of `[tool.uv]`, with paths made absolute. `is_local`: something is meant from
    the script's own directory.
    """

    requires_python: str
    dependencies: tuple[str, ...]
    uv: Mapping[str, object]
    is_local: bool


def read_metadata(script: Script) -> Metadata:
    """Return what a script's block says. Raises BubbleError(script) for what it must not say."""
    if len(script.block) > _LARGEST:
        raise wrong(script, f"is larger than {_LARGEST} bytes")
    try:
        table = parse_toml(script.path, script.block.encode("utf-8", "surrogatepass"))
    except BubbleError as error:
        reason = error.message.rpartition("can't be used: ")[2]
        raise wrong(script, f"can't be read: {reason}") from None
    for key in table:
        if key not in _KEYS:
            raise _unknown(script, key)
    tool = table.get("tool", {})
    uv = tool.get("uv", {}) if isinstance(tool, dict) else None
    if not isinstance(uv, dict):
        raise wrong(script, "has a `tool` that is no table")
    taken = {key: uv[key] for key in KNOWN if key in uv}
    _require_printable(script, taken)
    absolute = {key: _absolute(key, value, script.directory) for key, value in taken.items()}
    return Metadata(
        requires_python=_requires_python(script, table.get("requires-python", "")),
        dependencies=_dependencies(script, table.get("dependencies", [])),
        uv=absolute,
        is_local=absolute != taken,
    )


def wrong(script: Script, what: str, hint: str = "") -> BubbleError:
    """Return the error for a block that says what it must not."""
    return BubbleError(
        "script",
        f"the metadata of {script.title} {what}",
        hint=hint or "how it is written: https://peps.python.org/pep-0723/",
    )


def _unknown(script: Script, key: str) -> BubbleError:
    import difflib

    close = difflib.get_close_matches(key, _KEYS, 1) if len(key) < 80 else []
    return wrong(
        script,
        f"has the key “{printable(key, 80)}”, which the standard doesn't know",
        f"did you mean: {close[0]}" if close else f"known: {', '.join(_KEYS)}",
    )


def _requires_python(script: Script, value: object) -> str:
    from bubble.model.request import parse_request

    if value == "":
        return ""
    if not isinstance(value, str) or value.strip()[:1] not in set("<>=!~"):
        raise wrong(script, "has a `requires-python` that is no specifier in quotes")
    try:
        if parse_request(value).kind == "range":
            return value.strip()
    except BubbleError:
        pass
    raise wrong(script, f"has a `requires-python` that is no specifier: “{printable(value, 80)}”")


def _dependencies(script: Script, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise wrong(script, "has `dependencies` that are no list of texts")
    if len(value) > _MOST:
        raise wrong(script, f"has more than {_MOST} dependencies")
    for text in value:
        if not is_simple(text) and not _is_requirement(text):
            raise wrong(
                script,
                f"has a dependency that is none: “{printable(text, 80)}”",
                "a dependency is written as PEP 508 says: requests>=2.31",
            )
    return tuple(value)


def _is_requirement(text: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return text.isprintable() and _is_readable(Requirement(text).url or "")
    except (InvalidRequirement, RecursionError):
        return False


def _is_readable(url: str) -> bool:
    """Whether what an address leads to ends: pip reads a device until the memory is full."""
    if not url.startswith("file:"):
        return True
    from urllib.parse import unquote, urlsplit

    try:
        path = unquote(urlsplit(url).path)
        return os.path.isfile(path) or os.path.isdir(path)
    except ValueError:
        return False


def _require_printable(script: Script, value: object) -> None:
    """Refuse control characters in what is handed on, deep inside as well."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and not one.isprintable():
            raise wrong(script, f"has control characters: “{printable(one, 80)}”")


def _absolute(key: str, value: object, directory: str) -> object:
    """Return a value of `[tool.uv]` with the paths that are meant from the script made absolute."""
    if key in {"index-url", "extra-index-url", "find-links"}:
        if isinstance(value, list):
            return [_location(item, directory) for item in value]
        return _location(value, directory)
    if key == "index" and isinstance(value, list):
        return [_with(item, "url", directory) for item in value]
    if key == SOURCES and isinstance(value, dict):
        return {
            name: [_with(item, "path", directory) for item in source]
            if isinstance(source, list)
            else _with(source, "path", directory)
            for name, source in value.items()
        }
    return value


def _with(table: object, key: str, directory: str) -> object:
    if not isinstance(table, dict) or key not in table:
        return table
    return {**table, key: _location(table[key], directory)}


def _location(value: object, directory: str) -> object:
    if not isinstance(value, str) or "://" in value or os.path.isabs(value):
        return value
    return os.path.normpath(os.path.join(directory, value))
