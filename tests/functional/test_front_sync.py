"""`bubble sync` and `bubble run FILE` of the front say what the program would, or become it.

The front answers from shortcuts, the program from its own memos. Here nobody waits until files
have settled: the clock by which a shortcut is left is put ahead, and every edit waits for the next
tick of the file system.
"""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.model.platform import parse_platform
from bubble.projects.quick import nothing_to_do
from bubble.projects.shortcuts import leave_sync
from bubble.pythons.installed.store import publish_changes
from bubble.selection import front, shortcuts
from support.frontworld import BECAME, SHELLS, ask, double, tick
from support.needs import FULL, LINUX_ONLY
from support.projects import Site
from support.shimworld import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

pytestmark = [LINUX_ONLY]
STEPS = 400 if FULL else 0  # beyond every edit once


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything have settled."""
    now = shortcuts.now
    monkeypatch.setattr(shortcuts, "now", lambda: now() + 10_000_000_000)


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path, layout: Layout) -> Site:
    made = Site(bubble, str(tmp_path))
    made.ok("sync")
    front.write(layout, double(layout))
    return made


class Edits:
    """What can happen to a project, each with the way back."""

    def __init__(self, site: Site, layout: Layout) -> None:
        self.site, self.layout = site, layout
        (python,) = os.listdir(f"{site.root}/.venv/lib")
        self.packages = f"{site.root}/.venv/lib/{python}/site-packages"

    def rewrite(self, path: str) -> Callable[[], object]:
        """Write a file in place, of the same size and with the same times."""
        info = os.stat(path)
        with open(path, "r+b") as file:
            data = file.read()
            file.seek(0)
            file.write(data[:-1] + b" ")
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))

        def back() -> None:
            with open(path, "r+b") as file:
                file.write(data)
            os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))

        return back

    def replace(self, path: str) -> Callable[[], object]:
        """Move another file with an old time into its place."""
        os.rename(path, f"{path}.kept")  # that very file comes back
        write(f"{path}.new", "# another\n")
        os.utime(f"{path}.new", (1, 1))
        os.rename(f"{path}.new", path)
        return lambda: os.rename(f"{path}.kept", path)

    def times(self, path: str) -> Callable[[], object]:
        """Touch it with an old time: the same content."""
        os.utime(path, (1, 1))
        return lambda: os.utime(path)

    def mode(self, path: str) -> Callable[[], object]:
        mode = os.stat(path).st_mode & 0o777
        os.chmod(path, mode ^ 0o020)
        return lambda: os.chmod(path, mode)

    def away(self, path: str) -> Callable[[], object]:
        os.rename(path, f"{path}.away")
        return lambda: os.rename(f"{path}.away", path)

    def appears(self, path: str) -> Callable[[], object]:
        write(path, "3.8\n")
        return lambda: os.unlink(path)

    def link(self, path: str) -> Callable[[], object]:
        """Put a link to it in its place."""
        os.rename(path, f"{path}.real")
        os.symlink(f"{path}.real", path)

        def back() -> None:
            os.unlink(path)
            os.rename(f"{path}.real", path)

        return back

    def copy(self, path: str) -> Callable[[], object]:
        """Put a copy as `cp -a` makes it in its place."""
        os.rename(path, f"{path}.real")
        shutil.copytree(f"{path}.real", path, symlinks=True)

        def back() -> None:
            shutil.rmtree(path)
            os.rename(f"{path}.real", path)

        return back

    def package(self, name: str) -> Callable[[], object]:
        path = f"{self.packages}/{name}-1.0.dist-info"
        write(f"{path}/RECORD", "")
        return lambda: shutil.rmtree(path)

    def epoch(self, _: str) -> Callable[[], object]:
        """Do what every change of the store does."""
        publish_changes(self.layout, parse_platform(self.site.platform))
        return lambda: None

    def all(self) -> list[tuple[Callable[[str], Callable[[], object]], str]]:
        """Return the edits with their paths."""
        root, home = self.site.root, self.layout.home
        mark = f"{root}/.venv/.bubble-environment"
        python = f"{home}/pythons/{self.site.key}"
        record = next(f"{self.packages}/{n}/RECORD" for n in sorted(os.listdir(self.packages))
                      if n.startswith("alpha-") and n.endswith(".dist-info"))  # fmt: skip
        states = [f"{home}/synced/{n}" for n in os.listdir(f"{home}/synced")
                  if not n.startswith("now.")]  # fmt: skip
        files = [f"{root}/bubble.toml", f"{root}/pylock.toml", f"{root}/.venv/pyvenv.cfg", mark,
                 record, f"{python}/.bubble/receipt.json", *states]  # fmt: skip
        trees = [f"{root}/.venv", self.packages, python, root]
        names = (".python-version", ".tool-versions", "pyproject.toml", "requirements.txt")
        above = os.path.dirname(root)
        found = [(self.appears, f"{place}/{name}") for name in names for place in (root, above)]
        ways = (self.rewrite, self.replace, self.away, self.times, self.mode, self.link)
        found += [(how, path) for path in files for how in ways]
        found += [(how, path) for path in trees for how in (self.away, self.link) if path != root]
        found += [(how, path) for path in trees for how in (self.copy,) if path != python]
        found += [(self.link, f"{root}/.venv/bin"), (self.link, f"{root}/.venv/lib")]
        found += [
            (self.away, f"{root}/.venv/bin/python"),
            (self.replace, f"{root}/.venv/bin/python"),
        ]
        found += [(self.appears, f"{above}/bubble.toml"), (self.appears, f"{home}/version")]
        return [*found, (self.package, "delta"), (self.epoch, "")]


def walk(site: Site, layout: Layout, script: str, seed: int) -> None:
    """Make random edits, and hold the front to the program after each."""
    chance, edits = random.Random(seed), Edits(site, layout)
    known = [("default", f"{site.root}/.venv")]
    way = f"{site.directory}/way"
    os.symlink(site.root, way)
    every = edits.all()
    names = list(SHELLS)
    for number in range(len(every) + STEPS):
        how, path = every[number] if number < len(every) else chance.choice(every)
        shell = names[number % len(names)]
        if nothing_to_do(layout, site.root, (), everything=False) == known:
            leave_sync(layout, site.root, known)
            said = ask(layout, site.root, "sync", script=script, shells=[shell])
            assert said == {known[0][1]}, (shell, how.__name__, path)
        back = how(path)
        tick(site.directory)
        for pwd in (site.root, way):
            truth = nothing_to_do(layout, pwd, (), everything=False)
            said = ask(layout, site.root, "sync", script=script, pwd=pwd, shells=[shell])
            if said != {BECAME}:
                assert said == {path for _, path in truth or ()}, (shell, how.__name__, path)
        back()
        tick(site.directory)


def test_the_front_never_says_of_a_sync_what_the_program_would_not(
    site: Site, layout: Layout
) -> None:
    walk(site, layout, layout.front, 1)
    site.ok("sync")
    leave_sync(layout, site.root, [("default", f"{site.root}/.venv")])
    for cwd in (site.root, f"{site.root}/train"):
        assert ask(layout, cwd, "sync") == {f"{site.root}/.venv"}
    assert site.call("sync", "--check", "default").status == 0


BUGS = {
    "files aren't compared": ('[ "${_bubble_line#*:}" = "$_bubble_wanted" ] || return 1', ":"),
    "what has come isn't seen": ("in $_bubble_absent", "in"),
    "links aren't seen": ('[ ! -L "$_bubble_path" ] || return 1', ":"),
    "times that can be set decide": ("%d %i %s %.9Y %.9Z:", "%s %.9Y:"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_front_that_looks_less_closely_is_caught(
    site: Site, layout: Layout, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    right, wrong = BUGS[bug]
    with open(layout.front) as file:
        text = file.read()
    assert right in text
    other = f"{site.directory}/front"
    write(other, text.replace(right, wrong), 0o755)
    if "%" in right:
        monkeypatch.setattr(shortcuts, "told", lambda info: f"{info.st_size} {seconds(info)}:")
    with pytest.raises(AssertionError, match=r"alpha|bubble|site|python|version"):
        walk(site, layout, other, 1)


def seconds(info: os.stat_result) -> str:
    whole, rest = divmod(info.st_mtime_ns, 1_000_000_000)
    return f"{whole}.{rest:09d}"
