"""Random worlds for the tests that hold a shim or a hook to what the resolver says.

Random trees, pins, environments (made, adopted, moved, copied, lost, strangers'), spellings of one
directory, memos (present, absent, damaged, of any time) and installed sets. Times say nothing:
files and memos get any.
"""

from __future__ import annotations

import os
import shutil
import time

from bubble.pythons.installed import meanings
from bubble.pythons.installed.shared import has_system
from bubble.selection.belonging import registered
from bubble.selection.known import directory_memos
from bubble.selection.registry import environments, forget, of_name
from bubble.selection.resolve import select
from bubble.system.layout import MARK
from support.shimworld import ShimWorld, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random

VERSIONS = (
    "cpython-3.9.13",
    "cpython-3.11.7",
    "cpython-3.11.9",
    "cpython-3.12.1",
    "cpython-3.13.0+freethreaded",
    "cpython-3.14.0rc1",
    "pypy-3.10.16",
)
REQUESTS = (
    *("3", "3.9", "3.11", "3.11.7", "3.11.8", "3.12", "3.13", "3.13t", "3.14", "3.14.0rc1"),
    *(">=3.10,<3.12", ">= 3.11, != 3.12.*", "==3.11.*", "pypy3.10", "cpython@3.12", "312"),
    *("3.11", "3.9", "3.12 # why", "3.9:3.11", "python-3.11", "system", "../x", "$(id)"),
    *("site", "3.12.1/envs/site", "ghost", "site:3.11", "3.99:site", "3.98:ghost:site"),
)
FILES = (".python-version", ".python-versions", ".tool-versions", "pyproject.toml")


def content(rng: random.Random, name: str) -> str:
    requests = [rng.choice(REQUESTS) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))]
    if name == ".tool-versions":
        lines = ["nodejs 20.1", f"python {' '.join(requests)}", "# end"]
        return "\n".join(rng.sample(lines, rng.randint(1, 3))) + "\n"
    if name == "pyproject.toml":
        specifier = rng.choice((">=3.11", ">=3.9,<3.12", "==3.12.*", ">=4", "nonsense"))
        keyed = f'requires-python = "{specifier}"\n' if rng.random() < 0.7 else ""
        return f'[project]\nname = "x"\n{keyed}'
    lines = [rng.choice(("", "# note", "  ")) for _ in range(rng.randint(0, 2))] + requests
    rng.shuffle(lines)
    end = rng.choice(("\n", "\r\n"))
    return rng.choice(("", "\ufeff")) + end.join(lines) + rng.choice(("", end))


class System:
    """A store of the system's below the one that is played with, and what befalls it.

    Nothing of this user's follows by itself: no command of theirs runs when an administrator
    changes something.
    """

    def __init__(self, rng: random.Random, above: ShimWorld) -> None:
        self.rng, self.above = rng, above
        self.home = above.layout.system
        self.world = ShimWorld(f"{above.root}/administrator", store=self.home)
        self.installed: set[str] = set()
        self.toggle()

    def change(self, env: dict[str, str]) -> None:
        if os.path.isdir(f"{self.home}.away"):
            os.rename(f"{self.home}.away", self.home)
            return
        match self.rng.randrange(8):
            case 0 | 1 | 2:
                self.toggle()
            case 3:
                self.share()
            case 4:  # its disk is gone, for a while
                os.rename(self.home, f"{self.home}.away")
            case 5:  # a change that was killed
                now = f"{self.home}/requests/now"
                if os.path.lexists(now):
                    os.unlink(now)
            case 6:
                env.pop("BUBBLE_SYSTEM_HOME", None)
            case 7:
                other = (self.home, f"{self.home}/", "none", f"{self.home}.other")
                env["BUBBLE_SYSTEM_HOME"] = self.rng.choice(other)

    def toggle(self) -> None:
        name = self.rng.choice(VERSIONS)
        if name in self.installed and len(self.installed) > 1:
            self.installed.remove(name)
            self.world.remove(name)
        elif name not in self.installed:
            self.installed.add(name)
            self.world.install(name, *self.rng.sample(("black", "mypy", "tox"), 1))

    def share(self) -> None:
        """Make the named environment of everybody, or take it away."""
        path = f"{self.world.layout.envs}/site"
        known = of_name(self.world.layout, "site")
        if os.path.exists(path):
            shutil.rmtree(path)
        if known and self.rng.random() < 0.5:
            forget(self.world.layout, known)
            return
        self.world.environment(path, self.rng.choice(sorted(self.installed)), "bubble")
        self.world.register(path, "bubble", name="site")


