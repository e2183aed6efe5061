"""`bubble config list`, and `bubble config` alone."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from bubble.cli.configuration import Configuration
    from bubble.cli.settings import Setting

EXAMPLES = (
    ("bubble config", "every setting, its value, and what says so"),
    ("bubble config list --json", "for a script"),
)
DETAILS = (
    "A setting comes from its environment variable, else from the user's configuration file,\n"
    "else it has its default. No file of a project is read for it."
)
JSON = (
    "{path, exists, settings, unknown}: the file; {key, value, default, variable, origin, line, "
    "meaning}, `origin` being `environment`, `file` or null; sentences on keys that are none"
)


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""
    del parser


def execute(options: Namespace, context: Context) -> Outcome:
    """Show them."""
    del options
    import os

    from bubble.cli.configuration import read
    from bubble.cli.output import table
    from bubble.cli.settings import SETTINGS
    from bubble.model.text import printable, without_userinfo

    found = read(context.env)
    rows = [row(setting, found, context) for setting in SETTINGS]
    exists = os.path.exists(found.path)
    origins = {"environment": "{variable}", "file": "{path}, line {line}", None: "default"}
    shown = [
        (
            str(r["key"]),
            printable(without_userinfo(r["text"] or r["default"].replace("`", "") or "none")),
            origins[r["origin"]].format(**r, path=printable(found.path, 500)),
        )
        for r in rows
    ]
    for r in rows:
        del r["text"]
        if isinstance(r["value"], str):
            r["value"] = without_userinfo(r["value"])
    return Outcome(
        data={
            "path": found.path,
            "exists": exists,
            "settings": rows,
            "unknown": list(found.unknown),
        },
        lines=table([("SETTING", "VALUE", "FROM"), *shown]),
        warnings=found.unknown,
        notes=()
        if exists
        else (f"there is no {printable(found.path, 500)} yet; bubble config set writes it",),
    )


def row(setting: Setting, found: Configuration, context: Context) -> dict[str, Any]:
    """Return a setting, its value and where that comes from, as JSON has it."""
    from bubble.cli.configuration import as_text
    from bubble.model.text import Configured

    said = context.env.get(setting.variable) or None if setting.variable else None
    value: object = said
    origin = None if said is None else "environment"
    if (said is None or type(said) is Configured) and setting.key in found.said:
        value, origin = found.said[setting.key], "file"
    return {
        "key": setting.key,
        "value": value,
        "default": setting.default,
        "variable": setting.variable or None,
        "origin": origin,
        "line": found.lines[setting.key] if origin == "file" else None,
        "meaning": setting.meaning,
        "text": "" if value is None else as_text(value),
    }
