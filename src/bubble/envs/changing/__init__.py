"""Changing environments: moved, renamed, mended, given another interpreter."""
