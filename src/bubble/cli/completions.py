"""What each command takes, read off the command table and argparse, as each shell's own code."""

from __future__ import annotations

from bubble.model.quoting import quoted
from bubble.model.record import Record
from bubble.selection.shell import SHELLS, WITH_COMPLETIONS, render_completions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Action
    from collections.abc import Sequence

    from bubble.system.layout import Layout

# what the user types for an argument: metavar → what the shell offers, from these places:
# python (what is installed), installable (what the catalogue has), system, environment, bubble,
# command (what has a shim), directory, file; with commas, words
_KINDS = {
    "REQUEST": "python",
    "MINOR": "python",
    "CMD": "command",
    "ENV": "environment+directory",
    "ENV|FILE": "bubble+environment+file",
    "BUBBLE": "bubble",
    "DIR": "file",
    "PATH": "file",
    "FILE": "file",
    "ARCHIVE": "file",
    "SHELL": "".join(f"{shell}," for shell in SHELLS),
}
# what a command takes under the same metavar, where that is more, or something else
_CHOICE = "python+installable+system+environment+bubble"
_ITS_OWN = {
    ("use", "REQUEST"): _CHOICE,
    ("local", "REQUEST"): _CHOICE,
    ("global", "REQUEST"): _CHOICE.replace("+bubble", ""),
    ("shell", "REQUEST"): "python+system+environment+bubble",
    ("exec", "REQUEST"): "python+system+environment+bubble",
    ("create", "REQUEST"): "python+installable",
    ("new", "REQUEST"): "python+installable",
    ("python install", "REQUEST"): "installable",
    ("bundle create", "REQUEST"): "installable",
    ("mirror create", "REQUEST"): "installable",
    ("activate", "ENV"): "bubble+environment+directory",
    ("export", "ENV"): "bubble+environment+file",
    ("run", "CMD"): "command+file",
}


class Entry(Record):
    """What may follow the words of a command (or of a group, or nothing yet: "").

    `commands` and `options` are pairs of a word and its meaning. `valued` maps an option to the
    kind of its value, `rest` is the kind of the other arguments: "commands", one or more of those
    above with + between, words with commas between, or "". `own` is the kind of the word behind
    the first argument where the words there are another command's own, options and all, else "";
    those behind it are files.
    """

    words: str
    commands: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    valued: tuple[tuple[str, str], ...] = ()
    rest: str = ""
    own: str = ""


def completions(shell: str, layout: Layout) -> str:
    """Return a shell's completion code, "" where bubble has none for it."""
    if shell not in WITH_COMPLETIONS:
        return ""
    from bubble.cli.table import GROUPS

    separator = {"fish": " ", "pwsh": ", ", "nu": " "}.get(shell, " | ")
    groups = [quoted(group, shell) if shell in {"pwsh", "nu"} else group for group in GROUPS]
    cases = "\n".join(_CASES[shell](entry) for entry in entries())
    return render_completions(shell, layout, cases, separator.join(groups))


def entries() -> list[Entry]:
    """Return what may follow nothing, each group and each command."""
    from bubble.cli.table import COMMANDS, GROUPS, commands_of

    first = [*GROUPS.items()]
    first += [(words, text) for words, (_, text) in COMMANDS.items() if " " not in words]
    top = (
        ("--help", "show help"),
        ("--system", "on everybody's store"),
        ("--version", "print the version"),
    )
    found = [Entry(words="", commands=tuple(first), options=top, rest="commands")]
    found += [
        Entry(words=group, commands=tuple(commands_of(group).items()), rest="commands")
        for group in GROUPS
    ]
    return found + [_entry(words) for words in COMMANDS]


def _entry(words: str) -> Entry:
    import importlib

    from bubble.cli.arguments import make_parser
    from bubble.cli.table import COMMANDS

    name, summary = COMMANDS[words]
    parser = make_parser(words, summary, importlib.import_module(f"bubble.cli.commands.{name}"))
    options: list[tuple[str, str]] = []
    valued: list[tuple[str, str]] = []
    rest = own = ""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
        if action.help == "==SUPPRESS==":
            continue
        for flag in action.option_strings:
            options.append((flag, action.help or ""))
            if action.nargs != 0:
                valued.append((flag, _kind(action, words)))
        if not action.option_strings:
            if action.nargs == "...":  # argparse.REMAINDER
                own = _kind(action, words) if rest else "file"
            rest = rest or _kind(action, words)
    return Entry(words=words, options=tuple(options), valued=tuple(valued), rest=rest, own=own)


