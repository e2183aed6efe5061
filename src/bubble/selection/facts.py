"""What an answer was made from, as facts that `sh` can check with builtins: a memo's text.

A memo is recognised, never interpreted, and each of its facts is an equality with what is there.
Line 1 is the format and the home of the store that it was written in. Line 2 has the answer's
words with `:` between: a prefix, `@` and a request that `requests/now` answers, `=` and a key, or
`system`; `-` alone: this directory says nothing. Line 3 names what of NAMES is in the directory.
Then the facts, and `.` at the end:

    3           the next line is the path of a regular file, and the 3 lines after it are the file's
    t           the next line is the path of a file that can be read, and is as old as the file of
                the line after it
    =           the next two lines are paths of one file or directory
    d           the next line is the path of a directory
    l           the next line is the path of a link to nothing
    f           there is no link at the path of the next line
    -           there is nothing at the path of the next line
    n           the directory of the next line names no version: it has none of PIN_NAMES
    .           the end

A user who can't write to the store has memos of their own in their cache, and can't say in the
store what a request means either: so the key stands in them, and a fact that what is installed is
what it was (`requests/now` leads to the same directory). No prefix stands in one: whoever makes
them, they choose among the store's Pythons.

Contents decide. Only of a larger file it is the time (equal, not later), where that is finer than
a second and old enough that the next change must get another one.
"""

from __future__ import annotations

import os
import time

from bubble.model.record import Record
from bubble.pythons.installed import meanings
from bubble.pythons.installed.shared import has_system
from bubble.selection.belonging import PLACE, inside, registered
from bubble.selection.identity import link_of, mark_file
from bubble.selection.registry import is_known_to_shims, project_file, record_path
from bubble.selection.sources import PINS, PYPROJECT, READERS, VARIABLE, in_directory, pin_above
from bubble.system.directory import upwards
from bubble.system.layout import ADOPTED, MARK
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.selection.registry import Environment
    from bubble.selection.resolve import Selection, World
    from bubble.selection.sources import Choice
    from bubble.system.layout import Layout

FORMAT = "bubble answer 3"
NOTHING = "-"
FILE_NAMES = tuple(name for name, _ in READERS)
PIN_NAMES = tuple(name for name, _ in PINS)
NAMES = (PLACE, *FILE_NAMES)
_SMALL = 2048  # bytes that `sh` compares in half a millisecond
_LARGEST = 16384  # bytes that it compares where the time can't be trusted
_SETTLED = 3_000_000_000  # nanoseconds; no file system's clock ticks more slowly than in 2 s


class Memo(Record):
    """A memo to be written at `path`: its lines, and its stamps (absolute path, time in ns).

    `looked` is what each file was as it was read, to be compared with a second look: number,
    size, time of its content and of its last change in ns.
    """

    path: str
    lines: tuple[str, ...]
    stamps: tuple[tuple[str, int], ...]
    looked: tuple[tuple[int, int, int, int], ...]


def head_of(layout: Layout) -> str:
    """Return a memo's first line: one of a store that was copied says nothing in the copy.

    Nor does one that was made where BUBBLE_SYSTEM_HOME said something else.
    """
    return f"{FORMAT} {layout.home} {layout.said}" if layout.said else f"{FORMAT} {layout.home}"


class Unsayable(Exception):  # noqa: N818 - it says that there is no memo, which is no error
    """What an answer depends on can't be said in a memo."""


def memos_of(selection: Selection, world: World) -> tuple[Memo, ...]:
    """Return the memos by which the shim answers as `selection` does: its own comes last.

    Before it are those of the directories below that say nothing. Raises Unsayable, OSError and
    BubbleError where there can be none.
    """
    source, layout = selection.source, world.layout
    if source.kind == "variable":
        text = world.env[VARIABLE]
        facts = _Facts(f"{layout.variable_answers}/{text}", layout)
        return (facts.memo("", _words(selection, facts, world)),)
    passed = []
    for directory in upwards(world.cwd):
        if directory == source.directory:
            break
        if names := _names(directory):
            facts = _Facts(layout.answer(directory), layout)
            facts.look_at_directory(directory, names, None, world)
            passed.append(facts.memo(" ".join(names), NOTHING))
    if source.kind == "default":
        return tuple(passed)
    if source.kind == "global":
        facts = _Facts(layout.global_answer, layout)
        facts.content(layout.global_pin)
        return (*passed, facts.memo("version", _words(selection, facts, world)))
    directory = source.directory
    names = _names(directory)
    facts = _Facts(layout.answer(directory), layout)
    facts.look_at_directory(directory, names, next(in_directory(directory), None), world)
    if source.file_name == PYPROJECT:
        facts.look_above(directory, world)
    return (*passed, facts.memo(" ".join(names), _words(selection, facts, world)))


