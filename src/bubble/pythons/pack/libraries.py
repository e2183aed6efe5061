"""Shared libraries that an interpreter brings along: what run paths lead to, and where it goes.

A library that is found by a run path is the build's own, wherever it lies (`$ORIGIN/../x.libs` as
auditwheel makes it, `/opt/openssl/lib` as `configure` was told): no other system has it at that
place. It goes into `lib`. Only what the loader finds where every system keeps its libraries is the
system's. Source: `man 8 ld.so`.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.pack.member import Member
from bubble.system import elf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# present wherever glibc or musl is: no news for anybody
C_LIBRARY = re.compile(
    r"(ld-|ld64|libc\.|libm\.|libdl\.|libpthread\.|librt\.|libutil\.|libgcc_s\.)"
)
_SYSTEMS = re.compile(r"/(?:usr/)?lib(?:32|64|x32)?(?:/[\w.]+-linux-\w+)?")


class Carried(Record):
    """`members` are the libraries; `through` has, by a member's name, the entries of its run path.

    Those entries led to a library that is packed, and mean nothing elsewhere.
    """

    members: dict[str, Member]
    through: dict[str, frozenset[str]]


def is_binary(name: str) -> bool:
    """Whether a member of this name may be a program or a library."""
    return ".so" in os.path.basename(name) or name.startswith("bin/python")


def carry(executable: str, members: Mapping[str, Member]) -> Carried:
    """Return the libraries to be packed with `members`, which have `executable` (its path).

    Raises BubbleError(unavailable) for two libraries of one name, OSError.
    """
    search = _Search(members)
    program = elf.read(Member(source=executable).read())
    above = _directories(executable, program) if program else {}
    pending = [(name, above) for name in members]
    while pending:
        name, inherited = pending.pop()
        pending += [(found, inherited) for found in search.follow(name, inherited)]
    return Carried(
        members=search.carried, through={n: frozenset(e) for n, e in search.through.items()}
    )


class _Search:
    def __init__(self, members: Mapping[str, Member]) -> None:
        self.known = dict(members)
        self.carried: dict[str, Member] = {}
        self.through: dict[str, set[str]] = {}
        files = {n: m for n, m in members.items() if m.source and not m.target}
        self._places = {os.path.realpath(m.source): n for n, m in files.items()}

    def follow(self, name: str, inherited: dict[str, str]) -> list[str]:
        """Carry what the member `name` needs; return the names of what came by it."""
        member = self.known[name]
        if member.target or not member.source or not is_binary(name):
            return []
        found = elf.read(member.read())
        own = _directories(member.source, found) if found else {}
        new = []
        for needed in found.needed if found else ():
            entry, path = _find(needed, {**inherited, **own}, own)
            if path:
                new += self._take(needed, os.path.realpath(path))
                if entry in own:
                    self.through.setdefault(name, set()).add(entry)
        return new

    def _take(self, needed: str, real: str) -> list[str]:
        name = f"lib/{needed}"
        there = self._places.get(real, "")
        if there == name:
            return []
        present = self.known.get(name)
        if present is not None:
            if os.path.realpath(present.source) == real:
                return []
            raise BubbleError(
                "unavailable",
                f"two libraries are called {printable(needed)}: {printable(real)} and "
                f"{printable(present.source)}",
                hint="build the interpreter with one of them, and pack that",
            )
        member = Member(source=real, executable=bool(os.stat(real).st_mode & 0o111))
        if there:
            member = Member(target=os.path.relpath(there, "lib"))
        self.known[name] = self.carried[name] = member
        self._places.setdefault(real, name)
        return [] if there else [name]


def _directories(path: str, found: elf.Dynamic) -> dict[str, str]:
    """Return the directories that a file's run path names, by its entries."""
    origin = os.path.dirname(os.path.realpath(path))
    named = {}
    for entry in found.run_path.split(":"):
        expanded = re.sub(r"\$(?:ORIGIN|\{ORIGIN\})", lambda _: origin, entry)
        if os.path.isabs(expanded):
            named[entry] = os.path.normpath(expanded)
    return named


def _find(needed: str, directories: dict[str, str], own: dict[str, str]) -> tuple[str, str]:
    """Return the entry of a run path that has a library, and its path; "" if it is the system's."""
    if "/" in needed or C_LIBRARY.match(needed):
        return "", ""
    for entry in (*own, *(e for e in directories if e not in own)):
        directory = directories[entry]
        path = f"{directory}/{needed}"
        if os.path.isfile(path):
            system = any(_SYSTEMS.fullmatch(d) for d in (directory, os.path.realpath(directory)))
            return ("", "") if system else (entry, path)
    return "", ""
