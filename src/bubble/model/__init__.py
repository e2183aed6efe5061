"""Pure values: requests, keys, platforms, errors. No I/O, no imports from the layers above."""

from __future__ import annotations
