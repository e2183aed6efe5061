"""Which tool made an environment, as far as the marks that it left tell."""

from __future__ import annotations

import os

from bubble.selection.belonging import PLACE


def maker_of(path: str, configuration: dict[str, str]) -> str:
    """Return the tool that made an environment, by the marks that it left: never bubble itself.

    poetry, pdm and hatch call virtualenv, so the place tells them: `…/pypoetry/virtualenvs/…`,
    `…/pdm/venvs/…`, `…/hatch/env/virtual/…`. pdm writes `.pdm-python` into its project.
    """
    for part, tool in (
        ("/pypoetry/virtualenvs/", "poetry"),
        ("/pdm/venvs/", "pdm"),
        ("/hatch/env/virtual/", "hatch"),
    ):
        if part in path:
            return tool
    project = os.path.dirname(path)
    if os.path.exists(f"{project}/.pdm-python") and os.path.basename(path) == PLACE:
        return "pdm"
    for tool in ("uv", "virtualenv"):
        if tool in configuration:
            return tool
    return "venv"
