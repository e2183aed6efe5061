"""Lines as pip takes them, put where a manifest has a place for them.

PEP 508 goes into `dependencies`; what only a requirements file can say (editables elsewhere,
options of an index) into a file of its own; credentials nowhere.
"""

from __future__ import annotations

import os
import re

from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange.requirement_lines import shown
from bubble.projects.exchange.taken import Left
from bubble.projects.exchange.texts import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.exchange.requirement_lines import Line
    from bubble.projects.exchange.taken import Held

_INDEXES = {"--index-url", "--extra-index-url", "--find-links"}
_PLAIN = {"--pre", "--prefer-binary", "--no-binary", "--only-binary", "--no-index"}
_ITSELF = re.compile(r"(?:\./?|\$\{?PWD\}?)(\[[^\]]*\])?")
_LISTS = ("dependencies", "lines", "requirements", "constraints", "extras")
_URL = re.compile(r"[a-z+]*://[^\s;#]+")


class PipPart:
    """Lines to be put somewhere, and what has no place."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.left: list[Left] = []
        self.notes: list[str] = []


def take_lines(part: PipPart, held: Held, path: str, root: str) -> Held:
    """Return a bubble with the part's lines in it; `path` is the file that they stand in."""
    found: dict[str, list[str]] = {key: list(getattr(held, key)) for key in _LISTS}
    project = held.project
    for line in part.lines:
        text = _without_secrets(line, part)
        try:
            key, value = _place(line, text, path, root)
        except ValueError as error:
            part.left.append(Left(what=shown(line.text), why=str(error), line=line.number))
            continue
        if line.option in _INDEXES:
            part.notes.append(f"packages are looked for at {text} as well, as the file says")
        if key == "project":
            project = "editable" if line.option else project or "built"
            found["extras"] += [word.strip() for word in value.split(",") if word.strip()]
        else:
            found[key].append(value)
    return held.replace(
        project=project, **{key: tuple(dict.fromkeys(values)) for key, values in found.items()}
    )


def _place(line: Line, text: str, path: str, root: str) -> tuple[str, str]:
    """Return which key of a bubble a line belongs to, and what it is there.

    `text` is the line's own without secrets. Raises ValueError where it has no place.
    """
    base = os.path.dirname(path)
    if line.option in {"--requirement", "--constraint"}:
        named = inside(root, base, line.value)
        if not os.path.isfile(f"{root}/{named}"):
            raise ValueError(f"there is no {printable(line.value, 200)}")
        return ("requirements" if line.option == "--requirement" else "constraints"), named
    itself = _ITSELF.fullmatch(line.value) if line.option in {"", "--editable"} else None
    if itself and base == root and os.path.isfile(f"{root}/pyproject.toml"):
        return "project", (itself[1] or "[]")[1:-1]
    if line.option:
        return "lines", _optional(line, text, base, root)
    if not line.required:
        return "lines", _target(line.value, text, base, root)
    if line.hashes:
        return "lines", line.text
    _require_reachable(line)
    return "dependencies", text


def _optional(line: Line, text: str, base: str, root: str) -> str:
    """Return an option as a requirements file has it."""
    if line.option == "--editable":
        return f"-e {_target(line.value, text, base, root)}"
    if line.option in _INDEXES:
        return f"{line.option} {text}"
    if line.option in _PLAIN:
        return f"{line.option} {line.value}".strip()
    raise ValueError("an option of pip's that means nothing here")


def _without_secrets(line: Line, part: PipPart) -> str:
    """Return a line's own text with no credentials in any of its URLs."""
    text = line.required or line.value

    def plain(found: re.Match[str]) -> str:
        url, hidden = published(found[0])
        if hidden:
            part.notes.append(
                f"line {line.number} has a URL with credentials or a query: they were left out; "
                "the installer takes them from its configuration (netrc, keyring, environment)"
            )
        return url

    return _URL.sub(plain, text)


def _require_reachable(line: Line) -> None:
    """Raise ValueError for what is a file of the machine that the list came from."""
    url = line.requirement().url or ""
    if url.startswith("file:"):
        raise ValueError("it was installed from a directory of another machine")


def _target(value: str, text: str, base: str, root: str) -> str:
    """Return where an editable or a local archive lies, relative to the project."""
    if "file:" in value:
        raise ValueError("it was installed from a directory of another machine")
    if "://" in value or re.match(r"(git|hg|svn|bzr)\+", value):
        return text
    extras = re.search(r"\[[^\]]*\]$", value)
    plain = value.removesuffix(extras[0]) if extras else value
    found = inside(root, base, plain)
    place = "." if found == "." else f"./{found}"
    return f"{place}{extras[0] if extras else ''}"
