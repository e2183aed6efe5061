"""The harnesses of `scripts/faults`, each with its test files: every one of tests/faults is in one.

A planted bug shows that a harness sees what it is there to see. Where the bugs are of a kind of
their own, the part says how many it must catch at least.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Part:
    """`files` are patterns below tests/; `bugs` is how many planted ones are caught at least."""

    name: str
    title: str
    files: tuple[str, ...]
    bugs: int = 1

    def has(self, file: str) -> bool:
        """Whether a test file, relative to tests/, belongs here."""
        return any(fnmatch(file, pattern) for pattern in self.files)


# the first that has a file gets it
PARTS = (
    Part(
        "real",
        "Random kills of installs of the real build",
        ("faults/test_real_kills.py",),
    ),
    Part(
        "environments",
        "Environments: kills, interrupts, rivals, full disks, mounts",
        (
            "faults/test_crash_env*.py",
            "faults/test_env_*.py",
            "faults/test_leftovers.py",
            "faults/test_overlay.py",
        ),
        bugs=4,
    ),
    Part(
        "kills",
        "Killed before every system call that changes something",
        (
            "faults/test_crash_*.py",
            "faults/test_catalogue_crash.py",
            "faults/test_kill_*.py",
        ),
        bugs=8,
    ),
    Part("power", "Power cuts on a real ext4", ("faults/test_power_*.py",)),
    Part(
        "disk",
        "Full, failing, read-only and damaged disks",
        ("faults/test_disk_*.py", "faults/test_odd_*.py"),
    ),
    Part(
        "network",
        "Servers that lie, stall, break off and come back",
        (
            "faults/test_http_*.py",
            "faults/test_install_over_http.py",
            "faults/test_catalogue_update.py",
            "faults/test_lock_index.py",
            "faults/test_network_*.py",
        ),
    ),
    Part(
        "concurrency",
        "Many at once",
        (
            "faults/test_concurrency.py",
            "faults/test_shim_concurrency.py",
            "faults/test_mix.py",
            "faults/test_system_crowd.py",
        ),
        bugs=3,
    ),
    Part(
        "signals",
        "Signals",
        ("faults/test_interrupts.py", "faults/test_signals.py", "faults/test_several.py"),
    ),
    Part(
        "hostile",
        "Hostile archives, files of projects, and names",
        (
            "faults/test_archive_*.py",
            "faults/test_hostile_*.py",
            "faults/test_import_*.py",
            "functional/test_bad_input.py",
        ),
        bugs=8,
    ),
    Part("secrets", "The credential canary", ("faults/test_secrets.py",)),
)


def part_of(file: str) -> Part:
    """Return the part that a test file, relative to tests/, belongs to."""
    return next(part for part in PARTS if part.has(file))
