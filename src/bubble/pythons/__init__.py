"""Interpreters: the catalogue of builds, the store, installing, patching, verifying."""

from __future__ import annotations
