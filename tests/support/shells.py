"""A bubble home with environments and memos, and real shells that evaluate the integration.

The environments are made by hand (`pyvenv.cfg`, `bin/python`), and memos in the shim's format:
the shell's part is to recognise, not to decide.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from bubble.cli.completions import completions
from bubble.model.quoting import quoted
from bubble.selection.facts import head_of
from bubble.selection.shell import render_init
from bubble.system.layout import Layout
from support.shimworld import write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ODD = "it's “odd” $(touch pwned) `x` \\n %d !h #é"  # a directory's name
# shell → the programs that evaluate its code, with the language that they speak
PROGRAMS: dict[str, tuple[list[str], ...]] = {
    "bash": (["bash", "--norc", "--noprofile"],),
    "zsh": (["zsh", "-f"],),
    "sh": (["dash"], ["busybox", "sh"], ["ksh"], ["bash", "--posix"], ["zsh", "--emulate", "sh"]),
    "fish": (["fish", "--no-config"],),
}
CASES = [
    (shell, program)
    for shell, programs in PROGRAMS.items()
    for program in programs
    if shutil.which(program[0])
]
HOOKED = [(shell, program) for shell, program in CASES if shell != "sh"]


def content(path: str) -> list[str]:
    """Return the fact that a file has the lines that it has now."""
    with open(path) as file:
        text = file.read()
    lines = text.removesuffix("\n").split("\n")
    return [str(len(lines)), path, *lines]


def name_of(case: object) -> str:
    """Return the test's id for a case."""
    return case if isinstance(case, str) else " ".join(case)  # type: ignore[arg-type] # a list


class Home:
    """A bubble home at `root`/ODD, projects below `root`, and the code of every shell."""

    def __init__(self, root: str, name: str = ODD) -> None:
        self.root = root
        self.layout = Layout(home=f"{root}/{name}", cache=f"{root}/cache")
        self.program = f"{root}/program of {name[:4]}"
        write(
            self.program,
            '#!/bin/sh\n[ "$1 $2" != "shell --check" ] || { shift 2; echo "$*"; exit 0; }\n'
            '[ "$*" != "activate --check" ] || { echo "$PWD/.venv"; exit 0; }\n'
            'printf "<%s>" "$@"\nexit 37\n',
            0o755,
        )
        os.makedirs(self.layout.shims)
        os.makedirs(self.layout.pythons)

    def environment(self, path: str) -> str:
        """Make an environment by hand; return its path."""
        write(f"{path}/pyvenv.cfg", "home = /usr/bin\n")
        write(f"{path}/bin/python", f"#!/bin/sh\nprintf '%s\\n' {quoted(path, 'sh')}\n", 0o755)
        return path

    def project(self, name: str, pin: str = "3.11\n") -> tuple[str, str]:
        """Make a pinned project with an environment and a valid memo; return both paths."""
        directory = f"{self.root}/{name}"
        prefix = self.environment(f"{directory}/.venv")
        write(f"{directory}/.python-version", pin)
        said = content(f"{directory}/.python-version")
        self.memo(directory, prefix, ".venv .python-version", *said)
        return directory, prefix

    def memo(self, directory: str, answer: str, names: str, *facts: str) -> str:
        """Write a memo of what was looked at before."""
        path = self.layout.answer(directory)
        write(path, "\n".join([head_of(self.layout), answer, names, *facts, ".", ""]))
        return path

    def init(self, shell: str, *, hook: bool = False) -> str:
        """Write the code to a file and return its path."""
        text = render_init(
            shell,
            self.program,
            self.layout,
            completions(shell, self.layout),
            hook=hook,
            export_home=False,
        )
        path = f"{self.root}/init {shell} {hook}"
        write(path, text)
        return path

    def run(
        self, program: Sequence[str], script: str, env: Mapping[str, str], *words: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script (the file's text; `words` are its arguments) in `root`."""
        path = f"{self.root}/script"
        write(path, script)
        return subprocess.run(
            [str(shutil.which(program[0])), *program[1:], path, *words],
            cwd=self.root,
            env=dict(env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what a script that succeeded printed."""
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert done.stderr == "", done.stderr
    return done.stdout.splitlines()
