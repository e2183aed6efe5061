"""A Python version as the builds number them: `3.14.0rc1`, compared in release order."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

STAGES = ("a", "b", "rc")
FINAL = len(STAGES)  # sorts after every pre-release


class Version(tuple[int, int, int, int, int]):
    """(major, minor, patch, stage, serial); `stage` indexes STAGES, or is FINAL with serial 0."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the version of `3.11.9`, `3.14.0rc1` or `3.14rc1`; ValueError for anything else.

        A part that is left out counts as 0.
        """
        release, stage, serial = split_version(text)
        major, minor, patch = (*release, 0, 0)[:3]
        return cls((major, minor, patch, FINAL if stage < 0 else stage, serial))

    @property
    def minor(self) -> str:
        """`3.11`."""
        return f"{self[0]}.{self[1]}"

    @property
    def is_prerelease(self) -> bool:
        """Whether this is an alpha, a beta or a release candidate."""
        return self[3] < FINAL

    def __str__(self) -> str:
        pre = f"{STAGES[self[3]]}{self[4]}" if self[3] < FINAL else ""
        return f"{self[0]}.{self[1]}.{self[2]}{pre}"

    def __repr__(self) -> str:
        return f"Version({self})"


def split_version(text: str) -> tuple[tuple[int, ...], int, int]:
    """Split `3.14.0rc1` into ((3, 14, 0), 2, 1); without a pre-release the stage is -1.

    Raises ValueError unless `text` is one to three dot-separated numbers and at most one
    pre-release mark.
    """
    release, stage, serial = text, -1, 0
    for index, mark in enumerate(STAGES):
        head, found, tail = text.partition(mark)
        if found:
            release, stage, serial = head, index, _number(tail)
            break
    parts = tuple(_number(p) for p in release.split("."))
    if len(parts) > 3:
        raise ValueError(text)
    return parts, stage, serial


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise ValueError(text)
    return int(text)
