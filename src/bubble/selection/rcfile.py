"""One marked block in a shell's start-up file: put there once, taken out without a trace.

Bytes in, bytes out: nothing else in the file is looked at or changed.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.files import replace_file, unlink_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

BEGIN = b"# >>> bubble init >>>"
_NEWLINE_ADDED = b" (and a newline before this one)"
END = b"# <<< bubble init <<<"
BACKUP = ".before-bubble"
# a login bash reads the first that is there; the last one is made where there is none
_LOGIN_FILES = (".bash_profile", ".bash_login", ".profile")


class Block(Record):
    """What one start-up file (absolute path, links not followed) is to say: lines of code."""

    path: str
    lines: tuple[str, ...]


def plan(
    shell: str, env: Mapping[str, str], home: str, *, every: bool = False
) -> tuple[Block, ...]:
    """Return the start-up files of a shell and what each is to say.

    `home` is bubble's. `every` adds the files that could have been chosen once.
    Raises BubbleError(usage) where HOME is not known.
    """
    user = env.get("HOME", "")
    if not os.path.isabs(user):
        raise BubbleError(
            "usage", "HOME is not set: where are the start-up files?", hint="set HOME"
        )
    config = env.get("XDG_CONFIG_HOME", "")
    config = config if os.path.isabs(config) else f"{user}/.config"
    match shell:
        case "bash":
            login = [f"{user}/{name}" for name in _LOGIN_FILES]
            if not every:
                login = [next(filter(os.path.lexists, login), login[-1])]
            return (
                Block(path=f"{user}/.bashrc", lines=_posix(f"{home}/init.bash")),
                *(Block(path=path, lines=_bash_or_sh(home)) for path in login),
            )
        case "zsh":
            dotdir = env.get("ZDOTDIR", "")
            where = dotdir if os.path.isabs(dotdir) else user
            return (Block(path=f"{where}/.zshrc", lines=_posix(f"{home}/init.zsh")),)
        case "sh":
            return (Block(path=f"{user}/.profile", lines=_bash_or_sh(home)),)
        case "fish":
            file = quoted(f"{home}/init.fish", "fish")
            lines = (f"if test -r {file}", f"    source {file}", "end")
            return (Block(path=f"{config}/fish/conf.d/bubble.fish", lines=lines),)
        case "pwsh":
            file = quoted(f"{home}/init.ps1", "pwsh")
            return (
                Block(
                    path=f"{config}/powershell/Microsoft.PowerShell_profile.ps1",
                    lines=(f"if (Test-Path -LiteralPath {file}) {{ . {file} }}",),
                ),
            )
    # nu reads a source at parse time: a missing file would be an error, null is none
    file = quoted(f"{home}/init.nu", "nu")
    read = (
        f"const bubble_init = if ({file} | path exists) {{ {file} }} else {{ null }}",
        "source $bubble_init",
    )
    return (Block(path=f"{config}/nushell/config.nu", lines=read),)


def check(block: Block) -> None:
    """Raise what `add` would raise, as far as that can be foreseen; changes nothing."""
    target = os.path.realpath(block.path)
    _split(_read(target, block) or b"", block.path)
    directory = os.path.dirname(target)
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    if not os.access(directory, os.W_OK):
        raise _read_only(block)


def add(block: Block) -> tuple[tuple[str, str], ...]:
    """Put the block at the file's end, or renew it where it stands; returns what was done.

    The first time the file is kept beside itself. A link is written through. Raises
    BubbleError(permission, io) and OSError; the file is then as it was.
    """
    target = os.path.realpath(block.path)
    old = _read(target, block)
    text = "".join(f"{line}\n" for line in block.lines).encode("utf-8", "surrogateescape")
    head, inside, tail = _split(old or b"", block.path)
    if inside is None:
        newline = b"\n" if head and not head.endswith(b"\n") else b""
        first = BEGIN + (_NEWLINE_ADDED if newline else b"")
        new = head + newline + first + b"\n" + text + END + b"\n"
    else:
        first = inside.partition(b"\n")[0]
        new = head + first + b"\n" + text + END + b"\n" + tail
    if new == old:
        return (("unchanged", block.path),)
    done = []
    if old is not None and inside is None:
        backup = f"{target}{BACKUP}"
        if not os.path.lexists(backup):
            info = os.stat(target)
            replace_file(backup, old, info.st_mode & 0o777)
            os.utime(backup, ns=(info.st_atime_ns, info.st_mtime_ns))
            done.append(("kept the old one as", backup))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    _replace(target, new)
    return (*done, ("wrote", block.path))


def remove(block: Block) -> tuple[tuple[str, str], ...]:
    """Take the block out; a file that held nothing else, and that bubble made, goes with it.

    Returns what was done. Raises as `add`.
    """
    target = os.path.realpath(block.path)
    old = _read(target, block)
    head, inside, tail = _split(old or b"", block.path)
    if old is None or inside is None:
        _drop_backup(block, target, old)  # of a removal that was killed
        return (("unchanged", block.path),)
    if inside.partition(b"\n")[0].rstrip() == BEGIN + _NEWLINE_ADDED and not tail:
        head = head[:-1]
    if head + tail == b"" and not os.path.lexists(f"{target}{BACKUP}"):
        unlink_quietly(target)
        return (("removed", block.path),)
    _replace(target, head + tail)
    _drop_backup(block, target, head + tail)
    return (("took the block out of", block.path),)


def _drop_backup(block: Block, target: str, now: bytes | None) -> None:
    """Remove what was kept of the file, if that is what it is again, and give it its time."""
    backup = f"{target}{BACKUP}"
    if os.path.lexists(backup) and _read(backup, block) == now:
        info = os.stat(backup)
        os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
        unlink_quietly(backup)


def _posix(file: str) -> tuple[str, ...]:
    word = quoted(file, "sh")
    return (f"if [ -r {word} ]; then", f"    . {word}", "fi")


def _bash_or_sh(home: str) -> tuple[str, ...]:
    bash, sh = quoted(f"{home}/init.bash", "sh"), quoted(f"{home}/init.sh", "sh")
    return (
        f'if [ -n "${{BASH_VERSION-}}" ] && [ -r {bash} ]; then',
        f"    . {bash}",
        f"elif [ -r {sh} ]; then",
        f"    . {sh}",
        "fi",
    )


def _read(target: str, block: Block) -> bytes | None:
    try:
        with open(target, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise BubbleError(
            "io", f"{printable(block.path)} is a directory", hint="move it away, then try again"
        ) from None
    if not os.access(target, os.W_OK):
        raise _read_only(block)
    return data


def _replace(target: str, data: bytes) -> None:
    """Write in one step, with the mode and the owner that the file had."""
    try:
        info = os.stat(target)
    except FileNotFoundError:
        replace_file(target, data)
        return
    replace_file(target, data, info.st_mode & 0o777, (info.st_uid, info.st_gid))


def _read_only(block: Block) -> BubbleError:
    code = "; ".join(line.strip() for line in block.lines).replace("then; ", "then ")
    return BubbleError(
        "permission",
        f"{printable(block.path)} can't be written",
        hint=f"put this into it in your own way: {printable(code, 400)}",
    )


def _split(data: bytes, path: str) -> tuple[bytes, bytes | None, bytes]:
    """Return what stands before the block, the block (None without one), and what follows."""
    lines = data.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if line.startswith(BEGIN)), None)
    if first is None:
        return data, None, b""
    last = next((i for i, line in enumerate(lines) if i > first and line.startswith(END)), None)
    if last is None:
        raise BubbleError(
            "io",
            f"{printable(path)} has the beginning of bubble's block but not its end",
            hint=f"remove what is left of it by hand, from the line {BEGIN.decode()}",
        )
    return (
        b"".join(lines[:first]),
        b"".join(lines[first : last + 1]),
        b"".join(lines[last + 1 :]),
    )
