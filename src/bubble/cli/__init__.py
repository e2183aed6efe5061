"""The command line: flags in, one operation, output. The only layer that prints."""

from __future__ import annotations
