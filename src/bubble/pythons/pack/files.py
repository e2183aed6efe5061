"""Which files of an interpreter go into its archive, and under which names.

An allow-list, because a prefix may be shared (`/usr`, `/usr/local`) or full of other people's
scripts: Python's own names in `bin`, its library, its headers, its manual pages, and pip; of a
prefix of its own also Tcl's library and the terminals' descriptions.
"""

from __future__ import annotations

import os
import re
import stat

from bubble.model.record import Record
from bubble.pythons.pack.member import Member
from bubble.pythons.pack.pip import is_own_pip, pip_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.pythons.installed.pip_wheels import Wheel
    from bubble.pythons.pack.probe import Facts

# TESTSUBDIRS of CPython's Makefile, 3.8 to 3.14; all of `test` goes too
_TESTS = {
    "test", "ctypes/test", "distutils/tests", "idlelib/idle_test", "lib2to3/tests",
    "sqlite3/test", "tkinter/test", "unittest/test",
}  # fmt: skip
_OTHERS = {"__pycache__", "site-packages", "dist-packages"}
# prefixes that other programs live in as well
SHARED = frozenset(("/usr", "/usr/local", "/"))
# what `tkinter` needs to start, and what upstream puts beside it
_TCL = re.compile(r"(?:i?tcl|i?tk|tix|thread|tdbc\w*?|sqlite)\d", re.IGNORECASE)
# the machine's own settings, not Python's; an installer writes its own EXTERNALLY-MANAGED
_LOCAL = {"sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED"}


class Collected(Record):
    """`members` by names below `python/`; `skipped` is what of bin and site-packages is none."""

    members: dict[str, Member]
    skipped: tuple[str, ...]


def collect(facts: Facts, tcl: str = "", pip: Wheel | None = None) -> Collected:
    """Return the members of the archive, their content still as it is on the machine.

    `tcl` is the directory where this interpreter's Tcl has its library, "" if it has no Tcl; `pip`
    the wheel that takes the place of its own, None to take that.
    Raises OSError for a file that can't be looked at.
    """
    members: dict[str, Member] = {}
    members.update((n, m) for n, m in _library(facts) if not (pip and is_own_pip(facts, n)))
    members.update(_headers(facts))
    members.update(_shared_libraries(facts))
    members.update(_manuals(facts))
    members.update(_data(facts, tcl))
    members.update(_programs(facts))
    members.update(pip_members(facts, pip))
    members.update(_local(facts))
    _resolve_links(facts, members)
    _store_once(facts, members)
    return Collected(members=members, skipped=_skipped(facts, members))


def _library(facts: Facts) -> Iterator[tuple[str, Member]]:
    yield from _tree(facts.stdlib, facts.library, keep=_is_library)
    if os.path.dirname(facts.dynload) != facts.stdlib and os.path.isdir(facts.dynload):
        yield from _tree(facts.dynload, f"{facts.library}/lib-dynload", keep=_is_library)


def _is_library(relative: str) -> bool:
    return relative not in _TESTS and relative not in _LOCAL and _is_shipped(relative)


def _is_shipped(relative: str) -> bool:
    name = os.path.basename(relative)
    # static libraries and objects of the configuration directory; upstream ships neither
    return name not in _OTHERS and not name.endswith((".a", ".o", ".pyc"))


def _headers(facts: Facts) -> Iterator[tuple[str, Member]]:
    target = f"include/python{facts.ldversion}"
    if os.path.isdir(facts.include):
        yield from _tree(facts.include, target)
    if os.path.isfile(facts.pyconfig_h):
        # Debian's is a wrapper around the one in a directory of its architecture
        multiarch = _multiarch_config(facts)
        yield f"{target}/pyconfig.h", Member(source=multiarch or facts.pyconfig_h)


def _multiarch_config(facts: Facts) -> str:
    parent = os.path.dirname(facts.include)
    if not os.path.isdir(parent):
        return ""
    for name in sorted(os.listdir(parent)):
        path = f"{parent}/{name}/{os.path.basename(facts.include)}/pyconfig.h"
        if "-linux-" in name and os.path.isfile(path):
            return path
    return ""


def _shared_libraries(facts: Facts) -> Iterator[tuple[str, Member]]:
    for name in dict.fromkeys(facts.libraries):
        for directory in facts.libdirs:
            path = f"{directory}/{name}"
            if ".so" in name and facts.inside(os.path.realpath(path)) and os.path.isfile(path):
                yield f"lib/{name}", _link_or_file(path)
                break
    for directory in facts.libdirs:
        pkgconfig = f"{directory}/pkgconfig"
        for name in sorted(os.listdir(pkgconfig)) if os.path.isdir(pkgconfig) else ():
            stem = name.removesuffix(".pc").removesuffix("-embed")
            if stem in {f"python-{facts.ldversion}", f"python-{facts.minor}", "python3"}:
                yield f"lib/pkgconfig/{name}", _link_or_file(f"{pkgconfig}/{name}")


def _manuals(facts: Facts) -> Iterator[tuple[str, Member]]:
    for name in (f"python{facts.minor}.1", "python3.1"):
        path = f"{facts.prefix}/share/man/man1/{name}"
        if os.path.isfile(path):
            yield f"share/man/man1/{name}", _link_or_file(path)


