"""Version files and names that are odd or hostile, and what each must come to.

Data only, for `faults/test_hostile_version_files.py`. `expect` is "error", "system", "parent" (the
file says nothing, the directory above says 3.12.1) or the version that runs.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, NamedTuple

from support.needs import not_here

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "mark"  # a file of this name, anywhere, means that something was executed
MB = 1 << 20


class Case(NamedTuple):
    """One file: `make` puts it at a path; `memo`: try it over a directory that is known, too."""

    name: str
    file: str
    make: Callable[[str], None]
    expect: str
    memo: bool = True


def holding(content: bytes) -> Callable[[str], None]:
    """Return what writes `content`; @ROOT@ becomes the test's directory."""

    def make(path: str) -> None:
        root = os.fsencode(os.path.dirname(os.path.dirname(path)))
        with open(path, "wb") as file:
            file.write(content.replace(b"@ROOT@", root))

    return make


def leading_to(target: str) -> Callable[[str], None]:
    return lambda path: os.symlink(target, path)


WORDS = (
    # somewhere else
    *("../../evil", "../../../evil", "..", ".", "./bin", "/bin", "/usr", "/", "@ROOT@/evil"),
    *("~", "~root", "~/evil", "3.11.9/../../../evil", "cpython-3.11.9/../../evil"),
    *("cpython-3.11.9-linux-x86_64-gnu/../../../evil", "system/../../evil", "python-/bin"),
    *("envs/../../evil", "3.11.9/bin/python", "..\\evil", "C:\\python", "\\\\?\\pipe\\x"),
    *("http://127.0.0.1/x", "file:///bin", "%2e%2e%2fevil"),
    # something for a shell
    *("$(touch$IFS@ROOT@/mark)", "`touch$IFS@ROOT@/mark`", ";touch", "&touch", "|touch"),
    *("3.11.9;touch", "3.11.9&&id", "3.11.9|id", "3.11.9>x", "<(id)", ">x", "${HOME}", "$HOME"),
    *("*", "?", "[0-9]*", "3.1?.9", "{3.11.9,3.12.1}", "!", "!3.11", "'3.11.9'", '"3.11.9"'),
    "===3.11.9'`id`'",
    # something for a program
    *("-c", "--version", "-rf", "-", "--", "-Ic", "%s%n", "{0}", "\\x2e\\x2e", "None", "nan"),
    # something for a parser
    *("latest", "stable", "v3.11.9", "3.", ".3", "3..11", "3.11.9.1", "3.11.9rc", "0x3", "1e3"),
    *(
        "-1",
        "3.11+",
        "3.11++debug",
        "3.11+x",
        "3.11@x",
        "3.11-",
        "=",
        "==",
        ">=",
        "~=3",
        ">=3,,<4x",
    ),
    *(">=3.11 and more", "==3.11.9.*.*", "9" * 300, "3." * 100, "3.11.9" + "9" * 3000, "a" * 4000),
    # something for a person
    *(
        "\uff13.11.9",
        "\u0663.\u0661\u0661",
        "3.11.9\u202e",
        "3.11\u200b.9",
        "3.11.9\u00a0",
        "\u202e9.11.3",
        "3\u202411",
    ),
    *("\x1b[31m3.11.9", "\x1b]0;evil\x07", "3.11.9\x07", "3.11.9\x08\x08", "3.11.9\x7f", "\x9b31m"),
    *("3.11.9\x0b3.12.1", "3.11.9\x0c", "3.11.9\x85", "3.11.9\u2028", "3.11.9\x1c3.12.1"),
    # names of Windows' devices, which are no files here
    *("CON", "NUL", "PRN", "AUX", "COM1", "LPT1"),
)

