"""Everyday calls, read without argparse, which takes as long to import as most commands to run.

`Usual` stands for the parser in a command's `define`, which stays the only place that says what
there is. What isn't as plain as `create train -p 3.12 --no-pip` is left to argparse: help, errors,
groups that exclude each other, repeated and checked values.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import Any, Self

    from bubble.cli.context import Command

_REMAINDER = "..."  # argparse's own


def read(command: Command, arguments: Sequence[str]) -> Namespace | None:
    """Return what argparse would make of a command's arguments; None where it must be asked."""
    usual = Usual()
    command.define(usual)
    return usual.read(arguments)


class Usual:
    """What a command declares, as far as everyday calls need it."""

    description = ""  # of the help: nobody reads it here

    def __init__(self) -> None:
        self._defaults: dict[str, object] = {"json": False}
        self._flags = {"--json": "json"}
        self._values: dict[str, str] = {}
        self._words: list[tuple[str, str]] = []  # destination, nargs

    def add_argument(self, *names: str, **options: Any) -> None:
        """Note an argument, as argparse's method of this name takes it."""
        self._add(names, options, is_plain=True)

    def set_defaults(self, **values: object) -> None:
        """Take values that stand where nothing is given."""
        self._defaults |= values

    def add_mutually_exclusive_group(self, **_: bool) -> _Group:
        """Return what takes the group's options: their defaults count, given they're no use."""
        return _Group(self)

    def _add(self, names: Sequence[str], options: dict[str, Any], *, is_plain: bool) -> None:
        action, default = options.get("action"), options.get("default")
        if not names[0].startswith("-"):
            nargs = str(options.get("nargs", ""))
            checked = {"type", "choices"} & options.keys()
            self._words.append((names[0], "" if checked else nargs or "1"))
            several = nargs in {"*", _REMAINDER} and default is None
            self._defaults[names[0]] = [] if several else default
            return
        long = next((name for name in names if name.startswith("--")), names[0])
        to = options.get("dest") or long.lstrip("-").replace("-", "_")
        self._defaults[to] = False if action == "store_true" and default is None else default
        if not is_plain or {"type", "choices", "nargs", "const"} & options.keys():
            return
        if action == "store_true":
            self._flags |= dict.fromkeys(names, to)
        elif action is None:
            self._values |= dict.fromkeys(names, to)

    def read(self, arguments: Sequence[str]) -> Namespace | None:
        """Return the arguments' values by their destinations, None for what isn't plain."""
        found, left = dict(self._defaults), iter(arguments)
        words: list[str] = []
        rest = self._words[-1][0] if self._words and self._words[-1][1] == _REMAINDER else ""
        for word in left:
            starts = words or word[:1] not in {"", "-"}  # what stands before are our own options
            if rest and starts and len(words) == len(self._words) - 1:
                if word == "--":  # which releases of argparse keep or drop
                    return None
                found[rest] = [word, *left]  # whatever they look like, they are another's
            elif to := self._flags.get(word):
                found[to] = True
            elif to := self._values.get(word):
                value = next(left, "")
                if not value or value.startswith("-"):
                    return None
                found[to] = value
            elif not word or word.startswith("-"):
                return None
            else:
                words.append(word)
        return self._namespace(found, words)

    def _namespace(self, found: dict[str, object], words: list[str]) -> Namespace | None:
        lists = [to for to, nargs in self._words if nargs in {"*", "+"}]
        if any(nargs not in {"1", "?", "*", "+", _REMAINDER} for _, nargs in self._words):
            return None
        if len(lists) == len(self._words) == 1:  # all words are one argument's
            if words or self._words[0][1] == "+":
                found[lists[0]] = words
            if not words and self._words[0][1] == "+":
                return None
        else:
            singles = [(to, nargs) for to, nargs in self._words if to not in lists]
            singles = [(to, nargs) for to, nargs in singles if nargs != _REMAINDER]
            needed = sum(nargs == "1" for _, nargs in singles)
            if self._words[: len(singles)] != singles or not needed <= len(words) <= len(singles):
                return None
            if any(nargs == "+" for _, nargs in self._words):
                return None
            if needed and needed != len(singles) and len(words) != len(singles):
                return None  # which one is left out is argparse's to say
            found |= {to: word for (to, _), word in zip(singles, words, strict=False)}
        kind: Any = type(sys.implementation)  # types.SimpleNamespace, without importing types
        made: Namespace = kind(**found)
        return made


class _Group:
    def __init__(self, usual: Usual) -> None:
        self._usual = usual

    def add_argument(self, *names: str, **options: Any) -> Self:
        self._usual._add(names, options, is_plain=False)  # noqa: SLF001 - two halves of one thing
        return self
