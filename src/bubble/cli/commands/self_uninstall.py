"""`bubble self uninstall`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble self uninstall --dry-run", "what would go, with sizes"),
    ("bubble self uninstall --all", "the store and the cache, too"),
)
DETAILS = (
    "Takes out the blocks in the shells' start-up files, the kernels, the shims and the program;\n"
    "with --all also every Python and environment of the store, and what `config set` wrote.\n"
    "Environments in projects stay where they are, and need another interpreter then. While a\n"
    "process runs a Python of the store, --all wants --force. It asks on a terminal; elsewhere:\n"
    "--yes."
)
JSON = "{dry_run, removed: [{what, path, size}], used_by}; `size` is in bytes"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import add_yes

    parser.add_argument("--all", action="store_true", help="the store and the cache, too")
    parser.add_argument("--dry-run", action="store_true", help="show what would go")
    parser.add_argument(
        "-f", "--force", action="store_true", help="even if a process runs a Python of the store"
    )
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Show what goes, ask, and take it away."""
    from bubble.envs.discarding.remove import release_adopted
    from bubble.model.errors import BubbleError
    from bubble.model.text import few, size
    from bubble.program.origin import INSTALLER, origin
    from bubble.program.uninstall import made_directories, pieces, remove

    found = origin(context.env)
    configuration, ours = _configuration(context)
    going = pieces(
        found, context.layout, everything=options.all, configuration=configuration if ours else ""
    )
    made = made_directories(found, context.layout)
    if options.all and ours:
        made += (os.path.dirname(configuration),)
    users = _processes(context) if options.all else []
    shown = [f"{size(p.size).rjust(10)}  {p.path}  {p.what}" for p in going]
    shown += [f"in use by {who}" for who in users]
    data = {
        "dry_run": options.dry_run,
        "removed": [p.as_dict() for p in going],
        "used_by": users,
    }
    if options.dry_run:
        return Outcome(data=data, lines=tuple(shown))
    if users and not options.force:
        raise BubbleError(
            "in_use",
            f"a Python of the store is run by {few(users)}",
            hint="end them, or say that they may break: --force",
        )
    if not options.yes and not context.output.may_ask:
        raise BubbleError(
            "usage",
            f"this takes away {len(going)} things, {size(sum(p.size for p in going))}",
            hint="look first: bubble self uninstall --dry-run; then say it: --yes",
        )
    if not options.yes:
        for line in shown:
            context.output.note(line)
    context.require_agreement("all of this goes", given=options.yes)
    notes = _detach(context)
    if options.all:
        release_adopted(context.layout)
        if configuration and not ours:
            notes.append(f"your configuration stays: {configuration}")
    remove(going, found, made)
    last = () if found.kind == INSTALLER else (f"the program itself: {found.remove}",)
    return Outcome(data=data, lines=tuple(shown), notes=tuple(notes), next_steps=last)


def _processes(context: Context) -> list[str]:
    """Return which processes but this one run a Python of the store."""
    from bubble.envs.knowing.users import running

    found = running(context.layout)
    return list(dict.fromkeys(use.who for use in found if use.kind == "process"))


def _configuration(context: Context) -> tuple[str, bool]:
    """Return the path of the user's configuration, "" for none, and whether bubble wrote it."""
    from bubble.cli.configuring import MADE
    from bubble.system.files import read_text
    from bubble.system.layout import configuration_file

    path = configuration_file(context.env)
    text = read_text(path, 1 << 16) if path else None
    if text is None:
        return "", False
    return path, text.startswith(MADE) and not os.path.islink(path)


def _detach(context: Context) -> list[str]:
    """Take out what others read: the blocks of start-up files, and kernels."""
    from bubble.cli.shell_files import uninstall
    from bubble.envs.kernel import kernels, remove_kernel
    from bubble.selection.shell import SHELLS

    notes = []
    for shell in SHELLS:
        changes = uninstall(shell, context)
        notes += [f"{what} {path}" for what, path in changes if what != "unchanged"]
    for kernel in kernels(context.layout, context.env):
        if kernel.is_ours:
            remove_kernel(kernel, context.layout)
            notes.append(f"removed the kernel {kernel.name}")
    return notes
