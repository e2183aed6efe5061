"""Everything about one environment, read from its own files; nothing is run."""

from __future__ import annotations

import os

from bubble.envs.exchange.export import distributions
from bubble.envs.knowing.inspect import Status, look_at
from bubble.model.quoting import quoted
from bubble.model.record import Record
from bubble.system.pyvenv_cfg import read_configuration, version_of
from bubble.system.trees import sizes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


class Details(Record):
    """What `look_at` doesn't take the time for.

    `version` is that of the interpreter that it has now, as far as the store knows it: else what
    pyvenv.cfg says, which is `made_with`, and stays behind when an environment follows upgrades.
    `packages` is a number. `size` is in bytes on disk, `shared` the part of it in files that have
    other names elsewhere (hard links). `activate` is a line for sh, bash and zsh.
    """

    status: Status
    version: str
    made_with: str
    packages: int
    pip: str
    system_site_packages: bool
    size: int
    shared: int
    activate: str


def describe(environment: Environment, layout: Layout) -> Details:
    """Return everything about a registered environment; one that is gone has no content."""
    path = environment.path
    status = look_at(environment, layout)
    configuration = read_configuration(path)
    made_with = version_of(configuration)
    found = distributions(path)
    size, shared = sizes_of(path)
    return Details(
        status=status,
        version=_installed_version(status, layout) or made_with,
        made_with=made_with,
        packages=len(found),
        pip=next((d.version for d in found if d.canonical == "pip"), ""),
        system_site_packages=configuration.get("include-system-site-packages") == "true",
        size=size,
        shared=shared,
        activate=f". {quoted(f'{path}/bin/activate')}" if os.path.isdir(path) else "",
    )


def _installed_version(status: Status, layout: Layout) -> str:
    """Return the version of the installation that an environment works with, "" for no such."""
    works = status.state in {"ok", "outdated", "foreign"}
    if not works or os.path.dirname(status.environment.interpreter) not in layout.shelves:
        return ""
    return status.python.partition("-")[2].partition("+")[0]
