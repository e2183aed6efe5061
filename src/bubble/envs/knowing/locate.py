"""Which environment somebody means: a name, a path, or nothing for the directory's own."""

from __future__ import annotations

import os

from bubble.envs.knowing.bubbles import of_project
from bubble.model.errors import BubbleError
from bubble.model.text import printable, shell_word
from bubble.pythons.installed.shared import not_ours
from bubble.selection import worktree
from bubble.selection.answers import quoted
from bubble.selection.belonging import registered
from bubble.selection.registry import (
    called,
    environments,
    of_directory,
    of_name,
    shared_environments,
)
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

DEFAULT = ".venv"  # a project's own


def locate(text: str, cwd: str, layout: Layout) -> Environment:
    """Return the registered environment that `text` means in the absolute directory `cwd`.

    A text with a `/`, or that starts with `.` or `~`, is a path: of the environment, or of the
    directory that it belongs to. A name is first looked for in the project that `cwd` is in. "" is
    the nearest one from `cwd` upwards. Raises BubbleError(environment), with the next step, when
    there is none.
    """
    if not text:
        return _nearest(cwd, layout)
    if is_path(text):
        path = os.path.normpath(os.path.join(cwd, os.path.expanduser(text)))
        found = (
            of_path(path, layout) or awaited(path, layout) or awaited(f"{path}/{DEFAULT}", layout)
        )
        if found is None:
            raise _unknown_path(path, layout)
        return found
    found = (
        of_project(text, cwd, layout)
        or of_name(layout, text)
        or called(layout, text)
        or of_path(os.path.join(cwd, text), layout)
        or awaited(f"{layout.envs}/{text}", layout)
    )
    if found is None:
        raise unknown_name(text, layout)
    return found


def locate_itself(text: str, cwd: str, layout: Layout) -> Environment:
    """Return what `locate` does, for who takes it away: never another one that a link leads to.

    A repository can bring a link to any environment that it guesses the place of. Nor one of two
    that a name may mean: the project's, or the one for the whole machine.
    """
    found = require_ours(locate(text, cwd, layout), layout)
    named = of_name(layout, text) if not is_path(text) else None
    if named is not None and named.path != found.path:
        raise BubbleError(
            "environment",
            f"{printable(text)} is an environment of this project, and one for the whole machine",
            hint=f"say which: {quoted(printable(found.path))} or {quoted(printable(named.path))}",
        )
    is_name = text == found.name or found == of_project(text, cwd, layout)
    path = os.path.normpath(os.path.join(cwd, os.path.expanduser(text)))
    for candidate in (path, f"{path}/{DEFAULT}") if not is_name else ():
        real = os.path.realpath(candidate)
        if (
            os.path.islink(candidate)
            and found.path != candidate
            and real == os.path.realpath(found.path)
        ):
            shown = printable(candidate, 500)
            raise BubbleError(
                "environment",
                f"{shown} is a link to {printable(found.title, 500)}, which lies elsewhere",
                hint=f"remove the link by hand; where it leads to: bubble info {quoted(text)}",
            )
    return found


def require_ours(environment: Environment, layout: Layout) -> Environment:
    """Return an environment that is to be changed; raise BubbleError(permission) for the system's.

    What users have made for themselves, they change; what an administrator made for all, not.
    """
    if layout.is_beneath(environment.path):
        raise not_ours(f"the environment {printable(environment.title, 500)}", layout)
    return environment


def require_own_path(path: str, layout: Layout) -> None:
    """Raise BubbleError(permission) for a change at an absolute path in the system's store."""
    if layout.is_beneath(path) or layout.is_beneath(os.path.realpath(path)):
        raise not_ours(printable(path, 500), layout)


def is_path(text: str) -> bool:
    """Whether somebody who writes `text` means a path and not a name."""
    return "/" in text or text[:1] in {".", "~"}


