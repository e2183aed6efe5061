"""Whose an environment is that isn't registered where it lies: on this store's word alone.

What lies in the directory itself (a mark, a configuration) is what somebody wrote there. Only an
identity that this store's registry has, or a place within the store, makes it bubble's own.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.maker import maker_of
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.selection.identity import claimed, is_itself, link_of, mark_of
from bubble.selection.registry import all_unfinished
from bubble.system.pyvenv_cfg import read_configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

MOVED, COPIED, LOST, ANOTHERS = "moved", "copied", "lost", "another's"


class Claim(Record):
    """What the store says of the environment at `path` (absolute).

    `state` is MOVED or COPIED (of `original`, which is registered elsewhere), LOST (it lies in the
    store, or the store began to make it, and there is no record) or ANOTHERS: the store knows
    nothing of it, and `says` is who made it if one believes its own files.
    """

    path: str
    state: str
    original: Environment | None = None
    says: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether this store made it: not where it only knew what another tool had made."""
        return self.state != ANOTHERS and (not self.original or self.original.maker == "bubble")

    def is_proved(self, layout: Layout) -> bool:
        """Whether the store itself knows it, without the user's word."""
        if self.state == MOVED and self.original:
            return bool(link_of(self.original, layout, self.path))
        return self.state == LOST

    @property
    def said(self) -> str:
        """What to tell of it behind its path."""
        title = printable(self.original.title, 500) if self.original else ""
        return {
            MOVED: f"was moved here: it is registered as {title}",
            COPIED: f"is a copy of {title}",
            LOST: "was made here, and its record was lost",
            ANOTHERS: f"was not made here (its own files say that {self.says} made it)",
        }[self.state]

    @property
    def command(self) -> str:
        """The command that takes it in, as a shell takes it."""
        from shlex import quote

        return f"bubble {'repair' if self.is_ours else 'adopt'} {quote(printable(self.path))}"

    @property
    def condition(self) -> str:
        """What the user must know before taking it in, "" where the store itself knows it.

        A mark can be copied: who published an environment once, published its mark.
        """
        return {
            MOVED: "if you moved it there",
            COPIED: "if you copied it there",
            LOST: "",
            ANOTHERS: "if you trust what is in it",
        }[self.state]

    @property
    def hint(self) -> str:
        """The next step: for what is another's, trust is the user's to give."""
        if self.is_ours:
            return f"{self.condition}: {self.command}" if self.condition else self.command
        return f"if you trust what is in it: {self.command}; else move it away, and: bubble create"


def is_lost(path: str, identity: str, layout: Layout) -> bool:
    """Whether the store alone says that it made what has no record: a creation was killed, say."""
    return os.path.dirname(path) == layout.envs or any(
        (begun.path, begun.identity) == (path, identity) for _, begun in all_unfinished(layout)
    )


def claim(path: str, layout: Layout) -> Claim:
    """Return whose the environment at `path` (absolute) is, which isn't registered there."""
    original = claimed(path, layout)
    if original:
        state = COPIED if is_itself(original, layout) else MOVED
        return Claim(path=path, state=state, original=original)
    identity = mark_of(path)
    if identity and is_lost(path, identity, layout):
        return Claim(path=path, state=LOST)
    configuration = read_configuration(path)
    says = "a bubble" if identity or "bubble" in configuration else maker_of(path, configuration)
    return Claim(path=path, state=ANOTHERS, says=says)
