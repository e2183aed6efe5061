"""The program's entry: find the command, import it alone, run it, show what came of it."""

from __future__ import annotations

import os
import sys

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import NoReturn

    from bubble.cli.output import Output

INTERRUPTED = 130


def run() -> NoReturn:
    """Run the program as the console script does: with the process's own arguments."""
    import gc

    gc.disable()  # one command is over before a collection would pay
    # decompression and the network wait for a thread that computes: 5 ms each time, by default
    sys.setswitchinterval(0.0002)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from bubble.system import descriptors

        descriptors.fill()
    try:
        status = main(sys.argv[1:], os.environ)
        if status != INTERRUPTED:
            _run_exit_handlers()
    except KeyboardInterrupt:  # a second one, while the first was being told
        status = INTERRUPTED
    # at once: an interpreter that is taken apart first costs a tenth of an everyday command, and
    # after an interrupt, threads may be in the middle of a download
    os._exit(status)


def _run_exit_handlers() -> None:
    """Do what ending in the ordinary way does for others: coverage saves its data there."""
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way short of the whole end
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # None once it can't be written
                stream.flush()  # what we write is flushed at once; this is for anybody else
        except (OSError, ValueError):
            pass


def main(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run one command line (without the program's name) and return the exit status."""
    from bubble.cli.output import Output

    output = Output(env, json="--json" in argv)
    try:
        return _dispatch(list(argv), env, output)
    except BubbleError as error:
        return output.failure(error)
    except KeyboardInterrupt:
        return output.failure(BubbleError("interrupted", "interrupted"))
    except BrokenPipeError:
        return 1  # whoever read us went away: nothing to say, nobody to say it to
    except OSError as error:
        return output.failure(from_os_error(error))
    except Exception as error:
        # the last resort: no traceback for a user
        if env.get("BUBBLE_DEBUG"):
            raise
        return output.failure(
            BubbleError(
                "internal",
                f"bubble itself failed: {type(error).__name__}: {error}",
                hint="run it again with BUBBLE_DEBUG=1 for the details, and report them",
            )
        )


def _dispatch(  # noqa: PLR0911 - one return a way to be called
    argv: list[str], env: Mapping[str, str], output: Output
) -> int:
    from bubble.cli.table import COMMANDS, GROUPS

    if argv[:1] in (["--version"], ["-V"]):
        from bubble import __version__

        output.text([f"bubble {__version__}"])
        return 0
    if argv[:1] == ["shim-fallback"]:
        from bubble.cli.commands.shim_fallback import run as run_fallback
        from bubble.cli.context import Context

        return run_fallback(argv[1:], Context(env=env, output=output))
    words = " ".join(argv[:2]) if argv[:1] and argv[0] in GROUPS else " ".join(argv[:1])
    if words not in COMMANDS:
        from bubble.cli.help import no_command

        return no_command(argv, output)
    from bubble.cli.context import Context

    module = _command(COMMANDS[words][0])
    arguments = argv[words.count(" ") + 1 :]
    context = Context(env=env, output=output)
    if not os.geteuid():
        from bubble.cli.root import require_own_home

        require_own_home(words, arguments, context.layout, env)
    shortcut = getattr(module, "shortcut", None)
    if not arguments and hasattr(module, "bare"):  # an everyday call pays for no parser
        return output.outcome(module.bare(context))
    if shortcut and not output.json and len(arguments) == 1 and not arguments[0].startswith("-"):
        return output.outcome(shortcut(arguments[0], context))
    everyday = getattr(module, "everyday", None)
    if everyday and not arguments:
        return output.outcome(everyday(context))
    plain = getattr(module, "plain", None)
    if plain and (usual := plain(arguments)) is not None:
        return output.outcome(module.execute(usual, context))
    from bubble.cli.arguments import parse

    options = parse(words, COMMANDS[words][1], module, arguments, output)
    return 0 if options is None else output.outcome(module.execute(options, context))


def _command(name: str) -> ModuleType:
    full = f"bubble.cli.commands.{name}"
    __import__(full)  # importlib's own function would import importlib, and warnings with it
    return sys.modules[full]


def from_os_error(error: OSError) -> BubbleError:
    """Return what an error of the operating system means to a user."""
    import errno

    from bubble.model.text import printable

    named = isinstance(error.filename, (str, bytes))  # it may be a descriptor
    where = f"{printable(os.fsdecode(error.filename))}: " if named else ""
    message = f"{where}{(error.strerror or str(error)).lower()}"
    kind, hint = "io", "check the disk, then try again"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            kind, message = "no_space", f"the disk is full ({message})"
            hint = "free some space, or set BUBBLE_HOME and BUBBLE_CACHE_DIR to another disk"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            kind = "permission"
            hint = "check who may write there; bubble's own files can lie elsewhere: BUBBLE_HOME"
        case errno.EMFILE | errno.ENFILE:
            hint = "raise the limit of open files: ulimit -n 1024"
        case errno.ENOENT:
            hint = "it went away, or can't be made there: check BUBBLE_HOME and BUBBLE_CACHE_DIR"
        case errno.ENAMETOOLONG:
            hint = "set BUBBLE_HOME to a shorter path"
        case errno.ENOTDIR | errno.EEXIST | errno.ELOOP:
            kind, hint = "store", "something else lies where bubble keeps its files: move it"
    return BubbleError(kind, message, hint=hint)
