"""The block of metadata in a script: what the reference's regular expression finds (PEP 723)."""

from __future__ import annotations

import re
import time

import hypothesis
import pytest
from hypothesis import strategies as st

from bubble.model.errors import BubbleError
from bubble.projects.scripts.source import LIMIT, blocks, find_block

# the specification's own, word for word
REFERENCE = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"
BLOCK = '# /// script\n# dependencies = ["six"]\n# ///\n'
TOML = 'dependencies = ["six"]\n'


def reference(text: str) -> list[tuple[str, str]]:
    found = []
    for match in re.finditer(REFERENCE, text):
        lines = match["content"].splitlines(keepends=True)
        content = "".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
        found.append((match["type"], content))
    return found


LINES = st.sampled_from((
    "# /// script", "# ///", "#", "# a = 1", "# /// other", "#x", " # ///", "# /// ", "# /// s c",
    "", "print(1)", "# /// script ", "#  ///", "# ///x", "##", "# /// scr\u00efpt", "# /// a-1",
    '"""', "\t", "# \x0b", "# \u2028x", "#\x0c",
))  # fmt: skip


@hypothesis.given(st.lists(LINES, max_size=14), st.booleans())
@hypothesis.settings(max_examples=600)
def test_blocks_are_those_of_the_reference(lines: list[str], ends: bool) -> None:
    text = "\n".join(lines) + "\n" * ends
    # the reference's own `splitlines` would cut at characters that the expression doesn't
    if not re.search(r"[\x0b\x0c\u2028]", text):
        assert blocks(text) == reference(text)
    assert [kind for kind, _ in blocks(text)] == [kind for kind, _ in reference(text)]


@pytest.mark.parametrize(
    "data",
    [
        BLOCK.encode(),
        BLOCK.replace("\n", "\r\n").encode(),
        BLOCK.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + BLOCK.encode(),
        b"#!/usr/bin/env -S bubble run\n" + BLOCK.encode() + b"import six\n",
        b"# -*- coding: latin-1 -*-\nname = '\xe9'\n" + BLOCK.encode(),
        b"#!/bin/sh\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n" + BLOCK.encode(),
        b'"""\n' + BLOCK.encode() + b'"""\n',  # as the reference has it: no Python is parsed
        BLOCK.rstrip("\n").encode(),
        b"# /// other\n# x\n# ///\n\n" + BLOCK.encode(),
        b"x = 1\n" * 100_000 + BLOCK.encode(),
    ],
    ids=[
        "plain", "crlf", "cr", "bom", "shebang", "latin-1", "second line", "docstring",
        "no newline at the end", "another block", "far down",
    ],
)  # fmt: skip
def test_a_block_is_found_however_the_script_is_written(data: bytes) -> None:
    assert find_block(data, "/x.py") == TOML


@pytest.mark.parametrize(
    "text",
    ["", "print(1)\n", "# /// script\n# x = 1\n", "# /// script\n# ///\n", " # /// script\n# ///"],
)
def test_what_is_no_block_is_none(text: str) -> None:
    assert find_block(text.encode(), "/x.py") is None


def test_the_text_of_a_block_is_in_the_scripts_encoding() -> None:
    data = "# coding: latin-1\n# /// script\n# # \u00e9\n# ///\n".encode("latin-1")
    assert find_block(data, "/x.py") == "# \u00e9\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (BLOCK.encode() + b"\n" + BLOCK.encode(), "two blocks"),
        (b"# coding: nonsense\n" + BLOCK.encode(), "none that Python knows"),
        (b"# coding: hex\n" + BLOCK.encode(), "none that Python knows"),
        (b"x = '\xff'\n" + BLOCK.encode(), "not text in utf-8"),
    ],
    ids=["two", "unknown encoding", "no text encoding", "not utf-8"],
)
def test_what_can_not_be_read_is_an_error_in_one_clean_line(data: bytes, said: str) -> None:
    with pytest.raises(BubbleError) as caught:
        find_block(data, "/x\x1b.py")
    assert caught.value.kind == "script"
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.hint


def test_an_encoding_ends_where_its_name_does() -> None:
    assert find_block(b"# coding: latin-1\x1b[31m\n" + BLOCK.encode(), "/x.py") == TOML
    assert find_block(b"# coding:\n" + BLOCK.encode(), "/x.py") == TOML
    assert find_block(b"x = 1\n# coding: nonsense\n" + BLOCK.encode(), "/x.py") == TOML


def test_the_time_grows_with_the_length_alone() -> None:
    def seconds(lines: int) -> float:
        text = "# /// script\n" * lines
        start = time.process_time()
        assert blocks(text) == []
        return time.process_time() - start

    small = seconds(20_000)
    assert seconds(160_000) < 30 * max(small, 0.001), "eight times the lines, not their square"
    assert LIMIT < 1 << 25
