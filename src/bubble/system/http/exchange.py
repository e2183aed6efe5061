"""How an exchange with a server fails, apart from the HTTP client that found it out."""

from __future__ import annotations

from bubble.model.errors import BubbleError


class NoAnswerError(Exception):
    """What came isn't what HTTP lets a server answer; the message says how."""


class ProxyRefusedError(Exception):
    """A proxy doesn't let us through; `status` is what it answered, 0 where it speaks no HTTP."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


# what the network, a server and a proxy do to an exchange
FAILURES = (OSError, NoAnswerError, ProxyRefusedError)


class ExchangeError(Exception):
    """An exchange failed. `retry`: the same request may work later, not before `after` seconds.

    `unreachable`: there was nobody to ask, so that a retry hardly helps. `missing`: the place
    answered that it doesn't have the file.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool,
        after: float = 0,
        status: int = 0,
        hint: str = "",
        unreachable: bool = False,
        missing: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry
        self.after = after
        self.status = status
        self.hint = hint
        self.unreachable = unreachable
        self.missing = missing or status in {404, 410}

    def as_error(self) -> BubbleError:
        """Return it as the program's error."""
        hint = self.hint or (
            "check the address: the server was reached, and has no such file"
            if self.missing
            else "check the network and the address, then retry"
        )
        details: dict[str, object] = {"status": self.status} if self.status else {}
        if self.missing:
            details["missing"] = True
        return BubbleError("download", self.message, hint=hint, details=details)
