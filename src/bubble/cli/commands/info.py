"""`bubble info`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.selection.registry import Environment

EXAMPLES = (
    ("bubble info", "this directory's environment"),
    ("bubble info train", "a named one"),
    ("bubble info ~/code/site", "that of a project"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("env", metavar="ENV", nargs="?", default="", help="a name or a path")


def execute(options: Namespace, context: Context) -> Outcome:
    """Tell everything about one environment."""
    from bubble.cli.commands.list_ import data_of, state_of
    from bubble.cli.output import table
    from bubble.envs.knowing.describe import describe
    from bubble.envs.knowing.placing import bubble_at
    from bubble.envs.knowing.scripts import scripts_of
    from bubble.model.text import few, size

    scripts = scripts_of(context.layout)
    details = describe(find(options.env, context, "info"), context.layout)
    status, environment = details.status, details.status.environment
    state = state_of(status)
    place = bubble_at(environment.path)
    system = context.layout.is_beneath(environment.path)
    rows = {
        "name": environment.name,
        "project": environment.project or (place[0] if place else ""),
        "bubble": (place[1] + ", before its last sync" * place[2]) if place else "",
        "scripts": few(scripts.get(environment.path, ())),
        "path": environment.path,
        "store": "the system's" if system else "",
        "state": f"{state} ({status.advice})" if status.mend and not system else state,
        "python": f"{details.version or '?'} ({status.python or 'unknown'})",
        "made with": details.made_with if details.made_with != details.version else "",
        "interpreter": environment.interpreter,
        "executable": f"{environment.path}/bin/python",
        "made for": environment.request,
        "made by": environment.maker,
        "made at": _day(environment.made_at),
        "last used": _day(status.used_at),
        "packages": str(details.packages),
        "pip": details.pip or "none",
        "system packages": "visible" if details.system_site_packages else "",
        "size": size(details.size),
        "shared": f"{size(details.shared)} of it, with those that have the same"
        if details.shared
        else "",
        "activate": details.activate,
    }
    return Outcome(
        data={
            **data_of(status, scripts, system=system),
            "version": details.version or None,
            "made_with": details.made_with or None,
            "executable": f"{environment.path}/bin/python",
            "packages": details.packages,
            "pip": details.pip or None,
            "system_site_packages": details.system_site_packages,
            "size": details.size,
            "shared": details.shared,
            "activate": details.activate,
        },
        lines=table([(f"{name}:", value) for name, value in rows.items() if value]),
    )


def find(text: str, context: Context, command: str = "") -> Environment:
    """Return the environment that a command's ENV argument means; `command` is for hints."""
    from bubble.projects.running import environment_for

    return environment_for(text, context.world(), command)


def _day(at: object) -> str:
    import time

    return time.strftime("%Y-%m-%d", time.localtime(int(str(at)))) if int(str(at)) else ""
