"""How long a test waits for what must come: long enough for a machine that is ten times slower.

Only a test that would fail waits so long, so it costs nothing. A test never takes a time for the
proof of anything else: it waits for the event.
"""

from __future__ import annotations

PATIENCE = 300  # seconds
