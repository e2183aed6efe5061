"""Taking over a store of an older format, so that nothing is lost and nothing is trusted anew.

The first format had no number. Its records named projects as their paths were spelled, and knew
environments of other tools by their path alone; its memos lay in `projects` and `aliases`, and
were compared with `generation` by time. Each step can be done again: killed at any moment, the
next command goes on, and the number is written last.
"""

from __future__ import annotations

import os

from bubble.selection import registry
from bubble.selection.identity import hold, identify, is_itself
from bubble.system.files import (
    fsync_directory,
    link_atomic,
    temporaries,
    unlink_quietly,
)
from bubble.system.format import FORMAT, is_current
from bubble.system.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_LEFT = ("projects", "aliases", "generation")  # of the first format, all derived


def migrate(layout: Layout) -> None:
    """Bring the store to this format. Raises OSError where it can't be written."""
    with Lock(f"{layout.locks}/store"):
        if is_current(layout):
            return
        for environment in registry.environments(layout):
            _take_over(environment, layout)
        for leftover in temporaries(layout.home, "format"):
            unlink_quietly(leftover)
        for name in _LEFT:
            _drop(f"{layout.home}/{name}")
        link_atomic(FORMAT, layout.format)
        fsync_directory(layout.home)


def _take_over(environment: Environment, layout: Layout) -> None:
    """Give an environment's record what this format wants: a real path, and an identity."""
    new = environment
    if environment.project and os.path.isdir(environment.project):
        project = os.path.realpath(environment.project)
        name = os.path.basename(environment.path)
        new = new.replace(project=project, path=f"{project.rstrip('/')}/{name}")
    if not environment.identity and _is_as_it_was(environment):
        new = new.replace(identity=identify(new))
    taken = registry.of_directory(layout, new.project) if new.project else None
    if taken is not None and new.project != environment.project:
        registry.forget(layout, environment)  # one directory had two records
        return
    registry.register(layout, hold(new, layout) if is_itself(new, layout) else new)
    if new.project != environment.project:
        registry.forget(layout, environment)


def _is_as_it_was(environment: Environment) -> bool:
    """Whether another tool's environment has the time at which it was made known."""
    try:
        return str(int(os.stat(f"{environment.path}/pyvenv.cfg").st_mtime)) == environment.made_at
    except OSError:
        return False


def _drop(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        from bubble.system.trees import remove_tree

        remove_tree(path)
    else:
        unlink_quietly(path)
