"""The limits that every transfer keeps, and the environment variables that move them."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.number import number_of
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

KIB = 1024
MIB = 1024 * KIB


class Settings(Record):
    """Durations in seconds, sizes in bytes, rates in bytes per second."""

    connect_timeout: float = 10
    read_timeout: float = 30
    # for one file, all candidates and retries together
    deadline: float = 3600
    # the client's time-outs are per read, so a byte a second would run for ever
    minimum_rate: float = 1 * KIB
    rate_window: float = 30
    attempts: int = 5
    # where there is nobody to ask: no such host, nobody listening, no network
    unreachable_attempts: int = 2
    backoff: float = 0.5
    backoff_limit: float = 8
    retry_after_limit: float = 60
    connections: int = 8
    # further connections are opened for what is at least this long, …
    segment_threshold: int = 6 * MIB
    # … each for at least this much, …
    segment_size: int = 2 * MIB
    # … when the first one has had this long, and would take at least as long again
    segment_after: float = 0.05
    # a server whose first answer took longer isn't near: there one more connection is tried first,
    # and its effect measured over windows of this length
    near: float = 0.03
    trial_window: float = 0.3
    # an idle connection takes half of the longest segment that is left, if it is this long
    steal_size: int = 512 * KIB
    # an attempt that brought this much is not held against the server
    progress_size: int = 1 * MIB
    max_size: int = 2 * KIB * MIB

    def pause(self, failures: int) -> float:
        """Return how long to wait after so many failures, by chance, so that not all come back."""
        import random

        longest: float = min(self.backoff_limit, self.backoff * 2.0 ** (failures - 1))
        return longest * (0.5 + random.random() / 2)  # noqa: S311 - guards nothing


def settings_from(env: Mapping[str, str]) -> Settings:
    """Return the settings that the environment variables ask for.

    BUBBLE_HTTP_TIMEOUT (seconds for a connection and for each read), BUBBLE_HTTP_DEADLINE
    (seconds for one file), BUBBLE_HTTP_RETRIES (after the first attempt), BUBBLE_HTTP_CONNECTIONS.
    Raises BubbleError(usage) for a value that is no number or out of range.
    """
    chosen = Settings()
    timeout = number_of(env, "BUBBLE_HTTP_TIMEOUT", 0.1, 3600)
    if timeout is not None:
        chosen = chosen.replace(
            connect_timeout=timeout, read_timeout=timeout, rate_window=max(30, timeout)
        )
    deadline = number_of(env, "BUBBLE_HTTP_DEADLINE", 0.1, 7 * 86400)
    if deadline is not None:
        chosen = chosen.replace(deadline=deadline)
    retries = _whole(env, "BUBBLE_HTTP_RETRIES", 0, 100)
    if retries is not None:
        chosen = chosen.replace(attempts=retries + 1, unreachable_attempts=retries + 1)
    connections = _whole(env, "BUBBLE_HTTP_CONNECTIONS", 1, 64)
    if connections is not None:
        chosen = chosen.replace(connections=connections)
    return chosen


def offline(env: Mapping[str, str]) -> bool:
    """Return whether BUBBLE_OFFLINE switches the network off."""
    return env.get("BUBBLE_OFFLINE", "") not in {"", "0"}


def _whole(env: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    if not low <= value <= high:
        raise BubbleError(
            "usage",
            f"{name} must be a whole number from {low} to {high}, not “{printable(text)}”",
            hint=f"set {name} to such a number, or unset it",
        )
    return value
