"""Files that name a Python, read by the front door: what they say, and what is no version file."""

from __future__ import annotations

import os
import signal
import tomllib

import pytest

from bubble.model.errors import BubbleError
from bubble.system.version_file import (
    LIMIT,
    Entry,
    parse_toml,
    read_python_version,
    read_regular,
    read_requires_python,
    read_tool_versions,
)
from support.needs import NOT_ROOT, not_here
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def said(entries: tuple[Entry, ...] | None) -> list[tuple[str, int]] | None:
    return None if entries is None else [(entry.text, entry.line) for entry in entries]


def refused(path: Path) -> BubbleError:
    """Return the error that reading a file as `.python-version`, or by its own name, gives."""
    read = read_requires_python if path.name == "pyproject.toml" else read_python_version
    files = len(os.listdir("/dev/fd"))
    with pytest.raises(BubbleError) as caught:
        read(str(path))
    assert caught.value.kind == "version_file"
    assert caught.value.message.startswith(f"{path} can't be used: ")
    assert caught.value.message.isprintable()
    assert caught.value.hint
    assert len(os.listdir("/dev/fd")) == files
    return caught.value


def test_a_version_file_is_read_as_pyenv_does_and_a_little_more(tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_bytes(b"\xef\xbb\xbf3.12 # why\r\n\n  # nothing\n3.11:3.10: 3.9\n>=3.8, <4\n")
    assert said(read_python_version(str(path))) == [
        ("3.12", 1),
        ("3.11", 4),
        ("3.10", 4),
        ("3.9", 4),
        (">=3.8, <4", 5),
    ]
    path.write_text("# nothing\n")
    assert read_python_version(str(path)) == ()


def test_a_line_is_one_request_whole_and_nothing_on_it_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_text("CPython\t 3.12  # why\n3.11 : python 3.10\n3.9 and more\n")
    assert said(read_python_version(str(path))) == [
        ("CPython 3.12", 1),
        ("3.11", 2),
        ("python 3.10", 2),
        ("3.9 and more", 3),
    ]


def test_of_tool_versions_the_first_line_of_python_counts(tmp_path: Path) -> None:
    path = tmp_path / ".tool-versions"
    path.write_text("nodejs 20\n#python 2\npython 3.12.1 3.11 # why\npython 3.10\n")
    assert said(read_tool_versions(str(path))) == [("3.12.1", 3), ("3.11", 3)]
    path.write_text("nodejs 20\npython3 3.12\n")
    assert read_tool_versions(str(path)) is None


def test_of_a_project_the_table_project_counts(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\nrequires-python = " >=3.11 "\n')
    assert said(read_requires_python(str(path))) == [(">=3.11", 3)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no TOML at all",
        '[project]\nname = "x"\n',
        '[tool.poetry]\nrequires-python = "3.11"\n',
        'project = "requires-python"\n',
        '[[project]]\nrequires-python = "3.11"\n',
    ],
)
def test_a_project_that_says_nothing_of_it_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_requires_python(str(tmp_path / "pyproject.toml")) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[project]\nrequires-python = >=3.11\n", "it is not TOML"),
        (b"[project]\nrequires-python = '3' # \xff\n", "it is not TOML"),
        (b"x = " + b"[" * 100_000 + b"# requires-python", "it is not TOML"),
        (b"x = " + b"1" * 5_000 + b" # requires-python\n", "it is not TOML"),
        (b"[project]\nrequires-python = 3.11\n", "not a specifier in quotes"),
        (b"[project]\nrequires-python = ['3.11']\n", "not a specifier in quotes"),
        (b"[project]\nrequires-python = ' '\n", "not a specifier in quotes"),
        (b"# requires-python" + b" " * (1 << 18), "larger than 262144 bytes"),
    ],
    ids=range(8),
)
def test_a_project_whose_requirement_can_not_be_read_is_refused(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(data)
    error = refused(path)
    assert reason in error.message
    assert error.hint == "mend it, or choose for your directory alone: bubble use 3.12"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"3.12\xff", "it is not UTF-8 text"),
        (b"3.12\n\r\n3.1\x1b[2J", "line 4 has control characters"),
        (b"3.12\0", "line 1 has control characters"),
        (b"3" * (LIMIT + 1), f"it is larger than {LIMIT} bytes"),
    ],
)
def test_a_version_file_with_something_else_in_it_is_refused_and_may_be_replaced(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / ".python-version"
    path.write_bytes(data)
    error = refused(path)
    assert reason in error.message
    assert error.hint == "write a new one, in that directory: bubble use 3.12"
    path.rename(tmp_path / "version")
    assert refused(tmp_path / "version").hint == "write a new one: bubble global 3.12"


def test_what_is_not_there_or_is_a_directory_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("3.12")
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "file" / ".python-version"):
        assert read_python_version(str(path)) is None
        assert read_tool_versions(str(path)) is None
        assert read_requires_python(str(path)) is None


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("nothing", "it is a link to nothing"),
        (".python-version", "too many levels of symbolic links"),
        ("/dev/null", "it is not a regular file"),
        ("fifo", "it is not a regular file"),
        ("/proc/self/mem", "input/output error"),  # a regular file that can't be read from 0
    ],
)
def test_what_leads_to_no_readable_file_is_refused_and_to_be_moved_away(
    tmp_path: Path, target: str, reason: str
) -> None:
    if target == "/proc/self/mem" and not os.path.exists(target):
        not_here("/proc/self/mem is Linux's")
    os.mkfifo(tmp_path / "fifo")
    path = tmp_path / ".python-version"
    path.symlink_to(target)
    error = refused(path)
    assert reason in error.message
    assert error.hint == "move it away: it is no version file that bubble could write to"


