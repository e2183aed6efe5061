"""Numbers that people set by variables of the environment."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def number_of(env: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    """Return what a variable says, None where it says nothing.

    Raises BubbleError(usage) for anything but a number from `low` to `high`.
    """
    text = env.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not low <= value <= high:  # catches NaN as well
        raise BubbleError(
            "usage",
            f"{name} must be a number from {low:g} to {high:g}, not “{printable(text)}”",
            hint=f"set {name} to a number of seconds, or unset it",
        )
    return value
