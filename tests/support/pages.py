"""The documentation's pages, as tests read them: blocks of code, and what they show.

A ```console block is a session: lines after `$ ` are typed (`> ` goes on with the one before), the
others are what is printed. `…` in such a line stands for anything, a line of `…` alone for any
number of lines. Where a block shows no output at all, its commands must only succeed. A ```sh block
is a script. These comments, which no reader sees, belong to the tests:

    <!-- not run: REASON -->        before a block: it isn't executed
    <!-- before: COMMANDS -->       anywhere: what must be there, typed in the page's session
    <!-- before each: COMMANDS -->  before a block: the same before each of its commands
    <!-- with uv -->                anywhere: the page's reader has uv, or isn't there
    <!-- with what bubble needs --> anywhere: pip finds the packages of bubble itself
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# a command line, and neither the word in prose nor a path that ends in it
COMMAND = re.compile(r"(?<![\w/.#`-])(?:bubble|\S*/bin/bubble)[ \t]+[a-z-]")
_FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
_COMMENT = re.compile(r"<!-- *(not run|before each|before): *(.*?)-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Code of a page: from `line` (1-based, its first) on; `reason` why it isn't executed.

    `each` is to be typed before each of its commands.
    """

    line: int
    language: str
    lines: tuple[str, ...]
    reason: str = ""
    each: str = ""


@dataclass(frozen=True)
class Step:
    """One thing to do in a page's session; `expected` is None where any output will do."""

    line: int
    command: str
    expected: tuple[str, ...] | None = None

    @property
    def fails(self) -> bool:
        """Whether the page shows an error."""
        return any(line.startswith("error: ") for line in self.expected or ())


def pages() -> list[str]:
    """Return the paths of all pages that users read, relative to the repository, sorted."""
    found = ["CHANGELOG.md", "CONTRIBUTING.md", "README.md"]
    for directory, _, names in os.walk(os.path.join(ROOT, "docs")):
        place = os.path.relpath(directory, ROOT)
        found += [os.path.join(place, name) for name in names if name.endswith(".md")]
    return sorted(found)


def text_of(page: str) -> str:
    """Return a page's text."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def parts(text: str) -> Iterator[Block | Step]:
    """Yield a page's blocks, and its preparations as steps, in order."""
    lines = text.splitlines()
    at, reason, each = 0, "", ""
    while at < len(lines):
        line = lines[at]
        fence = _FENCE.fullmatch(line)
        if fence:
            end = _closing(lines, at, fence[2])
            body = [row.removeprefix(fence[1]) for row in lines[at + 1 : end]]
            yield Block(at + 2, fence[3].strip(), tuple(body), reason, each)
            at, reason, each = end + 1, "", ""
        elif line.startswith("<!--"):
            comment = _COMMENT.match("\n".join(lines[at:]))
            if comment and comment[1] == "before":
                yield Step(at + 1, comment[2].strip())
            elif comment and comment[1] == "before each":
                each = comment[2].strip()
            elif comment:
                reason = " ".join(comment[2].split())
            at += len(comment[0].splitlines()) if comment else 1
        elif line.startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            yield Block(at + 1, "indented", tuple(row[4:] for row in lines[at:end]), reason)
            at, reason = end, ""
        else:
            if line.strip():
                reason, each = "", ""
            at += 1


def steps(text: str, *, marked: bool = False) -> list[Step]:
    """Return everything of a page that is executed, in order; with `marked`, what isn't, too."""
    found: list[Step] = []
    for part in parts(text):
        if isinstance(part, Step):
            found.append(part)
        elif part.reason and not marked:
            continue
        elif part.language == "console":
            found += session(part)
        elif part.language == "sh":
            script = "\n".join(part.lines)
            found.append(Step(part.line, f"(set -eu\n{script}\n)"))
    return found


def session(block: Block) -> list[Step]:
    """Return the commands of a console block, each with what it prints."""
    typed: list[tuple[int, list[str], list[str]]] = []
    for number, line in enumerate(block.lines, block.line):
        if line.startswith("$ "):
            typed.append((number, [line[2:]], []))
        elif line.startswith("> ") and typed and not typed[-1][2]:
            typed[-1][1].append(line[2:])
        elif typed:
            typed[-1][2].append(line)
        else:
            raise ValueError(f"line {number}: a console block begins with a command: {line}")
    told = any(output for _, _, output in typed)
    found = []
    for number, command, output in typed:
        if block.each:
            found.append(Step(number, block.each))
        found.append(Step(number, "\n".join(command), tuple(output) if told else None))
    return found


def escapes(text: str) -> list[str]:
    """Return the lines with a command of ours that are neither executed nor marked."""
    found = []
    for part in parts(text):
        if isinstance(part, Step) or part.reason or part.language in {"console", "sh"}:
            continue
        found += [
            f"line {number}: {line.strip()}"
            for number, line in enumerate(part.lines, part.line)
            if COMMAND.search(line)
        ]
    return found


def agrees(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """Say whether what was printed is what the page shows, `…` being anything."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in _trimmed(expected)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _trimmed(printed))) is not None


def _trimmed(lines: Sequence[str]) -> list[str]:
    kept = [line.rstrip() for line in lines]
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _closing(lines: Sequence[str], at: int, fence: str) -> int:
    for number in range(at + 1, len(lines)):
        if lines[number].strip().startswith(fence) and not lines[number].strip(" `~"):
            return number
    raise ValueError(f"line {at + 1}: the block never ends")
