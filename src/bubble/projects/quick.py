"""“Nothing to do”, recognised: what a look at everything found, as facts that must all be so now.

A memo (`synced/now.…`, one a directory) is an equality with what is there, never “newer than”; it
is derived, and deletable. Without one, or with a fact that isn't so, everything is looked at. What
this module needs is what a start costs: no TOML is read.

    c DIGEST PATH     the content of a regular file, which is no link
    - PATH            nothing lies there
    l TEXT PATH       a link, and where it says that it leads
    r REAL PATH       where a path leads in the end
    p DIGEST PATH     the packages of an environment (`state.packages_of`)
    i NUMBER PATH     the number of a file to which the store has a link: it is that very one
"""

from __future__ import annotations

import os

from bubble.projects.state import digest, packages_of
from bubble.selection.shortcuts import SIGNS
from bubble.system.directory import upwards
from bubble.system.files import make_directory, read_text, unlink_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bubble.system.layout import Layout

_FORMAT = "bubble nothing to do 1"
_LARGEST = 1 << 20  # bytes of a file that is compared
_MOST = 4 << 20  # bytes of a memo


def nothing_to_do(
    layout: Layout, cwd: str, names: Sequence[str], *, everything: bool
) -> list[tuple[str, str]] | None:
    """Return the names and paths of the bubbles that are meant, if all are as their locks say.

    None where that isn't known. `cwd` is absolute.
    """
    recalled = recall(layout, cwd, names, everything=everything)
    return recalled[0] if recalled and all(map(_holds, recalled[1])) else None


def recall(
    layout: Layout, cwd: str, names: Sequence[str], *, everything: bool
) -> tuple[list[tuple[str, str]], list[str]] | None:
    """Return the names and paths of these bubbles, and from which facts there is nothing to do."""
    start = start_of(cwd)
    lines = (read_text(memo_path(layout, start), _MOST) or "").split("\n") if start else []
    if lines[:2] != [f"{_FORMAT} {layout.home}", start] or lines[-2:] != [".", ""]:
        return None
    blocks: dict[str, list[str]] = {}
    block: list[str] = []
    for line in lines[2:-2]:
        kind, _, rest = line.partition(" ")
        if kind == "block":
            block = blocks[rest] = []
        else:
            block.append(line)
    common = blocks.pop("", None)
    if common is None or len(common) < 2:
        return None
    every, usual = common[0].split(" ")[1:], common[1].split(" ")[1:]
    wanted = list(dict.fromkeys(every if everything else names or usual))
    if not wanted or not blocks.keys() >= set(wanted):
        return None
    found = [(name, blocks[name][0].partition(" ")[2]) for name in wanted]
    facts = [*common[2:], *(fact for name in wanted for fact in blocks[name][1:])]
    return found, facts


def start_of(cwd: str) -> str:
    """Return the nearest directory from the absolute `cwd` upwards with a sign of a project.

    As `cwd` is spelled: through a link, another project may be above.
    """
    for directory in upwards(cwd):
        base = directory.rstrip("/")
        if any(os.path.lexists(f"{base}/{name}") for name in SIGNS):
            return directory
    return ""


def memo_path(layout: Layout, start: str) -> str:
    """Return where the memo of a directory (`start_of`) is."""
    return f"{layout.synced}/now.{digest(os.fsencode(start))}"


def facts_of(
    files: Iterable[str],
    links: Iterable[str],
    leads: Iterable[str],
    environment: str = "",
    held: Iterable[str] = (),
) -> list[str] | None:
    """Return the facts about some paths as they are now: None where one can't be said.

    `files` are regular files or nothing, `links` links or nothing, `leads` anything that is there,
    `held` files to which the store has links.
    """
    found: list[str] = []
    try:
        there = os.path.lexists
        found += [f"c {_content(p)} {p}" if there(p) else f"- {p}" for p in files]
        found += [f"l {os.readlink(p)} {p}" if there(p) else f"- {p}" for p in links]
        found += [f"i {_number(path)} {path}" for path in held]
        found += [f"r {_real(path)} {path}" for path in leads]
    except (OSError, ValueError):
        return None
    if environment:
        found.append(f"p {packages_of(environment)} {environment}")
    # a link's text is told from the path behind it by its spaces
    return None if any("\n" in f or " " in f.split(" /")[0][2:] for f in found) else found


def leave(
    layout: Layout,
    start: str,
    usual: Sequence[str],
    every: Sequence[str],
    common: Sequence[str],
    blocks: Mapping[str, tuple[str, Sequence[str]]],
) -> None:
    """Write the memo of a directory; failures cost nothing.

    `usual` are the bubbles that are meant where none is named, `every` all of them; `blocks` has
    path and facts of each bubble that has nothing to do.
    """
    lines = [f"{_FORMAT} {layout.home}", start, "block "]
    lines += [" ".join(("every", *every)), " ".join(("usual", *usual)), *common]
    for name, (path, facts) in blocks.items():
        lines += [f"block {name}", f"path {path}", *facts]
    text = "".join(f"{line}\n" for line in [*lines, "."])
    try:
        make_directory(layout.synced)
        write_atomic(memo_path(layout, start), os.fsencode(text))
    except OSError:
        pass


def forget(layout: Layout, start: str) -> None:
    """Take the memo of a directory away."""
    try:
        unlink_quietly(memo_path(layout, start))
    except OSError:
        pass


def _holds(fact: str) -> bool:
    kind, _, rest = fact.partition(" ")
    if kind == "-":
        return not os.path.lexists(rest)
    value, _, path = rest.partition(" /")
    path = f"/{path}"
    try:
        return kind in _LOOKS and _LOOKS[kind](path) == value
    except (OSError, ValueError):
        return False


def _content(path: str) -> str:
    """Return the digest of a regular file's content; ValueError for what isn't one, or large."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        data = os.read(descriptor, _LARGEST + 1) if size <= _LARGEST else b""
        if len(data) != size:
            raise ValueError(path)
    finally:
        os.close(descriptor)
    return digest(data)


def _number(path: str) -> str:
    return str(os.lstat(path).st_ino)


def _real(path: str) -> str:
    return os.path.realpath(path, strict=True)


# a fact's kind → what is compared of its path
_LOOKS = {"c": _content, "l": os.readlink, "r": _real, "p": packages_of, "i": _number}
