"""The environment that belongs to a directory, however the directory's path is spelled."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.text import printable
from bubble.selection.identity import claimed, is_itself, reached
from bubble.selection.registry import is_known_to_shims, of_directory
from bubble.system.pyvenv_cfg import read_configuration, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.key import Key
    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

PLACE = ".venv"  # in the directory; whatever lies there is never passed over unseen


def inside(directory: str) -> str:
    """Return the path at which a directory's environment lies."""
    return f"{directory.rstrip('/')}/{PLACE}"


def environment_of(layout: Layout, directory: str) -> Environment | None:
    """Return the environment registered for a directory (absolute, spelled anyhow).

    None where what lies there is not bubble's, or nothing does and nothing was registered under
    this very path. Raises BubbleError(environment) for one that was moved or copied here.
    """
    path = inside(directory)
    if not os.path.lexists(path):
        # a directory that lost its environment is told by its record alone, as the shim can
        return of_directory(layout, directory) if is_known_to_shims(directory) else None
    found = registered(layout, directory)
    if found is None and (original := claimed(path, layout)):
        raise _strayed(path, original, layout)
    return found


def registered(layout: Layout, directory: str) -> Environment | None:
    """Return the record of a directory, by its real path or the one that it is spelled with.

    Or else of what lies in it: the very thing that is registered by another path. What lies here
    itself and is known by a name alone is not the directory's.
    """
    real = os.path.realpath(directory)
    found = of_directory(layout, real)
    if found is None and real != directory:
        found = of_directory(layout, directory)
    if found is not None:
        return found
    elsewhere = reached(inside(directory), layout)
    return elsewhere if elsewhere and elsewhere.path != inside(real) else None


def not_itself(environment: Environment, layout: Layout) -> BubbleError:
    """Return the error for an environment in whose place something else lies.

    What is registered elsewhere is a copy of that, or was moved here.
    """
    from shlex import quote

    if original := claimed(environment.path, layout):
        return _strayed(environment.path, original, layout)
    return BubbleError(
        "environment",
        f"the environment {printable(environment.title, 500)} is not what was registered there: "
        "something else lies in its place",
        hint="move that away; if you know it and trust it: "
        f"bubble adopt {quote(printable(environment.path, 500))}",
    )


def _strayed(path: str, original: Environment, layout: Layout) -> BubbleError:
    from shlex import quote

    shown = printable(path, 500)
    ours = original.maker == "bubble"
    command = f"bubble {'repair' if ours else 'adopt'} {quote(shown)}"
    was = printable(original.path, 500)
    if is_itself(original, layout):
        return BubbleError(
            "environment",
            f"{shown} is a copy of {was}, and still says so",
            hint=f"if you copied it there, let it be one of its own: {command}",
        )
    return BubbleError(
        "environment",
        f"{shown} was at {was} when it was registered",
        hint=f"if you moved it there, let it be known where it is now: {command}",
    )


def satisfies(
    environment: Environment, request: Request, layout: Layout, platform: Platform
) -> bool:
    """Whether the interpreter that an environment has now is one that a request asks for.

    What pyvenv.cfg doesn't say of an interpreter from elsewhere is not held against it.
    """
    name = _stored(environment, layout)
    key = key_of(environment, layout, platform)
    if key is None:
        return True  # nobody knows what it is: its maker does
    if not name:
        key = key.replace(variant=request.variant, platform=request.platform or platform)
    return request.replace(build="").matches(key, platform, prereleases=True)


def key_of(environment: Environment, layout: Layout, platform: Platform) -> Key | None:
    """Return the key of the interpreter that an environment has now, None when nobody knows.

    By the installation that its `bin/python` leads to; for an interpreter from elsewhere by what
    pyvenv.cfg says.
    """
    name = _stored(environment, layout)
    if not name:
        configuration = read_configuration(environment.path)
        implementation = configuration.get("implementation", "cpython").lower()
        name = f"{implementation}-{version_of(configuration)}-{platform}"
    try:
        return parse_key(name)
    except BubbleError:
        return None


def _stored(environment: Environment, layout: Layout) -> str:
    """Return the name of the installation that an environment uses, "" for none of a store."""
    python = os.path.realpath(f"{environment.path}/bin/python")
    for shelf in layout.shelves:
        store = f"{os.path.realpath(shelf)}/"
        if python.startswith(store):
            return python.removeprefix(store).partition("/")[0]
    if os.path.dirname(environment.interpreter) in layout.shelves:  # an adopted one
        return os.path.basename(os.path.realpath(environment.interpreter))
    return ""
