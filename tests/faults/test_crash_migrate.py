"""SIGKILL before every file-changing call of the command that takes over an old store."""

from __future__ import annotations

import os

import pytest

from bubble.selection import registry
from bubble.selection.identity import is_itself
from bubble.system.format import FORMAT
from support.env_scene import env_scene, project, request
from support.needs import LINUX_ONLY, needs
from support.oldstore import make_old
from support.scene import command
from support.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    with env_scene() as made:
        wanted = request(made)
        for name in ("one", "two"):
            done = made.run("create", name, "-p", wanted)
            assert done.status == 0, done
        done = made.run("create", "-p", wanted, before=("env", "-C", project(made)))
        assert done.status == 0, done
        os.symlink("project", f"{made.root}/link")
        make_old(made.layout, {project(made): f"{made.root}/link"})
        made.save("old")
        yield made


def test_a_store_whose_migration_is_killed_anywhere_is_whole_after_the_next_command(
    stage: Scene,
) -> None:
    titles = {"one", "two", f"{project(stage)}/.venv"}

    def check() -> list[str]:
        again = stage.call("list")
        found = [f"I5: {again}"] if again.status else []
        known = registry.environments(stage.layout)
        if {e.title for e in known} != titles or len(known) != len(titles):
            found.append(f"I2: {known}")
        found += [f"I2: {e.title} isn't itself" for e in known if not is_itself(e, stage.layout)]
        names = os.listdir(stage.home)
        found += [f"I3: {n}" for n in names if n in {"projects", "aliases", "generation"}]
        found += [f"I3: {n}" for n in names if n.startswith(".")]
        if os.readlink(stage.layout.format) != FORMAT:
            found.append("I5: it has no format")
        return found

    report = sweep(
        command("list", bug="none"),
        env=stage.env,
        roots=[stage.home, stage.cache],
        scratch=f"{stage.root}/scratch",
        prepare=lambda: stage.restore("old"),
        check=check,
    )
    print(report)
    assert not report.problems, "\n".join(report.problems)
    assert not report.missed
    assert report.killed > 25
