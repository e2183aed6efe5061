"""Reading the answer to a request: its head, and its body as raw bytes.

The one module that needs http.client, which takes longer to import than a near server to answer:
it is imported when the request is on its way.
"""

from __future__ import annotations

from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected

from bubble.system.http.exchange import NoAnswerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bubble.system.http.exchange import ExchangeError
    from bubble.system.http.opening import Stream

# of a head, after which the rest of it would be taken for the body; others are about mail
_BROKEN = (MissingHeaderBodySeparatorDefect, FirstHeaderLineIsContinuationDefect)
PIECE = 256 * 1024  # bytes of a body at a time, at most


def answered(sock: Stream, method: str) -> HTTPResponse:
    """Return the answer to a request that was sent, its head read; raise OSError, NoAnswerError.

    What is said before it (1xx) is passed over.
    """
    answer = HTTPResponse(sock, method=method)  # type: ignore[arg-type]  # of which it needs no more
    try:
        answer.begin()
        while 100 <= answer.status < 200 and answer.status != 101:
            answer.headers = None  # type: ignore[assignment]  # or it takes this for the answer
            answer.begin()
        _check_head(answer)
    except HTTPException as error:
        answer.close()
        raise _told(error) from None
    except BaseException:
        answer.close()
        raise
    return answer


class Reply:
    """The head of a response, and its body as raw bytes."""

    def __init__(
        self,
        answer: HTTPResponse,
        url: str,
        release: Callable[[bool], None],
        failure: Callable[[Exception, str], ExchangeError],
        *,
        with_login: bool,
    ) -> None:
        """Take an answer whose head was read.

        Raises NoAnswerError, and closes it, where nobody can know how its body ends.

        `release` is called when it is let go of: with whether its connection may be asked again.
        `failure` says what an error of the body means, and of which URL.
        """
        self._answer = answer
        self._release = release
        self._failure = failure
        self.url = url
        self.with_login = with_login
        self.status = answer.status
        headers: dict[str, str] = {}
        for name, text in answer.getheaders():
            key = name.lower()
            headers[key] = f"{headers[key]}, {text.strip()}" if key in headers else text.strip()
        self.headers: Mapping[str, str] = headers
        self._left = self.length
        wrong = ""
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            wrong = "the server sent it encoded in a way that wasn't asked for"
        elif self._left is None and not answer.chunked and "content-length" in headers:
            wrong = "the server says a length that means nothing"
        if wrong:
            answer.close()
            raise NoAnswerError(wrong)
        if answer.length == 0:  # of what has no body, whatever it says
            self._left = 0

    @property
    def length(self) -> int | None:
        """The Content-Length, if there is one that means something (RFC 9112, 6.3)."""
        if self._answer.chunked:
            return None
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    @property
    def etag(self) -> str:
        """The ETag as it was sent, or ""."""
        return self.headers.get("etag", "")

    @property
    def validator(self) -> str:
        """What If-Range may hold: a strong ETag, or the Last-Modified date (RFC 9110, 13.1.5)."""
        found = self.etag
        if not found or found.startswith("W/"):
            found = self.headers.get("last-modified", "")
        return found if found.isascii() and found.isprintable() else ""

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes, undecoded; raise ExchangeError."""
        while self._left != 0:
            try:
                data = self._answer.read1(min(PIECE, self._left or PIECE))
            except HTTPException as error:
                raise self._failure(_told(error), self.url) from None
            except OSError as error:
                raise self._failure(error, self.url) from None
            if data:
                if self._left is not None:
                    self._left -= len(data)
                yield data
            elif self._left:
                early = NoAnswerError(f"the body ended {self._left} bytes early")
                raise self._failure(early, self.url)
            else:
                self._left = 0

    def close(self) -> None:
        """Let go of the body, however much of it was read."""
        self._answer.close()
        self._release(self._left == 0 and not self._answer.will_close)


def _check_head(answer: HTTPResponse) -> None:
    """Raise NoAnswerError for a line that is no header; and see to what http.client overlooks."""
    if any(isinstance(defect, _BROKEN) for defect in answer.headers.defects):
        raise NoAnswerError("this is no answer of HTTP: its head has a line that is no header")
    coding = answer.headers.get("transfer-encoding", "")
    if coding.strip().lower() == "chunked" and not (answer.chunked or answer.length == 0):
        answer.chunked, answer.chunk_left, answer.length = True, None, None  # spaces after it


def _told(error: HTTPException) -> NoAnswerError:
    """Return what is wrong with an answer, in our words."""
    if isinstance(error, RemoteDisconnected):
        return NoAnswerError("the server closed the connection without an answer")
    if isinstance(error, IncompleteRead):
        return NoAnswerError("the body ended early")
    return NoAnswerError(f"this is no answer of HTTP: {str(error) or type(error).__name__}")
