"""Make a relocatable archive of an interpreter on this machine: `mirror pack`.

`probe` asks the interpreter, `files` chooses what goes in (with `pip` from its wheels), `relocate`
makes it independent of its place, `tar` writes it; `archive` is the whole way.
"""

from __future__ import annotations

from bubble.pythons.pack.archive import Packed, file_name, pack

__all__ = ["Packed", "file_name", "pack"]
