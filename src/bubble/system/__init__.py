"""The world outside: paths, locks, staging, processes, HTTP, archives. Knows nothing of Pythons."""

from __future__ import annotations