TEXTS: tuple[tuple[str, bytes, str], ...] = (
    ("NUL", b"\0", "error"),
    # some sh drop a NUL: where the rest is what was asked, they recognise it, and run its answer
    ("NUL within", b"3.1\x002.1\n", "error"),
    ("NUL behind", b"3.12.1\n\0", "error"),
    ("4096 NULs", b"\0" * 4096, "error"),
    ("UTF-16 LE", "3.11.9\n".encode("utf-16"), "error"),
    ("UTF-16 BE", b"\xfe\xff" + "3.11.9\n".encode("utf-16-be"), "error"),
    ("UTF-32", "3.11.9\n".encode("utf-32"), "error"),
    ("Latin-1", "3.11.9 # é\n".encode("latin-1"), "error"),
    ("invalid UTF-8", b"\xff\xfe\xfd\n", "error"),
    ("overlong slash", b"..\xc0\xafevil\n", "error"),
    ("CESU surrogates", b"3.11.9\xed\xa0\x80\n", "error"),
    ("BOM", b"\xef\xbb\xbf3.11.9\n", "3.11.9"),
    ("BOM alone", b"\xef\xbb\xbf", "system"),
    ("two BOMs", b"\xef\xbb\xbf\xef\xbb\xbf3.11.9\n", "error"),
    ("CR alone", b"3.11.9\r", "3.11.9"),
    ("only CRs", b"\r\r\r", "system"),
    ("empty", b"", "system"),
    ("a long comment", b"#" * 4096, "system"),
    ("one byte too many", b"#" * 4097, "error"),
    ("64 KiB of blank lines", b"\n" * (64 << 10), "error"),
    ("a million lines", b"3.11.9\n" * 10**6, "error"),
    ("a script", b"#!/bin/sh\ntouch @ROOT@/mark\n", "error"),
    ("a Python program", b"import os; os.system('touch @ROOT@/mark')\n", "error"),
    ("an ELF", b"\x7fELF\x02\x01\x01" + b"\0" * 100, "error"),
    ("good, then evil", b"3.11.9\n../../evil\n", "error"),
    ("missing, then evil", b"9.9.9\n../../evil\n", "error"),
    ("2000 versions", b"9:" * 2000, "error"),
    ("a private key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n", "error"),
    ("a memo's own text", b"/bin\n1 .python-version\n.python-version\n", "error"),
)


def _sparse(path: str) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 30)


def _long_line(path: str) -> None:
    with open(path, "wb") as file:
        file.writelines(b"3" * MB for _ in range(64))


def _socket(path: str) -> None:
    directory, name = os.path.split(path)
    here = os.open(".", os.O_RDONLY)
    os.chdir(directory)  # a socket's path may have 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(name)
    finally:
        os.fchdir(here)
        os.close(here)


def _locked(mode: int) -> Callable[[str], None]:
    def make(path: str) -> None:
        if os.geteuid() == 0:
            not_here("root ignores permissions, and this runs as root")
        holding(b"3.11.9\n")(path)
        os.chmod(path, mode)

    return make


def _device(kind: int, major: int, minor: int) -> Callable[[str], None]:
    def make(path: str) -> None:
        try:
            os.mknod(path, kind | 0o666, os.makedev(major, minor))
        except PermissionError:
            not_here("this user can't make device nodes")

    return make


def _loop(path: str) -> None:
    os.symlink(path + ".b", path)
    os.symlink(path, path + ".b")


def _chain(path: str) -> None:
    for number in range(50):
        os.symlink(f"{path}.{number + 1}", f"{path}.{number}" if number else path)
    holding(b"3.11.9\n")(f"{path}.50")


def _linked_fifo(path: str) -> None:
    os.mkfifo(path + ".pipe")
    os.symlink(path + ".pipe", path)


def _linked_good(path: str) -> None:
    holding(b"3.11.9\n")(path + ".real")
    os.symlink(os.path.basename(path) + ".real", path)


KINDS: tuple[tuple[str, Callable[[str], None], str], ...] = (
    ("FIFO", os.mkfifo, "error"),
    ("link to a FIFO", _linked_fifo, "error"),
    ("socket", _socket, "error"),
    ("directory", os.mkdir, "parent"),
    ("link to a directory", leading_to("/"), "parent"),
    ("link to itself", leading_to(".python-version"), "error"),
    ("two links in a circle", _loop, "error"),
    ("fifty links", _chain, "error"),
    ("link to nothing", leading_to("/nonexistent/x"), "error"),
    ("link through a file", leading_to("/etc/passwd/x"), "error"),
    ("link to a long name", leading_to("x" * 300), "error"),
    ("link to a version file", _linked_good, "3.11.9"),
    ("/dev/zero", leading_to("/dev/zero"), "error"),
    ("/dev/urandom", leading_to("/dev/urandom"), "error"),
    ("/dev/null", leading_to("/dev/null"), "error"),
    ("/dev/tty", leading_to("/dev/tty"), "error"),
    ("/dev/stdin", leading_to("/dev/stdin"), "error"),
    ("/dev/ptmx", leading_to("/dev/ptmx"), "error"),
    ("/proc/self/mem", leading_to("/proc/self/mem"), "error"),
    ("/proc/self/environ", leading_to("/proc/self/environ"), "error"),
    ("/proc/self/exe", leading_to("/proc/self/exe"), "error"),
    ("/etc/passwd", leading_to("/etc/passwd"), "error"),
    ("/etc/shadow", leading_to("/etc/shadow"), "error"),
    ("mode 000", _locked(0), "error"),
    ("mode 200", _locked(0o200), "error"),
    ("a character device", _device(0o020000, 1, 5), "error"),
    ("a block device", _device(0o060000, 7, 0), "error"),
)

