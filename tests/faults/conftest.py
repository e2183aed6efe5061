"""What the tests of HTTP share: a server that can be told to fail, and a place to download to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.fault_server import serve
from support.transfers import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.fault_server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serve() as running:
        yield running


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """Return a destination for the bytes that the module calls DATA."""
    (tmp_path / "downloads").mkdir()
    return Target(str(tmp_path / "downloads" / "file"), request.module.DATA)
