"""Root in another user's home (`sudo` keeps HOME): what it writes there, its owner can't change."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def foreign_owner(directory: str, env: Mapping[str, str]) -> int:
    """Return the user whose home has `directory` (absolute) in it, if this is root and not theirs.

    0 where there is nothing to be careful about: another user, root's own home, a place elsewhere.
    """
    home = env.get("HOME", "").rstrip("/")
    if os.geteuid() or not home or not f"{directory}/".startswith(f"{home}/"):
        return 0
    try:
        return os.stat(home).st_uid
    except OSError:
        return 0
