"""What an install leaves on a real ext4 disk when the power goes."""

from __future__ import annotations

import pytest

from support.figures import caught, record
from support.namespace import in_namespace, require_loop
from support.needs import FULL_ONLY, LINUX_ONLY, ROOT_ONLY, needs
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

CUTS = 25
pytestmark = [LINUX_ONLY, FULL_ONLY, ROOT_ONLY, needs("unshare", "mkfs.ext4", "e2fsck")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene({"version": "3.11.9", "extra_files": 400}) as made:
        require_loop(made.root)
        yield made


def test_what_a_command_said_is_installed_survives_a_power_cut(stage: Scene) -> None:
    assert in_namespace(stage, "power_cut", "returned", "") == {"problems": [], "copies": 1}
    record("power cuts right after a command said that it is done", tried=1, held=1)


def test_without_the_sync_it_would_not(stage: Scene) -> None:
    assert in_namespace(stage, "power_cut", "returned", "no-sync")["problems"]
    caught("a rename without a sync", by="a power cut")


def test_a_power_cut_at_any_moment_of_a_reinstall_leaves_a_working_version(stage: Scene) -> None:
    assert in_namespace(stage, "power_cut", str(CUTS), "") == {"problems": [], "copies": CUTS}
    record("power cuts at random moments of a reinstall", tried=CUTS, held=CUTS)
