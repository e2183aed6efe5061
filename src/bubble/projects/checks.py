"""Whether a manifest's texts can be what they are said to be: names, requests, paths, PEP 508."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.name import LONGEST, is_name
from bubble.model.platform import parse_platform
from bubble.model.request import parse_request
from bubble.model.text import printable, without_userinfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Wrong = Callable[[str, str], BubbleError]  # what is wrong, and a hint → the error

# no file or directory of Windows can have these names, whatever follows a dot
_WINDOWS = frozenset(
    ["con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(10))]
)
# the simplest PEP 508 lines, which are most of them, without the cost of importing the parser
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:[<>]=?|[!=]=)[ ]*\d+(?:\.\d+)*"
_SIMPLE = re.compile(rf"{_NAME}(?:\[{_NAME}\])?[ ]*(?:{_CLAUSE}(?:[ ]*,[ ]*{_CLAUSE})*)?")
_LONGEST_LINE = 4096
_SHORT = {"linux": "gnu", "macos": "none", "darwin": "none", "windows": "none"}
# what is no requirements file, by its name → the hint
_OTHERS = {
    **dict.fromkeys(
        ("environment.yml", "environment.yaml", "pipfile", "pipfile.lock", "poetry.lock",
         "pdm.lock", "uv.lock"),
        "take it over once: bubble import {}",
    ),
    "pyproject.toml": 'its own dependencies: project = "editable"; its groups: groups = ["dev"]',
    "setup.py": 'what it asks for comes with the project itself: project = "editable"',
    "bubble.toml": "another bubble's requirements: extends",
}  # fmt: skip


def require_name(spelled: str, plain: str, wrong: Wrong) -> None:
    """Raise unless a name can be a bubble's on every system; `plain` is how it is compared."""
    hint = f"letters, digits and - _ . between them, a letter first, {LONGEST} at most"
    if plain in _WINDOWS:
        raise wrong("can't be a bubble's name: no file of Windows can have it", "name it otherwise")
    if not is_name(spelled) or not is_name(plain) or not spelled[-1].isalnum():
        raise wrong("can't be a bubble's name", hint)


def require_python(text: str, wrong: Wrong) -> str:
    """Return a manifest's request for a Python; raise unless it is for a version, anywhere."""
    hint = "a version, a range or an implementation: 3.12, >=3.11,<3.14, pypy3.10"
    try:
        request = parse_request(text)
    except BubbleError as error:
        raise wrong(f": {error.message}", error.hint or hint) from None
    if not request.is_python:
        what = f"is “{printable(text, 80)}”, which is no version of Python"
        raise wrong(what, f"{hint}; a path or a name means nothing on another machine")
    if request.platform is not None:
        what = f"is “{printable(text, 80)}”, which names a platform"
        raise wrong(what, f'the version alone here, and platforms = ["{request.platform}"]')
    return text


def require_platform(text: str, wrong: Wrong) -> str:
    """Return a platform as keys have it, from that, a target triple, or `macos-aarch64`."""
    system, _, rest = text.lower().partition("-")
    short = system in _SHORT and "-" not in rest
    try:
        return str(parse_platform(f"{text}-{_SHORT[system]}" if short else text))
    except BubbleError:
        raise wrong(
            f"is “{printable(text, 80)}”, which is no platform that builds exist for",
            "such as linux-x86_64-gnu, linux-aarch64-musl, macos-aarch64, windows-x86_64",
        ) from None


def require_requirement(text: str, wrong: Wrong) -> None:
    """Raise unless a text is one requirement (PEP 508) on one line."""
    if is_simple(text):
        return
    seen = printable(without_userinfo(text), 120)
    if len(text) > _LONGEST_LINE or not text.replace("\t", " ").isprintable():
        raise wrong(f"is “{seen}”, which is no requirement on one line", "")
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        what = f"is “{seen}”, which is no requirement (PEP 508): {printable(reason, 120)}"
        raise wrong(what, _instead(text)) from None


def is_simple(text: str) -> bool:
    """Whether a text is one requirement (PEP 508) of a name and plain versions, as most are."""
    return len(text) <= _LONGEST_LINE and _SIMPLE.fullmatch(text) is not None


def require_extra(text: str, wrong: Wrong) -> None:
    """Raise unless a text can be the name of an extra (PEP 508): it becomes part of a line."""
    if not re.fullmatch(_NAME, text):
        raise wrong(f"has “{printable(text, 80)}”, which can't be an extra's name", "")


def _instead(text: str) -> str:
    """Return what to write for a line that only requirement files may have."""
    word = text.split(maxsplit=1)[0]
    if word in {"-e", "--editable", ".", "./"} or word.startswith("-e"):
        return 'this project itself: project = "editable"; others: a line of a requirements file'
    if word.startswith(("-r", "--requirement")):
        return 'name the file: requirements = ["…"]'
    if word.startswith(("-c", "--constraint")):
        return 'name the file: constraints = ["…"]'
    if word.startswith("-"):
        return "options belong into a requirements file"
    if word.startswith(("/", "./", "../", "~")) or "://" in word:
        return "write it as NAME @ URL, or as a line of a requirements file"
    return "as in: numpy, numpy>=2, numpy>=2; python_version >= '3.11'"


def require_file(root: str, text: str, wrong: Wrong) -> str:
    """Return the absolute path of a requirements or constraints file; it needn't be there.

    It may lie outside of the project, as a monorepo's common constraints do: what is named is
    read, when somebody locks, and no more.
    """
    _require_path(text, wrong)
    name = os.path.basename(text)
    hint = _OTHERS.get(name.lower(), "")
    if re.fullmatch(r"pylock(\..+)?\.toml", name.lower()):
        hint = "a lock is made by bubble lock; an environment of one: bubble create -r pylock.toml"
    if hint:
        what = f"has “{printable(text, 80)}”, which is no requirements file"
        raise wrong(what, hint.format(name))
    return os.path.normpath(os.path.join(root, text))


def require_directory(root: str, text: str, wrong: Wrong) -> str:
    """Return the absolute real path of a directory below the root; it needn't be there yet."""
    _require_path(text, wrong)
    shown = f"“{printable(text, 80)}”"
    found = os.path.realpath(os.path.join(root, text))
    if found == root:
        raise wrong(f"has {shown}, which is the project itself", "that is the default bubble's")
    if not found.startswith(f"{root.rstrip('/')}/"):
        raise wrong(f"has {shown}, which leads out of the project", "only what lies below it")
    first = os.path.relpath(found, root).split("/")[0]
    if first in {".venv", ".venvs", ".git"}:
        raise wrong(f"has {shown}, which is no directory of yours", "name where you work")
    return found


def _require_path(text: str, wrong: Wrong) -> None:
    """Raise unless a text is a relative path that means the same on every system."""
    shown = f"“{printable(without_userinfo(text), 80)}”"
    if "://" in text:
        raise wrong(f"has {shown}, which is an address", "download it, and name the file")
    if os.path.isabs(text) or text.startswith("~") or re.match(r"[A-Za-z]:", text):
        what = f"has {shown}, which is no path that another machine has"
        raise wrong(what, "write it relative to the project's directory")
    if "\\" in text:
        raise wrong(f"has {shown}", "directories are separated by / here, on Windows too")
    if not text.isprintable() or any(c in text for c in '*?<>|"') or len(text) > 1024:
        raise wrong(f"has {shown}, which is no path that every system can have", "one a text")
