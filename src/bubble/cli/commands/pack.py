"""`bubble pack`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.envs.packing.collect import Pack
    from bubble.envs.packing.reading import Difference
    from bubble.pythons.pack.tar import Written
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble pack", "this directory's environment, with its Python: NAME.tar.gz"),
    ("bubble pack train -o train.tar.gz", "the project's bubble, or environment, train"),
    ("bubble pack train --for spark", "in a form that Spark takes"),
    ("bubble pack train --format dir -o /srv/train", "unpacked at once"),
    ("bubble pack train --no-python", "the packages alone, for machines that have this Python"),
    ("bubble pack train --check train.tar.gz", "whether a pack is what would be packed now"),
)
DETAILS = (
    "Unpacked anywhere, by anybody, at any depth, `bin/python` of it runs, and its commands do,\n"
    "on machines of this platform. The interpreter and each package are verified before. The same\n"
    "environment gives the same bytes, whose sha256 is printed. To unpack it: bubble unpack, or\n"
    "tar into a new directory."
)
JSON = "{file, sha256, size, files, python, packages, naming, outside, saved, differences}"
_FOR = {"spark": ("tar.gz",), "dask": ("tar.gz", "tar.zst", "dir"), "ray": ("tar.gz", "dir")}
_SHOWN = 10


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "env", metavar="ENV", nargs="?", default="", help="a name, a path or a bubble"
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="", help="where to write it")
    parser.add_argument(
        "--format", metavar="FORMAT", choices=("tar.gz", "tar.zst", "zip", "dir"), default="",
        help="tar.gz (the default), tar.zst, zip, or dir",
    )  # fmt: skip
    parser.add_argument(
        "--for", metavar="ENGINE", dest="engine", choices=tuple(_FOR), default="",
        help="refuse what spark, dask or ray can't take",
    )  # fmt: skip
    parser.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[],
        help="leave out files by their names in the pack (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--strip-tests", action="store_true", help="leave out the tests of packages"
    )
    parser.add_argument(
        "--as-is", action="store_true", help="also with what leads out of the environment"
    )
    parser.add_argument(
        "--no-python",
        action="store_true",
        help="the packages alone: bubble unpack adds the Python that is installed there",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument(
        "--check",
        metavar="FILE",
        default="",
        help="write nothing: is that pack what this would be?",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Verify, collect, and write; or compare."""
    from bubble.cli.commands.info import find
    from bubble.envs.packing import archive
    from bubble.envs.packing.checks import interpreter_of, require_whole
    from bubble.envs.packing.collect import Wish, collect

    if options.engine and options.no_python:
        raise BubbleError(
            "usage",
            f"workers of {options.engine} start the pack's own Python",
            hint="leave --no-python out",
        )
    environment = find(options.env, context, "pack")
    path = os.path.abspath(options.check or options.output or f"{_stem(environment)}.tar.gz")
    form = "" if options.check else _form(options, path)
    if not options.check:
        _require_place(path, force=options.force)
    world = context.world()
    task = context.output.progress().task(f"packing {os.path.basename(path)}")
    task.step("verifying")
    installation = interpreter_of(environment, world)
    require_whole(environment)
    amiss = _amiss(environment, world)
    wish = Wish(
        exclude=tuple(options.exclude),
        strip_tests=options.strip_tests,
        as_is=options.as_is,
        python=not options.no_python,
    )
    pack = collect(environment.path, installation, wish)
    if options.check:
        from bubble.envs.packing.reading import differences

        found = differences(path, pack.members, world.layout, task.part)
        task.finish("")
        return _compared(path, environment, found, amiss)
    mtime = archive.time_of(context.env.get("SOURCE_DATE_EPOCH", ""))
    task.step("writing")
    if form == "dir":
        from bubble.system.staging import Staging

        with Staging(world.layout, path) as staging:
            written = archive.lay_out(staging.path, pack.members, mtime)
            staging.publish()
    else:
        new = not options.force
        written = archive.write(path, pack.members, form, mtime, task.part, new=new)
    task.finish("")
    done = _outcome(path, str(installation.key), pack, written, options)
    if amiss is None:
        return done
    return done.replace(warnings=(f"{amiss.message}: {amiss.hint}", *done.warnings))


