"""SIGKILL before the file-changing calls of `import pyenv`: saying it again ends what was begun."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support import invariants
from support.environments import files
from support.needs import FULL, LINUX_ONLY, needs
from support.pyenv_tree import PyenvTree
from support.scene import command, scene
from support.sweep import Strace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]
_EACH = 1 if FULL else 5


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene() as made:
        yield made


def test_an_import_that_is_killed_anywhere_can_be_said_again(stage: Scene) -> None:
    tree = PyenvTree(f"{stage.env['HOME']}/.pyenv")
    tree.python()
    tree.virtualenv("site")
    tree.write("version", f"site\n{tree.version}\n")
    theirs = files(tree.root)
    strace = Strace(
        command("import", "pyenv", bug="none"), stage.env, [stage.home], f"{stage.root}/scratch"
    )
    stage.restore("start")
    # the shims have a sweep of their own, elsewhere
    points = [p for p in strace.points() if FULL or "/shims/" not in p.path]
    problems, missed = [], []
    for point in points[::_EACH]:
        for ordinal in (point.ordinal, point.ordinal, *range(point.ordinal - 1, 0, -1)):
            stage.restore("start")
            if strace.kill(replace(point, ordinal=ordinal)):
                break
        else:
            missed.append(point)
            continue
        found = wrong(stage, tree)
        mark = f"versions/{tree.version}/envs/site/.bubble-adopted"  # what an adopted one gets
        kept = {path: what for path, what in files(tree.root).items() if path != mark}
        if kept != theirs:
            found.append("pyenv's own files were changed")
        problems += [f"{point.name} {point.ordinal}, {point.call}: {p}" for p in found]
    print(f"killed at {len(points[::_EACH])} of {len(points)} calls")
    assert not problems, "\n".join(problems)
    assert not missed


def wrong(stage: Scene, tree: PyenvTree) -> list[str]:
    """Say it again, and return what isn't as it should be then."""
    again = stage.run("import", "pyenv", "--json")
    found = invariants.unclear(again)
    if again.status:
        return [*found, f"I5: {again}"]
    items = json.loads(again.out)["data"]["items"]
    if len(items) != 3 or not {i["action"] for i in items} <= {"adopted", "known", "pinned"}:
        found.append(f"I5: {items}")
    ran = stage.run("exec", "python", "-c", "import sys; print(sys.prefix)")
    if ran.out != f"{tree.versions}/{tree.version}/envs/site\n":
        found.append(f"I1: {ran}")
    # the pin is written without a lock, as `use` writes it: an unfinished one is gc's to remove
    left = [x for x in invariants.left_over(stage) if "/.version." not in x]
    return found + left + invariants.unlinked(stage)