def of_path(path: str, layout: Layout) -> Environment | None:
    """Return the environment at an absolute path, or of the project's directory there."""
    parent, name = os.path.split(path)
    for directory in (path, parent):
        found = of_directory(layout, directory)
        if found and path in {found.path, found.project}:
            return found
    if parent == layout.envs:
        return of_name(layout, name)
    if layout.is_beneath(path):
        found = of_name(layout.beneath, name)
        return found if found and found.path == path else None
    real = os.path.realpath(path)
    for environment in environments(layout):  # through links, the path may have another name
        if path == environment.path or real == os.path.realpath(environment.path):
            return environment
    return None


def unknown_name(name: str, layout: Layout) -> BubbleError:
    """Return the error for a name that no environment has."""
    shown = printable(name, 80)
    if os.path.isdir(f"{layout.envs}/{name}"):
        return BubbleError(
            "environment",
            f"{shown} is not registered, though its directory is there",
            hint=f"bubble repair {shell_word(f'{layout.envs}/{name}')}",
        )
    import difflib

    names = [e.name for e in (*environments(layout), *shared_environments(layout)) if e.name]
    close = difflib.get_close_matches(name, names, 1) if len(name) < 80 else []
    return BubbleError(
        "no_environment",
        f"there is no environment called “{shown}”",
        hint=f"did you mean: {close[0]}" if close else "see those that there are: bubble list",
    )


def require_name_free(name: str, path: str, layout: Layout) -> None:
    """Raise BubbleError(in_use) when an environment that isn't at `path` (absolute) has the name.

    Such a one was made by another tool, and lies where that put it.
    """
    known = of_name(layout, name)
    if known is not None and known.path != path:
        raise BubbleError(
            "in_use",
            f"{name} is the name of the environment at {printable(known.path, 500)}",
            hint=f"choose another name; what is there: bubble info {name}",
        )


def unregistered(path: str, layout: Layout) -> BubbleError:
    """Return the error for an environment that lies at `path` and that nobody registered."""
    from bubble.envs.knowing.ownership import claim

    found = claim(path, layout)
    return BubbleError(
        "environment",
        f"{printable(path)} is not registered: it {found.said}",
        hint=found.hint,
    )


def awaited(path: str, layout: Layout) -> Environment | None:
    """Return the environment at `path` when nobody is at work on it any more.

    Whoever makes it or takes it away holds its lock until directory and record agree.
    """
    if not os.path.isdir(path):
        return None
    from bubble.envs.knowing import placing

    lock = placing.lock(layout, path)
    if os.path.exists(lock.path):
        try:
            with lock:
                pass
        except OSError:  # a store that can't be written: nobody is at work in it
            pass
    return of_path(path, layout)


def _nearest(cwd: str, layout: Layout) -> Environment:
    for directory in upwards(cwd):
        found = registered(layout, directory)
        if found:
            return found
        inside = f"{directory.rstrip('/')}/{DEFAULT}"
        if os.path.lexists(f"{inside}/pyvenv.cfg"):
            if found := awaited(inside, layout):
                return found
            raise unregistered(inside, layout)
    alone = worktree.look(cwd, layout)
    raise BubbleError(
        "environment",
        alone.said
        if alone
        else f"no environment belongs to {printable(cwd) or 'this directory, which was deleted'}",
        hint=f"for the same one here: {alone.command}"
        if alone
        else "name one (bubble list shows them), or make one here: bubble create",
    )


def _unknown_path(path: str, layout: Layout) -> BubbleError:
    for candidate in (path, f"{path}/{DEFAULT}"):
        if os.path.lexists(f"{candidate}/pyvenv.cfg"):
            return unregistered(candidate, layout)
    directory = os.path.dirname(path) if os.path.basename(path) == DEFAULT else path
    alone = worktree.look(directory, layout)
    if alone and alone.directory == directory:
        hint = f"for the same one here: {alone.command}"
        return BubbleError("environment", alone.said, hint=hint)
    return BubbleError(
        "environment",
        f"there is no environment at {printable(path)}",
        hint="see those that there are: bubble list",
    )
