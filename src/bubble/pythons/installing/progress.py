"""What a long operation tells while it runs; the base class tells nobody."""

from __future__ import annotations


class Task:
    """The life of one item. Every method may be called from any thread."""

    def download(self, done: int, total: int | None) -> None:
        """Say how many bytes of the archive are here."""

    def retry(self, text: str) -> None:
        """Say why the download is tried again, in a line."""

    def part(self, done: int, total: int) -> None:
        """Say how many bytes of all the present step is through with."""

    def step(self, text: str) -> None:
        """Say what happens now, in a word or three: `verifying`, `waiting for process 12`."""

    def finish(self, text: str) -> None:
        """Say how it ended, in a line; "" when there is nothing to say."""


class Progress:
    """Where the tasks of one operation report to."""

    def task(self, name: str) -> Task:
        """Open the task of one item, called by the name people know it by."""
        del name
        return Task()

    def close(self) -> None:
        """End the display, whatever is still open: an interrupt leaves tasks behind."""