@NOT_ROOT
def test_a_version_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".python-version"
    path.write_text("3.12")
    path.chmod(0)
    assert "permission denied" in refused(path).message


def test_what_becomes_something_else_before_it_is_opened_is_seen_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for whoever replaces it between the look and the opening."""
    path, real = tmp_path / "file", os.open
    path.write_text("3.12")
    os.mkfifo(tmp_path / "fifo")

    def opening(instead: Path) -> None:
        monkeypatch.setattr(os, "open", lambda _, flags: real(instead, flags))

    opening(tmp_path)
    assert read_regular(str(path), LIMIT) is None
    opening(tmp_path / "fifo")
    with pytest.raises(BubbleError, match="it is not a regular file"):
        read_regular(str(path), LIMIT)


DOTS = "." * 100
DEEP = ".".join("a" * 5000)


@pytest.mark.parametrize(
    "text",
    [
        f"# {DOTS}\n",
        f'a = """\n{DOTS}\n\\"\\" {DOTS}"""\n',
        f"a = '''\n{DOTS}\\'''\n",
        f"a = '''{DOTS}''''' # {DOTS}\n",
        f'a = "{DOTS}\\"{DOTS}"\n',
        f"a = ['{DOTS}', \"#{DOTS}\", '\"'] # '{DOTS}\n",
        f"\ufeff# {DOTS}\n",
    ],
)
def test_dots_in_texts_and_comments_are_no_keys(text: str) -> None:
    assert parse_toml("/x", text.encode()) == tomllib.loads(text.removeprefix("\ufeff"))


LONG = (
    '"""' * 80_000,
    "'''" * 80_000 + "x",
    '"' * 240_001,
    "'\\" * 120_000,
    "#" * 240_000,
    'a="""' + '\\"' * 120_000,
    'a="""' + "\\" * 240_000,
    'a="""' + '\\"' * 120_000 + "\\",
    'a="' + '\\"' * 120_000,
    "'''\"\"\"" * 40_000,
    '"\\\n' * 80_000,
)


@pytest.mark.parametrize("number", range(len(LONG)))
def test_no_text_takes_long_to_be_looked_at(number: int) -> None:
    signal.alarm(PATIENCE)
    try:
        parse_toml("/x", LONG[number].encode())
    except BubbleError:
        pass
    finally:
        signal.alarm(0)


@pytest.mark.parametrize(
    "text",
    [
        f"{DEEP} = 1",
        f"[{DEEP}]",
        f'x = {{a = """x"""", {DEEP} = "1"}}',
        f"x = {{a = '''x'''', {DEEP} = '1'}}",
        f"x = {{a = '\\', {DEEP} = '1'}}",
        f'x = "#" # "\n{DEEP} = 1 # "',
        f'x = """\\\\"""\n{DEEP} = """1"""',
        f"x = '''\"\"\"'''\n{DEEP} = '''\"\"\"'''",
    ],
)
def test_keys_of_thousands_of_parts_are_refused_wherever_they_hide(text: str) -> None:
    with pytest.raises(BubbleError, match="too many parts"):
        parse_toml("/x", text.encode())