def told_memo(path: str, text: str, selection: Selection, world: World) -> Memo:
    """Return the memo of what people are told of a selection, `text`, for the front.

    It holds only with the answer's own memos, and where the same directory decides; its facts are
    what doesn't decide, but is told. Raises as `memos_of`.
    """
    source, facts = selection.source, _Facts(path, world.layout)
    if source.directory == "/" or "\n" in text or not text.isascii():
        raise Unsayable
    for directory in upwards(world.cwd):
        pyproject = f"{directory.rstrip('/')}/{PYPROJECT}"
        if os.path.lexists(pyproject):
            facts.content(pyproject)
        if directory == source.directory:
            break
    for name in PIN_NAMES if source.directory else ():
        if os.path.lexists(f"{source.directory}/{name}"):
            facts.content(f"{source.directory}/{name}")
    layout = world.layout
    for answer in selection.answers:
        if environment := answer.environment:
            facts.content(record_path(layout.holding(environment.path), environment))
    facts.look_at_installed(layout)
    facts.look_at_system(layout)
    words = _handed(selection) if has_system(layout) else list(selection.words)
    return facts.memo(f"{':'.join(words)} {source.directory}", text)


def _names(directory: str) -> tuple[str, ...]:
    return tuple(name for name in NAMES if os.path.lexists(f"{directory.rstrip('/')}/{name}"))


def _words(selection: Selection, facts: _Facts, world: World) -> str:
    """Return the answer's words, and note what environments that are named there are."""
    layout = world.layout
    for word in selection.words:
        if not word or ":" in word:
            raise Unsayable
        if word[0] == "?":
            facts.absent_name(word[1:], layout)
    for answer in selection.answers:
        if answer.environment and selection.source.kind != "environment":
            facts.look_at_environment(answer.environment, world)
    installed = any(word[0] in "@?" for word in selection.words)
    if installed:
        facts.look_at_system(layout)
    if layout.memos:
        facts.look_at_installed(layout)
        return ":".join(_keys(selection, layout))
    if installed and has_system(layout):
        facts.look_at_installed(layout)
        return ":".join(_handed(selection))
    return ":".join(word for word in selection.words if word[0] != "?")


def _keys(selection: Selection, layout: Layout) -> list[str]:
    """Return the words for a memo that this user has of another's store."""
    own = f"{layout.pythons}/"
    known = {a.word: f"={a.prefix.removeprefix(own)}" for a in selection.answers if a.key}
    found = [known.get(w, w) for w in selection.words if w in known or w[0] not in "@?"]
    if any("/" in word for word in found):
        raise Unsayable  # an environment: whoever registered it leaves its memo; or the system's
    return found


def _handed(selection: Selection) -> list[str]:
    """Return the words where the system has a store, too: what requests mean lies in either.

    So each directory's memo names the prefix itself, and both stores as they were.
    """
    known = {a.word: a.prefix for a in selection.answers if a.key}
    found = [known.get(w, w) for w in selection.words if w in known or w[0] not in "@?"]
    if any(":" in word for word in found):
        raise Unsayable
    return found


