"""What one `.python-version` selects in pyenv and in bubble, and why where the two differ.

Data only. `functional/test_conformance_pyenv.py` runs every row against both programs, and holds
`docs/version-files.md` to it. INSTALLED is what both have; "missing" is an exit status of 1 that
says "not installed", "A + missing" the same with A selected all the same, "refused" an error that
says what is wrong with the file.
"""

from __future__ import annotations

from typing import NamedTuple

# pyenv's name of a version → bubble's
INSTALLED = {
    "3.9.18": "cpython-3.9.18",
    "3.11.9": "cpython-3.11.9",
    "3.11.10": "cpython-3.11.10",
    "3.12.1": "cpython-3.12.1",
    "3.13.0t": "cpython-3.13.0+freethreaded",
    "3.14.0rc1": "cpython-3.14.0rc1",
    "pypy3.10-7.3.16": "pypy-3.10.16",
    "graalpy-24.1.0": "graalpy-3.11.0",
}
# bubble's name → the release of PyPy or GraalPy that its receipt tells
BUILDS = {
    ours: theirs.rpartition("-")[2]
    for theirs, ours in INSTALLED.items()
    if not ours.startswith("cpython")
}


class Row(NamedTuple):
    """A file's content, what each program selects (pyenv's names, `:` between), and why."""

    content: bytes
    pyenv: str
    bubble: str
    why: str = ""

    @property
    def shown(self) -> str:
        """The content for people, and for a table in Markdown."""
        if len(self.content) > 60:
            return f"{self.content[:8].decode()!r} … ({len(self.content)} bytes)"
        text = self.content.removesuffix(b"\n") or self.content
        return repr(text)[2:-1].replace("|", "\\|") or "(empty file)"


_COMMENT = "a comment may stand anywhere"
_SPECIFIER = "specifiers are understood, as uv, pip and `requires-python` have them"
_SPELLING = "the spelling of uv, tox or bubble's own keys"
_NO_VERSION = "no version and no environment: an error, never another Python"
_ONLY_PYENVS = "pyenv can install it, bubble has nothing of that kind: an error that says so"
_PATH = "a path is refused, and never quietly replaced by the system's Python"
_TEXT = "not text: an error that shows no raw byte"
_WHOLE = "a line is one request, whole: what isn't understood is an error"
_CLOSED = "one bad line is an error, also beside a good one"

SAME = (
    Row(b"3.11.9\n", "3.11.9", "3.11.9"),
    Row(b"3.11.9 # note\n", "3.11.9", "3.11.9"),
    Row(b"\n  \n# c\n  # d\n 3.11.9\r\n", "3.11.9", "3.11.9"),
    Row(b"3.11.9", "3.11.9", "3.11.9"),
    Row(b"\t3.11.9\t\n", "3.11.9", "3.11.9"),
    Row(b"3.11.9\n3.12.1\n", "3.11.9:3.12.1", "3.11.9:3.12.1"),
    Row(b"3.11.9:3.12.1\n", "3.11.9:3.12.1", "3.11.9:3.12.1"),
    Row(b"python-3.12\n", "3.12.1", "3.12.1"),
    Row(b"", "system", "system"),
    Row(b"# c\n", "system", "system"),
    Row(b"\n", "system", "system"),
    Row(b"system\n", "system", "system"),
    Row(b"system:3.12.1\n", "system:3.12.1", "system:3.12.1"),
    Row(b"3.12.1\nsystem\n", "3.12.1:system", "3.12.1:system"),
    # prefixes: 3.1 isn't 3.12, numeric order, no pre-releases and no `t` unless asked for
    Row(b"3\n", "3.12.1", "3.12.1"),
    Row(b"3.11\n", "3.11.10", "3.11.10"),
    Row(b"3.1\n", "missing", "missing"),
    Row(b"3.13\n", "missing", "missing"),
    Row(b"3.13t\n", "3.13.0t", "3.13.0t"),
    Row(b"3.13.0t\n", "3.13.0t", "3.13.0t"),
    Row(b"3.12t\n", "missing", "missing"),
    Row(b"3.14\n", "missing", "missing"),
    Row(b"3.14.0rc1\n", "3.14.0rc1", "3.14.0rc1"),
    Row(b"pypy3.10\n", "pypy3.10-7.3.16", "pypy3.10-7.3.16"),
    Row(b"pypy3.10-7.3.16\n", "pypy3.10-7.3.16", "pypy3.10-7.3.16"),
    Row(b"pypy3.10-7.3\n", "pypy3.10-7.3.16", "pypy3.10-7.3.16"),
    Row(b"pypy3.10-7.3.1\n", "missing", "missing"),
    Row(b"pypy3.9-7.3.16\n", "missing", "missing"),
    Row(b"graalpy-24.1.0\n", "graalpy-24.1.0", "graalpy-24.1.0"),
    Row(b"graalpy-24.1\n", "graalpy-24.1.0", "graalpy-24.1.0"),
    Row(b"graalpy-24.2.0\n", "missing", "missing"),
    Row(b"3.99\n", "missing", "missing"),
    Row(b"3.13.0+debug\n", "missing", "missing"),
)

