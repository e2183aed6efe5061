"""The shell integration's code for this machine, and the files that `init --install` keeps."""

from __future__ import annotations

import os
import sys

from bubble.selection.shell import SHELLS, render_init
from bubble.system.files import read_text, replace_file, unlink_quietly
from bubble.system.made import make_directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.cli.context import Context
    from bubble.system.layout import Layout

_ENDINGS = {"pwsh": "ps1"}


def code(shell: str, context: Context, *, hook: bool) -> str:
    """Return what a shell evaluates; raises BubbleError(usage) as `render_init`."""
    from bubble.cli.completions import completions

    layout = context.layout
    return render_init(
        shell,
        program(),
        layout,
        completions(shell, layout),
        hook=hook,
        export_home=_is_elsewhere(context),
        python=sys.executable,
    )


def install(shell: str, context: Context, *, hook: bool | None) -> tuple[tuple[str, str], ...]:
    """Write the code below bubble's home, and a block that reads it into the start-up files.

    `hook` None keeps what was asked for the last time. Returns what was done to which path.
    Raises BubbleError(permission, io) before anything is changed where that can be foreseen.
    """
    from bubble.selection.rcfile import add, check, plan

    layout = context.layout
    wanted = _has_hook(shell, layout) if hook is None else hook
    blocks = plan(shell, context.env, layout.home)
    for block in blocks:
        check(block)
    changes = []
    for path in _init_files(shell, layout):
        own = path == init_file(shell, layout)
        text = _stamped(shell if own else "sh", context, hook=wanted and own)
        changes.append(_write(path, text))
    for block in blocks:
        make_directories(os.path.dirname(os.path.realpath(block.path)), layout)
        changes += add(block)
    return tuple(changes)


def uninstall(shell: str, context: Context) -> tuple[tuple[str, str], ...]:
    """Take the block out of the start-up files and remove the code; returns what was done."""
    from bubble.selection.rcfile import plan, remove

    blocks = plan(shell, context.env, context.layout.home, every=True)
    changes = [change for block in blocks for change in remove(block)]
    for path in _init_files(shell, context.layout):
        if os.path.lexists(path):
            unlink_quietly(path)
            changes.append(("removed", path))
    return tuple(changes)


def refresh(context: Context) -> None:
    """Renew the installed code that another version or place of bubble wrote. Raises OSError."""
    for shell in SHELLS:
        path = init_file(shell, context.layout)
        head = (read_text(path, 4096) or "").partition("\n")[0]
        hook = head.endswith(_HOOK)
        if head and head != _stamp(shell, hook=hook):
            _write(path, _stamped(shell, context, hook=hook))


def init_file(shell: str, layout: Layout) -> str:
    """Return the path of a shell's installed code."""
    return f"{layout.home}/init.{_ENDINGS.get(shell, shell)}"


def program() -> str:
    """Return the absolute path of the bubble program."""
    from bubble.pythons.probing.isolation import own_launcher, own_scripts

    path = os.path.join(own_scripts(), "bubble")
    if launcher := own_launcher():
        return launcher
    if os.path.exists(path):
        return path
    return os.path.abspath(sys.argv[0])


_HOOK = ", with the hook"


def _init_files(shell: str, layout: Layout) -> tuple[str, ...]:
    """Return what a shell's start-up files read: ~/.profile is for sh and bash alike."""
    path = init_file(shell, layout)
    return (path, init_file("sh", layout)) if shell == "bash" else (path,)


def _stamp(shell: str, *, hook: bool) -> str:
    from bubble import __version__

    shown = program().encode("unicode_escape").decode("ascii")
    return f"# bubble {__version__} ({shown}) wrote this for {shell}{_HOOK * hook}"


def _stamped(shell: str, context: Context, *, hook: bool) -> str:
    return f"{_stamp(shell, hook=hook)}\n{code(shell, context, hook=hook)}"


def _has_hook(shell: str, layout: Layout) -> bool:
    text = read_text(init_file(shell, layout), 4096) or ""
    return text.partition("\n")[0].endswith(_HOOK)


def _write(path: str, text: str) -> tuple[str, str]:
    if read_text(path) == text:
        return "unchanged", path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    replace_file(path, text.encode("utf-8", "surrogateescape"))
    return "wrote", path


def _is_elsewhere(context: Context) -> bool:
    """Whether a shell without this one's variables would look for bubble's home elsewhere."""
    from bubble.model.errors import BubbleError
    from bubble.system.layout import layout_from

    plain = {n: v for n, v in context.env.items() if n not in {"BUBBLE_HOME", "XDG_DATA_HOME"}}
    try:
        return layout_from(plain).home != context.layout.home
    except BubbleError:
        return True
