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
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons.installed import meanings
from bubble.pythons.installed.shared import has_system
from bubble.system.files import is_temporary, link_atomic, read_text, unlink_quietly, write_atomic
from bubble.system.layout import MANIFEST, RECEIPT
from bubble.system.lock import Lock, lock_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

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


def usable(layout: Layout) -> list[Installation]:
    """Return what can be used, this store's and the system's, the most wanted first.

    Of one key it is this store's. Raises BubbleError(store).
    """
    own = installations(layout)
    shared = installations(layout.beneath) if has_system(layout) else []
    if not shared:
        return own
    from bubble.system.format import is_current

    is_current(layout.beneath)
    return sorted([*own, *shared], key=lambda i: i.key.rank, reverse=True)


def matching(layout: Layout, request: Request, platform: Platform) -> list[Installation]:
    """Return what can be used and satisfies a request on this platform, best first."""
    return _matching(usable(layout), request, platform)


def stands_at(layout: Layout, key: str) -> list[Installation]:
    """Return the installations of a key's text that can be used: this store's, the system's."""
    layouts = (layout, layout.beneath) if has_system(layout) else (layout,)
    return [found for one in layouts if (found := installation_at(one, key))]


def own_matching(layout: Layout, request: Request, platform: Platform) -> list[Installation]:
    """Return what satisfies a request in this store alone: what a user may change, best first."""
    return _matching(installations(layout), request, platform)


def _matching(
    present: list[Installation], request: Request, platform: Platform
) -> list[Installation]:
    return [
        i
        for i in present
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

    have = [i.key.name for i in usable(layout) if i.key.platform == platform]
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


def made_for(installation: Installation) -> str:
    """Return the prefix that an installation's own configuration names, if it isn't where it is.

    "" where it is: sysconfig and the Makefile, by which extensions are built, are made for one
    place. Raises BubbleError(store) for a receipt that can't be read.
    """
    made = read_receipt(installation.prefix).prefix
    if installation.is_adopted or os.path.realpath(made) == os.path.realpath(installation.prefix):
        return ""
    return made


def write_receipt(root: str, receipt: Receipt) -> None:
    """Write the receipt below `root`, the last file of an installation that is being made."""
    import json

    text = json.dumps({"schema": SCHEMA, **receipt.as_dict()}, indent=1)
    write_atomic(f"{root}/{RECEIPT}", text.encode() + b"\n", 0o644)


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


class changing:  # noqa: N801 - used as a function
    """Hold the store's lock while what is installed changes, and let every derived thing follow.

    What requests meant is withheld from the shims before anything changes. Afterwards, however it
    ended, minor links of this platform point at the newest installation of their minor, and
    requests mean what they mean now. Killed in between, `finish_changes` or the next change does
    this.
    """

    def __init__(self, layout: Layout, platform: Platform) -> None:
        self._layout = layout
        self._platform = platform
        self._lock = Lock(f"{layout.locks}/store")
        self._names: tuple[str, ...] = ()

    def __enter__(self) -> None:
        self._lock.__enter__()
        try:
            self._names = meanings.withhold(self._layout)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            present = installations(self._layout)
            _relink(self._layout, self._platform, present)
            meanings.begin(self._layout, dict(self._meanings(present)))
        finally:
            self._lock.__exit__(kind, error, trace)

    def _meanings(self, present: list[Installation]) -> Iterator[tuple[str, str]]:
        for name in self._names:
            try:
                found = _handed(name, self._platform, present)
            except BubbleError:
                continue  # no file of ours
            yield name, found[1] if found else meanings.NOTHING


def publish_changes(layout: Layout, platform: Platform) -> None:
    """Make every derived thing follow what is installed now; idempotent."""
    with changing(layout, platform):
        pass


def meaning(text: str, layout: Layout, platform: Platform) -> Installation | None:
    """Return what a request's text means now, None when nothing installed satisfies it.

    `>=3.9^3.12` is a range and the pins behind it, best first: what a pin means is taken where it
    is in the range. Raises BubbleError(request).
    """
    found = _best(text, platform, usable(layout))
    return found[0] if found else None


def handed(text: str, layout: Layout, platform: Platform) -> tuple[Installation, str] | None:
    """Return what `meaning` does, and the prefix by which it is handed out (`standing`)."""
    return _handed(text, platform, usable(layout))


def _handed(
    text: str, platform: Platform, present: list[Installation]
) -> tuple[Installation, str] | None:
    found = _best(text, platform, present)
    if found is None:
        return None
    installation, request = found
    return installation, standing(installation, exact=request.is_exact)


def standing(installation: Installation, *, exact: bool) -> str:
    """Return the prefix (absolute) by which an installation is used.

    That is its store's minor link where it leads there, unless one `exact` patch release is meant:
    what is made by that path, by whichever tool, survives patch upgrades. An adopted interpreter
    stands where its maker put it.
    """
    link = f"{os.path.dirname(installation.prefix)}/{installation.key.minor}"
    if exact or installation.is_adopted:
        return installation.prefix
    try:
        return link if os.readlink(link) == str(installation.key) else installation.prefix
    except OSError:
        return installation.prefix


def _best(
    text: str, platform: Platform, present: list[Installation]
) -> tuple[Installation, Request] | None:
    """Return what a text means, and the part of it that it was chosen by."""
    wanted, *pins = [parse_request(part) for part in text.split("^")]
    for pin in pins:
        first = next(iter(_matching(present, pin, platform)), None)
        if first and wanted.matches(first.key, platform):
            return first, pin
    return next(((i, wanted) for i in _matching(present, wanted, platform)), None)


def withdraw(layout: Layout, platform: Platform, key: str) -> None:
    """Remove an installation. The caller holds its `key_lock`.

    The minor link moves to the next best first, so that it never leads nowhere, and back should
    the installation have to stay; then that goes in one step, and its bytes afterwards. Raises
    BubbleError(store) and OSError.
    """
    from bubble.system.removal import set_aside  # lazily: everyday commands remove nothing

    with changing(layout, platform):  # which links to it again should it have to stay
        _relink(layout, platform, [i for i in installations(layout) if str(i.key) != key])
        remains = set_aside(layout, layout.python(key))
    remains.delete()


def finish_changes(layout: Layout, platform: Platform) -> None:
    """Finish what a process that died had begun; for commands that find nothing else to do.

    Costs a few looks when there is nothing. In a store that belongs to somebody else nothing is
    done: what is there works all the same.
    """
    scratch = (layout.staging, layout.trash, layout.journal)
    try:
        if any(os.path.isdir(d) and os.listdir(d) for d in scratch):
            from bubble.system.sweep import sweep

            sweep(layout)
        if not _is_published(layout):
            publish_changes(layout, platform)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise


def _is_published(layout: Layout) -> bool:
    # every change of what is installed ends with a new epoch
    return bool(meanings.epoch(layout)) or not os.path.isdir(layout.pythons)


def _relink(layout: Layout, platform: Platform, present: list[Installation]) -> None:
    """Point the minor links at the newest of what is `present`, the most wanted first."""
    directory = layout.pythons
    newest: dict[str, str] = {}
    for installation in present:
        if installation.key.platform == platform:
            newest.setdefault(installation.key.minor, str(installation.key))
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        path = f"{directory}/{name}"
        if is_temporary(name) or (os.path.islink(path) and name not in newest):
            unlink_quietly(path)
    for minor, key in newest.items():
        path = f"{directory}/{minor}"
        if not os.path.islink(path) or os.readlink(path) != key:
            link_atomic(key, path)