class Case:
    """One world and the random changes to it."""

    def __init__(self, rng: random.Random, root: str, *, shared: bool = False) -> None:
        self.rng = rng
        self.shims = ShimWorld(root, system=f"{root}/system" if shared else "")
        self.system: System | None = System(rng, self.shims) if shared else None
        self.real = [
            self.shims.tree + "".join(f"/{rng.choice('ab')}{n}" for n in range(depth))
            for depth in (0, 1, 2, 3, 5)
        ]
        for directory in self.real:
            os.makedirs(directory, exist_ok=True)
        # other names of the same: links to a directory, and to one above it
        os.symlink(self.real[1], f"{root}/link")
        os.symlink("link", f"{root}/%2F link")
        above, below = os.path.split(self.real[4])
        os.symlink(above, f"{root}/above")
        self.directories = [*self.real, f"{root}/link", f"{root}/above/{below}", f"{root}/%2F link"]
        self.installed: set[str] = set()
        self.toggle_installation()
        self.toggle_installation()
        self.env = {
            "PATH": f"{self.shims.layout.shims}:/usr/bin:/bin",
            "HOME": root,
            "BUBBLE_CACHE_DIR": self.shims.layout.cache,
        }

    def change(self) -> None:
        if self.system and self.rng.random() < 0.25:
            self.system.change(self.env)
            return
        self.rng.choice(
            (
                *(self.edit,) * 5,
                *(self.delete,) * 3,
                self.toggle_installation,
                self.set_variable,
                self.pin_globally,
                *(self.damage_memo,) * 2,
                self.make_odd,
                self.make_environment,
                *(self.lose_environment,) * 2,
                self.name_environment,
                self.move_something,
            )
        )()

    def is_settled(self, cwd: str) -> bool:
        """Whether the system's store, if it counts, isn't in the middle of a change."""
        world = self.shims.world(cwd, self.env)
        if not has_system(world.layout) or meanings.epoch(world.layout.beneath):
            return True
        return not any(word[0] in "@?" for word in select(world).words)

    def some_file(self) -> str:
        return f"{self.rng.choice(self.real)}/{self.rng.choice(FILES)}"

    def clear(self, path: str) -> None:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def some_time(self, path: str) -> None:
        """Give a file or memo a time that proves nothing: a day off, a round one, another's."""
        now = time.time_ns()
        day = 86_400 * 10**9
        then = self.rng.choice((now - day, now + day, now // 10**9 * 10**9, 10**9, now - 10**7))
        os.utime(path, ns=(then, then))

    def edit(self) -> None:
        path = self.some_file()
        self.clear(path)
        text = content(self.rng, os.path.basename(path))
        if self.rng.random() < 0.2:
            text += "# " + "x" * self.rng.choice((100, 3000)) + "\n"
        write(path, text)
        if self.rng.random() < 0.5:
            self.some_time(path)

    def delete(self) -> None:
        self.clear(self.some_file())

    def make_odd(self) -> None:
        path = self.some_file()
        self.clear(path)
        if self.rng.random() < 0.5:
            os.mkdir(path)
        else:
            os.symlink(self.rng.choice(("nothing", ".python-version", "../.python-version")), path)

    def make_environment(self) -> None:
        """What `create`, `adopt`, another tool or a stranger leaves in a directory."""
        directory = self.rng.choice(self.real)
        path = f"{directory}/.venv"
        self.clear(path)
        maker = self.rng.choice(("bubble", "bubble", "uv", "nobody", "liar"))
        self.shims.environment(path, self.rng.choice(sorted(self.installed)), maker)
        if maker == "liar":  # it says to be another one
            marks = [e.identity for e in environments(self.shims.layout)] or ["0" * 32]
            write(f"{path}/{MARK}", f"{self.rng.choice(marks)}\n")
        elif maker != "nobody":
            self.shims.register(path, maker)

    def name_environment(self) -> None:
        path = f"{self.shims.layout.envs}/site"
        if os.path.exists(path) and self.rng.random() < 0.5:
            self.clear(path)
            return
        self.clear(path)
        self.shims.environment(path, self.rng.choice(sorted(self.installed)), "bubble")
        self.shims.register(path, "bubble", name="site")

    def lose_environment(self) -> None:
        """Delete an environment, its record, or what it carries."""
        path = f"{self.rng.choice(self.real)}/.venv"
        match self.rng.randrange(4):
            case 0:
                self.clear(path)
            case 1:
                known = registered(self.shims.layout, os.path.dirname(path))
                if known:
                    forget(self.shims.layout, known)
            case 2:
                self.clear(f"{path}/bin/python")
            case 3:
                self.clear(f"{path}/{MARK}")

    def move_something(self) -> None:
        """Move or copy a directory's environment, or what it stands in, to another directory."""
        source, target = self.rng.sample(self.real, 2)
        source, target = f"{source}/.venv", f"{target}/.venv"
        if os.path.isdir(source) and not os.path.islink(source):
            self.clear(target)
            match self.rng.randrange(3):
                case 0:
                    os.rename(source, target)
                case 1:
                    shutil.copytree(source, target, symlinks=True)
                case 2:
                    os.symlink(source, target)

    def toggle_installation(self) -> None:
        name = self.rng.choice(VERSIONS)
        if name in self.installed and len(self.installed) > 1:
            self.installed.remove(name)
            self.shims.remove(name)
        elif name not in self.installed:
            self.installed.add(name)
            self.shims.install(name, *self.rng.sample(("black", "mypy", "tox"), 1))

    def set_variable(self) -> None:
        self.env.pop("BUBBLE_PYTHON", None)
        if self.rng.random() < 0.4:
            self.env["BUBBLE_PYTHON"] = self.rng.choice(REQUESTS)

    def pin_globally(self) -> None:
        path = self.shims.layout.global_pin
        self.clear(path)
        if self.rng.random() < 0.7:
            write(path, content(self.rng, ".python-version"))

    def damage_memo(self) -> None:
        layouts = (self.shims.layout, self.shims.layout.with_own_memos())
        memos = [path for layout in layouts for _, path in directory_memos(layout)]
        memos += [x.global_answer for x in layouts if os.path.exists(x.global_answer)]
        if not memos:
            return
        memo = self.rng.choice(memos)
        os.chmod(memo, 0o600)  # it may have been damaged before, and this may not be root
        match self.rng.randrange(6):
            case 0:
                os.unlink(memo)
            case 1:
                os.truncate(memo, self.rng.randint(0, os.path.getsize(memo)))
            case 2:
                os.chmod(memo, 0)
            case 3:  # an older bubble's: only the answer
                with open(memo) as file:
                    first = file.readline()
                write(memo, first)
            case 4:
                self.some_time(memo)
            case 5:
                layout = self.rng.choice(layouts)
                self.clear(self.rng.choice((layout.answers, layout.requests)))
