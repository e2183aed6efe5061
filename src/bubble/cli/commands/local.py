"""`bubble local`: `bubble use` under pyenv's name."""

from __future__ import annotations

from bubble.cli.commands.use import define, execute

__all__ = ["EXAMPLES", "define", "execute"]

EXAMPLES = (("bubble local 3.12", "this directory and those below it: the same as bubble use"),)
