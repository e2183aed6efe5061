"""One environment of a project on its way: checked before it takes its place, the old one kept."""

from __future__ import annotations

import os

from bubble.envs.making.make import Plan, Steps, make
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects import places, state
from bubble.projects.changes import Change, package_changes
from bubble.projects.kernels import require_ipykernel
from bubble.projects.manifest import DEFAULT
from bubble.projects.sources import sources_of
from bubble.projects.state import State
from bubble.projects.status import interpreter_name, read_lock_file
from bubble.projects.wanted import local, wanted
from bubble.selection import registry
from bubble.selection.identity import hold, is_itself, mark_of, new_identity
from bubble.system.files import write_atomic
from bubble.system.layout import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.envs.tools.access import Access
    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.status import LockFile, Status
    from bubble.pythons.installed.store import Installation
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.system.staging import Staging


class Making(Steps):
    """Making the environment of a bubble anew, as `file` says.

    Afterwards `made` is what to remember of it, `kept` what it has beyond the lock, and `previous`
    where the one before is, "" where there was none, or it couldn't be kept.
    """

    def __init__(
        self,
        project: Project,
        bubble: Bubble,
        file: LockFile,
        status: Status,
        world: World,
        *,
        key: str,
        inexact: bool,
        at_hand: Mapping[str, str] | None = None,
    ) -> None:
        self.project = project
        self.bubble = bubble
        self.file = file
        self.status = status
        self.world = world
        self.at_hand = at_hand
        self.inexact = inexact and status.environment is not None
        self.expected = wanted(file.data, file.path, key)
        require_ipykernel(project, bubble, self.expected)
        self.before: dict[str, str] = {}
        if status.environment is not None:
            from bubble.projects.contents import installed

            self.before = installed(status.path)
        self.kept: list[str] = []
        self.previous = ""
        self.made = State(lock="", packages="")

    def make(self, installation: Installation, *, show: bool) -> Environment:
        """Make it, and let it take its place."""
        bubble, project = self.bubble, self.project
        if bubble.name != DEFAULT:
            places.make_places(project)
        lock = project.lock(bubble)
        own = () if self.at_hand is None else ((lock, local(self.file.data, self.at_hand)),)
        plan = Plan(
            path=project.path(bubble),
            project=places.owner(project, bubble),
            installation=installation,
            request=str(installation.key.version),
            exact=True,
            prompt=bubble.name if bubble.name != DEFAULT else os.path.basename(project.root),
            force=True,
            arguments=("-r", lock),
            contents=own,
            installer="pip" if own else "",  # uv would write down where the wheels were
            again=places.command("sync", bubble),
            anew=tuple(tree.name for tree in self.file.lock.trees if not tree.editable),
        )
        try:
            return make(plan, self.world.replace(cwd=project.root), show=show, steps=self)
        except BubbleError as error:
            from bubble.envs.tools.access import MEND

            if error.kind != "download" or error.hint == MEND:
                raise
            again = places.command("sync", bubble)
            raise error.replace_hint(
                f"nothing was changed; mend the cause, then: {again}"
            ) from None

    def changes(self, installation: Installation) -> list[Change]:
        """Return what differs from the environment before, the interpreter first."""
        from bubble.projects.contents import installed

        after = installed(self.status.path)
        found = package_changes(self.before, after)
        old = self.status.environment
        name = installation.key.name
        if old is not None and (was := interpreter_name(old.interpreter)) != name:
            kind, _, version = name.partition("-")
            before = was.removeprefix(f"{kind}-")
            found.insert(0, Change(name=kind, before=before, after=version))
        return found

    def waiting(self) -> None:
        """Import what comes after the packages: all that the end of a sync needs."""
        super().waiting()

        import bubble.projects.contents
        import bubble.selection.memos
        import bubble.selection.shims
        import bubble.system.made  # noqa: F401

    def credentials(self) -> list[Access]:
        """Return what the project's files say."""
        from bubble.projects.credentials import of_project

        return of_project(self.project, self.bubble, self.world.env)

    def filled(self, root: str) -> None:
        """Hold what was installed against the lock, and take along what is to be kept."""
        from bubble.projects.contents import carry, require_exact

        require_exact(root, self.expected)
        if self.inexact:
            self.kept = carry(self.status.path, root, self.expected)

    def ready(self, root: str, environment: Environment) -> None:
        """Remember what it is made from, before anybody can see it."""
        now = read_lock_file(self.file.path, self.file)
        if now is None or now.data != self.file.data:
            raise BubbleError(
                "lock",
                f"{printable(self.file.path, 500)} was changed meanwhile by somebody else",
                hint=f"nothing was changed; again: {places.command('sync', self.bubble)}",
            )
        # after the build, which may write a version there
        sources, metadata = sources_of(os.path.dirname(self.file.path), self.file.lock.trees)
        known = self.status.known
        self.made = State(
            lock=self.file.digest,
            packages=state.packages_of(root),
            sources=sources,
            metadata=metadata,
            extra="1" if self.kept else "",
            kernel=known.kernel if known else "",
            links=known.links if known else (),
        )
        state.write_state(self.world.layout, environment.identity, self.made)

    def published(self, staging: Staging) -> None:
        """Keep what was replaced, as an environment that is registered where it is now."""
        before = places.previous(self.project, self.bubble)
        if not staging.replaced:  # there was none, or it could only be deleted in its place
            if self.status.environment is not None:
                places.discard(before, self.world.layout)
            return
        places.make_places(self.project)
        os.makedirs(os.path.dirname(before), exist_ok=True)
        places.discard(before, self.world.layout)
        old = self._identified(staging.replaced).replace(path=before, project="", name="")
        # before it is there: what lies there without a record would be a stranger's
        registry.register(self.world.layout, old)
        try:
            if staging.keep_replaced(before):
                self.previous = before
        finally:
            if not is_itself(old, self.world.layout):
                registry.forget(self.world.layout, old)

    def _identified(self, path: str) -> Environment:
        """Return the record of what was replaced, which lies at `path` for the moment.

        A copy of one that is elsewhere gets an identity of its own; the record of one that was
        moved here goes.
        """
        layout = self.world.layout
        known = places.environment_of(self.project, self.bubble, layout)
        identity = mark_of(path)
        if known is not None and known.identity == identity:
            return known
        twin = next((e for e in registry.environments(layout) if e.identity == identity), None)
        if twin is None:
            return registry.Environment(path=path, identity=identity)
        if is_itself(twin, layout):
            fresh = new_identity()
            write_atomic(f"{path}/{MARK}", f"{fresh}\n".encode())
            return hold(twin.replace(identity=fresh), layout, path)
        registry.forget(layout, twin)
        return twin
