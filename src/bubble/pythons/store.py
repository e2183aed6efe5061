"""The store: which interpreters are installed, their receipts, and the minor links.

An installation is a directory `pythons/<key>` with a receipt, which is written last: a directory
without one is a leftover and counts for nothing.
"""

from __future__ import annotations

import errno
import os

from bubble.model.errors import BubbleError
from bubble.model.key import Key, parse_key
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.files import is_temporary, link_atomic, read_text, unlink_quietly, write_atomic
from bubble.system.layout import MANIFEST, RECEIPT
from bubble.system.lock import Lock, lock_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.system.layout import Layout

SCHEMA = 1


class Installation(Record):
    """An interpreter in the store: its key, and `prefix`, the absolute directory it lies in."""

    key: Key
    prefix: str

    @property
    def executable(self) -> str:
        """The interpreter's absolute path; every installation has `bin/python`."""
        return f"{self.prefix}/bin/python"

    @property
    def is_adopted(self) -> bool:
        """Whether it only stands for an interpreter that something else installed.

        Its interpreter is a link out of the store then. One that has merely lost its manifest is
        damaged, not adopted.
        """
        if os.path.lexists(f"{self.prefix}/{MANIFEST}"):
            return False
        try:
            return os.path.isabs(os.readlink(self.executable))
        except OSError:
            return False


class Receipt(Record):
    """How an installation came about; the content of `.bubble/receipt.json`.

    `origin` is the URL or path of the archive, or the executable of an adopted interpreter.
    `sha256` and `manifest_sha256` are hex, "" for adopted ones; `installed_at` is in seconds since
    the epoch; `prefix` is where the interpreter itself says that it lives.
    """

    key: str
    origin: str
    sha256: str
    build: str
    flavour: str
    manifest_sha256: str
    installed_at: int
    bubble: str
    prefix: str
    executable: str


def installations(layout: Layout) -> list[Installation]:
    """Return what is installed, the most wanted first (Key.rank), every platform included."""
    try:
        names = os.listdir(layout.pythons)
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise BubbleError(
            "store",
            f"{printable(layout.pythons)} is not a directory",
            hint="move the file away, or set BUBBLE_HOME to a directory",
        ) from None
    found = [
        installation
        for name in names
        if name.count("-") >= 4 and (installation := installation_at(layout, name))
    ]
    found.sort(key=lambda i: i.key.rank, reverse=True)
    return found


def installation_at(layout: Layout, key: str) -> Installation | None:
    """Return the installation of a key's text, None when it isn't (wholly) there."""
    prefix = layout.python(key)
    if not os.path.exists(f"{prefix}/{RECEIPT}"):
        return None
    try:
        return Installation(key=parse_key(key), prefix=prefix)
    except BubbleError:
        return None


def matching(layout: Layout, request: Request, platform: Platform) -> list[Installation]:
    """Return the installations that satisfy a request on this platform, best first."""
    return [
        i
        for i in installations(layout)
        if request.matches(i.key, platform, build=build_of(i) if request.build else "")
    ]


def build_of(installation: Installation) -> str:
    """Return an installation's tag upstream (`7.3.19` of PyPy, a date of CPython), "" if unknown.

    Of an adopted one it is the release in its directory's name, as pyenv and upstream call it:
    `pypy3.10-7.3.16`, `pypy3.10-v7.3.16-linux64`, `graalpy-24.1.0`.
    """
    try:
        receipt = read_receipt(installation.prefix)
    except BubbleError:
        return ""
    if receipt.build or installation.key.implementation == "cpython":
        return receipt.build
    for directory in reversed(receipt.prefix.split("/")):
        name, _, rest = directory.partition("-")
        if name.startswith(installation.key.implementation) and rest:
            return rest.partition("-")[0].removeprefix("v")
    return ""


def find(layout: Layout, request: Request, platform: Platform) -> Installation:
    """Return the best installation for a request, or raise BubbleError(not_installed)."""
    for installation in matching(layout, request, platform):
        return installation
    raise not_installed(layout, request, platform)


