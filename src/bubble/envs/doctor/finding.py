"""What the doctor finds, and what it looks at."""

from __future__ import annotations

from bubble.model.record import Record
from bubble.selection.answers import World

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)


class Finding(Record):
    """One thing that is wrong.

    `id` names the kind of finding (docs/doctor.md lists them), `severity` is one of SEVERITIES:
    an error stops something from working, a warning will or does it in secret, a note is worth
    knowing. `where` is a path or a variable's name. `fix` is a command line for sh; `automatic`
    says that it is a `bubble` command that `doctor --fix` runs by itself; `condition` is what only
    the user can know, and must before running it ("" for nothing).
    """

    id: str
    severity: str
    what: str
    where: str
    fix: str
    automatic: bool = False
    condition: str = ""

    @property
    def advice(self) -> str:
        """What to do, as it is said to people."""
        return f"{self.condition}: {self.fix}" if self.condition else self.fix


class Patient(World):
    """What is examined: the world as one call sees it.

    `python` is the absolute path of the interpreter that runs bubble.
    """

    python: str


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 file`, `2 files`."""
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"
