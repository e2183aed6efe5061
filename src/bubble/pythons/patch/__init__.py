"""Make an unpacked build an installation: put right what names the place and tools it was built in.

What is patched, and why, is in the modules: `build_vars` (sysconfig's variables, the Makefile and
pkg-config's files), `scripts` (what lies in `bin`), `tcl` (tkinter), `copied` (venv's copies) and
`tree` (which files, and how they are written).
"""

from __future__ import annotations

from bubble.pythons.patch.tree import link_interpreter, patch

__all__ = ["link_interpreter", "patch"]
