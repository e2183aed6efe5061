"""`bubble shim-fallback`: what a shim calls for what it doesn't recognise; not for people."""

from __future__ import annotations

import os
import sys

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.cli.context import Context

_NOT_FOUND = {"command_not_found", "not_installed"}


def run(arguments: Sequence[str], context: Context) -> int:
    """Run a command: the arguments are the shim's home (absolute), the command's name, its own.

    The home is the one that the shim was made for, whatever the environment says.
    """
    from bubble.cli.context import require_format
    from bubble.selection.fallback import run_shim
    from bubble.selection.resolve import World
    from bubble.system.directory import working_directory
    from bubble.system.layout import layout_at

    home, name, *rest = arguments
    try:
        layout = layout_at(context.env, home=home, cache=_cache(context))
        require_format(layout)
        world = World(
            cwd=working_directory(context.env.get("PWD", "")),
            env=context.env,
            layout=layout,
            platform=context.platform(),
        )
        warn = context.output.warn
        # to who sits there: what a program reads of another one's stays as it was

        def become() -> int:
            return run_shim(name, rest, world, sys.executable, warn, is_typed=os.isatty(2))

        if context.configuration is None:
            return become()
        from bubble.cli.bringing import bringing

        here = context.replace(env={**context.env, "BUBBLE_HOME": home})
        status: int = bringing(become, "", world, here)
        return status  # noqa: TRY300 - what follows is about both ways
    except BubbleError as error:
        context.output.error(error)
        return status_of(error)
    except OSError as error:
        from bubble.system.trouble import from_os_error

        context.output.error(from_os_error(error, context.env))
        return 126


def _cache(context: Context) -> str:
    """Return this user's cache, "" where there is none: what it has only makes things faster."""
    try:
        return context.layout.cache
    except BubbleError:
        return ""


def status_of(error: BubbleError) -> int:
    """Return what a shell would exit with: 127, there is no such command; 126, it can't run."""
    return 127 if error.kind in _NOT_FOUND else 126
