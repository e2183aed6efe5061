"""The commands that root doesn't run in another user's home: what they leave there is root's.

`sudo bubble create` where sudo keeps HOME made a registry that its owner could neither read nor
remove. The same word without sudo does what was meant.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.foreign import foreign_owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.system.layout import Layout

# words → the options by which they change something; none: they always do
_CHANGING: dict[str, tuple[str, ...]] = {
    "adopt": (),
    "bundle create": (),
    "bundle install": (),
    "cache prune": (),
    "clone": (),
    "create": (),
    "doctor": ("--fix",),
    "export": ("-o", "--output"),
    "gc": (),
    "global": (),
    "import": (),
    "init": ("--install", "--uninstall"),
    "kernel install": (),
    "kernel remove": (),
    "local": (),
    "lock": (),
    "mirror create": (),
    "mirror pack": (),
    "new": (),
    "pack": (),
    "python adopt": (),
    "python install": (),
    "python uninstall": (),
    "python update": (),
    "python upgrade": (),
    "python verify": (),
    "rehash": (),
    "remove": (),
    "rename": (),
    "repair": (),
    "rollback": (),
    "self uninstall": (),
    "self update": (),
    "sync": (),
    "use": (),
}
_HARMLESS = frozenset({"--check", "--dry-run", "--help", "-h"})


def require_own_home(
    words: str, arguments: Sequence[str], layout: Layout, env: Mapping[str, str]
) -> None:
    """Raise BubbleError(permission) for a changing command of root in another user's home."""
    if not changes(words, arguments):
        return
    refuse_anothers_home(words, arguments, layout, env)


def refuse_anothers_home(
    words: str, arguments: Sequence[str], layout: Layout, env: Mapping[str, str]
) -> None:
    """Raise BubbleError(permission) if root is in another user's home, for a command line."""
    owner = foreign_owner(layout.home, env) or foreign_owner(layout.cache, env)
    if not owner:
        return
    import shlex

    command = printable(shlex.join(["bubble", *words.split(), *arguments]), 300)
    sudo = env.get("SUDO_UID") == str(owner) or env.get("SUDO_USER")
    raise BubbleError(
        "permission",
        f"this is root, and HOME ({printable(env['HOME'], 500)}) belongs to user {owner}: what "
        "root leaves there, its owner can't change",
        hint=f"without sudo: {command}" if sudo else f"as root's own: HOME=/root {command}",
    )


def changes(words: str, arguments: Sequence[str]) -> bool:
    """Whether a command, with these arguments, changes the store or what else is the user's."""
    options = _CHANGING.get(words)
    if options is None or not _HARMLESS.isdisjoint(arguments):
        return False
    return not options or any(word.partition("=")[0] in options for word in arguments)
