"""What `lock` and `create` do for a script, `--script FILE`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from bubble.projects.lock import Locked
    from bubble.projects.scripts.source import Script

# of `create`: what a script's environment can't be told otherwise than by the script
_ITS_OWN = ("python", "requirements", "extra", "packages", "system_site_packages", "no_pip", "here")


def lock(options: Namespace, context: Context, upgrade: Sequence[str] | None) -> tuple[Locked, str]:
    """Lock a script, `bubble lock --script FILE`; return what came of it, and that command."""
    from bubble.projects.scripts.locking import command, lock_script
    from bubble.projects.scripts.metadata import read_metadata

    if options.bubbles or options.all:
        raise BubbleError(
            "usage",
            "a script is locked by itself, not with a project's bubbles",
            hint="bubble lock --script FILE",
        )
    script = _script(options.script, context)
    done, _ = lock_script(
        script,
        read_metadata(script),
        context.world(),
        upgrade=upgrade,
        upgrade_python=options.python,
        dry_run=options.dry_run or options.check,
    )
    return done, command(script)


def create(options: Namespace, context: Context) -> Outcome:
    """Make the environment of a script, for an editor: `bubble create --script FILE [NAME]`."""
    from bubble.cli.locked import told
    from bubble.projects.scripts.prepare import named, prepare

    given = [name for name in _ITS_OWN if getattr(options, name)]
    if given:
        raise BubbleError(
            "usage",
            "what a script's environment has is said by the script, and by nothing beside it",
            hint="write it into the script, or leave out --script",
        )
    script = _script(options.script, context)
    world, show = context.world(), not context.output.json
    progress = context.output.progress()
    if options.name:
        done = named(
            script, options.name, world, progress, force=options.force, prompt=options.prompt,
            show=show,
        )  # fmt: skip
        context.renew_shims([done.environment.path])
    else:
        done = prepare(script, world, progress, anew=options.force, show=show)
    path = done.environment.path
    return Outcome(
        data={
            "name": done.environment.name or None,
            "path": path,
            "script": script.path,
            "status": done.status,
            "executable": f"{path}/bin/python",
        },
        lines=(path,),
        notes=tuple(told(done.locked)) if done.locked else (),
    )


def _script(word: str, context: Context) -> Script:
    from bubble.projects.scripts.source import STDIN, no_metadata, read_script
    from bubble.system.directory import working_directory

    if word == STDIN:
        raise BubbleError("usage", "which script? it has to be a file", hint="name the file")
    script, _ = read_script(word, working_directory(context.env.get("PWD", "")))
    if script is None:
        raise no_metadata(word)
    return script