DIFFERENT = (
    Row(b"\xef\xbb\xbf3.11.9\n", "missing", "3.11.9", "a byte order mark is read through"),
    Row(b"3.11.9#x\n", "missing", "3.11.9", _COMMENT),
    Row(b">=3.11\n", "missing", "3.12.1", _SPECIFIER),
    Row(b">=3.9, <3.12\n", "missing", "3.11.10", _SPECIFIER),
    Row(b"3.12.*\n", "missing", "3.12.1", _SPECIFIER),
    Row(b"cpython-3.12\n", "missing", "3.12.1", _SPELLING),
    Row(b"cpython@3.12\n", "missing", "3.12.1", _SPELLING),
    Row(b"python3.12\n", "missing", "3.12.1", _SPELLING),
    Row(b"python 3.12\n", "missing", "3.12.1", _SPELLING),
    Row(b"CPython 3.11\n", "missing", "3.11.10", _SPELLING),
    Row(b"Python  3.11.9\n", "missing", "3.11.9", _SPELLING),
    Row(b"312\n", "missing", "3.12.1", _SPELLING),
    Row(b"3.14rc1\n", "missing", "3.14.0rc1", _SPELLING),
    Row(b"3.13+freethreaded\n", "missing", "3.13.0t", _SPELLING),
    Row(b"pypy\n", "missing", "pypy3.10-7.3.16", _SPELLING),
    Row(b"graalpy3.11\n", "missing", "graalpy-24.1.0", _SPELLING),
    Row(b"miniconda3-latest\n", "missing", "refused", _ONLY_PYENVS),
    Row(b"pypy3.10-7.3.16-src\n", "missing", "refused", _NO_VERSION),
    Row(b"graalpy-community-24.1.0\n", "missing", "refused", _ONLY_PYENVS),
    Row(b"v3.12\n", "missing", "refused", _NO_VERSION),
    Row(b"latest\n", "missing", "refused", _NO_VERSION),
    Row(b"myenv\n", "missing", "refused", _NO_VERSION),
    Row(b"3.11-dev\n", "missing", "refused", _NO_VERSION),
    Row(b"3.14.0rc\n", "missing", "refused", _NO_VERSION),
    Row(b"3.12.1.\n", "missing", "refused", _NO_VERSION),
    Row(b"3.1?.9\n", "missing", "refused", _NO_VERSION),
    Row(b"$(id)\n", "missing", "refused", _NO_VERSION),
    Row(b"-c\n", "missing", "refused", _NO_VERSION),
    Row(b"3.11.9 anything else\n", "3.11.9", "refused", _WHOLE),
    Row(b"3.11.9 3.12.1\n", "3.11.9", "refused", _WHOLE),
    Row(b"python = 3.12\n", "missing", "refused", _WHOLE),
    Row(b"python 3.12 or 3.11\n", "missing", "refused", _WHOLE),
    Row(b"..\n", "system", "refused", _PATH),
    Row(b"../x\n", "system", "refused", _PATH),
    Row(b"/usr/bin/python3\n", "system", "refused", _PATH),
    Row(b".\n", ".", "refused", _PATH),
    Row(b"3.11.9/envs/x\n", "3.11.9/envs/x", "refused", "there is no environment `x`"),
    Row(b"../x\n3.12\n", "3.12.1", "refused", _CLOSED),
    Row(b"3.99\n3.12\n", "3.12.1 + missing", "3.12.1", "the missing one is a note, no failure"),
    Row(b"3.11.9::3.12.1\n", "3.11.9::3.12.1", "3.11.9:3.12.1", "an empty word is no version"),
    Row(b":\n", "", "system", "an empty word is no version, and no word is the system's Python"),
    Row(b"3.11.9\r3.12.1\n", "3.11.9", "3.11.9:3.12.1", "a lone CR ends a line, too"),
    Row(
        b"3.11.9" + b" " * 1100 + b"3.12.1\n",
        "3.11.9:3.12.1",
        "refused",
        "pyenv cuts a line after 1024 characters and takes the rest for another one",
    ),
    Row(b"3" * 1500 + b"\n", "missing", "refused", _NO_VERSION),
    Row(b"3.11.9\x1b[31m\n", "missing", "refused", _TEXT),
    Row(b"3.1\x001.9\n", "3.11.9", "refused", _TEXT),
    Row(b"\xff3.11.9\n", "missing", "refused", _TEXT),
)

ROWS = SAME + DIFFERENT


def markdown() -> str:
    """Return the differences as the table that the documentation shows."""
    lines = ["| `.python-version` | pyenv | bubble | why |", "|---|---|---|---|"]
    for row in DIFFERENT:
        cells = [f"`{row.shown}`", f"`{row.pyenv}`" if row.pyenv else "nothing", f"`{row.bubble}`"]
        lines.append(f"| {' | '.join([*cells, row.why])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
