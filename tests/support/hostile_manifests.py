"""Manifests that are wrong, and on which line: each must be an error that says where and what.

A case is the files of a project, the line that the error names (0 for none), and words of it.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "bubble.toml"
BOM = b"\xef\xbb\xbf"
DEEP = 5000
MOST_BYTES = 50 << 20


class Case(NamedTuple):
    name: str
    files: Mapping[str, bytes]
    line: int
    words: str
    file: str = MANIFEST


def own(name: str, text: str | bytes, line: int, words: str) -> Case:
    """Return the case of a `bubble.toml` alone."""
    data = text if isinstance(text, bytes) else text.encode()
    return Case(name, {MANIFEST: data}, line, words)


def bubble(name: str, text: str, line: int, words: str) -> Case:
    """Return the case of one bubble's table, whose keys begin on line 2."""
    return own(name, f"[bubbles.a]\n{text}\n", line, words)


def groups(name: str, wanted: str, text: str, line: int, words: str, file: str = "") -> Case:
    """Return the case of a bubble that names a group, and a `pyproject.toml` with groups."""
    files = {
        MANIFEST: f"[bubbles.a]\ngroups = {wanted}\n".encode(),
        "pyproject.toml": f"[dependency-groups]\n{text}\n".encode(),
    }
    return Case(name, files, line, words, file or "pyproject.toml")


def pyproject(name: str, text: str, line: int, words: str, **files: bytes) -> Case:
    """Return the case of a `pyproject.toml`."""
    whole = {"pyproject.toml": text.encode(), **files}
    return Case(name, whole, line, words, "pyproject.toml")


