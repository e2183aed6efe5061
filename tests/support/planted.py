"""bubble for fault harnesses: `planted.py BUG ARGUMENT…`.

The names of temporary files are the same in every run, so that strace can be told one of them. BUG
is "none", or a bug that is planted to show that a harness catches it.
"""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
from collections import ChainMap

from bubble.cli.main import main
from bubble.envs.making import make
from bubble.pythons.installing import install
from bubble.system import journal, kernel, lock, staging, sweep, trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


def steady() -> None:
    """Take the chance out of the names of temporary files."""
    numbers = itertools.count()
    setattr(os, "urandom", lambda size: next(numbers).to_bytes(size, "big"))  # noqa: B010 - below
    setattr(os, "getpid", lambda: 4242)  # noqa: B010 - as below


def straight() -> None:
    """Unpack at the destination itself."""

    class Straight:
        def __init__(self, _: Any, target: str) -> None:
            self.path = target

        def __enter__(self) -> Self:
            os.makedirs(self.path)
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def publish(self) -> None:
            pass

    setattr(install, "Staging", Straight)  # noqa: B010 - a planted bug, which mypy must not see


def receipt_first() -> None:
    """Unpack at the destination itself, and say that it is there before it is patched."""
    straight()
    from bubble.system import archive

    extract = archive.extract

    def early(path: str, root: str, **options: Any) -> Any:
        unpacked = extract(path, root, **options)
        os.mkdir(f"{root}/.bubble")
        with open(f"{root}/.bubble/receipt.json", "w", encoding="ascii") as file:
            file.write("{}")
        return unpacked

    setattr(archive, "extract", early)  # noqa: B010 - as above


def remove_then_rename() -> None:
    """Delete what is to be replaced before the new one takes its place."""

    def publish(self: Any) -> None:
        os.chmod(self.path, 0o755)
        os.makedirs(os.path.dirname(self.target), exist_ok=True)
        trees.remove_tree(self.target)
        os.rename(self.path, self.target)

    setattr(staging.Staging, "publish", publish)  # noqa: B010 - as above


def no_sweep() -> None:
    """Leave what dead processes left."""
    for module in (install, make, sweep):
        setattr(module, "sweep", lambda _: ())  # noqa: B010 - as above


def no_journal() -> None:
    """Never end what was begun in its place."""
    setattr(journal, "dead", lambda _: iter(()))  # noqa: B010 - as above


def no_lock() -> None:
    """Let everybody in."""
    setattr(lock.Lock, "_flock", lambda *_: True)  # noqa: B010 - as above


def no_exchange() -> None:
    """No bug: a system that can't swap two directories."""
    setattr(kernel, "exchange", lambda *_: False)  # noqa: B010 - as above


def second_interrupt() -> None:
    """No bug: Ctrl-C again, just as what was staged is being deleted."""
    remove_tree = trees.remove_tree

    def interrupted(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        remove_tree(*arguments)

    for module in (staging, sweep):
        setattr(module, "remove_tree", interrupted)  # noqa: B010 - as above


def no_sync() -> None:
    """Rename without writing anything out."""
    setattr(kernel, "sync_file_system", lambda _: None)  # noqa: B010 - as above
    setattr(staging, "fsync_directory", lambda _: None)  # noqa: B010 - as above


BUGS = {
    "none": lambda: None,
    "straight": straight,
    "receipt-first": receipt_first,
    "remove-then-rename": remove_then_rename,
    "no-sweep": no_sweep,
    "no-journal": no_journal,
    "no-lock": no_lock,
    "no-sync": no_sync,
    "no-exchange": no_exchange,
    "second-interrupt": second_interrupt,
}

if __name__ == "__main__":
    if sys.argv[1] not in {
        "no-lock",
        "crowd",
        "meeting",
    }:  # one process at a time may have such names
        steady()
    # this is a script beside its modules; what few runs need, few import
    more = () if sys.argv[1] in BUGS else (importlib.import_module("planted_files").BUGS,)
    ChainMap(BUGS, *more)[sys.argv[1]]()
    sys.exit(main(sys.argv[2:], os.environ))
