"""Make an interpreter's files run from anywhere: run paths, shebangs, and named prefixes."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.pack.files import SHARED
from bubble.pythons.pack.libraries import C_LIBRARY, is_binary
from bubble.pythons.pack.pip import launcher
from bubble.system import elf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bubble.pythons.pack.member import Member
    from bubble.pythons.pack.probe import Facts

# what python-build-standalone is configured with; installers replace it by the real prefix
PLACEHOLDER = "/install"


class Relocated(Record):
    """`members` as they go into the archive; `not_bundled` are sonames that the system provides."""

    members: dict[str, Member]
    not_bundled: tuple[str, ...]


def relocate(
    facts: Facts,
    members: dict[str, Member],
    through: Mapping[str, frozenset[str]] | None = None,
) -> Relocated:
    """Return the members with what names the machine's prefix changed.

    `through` has the entries of run paths that led to what is in `lib` now, by members' names.
    Raises BubbleError(unavailable) when libpython or another library
    would not be found at another place.
    """
    relocated: dict[str, Member] = {}
    needed: set[str] = set()
    provided = {os.path.basename(n) for n in members}
    named = _prefix_rewriter(facts, members)
    for name, member in members.items():
        data = member.read() if is_binary(name) and not member.target else b""
        found = elf.read(data)
        if found:
            needed.update(map(os.path.basename, found.needed))  # upstream's may be paths
            led = (through or {}).get(name, frozenset())
            data = _with_relative_run_path(facts, name, data, found, led)
            relocated[name] = member.replace(data=data)
        elif _names_prefix(facts, name) and not member.target:
            relocated[name] = _text(facts, name, member, named)
        else:
            relocated[name] = member
    system = (n for n in needed if n not in provided and not C_LIBRARY.match(n))
    return Relocated(members=relocated, not_bundled=tuple(sorted(system)))


def _with_relative_run_path(
    facts: Facts, name: str, data: bytes, found: elf.Dynamic, through: frozenset[str]
) -> bytes:
    """Return an ELF file whose run path leads to `lib` from wherever the file is."""
    directory = os.path.dirname(name)
    home = "$ORIGIN" if directory == "lib" else f"$ORIGIN/{os.path.relpath('lib', directory)}"
    wants = any(n.startswith("libpython") for n in found.needed)
    prefixes = (facts.prefix, facts.spelled_prefix)
    inside = [p for p in found.run_path.split(":") if p in through or _below(p, prefixes)]
    if not inside and (not wants or "$ORIGIN" in found.run_path or directory != "bin"):
        return data  # nothing of the prefix in it, or an extension, which finds libpython loaded
    kept = [p for p in found.run_path.split(":") if p and p not in inside]
    for paths in ([home, *kept], [home]):
        changed = elf.with_run_path(data, ":".join(paths))
        if changed:
            return changed
    if not through and (directory != "bin" or not wants):
        # too short for an origin: an extension does without, since libpython is loaded already
        return elf.with_run_path(data, "") or data
    raise BubbleError(
        "unavailable",
        f"{printable(facts.executable if directory == 'bin' else name)} finds "
        f"{'its libraries' if through else 'libpython'} by {_how(found)}, "
        "which can't be made relative in place",
        hint="build the interpreter with LDFLAGS='-Wl,-rpath,$ORIGIN/../lib', or without "
        "--enable-shared, and pack that",
    )


def _how(found: elf.Dynamic) -> str:
    if found.run_path:
        return f"the run path {printable(found.run_path)}"
    return "the system's search path"


def _below(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == p or path.startswith(p.rstrip("/") + "/") for p in prefixes)


def _names_prefix(facts: Facts, name: str) -> bool:
    """Whether a text file is one of those that name the prefix: configuration and programs."""
    base = os.path.basename(name)
    if name.startswith(("bin/", "lib/pkgconfig/")):
        return True
    if os.path.dirname(name) == facts.library:
        return base.startswith(("_sysconfigdata", "_sysconfig_vars", "build-details"))
    return f"{facts.library}/config-" in name and base in {"Makefile", "python-config.py"}


def _text(facts: Facts, name: str, member: Member, named: Callable[[str], str]) -> Member:
    data = member.read()
    first = data.partition(b"\n")[0]
    if name.startswith("bin/") and first.startswith(b"#!") and b"python" in first:
        data = launcher(facts) + data[len(first) + 1 :]
    text = named(data.decode("utf-8", "surrogateescape"))
    if os.path.basename(name).startswith("_sysconfigdata") and facts.wheels:
        bundled = f"{PLACEHOLDER}/{facts.library}/ensurepip/_bundled"
        text = text.replace(f"'{facts.wheels}'", f"'{bundled}'")
    return member.replace(data=text.encode("utf-8", "surrogateescape"))


def _prefix_rewriter(facts: Facts, members: dict[str, Member]) -> Callable[[str], str]:
    """Return a function that replaces the prefix in a text by the placeholder.

    In a prefix that Python shares with others, only where the path is one of the archive's:
    `/usr/bin/install` stays, `/usr/lib/python3.11` doesn't. A library directory of another name
    (`/usr/lib/x86_64-linux-gnu`) is `lib` in the archive.
    """
    spellings = {facts.prefix, facts.spelled_prefix} - {"/", PLACEHOLDER}
    shared = bool(spellings & SHARED)
    paths = {"", *members}
    for name in members:
        while name := os.path.dirname(name):
            paths.add(name)

    libdir = facts.libdirs[0].rstrip("/") if facts.libdirs else ""
    aliens = {libdir} - {"", *(f"{prefix}/lib" for prefix in (*spellings, PLACEHOLDER))}

    def replaced(match: re.Match[str]) -> str:
        if match[1] in aliens:
            own, rest = facts.inside(libdir), match[2].rstrip("/")
            place = f"{own}{rest}" if rest and own and f"{own}{rest}" in paths else f"lib{rest}"
            return f"{PLACEHOLDER}/{place}" if place in paths else match[0]
        rest = match[2]
        if shared and rest.strip("/") not in paths:
            return match[0]
        return PLACEHOLDER + rest

    if not spellings | aliens:
        return lambda text: text
    either = "|".join(re.escape(p) for p in sorted(spellings | aliens, key=len, reverse=True))
    # of a shared prefix, a longer path may end in the same words: `/opt/usr/lib`
    start = r"(?:(?<=-[LI])|(?<![\w./-]))" if shared else ""
    pattern = re.compile(rf"{start}({either})((?:/[^\s'\":;,)}}]*)?)(?![\w.-])")
    return lambda text: pattern.sub(replaced, text)
