"""What came of locking, for people: commands that lock on the way tell it, too."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.lock import Locked


def told(one: Locked, *, dry_run: bool = False) -> list[str]:
    """Return what came of locking, for people."""
    count = len(one.lock.versions)
    what = f"Python {one.lock.version}, {count} package{'' if count == 1 else 's'}"
    would = {"made": "would make ", "changed": "would change "} if dry_run else {}
    head = f"{would.get(one.status, f'{one.status} ')}{one.path}: {what}"
    if one.status == "changed" and not one.changes:
        return [f"{head}; the versions are the same"]
    return [head, *(f"  {change}" for change in one.changes if one.status == "changed")]
