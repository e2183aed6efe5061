"""How this process's children end: whoever started it may have the system not tell it."""

from __future__ import annotations

_was_ignored = False


def heed() -> None:
    """Have it told again, or every child that fails would look like one that succeeds."""
    global _was_ignored  # noqa: PLW0603 - so is what it stands for
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _was_ignored = True


def ignore_again() -> None:
    """Leave it as it was, for a program that this process becomes."""
    if _was_ignored:
        import signal

        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
