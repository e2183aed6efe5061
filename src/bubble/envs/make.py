"""Creating an environment: chosen interpreter, staged, filled with packages, put in its place.

Nothing that was there changes until the new environment is complete. Its place is taken in one
step; with `replace`, the old one works until then, and only what bubble made is replaced.
"""

from __future__ import annotations

import os

from bubble.envs import place
from bubble.envs.create import base_of, build, now
from bubble.envs.install import install_packages
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.store import touch_generation
from bubble.selection import registry
from bubble.selection.sources import pin_of
from bubble.system.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bubble.pythons.store import Installation
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World


class Plan(Record):
    """What to make. `name` is "" for a project's environment, which lies at `path`.

    `path` and `project` are absolute. `requirements` are absolute files, `packages` requirement
    texts. `installer` is "pip", "uv" or "" (whichever is best).
    """

    path: str
    name: str = ""
    project: str = ""
    installation: Installation
    request: str
    exact: bool = False
    prompt: str = ""
    pip: bool = True
    system_site_packages: bool = False
    replace: bool = False
    requirements: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    installer: str = ""


def make(plan: Plan, world: World, say: Callable[[str], None]) -> Environment:
    """Make the environment, register it, and return its record.

    Raises BubbleError (in_use: something is there; download, io, …: packages could not be
    installed) and OSError; then nothing has changed.
    """
    layout = world.layout
    with Lock(place.lock_path(layout, plan.path)):
        place.sweep(layout, plan.path)
        old = _require_free(plan)
        with place.Stage(layout, plan.path) as stage:
            identity = os.urandom(8).hex()
            base = base_of(layout, plan.installation, exact=plan.exact)
            build(
                stage.path,
                plan.path,
                base,
                layout=layout,
                prompt=plan.prompt or plan.name or os.path.basename(plan.project) or "venv",
                identity=identity,
                pip=plan.pip,
                system_site_packages=plan.system_site_packages,
            )
            environment = registry.Environment(
                path=plan.path,
                name=plan.name,
                project=plan.project,
                interpreter=base.link,
                request=plan.request,
                pin=pin_of(plan.project) if plan.project else "",
                identity=identity,
                made_at=now(),
            )
            stage.publish(replace=old)
            try:
                install_packages(plan, environment, world, say)
            except BaseException:
                stage.roll_back()
                raise
            stage.keep()
        registry.register(layout, environment)
        touch_generation(layout)
    return environment


def _require_free(plan: Plan) -> bool:
    """Say whether something of ours is to be replaced; refuse everything else that is there."""
    if not os.path.lexists(plan.path):
        return False
    shown = printable(plan.path, 500)
    if not place.is_ours(plan.path):
        raise BubbleError(
            "in_use",
            f"{shown} is there already, and bubble didn't make it",
            hint="move it away, or make it known as it is: bubble adopt",
        )
    if not plan.replace:
        raise BubbleError(
            "in_use",
            f"{shown} is there already",
            hint="replace it: bubble create --force; throw it away: bubble remove",
        )
    return True