def _kind(action: Action, words: str) -> str:
    if action.choices:
        return ",".join(str(choice) for choice in action.choices) + ","
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return _ITS_OWN.get((words, metavar)) or _KINDS.get(metavar, "")


def _bash(entry: Entry) -> str:
    offered = entry.commands if entry.rest == "commands" else ()
    words = " ".join(word for word, _ in offered)
    options = " ".join(flag for flag, _ in entry.options)
    return (
        f"        {quoted(entry.words, 'bash')})\n"
        f"            words=({words}) options=({options})\n"
        f"            {_values(entry)} {_kinds(entry)}\n"
        "            ;;"
    )


def _zsh(entry: Entry) -> str:
    return (
        f"        ({quoted(entry.words, 'zsh')})\n"
        f"            commands=({_zsh_pairs(entry.commands)})\n"
        f"            options=({_zsh_pairs(entry.options)})\n"
        f"            {_values(entry)} {_kinds(entry)}\n"
        "            ;;"
    )


def _zsh_pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return " ".join(quoted(f"{word}:{meaning}", "zsh") for word, meaning in pairs)


def _values(entry: Entry) -> str:
    pairs = "".join(f" {flag}={kind}" for flag, kind in entry.valued)
    return f"values={quoted(pairs + ' ' * bool(pairs), 'bash')}"


def _kinds(entry: Entry) -> str:
    return f"rest={quoted(entry.rest, 'bash')} own={quoted(entry.own, 'bash')}"


def _fish(entry: Entry) -> str:
    lines = [f"        case {quoted(entry.words, 'fish')}"]
    for name, pairs in (("commands", entry.commands), ("options", entry.options)):
        if pairs:
            words = " ".join(quoted(f"{word}\t{meaning}", "fish") for word, meaning in pairs)
            lines.append(f"            set {name} {words}")
    if entry.valued:
        flat = " ".join(quoted(text, "fish") for pair in entry.valued for text in pair)
        lines.append(f"            set values {flat}")
    if entry.rest:
        lines.append(f"            set rest {quoted(entry.rest, 'fish')}")
    if entry.own:
        lines.append(f"            set own {quoted(entry.own, 'fish')}")
    return "\n".join(lines)


def _pwsh(entry: Entry) -> str:
    def table(pairs: Sequence[tuple[str, str]]) -> str:
        return "; ".join(f"{quoted(a, 'pwsh')} = {quoted(b, 'pwsh')}" for a, b in pairs)

    return (
        f"    {quoted(entry.words, 'pwsh')} = @{{\n"
        f"        commands = [ordered]@{{ {table(entry.commands)} }}\n"
        f"        options = [ordered]@{{ {table(entry.options)} }}\n"
        f"        values = @{{ {table(entry.valued)} }}\n"
        f"        rest = {quoted(entry.rest, 'pwsh')}\n"
        "    }"
    )


def _nu(entry: Entry) -> str:
    def rows(pairs: Sequence[tuple[str, str]]) -> str:
        return ", ".join(
            f"{{value: {quoted(a, 'nu')}, description: {quoted(b, 'nu')}}}" for a, b in pairs
        )

    values = ", ".join(f"{quoted(a, 'nu')}: {quoted(b, 'nu')}" for a, b in entry.valued)
    return (
        f"        {quoted(entry.words, 'nu')} => {{\n"
        f"            commands: [{rows(entry.commands)}]\n"
        f"            options: [{rows(entry.options)}]\n"
        f"            values: {{{values}}}\n"
        f"            rest: {quoted(entry.rest, 'nu')}\n"
        "        }"
    )


_CASES = {"bash": _bash, "zsh": _zsh, "fish": _fish, "pwsh": _pwsh, "nu": _nu}
