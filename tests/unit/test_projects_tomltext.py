"""What is written as TOML is read back as it was, and in the same bytes."""

from __future__ import annotations

import datetime as dt
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.projects.tomltext import lines, value

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_PLAIN = st.one_of(
    _TEXTS,
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.datetimes(min_value=dt.datetime(1970, 1, 1)).map(  # noqa: DTZ001 - made one of UTC below
        lambda moment: moment.replace(microsecond=0, tzinfo=dt.UTC)
    ),
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=5))
def test_what_is_written_is_read_back(table: dict[str, object]) -> None:
    text = "".join(f"{line}\n" for line in lines(table))
    assert tomllib.loads(text) == table
    assert lines(tomllib.loads(text)) == lines(table)


def test_several_tables_have_a_line_each_and_times_are_utc() -> None:
    here = dt.timezone(dt.timedelta(hours=5, minutes=45))
    moment = dt.datetime(2026, 11, 1, 5, 45, tzinfo=here)
    assert lines({"a": [{"b": 1}, {"b": moment}], "c d": []}) == [
        "a = [",
        "    { b = 1 },",
        "    { b = 2026-11-01T00:00:00Z },",
        "]",
        '"c d" = []',
    ]


def test_what_a_lock_never_has_is_refused() -> None:
    with pytest.raises(TypeError):
        value(1.5)
