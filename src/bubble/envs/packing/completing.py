"""A pack without an interpreter gets one of the store's, and is then as any pack is."""

from __future__ import annotations

import json
import os

from bubble.envs.packing.archive import lay_out, time_of
from bubble.envs.packing.checks import require_verified
from bubble.envs.packing.collect import CONTENTS, OWN, files, interpreter
from bubble.model.errors import BubbleError
from bubble.model.key import SUFFIXES, parse_key
from bubble.model.text import few, printable
from bubble.pythons.installed import store
from bubble.pythons.pack.member import Member
from bubble.system.host import host_platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.key import Key
    from bubble.pythons.installed.store import Installation
    from bubble.selection.resolve import World


def complete(root: str, said: dict[str, object], world: World) -> dict[str, object]:
    """Copy an interpreter into the unpacked pack at `root` (absolute), which has none.

    `said` is what its CONTENTS says; what it says then is returned. Raises BubbleError
    (not_installed: the store has none that its packages were made for; environment: they are for
    another platform; archive: it has what is an interpreter's; verify: that one is damaged).
    """
    _require_packages_alone(root)
    found = _made_for(said, world)
    # nobody takes it away meanwhile
    with store.key_lock(world.layout, str(found.key), world.env, shared=True):
        require_verified(found, world)
        members = interpreter(found)
        _require_real_directories(root, members)
        said = {**said, "python": str(found.key), "interpreter": True}
        text = f"{json.dumps(said, indent=1)}\n"
        os.unlink(f"{root}/{CONTENTS}")
        wanted = {n: m for n, m in members.items() if not os.path.lexists(f"{root}/{n}")}
        wanted[CONTENTS] = Member(data=text.encode())
        lay_out(root, wanted, time_of(""))
    return said


def _made_for(said: dict[str, object], world: World) -> Installation:
    """Return the interpreter of the store: the very build, else the newest of its minor and ABI."""
    try:
        key = parse_key(str(said.get("python", "")))
    except BubbleError as error:
        raise BubbleError(
            "archive", f"its {CONTENTS} names no Python: {error.message}", hint="pack it again"
        ) from None
    here = host_platform(world.env)
    if key.platform != here:
        raise BubbleError(
            "environment",
            f"its packages were made for {key.platform}, and this machine is {here}",
            hint="pack them on a machine like this one",
        )
    alike = [
        one
        for one in store.usable(world.layout)
        if not one.is_adopted and _has_abi_of(one.key, key)
    ]
    if not alike:
        request = f"{key.version.minor}{SUFFIXES[key.variant]}"
        if key.implementation != "cpython":
            request = f"{key.implementation}{request}"
        raise BubbleError(
            "not_installed",
            f"it has no Python of its own, its packages were made for {key.name}, and bubble has "
            f"no {request} here",
            hint=f"bubble python install {request}",
        )
    return next((one for one in alike if one.key == key), alike[0])


def _has_abi_of(one: Key, other: Key) -> bool:
    """Whether what was compiled for one build runs on another; pre-releases keep no ABI."""
    if one.version.is_prerelease or other.version.is_prerelease:
        return one == other
    return one.replace(version=other.version) == other and one.version.minor == other.version.minor


def _require_packages_alone(root: str) -> None:
    wrong = sorted(name for name, _, _ in files(root) if OWN.fullmatch(name))
    if wrong:
        raise BubbleError(
            "archive",
            f"it is said to have no Python, and has {printable(few(wrong, 4), 500)}",
            hint="pack it again: bubble pack --no-python",
        )


def _require_real_directories(root: str, members: dict[str, Member]) -> None:
    """Raise BubbleError(archive) where an interpreter's files would go through a link or a file."""
    split = [name.split("/") for name in members]
    for directory in {"/".join(parts[:n]) for parts in split for n in range(1, len(parts))}:
        path = f"{root}/{directory}"
        if os.path.islink(path) or (os.path.lexists(path) and not os.path.isdir(path)):
            raise BubbleError(
                "archive",
                f"its {printable(directory, 300)} is no directory, as an interpreter's is",
                hint="pack it again: bubble pack --no-python",
            )
