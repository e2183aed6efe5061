"""`bubble config unset`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble config unset cache-dir", "back to the default"),)
JSON = "{path, key, removed}"


def define(parser: ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("key", metavar="KEY", help="a setting: bubble config list shows them")


def execute(options: Namespace, context: Context) -> Outcome:
    """Take it out; the rest of the file stays as it is."""
    from bubble.cli.configuration import read
    from bubble.cli.configuring import setting_of, write
    from bubble.model.text import printable

    setting = setting_of(options.key)
    before = read(context.env)
    removed = bool(write(before, setting, None))
    shown = printable(before.path, 500)
    note = f"took {setting.key} out of {shown}" if removed else f"{setting.key} isn't in {shown}"
    return Outcome(
        data={"path": before.path, "key": setting.key, "removed": removed}, notes=(note,)
    )
