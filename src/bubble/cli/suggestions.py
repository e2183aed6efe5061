"""What was probably meant by a word that bubble doesn't have: pyenv's, conda's, uv's, or a slip.

Spelling alone never proposes what takes something away: who mistypes must be able to type what is
offered without a thought. A command that does is offered only for another tool's word for it.
"""

from __future__ import annotations

from shlex import quote

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

_MEANT = "did you mean: "
_LONGEST = 80  # characters of a word that is worth comparing
# what throws away or overwrites, or says yes to that
DESTROYS = frozenset(
    {
        *("remove", "gc", "cache prune", "python uninstall", "kernel remove"),
        *("--all", "--fix", "--force", "--prune", "--reinstall", "--repair", "--uninstall"),
        *("--unset", "--yes", "-f", "-y"),
    }
)


def command(
    asked: str, known: Iterable[str], groups: Collection[str], rest: Sequence[str] = ()
) -> str:
    """Return the hint for `asked`, one or two words: the command that it was meant for, or "".

    `known` are all commands, `groups` the first words of those that have two, `rest` is what
    stood behind.
    """
    import difflib

    if len(asked) > _LONGEST:
        return ""
    said = line([*asked.split(" "), *rest])
    if said or asked.startswith("-"):
        return said
    group = asked.partition(" ")[0]
    commands = list(known)
    meant = {words: words for words in (*commands, *groups)}
    # of several groups with the same last word, the first one in the table
    meant |= {w.rpartition(" ")[2]: w for w in reversed(commands) if " " in w} | meant
    if group in groups:
        meant = {words: words for words in meant if words.startswith(f"{group} ")}
    if asked in meant:
        return f"{_MEANT}bubble {meant[asked]}"
    safe = [words for words, full in meant.items() if full not in DESTROYS]
    close = difflib.get_close_matches(asked, safe, 1, 0.75)
    return f"{_MEANT}bubble {meant[close[0]]}" if close else ""


def line(words: Sequence[str]) -> str:
    """Return the hint for a command line that another tool would have understood, or ""."""
    from bubble.cli.words import LINES

    for pattern, answer in LINES.items():
        found = _match(pattern.split(), words)
        if found is not None:
            filled = " ".join(_fill(word, found) for word in answer.split(" "))
            return (_MEANT if answer.startswith("bubble") else "") + filled
    return ""


def _match(pattern: Sequence[str], words: Sequence[str]) -> dict[str, list[str]] | None:
    """Return what stands for the capital words of a line of the table; None if it isn't that."""
    found: dict[str, list[str]] = {}
    for at, part in enumerate(pattern):
        if at >= len(words) or len(words[at]) > _LONGEST:
            return None
        typed = words[at]
        if part == "WORDS":
            found[part] = list(words[at:])
        elif part.startswith("-") or not part.isupper():
            if typed != part:
                return None
        elif typed.startswith("-") or not _KINDS.get(part, bool)(typed):
            return None
        else:
            found[part] = [typed]
    return found


def _fill(word: str, found: Mapping[str, Sequence[str]]) -> str:
    """Return a word of an answer, with what was typed in its place."""
    name = word.rstrip(",;")
    if name not in found:
        return word
    shown = (quote(printable(typed, _LONGEST)) for typed in found[name])
    return " ".join(shown) + word[len(name) :]


def option(asked: str, command: str, known: Collection[str]) -> str:
    """Return the hint for an option that `command` (its words) doesn't have, or ""."""
    import difflib

    from bubble.cli.words import OPTIONS

    if len(asked) > _LONGEST:
        return ""
    if asked in OPTIONS.get(command, {}):
        said = OPTIONS[command][asked]
        return said if said.startswith("leave") else _MEANT + said
    same = [name for name in known if name.replace("-", "") == asked.replace("-", "")]
    safe = [name for name in known if name not in DESTROYS]
    close = same or difflib.get_close_matches(asked, safe, 1, 0.75)
    return _MEANT + close[0] if close else ""


def are_pythons(arguments: Iterable[str]) -> bool:
    """Whether the words behind `install` or `uninstall` are options and Pythons, not packages."""
    words = [word for word in arguments if not word.startswith("-")]
    return all(_is_python(word.partition(":")[0].removesuffix("-dev")) for word in words)


def _is_python(text: str) -> bool:
    from bubble.model.request import parse_request

    try:
        request = parse_request(text)
    except BubbleError:
        return False
    return request.is_python


def _is_anaconda(text: str) -> bool:
    from bubble.selection.answers import ONLY_PYENVS

    return text.startswith(ONLY_PYENVS)


_KINDS: dict[str, Callable[[str], bool]] = {
    "VERSION": lambda text: _is_python(text) and any(map(str.isdigit, text)),
    "ANACONDA": _is_anaconda,
    "SCRIPT": lambda text: text.endswith(".py"),
}


def commands() -> tuple[str, ...]:
    """Return every command line that another tool's word can lead to."""
    from bubble.cli.words import LINES, OPTIONS

    options = [said for each in OPTIONS.values() for said in each.values()]
    found: dict[str, None] = {}
    for answer in (*LINES.values(), *options):
        for part in answer.split(";"):
            _, is_command, rest = part.partition("bubble ")
            if is_command:
                found[f"bubble {rest.partition(',')[0]}"] = None
    return tuple(found)
