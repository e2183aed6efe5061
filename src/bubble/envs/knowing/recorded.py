"""What an installer wrote down of a distribution's files: its RECORD (PEP 376, PEP 427)."""

from __future__ import annotations

import os

from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.envs.exchange.export import Distribution

_LARGEST = 1 << 26  # bytes of a RECORD


def recorded(root: str, distribution: Distribution) -> list[tuple[str, str, str]] | None:
    """Return the files below `root` (absolute) that a distribution has by its RECORD.

    Each with its absolute path, its hash (`sha256=…`) and its size in digits: "" where none stands
    there, as for what an installer wrote itself. None where there is no RECORD. Bytecode, which
    the interpreter writes when it likes, is left out.
    """
    from _csv import reader  # whose other half, in Python, has nothing that is needed here

    text = read_text(f"{distribution.metadata}/RECORD", _LARGEST)
    if text is None:
        return None
    base = os.path.dirname(distribution.metadata)
    found = []
    for row in reader(text.splitlines()):
        if not row or row[0].endswith(".pyc"):
            continue
        path = os.path.normpath(os.path.join(base, row[0]))
        if path.startswith(f"{root}/"):
            digest, size = (*row[1:3], "", "")[:2]
            found.append((path, digest, size if size.isdigit() else ""))
    return found
