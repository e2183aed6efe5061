"""`bubble mirror pack`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.text import shell_word, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble mirror pack /srv/python ~/.pyenv/versions/3.11.7", "an interpreter of this machine"),
    ("bubble mirror pack mirror /usr/bin/python3 --tag 20260101", "with a build tag of its own"),
)
DETAILS = (
    "Makes a relocatable archive, laid out as python-build-standalone's are, tries it, and adds\n"
    "it to the mirror. Libraries that its run paths lead to go in; the system's own (OpenSSL,\n"
    "SQLite, …) don't: whoever installs the archive needs them, and a C library that isn't older."
)
JSON = "{key, path, asset, sha256, size, catalogue, not_bundled}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directory", metavar="DIR", help="the mirror; made, or added to")
    parser.add_argument("prefix", metavar="PREFIX", help="an interpreter, or the prefix of one")
    parser.add_argument(
        "--tag", metavar="TAG", default="", help="the build's tag (default: today, YYYYMMDD)"
    )
    parser.add_argument(
        "--base-url",
        metavar="URL",
        default="",
        help="write absolute addresses below URL into the catalogue (default: relative ones)",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Pack it, and say what to do with it."""
    from bubble.cli.commands.mirror_create import base_url
    from bubble.envs.tools.fetch_pip import fetch_pip
    from bubble.pythons.pack import pack
    from bubble.system.writable import require_directory

    directory = os.path.abspath(options.directory)
    require_directory(directory, "name another directory: bubble mirror pack DIR PREFIX")
    prefix = os.path.abspath(os.path.expanduser(options.prefix))
    address = base_url(options.base_url)
    context.output.note(f"packing {prefix}")
    task = context.output.progress().task(f"packing {os.path.basename(prefix)}")
    packed = pack(
        directory,
        prefix,
        layout=context.layout,
        env=context.env,
        tag=options.tag,
        platform=context.platform(),
        base_url=address,
        progress=task.part,
        fetch_pip=lambda version: fetch_pip(version, context.world(), context.output.note),
    )
    task.finish("")
    notes = [f"packed {packed.key.name}, {size(packed.size)}"]
    if packed.not_bundled:
        notes.append(f"taken from the system, not packed: {', '.join(packed.not_bundled)}")
    catalogue = shell_word(f"{directory}/catalogue.json")
    install = f"BUBBLE_CATALOG={catalogue} bubble python install"
    notes.append(f"to install it: {install} {packed.key.request}")
    return Outcome(
        data={
            "key": str(packed.key),
            "path": packed.path,
            "asset": packed.asset,
            "sha256": packed.sha256,
            "size": packed.size,
            "catalogue": f"{directory}/catalogue.json",
            "not_bundled": list(packed.not_bundled),
        },
        lines=(packed.path,),
        notes=tuple(notes),
    )
