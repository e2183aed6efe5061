"""What a command gets and what it gives back."""

from __future__ import annotations

import os

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    from bubble.cli.configuration import Configuration
    from bubble.cli.output import Output
    from bubble.model.errors import BubbleError
    from bubble.model.platform import Platform
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout
    from bubble.system.machine import Machine

    class Command(Protocol):
        """A module of `cli.commands`: flags in, one operation, its result out.

        It may have DETAILS, a text for the help, and JSON, what `--json` prints.
        """

        EXAMPLES: tuple[tuple[str, str], ...]  # a command line, and what it does

        def define(self, parser: Any) -> None:
            """Declare the arguments: to argparse's parser, or to `everyday.Usual`."""

        def execute(self, options: Any, context: Context) -> Outcome:
            """Do it, with the arguments' values by their destinations."""


class Outcome(Record):
    """A command's result: `data` is JSON-ready, `lines` are what people read on stdout.

    `notes` are talk for stderr, `warnings` are what people should know, both before the lines;
    `next_steps` are talk behind them. `errors` are what failed beside what succeeded; any of them
    makes the command fail.
    """

    data: object
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    errors: tuple[BubbleError, ...] = ()


class Context(Record):
    """The world as one call of the program sees it.

    `env` has what the user's configuration file says where the variables say nothing;
    `configuration` is that file, None where it says nothing.
    """

    env: Mapping[str, str]
    output: Output
    configuration: Configuration | None = None

    @property
    def layout(self) -> Layout:
        """Where everything is; BubbleError(usage) when the variables make no sense."""
        from bubble.system.layout import layout_from

        layout = layout_from(self.env)
        require_format(layout)
        return layout

    def platform(self, triple: str = "") -> Platform:
        """Return the machine's platform, or the one that `--platform` names."""
        if triple:
            from bubble.model.platform import parse_platform

            return parse_platform(triple)
        from bubble.system.host import host_platform

        return host_platform(self.env)

    def world(self) -> World:
        """Return what a selection depends on, for the directory that the process is in."""
        from bubble.selection.answers import World
        from bubble.system.directory import working_directory

        return World(
            cwd=working_directory(self.env.get("PWD", "")),
            env=self.env,
            layout=self.layout,
            platform=self.platform(),
        )

    def machine(self) -> Machine:
        """Return what operations on interpreters need."""
        from bubble.system.machine import Machine

        return Machine(layout=self.layout, env=self.env, platform=self.platform())

    def require_agreement(self, goes: str, *, given: bool) -> None:
        """Ask before something goes that nothing brings back: `goes`, a sentence that says what.

        Only on a terminal: elsewhere the command line itself, which was written down with a clear
        head, is the agreement. `given` is `--yes`. Raises BubbleError(declined).
        """
        if given or not self.output.may_ask or self.output.ask(f"{goes}. Go on?"):
            return
        from bubble.model.errors import BubbleError

        raise BubbleError("declined", "nothing was changed", hint="to do it unasked: --yes")

    def renew_shims(self, made: Sequence[str] = ()) -> None:
        """Make the shims and the installed shell code follow what there is.

        `made`: the absolute prefixes of what is new, where nothing else was changed. What the
        working directory gets now is left for the hook, whose next look comes before any shim's.
        A store that can't be written costs a note.
        """
        import sys

        from bubble.selection.memos import leave_here
        from bubble.selection.shims import follow, rehash

        try:
            if made:
                follow(self.layout, sys.executable, made)
            else:
                rehash(self.layout, sys.executable)
            if any(name.startswith("init.") for name in os.listdir(self.layout.home)):
                from bubble.cli.shell_files import refresh

                refresh(self)
            leave_here(self.world())
        except OSError as error:
            from bubble.system.trouble import from_os_error

            self.output.warn(f"the shims could not be renewed: {from_os_error(error).message}")


def require_format(layout: Layout) -> None:
    """Take over a store of an older format, before anything looks into it.

    One that can't be written is used as it is: what is older is known, only more slowly. Raises
    BubbleError(store) for a store of a newer bubble.
    """
    from bubble.system.format import is_current

    if is_current(layout):
        return
    from bubble.envs.changing.migrate import migrate

    try:
        migrate(layout)
    except OSError as error:
        import errno

        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
