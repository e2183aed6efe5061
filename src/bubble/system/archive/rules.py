"""Which names, modes and link targets are allowed. Pure: looks at text only.

The argument why no link leads outside: a link's parent directories are directories (the tree holds
that), so its leading `..` steps are exact; after them come only plain names, which lead down, or
through another link for which the same holds. So `..` after a name is refused.
"""

from __future__ import annotations

from bubble.system.archive.model import Limits, refusal

SPECIAL_BITS = 0o7000  # setuid, setgid, sticky


def text(raw: bytes, what: str) -> str:
    """Return a name from the archive as text: UTF-8, printable, no backslash, not empty."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        shown = raw.decode("utf-8", "backslashreplace")
        raise refusal(f"{what} is not UTF-8", shown) from None
    if not name:
        raise refusal(f"{what} is empty")
    if not name.isprintable():
        raise refusal(f"{what} has control characters", name)
    if "\\" in name:
        raise refusal(f"{what} has a backslash", name)
    return name


def check_component(part: str, name: str) -> None:
    """Refuse a component that is empty, `.`, `..`, too long, or a drive letter."""
    if part in {"", ".", ".."}:
        problem = "has an empty component" if not part else f"has a “{part}” component"
        raise refusal(f"its name {problem}", name)
    if len(part) > 63 and len(part.encode()) > 255:
        raise refusal("a component of its name is longer than 255 bytes", name)
    if part[1:2] == ":" and part[0].isalpha():
        raise refusal("its name has a drive letter", name)


def check_name(name: str, limits: Limits) -> None:
    """Refuse a whole name that isn't plain and relative, or exceeds the limits."""
    if name.startswith("/"):
        raise refusal("its name is absolute", name)
    if len(name.encode()) > limits.name_length:
        raise refusal(f"its name is longer than {limits.name_length} bytes", name)
    parts = name.split("/")
    if len(parts) > limits.depth:
        raise refusal(f"its name is deeper than {limits.depth} directories", name)
    for part in parts:
        check_component(part, name)


def check_target(name: str, depth: int, target: str, limits: Limits) -> None:
    """Refuse a symbolic link's target that could lead out of the tree.

    `depth` counts the link's parent directories below the tree's root.
    """
    if target.startswith("/"):
        raise refusal("it links to an absolute path", name)
    if len(target.encode()) > limits.name_length:
        raise refusal(f"it links to a path longer than {limits.name_length} bytes", name)
    parts = target.split("/")
    if len(parts) > limits.depth:
        raise refusal(f"it links to a path deeper than {limits.depth} directories", name)
    up = 0
    while up < len(parts) and parts[up] == "..":
        up += 1
    if up > depth:
        raise refusal("it links to a path outside of the archive", name)
    for part in parts[up:]:
        check_component(part, name)


def normal_mode(mode: int, name: str) -> int:
    """Return 0o755 for what its owner may execute, else 0o644.

    Real builds carry 0644, 0755, 0664 and 0775: read and write bits are not taken over. Bits that
    no build needs (setuid, setgid, sticky, file types) are refused.
    """
    if mode & SPECIAL_BITS:
        raise refusal("it is setuid, setgid or sticky", name)
    if mode > 0o777:
        raise refusal("its mode is not one", name)
    return 0o755 if mode & 0o100 else 0o644
