"""What a shim adds to a command: for each kind of pin, on dash and bash, beside pyenv's.

The command is /bin/true under an interpreter's name, so that what is measured is the shim; the
first call in a directory is held against a real interpreter's start.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.measure import spawn
from bench.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.context import Bench

LIMITS = {"dash": 2.0, "bash": 4.0}  # ms added
BESIDE_PYENV = 1 / 40
FIRST = 3.0  # bare starts
PINS = {
    "exact": (".python-version", "3.11.7\n"),
    "prefix": (".python-version", "3.11\n"),
    "range": (".python-version", ">=3.10,<3.12\n"),
    "several": (".python-version", "3.9\n3.11\n"),
    "requires-python": ("pyproject.toml", '[project]\nrequires-python = ">=3.10,<3.12"\n'),
    ".tool-versions": (".tool-versions", "nodejs 20\npython 3.11.7\n"),
    "global": ("", "3.11\n"),
    "BUBBLE_PYTHON": ("", "3.11"),
}
_LONG_AGO = (1, 1)


def shims(bench: Bench) -> list[Result]:
    """Measure round by round, kind of pin by kind of pin, shell by shell."""
    return Shims(bench).results()


class Shims:
    """A store of doubles, and the shells that are here."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.rounds = bench.rounds.many
        self.place = bench.place
        self.store = self.place.fresh("shims")
        self.home = f"{self.store}/bubble"
        self.env = self.place.environment(self.store)
        self.shells = {name: shutil.which(name) for name in LIMITS if shutil.which(name)}
        for name in LIMITS.keys() - self.shells.keys():
            bench.miss(f"a shim under {name}", f"no {name} on this machine")
        self.pyenv = self.place.pyenv
        self.machine = f"linux-{platform.machine()}-gnu"
        self.direct = self.install("3.11.7")
        self.bubble("rehash")
        self.shim = f"{self.home}/shims/python"

    def results(self) -> list[Result]:
        """Return every row."""
        found = [row for kind in PINS for row in self.each_shell(kind)]
        found += self.beside_pyenv()
        found += self.beside_mise()
        found += self.first_calls()
        found += self.questions()
        for number in range(100):
            self.install(f"3.9.{number}")
        self.bubble("rehash")
        for number in range(1000):
            _write(f"{self.home}/answers/@d{number}/answer", "/nowhere\n1\n-\n")
        found += self.each_shell("exact", "100 interpreters and 1,000 memos, exact")
        found += self.each_shell("exact", "the same, 40 levels deep", levels=40)
        return found

    def each_shell(self, kind: str, title: str = "", levels: int = 0) -> list[Result]:
        """Measure what the shim adds under each shell, its memo there."""
        cwd, env = self.pin(kind, levels)
        return [
            Result(
                f"a shim adds: {title or kind}, {name}",
                "ms",
                {"bubble": self.added([str(program), self.shim], env, cwd)},
                "",
                LIMITS[name],
                typical=True,
            )
            for name, program in self.shells.items()
        ]

    def pin(self, kind: str, levels: int = 0) -> tuple[str, dict[str, str]]:
        """Select 3.11.7 in one way, have the memo written; return the directory and variables."""
        name, text = PINS[kind]
        top = self.place.fresh("pinned")
        cwd = top + "/d" * levels
        os.makedirs(cwd, exist_ok=True)
        env = {**self.env, "PWD": cwd}
        if kind == "BUBBLE_PYTHON":
            env["BUBBLE_PYTHON"] = text
        else:
            path = f"{top}/{name}" if name else f"{self.home}/version"
            _write(path, text)
            os.utime(path, _LONG_AGO)
        spawn([self.shim], env, cwd)
        return cwd, env

    def added(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> list[float]:
        """Return the milliseconds, round by round, beyond the command's own."""
        _alternate([self.direct], argv, env, cwd, 5)
        return _alternate([self.direct], argv, env, cwd, self.rounds * 5)

    def questions(self) -> list[Result]:
        """Measure what `bubble` among the shims takes for a question beyond a shell's own start."""
        cwd, env = self.pin("exact")
        front = f"{self.home}/shims/bubble"
        env["PATH"] = f"{self.home}/shims:{env['PATH']}"
        self.bubble("create", "lab", "-p", "3.11.7", "--no-pip")
        asked = ("which python", "python find", "current", "exec python", "run lab python")
        found = []
        for words in asked:
            for shell, program in self.shells.items():
                spawn([front, *words.split()], env, cwd)  # which leaves what is remembered
                argv = [str(program), front, *words.split()]
                bare = [str(program), "-c", ":"]
                samples = {"bubble": _alternate(bare, argv, env, cwd, self.rounds * 5)}
                title = f"bubble {words} adds to {shell} -c :"
                found.append(Result(title, "ms", samples, "", LIMITS[shell], typical=True))
        return found

    def beside_pyenv(self) -> list[Result]:
        """Hold the shim against pyenv's real one, where it is on this machine."""
        program = f"{self.pyenv}/shims/python"
        if not self.pyenv or not os.access(program, os.X_OK):
            self.bench.miss("a shim beside pyenv's", "no pyenv with shims on this machine")
            return []
        found = []
        for kind in ("exact", "prefix"):
            version = self._pyenvs(kind)
            cwd, env = self.pin(kind)
            mine = self.added([self.shim], env, cwd)
            there = {**env, "PYENV_ROOT": self.pyenv, "PYENV_VERSION": version}
            there["PATH"] = f"{self.pyenv}/bin:{env['PATH']}"
            bare = f"{self.pyenv}/versions/{self._pyenvs('exact')}/bin/python"
            theirs = _alternate([bare, "-S", "-c", ""], [program, "-S", "-c", ""], there, cwd, 15)
            found.append(
                Result(
                    f"a shim adds, beside pyenv's: {kind}",
                    "ms",
                    {"bubble": mine[: len(theirs)], "pyenv": theirs},
                    "pyenv",
                    BESIDE_PYENV,
                )
            )
        return found

    def beside_mise(self) -> list[Result]:
        """Hold the shim against mise's, which is mise itself under another name."""
        if self.place.lacks("mise"):
            return []
        installed = f"{self.store}/mise/installs/python/3.11.7/bin"
        os.makedirs(installed)
        shutil.copy("/bin/true", f"{installed}/python")
        env = {**self.env, "MISE_OFFLINE": "1"}
        try:
            spawn([self.place.mise, "reshim"], env)
            cwd, _ = self.pin("exact")
            program = f"{self.store}/mise/shims/python"
            theirs = _alternate([f"{installed}/python"], [program], env, cwd, self.rounds)
        except (RuntimeError, OSError) as error:
            self.bench.miss("a shim beside mise's", error)
            return []
        mine = self.added([self.shim], self.env, cwd)
        samples = {"bubble": mine[: len(theirs)], "mise": theirs}
        return [Result("a shim adds, beside mise's: exact", "ms", samples, "mise", 1.0)]

    def _pyenvs(self, kind: str) -> str:
        versions = [name for name in os.listdir(f"{self.pyenv}/versions") if name.startswith("3.")]
        newest = max(versions, key=lambda name: [int(n) for n in name.split(".") if n.isdigit()])
        return newest if kind == "exact" else newest.rpartition(".")[0]

    def first_calls(self) -> list[Result]:
        """Measure the call that finds no memo, with a real interpreter, against its bare start."""
        python = os.path.realpath(sys.executable)
        store = self.place.fresh("first")
        env = self.place.environment(store)
        self.bubble("python", "adopt", python, env=env)
        minor = ".".join(platform.python_version_tuple()[:2])
        found = []
        for title, name, text in (
            ("a version", ".python-version", f"{minor}\n"),
            ("requires-python", "pyproject.toml", f'[project]\nrequires-python = "=={minor}.*"\n'),
        ):
            cwd = self.place.fresh("pinned")
            _write(f"{cwd}/{name}", text)
            memos = [f"{store}/bubble/answers", f"{store}/bubble/requests"]
            shim = f"{store}/bubble/shims/python{minor}"
            samples: dict[str, list[float]] = {"bubble": [], "bare": []}
            for _ in range(self.rounds):
                for memo in memos:
                    shutil.rmtree(memo, ignore_errors=True)
                samples["bare"].append(spawn([python, "-c", "pass"], env, cwd))
                samples["bubble"].append(spawn([shim, "-c", "pass"], env, cwd))
            what = f"the first python in a directory: {title}"
            found.append(Result(what, "ms", samples, "bare", FIRST))
        return found

    def install(self, version: str) -> str:
        """Put a double into the store; return its interpreter's path."""
        prefix = f"{self.home}/pythons/cpython-{version}-{self.machine}"
        os.makedirs(f"{prefix}/bin")
        for name in ("python", f"python{version.rpartition('.')[0]}"):
            shutil.copy("/bin/true", f"{prefix}/bin/{name}")
        _write(f"{prefix}/.bubble/receipt.json", "{}")
        return f"{prefix}/bin/python"

    def bubble(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Run bubble on this store."""
        subprocess.run(
            [self.place.bubble, *arguments], env=env or self.env, check=True, capture_output=True
        )


def _alternate(
    direct: Sequence[str], through: Sequence[str], env: Mapping[str, str], cwd: str, rounds: int
) -> list[float]:
    """Return the differences, each the median of three pairs."""
    pairs = [spawn(through, env, cwd) - spawn(direct, env, cwd) for _ in range(max(rounds, 3) * 3)]
    return [statistics.median(pairs[n : n + 3]) for n in range(0, len(pairs), 3)]


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