def _amiss(environment: Environment, world: World) -> BubbleError | None:
    """Return what is wrong with what a sync made, where that isn't what its lock says."""
    from bubble.envs.knowing.placing import bubble_at
    from bubble.projects.locate import bubble_of, project_of
    from bubble.projects.manifest import DEFAULT
    from bubble.projects.status import IN_SYNC, status_of

    root, name, before = bubble_at(environment.path) or (environment.project, DEFAULT, False)
    if not root or before:
        return None
    try:
        project = project_of(root, world.env.get("HOME", ""))
        found = status_of(project, bubble_of(project, name), world)
    except BubbleError:
        return None  # it isn't a bubble's
    if found.known is None or found.state == IN_SYNC or found.path != environment.path:
        return None
    said = f"{environment.title} isn't what its lock says ({found.state})"
    return BubbleError("environment", said, hint=found.mend)


def _stem(environment: Environment) -> str:
    name = environment.name
    if not name:
        base = os.path.basename(environment.path)
        name = os.path.basename(environment.project) if base == ".venv" else base
    return name or "environment"


def _form(options: Namespace, path: str) -> str:
    from bubble.envs.packing.archive import format_of

    wanted = options.format
    if not options.output:
        wanted = wanted or "tar.gz"
        if wanted != "tar.gz":
            raise BubbleError(
                "usage", f"{wanted} needs a name", hint=f"bubble pack --format {wanted} -o NAME"
            )
    form = wanted if wanted == "dir" else format_of(path, wanted)
    if options.engine and form not in _FOR[options.engine]:
        why = "loses the files' modes" if form == "zip" else "isn't unpacked by it"
        raise BubbleError(
            "usage",
            f"{options.engine} can't take {form}: that {why}",
            hint=f"one of {', '.join(_FOR[options.engine])}",
        )
    return form


def _require_place(path: str, *, force: bool) -> None:
    from bubble.model.text import printable
    from bubble.system.writable import require_file

    if os.path.lexists(path) and (not force or os.path.isdir(path)):
        raise BubbleError(
            "usage",
            f"{printable(path, 500)} is there already",
            hint="name another: -o FILE" if os.path.isdir(path) else "replace it: --force",
        )
    require_file(path, "name another: -o FILE")


def _outcome(path: str, key: str, pack: Pack, written: Written, options: Namespace) -> Outcome:
    from bubble.model.text import few, printable, size

    count = f"{len(pack.packages)} package" + "s" * (len(pack.packages) != 1)
    on = "for" if options.no_python else "on"
    notes = [
        f"{count} {on} {key.rpartition('-linux')[0] or key}: "
        f"{len(pack.members)} files, {size(written.size)}"
        + (f", sha256 {written.sha256}" if written.sha256 else "")
    ]
    if options.exclude or options.strip_tests:
        notes.append(f"left out as you asked: {size(pack.left_out)} before compression")
    warnings = []
    if pack.naming:
        warnings.append(
            "these name the place where they lay, and may miss it elsewhere: "
            f"{few(pack.naming, _SHOWN)}"
        )
    if pack.outside:
        warnings.append(f"packed as it is, though it leads outside: {few(pack.outside, _SHOWN)}")
    return Outcome(
        data={
            "file": path,
            "sha256": written.sha256 or None,
            "size": written.size,
            "files": len(pack.members),
            "python": key,
            "packages": pack.packages,
            "naming": list(pack.naming),
            "outside": list(pack.outside),
            "saved": pack.left_out,
        },
        lines=(path,),
        notes=tuple(notes),
        warnings=tuple(printable(line, 3000) for line in warnings),
    )


def _compared(
    path: str, environment: Environment, found: list[Difference], amiss: BubbleError | None
) -> Outcome:
    from bubble.model.text import few, printable

    data = {
        "file": path,
        "differences": [{"name": one.name, "what": one.what} for one in found],
    }
    if not found and amiss is not None:
        return Outcome(data=data, errors=(amiss,))
    if not found:
        return Outcome(data=data, lines=(f"{path} is what {environment.title} is",))
    said = few((f"{one.what} {one.name}" for one in found), _SHOWN)
    error = BubbleError(
        "verify",
        f"{printable(path, 500)} isn't what {printable(environment.title, 300)} is: {said}",
        hint="pack it again: bubble pack --force",
    )
    return Outcome(data=data, errors=(error,))
