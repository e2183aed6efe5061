"""One module a command: its flags, and the one operation that it calls."""

from __future__ import annotations
