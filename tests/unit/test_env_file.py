"""Files of variables: what each line says, and what isn't one."""

from __future__ import annotations

import pytest

from bubble.model.errors import BubbleError
from bubble.system.env_file import read_env_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", {}),
        ("# c\n\n  \nA=1\nexport B = two words # c\r\n", {"A": "1", "B": "two words"}),
        ("A='si \"x\" $A #no' # c\n", {"A": 'si "x" $A #no'}),
        ('A="a\\nb \\"q\\" \\$A # x"', {"A": 'a\nb "q" $A # x'}),
        ('A="multi\nline"\nB=\n', {"A": "multi\nline", "B": ""}),
        ("A=a#b\nB=$(id) `id` $A\nC=#\n", {"A": "a#b", "B": "$(id) `id` $A", "C": ""}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("\ufeffA=x=y\n", {"A": "x=y"}),
    ],
)
def test_a_line_says_what_it_says_and_nothing_is_put_in(
    text: str, said: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(text.encode())
    assert read_env_file(str(tmp_path / ".env")) == said


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"A=1\nB\n", "line 2 isn't"),
        (b"1A=2", "line 1 isn't"),
        (b'A="x', "line 1 isn't"),
        (b"A='x'y", "line 1 isn't"),
        (b"BUBBLE_HOME=/elsewhere", "a setting of bubble"),
        (b"A=x\0y", "NUL"),
        (b"A=\xff", "UTF-8"),
        (b"A=" + b"x" * (1 << 18), "larger"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(data)
    with pytest.raises(BubbleError, match=why) as caught:
        read_env_file(str(tmp_path / ".env"))
    assert caught.value.kind == "usage"
    assert caught.value.message.isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BubbleError, match="there is no file"):
        read_env_file(str(tmp_path / "none"))
