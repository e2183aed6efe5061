"""Pure values: requests, keys, platforms, errors. No I/O, and nothing imported from the layers above."""

from __future__ import annotations
