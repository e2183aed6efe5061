"""`bubble config set`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble config set cache-dir ~/scratch/bubble", "keep downloads on another disk"),
    ("bubble config set auto-install true", "install what a version file asks for, unasked"),
    ("bubble config set default-packages ipython ruff", "into every new environment"),
)
JSON = "{path, key, value}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("key", metavar="KEY", help="a setting: bubble config list shows them")
    parser.add_argument("values", metavar="VALUE", nargs="+", help="its value; of a list, several")


def execute(options: Namespace, context: Context) -> Outcome:
    """Write it; the rest of the file stays as it is."""
    from bubble.cli.configuration import read
    from bubble.cli.configuring import require_place, setting_of, value_of, write
    from bubble.model.text import Configured, printable

    setting = setting_of(options.key)
    before = read(context.env)
    require_place(before)
    value = value_of(setting, options.values)
    write(before, setting, value)
    overruling = context.env.get(setting.variable) if setting.variable else None
    warnings: tuple[str, ...] = ()
    if overruling and type(overruling) is not Configured:
        warnings = (f"{setting.variable} is set here, and wins",)
    elif setting.key == "home" and (old := _left_behind(str(value), context)):
        warnings = (f"what is in {printable(old, 500)} stays there, unseen: move it, or delete it",)
    return Outcome(
        data={"path": before.path, "key": setting.key, "value": value},
        notes=(f"wrote {setting.key} to {printable(before.path, 500)}",),
        warnings=warnings,
    )


def _left_behind(home: str, context: Context) -> str:
    """Return the store's present directory if there is something in it, and it isn't `home`."""
    from bubble.system.files import names_in

    if home.startswith("~/"):
        home = f"{context.env.get('HOME', '')}{home[1:]}"
    old = context.layout.home
    return old if home != old and names_in(old) else ""
