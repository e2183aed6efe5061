"""The grammar of an environment's name: what can be one, what can't, and that each is said."""

from __future__ import annotations

import os
import string

import hypothesis
import hypothesis.strategies as st
import pytest

from bubble.model.errors import BubbleError
from bubble.model.name import LONGEST, is_name, require_name
from bubble.model.request import parse_request

GOOD = ["a", "train", "Train", "my-env", "my_env", "my.env", "a" * LONGEST, "x3.12", "pyx", "cp-x"]
BAD = [
    "", ".", "..", "../x", "a/b", "/a", "-rf", "--help", "_a", ".a", "3d", "3.12", "312", "a b",
    "a\n", "a\0b", "\x1b[31m", "ä", "名前", "a\u202eb", "a" * (LONGEST + 1), "a" * 255, "a" * 5000,
    "system", "python", "python3.12", "pypy", "pypy3.10", "cpython@3.12", "cp312", "graalpy", "pp",
    "a+b", "a@b", "a=b", "a*", "~", "~a", "a\\b", "C:", "a:b", "$HOME", "`x`", "'", '"', " a", "a ",
    "\udcff", "a\udcff", "Ⅻ", "\uff41",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_good_name_is_taken_as_it_is(text: str) -> None:
    assert is_name(text)
    assert require_name(text) == text


@pytest.mark.parametrize("text", BAD)
def test_a_bad_name_is_refused_in_one_printable_line(text: str) -> None:
    assert not is_name(text)
    with pytest.raises(BubbleError) as caught:
        require_name(text)
    error = caught.value
    assert (error.kind, error.exit_status) == ("usage", 2)
    assert error.message.isprintable()
    assert len(error.message) < 400
    assert error.hint


def test_the_reason_is_said() -> None:
    for text, reason in (("python3.12", "it means a Python"), ("a" * 65, "it has 65 characters")):
        with pytest.raises(BubbleError, match=reason):
            require_name(text)


@hypothesis.given(st.text(max_size=80) | st.text(string.ascii_letters + "0-._/", max_size=80))
def test_a_name_is_one_path_component_and_reads_as_a_name(text: str) -> None:
    if not is_name(text):
        return
    assert os.path.basename(f"/x/{text}") == text
    assert os.path.normpath(f"/x/{text}") == f"/x/{text}"
    assert not text.startswith(("-", "."))
    assert text.isascii()
    assert text.isprintable()
    assert parse_request(text).kind == "name"
    assert len(os.fsencode(text)) <= LONGEST
