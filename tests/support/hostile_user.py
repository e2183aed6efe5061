"""A user with a store and a HOME worth stealing, who works in a stranger's repository.

They use every command of bubble there, and do whatever bubble then tells them to. What is said
with an “if you …” before it is theirs to know, and isn't done.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys

from bubble.cli.table import COMMANDS, GROUPS
from support.builds import interpreters
from support.handmade import write
from support.hostile_repository import Kind, User, ship
from support.patience import PATIENCE
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUPPORT = os.path.dirname(os.path.abspath(__file__))
_DEPTH = 3
_MOST = 8  # commands that are followed after one
_THEIRS = re.compile(r"\bif (?:you|it is)\b")  # what follows is for the user to know
_CODE = {"init", "completions"}  # they print programs, not hints
# of HOME: what a command that was asked to writes, and what shells write for themselves
_MAY_CHANGE = (
    ".local/share",
    ".config/fish",
    ".cache",
    ".rustup",
    ".bash",
    ".zsh",
    ".profile",
)
_CONFIGURATION = ".config/bubble"  # this only by these
_CONFIGURE = {("config", "set"), ("config", "unset")}
SHIMS = (
    ("python", "-c", "pass"),
    ("python3", "-c", "import sys"),
    ("pip", "--version"),
    ("uv", "--version"),
)


class World:
    """Everything below `root`; `bug` is planted in every bubble that runs in it (`planted_trust`).

    `clone` is where the repository comes to lie; nothing is there yet.
    """

    def __init__(self, root: Path, env: dict[str, str], bug: str = "") -> None:
        self.root = str(root)
        self.home = f"{root}/user"
        self.clone = f"{root}/clone"
        self.canary = f"{root}/ran"
        self.bubble = self._program(bug)
        self.store = env["BUBBLE_HOME"]
        self.shims = f"{self.store}/shims"
        self.env = {
            **env,
            "HOME": self.home,
            "PATH": f"{self.shims}:.:{self.shims}/../shims/:{env['PATH']}",
            "BUBBLE_OFFLINE": "1",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        for name in (".ssh/authorized_keys", ".ssh/id", ".config/app", ".local/bin/mine"):
            write(f"{self.home}/{name}", f"{name}, as it was\n")
        self.prefix = self._python()
        self.run("python", "adopt", self.prefix, cwd=self.root)
        self.wheel = wheel(self.root, "tool", "1.0", script="tool")
        self.train = self._made("create", "train", cwd=self.root)
        # an environment with uv in it: there is a shim of that name from now on
        os.chmod(write(f"{self.train}/bin/uv", "#!/bin/sh\nexit 0\n"), 0o755)
        os.makedirs(f"{root}/mine")
        mine = self._made("create", "--no-pip", cwd=f"{root}/mine")
        self.run("rehash", cwd=self.root)
        (library,) = os.listdir(f"{self.train}/lib")
        store_python = os.path.realpath(f"{mine}/bin/python")
        self.user = User(
            home=self.home,
            mine=mine,
            store_python=f"{os.path.dirname(store_python)}/{library}",
            python=library,
        )
        self.before = self.outside()
        self.tried = 0

    def _program(self, bug: str) -> str:
        if not bug:
            return f"{os.path.dirname(sys.executable)}/bubble"
        planted = f"{shlex.quote(sys.executable)} -P {SUPPORT}/planted_trust.py"
        # in the place of the interpreter that shims and doctor start with `-c`
        write(
            f"{self.root}/planted/python",
            '#!/bin/sh\nwhile [ "$1" != -c ]; do shift; done\nshift 2\n'
            f'PLANTED_PYTHON="$0" exec {planted} {bug} "$@"\n',
        )
        path = f"{self.root}/planted/bubble"
        write(path, f'#!/bin/sh\nPLANTED_PYTHON="${{0%/*}}/python" exec {planted} {bug} "$@"\n')
        for name in ("python", "bubble"):
            os.chmod(f"{self.root}/planted/{name}", 0o755)
        return path

    def _python(self) -> str:
        found = [p for v, p in interpreters() if not v.startswith("3.8.")]
        return found[-1] if found else sys.base_prefix

    def _made(self, *words: str, cwd: str) -> str:
        done = self.run(*words, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ship(self, kind: Kind) -> None:
        """Let the repository of a kind be at `clone`."""
        ship(self.clone, self.canary, kind, self.user)

    def run(self, *words: str, cwd: str = "") -> subprocess.CompletedProcess[str]:
        """Run bubble in a directory, the repository by default."""
        done = self.start(self.bubble, *words, cwd=cwd)
        if words[:2] in _CONFIGURE:
            self.before = {p: s for p, s in self.before.items() if not self._configures(p)}
            self.before |= {p: s for p, s in self.outside().items() if self._configures(p)}
        return done

    def _configures(self, path: str) -> bool:
        return f"{path}/".startswith(f"{self.home}/{_CONFIGURATION}/")

    def start(self, *argv: str, cwd: str = "") -> subprocess.CompletedProcess[str]:
        """Run any program, as this user, who has `.` on PATH: what that finds is on them alone."""
        directory = cwd or self.clone
        path = self.env["PATH"]
        if argv[1:2] == ("run",) and "pip" in argv:  # it calls uname
            path = path.replace(":.:", ":")
        return subprocess.run(
            argv,
            cwd=directory,
            env={**self.env, "PATH": path, "PWD": directory},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )

    def use(self, *words: str, cwd: str = "") -> Iterator[tuple[str, ...]]:
        """Run a command of bubble, and what it says is to be done; yield each command line."""
        waiting = [(words, 0)]
        seen = {words}
        while waiting and len(seen) <= _MOST:
            now, depth = waiting.pop(0)
            done = self.run(*now, cwd=cwd)
            self.tried += 1
            yield now
            if now[0] in _CODE or depth == _DEPTH:
                continue
            for away, line in steps(f"{done.stdout}\n{done.stderr}"):
                if line not in seen:
                    seen.add(line)
                    if away:
                        self.move_away()
                    waiting.append((line, depth + 1))

    def move_away(self) -> None:
        """Move the environment of the repository away, as the hint says that asks for it."""
        if os.path.lexists(f"{self.clone}/.venv"):
            away = f"{self.clone}/away"
            os.rename(f"{self.clone}/.venv", next(_free(away)))

    def try_shims(self, cwd: str = "", *, all_of_them: bool = True) -> None:
        """Run what a user types without thinking of bubble, or `python` alone, which is quick."""
        for name, *words in SHIMS if all_of_them else SHIMS[:1]:
            self.start(f"{self.shims}/{name}", *words, cwd=cwd)

    def harm(self) -> list[str]:
        """Return what ran of the repository, and what was changed outside it and the store."""
        found = []
        if os.path.exists(self.canary):
            with open(self.canary, encoding="utf-8", errors="replace") as file:
                found += sorted({f"ran: {line.strip()}" for line in file})
            os.unlink(self.canary)
        now = self.outside()
        found += [
            f"changed: {path}"
            for path in sorted(self.before.keys() | now.keys())
            if self.before.get(path) != now.get(path)
        ]
        return found

    def outside(self) -> dict[str, tuple[object, ...]]:
        """Return path → what is there, for all of the user's but the repository and the store."""
        found: dict[str, tuple[object, ...]] = {}
        for root in (self.home, f"{self.root}/mine"):
            for directory, directories, names in os.walk(root):
                below = os.path.relpath(directory, self.home)
                if below.startswith(_MAY_CHANGE):
                    directories.clear()
                    continue
                for name in (*directories, *names):
                    path = f"{directory}/{name}"
                    if os.path.relpath(path, self.home).startswith(_MAY_CHANGE):
                        continue
                    found[path] = _state(path)
        return found


