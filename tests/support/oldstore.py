"""A store as the release before left it: made of a new one, by its own rules."""

from __future__ import annotations

import os
import shutil

from bubble.selection import registry
from bubble.system.layout import ADOPTED
from support.shimworld import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.system.layout import Layout


def make_old(layout: Layout, spelled: Mapping[str, str]) -> None:
    """Turn the store back: records as they were, memos compared by time, no number.

    `spelled` maps the real directory of a project to the path that it was registered by.
    """
    for environment in registry.environments(layout):
        project = spelled.get(environment.project, environment.project)
        made = environment.maker == "bubble"
        fields = {
            "path": f"{project}/.venv" if project else environment.path,
            "name": environment.name,
            "project": project,
            "interpreter": environment.interpreter,
            "request": environment.request,
            "pin": "",
            "maker": environment.maker,
            "identity": environment.identity if made else "",
            "made_at": environment.made_at,
        }
        registry.forget(layout, environment)
        if not made:
            os.unlink(f"{environment.path}/{ADOPTED}")
        name = f"n.{environment.name}" if environment.name else registry.project_file(project)
        lines = ["bubble environment 1", *(f"{n} {v}" for n, v in fields.items()), ""]
        write(f"{layout.registry}/{name}", "\n".join(lines))
        if project:
            write(f"{layout.home}/projects{project}/.bubble", f"{fields['path']}\n1\n-\n")
    write(f"{layout.home}/aliases/3.11", "/nowhere\n1\n-\n")
    write(f"{layout.home}/generation", "")
    if os.path.islink(layout.format):
        os.unlink(layout.format)
    for path in (layout.answers, layout.requests):
        shutil.rmtree(path, ignore_errors=True)
