"""A mirror: a directory that any web server, or `file://`, serves builds from.

    <tag>/<file>        archives, as upstream's release URLs end: BUBBLE_MIRROR may point here
    <tag>/SHA256SUMS    `<hex>  <file>`, as upstream's releases have it
    SHA256SUMS          `<hex>  <tag>/<file>`, of everything
    catalogue.json      the builds, addresses relative to it: BUBBLE_CATALOG may point here

Every file is replaced in one step and the catalogue last, so a mirror that is being served is
never seen half-done. Writers exclude each other by `.lock`; what is unfinished is in `.partial`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from urllib.parse import quote

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.catalogue.index import LIMIT, dump_json, read_index
from bubble.system.files import (
    fsync_directory,
    is_temporary,
    sha256_of,
    unlink_quietly,
    unlink_unlocked,
    write_atomic,
)
from bubble.system.lock import Lock
from bubble.system.trouble import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from bubble.model.download import Download
    from bubble.model.platform import Platform
    from bubble.pythons.installing.progress import Progress
    from bubble.system.layout import Layout

CATALOGUE = "catalogue.json"
SUMS = "SHA256SUMS"
ARCHIVES = (".tar.gz", ".tgz", ".tar.zst")  # what the extractor reads
# what would fail for every further download, too
_ENDING = {"catalogue", "io", "locked", "no_space", "permission"}


class Failure(Record):
    """A download that isn't in the mirror, and why."""

    download: Download
    error: BubbleError


class Created(Record):
    """What `create` did: `added` and `kept` are in the mirror, verified; `failed` aren't."""

    directory: str
    added: tuple[Download, ...]
    kept: tuple[Download, ...]
    failed: tuple[Failure, ...]


def create(
    directory: str,
    downloads: Sequence[Download],
    *,
    layout: Layout,
    env: Mapping[str, str],
    platform: Platform,
    mirror: str = "",
    base_url: str = "",
    progress: Progress | None = None,
) -> Created:
    """Bring `downloads` into the mirror `directory`, which is made if it isn't there.

    Each comes from the cache of downloads, or into it, and is held against its sha256; an archive
    that the mirror has is hashed again. `mirror` is where to ask instead of upstream (default:
    BUBBLE_MIRROR of `env`); `base_url` writes absolute addresses into the catalogue. One that
    fails is reported in the result, and the others are done. Raises BubbleError (io, permission,
    no_space, locked, catalogue) when the mirror itself can't be written.
    """
    from bubble.pythons.installing.install import fetch_archive
    from bubble.pythons.installing.progress import Progress
    from bubble.system.machine import Machine

    machine = Machine(
        layout=layout,
        env={**env, **({"BUBBLE_MIRROR": mirror} if mirror else {})},
        platform=platform,
    )
    place = Mirror(directory, base_url=base_url)
    progress = progress or Progress()
    added: list[Download] = []
    kept: list[Download] = []
    failed: list[Failure] = []
    for download in downloads:
        task = progress.task(str(download.key))
        try:
            _require_archive(download)
            if place.has(download):
                place.add(download)
                kept.append(download)
                task.finish("already there")
                continue
            archive, _ = fetch_archive(download, machine, task)
            with place.partial(download.file_name) as partial:
                partial.take(archive, download.sha256)
                place.add(download, partial)
        except BubbleError as error:
            if error.kind in _ENDING:
                raise
            failed.append(Failure(download=download, error=error))
            task.finish("failed")
        except OSError as error:
            raise io_error(error, f"can't write the mirror {printable(place.directory)}") from error
        else:
            added.append(download)
            task.finish("added")
    return Created(
        directory=place.directory, added=tuple(added), kept=tuple(kept), failed=tuple(failed)
    )


