"""Throwing environments away, and whatever else nobody uses any more."""
