"""What two locks differ in, like a diff: `pandas 2.2.3 → 2.3.0`, `+ tzdata 2025.2`."""

from __future__ import annotations

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.lockfile import Lock


class Change(Record):
    """One thing that differs; `before` and `after` are versions, "" where it isn't there.

    Where these are the same, `what` says what else is not.
    """

    name: str
    before: str
    after: str
    what: str = ""

    def __str__(self) -> str:
        if not self.before:
            return f"+ {self.name} {self.after}"
        if not self.after:
            return f"- {self.name} {self.before}"
        if self.what:
            return f"{self.name} {self.after}: {self.what}"
        return f"{self.name} {self.before} → {self.after}"


def changes(before: Lock | None, after: Lock) -> tuple[Change, ...]:
    """Return how a lock differs from the one before: the interpreter first, then by name."""
    return (*_python_changes(before, after), *_packages(before, after))


def package_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Return how two sets of packages differ, by name; a source tree's version is `source`."""
    return [
        Change(name=name, before=_shown(before, name), after=_shown(after, name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _python_changes(before: Lock | None, after: Lock) -> list[Change]:
    name, version = _implementation(after), after.version
    old = before.version if before else ""
    if before is None or old != version or _implementation(before) != name:
        was = _implementation(before) if before and before.builds else name
        if was == name:
            return [Change(name=name, before=old, after=version)]
        return [
            Change(name=was, before=old, after=""),
            Change(name=name, before="", after=version),
        ]
    found = []
    if before.request != after.request:
        what = f"asked for as {after.request}, not as {before.request}"
        found.append(Change(name=name, before=old, after=version, what=what))
    builds = {b.key.split("-", 2)[2]: b for b in before.builds}
    news = {b.key.split("-", 2)[2]: b for b in after.builds}
    for platform in sorted({*builds, *news}):
        one, other = builds.get(platform), news.get(platform)
        if one == other:
            continue
        if one is None or other is None:
            what = f"{'no build' if other is None else 'also'} for {platform}"
        elif one.build != other.build:
            what = f"build {one.build} → {other.build} for {platform}"
        else:
            what = f"other {'bytes' if one.sha256 != other.sha256 else 'place'} for {platform}"
        found.append(Change(name=name, before=old, after=version, what=what))
    return found


def _packages(before: Lock | None, after: Lock) -> list[Change]:
    found = package_changes(before.versions if before else {}, after.versions)
    for name, version in after.versions.items() if before else ():
        if before is None or before.versions.get(name) != version:
            continue
        if before.files.get(name) != after.files.get(name):
            shown = version or "source"
            found.append(
                Change(name=name, before=shown, after=shown, what=_files(before, after, name))
            )
    return sorted(found, key=lambda change: change.name)


def _files(before: Lock, after: Lock, name: str) -> str:
    """Return how the files of one version differ: a file more is common, another one is not."""
    gone = set(before.files.get(name, ())) - set(after.files.get(name, ()))
    come = set(after.files.get(name, ())) - set(before.files.get(name, ()))
    counts = [f"{len(x)} {word}" for x, word in ((come, "new"), (gone, "gone")) if x]
    many = "s" if len(come) + len(gone) > 1 else ""
    return f"{' and '.join(counts)} file{many} of the same version"


def _shown(versions: Mapping[str, str], name: str) -> str:
    return (versions[name] or "source") if name in versions else ""


def _implementation(lock: Lock) -> str:
    """Return what implementation it is, with its variant: `cpython`, `cpython+freethreaded`."""
    if not lock.builds:
        return "python"
    implementation, version, _ = lock.builds[0].key.split("-", 2)
    variant = version.partition("+")[2]
    return f"{implementation}+{variant}" if variant else implementation