class Mirror:
    """The mirror in `directory`; `base_url` completes the addresses of what is added."""

    def __init__(self, directory: str, *, base_url: str = "") -> None:
        self.directory = os.path.abspath(directory)
        self.base_url = base_url.rstrip("/")

    def partial(self, name: str) -> Partial:
        """Return a file to write an archive into before it is added; used in `with`."""
        return Partial(f"{self.directory}/.partial", name)

    def has(self, download: Download) -> bool:
        """Whether the archive is there with the right bytes."""
        return sha256_of(f"{self.directory}/{download.asset}") == download.sha256

    def add(self, download: Download, partial: Partial | None = None) -> None:
        """Publish a finished file as this download's archive; without one, list what is there.

        `download.sha256` must be the file's. An archive once listed is never replaced by other
        bytes, since those who know it hold it against its hash: BubbleError(store).
        """
        with Lock(f"{self.directory}/.lock"):
            sums = self._sums()
            target = f"{self.directory}/{download.asset}"
            if partial is not None:
                self._refuse_other_bytes(download, sums)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.chmod(partial.path, 0o644)  # a web server reads it
                os.rename(partial.path, target)
                fsync_directory(os.path.dirname(target))
            sums[download.asset] = download.sha256
            there = {n: h for n, h in sums.items() if os.path.isfile(f"{self.directory}/{n}")}
            entries = self._entries(there)
            entries[str(download.key)] = download.replace(url=self._url(download))
            self._write_sums(there, download.build)
            catalogue = dump_json(entries.values()).encode()
            write_atomic(f"{self.directory}/{CATALOGUE}", catalogue, durable=True)
            sweep(self.directory, download.build)

    def _refuse_other_bytes(self, download: Download, sums: Mapping[str, str]) -> None:
        listed = sums.get(download.asset, download.sha256)
        target = f"{self.directory}/{download.asset}"
        if listed != download.sha256 and sha256_of(target) == listed:
            raise BubbleError(
                "store",
                f"the mirror has another {printable(download.asset)}, with sha256 {listed}",
                hint="publish under another tag, or delete the archive from the mirror first",
            )

    def _sums(self) -> dict[str, str]:
        """Return sha256 by asset, as the mirror's SHA256SUMS says."""
        try:
            with open(f"{self.directory}/{SUMS}", encoding="utf-8", errors="replace") as file:
                pairs = [line.rstrip("\n").partition("  ") for line in file]
        except FileNotFoundError:
            return {}
        return {name: digest for digest, _, name in pairs if len(digest) == 64 and _is_asset(name)}

    def _write_sums(self, sums: Mapping[str, str], tag: str) -> None:
        own = {n.removeprefix(f"{tag}/"): h for n, h in sums.items() if n.startswith(f"{tag}/")}
        for path, listed in ((f"{tag}/{SUMS}", own), (SUMS, sums)):
            text = "".join(f"{listed[name]}  {name}\n" for name in sorted(listed))
            write_atomic(f"{self.directory}/{path}", text.encode(), durable=True)

    def _entries(self, sums: Mapping[str, str]) -> dict[str, Download]:
        """Return the catalogue's downloads by key, without those whose archive has gone."""
        path = f"{self.directory}/{CATALOGUE}"
        try:
            with open(path, "rb") as file:
                index = read_index(file.read(LIMIT), printable(path))
        except FileNotFoundError:
            return {}
        return {str(d.key): d for d in index.downloads if d.asset in sums}

    def _url(self, download: Download) -> str:
        path = quote(download.asset)
        return f"{self.base_url}/{path}" if self.base_url else path


class Partial:
    """A new file `path` inside `with`; gone afterwards unless it was added.

    Its descriptor is locked as long as its writer lives, so a sweeper can tell it from garbage.
    """

    def __init__(self, directory: str, name: str) -> None:
        self.directory = directory
        self.name = name
        self.path = ""
        self._descriptor = -1

    def __enter__(self) -> Self:
        os.makedirs(self.directory, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        while True:
            path = f"{self.directory}/{self.name}.{os.urandom(6).hex()}"
            descriptor = os.open(path, flags, 0o644)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                break
            os.close(descriptor)  # a sweeper came between the two calls
        self.path, self._descriptor = path, descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
        unlink_quietly(self.path)

    def take(self, source: str, sha256: str) -> None:
        """Copy the file `source` (absolute) here, its bytes checked: BubbleError(checksum)."""
        digest = hashlib.sha256()
        with open(source, "rb") as file, open(self.path, "wb") as copy:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            raise BubbleError(
                "checksum",
                f"{printable(source)} changed while it was copied into the mirror",
                hint="run the command again",
            )


def sweep(directory: str, tag: str) -> None:
    """Remove what killed writers left in a mirror; its lock is held."""
    partial = f"{directory}/.partial"
    for name in os.listdir(partial) if os.path.isdir(partial) else ():
        try:
            unlink_unlocked(f"{partial}/{name}")
        except OSError:
            pass  # nothing that this module made
    for place in (directory, f"{directory}/{tag}"):
        for name in os.listdir(place):
            if is_temporary(name):
                unlink_quietly(f"{place}/{name}")


def _is_asset(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and not any(p in {"", ".", ".."} for p in parts)


def io_error(error: OSError, what: str) -> BubbleError:
    """Return the error for a file system that said no; `what` begins the message (printable)."""
    name = f"{printable(os.fsdecode(error.filename))}: " if error.filename else ""
    return BubbleError(
        kind_of(error),
        f"{what}: {name}{error.strerror or error}",
        hint="make room or permissions there, or choose another directory, and run it again",
    )


def _require_archive(download: Download) -> None:
    if not _is_asset(download.asset) or not download.asset.endswith(ARCHIVES):
        raise BubbleError(
            "unavailable",
            f"{printable(download.asset)} is no archive that bubble unpacks",
            hint="choose another version: bubble python list --available --all-versions",
        )
    if not download.is_installable:
        raise BubbleError(
            "unavailable",
            f"{download.key} has no checksum in the catalogue, and so can't be verified",
            hint="choose another version: bubble python list --available --all-versions",
        )
