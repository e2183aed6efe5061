"""What `bubble` among the shims recognises without an interpreter: the text of a shortcut.

One small file for each project that has nothing to sync, and for each script that ran. `sh` reads
it (`shims/front.sh`) and starts one process, GNU's `stat`, whose output must be what it was. A
shortcut is derived and deletable, and says nothing but equalities: no fact is “newer than”. Its
lines:

    bubble shortcut 1 HOME      the format, and the store that it was written in
    PATH                        the directory or script that it is about
    ENVIRONMENT                 the environment's absolute path
    UNTIL                       seconds (epoch) from which the program wants to see it again; `-`
    DIRECTORY                   where the paths of the next line begin that are relative
    PATHS                       with `:` between: files, links and directories
    STATE                       what `stat` says of them, as FORMAT has it
    PATHS                       where nothing lies; with a `/` behind it: where none of UNSAID does
    PATHS                       these are there, and neither they nor what is above them are links
    .                           the end

Identity, size and times tell a file only if the next change must give it another time. So nothing
is written of what changed in the last seconds, or where whole ones are counted, on the last day.
"""

from __future__ import annotations

import os
import stat
import time

from bubble.system.files import (
    as_file_name,
    from_file_name,
    make_directory,
    names_in,
    read_text,
    write_atomic,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.layout import Layout

_FORMAT = "bubble shortcut 1"
# what `stat` prints of a file: its device, number, size, and when it and what is in it changed
FORMAT = "%d %i %s %.9Y %.9Z:"
# what makes a directory a project's (`projects.locate`)
SIGNS = ("bubble.toml", "pyproject.toml", "pylock.toml", "requirements.txt")
# what a directory hasn't got that says nothing
UNSAID = (".python-version", ".python-versions", ".tool-versions", "pyproject.toml", "bubble.toml")
SYNC, RUN, CURRENT, EXEC = "sync", "run", "current", "exec"
_SETTLED = 3_000_000_000  # nanoseconds; no file system's clock ticks more slowly than in 2 s
_LONG = 86_400_000_000_000  # nanoseconds; by more, hardly a clock is ever set back
_SECOND = 1_000_000_000
_LONGEST = 240  # bytes of a file's name
_MOST = 12_000  # bytes, which sh reads one by one: 3 ms
_LINKS = 40  # that one path leads through
_INFO = (".dist-info", ".egg-info", ".egg-link")


class Unsayable(Exception):  # noqa: N818 - it says that there is no shortcut, which is no error
    """What an answer depends on can't be said in a shortcut."""


class Look:
    """What is looked at for one shortcut. Each method raises Unsayable and OSError."""

    def __init__(self) -> None:
        self._files: dict[str, None] = {}
        self._absent: dict[str, None] = {}
        self._plain: dict[str, None] = {}
        self._from = "/"

    def file(self, path: str) -> None:
        """Note a regular file that is no link, or that nothing lies there."""
        if not os.path.lexists(path):
            self.absent(path)
        elif not stat.S_ISREG(os.lstat(path).st_mode):
            raise Unsayable
        else:
            self._files[path] = None

    def link(self, path: str) -> None:
        """Note a link itself, or that nothing lies there."""
        if not os.path.lexists(path):
            self.absent(path)
        elif not os.path.islink(path):
            raise Unsayable
        else:
            self._files[path] = None

    def absent(self, path: str) -> None:
        """Note that nothing lies at a path."""
        if os.path.lexists(path):
            raise Unsayable
        self._absent[path] = None

    def leads(self, path: str) -> str:
        """Note where an absolute path leads, by every link on its way; return that."""
        real, links = "", 0
        left = path.split("/")[::-1]
        while left:
            part = left.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                real = os.path.dirname(real)
                continue
            there = f"{real.rstrip('/')}/{part}"
            mode = os.lstat(there).st_mode
            if not stat.S_ISLNK(mode):
                real = there
                continue
            self._files[there] = None
            self._plain[os.path.dirname(there)] = None
            links += 1
            if links > _LINKS:
                raise Unsayable
            leads = os.readlink(there)
            real = "" if leads.startswith("/") else real
            left += leads.split("/")[::-1]
        self._plain[real] = None
        return real

    def packages(self, environment: str) -> None:
        """Note what `projects.state.packages_of` looks at in an environment."""
        self.file(f"{environment}/pyvenv.cfg")
        lib = f"{environment}/lib"
        self._directory(lib)
        for name in names_in(lib):
            packages = f"{lib}/{name}/site-packages"
            if os.path.islink(f"{lib}/{name}"):
                raise Unsayable
            if not os.path.lexists(packages):
                self.absent(packages)
                continue
            self._directory(packages)
            self._from = packages
            for info in names_in(packages):
                if info.endswith(_INFO):
                    self._written(f"{packages}/{info}")

    def text(self, layout: Layout, about: str, environment: str, until: str, now: int) -> str:
        """Return the shortcut; `now` is in nanoseconds (epoch), before anything was looked at."""
        states = []
        for path in self._files:
            info = os.lstat(path)
            changed = info.st_ctime_ns
            settles = _SETTLED if changed % _SECOND else _LONG
            if now - changed < settles or info.st_mtime_ns < 0:
                raise Unsayable
            states.append(told(info))
        files = [path.removeprefix(f"{self._from}/") for path in self._files]
        fields = [files, list(self._said_nowhere()), list(self._lowest())]
        if any(":" in path or "\n" in path for field in fields for path in field):
            raise Unsayable
        if any("\n" in text for text in (about, environment)) or not environment.isascii():
            raise Unsayable
        lists = [":".join(field) for field in fields]
        lines = [f"{_FORMAT} {layout.home}", about, environment, until, self._from]
        lines += [lists[0], "".join(states), *lists[1:], "."]
        return "".join(f"{line}\n" for line in lines)

    def _directory(self, path: str) -> None:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise Unsayable
        self._files[path] = None

    def _written(self, path: str) -> None:
        for name in ("RECORD", "installed-files.txt"):
            if os.path.lexists(f"{path}/{name}"):
                self.file(f"{path}/{name}")
                return
            self.absent(f"{path}/{name}")
        if os.path.islink(path):
            raise Unsayable
        self._files[path] = None

    def _said_nowhere(self) -> Iterator[str]:
        """Yield what is absent, directories that say nothing in one word."""
        silent: dict[str, int] = {}
        for path in self._absent:
            directory, name = os.path.split(path)
            if name in UNSAID:
                silent[directory] = silent.get(directory, 0) + 1
        short = {
            directory
            for directory, times in silent.items()
            if times > 1 and not any(os.path.lexists(os.path.join(directory, n)) for n in UNSAID)
        }
        yield from (f"{directory.rstrip('/')}/" for directory in silent if directory in short)
        for path in self._absent:
            directory, name = os.path.split(path)
            if name not in UNSAID or directory not in short:
                yield path

    def _lowest(self) -> Iterator[str]:
        """Yield the paths that aren't links, without those above one of them."""
        for path in self._plain:
            if path and not any(other.startswith(f"{path}/") for other in self._plain):
                yield path


def path_of(layout: Layout, kind: str, about: str) -> str:
    """Return where the shortcut of an absolute path is; "" where it has none."""
    name = f"{kind}.{as_file_name(about)}"
    return f"{layout.shortcuts}/{name}" if len(os.fsencode(name)) <= _LONGEST else ""


def about_of(name: str) -> str:
    """Return the absolute path that a shortcut is about, by its file's name; "" for none."""
    _, _, escaped = name.partition(".")
    about = from_file_name(escaped)
    return about if about.startswith("/") else ""


def leave_choice(layout: Layout, prefix: str, place: str) -> None:
    """Leave which directory for PATH (`selection.choice`) is that of one prefix (absolute)."""
    above, name = os.path.split(os.path.dirname(place))
    path, text = path_of(layout, EXEC, prefix), f"{name}\n"
    if path and above == layout.choices and is_wanted(layout, prefix) and not is_left(path, text):
        leave(layout, path, text)


def is_wanted(layout: Layout, about: str) -> bool:
    """Whether there is anybody to take a shortcut to what is about a path, as it is spelled."""
    return (
        os.path.isabs(about)
        and os.path.normpath(about) == about
        and os.path.lexists(layout.front)
        and os.path.isdir(layout.home)
        and os.stat(layout.home).st_uid == os.geteuid()
    )


def is_left(path: str, text: str) -> bool:
    """Whether a shortcut is there already."""
    return read_text(path, _MOST) == text


def leave(layout: Layout, path: str, text: str) -> None:
    """Write a shortcut; failures cost nothing."""
    if len(text) > _MOST:
        return
    try:
        make_directory(layout.shortcuts)
        write_atomic(path, os.fsencode(text))
    except OSError:
        pass


def told(info: os.stat_result) -> str:
    """Return what `stat` says of a file in FORMAT."""
    times = f"{_seconds(info.st_mtime_ns)} {_seconds(info.st_ctime_ns)}"
    return f"{info.st_dev} {info.st_ino} {info.st_size} {times}:"


def _seconds(when: int) -> str:
    return f"{when // _SECOND}.{when % _SECOND:09d}"


def now() -> int:
    """Return the time in nanoseconds (epoch)."""
    return time.time_ns()