def _data(facts: Facts, tcl: str) -> Iterator[tuple[str, Member]]:
    """Yield what the libraries of a prefix of its own read; a shared one's are the system's."""
    if facts.prefix in SHARED:
        return
    above = facts.inside(os.path.dirname(os.path.realpath(tcl))) if tcl else ""
    for name in sorted(os.listdir(f"{facts.prefix}/{above}")) if above else ():
        if _TCL.match(name) and os.path.isdir(f"{facts.prefix}/{above}/{name}"):
            yield from _tree(f"{facts.prefix}/{above}/{name}", f"{above}/{name}")
    if os.path.isdir(f"{facts.prefix}/share/terminfo"):
        yield from _tree(f"{facts.prefix}/share/terminfo", "share/terminfo")


def _programs(facts: Facts) -> Iterator[tuple[str, Member]]:
    """Yield the interpreter, its tools, and the links with shorter names."""
    minor, full = facts.minor, facts.ldversion
    program = f"python{full}"
    yield f"bin/{program}", Member(source=facts.executable, executable=True)
    for link in dict.fromkeys((f"python{minor}", "python3", "python")):
        if link != program:
            yield f"bin/{link}", Member(target=program)
    tools = {
        f"python{full}-config": ("python3-config",),
        f"pydoc{minor}": ("pydoc3",),
        f"idle{minor}": ("idle3",),
        f"2to3-{minor}": ("2to3",),
    }
    for tool, links in tools.items():
        path = f"{facts.prefix}/bin/{tool}"
        if os.path.isfile(path):
            yield f"bin/{tool}", Member(source=os.path.realpath(path), executable=True)
            for link in links:
                yield f"bin/{link}", Member(target=tool)


def _local(facts: Facts) -> Iterator[tuple[str, Member]]:
    """Yield what lets Debian's Python install into its own prefix, where commands are found.

    Debian's pip puts things below `local`, for `/usr/local` to be the administrator's.
    """
    if any(os.path.basename(path) == "dist-packages" for path in facts.site_packages):
        for name in ("bin", "lib"):
            yield f"local/{name}", Member(target=f"../{name}")


def _tree(top: str, name: str, keep: object = None) -> Iterator[tuple[str, Member]]:
    """Yield the files and links below `top` as members below `name`, sorted."""
    pending = [""]
    while pending:
        directory = pending.pop()
        for entry in sorted(os.listdir(f"{top}/{directory}".rstrip("/"))):
            relative = f"{directory}/{entry}".lstrip("/")
            path = f"{top}/{relative}"
            if callable(keep) and not keep(relative):
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                pending.append(relative)
            elif os.path.isfile(path) or os.path.islink(path):  # no sockets, no devices
                yield f"{name}/{relative}", _link_or_file(path)


def _link_or_file(path: str) -> Member:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return Member(source=path, target=os.readlink(path))
    return Member(source=path, executable=bool(status.st_mode & 0o111))


def _resolve_links(facts: Facts, members: dict[str, Member]) -> None:
    """Keep links between members; replace the others by what they lead to, files or directories."""
    places = {
        os.path.realpath(m.source): n for n, m in members.items() if m.source and not m.target
    }
    directories = _directories(members)
    pending = [(name, frozenset[str]()) for name, m in members.items() if m.target and m.source]
    while pending:
        name, above = pending.pop(0)
        member = members.pop(name)
        directory = os.path.dirname(name)
        real = os.path.realpath(member.source)
        if os.path.isabs(member.target):
            target = facts.inside(member.target)
        else:
            target = os.path.normpath(f"{directory}/{member.target}")
        if target in members or target in directories:
            members[name] = member.replace(target=os.path.relpath(target, directory))
        elif real in places:  # by a link that is none of the archive's
            members[name] = member.replace(target=os.path.relpath(places[real], directory))
        elif os.path.isfile(real):
            members[name] = _link_or_file(real)
        elif os.path.isdir(real) and real not in above:  # else it is broken, or leads to itself
            for found, inner in _tree(real, name, keep=_is_shipped):
                members[found] = inner
                if inner.target:
                    pending.append((found, above | {real}))
            directories = _directories(members)


def _directories(members: dict[str, Member]) -> set[str]:
    found: set[str] = set()
    for name in members:
        while (name := os.path.dirname(name)) and name not in found:
            found.add(name)
    return found


def _store_once(facts: Facts, members: dict[str, Member]) -> None:
    """Make links of further copies of libpython, which a wheel has instead of links."""
    own = f"lib/{facts.libraries[0]}" if facts.libraries else ""
    if own not in members or members[own].target:
        return
    content = members[own].read()
    for name, member in members.items():
        copy = os.path.basename(name).startswith("libpython") and not member.target
        if copy and name != own and member.read() == content:
            members[name] = Member(target=os.path.relpath(own, os.path.dirname(name)))


def _skipped(facts: Facts, members: dict[str, Member]) -> tuple[str, ...]:
    """Return what a user may miss: installed packages, other programs (of a prefix of its own)."""
    missing: list[str] = []
    if facts.prefix not in SHARED:
        names = sorted(os.listdir(f"{facts.prefix}/bin"))
        missing += [f"bin/{n}" for n in names if f"bin/{n}" not in members]
    kept = {n.split("/")[3] for n in members if n.count("/") > 3 and "-packages/" in n}
    for directory in facts.site_packages:
        if facts.inside(directory) and os.path.isdir(directory):
            names = sorted(os.listdir(directory))
            missing += [n for n in names if n.endswith(".dist-info") and n not in kept]
    return tuple(missing)
