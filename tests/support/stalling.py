"""Builds on a server, of which some stop half-way until they are let go on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from bubble.pythons.catalogue.index import dump_json
from support.builds import archive_path, small_archive
from support.fault_handlers import Resource

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from support.fault_server import FaultServer


def stall(
    server: FaultServer, directory: Path, versions: Collection[str], held: Collection[str]
) -> str:
    """Serve small builds of these versions; return the path of their catalogue in `directory`.

    The bytes of those that are `held` stop half-way until `server.go` is set; `server.held` tells
    when.
    """
    entries = []
    for version in versions:
        found = small_archive(str(directory / "archives"), version)
        path = archive_path(found)
        hold_at = os.path.getsize(path) // 2 if version in held else None
        url = server.put(f"/{quote(os.path.basename(path))}", Resource(path, hold_at=hold_at))
        entries.append(found.replace(url=url))
    catalogue = directory / "catalogue.json"
    catalogue.write_text(dump_json(entries))
    return str(catalogue)
