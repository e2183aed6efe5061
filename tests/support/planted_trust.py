"""bubble as it would be if it trusted what a directory says: see `planted`, and `hostile_user`.

    PLANTED_PYTHON=… python planted_trust.py BUG ARGUMENT …

PLANTED_PYTHON takes the place of the interpreter that shims start bubble with, so that they have
the bug as well.
"""

from __future__ import annotations

import os
import shutil
import sys

from bubble.cli.main import main
from bubble.envs import doctor
from bubble.envs.changing import registering, repair
from bubble.envs.doctor import environments
from bubble.envs.knowing import ownership
from bubble.envs.making import install, seed
from bubble.envs.tools.found import Uv
from bubble.selection import answers, belonging, facts, identity
from bubble.system import staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def names_say_where() -> None:
    """Put back what names in the directory's own scratch call the replaced version."""
    enter = staging.Staging.__enter__

    def believing(self: Any) -> Any:
        parent = os.path.dirname(self.target)
        trash = f"{parent}/.bubble-trash"
        for name in os.listdir(trash) if os.path.isdir(trash) else ():
            target = name.removeprefix("replaced.").rpartition(".")[0].replace("|", "/")
            if not os.path.lexists(f"{parent}/{target}"):
                os.rename(f"{trash}/{name}", f"{parent}/{target}")
        return enter(self)

    setattr(staging.Staging, "__enter__", believing)  # noqa: B010 - a planted bug, not for mypy


def all_is_itself() -> None:
    """Take for the registered environment whatever lies in its place."""
    for module in (identity, answers, belonging, ownership):
        setattr(module, "is_itself", lambda *_: True)  # noqa: B010 - as above


def marks_by_links() -> None:
    """Let a memo be valid for a mark that is a link to the right one."""
    add = facts._Facts._add

    def believing(self: Any, kind: str, *lines: str) -> None:
        if kind != "f":
            add(self, kind, *lines)

    setattr(facts._Facts, "_add", believing)  # noqa: B010 - as above


def doctor_registers() -> None:
    """Let `doctor --fix` do to what claims to be bubble's what it says of it."""
    strangers = environments.strangers

    def believing(patient: Any) -> Iterator[Any]:
        return (finding.replace(automatic=True) for finding in strangers(patient))

    setattr(environments, "strangers", believing)  # noqa: B010 - as above
    for name, value in list(vars(doctor).items()):
        if isinstance(value, tuple) and strangers in value:
            setattr(doctor, name, tuple(believing if v is strangers else v for v in value))


def marks_are_words() -> None:
    """Take the mark of a registered environment for the user's word that this is one of theirs."""
    reregister = registering.reregister

    def believing(path: str, layout: Any, **_: object) -> Any:
        return reregister(path, layout, named=True)

    setattr(repair, "reregister", believing)  # noqa: B010 - as above


def linked_seeds() -> None:
    """Give environments their pip by hard links."""

    def link(name: str, source: int, target: int, _: object) -> None:
        os.link(name, name, src_dir_fd=source, dst_dir_fd=target)

    setattr(seed, "_copy_file", link)  # noqa: B010 - as above
    setattr(seed, "_is_own", lambda *_: True)  # noqa: B010 - as above


def not_isolated() -> None:
    """Start pip as anybody would."""
    setattr(install, "isolated", lambda *words: list(words))  # noqa: B010 - as above


def shims_are_tools() -> None:
    """Take the first uv on PATH, whatever it is."""

    def first(env: dict[str, str], _: object) -> Uv | None:
        found = shutil.which("uv", path=env["PATH"])
        return Uv(path=found, place="path") if found else None

    setattr(install, "find_uv", first)  # noqa: B010 - as above


BUGS = {
    "none": lambda: None,
    "names-say-where": names_say_where,
    "all-is-itself": all_is_itself,
    "marks-by-links": marks_by_links,
    "doctor-registers": doctor_registers,
    "marks-are-words": marks_are_words,
    "linked-seeds": linked_seeds,
    "not-isolated": not_isolated,
    "shims-are-tools": shims_are_tools,
}

if __name__ == "__main__":
    sys.executable = os.environ["PLANTED_PYTHON"]
    BUGS[sys.argv[1]]()
    sys.exit(main(sys.argv[2:], os.environ))
