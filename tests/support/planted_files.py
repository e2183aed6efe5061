"""Planted bugs that few harnesses need, and which import more: see `planted`."""

from __future__ import annotations

import os
import time

from bubble.cli import output, shell_files
from bubble.envs import doctor
from bubble.envs.making import install as packages
from bubble.envs.tools import running
from bubble.model import urls
from bubble.projects.exchange import writing
from bubble.pythons.catalogue.index import dump_json
from bubble.pythons.installing import mirror
from bubble.selection import pin, rcfile, registry
from bubble.system import files, kernel, lock, trouble
from bubble.system.http import part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def in_place() -> None:
    """Write a file where it is, not beside it."""

    def write(path: str, data: bytes, *_: object, **__: object) -> None:
        with open(path, "wb") as file:
            file.write(data)

    for module in (mirror, pin, rcfile, shell_files, writing):
        for name in ("write_atomic", "replace_file"):
            if hasattr(module, name):
                setattr(module, name, write)


def catalogue_first() -> None:
    """List an archive in a mirror before it is there."""
    add = mirror.Mirror.add

    def early(self: Any, download: Any, partial: Any = None) -> None:
        entries = self._entries(self._sums())
        entries[str(download.key)] = download
        catalogue = dump_json(entries.values()).encode()
        files.write_atomic(f"{self.directory}/{mirror.CATALOGUE}", catalogue)
        add(self, download, partial)

    setattr(mirror.Mirror, "add", early)  # noqa: B010 - a planted bug, which mypy must not see


def whole_file() -> None:
    """Write a start-up file with nothing but bubble's block."""
    split = rcfile._split

    def forgetful(data: bytes, path: str) -> tuple[bytes, bytes | None, bytes]:
        _, inside, tail = split(data, path)
        return b"", inside, tail

    setattr(rcfile, "_split", forgetful)  # noqa: B010 - as above


def blind_prune() -> None:
    """Empty the cache by cutting its files short first."""
    unlink = files.unlink_unlocked

    def cut(path: str) -> bool:
        if os.path.exists(path):
            os.truncate(path, 0)
        return unlink(path)

    setattr(files, "unlink_unlocked", cut)  # noqa: B010 - as above


def idle_doctor() -> None:
    """Find what is wrong, and mend nothing."""
    setattr(doctor, "mend", lambda *_: [])  # noqa: B010 - as above


def telling_receipt() -> None:
    """Write a download's whole address down."""
    setattr(urls, "shown", str)  # noqa: B010 - as above


def index_on_argv() -> None:
    """Hand the index to the installer where everybody sees it."""
    run = running.run_installer

    def telling(command: Any, env: Any, *rest: Any, **options: Any) -> Any:
        index = ["--index-url", env["PIP_INDEX_URL"]]
        return run([*command, *index], env, *rest, **options)

    setattr(packages, "run_installer", telling)  # noqa: B010 - as above


def interrupt_is_success() -> None:
    """Say that all went well when somebody interrupts."""
    failure = output.Output.failure

    def quiet(self: Any, error: Any) -> int:
        return 0 if error.kind == "interrupted" else failure(self, error)

    setattr(output.Output, "failure", quiet)  # noqa: B010 - as above


def gullible() -> None:
    """Take whatever a server sends for what was asked for."""
    setattr(part.Part, "digest", lambda self: self.sha256)  # noqa: B010 - as above


def inarticulate() -> None:
    """Let errors of the operating system through as they come."""

    def through(error: OSError) -> None:
        raise error

    setattr(trouble, "from_os_error", through)  # noqa: B010 - as above


def crowd() -> None:
    """Let everybody in, for long enough to meet."""
    setattr(lock.Lock, "_flock", lambda *_: True)  # noqa: B010 - as above
    setattr(kernel, "sync_file_system", lambda _: time.sleep(3))  # noqa: B010 - as above


def meeting() -> None:
    """Let everybody in, and wait in there until somebody else has come in as well."""
    setattr(lock.Lock, "_flock", lambda *_: True)  # noqa: B010 - as above
    prepare = registry.prepare

    def wait(layout: Any, environment: Any) -> None:
        prepare(layout, environment)
        with open(f"{layout.home}.met.{os.getpid()}", "x", encoding="ascii"):
            pass
        place, name = os.path.split(f"{layout.home}.met.")
        deadline = time.monotonic() + 60
        while (
            sum(n.startswith(name) for n in os.listdir(place)) < 2 and time.monotonic() < deadline
        ):
            time.sleep(0.01)

    setattr(registry, "prepare", wait)  # noqa: B010 - as above


def orphans() -> None:
    """Leave an installer alone that works on when its command is interrupted."""
    setattr(running, "_end", lambda _: None)  # noqa: B010 - as above


BUGS = {
    "in-place": in_place,
    "catalogue-first": catalogue_first,
    "whole-file": whole_file,
    "blind-prune": blind_prune,
    "idle-doctor": idle_doctor,
    "telling-receipt": telling_receipt,
    "index-on-argv": index_on_argv,
    "gullible": gullible,
    "crowd": crowd,
    "meeting": meeting,
    "orphans": orphans,
    "inarticulate": inarticulate,
    "interrupt-is-success": interrupt_is_success,
}
