"""A newcomer who follows the documentation: an empty HOME, a shell, a mirror, an index of wheels.

The places that pages name lie in the scratch directory: `/home/you` is HOME, `/srv` and `/opt` are
directories of it, `https://server` is a web server on loopback for `/srv`. What is printed is
shown with the pages' names. Interpreters are this machine's own, packed, and doubles for versions
that nothing but their number matters of; packages are small wheels with well-known names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import quote

from bubble.model.platform import parse_platform
from bubble.system.host import host_platform
from support.builds import interpreters, packed_mirror, small_archive, small_mirror
from support.bundles import double_release
from support.pages import agrees
from support.releases import needed
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from support.pages import Step

REAL = ("3.11", "3.12")
# older patch releases, to be upgraded, and what else pages install
DOUBLES = (
    "3.9.18",
    "3.10.13",
    "3.11.4",
    "3.12.0",
    "3.13.0",
    {"version": "3.13.0", "variant": "freethreaded"},
)
# a catalogue of its own, READER_DOUBLES, in which all are doubles: for what never gets to a package
ONLY_DOUBLES = (
    *DOUBLES,
    "3.11.9",
    "3.12.4",
    # other content: an archive is known by its checksum
    {"version": "3.12.4", "extra_files": 3, "on": parse_platform("aarch64-unknown-linux-gnu")},
)
WHEELS = {
    "cowsay": ("6.0", "6.1"),
    "requests": ("2.31.0", "2.32.3"),
    "pandas": ("2.2.3",),
    "torch": ("2.5.1",),
    "pytest": ("8.3.4",),
    "black": ("24.10.0",),
    "ipykernel": ("6.29.5",),
}
COW = r"""  _____
| hello |
  =====
     \
      \
        ^__^
        (oo)\_______
        (__)\       )\/\
            ||----w |
            ||     ||"""
_MARK = "\x1e"
# what is only told where a machine is slow
_SLOW = re.compile(r".+: (.*\d+ s so far|took \d+ s)")


@dataclass(frozen=True)
class Printed:
    """What one step gave: stdout and stderr together, in lines."""

    status: int
    lines: list[str]


class Reader:
    """The reader at `root`, whose shell keeps its state from one step to the next.

    `server` is the web server's address; `more` are variables beyond the usual ones.
    """

    def __init__(
        self, root: str, library: Library, server: str = "", more: Mapping[str, str] | None = None
    ) -> None:
        self.root = root
        self.home = f"{root}/home"
        host = host_platform(os.environ)
        self._places = {
            "/home/you": self.home,
            "/srv": f"{root}/srv",
            "/opt": f"{root}/opt",
            "https://server": server,
            "/usr/bin/python3": f"{library.python}/bin/python3",
        }
        self._shown = {
            **{real: name for name, real in self._places.items() if real},
            str(host): "linux-x86_64-gnu",
        }
        for directory in ("home", "srv", "opt", "bin", "tmp"):
            os.makedirs(f"{root}/{directory}", exist_ok=True)
        program = os.path.join(os.path.dirname(sys.executable), "bubble")
        os.symlink(program, f"{root}/bin/bubble")
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            env={**self._env(library), **(more or {})},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.communicate()

    def check(self, step: Step, page: str) -> None:
        """Do one step, and compare it with what the page shows."""
        printed = self.type(step)
        told = [f"{page}:{step.line}: $ {step.command}", *printed.lines]
        assert (printed.status != 0) == step.fails, "\n".join([*told, f"status {printed.status}"])
        if step.expected is not None and not agrees(step.expected, printed.lines):
            raise AssertionError("\n".join([*told, "", "the page shows:", *step.expected]))

    def type(self, step: Step) -> Printed:
        """Do one step; raise EOFError if the shell ended with it."""
        command = step.command
        for name, real in self._places.items():
            if real:
                command = command.replace(name, real)
        if not command.startswith("exec "):
            command = f"{{\n{command}\n}} </dev/null"
        # what an interactive shell does before it shows its prompt
        self._write(f'{command}\nprintf "\\n{_MARK}%d\\n" $?\neval "${{PROMPT_COMMAND:-}}"\n')
        lines = []
        while True:
            line = self._read()
            if line.startswith(_MARK):
                break
            if not _SLOW.fullmatch(line):
                lines.append(line)
        if lines and not lines[-1]:  # the mark's own line break
            lines.pop()
        return Printed(int(line[1:]), [self._named(line) for line in lines])

    def _named(self, line: str) -> str:
        for real, name in self._shown.items():
            line = line.replace(real, name)
        return line

    def _write(self, text: str) -> None:
        assert self._shell.stdin
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()

    def _read(self) -> str:
        assert self._shell.stdout
        line = self._shell.stdout.readline()
        if not line:
            raise EOFError("the shell has ended")
        return line.decode().rstrip("\n")

    def _env(self, library: Library) -> Mapping[str, str]:
        kept = {n: v for n, v in os.environ.items() if n.startswith(("COVERAGE_", "LC_"))}
        return {
            **kept,
            "HOME": self.home,
            "PATH": f"{self.root}/bin:/usr/local/bin:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "BASH_ENV": f"{self.home}/.bashrc",  # as an interactive shell
            "TMPDIR": f"{self.root}/tmp",
            "BUBBLE_CATALOG": library.catalogue,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": library.wheels,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "READER_PYTHON": library.python,
            "READER_DOUBLES": library.doubles,
            "READER_REAL": f"{packed_mirror(REAL)}/catalogue.json",
            "READER_RELEASE": library.release,
            "READER_PLATFORM": str(host_platform(os.environ)),
        }


def with_needed(library: Library) -> dict[str, str]:
    """Return variables by which pip finds what bubble itself needs, too; or skip the test."""
    return {"PIP_FIND_LINKS": f"{library.wheels} {needed()}"}


class Library:
    """What readers share: builds and wheels. `python` is the prefix of a real 3.11."""

    def __init__(self, directory: str) -> None:
        self.wheels = f"{directory}/wheels"
        os.makedirs(self.wheels)
        for name, versions in WHEELS.items():
            for version in versions:
                says = COW if name == "cowsay" else ""
                modules = [f"{name}_launcher"] if name == "ipykernel" else []
                wheel(self.wheels, name, version, script=name, says=says, modules=modules)
        packed = packed_mirror(REAL)
        prefixes = {version.rpartition(".")[0]: prefix for version, prefix in interpreters()}
        self.python = prefixes["3.11"]
        own = small_archive(f"{directory}/own")
        self.release = double_release(f"{directory}/release", own)
        self.doubles = small_mirror(f"{directory}/doubles", ONLY_DOUBLES)
        self.catalogue = small_mirror(f"{directory}/mirror", DOUBLES)
        with open(self.catalogue, encoding="utf-8") as file:
            entries = json.load(file)
        with open(f"{packed}/catalogue.json", encoding="utf-8") as file:
            real = json.load(file)
        for entry in real.values():
            entry["url"] = f"file://{quote(packed)}/{entry['url']}"
        with open(self.catalogue, "w", encoding="utf-8") as file:
            json.dump(entries | real, file)
