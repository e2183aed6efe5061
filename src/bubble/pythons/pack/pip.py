"""pip (and setuptools where ensurepip has it) for an archive, straight from ensurepip's wheels.

What the machine's site-packages hold may be changed, upgraded or broken; the wheels are what every
environment starts with. A distribution's pip works with that distribution alone: in its place goes
upstream's, from whichever Python has it, else fetched. A wheel of pure Python is unpacked as its
specification says: files, RECORD and INSTALLER, scripts. Source: packaging.python.org, "Binary
distribution format".
"""

from __future__ import annotations

import os
import zipfile

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.model.version import Version
from bubble.pythons.installed.pip_wheels import (
    Wheel,
    bundled,
    is_upstreams,
    newest_known,
    numbers,
    runs_on,
    wheels_in,
)
from bubble.pythons.pack.member import Member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubble.pythons.pack.probe import Facts
    from bubble.system.layout import Layout

    Fetch = Callable[[str], str]

# finds its interpreter beside itself, whatever the directory is called and however it is linked
LAUNCHER = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/{program}" "$0" "$@"
' '''
"""
_PIP = """# -*- coding: utf-8 -*-
import re
import sys
from pip._internal.cli.main import main
if __name__ == "__main__":
    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])
    sys.exit(main())
"""


def launcher(facts: Facts) -> bytes:
    """Return the first lines of a script that this interpreter runs."""
    return LAUNCHER.format(program=f"python{facts.ldversion}").encode()


def upstreams_pip(facts: Facts, layout: Layout, fetch: Fetch | None) -> Wheel | None:
    """Return a wheel of pip that isn't the interpreter's own; None where that will do, or has none.

    `fetch` gets a version of pip and returns the wheel's path; its errors are passed on. Raises
    BubbleError(unavailable) where there is none and nobody fetches it.
    """
    own = [w for d in (_bundled(facts), facts.wheels.rstrip("/")) for w in wheels_in(d)]
    if not own or is_upstreams(own[0]):
        return None
    python = Version.parse(facts.version)
    running = f"{os.path.dirname(os.__file__)}/ensurepip/_bundled"
    found = [*bundled(layout), *wheels_in(running)]
    fitting = sorted(
        (wheel for wheel in found if runs_on(wheel.version, python)),
        key=lambda wheel: numbers(wheel.version),
    )
    for wheel in reversed(fitting):
        if is_upstreams(wheel):
            return wheel
    version = newest_known(python)
    if fetch and version:
        return Wheel(path=fetch(version), version=version)
    raise BubbleError(
        "unavailable",
        f"{printable(own[0].path)} is not upstream's pip, and no other is at hand",
        hint="install a Python that brings its own: bubble python install 3",
    )


def pip_members(facts: Facts, other: Wheel | None = None) -> Iterator[tuple[str, Member]]:
    """Yield pip's files and programs; none where the machine has no wheels of ensurepip.

    `other` is the wheel that is taken instead of the interpreter's own.
    """
    own = _bundled(facts)
    site = _site_packages(facts)
    for directory in (own, facts.wheels.rstrip("/")):
        wheels = _wheels(
            directory, with_setuptools=tuple(map(int, facts.minor.split("."))) < (3, 12)
        )
        if not wheels:
            continue
        named = {os.path.basename(wheel): wheel for wheel in wheels}
        if other:
            named = {name: wheel for name, wheel in named.items() if not _is_pip(name)}
            named[f"pip-{other.version}-py3-none-any.whl"] = other.path
        for name, wheel in named.items():
            yield from _unpacked(facts, name, wheel, site)
            if os.path.dirname(wheel) != own:  # kept elsewhere; `relocate` says where they are now
                place = f"{facts.library}/ensurepip/_bundled/{name}"
                yield place, Member(source=os.path.realpath(wheel))
        if os.path.basename(site) != "site-packages":  # Debian's Python reads dist-packages
            yield f"{facts.library}/site-packages", Member(target=os.path.basename(site))
        return


def is_own_pip(facts: Facts, name: str) -> bool:
    """Whether a member of that name is the wheel that ensurepip has in its place."""
    return name.startswith(f"{facts.library}/ensurepip/_bundled/") and _is_pip(name)


def _bundled(facts: Facts) -> str:
    return f"{facts.stdlib}/ensurepip/_bundled"


def _is_pip(path: str) -> bool:
    return os.path.basename(path).startswith("pip-")


def _site_packages(facts: Facts) -> str:
    """Return the directory, relative to the prefix, where this Python looks for packages."""
    inside = [facts.inside(p) for p in facts.site_packages]
    for name in ("site-packages", "dist-packages"):
        if f"{facts.library}/{name}" in inside:
            return f"{facts.library}/{name}"
    return f"{facts.library}/site-packages"


def _wheels(directory: str, *, with_setuptools: bool) -> list[str]:
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    wanted = ("pip-", "setuptools-") if with_setuptools else ("pip-",)
    found = [f"{directory}/{n}" for n in names if n.startswith(wanted) and n.endswith(".whl")]
    return found if any(map(_is_pip, found)) else []


def _unpacked(facts: Facts, file: str, wheel: str, site: str) -> Iterator[tuple[str, Member]]:
    programs = {}
    if _is_pip(file):
        text = launcher(facts) + _PIP.encode()
        programs = {f"bin/{n}": text for n in ("pip", "pip3", f"pip{facts.minor}")}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("/"):
                continue
            data = archive.read(name)
            if name.endswith(".dist-info/RECORD"):
                info = name.rpartition("/")[0]
                up = "/".join([".."] * (site.count("/") + 1))
                extra = [f"{up}/{p},," for p in programs] + [f"{info}/INSTALLER,,"]
                data = data.rstrip(b"\n") + "".join(f"\n{x}" for x in extra).encode() + b"\n"
                yield f"{site}/{info}/INSTALLER", Member(data=b"pip\n")
            yield f"{site}/{name}", Member(data=data)
    for name, text in programs.items():
        yield name, Member(data=text, executable=True)
