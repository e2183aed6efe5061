"""A requirements file taken over: named by the manifest where it lies in the project, else copied.

What it pins with hashes is a lock already, of one bubble.
"""

from __future__ import annotations

import os
import re

from bubble.model.package import canonical_name
from bubble.projects.exchange.pip_part import PipPart, take_lines
from bubble.projects.exchange.requirement_lines import read_lines, shown
from bubble.projects.exchange.taken import Held, Left, Pin, Taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.exchange.requirement_lines import Line, Lines

_ONE = re.compile(r"==[^=*,\s]+")


def take_requirements(path: str, root: str) -> Taken:
    """Understand a requirements file (absolute), for the project at `root`.

    Raises BubbleError(usage) for what is none.
    """
    within = f"{path}/".startswith(f"{root}/")
    read = read_lines(path, root if within else os.path.dirname(path))
    left = [
        Left(what=shown(line.text), why=_unread(line), line=line.number) for line in read.unread
    ]
    notes = list(_machine(read))
    if within:
        held = Held(requirements=(os.path.relpath(path, root),))
    else:
        part = PipPart()
        part.lines = [*read.lines]
        held = take_lines(part, Held(), path, os.path.dirname(path))
        # a path in it is none of this project's
        gone = [line for line in held.lines if line.removeprefix("-e ").startswith(".")]
        held = held.replace(lines=tuple(line for line in held.lines if line not in gone))
        left += [Left(what=line, why="it lies outside of this project") for line in gone]
        left += part.left
        notes += part.notes
    return Taken(
        kind="requirements",
        bubbles=(held.replace(pins=_pins(read)),),
        left=tuple(left),
        notes=tuple(dict.fromkeys(notes)),
    )


def _unread(line: Line) -> str:
    if "://" in line.value:
        return "it is on the web, and nothing was fetched; the installer will"
    return "it leads out of the project"


def _machine(read: Lines) -> list[str]:
    """Return what to say of lines that mean another machine's files."""
    notes = []
    for line in read.lines:
        if "@ file://" in line.text.replace("@file://", "@ file://"):
            name = line.requirement().name if line.required else "it"
            notes.append(
                f"line {line.number}: {name} was installed from a directory of another machine; "
                "conda writes such lines: there, pip list --format=freeze has versions"
            )
    return notes


def _pins(read: Lines) -> tuple[Pin, ...]:
    """Return the pins of a file that pins everything with hashes; none of any other."""
    pins = []
    for line in read.lines:
        if line.option == "--editable" or (not line.option and not line.required):
            return ()
        if line.option:
            continue
        wanted = line.requirement()
        if wanted.url or not _ONE.fullmatch(str(wanted.specifier)) or not line.hashes:
            return ()
        pins.append(
            Pin(
                name=canonical_name(wanted.name),
                version=str(wanted.specifier)[2:],
                marker=str(wanted.marker or ""),
                hashes=line.hashes,
            )
        )
    return tuple(pins)
