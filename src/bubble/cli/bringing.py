"""Bringing the Python that a command is to work with, where it isn't installed.

The user's word installs it: `--install`, a yes on a terminal, or `auto-install` in the user's own
configuration file. A directory's file never does.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bubble.cli.context import Context
    from bubble.model.request import Request
    from bubble.selection.resolve import World


def is_automatic(context: Context) -> bool:
    """Whether the user's own configuration file lets a missing Python be installed unasked."""
    return context.configuration is not None and context.configuration.flag("auto-install")


def bringing(do: Callable[[], Any], request: str, world: World, context: Context) -> Any:
    """Do what needs a Python; install it first where it is missing, and that is automatic.

    `request` is what was asked for on the command line, "" for what the directory says. Where it
    can't be installed, that is a warning, and what `do` raised stands.
    """
    try:
        return do()
    except BubbleError as error:
        if error.kind != "not_installed" or not is_automatic(context):
            raise
        from bubble.model.request import parse_request
        from bubble.selection.resolve import requested
        from bubble.system.foreign import foreign_owner

        source, asked = (None, (parse_request(request),)) if request else requested(world)
        wanted = next((one for one in asked if one.is_python), None)
        if wanted is None or foreign_owner(world.layout.home, world.env):
            raise
        who = f"{source} asks" if source else "you ask"
        context.output.note(f"{who} for Python {wanted}: installing it")
        try:
            bring(wanted, context)
        except BubbleError as failure:
            context.output.warn(f"it could not be installed: {failure.message}")
            raise error from None
    return do()


def may_bring(request: Request, context: Context, *, asked_for: bool) -> bool:
    """Whether the user wants a missing Python installed; on a terminal, ask."""
    if asked_for or is_automatic(context):
        return True
    output = context.output
    return output.may_ask and output.ask(f"Python {request} is not installed. Install it now?")


def bring(request: Request, context: Context) -> None:
    """Install the newest Python that satisfies a request. Raises BubbleError."""
    from bubble.pythons.installing.batch import install_requests

    batch = install_requests([request], context.machine(), context.output.progress())
    context.output.end_progress()
    context.renew_shims([i.installation.prefix for i in batch.installed])
    if batch.errors:
        raise batch.errors[0]
