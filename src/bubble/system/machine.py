"""What every operation depends on: where things are, under which variables, on what machine."""

from __future__ import annotations

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.model.platform import Platform
    from bubble.system.layout import Layout


class Machine(Record):
    """The store, the environment variables and the platform that an operation works with."""

    layout: Layout
    env: Mapping[str, str]
    platform: Platform
