"""Shims while others install, rehash and die: none is lost, each works at every moment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bubble.envs.discarding.gc.scratch import leftovers
from bubble.selection.shims import follow, rehash
from bubble.system.files import is_temporary
from bubble.system.lock import Lock
from support.figures import caught, record
from support.needs import FULL, LINUX_ONLY, needs
from support.scene import command
from support.shimworld import PLATFORM, ShimWorld, write
from support.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = LINUX_ONLY
SHELLS = 64
BUBBLE = f"{os.path.dirname(sys.executable)}/bubble"
COMMANDS = ("python", "python3", "python3.11", "black", "old")
# a pip that installs one command, or takes it away
PIP = """#!/bin/sh
bin=${0%/*}
case $1 in
install) printf '#!/bin/sh\\necho %s\\n' "$2" >"$bin/.$2" && chmod +x "$bin/.$2" &&
    mv "$bin/.$2" "$bin/$2" ;;
uninstall) rm "$bin/$2" ;;
esac
"""


def world(root: str) -> ShimWorld:
    """Make a store with one double that has a pip, pinned in `tree`, and its memo."""
    made = ShimWorld(root, slow=sys.executable)
    prefix = made.install("cpython-3.11.7", "black", "old")
    write(f"{prefix}/bin/pip", PIP, 0o755)
    made.changed()
    write(f"{made.tree}/.python-version", "3.11\n")
    return made


def variables(made: ShimWorld) -> dict[str, str]:
    return {
        "PATH": f"{made.layout.shims}:/usr/bin:/bin",
        "BUBBLE_HOME": made.layout.home,
        "HOME": made.root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def test_shells_that_install_and_rehash_at_once_lose_no_shim(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    made = world(str(tmp_path))
    env = {**variables(made), "PWD": made.tree}
    script = (
        'read -r go; python >/dev/null && pip install "$1" && "$1" && python >/dev/null &&'
        ' if [ "$2" = rehash ]; then "$3" rehash >/dev/null 2>&1; fi && "$1" &&'
        ' if [ "$2" = uninstall ]; then pip uninstall "$1"; fi'
    )
    kinds = ("rehash", "uninstall", "")
    plan = {f"tool-{n}": kinds[n % len(kinds)] for n in range(SHELLS)}
    children = {
        name: subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", name, kind, BUBBLE],
            env=env,
            cwd=made.tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, kind in plan.items()
    }
    started = time.monotonic()
    for child in children.values():
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    slowest = 0.0
    while any(child.poll() is None for child in children.values()):
        begun = time.monotonic()
        assert made.run("python", made.tree, env).returncode == 0
        slowest = max(slowest, time.monotonic() - begun)
    seconds = time.monotonic() - started
    for name, child in children.items():
        out, err = child.communicate()
        assert (out, err, child.returncode) == (f"{name}\n{name}\n", "", 0), name
    kept = {name for name, kind in plan.items() if kind != "uninstall"}
    there = set(os.listdir(made.layout.shims)) - {"bubble"}
    assert there == {*COMMANDS, "pip", "pip3", *kept}
    assert rehash(made.layout, sys.executable).added == ()
    record_property("seconds for all", round(seconds, 2))
    record_property("slowest python meanwhile", round(slowest, 3))
    print(f"{SHELLS} shells in {seconds:.2f} s; the slowest python meanwhile {slowest:.3f} s")
    record("shells that install and rehash at once: no shim is lost", tried=SHELLS, held=SHELLS)


@pytest.mark.parametrize("known", [False, True])
def test_a_python_waits_for_nobody_who_renews_the_shims(tmp_path: Path, *, known: bool) -> None:
    made = world(str(tmp_path))
    if known:
        assert made.run("python", made.tree, variables(made)).returncode == 0
    with Lock(f"{made.layout.locks}/shims"):
        assert made.run("python", made.tree, variables(made)).returncode == 0


def test_a_rehash_that_began_with_an_older_look_removes_nobodys_shim(tmp_path: Path) -> None:
    """The look that counts is the one under the lock."""
    made = world(str(tmp_path))
    from bubble.selection import shims

    prefix = f"{made.layout.pythons}/{next(iter(os.listdir(made.layout.pythons)))}"
    looked = shims._wanted
    looks = 0

    def slow_look(layout: object) -> tuple[set[str], list[str]]:
        nonlocal looks
        looks += 1
        found = looked(layout)  # type: ignore[arg-type] # passed on as it came
        if looks == 1:  # somebody installs right after the first look
            write(f"{prefix}/bin/late", "#!/bin/sh\n", 0o755)
            os.link(made.layout.shim, f"{made.layout.shims}/late")
        return found

    write(f"{prefix}/bin/more", "#!/bin/sh\n", 0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shims, "_wanted", slow_look)
        done = rehash(made.layout, sys.executable)
    assert looks == 2
    assert done.added == ("more",)
    assert os.path.exists(f"{made.layout.shims}/late")


EMPTIES_FIRST = """
import os, sys
from bubble.selection import shims
look = shims._wanted
looks = []
def bug(layout):
    looks.append(1)
    if len(looks) == 2:
        for name in os.listdir(layout.shims):
            os.unlink(f"{layout.shims}/{name}")
    return look(layout)
shims._wanted = bug
from bubble.cli.main import main
sys.exit(main(["rehash"], os.environ))
"""
# a memo that has its answer before it has what the answer was made from
FACTS_LAST = """
import os, sys
from bubble.selection import memos
os.getpid = lambda: 4711
os.urandom = bytes
write = memos._write
def bug(memo):
    write(memo.replace(lines=(*memo.lines[:3], ".")))
    write(memo)
memos._write = bug
from bubble.cli.main import main
sys.exit(main(sys.argv[1:], os.environ))
"""


class Killed:
    """A store to which something happened, to be rehashed or asked by what is killed."""

    def __init__(self, root: str) -> None:
        self.made = world(root)
        self.home = self.made.layout.home
        self.scratch = f"{root}/scratch"
        self.env = {**variables(self.made), "PWD": self.scratch}
        write(f"{self.scratch}/.python-version", "3.11\n")
        self.expected = {name: self.ask(name) for name in COMMANDS}
        self.saved = f"{root}/saved"

    def ask(self, name: str) -> tuple[str, str, int]:
        try:
            done = self.made.run(name, self.scratch, self.env)
        except FileNotFoundError as error:
            return "", str(error), 127
        return done.stdout, done.stderr, done.returncode

    def save(self) -> None:
        subprocess.run(["cp", "-a", self.home, self.saved], check=True)

    def restore(self) -> None:
        shutil.rmtree(self.home)
        subprocess.run(["cp", "-a", self.saved, self.home], check=True)


@pytest.fixture
def killed(tmp_path: Path) -> Killed:
    return Killed(str(tmp_path))


@needs("strace")
@pytest.mark.parametrize("bug", ["", EMPTIES_FIRST], ids=["as it is", "planted: empties first"])
def test_a_rehash_that_is_killed_anywhere_leaves_every_shim_working(
    killed: Killed, bug: str
) -> None:
    made = killed.made
    prefix = os.path.dirname(os.path.dirname(killed.expected["python"][0].strip()))
    # another bubble, a command more and a command less: every kind of change in one rehash
    rehash(made.layout, "/an/older/python")
    assert os.path.exists(made.layout.answer(killed.scratch))
    os.unlink(f"{prefix}/bin/old")
    write(f"{prefix}/bin/new", '#!/bin/sh\necho "$0"\n', 0o755)
    killed.save()
    lasting = [name for name in COMMANDS if name != "old"]

    def check() -> list[str]:
        problems = [
            f"{name}: {answer}"
            for name in lasting
            if (answer := killed.ask(name)) != killed.expected[name]
        ]
        rehash(made.layout, sys.executable)
        there = set(os.listdir(made.layout.shims)) - {"bubble"}
        if there != {*lasting, "new", "pip", "pip3"}:
            problems.append(f"the next rehash leaves {sorted(there)}")
        if leftovers := [n for n in os.listdir(killed.home) if n.endswith(".tmp")]:
            problems.append(f"the next rehash leaves {leftovers}")
        return problems

    report = sweep(
        [sys.executable, "-c", bug] if bug else command("rehash", bug="none"),
        env=killed.env,
        roots=[killed.home],
        scratch=killed.scratch,
        prepare=killed.restore,
        check=check,
        stop_early=bool(bug),
    )
    if bug:
        assert report.problems, "the harness doesn't see a directory that is emptied first"
        caught("shims are emptied first", by="kills of bubble rehash")
        return
    print(report)
    assert (report.problems, report.missed) == ([], [])
    assert report.calls > 12


# the names of temporary files are the same each time, or the sweep would not find the calls again
FOLLOWS = """
import os, sys
from bubble.selection.shims import follow
from bubble.system.layout import Layout
os.getpid = lambda: 4711
os.urandom = bytes
follow(Layout(home=sys.argv[1], cache=""), sys.executable, sys.argv[2:])
"""
# says what was seen, for shims as they are now, before the new ones are there
SEEN_FIRST = """
from bubble.selection import shims
add = shims._link
def bug(layout, name):
    before = shims.shim_record.read(layout)
    state, things = shims.shim_record.state_of(layout), shims.shim_record.things_of(layout)
    shims.shim_record.write(layout, before.replace(state=state, things=things))
    return add(layout, name)
shims._link = bug
"""


@needs("strace")
@pytest.mark.parametrize("bug", ["", SEEN_FIRST], ids=["as it is", "planted: seen first"])
def test_adding_that_is_killed_anywhere_is_made_good_by_the_next(killed: Killed, bug: str) -> None:
    made = killed.made
    killed.save()

    def prepare() -> None:
        killed.restore()
        rehash(made.layout, sys.executable)
        prefix = made.layout.python(f"cpython-3.12.1-{PLATFORM}")
        for name in ("python3.12", "new", "newer"):
            write(f"{prefix}/bin/{name}", "#!/bin/sh\n", 0o755)
        write(f"{prefix}/.bubble/receipt.json", "{}")

    def check() -> list[str]:
        problems = [
            f"{name}: {answer}"
            for name in COMMANDS
            if (answer := killed.ask(name)) != killed.expected[name]
        ]
        follow(made.layout, sys.executable, ())  # of somebody who made something else
        there = set(os.listdir(made.layout.shims)) - {"bubble"}
        if there != {*COMMANDS, "pip", "pip3", "python3.12", "new", "newer"}:
            problems.append(f"the next one leaves {sorted(there)}")
        if leftovers := [n for n in os.listdir(killed.home) if n.endswith(".tmp")]:
            problems.append(f"the next one leaves {leftovers}")
        return problems

    report = sweep(
        [sys.executable, "-c", bug + FOLLOWS, killed.home],
        env=killed.env,
        roots=[killed.home],
        scratch=killed.scratch,
        prepare=prepare,
        check=check,
        stop_early=bool(bug),
    )
    if bug:
        assert report.problems, "the harness doesn't see that the shims come too late"
        return
    print(report)
    assert (report.problems, report.missed) == ([], [])
    assert report.calls > 8


@needs("strace")
@pytest.mark.parametrize("bug", ["", FACTS_LAST], ids=["as it is", "planted: facts last"])
def test_a_memo_whose_writer_is_killed_anywhere_is_none_or_right(killed: Killed, bug: str) -> None:
    memo = killed.made.layout.answer(killed.scratch)
    os.unlink(memo)
    killed.save()

    def check() -> list[str]:
        problems = []
        pin = f"{killed.scratch}/.python-version"
        write(pin, "3.9\n")
        os.utime(pin, (1, 1))
        if (answer := killed.ask("python"))[2] != 127:
            problems.append(f"python, for another version: {answer}")
        write(pin, "3.11\n")
        if (answer := killed.ask("python")) != killed.expected["python"]:
            problems.append(f"python: {answer}")
        if not os.path.isfile(memo):
            problems.append("there is no memo after the next call")
        left = []
        for place, _, names in os.walk(killed.home):
            left += [f"{place}/{name}" for name in names if is_temporary(name)]
        for path in left:
            os.utime(path, (1, 1))  # long ago
        if {item.path for item in leftovers(killed.made.layout)} != set(left):
            problems.append(f"left, and no garbage: {left}")
        return problems

    arguments = ["shim-fallback", killed.home, "python"]
    report = sweep(
        [sys.executable, "-c", bug, *arguments] if bug else command(*arguments, bug="none"),
        env=killed.env,
        roots=[killed.home],
        scratch=killed.scratch,
        prepare=killed.restore,
        check=check,
        stop_early=bool(bug),
    )
    if bug:
        assert report.problems, "the harness doesn't see a memo without its facts"
        caught("a memo gets its facts last", by="kills of a memo's writer")
        return
    print(report)
    assert (report.problems, report.missed) == ([], [])
    assert report.points >= 4
    assert not FULL or report.killed == report.points
