"""Memos: answers of the resolver, left where the shim and the hooks recognise them.

What is in one is `selection.facts`' business. A memo is derived: whoever can't write one pays the
slow path and nothing else. It is left only after a second look that found everything as it was at
the first, so that it can't say of one moment what was so at another.
"""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError
from bubble.pythons.installed import meanings
from bubble.pythons.installed.shared import has_system
from bubble.selection import shortcuts
from bubble.selection.facts import Memo, Unsayable, memos_of, told_memo
from bubble.selection.resolve import select
from bubble.selection.sources import VARIABLE
from bubble.system.files import make_directory, unlink_quietly, write_atomic
from bubble.system.foreign import foreign_owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Selection, World
    from bubble.system.layout import Layout

# what may be a variable's text, for the shim: a request that can be a file's name
VARIABLE_CHARACTERS = meanings.CHARACTERS - {"^"}
_LATER = 2_000_000_000  # nanoseconds; see `_write`


def leave(selection: Selection, world: World) -> None:
    """Write the memos that let the shim answer as `selection` does; failures cost nothing.

    Into the store, or where that is somebody else's, into this user's own cache.
    """
    text = world.env.get(VARIABLE, "")
    if selection.source.kind == "variable" and not is_sayable(text):
        return
    try:
        if not _is_writable(world.layout):
            world = world.replace(layout=_own(world))
        when = "" if world.layout.memos else _epoch(world.layout)
        shared = has_system(world.layout)  # then each memo itself says what requests mean
        first = memos_of(selection, world)
        again = select(world)
        if again != selection or memos_of(again, world) != first:
            return
        if when and not shared:
            _remember(selection, when, world.layout)
        whole = when or world.layout.memos or not any(w[0] == "@" for w in selection.words)
        for memo in first if whole else first[:-1]:
            _write(memo)
    except (OSError, OverflowError, BubbleError, Unsayable):
        pass  # a read-only or full store, no such time, a change: the slow path again next time


def leave_told(selection: Selection, world: World, text: str) -> None:
    """Let the front tell of a selection what people are told, `text`; failures cost nothing.

    Nothing else must be to tell.
    """
    layout = world.layout
    kinds = {"file", "global", "environment"}
    if selection.source.kind not in kinds or len(selection.words) != 1:
        return
    path = shortcuts.path_of(layout, shortcuts.CURRENT, world.cwd)
    if not path or selection.answers[0].is_system or not shortcuts.is_wanted(layout, world.cwd):
        return
    try:
        leave(selection, world)  # it holds with that alone
        memo = told_memo(path, text, selection, world)
        if shortcuts.is_left(path, "".join(f"{line}\n" for line in memo.lines)):
            return
        again = select(world)
        if again == selection and told_memo(path, text, again, world) == memo:
            _write(memo)
    except (OSError, OverflowError, BubbleError, Unsayable):
        pass


def leave_here(world: World) -> None:
    """Let the working directory's answer be known before a shim has run there.

    By both of its names, where it was reached through a link.
    """
    world = world.replace(env={n: v for n, v in world.env.items() if n != VARIABLE})
    for cwd in dict.fromkeys((world.cwd, os.path.realpath(world.cwd))):
        here = world.replace(cwd=cwd)
        try:
            selection = select(here)
        except BubbleError:
            continue  # only the slow path can explain
        leave(selection, here)


def is_sayable(text: str) -> bool:
    """Whether the variable's text can be a memo's file name."""
    return VARIABLE_CHARACTERS.issuperset(text) and text[:1] != "." and len(text) <= 200


def _is_writable(layout: Layout) -> bool:
    """Whether this user may leave memos in the store."""
    place = layout.answers if os.path.isdir(layout.answers) else layout.home
    return os.access(place, os.W_OK | os.X_OK)


def _own(world: World) -> Layout:
    """Return the layout of the memos that this user has of another's store; make their place.

    It must be this user's alone: who else writes there would choose this user's Pythons. Raises
    Unsayable and OSError.
    """
    place = world.layout.own_memos
    if not world.layout.cache or foreign_owner(place, world.env):
        raise Unsayable
    os.makedirs(os.path.dirname(place), exist_ok=True)
    try:
        os.mkdir(place, 0o700)
    except FileExistsError:
        pass
    info = os.lstat(place)
    if info.st_uid != os.geteuid() or not stat.S_ISDIR(info.st_mode) or info.st_mode & 0o022:
        raise Unsayable
    return world.layout.with_own_memos()


def _epoch(layout: Layout) -> str:
    """Return the present epoch of what requests mean; begin one where a change was killed."""
    when = meanings.epoch(layout)
    if not when:
        from bubble.system.lock import Lock

        try:
            with Lock(f"{layout.locks}/store", timeout=0):
                if not meanings.epoch(layout):
                    meanings.begin(layout, {})
        except BubbleError:
            return ""  # it changes now
        when = meanings.epoch(layout)
    return when


def _remember(selection: Selection, when: str, layout: Layout) -> None:
    known = {a.word[1:]: a.prefix for a in selection.answers if a.word[:1] == "@"}
    for word in selection.words:
        if word[:1] == "@":
            prefix = known.get(word[1:], meanings.NOTHING)
            meanings.remember(layout, when, word[1:], prefix)


def _write(memo: Memo) -> None:
    """Write a memo, after its stamps, whose names say what they are.

    Its time is a little later than that of all that it compares: so the shim needs not read what
    is newer still, which may be large, to know that it is something else.
    """
    directory = os.path.dirname(memo.path)
    make_directory(directory)
    for stamp, made in memo.stamps:
        write_atomic(stamp, b"")
        os.utime(stamp, ns=(made, made))
        if os.stat(stamp).st_mtime_ns != made:
            return  # times are coarser here
    newest = max((modified for _, _, modified, _ in memo.looked), default=0)
    write_atomic(memo.path, os.fsencode("".join(f"{line}\n" for line in memo.lines)))
    os.utime(memo.path, ns=(newest + _LATER, newest + _LATER))
    kept = {stamp for stamp, _ in memo.stamps}
    for name in os.listdir(directory) if memo.path.endswith("/answer") else ():
        if name.startswith("stamp.") and f"{directory}/{name}" not in kept:
            unlink_quietly(f"{directory}/{name}")
