"""What came of locking, for people: commands that lock on the way tell it, too."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.lock import Locked


def told(one: Locked) -> list[str]:
    """Return what came of locking, for people."""
    count = len(one.lock.versions)
    head = f"{one.status} {one.path}: Python {one.lock.version}, {count} packages"
    return [head, *(f"  {change}" for change in one.changes if one.status == "changed")]
