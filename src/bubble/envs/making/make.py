"""Creating an environment: chosen interpreter, staged, filled with packages, put in its place.

Nothing that was there changes until the new environment is complete. Its place is taken in one
step; with `replace`, the old one works until then, and only what bubble made is replaced.
"""

from __future__ import annotations

import os
import time

from bubble.envs.knowing import placing
from bubble.envs.knowing.locate import require_name_free
from bubble.envs.making.create import base_of, build
from bubble.envs.making.taken import require_free
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.installed.store import key_lock
from bubble.selection import registry
from bubble.selection.answers import is_command
from bubble.selection.identity import hold, mark_of, new_identity
from bubble.system.pool import pool_for
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.envs.making.create import Base
    from bubble.envs.making.planting import Planting
    from bubble.envs.tools.access import Access
    from bubble.pythons.installed.store import Installation
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.system.pool import Pool


class Plan(Record):
    """What to make. `name` is "" for a project's environment, which lies at `path`.

    `path` and `project` are absolute. `arguments` are what the installer gets (requirement texts,
    `-r FILE`, …), and `contents` what was read of those files that can't be read twice. `installer`
    is "pip", "uv" or "" (whichever is best), `settings` an absolute directory of ours whose
    settings uv follows. `carried` are directories of what is replaced, relative to it, that go
    along: somebody works there. `again` is the command that a hint names for when the place is
    free, "" for `bubble create`. `anew` is as in `install_packages`.
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
    force: bool = False
    arguments: tuple[str, ...] = ()
    contents: tuple[tuple[str, bytes], ...] = ()
    settings: str = ""
    carried: tuple[str, ...] = ()
    installer: str = ""
    again: str = ""
    anew: tuple[str, ...] = ()


class Steps:
    """What a caller does while an environment is made: here, nothing.

    What `filled` or `ready` raises ends it; then nothing has changed.
    """

    def waiting(self) -> None:
        """Do what can be done while an installer works: import what is needed when it has ended."""
        import bubble.envs.changing.relocate
        import bubble.envs.making.carry  # noqa: F401

    def credentials(self) -> Iterable[Access]:
        """Return the credentials that are known for servers, where an installer needs some."""
        return ()

    def filled(self, root: str) -> None:
        """Look at the staged environment at `root` (absolute), which has its packages now."""

    def ready(self, root: str, environment: Environment) -> None:
        """Look at the staged environment as it is about to take its place."""

    def published(self, staging: Staging) -> None:
        """Keep what was replaced, if it is to be: it is `staging`'s now."""


_NOTHING = Steps()


def make(plan: Plan, world: World, *, show: bool = False, steps: Steps = _NOTHING) -> Environment:
    """Make the environment, register it, and return its record.

    `show` lets the packages' installer write to stderr as it works. Raises BubbleError (in_use:
    something is there; download: packages could not be installed; …) and OSError; then nothing
    has changed.
    """
    layout = world.layout
    if plan.project:  # a directory is itself, however its path is spelled
        project = os.path.realpath(plan.project)
        plan = plan.replace(project=project, path=f"{project}/{os.path.basename(plan.path)}")
    placing.require_sayable(plan.path)
    # shared: nobody takes the interpreter away before the registry knows who uses it
    in_use = key_lock(layout, str(plan.installation.key), world.env, shared=True)
    with placing.lock(layout, plan.path), in_use:
        if plan.name:
            require_name_free(plan.name, plan.path, layout)
        if not is_command(plan.installation.executable):
            raise BubbleError(
                "not_installed",
                f"{plan.installation.key.name} was removed meanwhile",
                hint=f"bubble python install {plan.installation.key.name}",
            )
        sweep(layout)
        environment = _record(plan)
        require_free(
            environment, layout, force=plan.force, arguments=plan.arguments, again=plan.again
        )
        if os.path.lexists(plan.path):
            from bubble.envs.making.carry import require_nothing_lost

            require_nothing_lost(plan.path, world.env, layout, carried=plan.carried)
        try:
            _stage_and_publish(plan, environment, world, show=show, steps=steps)
        finally:
            if mark_of(plan.path) == environment.identity:
                registry.register_prepared(layout, environment)
            else:
                registry.abandon(layout, environment)
    return registry.current(layout, environment)


def _record(plan: Plan) -> Environment:
    return registry.Environment(
        path=plan.path,
        name=plan.name,
        project=plan.project,
        interpreter=base_of(plan.installation, exact=plan.exact).link,
        request=plan.request,
        identity=new_identity(),
        made_at=str(int(time.time())),
    )


def _stage_and_publish(
    plan: Plan, environment: Environment, world: World, *, show: bool, steps: Steps
) -> None:
    with Staging(world.layout, plan.path) as staging:
        root = staging.path
        base = base_of(plan.installation, exact=plan.exact)
        build(
            root,
            plan.path,
            base,
            prompt=plan.prompt or plan.name or os.path.basename(plan.project) or "venv",
            identity=environment.identity,
            system_site_packages=plan.system_site_packages,
        )
        pool = pool_for(root, world.layout, world.env)
        try:
            _fill(plan, base, staging, world, pool, show=show, steps=steps)
        finally:
            if pool is not None:
                pool.close()
        steps.ready(root, environment)
        # first what lets the next creation see that this one didn't get to its end
        registry.prepare(world.layout, hold(environment, world.layout, root))
        staging.publish()
        steps.published(staging)


def _fill(
    plan: Plan,
    base: Base,
    staging: Staging,
    world: World,
    pool: Pool | None,
    *,
    show: bool,
    steps: Steps,
) -> None:
    """Put pip and the packages into the staged environment, which shares what the pool has."""
    root = staging.path
    pip = _pip(plan, base, root, world, pool)
    if not plan.arguments and not plan.carried:
        if pip is not None:
            pip.plant()
    else:
        # these cost as much as the rest together
        from bubble.envs.making.install import install_packages
        from bubble.envs.making.sharing import share

        interpreter = _stands_for(plan)
        arguments = list(plan.arguments)
        if plan.carried or "-e" in arguments:
            from bubble.envs.making.carry import carry

            arguments = carry(plan.path, root, plan.carried, plan.arguments)
        if arguments:
            install_packages(
                root,
                arguments,
                layout=world.layout,
                installer=plan.installer,
                env=world.env,
                cwd=world.cwd,
                show=show,
                keep=staging.descriptor,
                contents=plan.contents,
                anew=plan.anew,
                settings=plan.settings,
                pip=pip,
                interpreter=interpreter,
                meanwhile=steps.waiting,
                credentials=steps.credentials,
            )
        elif pip is not None:
            pip.plant()
        from bubble.envs.changing.relocate import relocate
        from bubble.envs.making.carry import require_projects

        steps.filled(root)
        relocate(root, root, plan.path, interpreter=interpreter)
        require_projects(root, plan.path)
        if pool is not None:
            share(root, pool)


def _pip(plan: Plan, base: Base, root: str, world: World, pool: Pool | None) -> Planting | None:
    if not plan.pip:
        return None
    from bubble.envs.making.planting import Planting

    library = os.path.basename(base.stdlib)
    version = plan.installation.key.version
    return Planting(root, plan.path, library, version, world.layout, pool)


def _stands_for(plan: Plan) -> str:
    """Return the interpreter that says of itself what the environment's would say, else "".

    One that the store made: where packages belong is known of it, and nobody changes it.
    """
    installation = plan.installation
    if installation.is_adopted or installation.key.implementation != "cpython":
        return ""
    return "" if plan.system_site_packages else installation.executable
