"""By which way bubble came: its own installer, pip, pipx, uv, or a checkout."""

from __future__ import annotations

import os
import sys

import bubble
from bubble.model.record import Record
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "bubble-python"  # the distribution
INSTALLER, PIP, PIPX, UV, CHECKOUT = "install.sh", "pip", "pipx", "uv tool", "a checkout"
_MARK = "# bubble, by install.sh"


class Origin(Record):
    """How bubble came. `command` is what brings a newer one, "" where bubble does it itself.

    `root` is the absolute directory that it lies in. Of what install.sh made, `launcher` is the
    command's absolute path, `prefix` the directory with its versions, `version` and `previous`
    the names of the current and the former one below `versions`.
    """

    kind: str
    root: str
    command: str = ""
    remove: str = ""
    launcher: str = ""
    prefix: str = ""
    version: str = ""
    previous: str = ""

    @property
    def upgrade(self) -> str:
        """The command that brings a newer bubble, whichever way this one came."""
        return self.command or "bubble self update"


def origin(env: Mapping[str, str]) -> Origin:
    """Return how the running bubble came onto this machine."""
    root = sys.prefix
    found = _by_installer(root, env)
    if found is not None:
        return found
    if os.path.exists(f"{root}/pipx_metadata.json"):
        return _of(PIPX, root, f"pipx upgrade {NAME}", f"pipx uninstall {NAME}")
    if os.path.exists(f"{root}/uv-receipt.toml"):
        return _of(UV, root, f"uv tool upgrade {NAME}", f"uv tool uninstall {NAME}")
    package = os.path.dirname(os.path.abspath(bubble.__file__))
    source = os.path.dirname(os.path.dirname(package))
    if os.path.exists(f"{source}/scripts/install.sh"):
        return _of(CHECKOUT, source, f"git -C {_word(source)} pull", f"rm -r {_word(source)}")
    python = _word(sys.executable)
    return _of(
        PIP,
        root,
        f"{python} -m pip install --upgrade {NAME}",
        f"{python} -m pip uninstall {NAME}",
    )


def _of(kind: str, root: str, command: str, remove: str) -> Origin:
    return Origin(kind=kind, root=root, command=command, remove=remove)


def _word(text: str) -> str:
    from shlex import quote

    return quote(text)


def _by_installer(root: str, env: Mapping[str, str]) -> Origin | None:
    """Return what install.sh made, if `root` is a version of it."""
    versions, version = os.path.split(root)
    if os.path.basename(versions) != "versions" or not os.path.exists(f"{root}/.complete"):
        return None
    prefix = os.path.dirname(versions)
    launcher = (read_text(f"{prefix}/command") or "").strip()
    launcher = launcher or f"{env.get('HOME', '')}/.local/bin/bubble"
    own = written_by_installer(launcher)
    previous = said_by(launcher, "previous") if own else ""
    return Origin(
        kind=INSTALLER,
        root=root,
        launcher=launcher if own else "",
        prefix=prefix,
        version=version,
        previous=previous
        if previous and os.path.exists(f"{versions}/{previous}/.complete")
        else "",
    )


def written_by_installer(path: str) -> bool:
    """Whether a file is a command that install.sh wrote."""
    lines = (read_text(path, 1 << 14) or "").splitlines() if path else []
    return lines[1:2] == [_MARK]


def said_by(launcher: str, name: str) -> str:
    """Return what the command that install.sh wrote says of `name`: version, previous, prefix."""
    begin = f"# {name}: "
    for line in (read_text(launcher, 1 << 14) or "").splitlines():
        if line.startswith(begin):
            return line.removeprefix(begin)
    return ""
