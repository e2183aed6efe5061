"""Unpack archives of Python builds: an allow-list tar extractor.

Not `tarfile`: its `filter="data"` lets hostile archives escape, takes a truncated tar as whole and
ignores bytes after a gzip member. What isn't known to occur in real builds is refused here, the
first violation ends the extraction, and nothing is skipped.

`extract` is the verb. The modules, bottom up: `model` (what goes in and out), `rules` (names, modes
and link targets), `headers` (the tar format), `stream` (gzip and zstd), `tree` (the files),
`unpack` (the loop over members).
"""

from __future__ import annotations

from bubble.system.archive.model import Entry, Extracted, Limits
from bubble.system.archive.unpack import extract

__all__ = ["Entry", "Extracted", "Limits", "extract"]
