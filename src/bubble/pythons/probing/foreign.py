"""What a file is that doesn't run here: whose program, or whose archive of a build.

Told by first bytes and headers alone, so that nothing is said to be a matter of permissions, or of
a library, that is a matter of another system.
"""

from __future__ import annotations

import os

from bubble.system import elf
from bubble.system.host import architecture, host_platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.model.platform import Platform

_WHOSE = {
    b"MZ": "Windows",
    b"\xfe\xed\xfa\xce": "macOS",
    b"\xfe\xed\xfa\xcf": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS",
    b"\0asm": "WebAssembly",
}


def whose(path: str, env: Mapping[str, str]) -> str:
    """Return what the program at `path` is built for, "" where nothing says that it isn't for here.

    “Windows”, “macOS”, an architecture (`aarch64`), with a C library if need be (`x86_64, musl`).
    """
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError:
        return ""
    for magic, system in _WHOSE.items():
        if head.startswith(magic):
            return system
    found = elf.program(path)
    return _other_linux(found, host_platform(env)) if found else ""


def _other_linux(found: elf.Program, here: Platform) -> str:
    arch = architecture(found)
    if not arch:
        return f"another processor (ELF machine {found.machine})"
    if arch != here.arch.partition("_v")[0]:
        return arch
    libc = "musl" if "ld-musl" in found.interpreter else "gnu"
    if found.interpreter and not os.path.exists(found.interpreter) and libc != here.libc:
        return f"{arch}, {libc}"
    return ""