PYPROJECTS: tuple[tuple[str, bytes, str], ...] = (
    ("not TOML", b"[project\nrequires-python = '>=3.11'\n", "error"),
    ("not TOML, not about Python", b"[project\n", "parent"),
    ("not UTF-8", b"[project]\nrequires-python = '>=3.11' # \xff\n", "error"),
    ("UTF-16", "[project]\nrequires-python = '>=3.11'\n".encode("utf-16"), "parent"),
    ("more than 256 KiB", b"#" * (MB // 4) + b"\n[project]\nrequires-python = '>=3.11'\n", "error"),
    ("nearly 256 KiB", b"[project]\nrequires-python = '==3.11.*'\n#" + b"x" * 260_000, "3.11.9"),
    ("no project", b"[tool.x]\nrequires-python = '>=3.11'\n", "parent"),
    ("project isn't a table", b"project = 'requires-python'\n", "parent"),
    ("projects", b"[[project]]\nrequires-python = '>=3.11'\n", "parent"),
    ("a number", b"[project]\nrequires-python = 3.11\n", "error"),
    ("a list", b"[project]\nrequires-python = ['>=3.11']\n", "error"),
    ("a table", b"[project.requires-python]\nx = 1\n", "error"),
    ("true", b"[project]\nrequires-python = true\n", "error"),
    ("a date", b"[project]\nrequires-python = 2024-01-01\n", "error"),
    ("nothing", b"[project]\nrequires-python = ''\n", "error"),
    ("blanks", b"[project]\nrequires-python = '  '\n", "error"),
    ("nonsense", b"[project]\nrequires-python = 'yes please'\n", "error"),
    ("poetry's caret", b"[project]\nrequires-python = '^3.11'\n", "error"),
    ("a path", b"[project]\nrequires-python = '../../evil'\n", "error"),
    ("a command", b"[project]\nrequires-python = '>=3.11; touch x'\n", "error"),
    ("arbitrary equality", b"[project]\nrequires-python = '===`id`'\n", "error"),
    ("an escape", b'[project]\nrequires-python = ">=3.11\\u001b[31m"\n', "error"),
    ("a newline", b'[project]\nrequires-python = ">=3.11\\n,<4"\n', "error"),
    ("out of reach", b"[project]\nrequires-python = '>=99'\n", "error"),
    ("long", b"[project]\nrequires-python = '" + b">=3.9," * 10**4 + b">=3'\n", "error"),
    ("deep arrays", b"x = " + b"[" * 10**5 + b"\n#requires-python\n", "error"),
    ("deep tables", b"x = " + b"{x=" * 10**5 + b"\n#requires-python\n", "error"),
    ("deep keys", b"#requires-python\n" + b"a." * 2000 + b"a = 1\n", "error"),
    ("a long number", b"#requires-python\nx = " + b"9" * 10**5 + b"\n", "error"),
    (
        "many tables",
        b"#requires-python\n" + b"".join(b"[t%d]\n" % n for n in range(10**4)),
        "parent",
    ),
)

TOOL_VERSIONS: tuple[tuple[str, bytes, str], ...] = (
    ("a path", b"python path:/bin\n", "error"),
    ("a way out", b"python ../../evil\n", "error"),
    ("a ref", b"python ref:main\n", "error"),
    ("latest", b"python latest\n", "error"),
    ("no version", b"python\n", "system"),
    ("a comment for a version", b"python # 3.11\n", "system"),
    ("good and evil", b"python 3.11.9 ../../evil\n", "error"),
    ("another tool", b"pythonx 3.11.9\nnodejs 20\n", "parent"),
    ("tabs", b"python\t3.11.9\n", "3.11.9"),
    ("escape", b"python \x1b[31m3.11.9\n", "error"),
    ("NUL", b"python 3.11.9\0\n", "error"),
    ("17 KiB", b"#" * (17 << 10) + b"\npython 3.11.9\n", "error"),
    ("a command", b"python $(touch$IFS@ROOT@/mark)\n", "error"),
)

# the variable: what this user's own shell says; a path there is meant
VARIABLES: tuple[tuple[str, bytes, str], ...] = (
    *((name, name.encode(), "error") for name in ("-c", "*", "latest", "$(id)", "`id`", ";id")),
    *((name, name.encode(), "error") for name in ("3.11.9;id", "'", '"', "\\", "9.9", "3..1", "=")),
    *(
        (name, name.encode(), "error")
        for name in (".global", "..", "../../evil/none", "/etc/passwd")
    ),
    ("escape", b"\x1b[31m3.11.9", "error"),
    ("newline", b"3.11.9\n../../evil", "error"),
    ("not UTF-8", b"3.11.9\xff", "error"),
    ("RTL", "3.11.9\u202e".encode(), "error"),
    ("long", b"3" * 100_000, "error"),
    ("several, one evil", b"3.11.9:$(id)", "error"),
    ("several, one missing", b"9.9:3.11.9", "3.11.9"),
    ("blanks around", b"  3.11.9  ", "3.11.9"),
    ("only blanks", b"   ", "parent"),
    ("only colons", b"::", "system"),
)

DIRECTORIES: tuple[bytes, ...] = (
    *(
        b"new\nline",
        b"trailing\n",
        b"a 'quote",
        b'a "quote',
        b" blanks ",
        b"tab\there",
        b"*",
        b"[a-z]",
    ),
    *(b"$(touch mark)", b"`touch mark`", b"; touch mark", b"&", b"-n", b"--", b"~", b"~root", b"#"),
    *(b"back\\slash", b"\\n", b"colon:colon", b"\xff\xfe", b"\x1b[31mred", b"\x07", b"%s%n", b"!!"),
    *("\u202eevil".encode(), "ü".encode(), b"x" * 255, b".bubble", b"...", b"=", b"CON", b"{a,b}"),
)

COMMANDS: tuple[str, ...] = (
    *("../evil/bin/python", "/bin/sh", "..", ".", "", "-c", "--", "a\x1b[31mb", "a\nb", "x" * 5000),
    *("$(touch mark)", "`id`", ";id", "*", "\u202epython", "python\udcff", "~root", "python\u200b"),
)


def cases() -> list[Case]:
    """Return every file case; what can't be bounded in `sh` isn't tried over a memo."""
    found = [
        Case(f"word {ascii(word)[1:40]}", ".python-version", holding(f"{word}\n".encode()), "error")
        for word in WORDS
    ]
    found += [Case(n, ".python-version", holding(content), e) for n, content, e in TEXTS]
    found += [Case(n, ".python-version", make, e) for n, make, e in KINDS]
    found += [
        Case("1 GiB, sparse", ".python-version", _sparse, "error", memo=False),
        Case("64 MB in one line", ".python-version", _long_line, "error", memo=False),
    ]
    found += [
        Case(f"versions: {n}", ".python-versions", make, e)
        for n, make, e in KINDS
        if n in {"FIFO", "directory", "/dev/zero", "link to nothing", "mode 000"}
    ]
    found += [
        # these two are compared by their times alone, and a device may have any time
        Case(f"{file}: {n}", file, make, e, memo=n != "/dev/zero")
        for file in (".tool-versions", "pyproject.toml")
        for n, make, e in KINDS
        if n in {"FIFO", "directory", "/dev/zero", "link to nothing", "socket"}
    ]
    found += [Case(f"tool: {n}", ".tool-versions", holding(c), e) for n, c, e in TOOL_VERSIONS]
    found += [Case(f"project: {n}", "pyproject.toml", holding(c), e) for n, c, e in PYPROJECTS]
    return found
