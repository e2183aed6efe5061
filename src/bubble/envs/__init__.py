"""Environments ("bubbles"): made, entered, changed, moved and thrown away."""

from __future__ import annotations
