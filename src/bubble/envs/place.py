"""Where environments lie: whose a directory is, and how one is put there or taken away.

A named environment is staged in the store. A project's is staged beside its place, in
`.bubble-staging`, since the project may lie on another file system; nothing of that stays.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.system.files import read_text
from bubble.system.layout import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout
    from bubble.system.lock import Lock
    from bubble.system.staging import Yard

STAGING = ".bubble-staging"


class ProjectYard(Record):
    """Scratch beside a project's environment."""

    home: str
    locks: str

    @property
    def staging(self) -> str:
        """Where it is built."""
        return f"{self.home}/{STAGING}"

    @property
    def trash(self) -> str:
        """Where it is deleted."""
        return f"{self.home}/{STAGING}/trash"


def yard_of(layout: Layout, path: str) -> Yard:
    """Return where the environment at `path` (absolute) is staged."""
    if path.startswith(f"{layout.home}/"):
        return layout
    return ProjectYard(home=os.path.dirname(path), locks=layout.locks)


def tidy(yard: Yard) -> None:
    """Remove the scratch directories of a project where they are empty."""
    if isinstance(yard, ProjectYard):
        for directory in (yard.trash, yard.staging):
            try:
                os.rmdir(directory)
            except OSError:
                pass


def lock(layout: Layout, path: str) -> Lock:
    """Return the lock under which the environment at `path` (absolute) is made or changed."""
    from bubble.system.lock import Lock

    try:  # hashlib loads OpenSSL, which takes longer than making an environment
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    name = blake2b(os.fsencode(os.path.realpath(path)), digest_size=16).hexdigest()
    return Lock(f"{layout.locks}/env.{name}")


def identity_at(path: str) -> str:
    """Return the identity of the environment at `path`, "" where bubble made none."""
    return (read_text(f"{path}/{MARK}", 200) or "").strip()


def is_environment(path: str) -> bool:
    """Whether `path` is a virtual environment, whoever made it."""
    return os.path.isfile(f"{path}/pyvenv.cfg")
