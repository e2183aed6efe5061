"""`bubble unpack`."""

from __future__ import annotations

import os
import shlex

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble unpack train.tar.gz /srv/train", "then: /srv/train/bin/python"),)
DETAILS = (
    "A pack is held to the rules that downloads are held to: no path and no link out of it, no\n"
    "device, no surprise in size. It appears whole or not at all, and nothing in it is run. Said\n"
    "again, or by many at once, it is unpacked once. One without Python (--no-python) gets this\n"
    "store's, of its minor. Without bubble: mkdir DIR; tar xf FILE -C DIR."
)
JSON = "{directory, executable, python, packages, status}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="what bubble pack has made")
    parser.add_argument("directory", metavar="DIR", help="a directory that isn't there yet")


def execute(options: Namespace, context: Context) -> Outcome:
    """Unpack it."""
    from bubble.envs.packing.reading import unpack
    from bubble.model.key import parse_key
    from bubble.model.text import printable
    from bubble.system.sweep import sweep

    path, directory = (os.path.abspath(x) for x in (options.file, options.directory))
    sweep(context.layout)
    task = context.output.progress().task(f"unpacking {os.path.basename(path)}")
    done = unpack(path, directory, context.world(), task.part)
    task.finish("")
    packages = done.said.get("packages")
    python = str(done.said.get("python", ""))
    warnings = []
    try:
        platform = parse_key(python).platform
    except BubbleError:
        platform = None
    if platform is not None and platform != context.platform():
        warnings.append(f"it was made for {platform}, and this machine is {context.platform()}")
    return Outcome(
        data={
            "directory": directory,
            "executable": f"{directory}/bin/python",
            "python": python,
            "packages": packages,
            "status": "unpacked" if done.fresh else "present",
        },
        lines=(directory,),
        notes=() if done.fresh else ("it was unpacked there before",),
        warnings=tuple(printable(line, 500) for line in warnings),
        next_steps=(f"its Python: {shlex.quote(f'{directory}/bin/python')}",),
    )
