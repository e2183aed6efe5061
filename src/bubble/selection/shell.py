"""The shell integration as text: templates from `shims/`, made fit for each shell and this machine.

What is rendered starts no process when a shell evaluates it.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.model.text import printable
from bubble.pythons.probing.isolation import own_options
from bubble.selection.templates import template_path
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

SHELLS = ("bash", "zsh", "fish", "sh", "pwsh", "nu")
# the files of `shims/` that a shell's code is made of, without and with the hook
_PARTS = {
    "bash": (("init.sh", "prompt.sh", "prompt.bash"), ("answer.sh", "hook.sh", "hook.bash")),
    "zsh": (("init.sh", "prompt.sh", "prompt.zsh"), ("answer.sh", "hook.sh", "hook.zsh")),
    "sh": (("init.sh",), ()),
    "fish": (("init.fish",), ("hook.fish",)),
    "pwsh": (("init.ps1",), ("hook.ps1",)),
    "nu": (("init.nu",), ("hook.nu",)),
}
_FOR_THE_CHECKER = ("# shellcheck shell=", "# shellcheck disable=SC2154 ")
_COMPLETIONS = {
    "bash": "complete.bash",
    "zsh": "complete.zsh",
    "fish": "complete.fish",
    "pwsh": "complete.ps1",
    "nu": "complete.nu",
}
WITH_HOOK = tuple(shell for shell, (_, hook) in _PARTS.items() if hook)
WITH_COMPLETIONS = tuple(_COMPLETIONS)


def render_init(
    shell: str,
    program: str,
    layout: Layout,
    completions: str,
    *,
    hook: bool,
    export_home: bool,
    python: str = "",
) -> str:
    """Return the code that a shell evaluates at its start.

    `program` is the absolute path of bubble, `python` that of the interpreter that runs it, which
    is started by itself where PYTHONHOME would stop the program. `completions` is what
    `render_completions` returned, or "". With `export_home` the shell is told where bubble's home
    is. Raises BubbleError(usage) for a shell that has no hook, and for a home that can't stand on
    PATH.
    """
    if ":" in layout.home:
        raise BubbleError(
            "usage",
            f"{printable(layout.home)} has a colon in it, which PATH can't carry",
            hint="set BUBBLE_HOME to a directory without one",
        )
    start, follow = _PARTS[shell]
    if hook and not follow:
        raise BubbleError(
            "usage",
            f"{shell} can't run anything at a change of directory",
            hint=f"leave out --hook, or use one of {', '.join(WITH_HOOK)}",
        )
    parts = [_filled(name, shell, layout, program, python) for name in start]
    if export_home:
        parts.append(_EXPORT[shell].format(quoted(layout.home, shell)))
    if completions:
        parts.append(completions)
    if hook:
        parts += [_filled(name, shell, layout, program) for name in follow]
    return "\n".join(parts)


def render_completions(shell: str, layout: Layout, cases: str, words: str) -> str:
    """Return the code that completes bubble's command line.

    `shell` is one of WITH_COMPLETIONS. `cases` says, in its own syntax, what each command takes;
    `words` are the groups of commands.
    """
    text = _filled(_COMPLETIONS[shell], shell, layout, "")
    # in the templates both stand where the shell's own checker takes them for its language
    text = text.replace("'@groups@'", words).replace("@groups@", words)
    return text.replace("        # @cases@", cases).replace("@cases@", cases)


_EXPORT = {
    "bash": "export BUBBLE_HOME={}\n",
    "zsh": "export BUBBLE_HOME={}\n",
    "sh": "export BUBBLE_HOME={}\n",
    "fish": "set -gx BUBBLE_HOME {}\n",
    "pwsh": "$env:BUBBLE_HOME = {}\n",
    "nu": "$env.BUBBLE_HOME = {}\n",
}


def _filled(name: str, shell: str, layout: Layout, program: str, python: str = "") -> str:
    import re

    text = read_text(f"{os.path.dirname(template_path())}/{name}")
    assert text is not None, name
    # what tells the checker about a file has no place inside another one
    kept = [x for x in text.splitlines(keepends=True) if not x.startswith(_FOR_THE_CHECKER)]
    values = {
        "@home@": quoted(layout.home, shell),
        "@program@": quoted(program, shell),
        "@python@": quoted(python, shell),
        "@options@": " ".join(own_options()),
    }
    # in one go: what a path has in it must not be filled in again
    return re.sub("|".join(values), lambda found: values[found[0]], "".join(kept))
