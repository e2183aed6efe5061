"""pyvenv.cfg (PEP 405): what an environment says of itself."""

from __future__ import annotations

import os

_LONGEST = 1 << 16  # bytes


def read_configuration(root: str) -> dict[str, str]:
    """Return the keys (lower case) and values of an environment's pyvenv.cfg (PEP 405).

    Reading it doesn't count as a use of the environment, where the system lets us say so.
    """
    path = f"{root}/pyvenv.cfg"
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        try:
            descriptor = os.open(path, flags | getattr(os, "O_NOATIME", 0))
        except PermissionError:  # somebody else's file
            descriptor = os.open(path, flags)
    except OSError:
        return {}
    try:
        text = os.read(descriptor, _LONGEST).decode("utf-8", "surrogateescape")
    except OSError:
        return {}
    finally:
        os.close(descriptor)
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def version_of(configuration: dict[str, str]) -> str:
    """Return the Python version that a pyvenv.cfg names: `version_info` or `version`.

    virtualenv and uv write `3.11.7.final.0` into the first.
    """
    text = configuration.get("version_info") or configuration.get("version", "")
    for stage, mark in ((".alpha.", "a"), (".beta.", "b"), (".candidate.", "rc")):
        text = text.replace(stage, mark)
    return text.removesuffix(".final.0")
