"""Whether a lock is still that of its manifest, and what differs; needs no resolver, no network.

Whether is told by the digest of the inputs. What differs is told by looking at what the manifest
asks for directly: what the lock doesn't have, has in another version, or for another Python.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.inputs import inputs_of
from bubble.projects.lock import request_of
from bubble.projects.lockfile import read_lock
from bubble.projects.manifest import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.projects.inputs import Inputs
    from bubble.projects.lockfile import Lock
    from bubble.projects.manifest import Bubble, Project
    from bubble.selection.resolve import World

_LARGEST = 8 << 20  # bytes of a requirements file


class Checked(Record):
    """A lock file (absolute path), and how it differs from what is asked for: sentences' ends.

    None of them: it is the manifest's.
    """

    bubble: Bubble
    path: str
    differences: tuple[str, ...]

    @property
    def error(self) -> BubbleError | None:
        """What is wrong, with the command that mends it."""
        if not self.differences:
            return None
        name = "" if self.bubble.name == DEFAULT else f" {self.bubble.name}"
        return BubbleError(
            "lock",
            f"{printable(self.path, 500)} is not that of the manifest: "
            + "; ".join(self.differences[:12])
            + ("; …" if self.differences[12:] else ""),
            hint="look at what changes, and commit it: bubble lock" + name,
            details={"differences": list(self.differences)},
        )


def check(project: Project, bubble: Bubble, world: World) -> Checked:
    """Return how a bubble's lock differs from its manifest.

    Raises BubbleError (lock: it can't be read; manifest, version_file, …).
    """
    path = project.lock(bubble)
    lock = read_lock(path)
    if bubble.only_locked and lock is not None:
        return Checked(bubble=bubble, path=path, differences=())
    request = request_of(project, bubble, world)
    if lock is None:
        return Checked(bubble=bubble, path=path, differences=("there is none",))
    inputs = inputs_of(project, bubble, request)
    if lock.inputs == inputs.sha256:
        return Checked(bubble=bubble, path=path, differences=())
    found = [*_own(lock, request), *_packages(project, bubble, inputs, lock)]
    names = sorted({os.path.relpath(file, project.root) for file in inputs.files})
    found = found or [f"something changed in {', '.join(printable(name, 80) for name in names)}"]
    return Checked(bubble=bubble, path=path, differences=tuple(found))


def _own(lock: Lock, request: str) -> Iterator[str]:
    if not lock.inputs:
        yield "another tool made it, which knows nothing of the interpreter"
    elif lock.request != request:
        yield f"it is for Python “{printable(lock.request, 40)}”, and “{request}” is asked for"


def _packages(project: Project, bubble: Bubble, inputs: Inputs, lock: Lock) -> Iterator[str]:
    """Yield what is asked for directly and isn't locked, or not in a version that would do."""
    from packaging.requirements import InvalidRequirement, Requirement

    from bubble.model.package import canonical_name
    from bubble.projects.markers import can_hold

    minor = ".".join(lock.version.split(".")[:2])
    for line in dict.fromkeys((*inputs.lines, *_lines(project, bubble, inputs))):
        try:
            wanted = Requirement(line.partition(" #")[0].strip())
        except InvalidRequirement:
            continue
        if minor and wanted.marker and not can_hold(str(wanted.marker), minor):
            continue
        name = canonical_name(wanted.name)
        if name not in lock.versions:
            yield f"it has no {printable(name, 80)}"
            continue
        versions = [v for v in lock.versions[name].split(" | ") if v]
        if versions and not any(wanted.specifier.contains(v, prereleases=True) for v in versions):
            yield f"it has {printable(name, 80)} {versions[0]}, and {wanted.specifier} is asked for"


def _lines(project: Project, bubble: Bubble, inputs: Inputs) -> Iterator[str]:
    """Yield the lines of the requirement files, and those of `pyproject.toml` that count."""
    from bubble.system.version_file import read_regular

    constraints = {*bubble.constraints, project.manifest, project.pyproject}
    for path in inputs.files:
        if path not in constraints and path.endswith((".txt", ".in")):
            text = (read_regular(path, _LARGEST) or b"").decode("utf-8", "replace")
            yield from text.splitlines()
    if not bubble.project and not bubble.groups:
        return
    from bubble.system.version_file import parse_toml

    read = parse_toml(project.pyproject, read_regular(project.pyproject, _LARGEST) or b"")
    groups, declared = read.get("dependency-groups"), read.get("project")
    lists = [groups.get(name) for name in bubble.groups] if isinstance(groups, dict) else []
    if bubble.project and isinstance(declared, dict):
        lists.append(declared.get("dependencies"))
    for of in lists:
        yield from (line for line in of or () if isinstance(line, str))
