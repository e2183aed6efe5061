"""`bubble export`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.envs.exchange.export import Distribution
    from bubble.projects.exchange.exporting import Exported
    from bubble.projects.exchange.locked import LockFile
    from bubble.projects.manifest import Bubble, Project

EXAMPLES = (
    ("bubble export > requirements.txt", "what this directory's environment has"),
    ("bubble export train", "a named one's"),
    ("bubble create other -r requirements.txt", "and the same once more"),
    ("bubble export pylock.toml -o requirements.txt", "what a lock pins, with its hashes"),
    ("bubble export train --format environment.yml", "for conda"),
)
DETAILS = (
    "From an environment: requirements (the default), or environment.yml. From a lock file that\n"
    "is named: requirements with hashes and markers, environment.yml, pylock, all of them for one\n"
    "--platform alone where that is said. pylock and dockerfile take the project's lock when no\n"
    "file is named, BUBBLE's when that is: a name in the manifest. Credentials are left out."
)
_FORMATS = ("requirements", "pylock", "environment.yml", "dockerfile")


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "env", metavar="ENV", nargs="?", default="", help="a name, a path, a lock file or a bubble"
    )
    parser.add_argument(
        "--format", metavar="FORMAT", choices=_FORMATS, default="requirements",
        help="requirements, pylock, environment.yml or dockerfile",
    )  # fmt: skip
    parser.add_argument(
        "--platform", metavar="PLATFORM", default="", help="of a lock, what this one needs alone"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="", help="write it there, in one step"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Export an environment or a lock."""
    from bubble.model.errors import BubbleError

    named = os.path.basename(options.env).startswith("pylock.") and os.path.isfile(options.env)
    if named or options.format in {"pylock", "dockerfile"}:
        return _written(_of_lock(options, context, named=named), options)
    if options.platform:
        raise BubbleError(
            "usage",
            "an environment is of one platform, this one",
            hint="export a lock: bubble export pylock.toml --platform …",
        )
    if os.path.basename(options.env).startswith("pylock.") and options.env.endswith(".toml"):
        from bubble.model.text import printable

        raise BubbleError(
            "lock",
            f"there is no {printable(options.env, 500)}",
            hint="make it, in its project: bubble lock",
        )
    if options.env.endswith(".toml") and os.path.isfile(options.env):
        raise BubbleError(
            "usage",
            "a lock file is called pylock.toml or pylock.NAME.toml",
            hint="bubble export --help",
        )
    return _of_environment(options, context)


def _of_lock(options: Namespace, context: Context, *, named: bool) -> Exported:
    from bubble.projects.exchange import exporting, locked
    from bubble.projects.exchange.dockerfile import dockerfile

    project, bubble, lock = _lock(options, context, named=named)
    if options.platform:
        lock = locked.narrowed(lock, context.platform(options.platform))
    match options.format:
        case "requirements":
            return exporting.requirements(lock)
        case "pylock":
            return exporting.pylock(lock)
        case "environment.yml":
            name = os.path.basename(os.path.dirname(lock.path))
            return exporting.from_lock(lock, name, locked.version_of(lock))
        case _:
            return dockerfile(project, bubble, lock)


def _lock(options: Namespace, context: Context, *, named: bool) -> tuple[Project, Bubble, LockFile]:
    """Return the project, the bubble and the lock that are meant."""
    from bubble.model.errors import BubbleError
    from bubble.model.text import printable
    from bubble.projects.exchange.locked import read_lock_file
    from bubble.projects.locate import bubble_of, project_of
    from bubble.projects.manifest import DEFAULT, Bubble, Project
    from bubble.system.directory import working_directory

    cwd = working_directory(context.env.get("PWD", ""))
    if named:
        path = os.path.normpath(os.path.join(cwd, options.env))
        name = os.path.basename(path).split(".")[1:-1]
        root = os.path.realpath(os.path.dirname(path))
        bubble = Bubble(name=name[0] if name else DEFAULT)
        if options.format == "dockerfile":
            project = project_of(root)
            return project, bubble_of(project, bubble.name), read_lock_file(path)
        plain = Project(root=root, manifest="", platforms=(), bubbles=(bubble,))
        return plain, bubble, read_lock_file(path)
    project = project_of(cwd)
    bubble = bubble_of(project, options.env or DEFAULT)
    path = project.lock(bubble)
    if not os.path.isfile(path):
        raise BubbleError(
            "lock",
            f"there is no {printable(path, 500)}",
            hint=f"make it: bubble lock {options.env}".rstrip(),
        )
    return project, bubble, read_lock_file(path)


def _of_environment(options: Namespace, context: Context) -> Outcome:
    from bubble.cli.commands.info import find
    from bubble.envs.exchange.export import exported, warnings_of
    from bubble.projects.exchange.exporting import Exported, environment_yml
    from bubble.selection.answers import require_whole
    from bubble.selection.identity import is_itself
    from bubble.system.pyvenv_cfg import read_configuration, version_of

    environment = find(options.env, context, "export")
    if not is_itself(
        environment, context.layout
    ):  # what is gone has nothing, and that is no answer
        require_whole(environment, context.layout)
    found = exported(environment.path)
    warnings = warnings_of(found, environment.path)
    if options.format == "environment.yml":
        python = version_of(read_configuration(environment.path))
        name = environment.name or os.path.basename(os.path.dirname(environment.path))
        lines = [d.requirement for d in found]
        text = environment_yml(name, python, lines, environment.title, warnings)
        return _written(text, options)
    lines = [line for d in found for line in (d.comment, d.requirement) if line]
    text = Exported(text="".join(f"{line}\n" for line in lines), warnings=warnings)
    return _written(text, options, data=[_data(d) for d in found])


def _data(distribution: Distribution) -> dict[str, object]:
    return {
        "name": distribution.name,
        "version": distribution.version,
        "requirement": distribution.requirement,
        "editable": bool(distribution.project),
        "url": distribution.url or None,
    }


def _written(exported: Exported, options: Namespace, data: object = None) -> Outcome:
    """Return the text as the command's result, or write it to the file that is asked for."""
    shown = {"format": options.format, "text": exported.text, "output": options.output or None}
    lines = exported.text.removesuffix("\n").split("\n") if exported.text else []
    if options.output:
        from bubble.projects.exchange.writing import write_output

        write_output(os.path.abspath(options.output), exported.text)
        lines = []
    return Outcome(
        data=shown if data is None else data, lines=tuple(lines), warnings=exported.warnings
    )
