"""`bubble init`: the shell integration, printed or installed."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

EXAMPLES = (
    ("bubble init --install", "set up the shell that you use, for every new one"),
    ("bubble init zsh --install --hook", "and follow the directories' environments at cd"),
    ("bubble init --uninstall", "take exactly that back"),
    ('eval "$(bubble init bash)"', "by hand: in ~/.bashrc (zsh: ~/.zshrc, sh: ~/.profile)"),
    ("bubble init fish | source", "by hand: in ~/.config/fish/config.fish"),
    ("bubble init pwsh | Out-String | iex", "by hand: in $PROFILE"),
    ("bubble init nu | save -f ~/.bubble.nu", "by hand: then `source ~/.bubble.nu` in config.nu"),
)
DETAILS = (
    "Puts the shims on PATH, and makes the `bubble` function (shell, activate, deactivate) and\n"
    "completions. The code is static: a shell that evaluates it starts no process. On a terminal,\n"
    "where the code is of no use, it says what to do with it instead."
)

# where a shell's user writes the line that evaluates the code, and that line
_BY_HAND = {
    "bash": ("~/.bashrc", 'eval "$(bubble init {})"'),
    "zsh": ("~/.zshrc", 'eval "$(bubble init {})"'),
    "sh": ("~/.profile", 'eval "$(bubble init {})"'),
    "fish": ("~/.config/fish/config.fish", "bubble init {} | source"),
    "pwsh": ("$PROFILE", "bubble init {} | Out-String | iex"),
    "nu": ("config.nu, after: bubble init nu | save -f ~/.bubble.nu", "source ~/.bubble.nu"),
}


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    from bubble.selection.shell import SHELLS

    parser.add_argument(
        "shells", metavar="SHELL", nargs="*", help=f"one of {', '.join(SHELLS)}; - says nothing"
    )
    parser.add_argument(
        "--hook",
        action=argparse.BooleanOptionalAction,
        help="at every cd, activate the directory's environment or leave it",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--install", action="store_true", help="write it into the start-up files")
    what.add_argument("--uninstall", action="store_true", help="take it out of them again")


def execute(options: Namespace, context: Context) -> Outcome:
    """Print, install or take back."""
    from bubble.cli import shell_files

    shell = _named(options.shells) or _detected(context)
    if options.install:
        changes = shell_files.install(shell, context, hook=options.hook)
        context.renew_shims()  # `python` has its shim before there is one to run: what asks, fails
        return _report(shell, changes)
    if options.uninstall:
        return _report(shell, shell_files.uninstall(shell, context))
    if os.isatty(1) and not context.output.json:
        return Outcome(data=None, lines=_what_to_do(shell, hook=bool(options.hook)))
    code = shell_files.code(shell, context, hook=bool(options.hook))
    return Outcome(
        data={"shell": shell, "hook": bool(options.hook), "code": code},
        lines=(code.rstrip("\n"),),
    )


def _report(shell: str, changes: tuple[tuple[str, str], ...]) -> Outcome:
    notes = [f"{what} {path}" for what, path in changes if what != "unchanged"]
    if not notes:
        notes = [f"nothing to do for {shell}"]
    elif any(what == "wrote" for what, _ in changes):
        notes.append("open a new shell, and it is there")
    return Outcome(
        data={"shell": shell, "changes": [{"what": what, "path": path} for what, path in changes]},
        notes=tuple(notes),
    )


def _what_to_do(shell: str, *, hook: bool) -> tuple[str, ...]:
    """Return what somebody is told who typed it at a terminal, where code is of no use."""
    words = f"{shell} --hook" if hook else shell
    file, line = _BY_HAND[shell]
    return (
        f"for every new {shell}:  bubble init {words} --install",
        f"by hand, in {file}:  {line.format(words)}",
        f"to read the code:  bubble init {words} | less",
        "(to begin a project: bubble new)",
    )


def _named(words: Sequence[str]) -> str:
    """Return the shell that the words name, "" for none. Raises BubbleError(usage)."""
    from bubble.model.text import printable
    from bubble.selection.shell import SHELLS

    named = [word for word in words if word != "-"]  # pyenv's way to ask for the code
    if not named:
        return ""
    if named[1:] or named[0] not in SHELLS:
        raise BubbleError(
            "usage",
            f"“{printable(named[-1], 80)}” is no shell that bubble knows"
            if named[0] not in SHELLS
            else "one shell at a time",
            hint=f"one of {', '.join(SHELLS)}; to begin a project: bubble new",
        )
    return named[0]


def _detected(context: Context) -> str:
    """Return the login shell's name, and say so."""
    from bubble.model.text import printable
    from bubble.selection.shell import SHELLS

    program = context.env.get("SHELL", "")
    source = "SHELL"
    if not program:  # a container, cron
        program, source = _login_shell(), "the login shell"
    name = {"dash": "sh", "ash": "sh", "ksh": "sh"}.get(
        os.path.basename(program), os.path.basename(program)
    )
    if name not in SHELLS:
        said = f"{source} is “{printable(program)}”" if program else "SHELL is not set"
        raise BubbleError(
            "usage", f"which shell? {said}", hint="name it, as in: bubble init bash --install"
        )
    context.output.note(f"for {name}, since {source} is {printable(program)}")
    return name


def _login_shell() -> str:
    """Return the program that passwd(5) names for this user, "" where it knows none."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""
