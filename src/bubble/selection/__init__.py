"""Who decides which Python runs here: sources, the resolver, memos and shims."""

from __future__ import annotations
