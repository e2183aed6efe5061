"""Which environment `bubble run NAME` means: the project's bubble before one of the machine."""

from __future__ import annotations

from bubble.envs.knowing.bubbles import is_root, of_project
from bubble.envs.knowing.locate import is_path, locate
from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.model.text import printable
from bubble.selection.registry import of_name
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.manifest import Project
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World


def environment_for(text: str, world: World) -> Environment:
    """Return the registered environment that `text` means, as `locate` does.

    A bubble of the project that isn't made yet is an error, even where an environment of that name
    is there for the whole machine: BubbleError(environment) says how to have either.
    """
    layout = world.layout
    if is_path(text) or of_project(text, world.cwd, layout) is not None:
        return locate(text, world.cwd, layout)
    project = _declaring(text, world)
    if project is None:
        return locate(text, world.cwd, layout)
    named = of_name(layout, text)
    other = f"; the one for the whole machine: bubble run {quoted(named.path)} …" if named else ""
    name = printable(text, 80)
    raise BubbleError(
        "environment",
        f"{name} is a bubble of {printable(project.root, 500)}, and isn't made yet",
        hint=f"bubble sync {name}, or at once: bubble run --sync {name} …{other}",
    )


def _declaring(text: str, world: World) -> Project | None:
    """Return the project whose manifest has a bubble of that name; one that is broken has none."""
    if not any(is_root(directory) for directory in upwards(world.cwd)):
        return None
    from bubble.projects.locate import project_of
    from bubble.projects.reading import normalized

    try:
        project = project_of(world.cwd, world.env.get("HOME", ""))
    except BubbleError:
        return None
    names = {bubble.name for bubble in project.bubbles}
    return project if project.manifest and normalized(text) in names else None
