"""Interactive shells on a terminal, with start-up files of their own: what a user types at prompts.

    with Session("bash", home.root, env, rc=(source(home, "bash"),)) as shell:
        shell.do("cd project")
        assert shell.active == prefix

What is asked (`active`, `path`, `prompt`) is that of the prompt after the line: each line is
followed by another one, which writes it to a file. So nothing is read from the screen but that the
line is through.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.model.quoting import quoted
from support.shimworld import write
from support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from support.shells import Home

SESSIONS = ("bash", "zsh", "fish")
EACH = pytest.mark.parametrize(
    "shell",
    [
        pytest.param(name, marks=() if shutil.which(name) else pytest.mark.skip(f"needs {name}"))
        for name in SESSIONS
    ],
)
_POSIX = """
told=${told-0}
PS1='> '
tell() {
    told=$((told + 1))
    printf '%s\\0' "${VIRTUAL_ENV-}" "${PATH-}" "${PS1-}" >@file@
    echo "<told $told>"
}
"""
_FISH = """
set -q told; or set -g told 0
function fish_prompt
    printf '> '
end
function fish_greeting
end
function tell
    set -g told (math $told + 1)
    printf '%s\\0' "$VIRTUAL_ENV" (string join : -- $PATH) (fish_prompt) >@file@
    echo "<told $told>"
end
"""


def source(home: Home, shell: str, *, hook: bool = True) -> str:
    """Return the line of a start-up file that evaluates bubble's code."""
    return f"{'source' if shell == 'fish' else '.'} {quoted(home.init(shell, hook=hook), shell)}\n"


class Session:
    """A shell that has read `rc` (lines, after those that the session needs).

    Its HOME is `root`/user. `words` is another command line than that of an interactive shell.
    """

    def __init__(
        self,
        shell: str,
        root: str,
        env: Mapping[str, str],
        rc: Sequence[str] = (),
        words: Sequence[str] = (),
        cwd: str = "",
    ) -> None:
        self.shell = shell
        self._file = f"{root}/told"
        self._told = 0
        self._states: list[str] = []
        user = f"{root}/user"
        needed = (_FISH if shell == "fish" else _POSIX).replace("@file@", quoted(self._file, shell))
        text = needed + "".join(rc)
        name = {
            "bash": ".bashrc",
            "zsh": ".zshrc",
            "fish": ".config/fish/config.fish",
        }[shell]
        write(f"{user}/{name}", text)
        write(f"{user}/.bash_profile", ". ~/.bashrc\n")
        # where there is none, fish makes one in the background
        os.makedirs(f"{user}/.local/share/fish/generated_completions", exist_ok=True)
        self.env = {
            **env,
            "HOME": user,
            "ZDOTDIR": user,
            "XDG_CONFIG_HOME": f"{user}/.config",
            "XDG_DATA_HOME": f"{user}/.local/share",
            "TERM": "dumb",
            "SHELL": str(shutil.which(shell)),
            "LC_ALL": "C.UTF-8",
        }
        argv = [*(words or (shell, "-i"))]
        argv[0] = str(shutil.which(argv[0]))
        self._terminal = Terminal(argv, self.env, cwd or root)

    def __enter__(self) -> Self:
        self._terminal.__enter__()
        self.do("")
        return self

    def __exit__(self, *given: object) -> None:
        self._terminal.__exit__(*given)

    def do(self, line: str) -> Self:
        """Type a line, and ask at the next prompt."""
        self._told += 1
        self._terminal.press(f"{line}\rtell\r".encode())
        self._terminal.read_until(f"<told {self._told}>")
        with open(self._file) as file:
            self._states = file.read().split("\0")
        return self

    def cd(self, path: str) -> Self:
        """Change the directory."""
        return self.do(f"cd {quoted(path, self.shell)}")

    @property
    def active(self) -> str:
        """VIRTUAL_ENV, "" for none."""
        return self._states[0]

    @property
    def path(self) -> list[str]:
        """The directories of PATH."""
        return self._states[1].split(":")

    @property
    def prompt(self) -> str:
        """PS1, or what fish_prompt prints."""
        return self._states[2]

    @property
    def screen(self) -> str:
        """All that was written to the terminal."""
        return self._terminal.typed
