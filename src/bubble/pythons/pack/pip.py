"""pip (and setuptools where ensurepip has it) for an archive, straight from ensurepip's wheels.

What the machine's site-packages hold may be changed, upgraded or broken; the wheels are what every
environment starts with. A wheel of pure Python is unpacked as its specification says: files, RECORD
and INSTALLER, scripts. Source: packaging.python.org, "Binary distribution format".
"""

from __future__ import annotations

import os
import zipfile

from bubble.pythons.pack.member import Member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.pythons.pack.probe import Facts

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


def pip_members(facts: Facts) -> Iterator[tuple[str, Member]]:
    """Yield pip's files and programs; none where the machine has no wheels of ensurepip."""
    bundled = f"{facts.stdlib}/ensurepip/_bundled"
    site = _site_packages(facts)
    for directory in (bundled, facts.wheels.rstrip("/")):
        wheels = _wheels(
            directory, with_setuptools=tuple(map(int, facts.minor.split("."))) < (3, 12)
        )
        if not wheels:
            continue
        for wheel in wheels:
            yield from _unpacked(facts, wheel, site)
            if directory != bundled:  # a distribution keeps them elsewhere; `relocate` says where
                name = f"{facts.library}/ensurepip/_bundled/{os.path.basename(wheel)}"
                yield name, Member(source=os.path.realpath(wheel))
        if os.path.basename(site) != "site-packages":  # Debian's Python reads dist-packages
            yield f"{facts.library}/site-packages", Member(target=os.path.basename(site))
        return


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
    return found if any(os.path.basename(n).startswith("pip-") for n in found) else []


def _unpacked(facts: Facts, wheel: str, site: str) -> Iterator[tuple[str, Member]]:
    programs = {}
    if os.path.basename(wheel).startswith("pip-"):
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
