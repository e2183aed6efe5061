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
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

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
    match = _Match(pattern)
    left = iter(words)
    for typed in left:
        if len(typed) > _LONGEST or not match.takes(typed, left):
            return None
    return match.found if match.is_whole else None


class _Match:
    """A line of the table, and what was typed of it so far."""

    def __init__(self, pattern: Sequence[str]) -> None:
        self._fixed, self._options = _parts(pattern)
        self._at = 0
        self._given: set[str] = set()
        self.found: dict[str, list[str]] = {}

    @property
    def is_whole(self) -> bool:
        at = self._at + ("PACKAGES" in self.found)
        return at == len(self._fixed) and self._given == self._options.keys()

    def takes(self, typed: str, left: Iterator[str]) -> bool:
        """Whether the next word can be of this line; its value, or all, is taken from `left`."""
        from bubble.cli.words import NEEDLESS, NEEDLESS_WITH_VALUE

        part = self._fixed[self._at] if self._at < len(self._fixed) else ""
        name, is_joined, value = typed.partition("=")
        if typed == part:
            self._at += 1
            return True
        if name in self._options:
            kind = self._options[name]
            return self._takes_option(name, value if is_joined or not kind else next(left, ""))
        if part != "WORDS" and name in NEEDLESS_WITH_VALUE:
            return bool(is_joined or next(left, ""))
        if not part or (part != "WORDS" and typed in NEEDLESS):
            return True
        return self._takes_word(part, typed, left)

    def _takes_option(self, name: str, value: str) -> bool:
        self._given.add(name)
        kind = self._options[name]
        if kind:
            self.found[kind] = [value]
        return not kind or _is(kind, value)

    def _takes_word(self, part: str, typed: str, left: Iterator[str]) -> bool:
        if part == "WORDS":
            self.found[part] = [typed, *left]
        elif not part.isupper() or not _is(part, typed):
            return False
        elif part == "PACKAGES":
            self.found.setdefault(part, []).append(typed)
            return True
        else:
            self.found[part] = [typed]
        self._at += 1
        return True


def _parts(pattern: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return a pattern's words in their order, and its options with what stands for their value."""
    fixed: list[str] = []
    options: dict[str, str] = {}
    left = [*pattern]
    while left:
        word = left.pop(0)
        if not fixed or not word.startswith("-") or word == "--":
            fixed.append(word)
        else:
            takes = left and left[0].isupper() and left[0] not in {"WORDS", "PACKAGES"}
            options[word] = left.pop(0) if takes else ""
    return fixed, options


def _is(kind: str, typed: str) -> bool:
    """Whether a word that was typed can stand for a capital one."""
    return bool(typed) and not typed.startswith("-") and _KINDS.get(kind, bool)(typed)


def _fill(word: str, found: Mapping[str, Sequence[str]]) -> str:
    """Return a word of an answer, with what was typed in its place."""
    name = word.rstrip(",;:")
    if name not in found:
        return word
    shown = (quote(printable(typed, _LONGEST)) for typed in found[name])
    return " ".join(shown) + word[len(name) :]


def option(asked: str, command: str, known: Collection[str]) -> str:
    """Return the hint for an option that `command` (its words) doesn't have, or ""."""
    import difflib

    from bubble.cli.foreign_options import OPTIONS

    if len(asked) > _LONGEST:
        return ""
    if asked in OPTIONS.get(command, {}):
        said = OPTIONS[command][asked]
        return _MEANT + said if said.startswith(("bubble", "-")) else said
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
    "VARIABLE": lambda text: "=" in text,
    "SPEC": lambda text: not {*text}.isdisjoint("@=<>[~"),
}


def commands() -> tuple[str, ...]:
    """Return every command line that another tool's word can lead to."""
    from bubble.cli.foreign_options import OPTIONS
    from bubble.cli.words import LINES

    options = [said for each in OPTIONS.values() for said in each.values()]
    found: dict[str, None] = {}
    for answer in (*LINES.values(), *options):
        for part in answer.split(";"):
            _, is_command, rest = part.partition("bubble ")
            if is_command:
                found[f"bubble {rest.partition(',')[0]}"] = None
    return tuple(found)
