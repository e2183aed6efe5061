"""bubble: Python interpreters and environments, installed, chosen per directory, thrown away."""

from __future__ import annotations

__version__ = "0.1.0"
