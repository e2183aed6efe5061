"""Records: frozen, compared and shown by their fields, and strict about their names."""

from __future__ import annotations

import pytest

from bubble.model.record import Record
from bubble.model.version import Version


class Point(Record):
    x: int
    y: int = 0
    _hidden = "no field"


class Named(Point):
    name: str


def test_fields_are_the_annotations_inherited_ones_first_and_have_defaults() -> None:
    point = Named(name="here", x=1)
    assert point.values() == (1, 0, "here")
    assert point.as_dict() == {"x": 1, "y": 0, "name": "here"}
    assert Named.of({"x": 1, "y": 0, "name": "here"}) == point


def test_a_missing_or_unknown_field_is_named() -> None:
    with pytest.raises(TypeError, match=r"Named: missing \['x', 'name'\], unknown \['a', 'b'\]"):
        Named(b=1, a=2)  # type: ignore[call-arg]  # which is what the test is about
    with pytest.raises(TypeError, match=r"Named: missing \['name'\], unknown \[\]"):
        Named(x=1)  # type: ignore[call-arg]  # as above
    with pytest.raises(TypeError, match=r"Point: missing \[\], unknown \['z'\]"):
        Point(x=1).replace(z=3)


def test_nothing_of_it_can_be_set() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match=r"Point\.x is read-only"):
        point.x = 2  # type: ignore[misc]  # which is what the test is about
    assert point.x == 1


def test_two_are_equal_by_class_and_fields() -> None:
    class Other(Record):
        x: int
        y: int = 0

    assert Point(x=1) == Point(x=1, y=0)
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Other(x=1)
    assert len({Point(x=1), Point(x=1), Point(x=1, y=2)}) == 2


def test_it_shows_every_field() -> None:
    assert repr(Named(x=1, name="a b")) == "Named(x=1, y=0, name='a b')"
    assert repr(Version.parse("3.14rc1")) == "Version(3.14.0rc1)"


def test_a_copy_has_some_fields_changed() -> None:
    point = Point(x=1, y=5)
    assert point.replace(x=2) == Point(x=2, y=5)
    assert point == Point(x=1, y=5)
