"""What two locks differ in, like a diff: `pandas 2.2.3 → 2.3.0`, `+ tzdata 2025.2`."""

from __future__ import annotations

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.lockfile import Lock


class Change(Record):
    """One thing that differs; `before` and `after` are versions, "" where it isn't there."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"+ {self.name} {self.after}"
        if not self.after:
            return f"- {self.name} {self.before}"
        return f"{self.name} {self.before} → {self.after}"


def changes(before: Lock | None, after: Lock) -> tuple[Change, ...]:
    """Return how a lock differs from the one before: the interpreter first, then by name."""
    found = []
    old = before.version if before else ""
    if old != after.version:
        found.append(Change(name=_implementation(after), before=old, after=after.version))
    found += package_changes(before.versions if before else {}, after.versions)
    return tuple(found)


def package_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Return how two sets of packages differ, by name; a source tree's version is `source`."""
    return [
        Change(name=name, before=_shown(before, name), after=_shown(after, name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _shown(versions: Mapping[str, str], name: str) -> str:
    return (versions[name] or "source") if name in versions else ""


def _implementation(lock: Lock) -> str:
    return lock.builds[0].key.partition("-")[0] if lock.builds else "python"