def _state(path: str) -> tuple[object, ...]:
    if os.path.islink(path):
        return ("link", os.readlink(path))
    if not os.path.isfile(path):
        return ("directory", os.stat(path).st_mode)
    info = os.stat(path)
    with open(path, "rb") as file:
        return (info.st_mode, info.st_mtime_ns, info.st_nlink, file.read())


def _free(path: str) -> Iterator[str]:
    return (p for p in (f"{path}.{n}" for n in itertools.count()) if not os.path.lexists(p))


def steps(text: str) -> list[tuple[bool, tuple[str, ...]]]:
    """Return the command lines of bubble in what it said, each with whether to move `.venv` away.

    Not those that are given under a condition which only the user can know.
    """
    found = []
    doubted = False  # by the line before, of whose command this line is
    for line in text.splitlines():
        theirs = doubted and line.lstrip().startswith("mend: ")
        away = False
        for part in re.split(r"; (?:or )?|, or |, then: ", line):
            away = away or "move it away" in part or "move that away" in part
            theirs = theirs or bool(_THEIRS.search(part))
            at = re.search(r"(?:^|[\s:`])bubble (?=[a-z-])", part)
            if at is None:
                continue
            words = _words(part[at.start() :].strip(" :`").removeprefix("bubble "))
            if words and not theirs:
                found.append((away, words))
            theirs = False  # it was said of this command
        doubted = bool(_THEIRS.search(line))
    return found


