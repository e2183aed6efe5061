"""What another machine's CPython takes: the values of its markers, and the tags of its wheels."""

from __future__ import annotations

import re

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.platform import Platform

Level = tuple[int, int]  # a version of the C library, or of macOS

_SYSTEMS = {"linux": ("linux", "Linux", "posix"), "darwin": ("darwin", "Darwin", "posix"),
            "windows": ("win32", "Windows", "nt")}  # fmt: skip
_MACHINES = {("darwin", "aarch64"): "arm64", ("windows", "x86_64"): "AMD64",
             ("windows", "aarch64"): "ARM64", ("linux", "powerpc64le"): "ppc64le",
             ("linux", "armv7"): "armv7l"}  # fmt: skip
_NEWEST = {"gnu": (2, 42), "musl": (1, 2), "none": (26, 0)}
_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # PEP 600
_LIBRARY = re.compile(r"(?:manylinux|musllinux|macosx)_(\d+)_(\d+)_")


def environment(platform: Platform, version: str) -> dict[str, str]:
    """Return the values of PEP 508's markers for CPython of a version on a platform."""
    if platform.os not in _SYSTEMS:
        raise BubbleError("usage", f"nothing is locked for {platform}", hint="take another one")
    sys_platform, system, os_name = _SYSTEMS[platform.os]
    arch = platform.arch.partition("_v")[0]
    return {
        "implementation_name": "cpython",
        "implementation_version": version,
        "os_name": os_name,
        "platform_machine": _MACHINES.get((platform.os, arch), arch),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": sys_platform,
    }


def tags(
    platform: Platform, version: str, *, variant: str = "", level: Level | None = None
) -> list[str]:
    """Return the tags of the wheels that such an interpreter may take, the best first.

    `variant` is "" or "freethreaded"; `level` the version of the C library (of macOS) that is
    there, None for any.
    """
    from packaging.tags import compatible_tags, cpython_tags

    names = platform_tags(platform, level)
    numbers = [int(part) for part in version.split(".")[:2]]
    interpreter = f"cp{numbers[0]}{numbers[1]}"
    abi = f"{interpreter}t" if variant == "freethreaded" else interpreter
    return [
        str(tag)
        for tag in (
            *cpython_tags(numbers, abis=[abi], platforms=names),
            *compatible_tags(numbers, interpreter, names),
        )
    ]


def platform_tags(platform: Platform, level: Level | None = None) -> list[str]:
    """Return the platforms of wheels that run there, the best first; `level` as in `tags`."""
    from packaging.tags import mac_platforms

    machine = environment(platform, "3.11")["platform_machine"]
    newest = level or _NEWEST["gnu" if platform.libc.startswith("gnu") else platform.libc]
    match platform.os, platform.libc:
        case "linux", "musl":
            return [*(f"musllinux_1_{n}_{machine}" for n in range(newest[1], -1, -1)),
                    f"linux_{machine}"]  # fmt: skip
        case "linux", _:
            names = []
            for number in range(newest[1], 4, -1):
                names.append(f"manylinux_2_{number}_{machine}")
                if number in _ALIASES:
                    names.append(f"{_ALIASES[number]}_{machine}")
            return [*names, f"linux_{machine}"]
        case "darwin", _:
            return list(mac_platforms(newest, machine))
        case _:
            return [{"AMD64": "win_amd64", "ARM64": "win_arm64"}.get(machine, "win32")]


def level_of(tag: str) -> Level:
    """Return which C library (or macOS) a wheel with this platform tag needs; (0, 0) for any."""
    for number, alias in _ALIASES.items():
        if tag.startswith(f"{alias}_"):
            return (2, number)
    found = _LIBRARY.match(tag)
    return (int(found[1]), int(found[2])) if found else (0, 0)
