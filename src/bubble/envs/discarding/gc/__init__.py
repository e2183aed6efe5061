"""Garbage: what nobody needs any more, found (`plan`) and thrown away (`collect`).

Imported by `bubble gc` and `bubble doctor` alone.
"""

from __future__ import annotations

from bubble.envs.discarding.gc.collect import Collected, collect
from bubble.envs.discarding.gc.item import KINDS, Item
from bubble.envs.discarding.gc.plan import plan

__all__ = ["KINDS", "Collected", "Item", "collect", "plan"]
