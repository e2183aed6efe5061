"""Frozen values with named fields, at a tenth of the import cost of `dataclasses`.

`dataclasses` imports `inspect` and doubles the start of an everyday command, so the small values
of this program derive from `Record` instead. Type checkers treat a subclass as a frozen,
keyword-only dataclass.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """Stand in for `typing.dataclass_transform`, which only type checkers read."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """A frozen value: its annotated class attributes are its keyword-only fields.

    A class attribute's value is the field's default. Equality, hash and repr go by the fields.
    """

    _fields: tuple[str, ...]
    _names: frozenset[str]  # the same, to compare with

    def __init_subclass__(cls) -> None:
        """Collect the fields, inherited ones first."""
        inherited: tuple[str, ...] = getattr(cls, "_fields", ())
        own = tuple(n for n in cls.__annotations__ if not n.startswith("_") and n not in inherited)
        cls._fields = inherited + own
        cls._names = frozenset(cls._fields)

    def __init__(self, **values: Any) -> None:
        """Take every field by name; raise TypeError for a missing or unknown one."""
        self.__dict__.update(values)
        if values.keys() != self._names:
            unknown = values.keys() - self._names
            missing = [n for n in self._fields if n not in values and not hasattr(type(self), n)]
            if unknown or missing:
                name = type(self).__name__
                raise TypeError(f"{name}: missing {missing}, unknown {sorted(unknown)}")

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return a record of every field's value by name: unlike `cls(**values)`, unchecked.

        For whoever makes thousands, and has just written or checked the names.
        """
        record = cls.__new__(cls)
        record.__dict__.update(values)
        return record

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: a record is frozen."""
        raise AttributeError(f"{type(self).__name__}.{name} is read-only")

    def __eq__(self, other: object) -> bool:
        """Compare by class and fields."""
        return type(other) is type(self) and other.values() == self.values()

    def __hash__(self) -> int:
        """Hash by the fields."""
        return hash(self.values())

    def __repr__(self) -> str:
        """Show every field."""
        pairs = ", ".join(f"{n}={getattr(self, n)!r}" for n in self._fields)
        return f"{type(self).__name__}({pairs})"

    def values(self) -> tuple[object, ...]:
        """Return the fields' values in the order of their declaration."""
        return tuple(getattr(self, n) for n in self._fields)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a new dict (nested records stay records)."""
        return {n: getattr(self, n) for n in self._fields}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return type(self)(**{**self.as_dict(), **changes})
