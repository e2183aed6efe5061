"""Whether what is to be packed is whole: a damaged environment isn't shipped."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat

from bubble.envs.exchange.export import distributions
from bubble.envs.knowing.recorded import recorded
from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.model.text import few, printable
from bubble.pythons.installed import store
from bubble.pythons.installed.upkeep import verify
from bubble.system.pyvenv_cfg import read_configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.envs.exchange.export import Distribution
    from bubble.pythons.installed.store import Installation
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

_WEAK = frozenset({"md5", "sha1"})


def interpreter_of(environment: Environment, world: World) -> Installation:
    """Return the interpreter of the store that an environment stands on, verified.

    Raises BubbleError (environment: it can't be packed; verify: it is damaged).
    """
    title = printable(environment.title, 300)
    if read_configuration(environment.path).get("include-system-site-packages") == "true":
        raise BubbleError(
            "environment",
            f"{title} sees its interpreter's own packages, which are no part of it",
            hint="make it without --system-site-packages, and install what it needs",
        )
    prefix = os.path.realpath(f"{environment.path}/bin/python")
    present = store.usable(world.layout)
    found = next((i for i in present if prefix.startswith(f"{os.path.realpath(i.prefix)}/")), None)
    if found is None or found.is_adopted:
        what = found.key.name if found else prefix
        raise BubbleError(
            "environment",
            f"{title} stands on {printable(what, 300)}, which isn't bubble's: it can't be carried",
            hint="make a build of it (bubble mirror pack), or take another: bubble repair --help",
        )
    require_verified(found, world)
    return found


def require_verified(installation: Installation, world: World) -> None:
    """Raise BubbleError(verify) unless an interpreter is as its manifest says."""
    verified = verify(installation, world)
    if verified is None or not verified.is_whole:
        raise BubbleError(
            "verify",
            f"{installation.key.name} is damaged: nothing was packed or unpacked",
            hint=f"bubble python verify --repair {installation.key.version}",
        )


def require_whole(environment: Environment) -> None:
    """Raise BubbleError(verify) unless each distribution is as its RECORD says, byte for byte."""
    wrong = [what for d in distributions(environment.path) for what in damage(environment.path, d)]
    if wrong:
        raise BubbleError(
            "verify",
            f"{printable(environment.title, 300)} is damaged, nothing was packed: {few(wrong, 4)}",
            hint="install these again: "
            f"bubble run {quoted(environment.title)} pip install --force-reinstall NAME",
        )


def damage(root: str, distribution: Distribution) -> Iterator[str]:
    """Yield what of a distribution isn't as its RECORD says; bytecode doesn't count."""
    files = recorded(root, distribution)
    if files is None:
        yield f"{distribution.name} has no RECORD"
        return
    for path, said, _ in files:
        name = os.path.relpath(path, root)
        kind, _, wanted = said.partition("=")
        try:
            digest = _digest(path, kind if wanted and kind not in _WEAK else "")
        except OSError:
            yield f"{distribution.name} has lost {name}"
            continue
        if digest and digest != wanted.rstrip("="):
            yield f"{distribution.name} has a changed {name}"


def _digest(path: str, kind: str) -> str:
    """Return the hash of a plain file as RECORDs spell it, "" for an unknown kind of hash."""
    # a pipe would keep whoever opens it
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        if kind not in hashlib.algorithms_guaranteed or kind.startswith("shake"):
            return ""
        digest = hashlib.file_digest(file, kind).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
