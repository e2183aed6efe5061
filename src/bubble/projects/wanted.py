"""Which packages a lock wants on this machine, and where they are to come from."""

from __future__ import annotations

from bubble.model.package import canonical_name
from bubble.system.version_file import parse_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def wanted(data: bytes, path: str, key: str) -> dict[str, str]:
    """Return what the bytes of a lock file want here for the interpreter with a full key.

    Versions by canonical names, "" for source trees; markers decide, for this machine, without
    extras and with the lock's default groups. `path` is for messages. Raises BubbleError(lock).
    """
    packages = _packages(data, path)
    if any("marker" in package for package in packages):
        from bubble.projects.conditions import holding

        packages = holding(packages, parse_toml(path, data), path, key)
    return {canonical_name(p["name"]): str(p.get("version", "")) for p in packages}


def _packages(data: bytes, path: str) -> list[dict[str, Any]]:
    packages: Any = parse_toml(path, data).get("packages", [])
    return list(packages)


def local(data: bytes, at_hand: Mapping[str, str]) -> bytes:
    """Return a lock's bytes with those of its wheels alone that are `at_hand`, by path.

    `at_hand` has absolute paths by sha256; packages that have none are left out.
    """
    import tomllib

    from bubble.projects.exchange.rewriting import dumps

    read = tomllib.loads(data.decode())
    packages = []
    for package in read.get("packages", []):
        wheels = [
            {"path": at_hand[file["hashes"]["sha256"].lower()], "hashes": file["hashes"]}
            for file in package.get("wheels", ())
            if file["hashes"]["sha256"].lower() in at_hand
        ]
        if wheels:
            sources = {"wheels", "sdist", "archive", "vcs", "directory", "attestation-identities"}
            rest = {key: value for key, value in package.items() if key not in sources}
            packages.append({**rest, "wheels": wheels})
    return dumps({**read, "packages": packages}).encode()
