"""Knowing environments: which one is meant, whose it is, what it holds, and who uses it."""