def _words(line: str) -> tuple[str, ...]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return ()
    depth = 2 if words[:1] and words[0] in GROUPS else 1
    if " ".join(words[:depth]) not in COMMANDS or any(w.isupper() for w in words):
        return ()
    ends = {"|", ">", "&&"}
    return tuple(itertools.takewhile(lambda word: word not in ends, words))


def command_lines(world: World) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return every command of bubble with sensible arguments for who sits in a repository."""
    minor = world.user.python.removeprefix("python")
    fresh = ("fresh", "-p", minor, world.wheel)
    ask = ("python", "-c", "pass")
    lines: dict[str, tuple[tuple[str, ...], ...]] = {
        "python install": ((), (minor,)),
        "python list": ((), ("--installed",)),
        "python find": ((), (minor,)),
        "python uninstall": (("3.99",), ("stranger",)),
        "python upgrade": ((),),
        "python verify": ((),),
        "python adopt": ((world.prefix,),),
        "python update": ((),),
        "python dir": ((),),
        "create": ((), ("--force",), ("--with", world.wheel), fresh, ("fresh", "--force")),
        "remove": ((".venv",), ("fresh",), ("./venv",), ("stranger",)),
        "run": (("train", *ask), (".venv", *ask), ("stranger", *ask)),
        "use": ((minor,), (), ("--unset",)),
        "local": ((minor,), ()),
        "global": ((minor,), ()),
        "current": ((),),
        "which": (("python",), ("uv",), ("stranger",)),
        "whence": (("python",), ("stranger",)),
        "exec": (ask, ("pip", "--version"), ("-p", minor, *ask), ("uv", "--version")),
        "explain": ((), ("pip",)),
        "rehash": ((),),
        "list": ((), ("--json",)),
        "info": ((), (".venv",), ("train",)),
        "clone": ((".venv", "./copy"), ("train", "./copy"), ("train", "copied")),
        "rename": (("fresh", "fresher"), ("stranger", "fresh")),
        "repair": ((), (".venv",), ("train",)),
        "adopt": (("3.12",), (".venv",), ("venv", "--name", "stranger")),
        "import": (("pyenv",), ("requirements.txt", "--dry-run")),
        "new": ((), ("--force",)),
        "lock": ((), ("--all", "--check")),
        "sync": ((), ("--all", "--frozen"), ("--dry-run",)),
        "status": ((),),
        "rollback": ((),),
        "self info": ((),),
        "self update": ((), ("--from", "."), ("--back",)),
        "self uninstall": (("--dry-run",), ("--all",)),
        "config list": ((),),
        "config get": (("offline",),),
        "config set": (("offline", "true"),),
        "config unset": (("offline",),),
        "config path": ((),),
        "export": ((), (".venv",), ("train",)),
        "pack": ((), ("train", "-o", "train.tar.gz"), (".venv", "--as-is", "--force")),
        "unpack": (("train.tar.gz", "there"), ("pack.tar.gz", "there")),
        "doctor": ((), ("--fix",)),
        "gc": ((), ("--all",)),
        "cache dir": ((),),
        "cache size": ((),),
        "cache prune": ((),),
        "kernel install": ((".",), ("train",)),
        "kernel list": ((),),
        "kernel remove": (("train",),),
        "shell": ((minor,), ("stranger",)),
        "activate": ((), (".venv",), ("train",)),
        "deactivate": ((),),
        "init": (("bash",), ("--install",)),
        "completions": (("bash",), ("fish",)),
        "mirror create": (("mirror", minor),),
        "mirror pack": (("mirror", world.prefix),),
        "bundle create": (("b.sh", minor, "--project", "."),),
        "bundle install": (("b.sh", "--project", "."),),
        "bundle show": (("b.sh",),),
    }
    return {c: tuple((*c.split(), *words) for words in each) for c, each in lines.items()}
