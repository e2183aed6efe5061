"""Interpreters that something else installed."""
