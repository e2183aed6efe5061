"""Paths in texts, rewritten as each language spells them: URL, Python, JSON, shell, plain.

A path is replaced as a whole, `/x/env` never in `/x/env2`, `/x/env copy` or `/mnt/x/env`, and all
of them in one pass: what was put in is not looked at again. Nothing is read or written here; texts
are decoded with `surrogateescape`, so that every byte comes back.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Pairs = tuple[tuple[str, str], ...]
    Quoting = Callable[[str], str]

PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)  # means itself, inside any quotes and outside
_BEFORE = r"(?<=[\s'\"`=:;,(\[{<>|&])"  # what may stand before a path in the middle of a text
_AFTER = r"(?=[/\s'\"`:;,)\]}<>|&?*$\\]|\Z)"
_AFTER_ALL = r"(?=[/:;,]|\Z)"  # after one that a text begins with: a space belongs to a name there
_AFTER_URL = r"(?=[/\s'\"`:;,)\]}<>|&?#\\]|\Z|@[^/\s]*(?:[#\s]|\Z))"
_FILE = r"file:(?://(?:localhost)?)?(?=/)"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_JSON_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_PYTHON = re.compile(
    r"#[^\n]*|(?P<prefix>(?<!\w)[rRbBuUfFtT]{1,2})?(?:"
    r"'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\""
    r"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")",
    re.DOTALL,
)


class PathRewriter:
    """Replaces paths by others: `pairs` of old and new (absolute), of which the first counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        known: dict[str, str] = {}
        for old, new in pairs:
            known.setdefault(old, new)
        self.pairs: Pairs = tuple(sorted(known.items(), key=lambda pair: -len(pair[0])))
        self._made: re.Pattern[str] | None = None

    @property
    def _pattern(self) -> re.Pattern[str]:
        """What finds all of the paths; made when a text may have one, since that takes longest."""
        if self._made is not None:
            return self._made
        forms = (
            rf"(?P<f{n}>{_FILE})(?:{_url_form(old)}){_AFTER_URL}"
            rf"|(?P<a{n}>\A{re.escape(old)}){_AFTER_ALL}"
            rf"|(?P<p{n}>(?!\A){_BEFORE}{re.escape(old)}){_AFTER}"
            for n, (old, _) in enumerate(self.pairs)
        )
        self._made = re.compile("|".join(forms))
        return self._made

    def path(self, path: str) -> str:
        """Return where a path leads now: itself, if it isn't one of the old or below one."""
        for old, new in self.pairs:
            if path == old or path.startswith(f"{old.rstrip('/')}/"):
                return new + path[len(old) :]
        return path

    def text(self, text: str) -> str:
        """Return a text with the paths in it replaced, and those in `file:` URLs quoted."""
        return self._pattern.sub(self._put, text) if self._may_be_in(text) else text

    def lines(self, text: str) -> str:
        """Return a text of which each line is a path, or says something of one at its end."""
        return "".join(map(self._line, _lines(text)))

    def configuration(self, text: str) -> str:
        """Return the text of a file of lines `name = value`."""
        return "".join(map(self._setting, _lines(text)))

    def path_file(self, text: str, before: str, after: str) -> str:
        """Return the text of a `.pth` file in the directory that was `before` and is `after`.

        Lines that begin with `import` are Python (docs.python.org/3/library/site.html); others
        are paths, relative to the file's directory if they aren't absolute.
        """
        return "".join(self._path_line(line, before, after) for line in _lines(text))

    def json(self, text: str) -> str:
        """Return a JSON text with the paths in its strings replaced; the rest stays as it is."""
        return _JSON_STRING.sub(self._in_json, text)

    def python(self, text: str) -> str:
        """Return Python source with the paths in its literals and comments replaced.

        In an f-string only where the new path needs no escape.
        """
        return _PYTHON.sub(self._in_python, text)

    def shell(self, text: str, quoting: Quoting) -> str:
        """Return a script in a shell's language, whose literals `quoting` makes.

        A path is found in the quotes that tools put round it, and gets those that it needs where
        it stands.
        """
        spelled: dict[str, tuple[str, bool]] = {}  # form → new path, whether it has its own quotes
        for old, new in self.pairs:
            for form in (quoting(old), _single(old), _double(old), f'"{old}"'):
                if form[:1] in {"'", '"'}:
                    spelled.setdefault(form, (new, True))
                    spelled.setdefault(form[1:-1], (new, False))
                else:
                    spelled.setdefault(form, (new, form != old))
            spelled.setdefault(old, (new, False))
        if not any(form in text for form in spelled):
            return text  # most have none, and the pattern costs more than all else here
        forms = "|".join(
            re.escape(form) if own else rf"(?<![\w.+-]){re.escape(form)}{_AFTER}"
            for form, (_, own) in sorted(spelled.items(), key=lambda item: -len(item[0]))
        )

        def put(found: re.Match[str]) -> str:
            new, own = spelled[found[0]]
            if own:
                return quoting(new)
            if PLAIN.fullmatch(new):
                return new
            match _context(text[text.rfind("\n", 0, found.start()) + 1 : found.start()]):
                case "'":
                    return quoting(new)[1:-1]
                case '"':
                    return f'"{quoting(new)}"'
            return quoting(new)

        return re.sub(forms, put, text)

    def _may_be_in(self, text: str) -> bool:
        """Whether `text` could change anything: a URL has its own forms of a path."""
        return "file:" in text or any(old in text for old, _ in self.pairs)

    def _put(self, found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        new = self.pairs[int(kind[1:])][1]
        if kind[0] == "f":
            from urllib.parse import quote

            return found[kind] + quote(new, errors="surrogateescape")
        return new

    def _line(self, line: str) -> str:
        text = line.rstrip("\r\n")
        moved = self.path(text)
        return (moved if moved != text else self.text(text)) + line[len(text) :]

    def _setting(self, line: str) -> str:
        name, equals, value = line.partition("=")
        if not equals:
            return line
        text = value.lstrip(" \t")
        return f"{name}={value[: len(value) - len(text)]}{self._line(text)}"

    def _path_line(self, line: str, before: str, after: str) -> str:
        text = line.rstrip()
        if text.startswith(("import ", "import\t")):
            return self.python(line)
        if not text or text.startswith("#"):
            return line
        if not text.startswith("/"):
            led = os.path.normpath(f"{before}/{text}")
            leads = self.path(led)
            is_right = leads == os.path.normpath(f"{after}/{text}")
            return line if is_right else leads + line[len(text) :]
        return self.path(text) + line[len(text) :]

    def _in_json(self, found: re.Match[str]) -> str:
        import json

        try:
            value = json.loads(found[0], strict=False)
        except ValueError:
            return found[0]
        moved = self.text(value)
        return found[0] if moved == value else json.dumps(moved, ensure_ascii=found[0].isascii())

    def _in_python(self, found: re.Match[str]) -> str:
        literal = found[0]
        if literal.startswith("#"):
            return self.text(literal)
        prefix = (found["prefix"] or "").lower()
        if "f" in prefix or "t" in prefix:
            is_plain = all(PLAIN.fullmatch(new) for _, new in self.pairs)
            return self.text(literal) if is_plain else literal
        if "\\" not in literal and not self._may_be_in(literal):
            return literal  # it means what it spells
        value = _value(literal)
        if isinstance(value, bytes):
            text = os.fsdecode(value)
            moved = self.text(text)
            return literal if moved == text else repr(os.fsencode(moved))
        if not isinstance(value, str):
            return literal
        moved = self.text(value)
        return literal if moved == value else repr(moved)


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; what else Python splits at may be in a name."""
    return _LINE.findall(text)


def _value(literal: str) -> object:
    """Return what a Python literal means, None if it means nothing."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that are none
        try:
            return ast.literal_eval(literal)
        except (ValueError, SyntaxError):
            return None


@lru_cache(maxsize=64)
def _url_form(path: str) -> str:
    """Return a pattern of a path in a URL, each byte quoted or not: tools differ."""
    return "".join(c if c == "/" or (c.isalnum() and c.isascii()) else _byte_forms(c) for c in path)


def _byte_forms(character: str) -> str:
    quoted = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
    if character == "%":
        return "%25"
    return f"(?:{re.escape(character)}|(?i:{quoted}))"


def _single(text: str) -> str:
    """Quote for sh as Python's shlex does."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _double(text: str) -> str:
    """Quote for sh in double quotes."""
    return '"' + re.sub(r'([$`"\\])', r"\\\1", text) + '"'


def _context(line: str) -> str:
    """Return the quote that is open at the end of a script's line, or ""."""
    opened = ""
    escaped = False
    for character in line:
        if escaped:
            escaped = False
        elif character == "\\" and opened != "'":
            escaped = True
        elif character == opened:
            opened = ""
        elif not opened and character in {"'", '"'}:
            opened = character
    return opened
