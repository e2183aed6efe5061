"""Interactive shells: what a start costs more with each tool's integration, and each `cd`."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run
from bench.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.context import Bench

START_LIMIT, CD_LIMIT = 5.0, 1.0  # ms added
RC = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
TURNS = {"bubble": 50, "bare": 50}  # there and back; of the others, 5
# what a prompt runs; then so many times a `cd` there and one back, and the nanoseconds
_PROMPT = {
    "bash": '_prompt() { for c in "${PROMPT_COMMAND[@]}"; do eval "$c"; done; }',
    "zsh": "_prompt() { for f in $precmd_functions; do $f; done; }",
    "fish": "function _prompt; emit fish_prompt; end",
}
_LOOP = """
_prompt
s=$(date +%s%N)
for n in $(seq @turns@); do cd @a@; _prompt; cd @b@; _prompt; done
e=$(date +%s%N)
cd @a@; _prompt
echo $s $e $(command -v python) >@out@"""
_FISH_LOOP = """
_prompt
set s (date +%s%N)
for n in (seq @turns@); cd @a@; _prompt; cd @b@; _prompt; end
set e (date +%s%N)
cd @a@; _prompt
echo $s $e (command -v python) >@out@"""


def shells(bench: Bench) -> list[Result]:
    """Measure each shell that is here."""
    results = []
    for shell in RC:
        program = shutil.which(shell, path="/usr/local/bin:/usr/bin:/bin")
        if program:
            results += Shell(bench, shell, program).results()
        else:
            bench.miss(f"start and cd of {shell}", f"no {shell} on this machine")
    return results


class Shell:
    """A shell with a HOME for each contestant, and two directories to go to and fro between."""

    def __init__(self, bench: Bench, shell: str, program: str) -> None:
        self.bench, self.shell, self.program = bench, shell, program
        self.store = bench.place.fresh("shells")
        self.env = {
            **bench.place.environment(self.store),
            "SHELL": program,
            "TERM": "dumb",
            "MISE_OFFLINE": "1",
        }
        if bench.place.pyenv:
            self.env["PYENV_ROOT"] = bench.place.pyenv
        self.here, self.there = f"{self.store}/here", f"{self.store}/there/project"
        os.makedirs(self.here)
        os.makedirs(self.there)

    def results(self) -> list[Result]:
        """Return both rows."""
        homes = self.homes(hook=False)
        calls: dict[str, Callable[[], Run]] = {
            name: partial(self.run, home, "exit") for name, home in homes.items()
        }
        what = f"{self.shell} starts: added"
        runs = self.bench.contest(what, calls, self.bench.rounds.few * 2, warm=2)
        bare = runs.pop("bare")
        samples = {
            name: [1000 * (r.seconds - b.seconds) for r, b in zip(series, bare, strict=True)]
            for name, series in runs.items()
        }
        first = Result(what, "ms", samples, "", START_LIMIT, typical=True)
        return [first, self.changing()]

    def changing(self) -> Result:
        """Measure a `cd` into a project, or out of it, with the prompt after it."""
        self._project()
        follow = {"bubble": f"{self.there}/.venv/", "mise": f"{self.store}/mise/installs/"}

        def once(name: str, home: str) -> Run:
            seconds, python = self._turn(home, TURNS.get(name, 5))
            if not python.startswith(follow.get(name, "")):
                raise RuntimeError(f"{name} didn't follow: python is {python}")
            return Run(seconds, 0)

        homes = self.homes(hook=True)
        calls = {name: partial(once, name, home) for name, home in homes.items()}
        what = f"cd in {self.shell}, with the prompt after it: added"
        rounds = max(self.bench.rounds.slow, 3)
        runs = self.bench.contest(what, calls, rounds)
        bare = runs.pop("bare")
        samples = {
            name: [1000 * (r.seconds - b.seconds) for r, b in zip(series, bare, strict=True)]
            for name, series in runs.items()
        }
        return Result(what, "ms", samples, "", CD_LIMIT, typical=True)

    def homes(self, *, hook: bool) -> dict[str, str]:
        """Return a HOME by contestant, whose start-up file has what its manual says."""
        place = self.bench.place
        homes = {}
        for name, text in self._told(hook=hook).items():
            home = f"{self.store}/home-{name}-{hook}"
            path = f"{home}/{RC[self.shell]}"
            os.makedirs(os.path.dirname(path))
            # else fish's first start writes completions of every manual page, in the background
            os.makedirs(f"{home}/.local/share/fish/generated_completions")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            homes[name] = home
        argv = [place.bubble, "init", self.shell, "--install", *(["--hook"] if hook else [])]
        run(argv, {**self.env, "HOME": homes["bubble"]}, place.log)
        return homes

    def _told(self, *, hook: bool) -> dict[str, str]:
        place, shell = self.bench.place, self.shell
        said = {
            "pyenv": [f"{place.pyenv}/bin/pyenv", "init", "-", shell],
            "mise": [place.mise, "activate", shell],
        }
        if hook:  # pyenv follows directories by a plug-in
            said["pyenv"] = [f"{place.pyenv}/bin/pyenv", "virtualenv-init", "-"]
            if not os.path.isdir(f"{place.pyenv}/plugins/pyenv-virtualenv"):
                del said["pyenv"]
        if not place.pyenv:
            said.pop("pyenv", None)
        if place.lacks("mise"):
            del said["mise"]
        lines = {"bare": "", "bubble": ""}
        for name, argv in said.items():
            words = " ".join(argv)
            extra = f"export PATH={place.pyenv}/bin:$PATH\n" if name == "pyenv" else ""
            lines[name] = extra + (
                f"{words} | source\n" if shell == "fish" else f'eval "$({words})"\n'
            )
        return lines

    def run(self, home: str, command: str) -> Run:
        """Run an interactive shell once."""
        env = {**self.env, "HOME": home, "ZDOTDIR": home, "XDG_CONFIG_HOME": f"{home}/.config"}
        return run([self.program, "-i", "-c", command], env, self.bench.place.log, cwd=self.here)

    def _turn(self, home: str, turns: int) -> tuple[float, str]:
        """Return the seconds of one `cd`, and which python there is in the project."""
        out = f"{self.store}/out"
        loop = _FISH_LOOP if self.shell == "fish" else _LOOP
        script = _PROMPT[self.shell] + loop
        for name, value in {
            "turns": str(turns),
            "a": self.there,
            "b": self.here,
            "out": out,
        }.items():
            script = script.replace(f"@{name}@", value)
        self.run(home, script)
        with open(out, encoding="ascii") as file:
            first, last, *python = file.read().split()
        return (int(last) - int(first)) / 1e9 / (2 * turns), "".join(python)

    def _project(self) -> None:
        """Make `there` a project that each tool knows: an environment, and a version for mise."""
        place = self.bench.place
        env: Mapping[str, str] = self.env
        run([place.bubble, "python", "adopt", place.base], env, place.log)
        minor = self.bench.packed.minor
        with open(f"{self.there}/.python-version", "w", encoding="ascii") as file:
            file.write(f"{minor}\n")
        run([place.bubble, "create", "-p", minor, "--no-pip"], env, place.log, cwd=self.there)
        with open(f"{self.there}/mise.toml", "w", encoding="utf-8") as file:
            file.write(f'[tools]\npython = "{self.bench.packed.request}"\n')
        installed = f"{self.store}/mise/installs/python/{self.bench.packed.request}/bin"
        os.makedirs(installed)
        shutil.copy("/bin/true", f"{installed}/python")
        env = {**env, "PWD": self.there}
        shim = f"{self.store}/bubble/shims/python"
        # an answer that is asked for within some 20 ms of a change isn't remembered
        time.sleep(0.1)
        subprocess.run([shim, "-c", "pass"], env=env, cwd=self.there, check=True)
