"""The only place that prints: results to stdout, talk to stderr, both as JSON where asked."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.cli.context import Outcome
    from bubble.model.errors import BubbleError
    from bubble.pythons.progress import Progress

SCHEMA = 1


class Output:
    """Where one call of the program writes to."""

    def __init__(self, env: Mapping[str, str], *, json: bool) -> None:
        self.json = json
        self._env = env
        self._talks_to_terminal = _is_terminal(2)
        self.may_ask = _is_terminal(0) and self._talks_to_terminal
        if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
            # a path's bytes leave as they came
            sys.stdout.reconfigure(errors="surrogateescape")
        if sys.stderr is not None and hasattr(sys.stderr, "reconfigure"):
            sys.stderr.reconfigure(errors="backslashreplace")

    def outcome(self, outcome: Outcome) -> int:
        """Show what a command brought, and return the exit status."""
        if self.json:
            self._json_outcome(outcome)
        else:
            for note in outcome.notes:
                self.note(note)
            if outcome.lines:
                _write(sys.stdout, "\n".join(outcome.lines) + "\n")
            for error in outcome.errors:
                self.error(error)
        return max((e.exit_status for e in outcome.errors), default=0)

    def text(self, lines: Sequence[str]) -> None:
        """Write lines to stdout as they are (help, version)."""
        _write(sys.stdout, "\n".join(lines) + "\n")

    def note(self, text: str) -> None:
        """Say something to whoever watches."""
        if not self.json:
            _write(sys.stderr, f"{text}\n")

    def warn(self, text: str) -> None:
        """Say something that they should know."""
        if not self.json:
            _write(sys.stderr, f"{self._paint('33', 'warning')}: {text}\n")

    def failure(self, error: BubbleError) -> int:
        """Show the error that ended a command, and return the exit status."""
        if self.json:
            self._json({"schema": SCHEMA, "ok": False, "error": _error_data(error)})
        else:
            self.error(error)
        return error.exit_status

    def error(self, error: BubbleError) -> None:
        """Write an error and its next step to stderr."""
        _write(sys.stderr, f"{self._paint('31', 'error')}: {error.message}\n")
        if error.hint:
            _write(sys.stderr, f"  {self._paint('36', 'hint')}: {error.hint}\n")

    def ask(self, question: str) -> bool:
        """Ask a person for a yes; only sensible where `may_ask`."""
        _write(sys.stderr, f"{question} [y/N] ")
        try:
            return sys.stdin.readline().strip().lower() in {"y", "yes"}
        except OSError:
            return False

    def progress(self) -> Progress:
        """Return where a long operation reports to: a live display, short lines, or nobody."""
        from bubble.pythons.progress import Progress

        if self.json:
            return Progress()
        from bubble.cli.progress import LineProgress, live_progress

        live = self._talks_to_terminal and not self._env.get("BUBBLE_NO_PROGRESS")
        return live_progress(self._env) if live else LineProgress(self.note)

    def _paint(self, colour: str, text: str) -> str:
        plain = not self._talks_to_terminal or self._env.get("NO_COLOR")
        return (
            text if plain or self._env.get("TERM") == "dumb" else f"\x1b[1;{colour}m{text}\x1b[0m"
        )

    def _json_outcome(self, outcome: Outcome) -> None:
        document: dict[str, object] = {"schema": SCHEMA, "ok": not outcome.errors}
        if outcome.errors:
            document["error"] = _error_data(outcome.errors[0])
            document["errors"] = [_error_data(e) for e in outcome.errors]
        document["data"] = outcome.data
        self._json(document)

    def _json(self, document: object) -> None:
        import json

        _write(sys.stdout, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def table(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return rows of cells as lines with aligned columns; the last column isn't padded."""
    if not rows:
        return ()
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    return tuple(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _error_data(error: BubbleError) -> dict[str, object]:
    data: dict[str, object] = {
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
    }
    return {**data, "details": error.details} if error.details else data


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _write(stream: object, text: str) -> None:
    if stream is None:  # started with the descriptor closed
        return
    assert stream is sys.stdout or stream is sys.stderr
    stream.write(text)
    stream.flush()