def not_installed(layout: Layout, request: Request, platform: Platform) -> BubbleError:
    """Return the error for a request that nothing installed satisfies."""
    from shlex import quote

    have = [i.key.name for i in installations(layout) if i.key.platform == platform]
    shown = ", ".join(have[:8]) + (" …" if len(have) > 8 else "")
    return BubbleError(
        "not_installed",
        f"no installed Python satisfies “{request}”"
        + (f" (installed: {shown})" if have else " (none is installed)"),
        hint=f"bubble python install {quote(str(request))}",
        details={"request": str(request), "installed": have},
    )


def read_receipt(prefix: str) -> Receipt:
    """Return the receipt of the installation at `prefix`; BubbleError(store) if it is damaged."""
    import json

    try:
        data = json.loads(read_text(f"{prefix}/{RECEIPT}") or "")
        return Receipt(**{name: data[name] for name in Receipt._fields})
    except (ValueError, KeyError, TypeError):
        raise BubbleError(
            "store",
            f"the receipt of {printable(prefix)} can't be read",
            hint=f"bubble python install --reinstall {os.path.basename(prefix)}",
        ) from None


def write_receipt(root: str, receipt: Receipt) -> None:
    """Write the receipt below `root`, the last file of an installation that is being made."""
    import json

    text = json.dumps({"schema": SCHEMA, **receipt.as_dict()}, indent=1)
    write_atomic(f"{root}/{RECEIPT}", text.encode() + b"\n")


def key_lock(
    layout: Layout,
    key: str,
    env: Mapping[str, str],
    *,
    shared: bool = False,
    on_wait: object = None,
) -> Lock:
    """Return the lock under which one key is installed, replaced or removed; shared: verified."""
    timeout = lock_timeout(env)
    return Lock(f"{layout.locks}/{key}", timeout=timeout, shared=shared, on_wait=on_wait)


def publish_changes(layout: Layout, platform: Platform) -> None:
    """Make every derived thing follow what is installed now: the minor links, the generation.

    Minor links of this platform point at the newest installation of their minor. Idempotent: what
    a process that died didn't get to, `settle` or the next change makes good.
    """
    with Lock(f"{layout.locks}/store"):
        _relink(layout, platform)
        touch_generation(layout)


def withdraw(layout: Layout, platform: Platform, key: str) -> None:
    """Remove an installation. The caller holds its `key_lock`.

    The minor link moves to the next best first, so that it never leads nowhere; then the
    installation goes in one step, and its bytes afterwards.
    """
    from bubble.system.staging import set_aside
    from bubble.system.trees import remove_tree  # lazily: everyday commands remove nothing

    with Lock(f"{layout.locks}/store"):
        _relink(layout, platform, leaving=key)
        aside = set_aside(layout, layout.python(key))
        touch_generation(layout)
    remove_tree(aside)


def settle(layout: Layout, platform: Platform) -> None:
    """Finish what a process that died had begun; for commands that find nothing else to do.

    Costs a few looks when there is nothing. In a store that belongs to somebody else nothing is
    done: what is there works all the same.
    """
    if _is_settled(layout):
        return
    from bubble.system.staging import sweep

    try:
        sweep(layout)
        publish_changes(layout, platform)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise


def _is_settled(layout: Layout) -> bool:
    if any(os.path.isdir(d) and os.listdir(d) for d in (layout.staging, layout.trash)):
        return False
    try:
        changed = os.stat(layout.pythons).st_mtime_ns
    except FileNotFoundError:
        return True
    try:
        # every change of what is installed ends with a touch of the generation
        return os.stat(layout.generation).st_mtime_ns >= changed
    except FileNotFoundError:
        return False


def touch_generation(layout: Layout) -> None:
    """Void every memo that was written until now."""
    os.makedirs(layout.home, exist_ok=True)
    descriptor = os.open(layout.generation, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)


def _relink(layout: Layout, platform: Platform, *, leaving: str = "") -> None:
    directory = layout.pythons
    newest: dict[str, str] = {}
    for installation in installations(layout):
        if installation.key.platform == platform and str(installation.key) != leaving:
            newest.setdefault(installation.key.minor, str(installation.key))
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        path = f"{directory}/{name}"
        if is_temporary(name) or (os.path.islink(path) and name not in newest):
            unlink_quietly(path)
    for minor, key in newest.items():
        path = f"{directory}/{minor}"
        if not os.path.islink(path) or os.readlink(path) != key:
            link_atomic(key, path)
