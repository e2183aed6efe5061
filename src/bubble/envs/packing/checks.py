"""Whether what is to be packed is whole: a damaged environment isn't shipped."""

from __future__ import annotations

import base64
import hashlib
import os

from bubble.envs.exchange.export import distributions
from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.model.text import few, printable
from bubble.pythons.installed import store
from bubble.pythons.installed.upkeep import verify
from bubble.system.files import read_text
from bubble.system.pyvenv_cfg import read_configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.envs.exchange.export import Distribution
    from bubble.pythons.installed.store import Installation
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

_LARGEST = 1 << 26  # bytes of a RECORD
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
    present = store.installations(world.layout)
    found = next((i for i in present if prefix.startswith(f"{os.path.realpath(i.prefix)}/")), None)
    if found is None or found.is_adopted:
        what = found.key.name if found else prefix
        raise BubbleError(
            "environment",
            f"{title} stands on {printable(what, 300)}, which isn't bubble's: it can't be carried",
            hint="make a build of it (bubble mirror pack), or take another: bubble repair --help",
        )
    verified = verify(found, world)
    if verified is None or not verified.is_whole:
        raise BubbleError(
            "verify",
            f"{found.key.name} is damaged: nothing was packed",
            hint=f"bubble python verify --repair {found.key.version}",
        )
    return found


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
    from _csv import reader

    text = read_text(f"{distribution.metadata}/RECORD", _LARGEST)
    if text is None:
        yield f"{distribution.name} has no RECORD"
        return
    base = os.path.dirname(distribution.metadata)
    for row in reader(text.splitlines()):
        if not row or row[0].endswith(".pyc"):
            continue
        path = os.path.normpath(os.path.join(base, row[0]))
        kind, _, wanted = row[1].partition("=") if len(row) > 1 else ("", "", "")
        try:
            with open(path, "rb") as file:
                if not wanted or kind in _WEAK or kind not in hashlib.algorithms_available:
                    continue
                digest = hashlib.file_digest(file, kind).digest()
        except OSError:
            yield f"{distribution.name} has lost {os.path.relpath(path, root)}"
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != wanted.rstrip("="):
            yield f"{distribution.name} has a changed {os.path.relpath(path, root)}"
