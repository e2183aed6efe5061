"""`bubble rename`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble rename train training", "the same environment under another name"),)
DETAILS = (
    "Version files are their directories' own and stay as they are. Those that still name the old\n"
    "one, as far as bubble was ever called there, are told, with the command that mends them."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="NAME", help="what it is called")
    parser.add_argument("name", metavar="NEW", help="what it shall be called")


def execute(options: Namespace, context: Context) -> Outcome:
    """Rename."""
    from bubble.cli.commands.info import find
    from bubble.envs.changing.rename import rename
    from bubble.envs.kernel import move_kernels
    from bubble.envs.knowing.editables import warnings_of
    from bubble.envs.knowing.locate import require_ours
    from bubble.envs.knowing.pins import mending, pins_of
    from bubble.model.text import printable
    from bubble.selection.registry import of_name

    world = context.world()
    # a project's own has no other name than its manifest gives it
    source = of_name(context.layout, options.source) or find(options.source, context)
    require_ours(source, context.layout)
    pins = pins_of(source.name, world)
    renamed = rename(
        source,
        options.name,
        context.layout,
        also=lambda old, new: move_kernels(old, new, context.env),
    )
    context.renew_shims()
    mended = [(pin.where, mending(pin, source.name, renamed.name, world)) for pin in pins]
    return Outcome(
        data={
            "name": renamed.name,
            "path": renamed.path,
            "was": source.name,
            "pins": [{"where": where, "mend": mend} for where, mend in mended],
        },
        lines=(f"renamed {source.name} to {renamed.name}",),
        warnings=(
            *(
                f"{printable(where, 500)} still says {source.name}: {mend}"
                for where, mend in mended
            ),
            *warnings_of(renamed),
        ),
    )
