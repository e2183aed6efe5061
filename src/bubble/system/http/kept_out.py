"""Keeping out of a library's import what it takes along only where that happens to be installed.

None in `sys.modules` would hide it from every thread, also from one that just then unpacks another
archive and needs it. So a finder says no, to one thread alone.
"""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


class KeptOut:
    """In its block, this thread's imports don't find the named modules, unless they are loaded.

    One at a time: it replaces `sys.meta_path`, since another thread may be walking the old list.
    """

    def __init__(self, *names: str) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        sys.meta_path = [self, *sys.meta_path]

    def __exit__(self, *_: object) -> None:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not self]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Find nothing, and end the search where the module is to be kept out (PEP 451)."""
        del path, target
        if name in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is kept out", name=name)