KEYS = [
    own("unknown key", 'pyhton = "3.12"', 1, "no key that bubble knows"),
    own("unknown key, late", '# python = "3"\n\nx = 1', 3, "no key that bubble knows"),
    own("a header for a key", "[requirements]\n", 1, "no key that bubble knows"),
    own("bubble, not bubbles", "[bubble.a]\n", 1, "no key that bubble knows"),
    own("a bubble's without bubbles", 'dependencies = ["six"]', 1, "no key that bubble knows"),
    bubble("unknown key of a bubble", "requirments = []", 2, "no key that bubble knows"),
    bubble("a dash for nothing", "x-y = 1", 2, "no key that bubble knows"),
    bubble("dotted unknown key", 'python.version = "3"', 2, "is a table"),
    bubble("quoted unknown key", '"pyth on" = "3"', 2, "no key"),
    own("in an inline table", "bubbles = { a = { python = '3', x = [\n] } }", 1, "a.x is no key"),
    bubble("a key with an escape", '"\\u001b[31m" = 1', 2, "\\x1b"),
    bubble("a key of 1000 letters", f"{'k' * 1000} = 1", 2, "no key"),
    own("CRLF", "[bubbles.a]\r\n\r\nx = 1\r\n", 3, "no key"),
    own("a BOM", BOM + b"\n[bubbles.a]\nx = 1\n", 3, "no key"),
    bubble(
        "behind a text that looks like keys", 'python = """3.12""" \n# x = 1\nx = 1', 4, "no key"
    ),
]
TYPES = [
    own("python: a number", "python = 3.10", 1, "is a number"),
    own("python: a list", 'python = ["3.12"]', 1, "is a list"),
    own("python: true", "python = true", 1, "true or false"),
    own("python: a date", "python = 2020-01-01", 1, "a date"),
    own("python: empty", 'python = ""', 1, "is empty"),
    own("platforms: a text", 'platforms = "linux-x86_64-gnu"', 1, "is a text"),
    own("platforms: empty", "platforms = []", 1, "is empty"),
    own("platforms: a number in it", "platforms = [\n1]", 2, "is a number"),
    own("bubbles: a list", "bubbles = []", 1, "is a list"),
    own("bubbles: a text", 'bubbles = "a"', 1, "is a text"),
    own("bubbles: an array of tables", '[[bubbles]]\nname = "a"', 1, "is a list"),
    own("a bubble: a text", '[bubbles]\na = "x"', 2, "is a text"),
    own("a bubble: a list", '[bubbles]\n\na = ["x"]', 3, "is a list"),
    bubble("dependencies: a text", 'dependencies = "six"', 2, "is a text"),
    bubble("dependencies: a table", "dependencies.six = '*'", 2, "is a table"),
    bubble(
        "dependencies: a number in it", 'dependencies = ["six",\n# c\n 5]', 4, "[1] is a number"
    ),
    bubble("dependencies: an empty text", 'dependencies = ["six", ""]', 2, "is empty"),
    bubble("groups: a text", 'groups = "dev"', 2, "is a text"),
    bubble("extras: true", "extras = true", 2, "true or false"),
    bubble("kernel: a text", 'kernel = "yes"', 2, "is a text"),
    bubble("kernel: a number", "kernel = 1", 2, "is a number"),
    bubble("project: true", "project = true", 2, "true or false"),
    bubble("project: another word", 'project = "develop"', 2, "develop"),
    bubble("extends: a list", 'extends = ["b"]', 2, "is a list"),
    bubble("directories: a text", 'directories = "train"', 2, "is a text"),
]
NAMES = [
    own(f"the name {name}", f'\n[bubbles."{name}"]\n', 2, "can't be a bubble's name")
    for name in (
        "", " ", ".", "..", ".hidden", "-rf", "_x", "9lives", "3.12", "python", "pypy3.10",
        "system", "con", "NUL", "aux", "Com1", "lpt9", "prn", "a b", "a/b", "../a", "a\\\\b",
        "train.", "train ", "a-", "é", "a\\u0000", "a\\n", "x" * 65, "a:b", "$(id)", "a;b",
        "~", ".previous",
    )
] + [
    own("two spellings", "[bubbles.a-b]\n\n[bubbles.A_B]\n", 3, "both are a-b"),
    own("two defaults", "[bubbles.default]\n[bubbles.Default]", 2, "line 1"),
    own("too many", "".join(f"[bubbles.b{i}]\n" for i in range(300)), 1, "more than"),
]  # fmt: skip
VALUES = [
    own(f"python = {text}", f'# c\npython = "{text}"', 2, "python")
    for text in ("3.x", "system", "/usr/bin/python3", "../evil", "web", "$(id)", "3.12; rm", "-c",
                 "https://u:hunter2@host/x", "cpython-3.12.1-linux-x86_64-gnu", "===3.12`id`",
                 "\\u001b]0;x", "3" * 300)
] + [
    own(f"platform {text[:40]}", f'platforms = ["macos-aarch64",\n"{text}"]', 2, "no platform")
    for text in ("linux", "macos-", "plan9-x86_64", "linux-x86_64-none", "../x", "-".join("a" * 99))
] + [
    bubble(f"requirement {text}", f'dependencies = [\n"{text}"\n]', 3, "dependencies[0] ")
    for text in ("-e .", "-r x.txt", "--index-url=https://x", "./x", "/etc", "https://u:hunter2@h/x.whl",
                 "six==", "six=1", "six 1.0", "six\\n-r /etc/passwd", "a @ https://x\\n--index-url=y",
                 "six # c", "six\\\\", "six;python_version", "[x]", "@", "six --hash=sha256:0", "!",
                 "\\u0000", "x" * 5000, "six>=1.0;" + "(" * 2000)
] + [
    bubble(f"file {text}", f'requirements = [\n"a.txt", "{text}"\n]', 3, "requirements[1] ")
    for text in ("/etc/passwd", "~/r.txt", "https://u:hunter2@host/r.txt", "file:///etc/passwd",
                 "a\\\\b.txt", "C:/r.txt", "a\\u0000", "*.txt", "environment.yml", "Pipfile.lock",
                 "uv.lock", "pyproject.toml", "pylock.toml", "pylock.a.toml", "a\\nb", "x" * 2000)
] + [
    bubble(f"constraints {text}", f'\nconstraints = ["{text}"]', 3, "constraints[0] ")
    for text in ("/c.txt", "https://host/c.txt", "uv.lock")
] + [
    bubble(f"directory {text}", f'directories = ["b",\n"{text}"]', 3, "directories[1] ")
    for text in (".", "./", "..", "../other", "a/../..", "/", "/etc", "~", "a\\\\b", ".venv",
                 ".venvs/a", ".git", "train/*", "a\\u0000")
]  # fmt: skip
WHOLE = [
    bubble("extends nothing", 'extends = "b"', 2, "isn't there"),
    bubble("extends itself", 'extends = "A"', 2, "circle: a → a"),
    own(
        "a circle of three",
        '[bubbles.a]\nextends="b"\n[bubbles.b]\nextends="c"\n[bubbles.c]\nextends="a"\n',
        6,
        "circle: a → b → c → a",
    ),
    own(
        "one directory, two bubbles",
        '[bubbles.a]\ndirectories = ["x"]\n[bubbles.b]\ndirectories = ["y",\n"./z/../x"]\n',
        5,
        "which is a's already",
    ),
    bubble("nothing to install", 'project = "editable"', 2, "nothing here"),
    bubble("extras of nothing", 'extras = ["gpu"]', 2, "isn't part"),
    Case(
        "an extra that isn't there",
        {
            MANIFEST: b'[bubbles.a]\nproject = "built"\nextras = ["gpu"]',
            "pyproject.toml": b'[project]\nname = "x"\nversion = "1"\n',
        },
        3,
        "hasn't",
    ),
    Case(
        "an extra that is more than one",
        {
            MANIFEST: b'[bubbles.a]\nproject = "built"\nextras = ["gpu]\\n-r x["]',
            "setup.py": b"",
        },
        3,
        "can't be an extra",
    ),
]
PEP_735 = [
    Case("no groups at all", {MANIFEST: b'[bubbles.a]\ngroups = ["dev"]'}, 2, "hasn't"),
    groups("no such group", '["a", "dev"]', "a = []", 2, "groups[1] has “dev”", MANIFEST),
    groups("a group that is a text", '["a"]', 'a = "six"', 2, "is no list"),
    groups("a group with a number", '["a"]', "a = [\n5]", 3, "neither"),
    groups("a broken line", '["a"]', 'a = [\n"six", "-e ."]', 3, "no requirement"),
    groups("two tables in one", '["a"]', 'a = [{include-group = "b", x = 1}]', 2, "neither"),
    groups("an include of a number", '["a"]', "a = [{include-group = 5}]", 2, "no text"),
    groups("an include of nothing", '["a"]', 'a = [{include-group = "b"}]', 2, "isn't there"),
    groups("an include of itself", '["a"]', 'a = [{include-group = "A"}]', 2, "circle"),
    groups(
        "a circle of groups",
        '["a"]',
        'a = [{include-group = "b"}]\nb = ["six",\n{include-group = "a"}]',
        4,
        "circle: a → b → a",
    ),
    groups("two spellings of a group", '["a"]', "a = []\nA = []", 3, "is the same group"),
    groups(
        "a billion laughs",
        '["g0"]',
        "\n".join(
            f'g{i} = [{{include-group="g{i + 1}"}}, {{include-group="g{i + 1}"}}]'
            for i in range(40)
        )
        + '\ng40 = ["six"]',
        28,
        "more than",
    ),
    groups(
        "a chain of 5000",
        '["g0"]',
        "\n".join(f'g{i} = [{{include-group="g{i + 1}"}}]' for i in range(DEEP)),
        DEEP + 1,
        "isn't there",
    ),
]
SYNTAX = [
    own("no TOML", "\npython: 3.12\n", 2, "is not TOML"),
    own("a key twice", 'python = "3"\npython = "3"\n', 2, "is not TOML"),
    own("a table twice", "[bubbles.a]\n[bubbles.a]\n", 2, "is not TOML"),
    own("a text without end", 'python = "3', 1, "is not TOML"),
    own("latin-1", b"# caf\xe9\n", 1, "no UTF-8"),
    own("UTF-16", 'python = "3"'.encode("utf-16"), 1, "no UTF-8"),
    own("latin-1, late", b"\n\n# caf\xe9\n", 3, "no UTF-8"),
    own("NUL", b'python = "3\0"', 1, "is not TOML"),
    own("a header of 5000 parts", "[" + ".".join("a" * DEEP) + "]", 0, "too many parts"),
    own("brackets", "x = " + "[" * DEEP, 0, "can't be used"),
    own("braces", "x = " + "{a=" * DEEP, 0, "can't be used"),
    own("a number of 5000 digits", "x = " + "9" * DEEP, 0, ""),
    own("50 MB", b"#" * MOST_BYTES, 0, "larger"),
    own("1 MiB and one key", b"# \n" * 349525 + b"xxxxxxxxx=1", 0, "larger"),
]
PYPROJECT = [
    pyproject(
        "two manifests", "[tool.x]\n[tool.bubble]\n", 2, "second manifest", **{MANIFEST: b""}
    ),
    pyproject("tool: a list", "tool = []", 1, "is a list"),
    pyproject("tool.bubble: a text", '[tool]\nbubble = "x"', 2, "is a text"),
    pyproject("tool.bubble: tables", "[[tool.bubble]]\n", 1, "is a list"),
    pyproject(
        "unknown key", "[tool.ruff]\nx=1\n[tool.bubble]\ny = 1", 4, "tool.bubble.y is no key"
    ),
    pyproject("dotted", "[tool]\nbubble.bubbles.a.x = 1", 2, "tool.bubble.bubbles.a.x"),
    pyproject("no TOML", "[project\n", 1, "is not TOML"),
    pyproject("project: a text", 'project = "x"', 1, "is a text"),
    pyproject("groups: a list", "dependency-groups = []", 1, "is a list"),
    pyproject("dependencies: a text", '[project]\ndependencies = "six"', 2, "is a text"),
    pyproject("a dependency", '[project]\ndependencies = [\n"six",\n"-e ."]', 4, "no requirement"),
    pyproject("dev's", '[dependency-groups]\n"Dev" = [\n"six ="]', 3, "no requirement"),
]
CASES = [*KEYS, *TYPES, *NAMES, *VALUES, *WHOLE, *PEP_735, *SYNTAX, *PYPROJECT]
