"""What must hold whatever happens to a command: I1 to I6, each as a list of what breaks it.

I1 an installation is absent, or whole by its manifest and running; I2 what worked before works,
old or new; I3 nothing temporary, partial or locked is left after the next command; I4 nothing
outside home and cache changed; I5 a retry succeeds; I6 a failure is one clear message.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess

from bubble.pythons.installed import store
from bubble.system.files import is_temporary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bubble.system.layout import Layout
    from support.scene import Done, Scene

_SCRATCH_ENDINGS = (".tmp", ".new", ".part", ".part.json", ".bubble-new")


def not_whole(scene: Scene) -> list[str]:
    """I1: everything in `pythons/` is a whole installation or a link to one."""
    layout = scene.layout
    if not os.path.isdir(layout.pythons):
        return []
    found = []
    for name in sorted(os.listdir(layout.pythons)):
        path = f"{layout.pythons}/{name}"
        if os.path.islink(path):
            if not is_temporary(name) and not store.installation_at(layout, os.readlink(path)):
                found.append(f"I1: the link {name} leads to nothing")
        elif not store.installation_at(layout, name):
            found.append(f"I1: {name} is no installation")
    done = scene.call("python", "verify", "--json")
    if done.status:
        found.append(f"I1: {' '.join(done.out.split())}")
    elif not all(row["ok"] for row in json.loads(done.out)["data"]):
        found.append(f"I1: verify says ok and no: {done.out}")
    return found


def not_working(scene: Scene, names: Iterable[str]) -> list[str]:
    """I2: each of these, a key or a minor link, is there (that it is whole is I1's business)."""
    return [
        f"I2: {name} worked before and is gone"
        for name in names
        if not os.path.exists(f"{scene.layout.python(name)}/bin/python")
        or not os.path.exists(f"{scene.layout.python(name)}/.bubble/receipt.json")
    ]


def not_running(scene: Scene, names: Iterable[str]) -> list[str]:
    """I1, the dear half: each of these runs and imports what needs shared libraries."""
    found = []
    for name in names:
        done = subprocess.run(
            [f"{scene.layout.python(name)}/bin/python", "-c", "import ssl, sqlite3, ctypes"],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            found.append(f"I1: {name} doesn't run: {done.stderr!r}")
    return found


def left_over(scene: Scene, *, unfinished: bool = False) -> list[str]:
    """I3: no scratch, no lock that is held; `unfinished`: a download may go on later."""
    layout = scene.layout
    found = []
    for directory in (layout.staging, layout.trash):
        found += [f"I3: {directory}/{name}" for name in _names(directory)]
    for path in files(layout):
        name = os.path.basename(path)
        if path.startswith((f"{layout.answers}/", f"{layout.requests}/")):
            continue  # derived; its writers, many at once, leave their scraps to `gc`
        resumable = unfinished and path.startswith(layout.downloads) and ".part" in name
        if name.endswith(_SCRATCH_ENDINGS) and not resumable:
            found.append(f"I3: {path}")
        if os.path.dirname(path) == layout.downloads and ".part" not in name:
            with open(path, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != name:
                    found.append(f"I3: {path} doesn't have the bytes that its name says")
    for directory in (layout.locks, layout.download_locks):
        found += [f"I3: {name} is locked" for name in _names(directory) if _held(directory, name)]
    return found


def installed(scene: Scene) -> list[str]:
    """Return the keys that the store says are installed."""
    return [str(installation.key) for installation in store.installations(scene.layout)]


def unlinked(scene: Scene) -> list[str]:
    """After the next command: the minor links are those of the newest installations."""
    newest: dict[str, str] = {}
    for installation in store.installations(scene.layout):
        newest.setdefault(installation.key.minor, str(installation.key))
    pythons = scene.layout.pythons
    links = {n: os.readlink(f"{pythons}/{n}") for n in _names(pythons) if _is_link(pythons, n)}
    return [] if links == newest else [f"I5: links are {links}, and should be {newest}"]


def unclear(done: Done) -> list[str]:
    """I6: success, or a failure with its status, one message and its next step, no traceback."""
    found = []
    said = done.err.splitlines()
    errors = [line for line in said if line.startswith("error: ")]
    hints = [line for line in said if line.startswith("  hint: ")]
    if "Traceback" in done.err + done.out or "bubble itself failed" in done.err:
        found.append("a traceback or an internal error")
    if done.status not in (0, 1, 2, 130):
        found.append(f"status {done.status}")
    if done.status and (len(errors), len(hints)) != (1, 1) and done.status != 130:
        found.append(f"{len(errors)} messages, {len(hints)} hints")
    if not done.status and errors:
        found.append("an error and status 0")
    return [f"I6: {what}: {done}" for what in found]


def files(layout: Layout) -> Iterator[str]:
    """Return every path below home and cache, directories included."""
    for root in (layout.home, layout.cache):
        for directory, directories, names in os.walk(root):
            yield from (f"{directory}/{name}" for name in (*names, *directories))


def _names(directory: str) -> list[str]:
    return sorted(os.listdir(directory)) if os.path.isdir(directory) else []


def _is_link(directory: str, name: str) -> bool:
    return os.path.islink(f"{directory}/{name}")


def _held(directory: str, name: str) -> bool:
    descriptor = os.open(f"{directory}/{name}", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
