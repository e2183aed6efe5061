"""Flags that several commands have, declared without argparse's import."""

from __future__ import annotations

HIDDEN = "==SUPPRESS=="  # of argparse, which isn't imported for it: no line in the help

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_yes(parser: ArgumentParser) -> None:
    """Declare `--yes`, of a command that throws away (`Context.require_agreement`)."""
    parser.add_argument("-y", "--yes", action="store_true", help="don't ask, on a terminal either")


def add_platforms(parser: ArgumentParser) -> None:
    """Declare `--platform`, of a command that makes something for machines of several kinds."""
    parser.add_argument(
        "--platform",
        metavar="TRIPLE",
        action="append",
        default=[],
        help="for which platform (may be repeated; default: this one)",
    )
