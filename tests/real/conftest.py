"""What the tests of packs share."""

from __future__ import annotations

import pytest

from support.packs import Packing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def packing(
    bubble: Callable[..., Result], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Packing:
    """Return a project to pack, its store that of this worker's other tests."""
    home = str(tmp_path_factory.getbasetemp() / "store-of-packs")
    return Packing(bubble, str(tmp_path / "made"), home=home)


@pytest.fixture
def alone(bubble: Callable[..., Result], tmp_path: Path) -> Packing:
    """Return one with a store that no other test has."""
    return Packing(bubble, str(tmp_path / "made"))
