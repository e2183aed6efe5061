"""Environments of and for other tools: exported, locked, imported from pyenv."""
