"""The only place that prints: results to stdout, talk to stderr, both as JSON where asked."""

from __future__ import annotations

import os
import sys

from bubble.model.errors import BubbleError
from bubble.model.text import printable, without_userinfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bubble.cli.context import Outcome
    from bubble.cli.progress import Working
    from bubble.pythons.installing.progress import Progress

SCHEMA = 1


class Output:
    """Where one call of the program writes to."""

    def __init__(self, env: Mapping[str, str], *, json: bool) -> None:
        self.json = json
        self.env = env
        # what makes the commands that are proposed those of the store that was meant
        self.proposed: Callable[[str], str] = str
        self._talks_to_terminal = os.isatty(2)
        self.may_ask = os.isatty(0) and self._talks_to_terminal and not json
        self._progress: Progress | None = None
        if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
            import codecs

            codecs.register_error("bubble", _encoded_anyhow)
            sys.stdout.reconfigure(errors="bubble")
        if sys.stderr is not None and hasattr(sys.stderr, "reconfigure"):
            sys.stderr.reconfigure(errors="backslashreplace")

    def outcome(self, outcome: Outcome) -> int:
        """Show what a command brought, and return the exit status."""
        self.end_progress()
        if self.json:
            self._json_outcome(outcome)
        else:
            for warning in outcome.warnings:
                self.warn(warning)
            for note in outcome.notes:
                self.note(note)
            if outcome.lines:
                _write(self.proposed("\n".join(outcome.lines)) + "\n")
            for step in outcome.next_steps:
                self.note(step)
            for error in outcome.errors:
                self.error(error)
        return max((e.exit_status for e in outcome.errors), default=0)

    def text(self, lines: Sequence[str]) -> None:
        """Write lines to stdout as they are (help, version)."""
        _write("\n".join(lines) + "\n")

    def note(self, text: str) -> None:
        """Say something to whoever watches."""
        if not self.json:
            _talk(f"{_one_line(self.proposed(text))}\n")

    def warn(self, text: str) -> None:
        """Say something that they should know."""
        if not self.json:
            _talk(f"{self._paint('33', 'warning')}: {_one_line(text)}\n")

    def failure(self, error: BubbleError) -> int:
        """Show the error that ended a command, and return the exit status."""
        self.end_progress()
        if self.json and sys.stdout is not None:
            try:
                self._json({"schema": SCHEMA, "ok": False, "error": self._error_data(error)})
            except (BubbleError, OSError):  # it can't be written there: then for people
                self.error(error)
        else:
            self.error(error)
        return error.exit_status

    def error(self, error: BubbleError) -> None:
        """Write an error and its next step to stderr."""
        _talk(f"{self._paint('31', 'error')}: {_one_line(error.message)}\n")
        if error.hint:
            _talk(f"  {self._paint('36', 'hint')}: {_one_line(self.proposed(error.hint))}\n")

    def ask(self, question: str) -> bool:
        """Ask a person for a yes; only sensible where `may_ask`."""
        _talk(f"{_one_line(question)} [y/N] ")
        try:
            return sys.stdin.readline().strip().lower() in {"y", "yes"}
        except OSError:
            return False

    def progress(self) -> Progress:
        """Return where a long operation reports to: a live display, short lines, or nobody."""
        from bubble.pythons.installing.progress import Progress

        if self.json:
            return Progress()
        if self._progress is None:
            from bubble.cli.progress import live_progress

            self._progress = live_progress() if self._is_live else self._lines()
        return self._progress

    def _lines(self) -> Progress:
        from bubble.cli.progress import LONG, LineProgress
        from bubble.model.number import number_of

        after = number_of(self.env, "BUBBLE_PROGRESS_AFTER", 0, 86400)
        return LineProgress(self.note, after=LONG if after is None else after)

    def working(self, name: str) -> Working:
        """Return what tells, inside `with`, of a whole command that may take long.

        On a live display, its items and the installers that it starts show themselves.
        """
        from bubble.cli.progress import Working

        return Working(self.progress(), name)

    def end_progress(self) -> None:
        """Leave the terminal in order, also when an interrupt left tasks open."""
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    @property
    def _is_live(self) -> bool:
        return self._is_screen and self.env.get("BUBBLE_NO_PROGRESS", "") in {"", "0"}

    @property
    def _is_screen(self) -> bool:
        """Whether stderr is a terminal that can do more than print."""
        return self._talks_to_terminal and self.env.get("TERM", "") not in {"", "dumb", "unknown"}

    def _paint(self, colour: str, text: str) -> str:
        if self.env.get("NO_COLOR") or not self._is_screen:
            return text
        return f"\x1b[1;{colour}m{text}\x1b[0m"

    def _json_outcome(self, outcome: Outcome) -> None:
        document: dict[str, object] = {"schema": SCHEMA, "ok": not outcome.errors}
        if outcome.errors:
            document["error"] = self._error_data(outcome.errors[0])
            document["errors"] = [self._error_data(e) for e in outcome.errors]
        if outcome.warnings:
            document["warnings"] = [without_userinfo(text) for text in outcome.warnings]
        document["data"] = outcome.data
        self._json(document)

    def _error_data(self, error: BubbleError) -> dict[str, object]:
        data: dict[str, object] = {
            "kind": error.kind,
            "message": without_userinfo(error.message),
            "hint": without_userinfo(self.proposed(error.hint)),
        }
        return {**data, "details": error.details} if error.details else data

    def _json(self, document: object) -> None:
        import json

        text = json.dumps(document, indent=2, ensure_ascii=False)
        try:
            text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "strict")
        except UnicodeEncodeError:  # bytes that are no text: JSON has its own way to write them
            text = json.dumps(document, indent=2)
        _write(text + "\n")


def table(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return rows of cells as lines with aligned columns; the last column isn't padded."""
    if not rows:
        return ()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _write(text: str) -> None:
    """Write to stdout; raise BubbleError(io) if it can't be, BrokenPipeError if nobody reads it."""
    if sys.stdout is None:  # started with the descriptor closed: nobody wants to know
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up(1)
        raise
    except OSError as error:
        _give_up(1)
        raise BubbleError(
            "io",
            f"the output can't be written: {(error.strerror or str(error)).lower()}",
            hint="check where the output goes, and run it again",
        ) from None


def _talk(text: str) -> None:
    """Write to stderr; what can't be said there can't be said anywhere."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _give_up(2)


def _give_up(descriptor: int) -> None:
    """Send what is still in the stream's buffer nowhere: the interpreter flushes it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
    if descriptor == 1:
        sys.stdout = None  # as it is when started without one


def _one_line(text: str) -> str:
    """Return a message without control characters or passwords, wherever it came from."""
    return without_userinfo(printable(text, len(text)))


def _encoded_anyhow(error: UnicodeError) -> tuple[bytes, int]:
    """Give a path's bytes back as they came, and escape what the stream's encoding hasn't got."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return b"".join(
        bytes([ord(c) - 0xDC00])
        if "\udc80" <= c <= "\udcff"
        else c.encode("ascii", "backslashreplace")
        for c in text
    ), error.end
