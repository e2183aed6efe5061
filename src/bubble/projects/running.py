"""Which environment a NAME means to a command: the project's bubble before one of the machine."""

from __future__ import annotations

from bubble.envs.knowing.bubbles import is_root, of_project
from bubble.envs.knowing.locate import is_path, locate
from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.model.text import printable
from bubble.selection.registry import called
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.manifest import Project
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World


def environment_for(text: str, world: World, command: str = "") -> Environment:
    """Return the registered environment that an ENV argument means, as `located` does.

    A bubble of the project that isn't made yet is an error, even where an environment of that name
    is there for the whole machine. `command` is bubble's, for the hint. Raises
    BubbleError(environment, request, version_file).
    """
    if not text:
        from bubble.envs.knowing.here import located

        return located(text, world)
    require_made(text, world, command)
    return locate(text, world.cwd, world.layout)


def require_made(text: str, world: World, command: str = "") -> None:
    """Raise BubbleError(environment) where `text` names a bubble that is declared and not made.

    What has that name for the whole machine is never meant in its place; the hint has `command`
    with that one's path.
    """
    layout = world.layout
    if not text or is_path(text) or of_project(text, world.cwd, layout) is not None:
        return
    project = _declaring(text, world)
    if project is None:
        return
    name = printable(text, 80)
    hint = f"bubble sync {name}"
    more = ""
    if command == "run":
        hint, more = f"{hint}, or at once: bubble run --sync {name} …", " …"
    if (whole := called(layout, text)) and command:
        hint += f"; the one for the whole machine: bubble {command} {quoted(whole.path)}{more}"
    raise BubbleError(
        "environment",
        f"{name} is a bubble of {printable(project.root, 500)}, and isn't made yet",
        hint=hint,
    )


def request_for(text: str, world: World, command: str) -> str:
    """Return a request for a Python, the path of its environment for a name of a project's bubble.

    Raises BubbleError(environment) for one that isn't made yet.
    """
    require_made(text, world, command)
    found = of_project(text, world.cwd, world.layout)
    return found.path if found is not None else text


def _declaring(text: str, world: World) -> Project | None:
    """Return the project whose manifest has a bubble of that name; one that is broken has none."""
    if not any(is_root(directory) for directory in upwards(world.cwd)):
        return None
    from bubble.projects.locate import project_of
    from bubble.projects.reading import canonical_name

    try:
        project = project_of(world.cwd, world.env.get("HOME", ""))
    except BubbleError:
        return None
    names = {bubble.name for bubble in project.bubbles}
    return project if project.manifest and canonical_name(text) in names else None
