"""The three standard descriptors, where whoever started this process closed some of them."""

from __future__ import annotations

import os

_filled: list[int] = []


def fill() -> None:
    """Put /dev/null where a standard descriptor is closed, or the next file would be it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - the function has no keyword for it
        _filled.append(descriptor)
    os.close(descriptor)


def close_filled() -> None:
    """Close again what `fill` opened, for a program that this process becomes."""
    while _filled:
        os.close(_filled.pop())
