"""What a build runs on: `linux-x86_64-gnu`, and the target triples that name the same thing."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

_OS = {"linux": "linux", "darwin": "darwin", "macos": "darwin", "windows": "windows"}
_ARCH = {  # other spellings → the one in keys
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i386": "i686",
    "i586": "i686",
    "ppc64le": "powerpc64le",
    "armv7l": "armv7",
    "armv7hl": "armv7",
}
_LEVELS = ("x86_64", "x86_64_v2", "x86_64_v3", "x86_64_v4")
_ARCHITECTURES = {*_LEVELS, "aarch64", "armv7", "i686", "powerpc64le", "riscv64", "s390x", "wasm32"}
_LIBC = {
    "linux": ("gnu", "musl", "gnueabi", "gnueabihf"),
    "darwin": ("none",),
    "windows": ("none",),
    "emscripten": ("musl",),
}


class Platform(Record):
    """An operating system, an architecture (with its x86-64 level, if any) and a C library."""

    os: str
    arch: str
    libc: str

    def __str__(self) -> str:
        return f"{self.os}-{self.arch}-{self.libc}"

    @property
    def triple(self) -> str:
        """The target triple of python-build-standalone."""
        arch = "ppc64le" if self.arch == "powerpc64le" else self.arch
        match self.os:
            case "darwin":
                return f"{arch}-apple-darwin"
            case "windows":
                return f"{arch}-pc-windows-msvc"
            case "emscripten":
                return f"{arch}-unknown-emscripten"
        return f"{arch}-unknown-linux-{self.libc}"


def parse_platform(text: str) -> Platform:
    """Return the platform of a key's tail (`linux-x86_64-gnu`) or a target triple.

    Raises BubbleError(request) for anything else.
    """
    parts = text.lower().split("-")
    if len(parts) == 3 and parts[0] in _OS | {"emscripten": ""}:
        return _checked(text, parts[0], parts[1], parts[2])
    if parts[1:] == ["apple", "darwin"]:
        return _checked(text, "darwin", parts[0], "none")
    if parts[1:3] == ["pc", "windows"] and parts[3:] in ([], ["msvc"], ["msvc", "shared"]):
        return _checked(text, "windows", parts[0], "none")
    if parts[1:] == ["unknown", "emscripten"]:
        return _checked(text, "emscripten", parts[0], "musl")
    if len(parts) == 4 and parts[1:3] == ["unknown", "linux"]:
        return _checked(text, "linux", parts[0], parts[3])
    raise _unknown(text)


def runs_on(build: Platform, host: Platform) -> bool:
    """Whether a machine of `host` can run a build, as far as the names tell (not the CPU level).

    A musl machine runs no glibc build; an x86-64 level counts as plain x86_64.
    """
    return (build.os, build.libc, build.arch.partition("_v")[0]) == (host.os, host.libc, host.arch)


def _checked(text: str, os: str, arch: str, libc: str) -> Platform:
    os = _OS.get(os, os)
    arch = _ARCH.get(arch, arch)
    if arch not in _ARCHITECTURES or libc not in _LIBC[os]:
        raise _unknown(text)
    return Platform(os=os, arch=arch, libc=libc)


def _unknown(text: str) -> BubbleError:
    return BubbleError(
        "request",
        f"“{printable(text)}” is no platform that builds exist for",
        hint="use a target triple such as x86_64-unknown-linux-gnu or aarch64-apple-darwin",
    )
