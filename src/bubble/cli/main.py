"""The program's entry: find the command, import it alone, run it, show what came of it."""

from __future__ import annotations

import os
import sys

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from sys import UnraisableHookArgs
    from typing import Any, NoReturn

    from bubble.cli.context import Command
    from bubble.cli.output import Output

INTERRUPTED = 130
NOT_YET = "error: bubble doesn't run on Windows yet"


def run() -> NoReturn:
    """Run the program as the console script does: with the process's own arguments."""
    import _signal  # type: ignore[import-not-found]  # the other half imports enum
    import gc

    if sys.platform == "win32":  # before anything is imported that isn't there
        sys.exit(NOT_YET)
    base = getattr(sys, "_base_executable", "")
    if base and sys.prefix == sys.base_prefix:
        # what PYTHONEXECUTABLE says instead must get into no shim; an environment's own
        # interpreter, which takes itself for another one, doesn't find bubble
        sys.executable = base
    # what is empty says nothing; the options of an isolated start make it not look
    if not sys.flags.ignore_environment and (
        os.environ.get("PYTHONPATH") or os.environ.get("PYTHONHOME")
    ):
        from bubble.pythons.probing.isolation import start_again

        start_again(sys.argv, os.environ)
    sys.unraisablehook = _again
    gc.disable()  # one command is over before a collection would pay
    # decompression and the network wait for a thread that computes: 5 ms each time, by default
    sys.setswitchinterval(0.0002)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from bubble.system import descriptors

        descriptors.fill()
    if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
        from bubble.system import children

        children.heed()
    try:
        status = main(sys.argv[1:], os.environ)
        if status != INTERRUPTED:
            _run_exit_handlers()
    except KeyboardInterrupt:  # a second one, while the first was being told
        status = INTERRUPTED
    # at once: an interpreter that is taken apart first costs a tenth of an everyday command, and
    # after an interrupt, threads may be in the middle of a download
    os._exit(status)


def _again(lost: UnraisableHookArgs) -> None:
    """Let an interrupt come again that fell into a finalizer, where Python would only report it."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    import _thread
    import signal
    import time

    def interrupt() -> None:
        time.sleep(0.01)  # until the finalizer is over
        os.kill(os.getpid(), signal.SIGINT)

    _thread.start_new_thread(interrupt, ())


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
        if [*argv[:1]] == ["--system"]:
            from bubble.cli.system import taken

            argv, env = taken(argv[1:], env, output)
        return _dispatch(list(argv), env, output)
    except BubbleError as error:
        return output.failure(error)
    except KeyboardInterrupt:
        return output.failure(BubbleError("interrupted", "interrupted"))
    except BrokenPipeError:
        return 1  # whoever read us went away: nothing to say, nobody to say it to
    except OSError as error:
        from bubble.system.trouble import from_os_error

        return output.failure(from_os_error(error, env))
    except Exception as error:
        # the last resort: no traceback for a user
        if env.get("BUBBLE_DEBUG", "") not in {"", "0"}:
            raise
        return output.failure(
            BubbleError(
                "internal",
                f"bubble itself failed: {type(error).__name__}: {error}",
                hint="run it again with BUBBLE_DEBUG=1 for the details, and report them",
            )
        )


def _dispatch(argv: list[str], env: Mapping[str, str], output: Output) -> int:
    from bubble.cli.table import ALIASES, COMMANDS, GROUPS

    if argv[:1] in (["--version"], ["-V"]):
        from bubble import __version__

        output.text([f"bubble {__version__}"])
        return 0
    if argv[:1] == ["shim-fallback"]:
        from bubble.cli.commands.shim_fallback import run as run_fallback
        from bubble.cli.context import Context

        return run_fallback(argv[1:], Context(**_settings("shim-fallback", (), env, output)))
    is_group = argv[:1] and argv[0] in GROUPS and (argv[0] not in ALIASES or not _is_bare(argv[1:]))
    words = " ".join(argv[:2]) if is_group else " ".join(argv[:1])
    if words in ALIASES:
        from bubble.cli.suggestions import are_pythons

        if are_pythons(argv[1:]):
            return _dispatch([*ALIASES[words], *argv[1:]], env, output)
    if words not in COMMANDS:
        from bubble.cli.help import no_command

        return no_command(argv, output)
    from bubble.cli.context import Context
    from bubble.cli.everyday import read

    module = _command(COMMANDS[words][0])
    arguments = argv[words.count(" ") + 1 :]
    context = Context(**_settings(words, arguments, env, output))
    if not os.geteuid():
        from bubble.cli.root import require_own_home

        require_own_home(words, arguments, context.layout, context.env)
    options = read(module, arguments)
    if options is None:
        from bubble.cli.arguments import parse

        options = parse(words, COMMANDS[words][1], module, arguments, output)
    return 0 if options is None else output.outcome(module.execute(options, context))


def _is_bare(arguments: Sequence[str]) -> bool:
    """Whether there are no words behind a group's own, and nobody asks for help."""
    return all(word.startswith("-") for word in arguments) and not {"--help", "-h"} & {*arguments}


def _settings(
    words: str, arguments: Sequence[str], env: Mapping[str, str], output: Output
) -> dict[str, Any]:
    """Return a context's parts: nothing more is imported where there is no configuration file."""
    from bubble.system.layout import configuration_file

    if not os.path.lexists(configuration_file(env)):
        return {"env": env, "output": output}
    from bubble.cli.configured import configured

    found = configured(words, arguments, env, output)
    output.env = found.under(env)
    return {"env": output.env, "output": output, "configuration": found}


def _command(name: str) -> Command:
    full = f"bubble.cli.commands.{name}"
    __import__(full)  # importlib's own function would import importlib, and warnings with it
    command: Command = sys.modules[full]
    return command