class _Facts:
    """The facts of one memo, as they are collected."""

    def __init__(self, path: str, layout: Layout) -> None:
        self.path = path
        self.head = head_of(layout)
        self.lines: list[str] = []
        self.looked: list[tuple[int, int, int, int]] = []
        self.stamps: list[tuple[str, int]] = []

    def memo(self, names: str, words: str) -> Memo:
        return Memo(
            path=self.path,
            lines=(self.head, words, names, *self.lines, "."),
            stamps=tuple(self.stamps),
            looked=tuple(self.looked),
        )

    def look_at_directory(
        self, directory: str, names: Iterable[str], said: Choice | None, world: World
    ) -> None:
        """Note what in a directory was looked at until something was `said`."""
        if PLACE not in names and is_known_to_shims(directory):
            self.absent(f"{world.layout.registry}/{project_file(directory)}")
        for name in names:
            path = f"{directory.rstrip('/')}/{name}"
            if name == PLACE:
                self._look_inside(directory, world)
                continue
            self._look_at_file(path)
            if said and said.source.path == path:
                return

    def look_above(self, directory: str, world: World) -> None:
        """Note what pins there are above a directory, as `sources.pin_above` looks for them."""
        above = pin_above(directory, world.layout)
        for parent in upwards(os.path.dirname(directory)) if directory != "/" else ():
            names = [n for n in PIN_NAMES if os.path.lexists(f"{parent.rstrip('/')}/{n}")]
            if not names:
                self._add("n", parent)
            for name in PIN_NAMES if names else ():
                path = f"{parent.rstrip('/')}/{name}"
                if name in names:
                    self._look_at_file(path)
                else:
                    self.absent(path)
                if above and above.source.path == path:
                    return
        if above:
            self.content(above.source.path)
        else:
            self.absent(world.layout.global_pin)

    def look_at_environment(self, environment: Environment, world: World) -> None:
        """Note what makes a registered environment be itself, with the interpreter it has."""
        mark = mark_file(environment)
        if not mark:
            raise Unsayable  # it is known by what sh can't see
        layout = world.layout.holding(environment.path)
        if layout is not world.layout:  # one of this user's would come first
            self.absent(record_path(world.layout, environment))
        self.content(record_path(layout, environment))
        self.content(mark)
        if link := link_of(environment, layout):
            self._same(mark, link)
        self._add("f", mark)  # as a link it would be that of the real one, which was moved away
        python = f"{environment.path}/bin/python"
        self._same(python, os.path.realpath(python))
        # what tells the version of an interpreter from elsewhere, as `belonging.key_of` has it
        in_store = os.path.dirname(environment.interpreter) in world.layout.shelves
        if in_store:
            self._same(environment.interpreter, os.path.realpath(environment.interpreter))
        if not in_store or environment.maker != "bubble":
            self.content(f"{environment.path}/pyvenv.cfg")

    def look_at_installed(self, layout: Layout) -> None:
        """Note that nothing was installed or removed since."""
        when = meanings.epoch(layout)
        if not when:
            raise Unsayable  # it changes now
        self._same(f"{layout.requests}/now", f"{layout.requests}/{when}")

    def look_at_system(self, layout: Layout) -> None:
        """Note that the system's store is as it was, or that there is still none."""
        if has_system(layout):
            self.look_at_installed(layout.beneath)
        elif layout.system:
            self.absent(layout.beneath.pythons)

    def absent_name(self, name: str, layout: Layout) -> None:
        """Note that no environment has a name."""
        self.absent(f"{layout.registry}/n.{name}")
        if has_system(layout):
            self.absent(f"{layout.beneath.registry}/n.{name}")

    def absent(self, path: str) -> None:
        """Note that there is nothing at a path."""
        if os.path.lexists(path):
            raise Unsayable
        self._add("-", path)

    def content(self, path: str) -> None:
        """Note the lines of a regular file."""
        info = os.stat(path)
        data = read_regular(path, _LARGEST)
        if data is None or b"\0" in data:
            raise Unsayable
        lines = os.fsdecode(data).split("\n")
        if len(lines) > 1 and not lines[-1]:
            lines.pop()
        self._add(str(len(lines)), path, *lines)
        self._note(info)

    def _look_inside(self, directory: str, world: World) -> None:
        """Note which environment belongs to a directory, or that none does."""
        layout = world.layout
        real = os.path.realpath(directory)
        self._same(directory, real)
        found = registered(layout, directory)
        records = [f"{layout.registry}/{project_file(spelled)}" for spelled in (real, directory)]
        for path in dict.fromkeys(records):  # in the order in which they count
            if found and path == record_path(layout, found):
                break
            self.absent(path)
        if found:
            self.look_at_environment(found, world)
            self._same(inside(directory), found.path)
            return
        place = inside(directory)
        for path in (f"{place}/{MARK}", f"{place}/{ADOPTED}"):
            if os.path.islink(path):
                raise Unsayable  # it doesn't count, and sh would follow it
            if os.path.exists(path):
                self.content(path)
            else:
                self.absent(path)

    def _look_at_file(self, path: str) -> None:
        if os.path.isdir(path):
            self._add("d", path)
            return
        if os.path.islink(path) and not os.path.exists(path):
            self._add("l", path)
            return
        info = os.stat(path)
        if info.st_size <= _SMALL or not _is_told_by_its_time(info):
            self.content(path)
            return
        if not os.access(path, os.R_OK):
            raise Unsayable  # its time stays when that changes
        stamp = f"{os.path.dirname(self.path)}/stamp.{info.st_mtime_ns}"
        self.stamps.append((stamp, info.st_mtime_ns))
        self._add("t", path, stamp)
        self._note(info)

    def _same(self, first: str, second: str) -> None:
        self._add("=", first, second)

    def _note(self, info: os.stat_result) -> None:
        self.looked.append((info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns))

    def _add(self, kind: str, *lines: str) -> None:
        if any("\n" in line for line in lines):
            raise Unsayable
        self.lines += [kind, *lines]


def _is_told_by_its_time(info: os.stat_result) -> bool:
    """Whether any other content must have another time."""
    age = time.time_ns() - info.st_mtime_ns
    return age > _SETTLED and info.st_mtime_ns % 1_000_000_000 != 0
