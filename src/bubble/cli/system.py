"""`bubble --system COMMAND …`: the same commands on the store that is everybody's.

That store is an ordinary one; what makes it the system's is that others only read it. So its files
get their modes whatever the umask is, its downloads stay with it and not in somebody's home, and
what takes a Python away says what can't be seen from here: who uses it.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.layout import SYSTEM_MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bubble.cli.context import Context
    from bubble.cli.output import Output
    from bubble.pythons.installed.store import Installation

# what works on a store; the others are about a project, a shell, or a user's own files
COMMANDS = frozenset(
    {
        *("python install", "python list", "python find", "python uninstall", "python upgrade"),
        *("python verify", "python adopt", "python update", "python dir"),
        *("create", "remove", "run", "list", "info", "clone", "rename", "repair", "export"),
        *("gc", "doctor", "cache dir", "cache size", "cache prune"),
    }
)
_TAKES_AWAY = {"python uninstall": "", "gc": "", "python upgrade": "--prune"}


def taken(
    argv: Sequence[str], env: Mapping[str, str], output: Output
) -> tuple[list[str], Mapping[str, str]]:
    """Return the command line behind `--system`, and its variables; the umask is set for it.

    Raises BubbleError(usage) for a command that isn't about a store, or where there is none.
    """
    from bubble.cli.table import ALIASES, GROUPS

    line = [*argv]
    if line[:1] and line[0] in ALIASES and line[0] not in GROUPS:
        line[:1] = ALIASES[line[0]]
    words = " ".join(line[: 2 if line[:1] and line[0] in GROUPS else 1])
    asks = not {"--help", "-h"}.isdisjoint(line)
    if not asks:
        _require_known(words, line[words.count(" ") + 1 :])
        if words in _TAKES_AWAY and _TAKES_AWAY[words] in {*line, ""}:
            output.warn(
                "who uses a Python of this store by a process on another machine, or by an "
                "environment in a store of their own, can't be seen from here"
            )
    env = _variables(env)
    output.env = env
    output.proposed = _of_the_system
    os.umask(0o022)
    return line, env


def _of_the_system(text: str) -> str:
    """Return a text whose commands are those on this store: a hint's would change one's own."""
    import re

    words = "|".join(sorted(COMMANDS, key=len, reverse=True))
    return re.sub(rf"\bbubble (?=(?:{words})(?![\w-]))", "bubble --system ", text)


def _variables(env: Mapping[str, str]) -> dict[str, str]:
    from bubble.system.layout import layout_at

    home = layout_at(env, home="", cache="").system
    if not home:
        raise BubbleError(
            "usage",
            "BUBBLE_SYSTEM_HOME says that there is no store of the system's",
            hint="unset it, or set it to an absolute path",
        )
    return {
        **env,
        "BUBBLE_HOME": home,
        "BUBBLE_CACHE_DIR": f"{home}/cache",
        "BUBBLE_SYSTEM_HOME": "none",
        "UV_COMPILE_BYTECODE": env.get("UV_COMPILE_BYTECODE") or "1",
        SYSTEM_MARK: "1",
    }


def compile_for_all(installations: Iterable[Installation], context: Context) -> None:
    """Write the bytecode of what was installed for everybody, who can't; elsewhere, nothing."""
    if not context.env.get(SYSTEM_MARK):
        return
    from bubble.pythons.installing.bytecode import write_bytecode

    for installation in installations:
        try:
            with context.output.working(f"compiling {installation.key.name}"):
                write_bytecode(installation, context.env)
        except OSError as error:
            context.output.warn(f"{installation.key.name} is not compiled: {error}")


def _require_known(words: str, arguments: Sequence[str]) -> None:
    if words not in COMMANDS:
        raise BubbleError(
            "usage",
            f"--system goes with what works on a store, not with “{printable(words, 80)}”",
            hint="which commands there are: bubble --help",
        )
    if words == "create" and (not arguments or arguments[0].startswith("-")):
        raise BubbleError(
            "usage",
            "an environment for everybody has a name, and that comes first",
            hint="bubble --system create NAME -p VERSION",
        )
