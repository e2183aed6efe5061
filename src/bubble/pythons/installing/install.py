"""Installing an interpreter: from a download or an archive to a published installation.

download → verify → unpack into staging → patch → probe → manifest → receipt → publish. Until the
last step nothing that was there changes; the receipt is the last file; the lock of the key is
held from the look into the store to the publication, so that one of many processes does the work.
"""

from __future__ import annotations

import os
import time

import bubble
from bubble.model.download import Download, urls_of
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.installed import store
from bubble.pythons.installing.ahead import Ahead
from bubble.pythons.installing.progress import Task
from bubble.pythons.installing.sharing import is_fixed, twin_of
from bubble.system.files import sha256_of
from bubble.system.lock import Lock, lock_timeout
from bubble.system.staging import Staging
from bubble.system.sweep import sweep
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.model.key import Key
    from bubble.pythons.installed.store import Installation
    from bubble.system.archive import Extracted
    from bubble.system.machine import Machine


class Installed(Record):
    """The outcome for one key; `status` is "installed", "reinstalled" or "present".

    `bytes_transferred` counts what came over the network: nothing for the cache and `file://`.
    """

    installation: Installation
    status: str
    seconds: float = 0.0
    bytes_transferred: int = 0


def install(
    download: Download, machine: Machine, *, replace: bool = False, task: Task | None = None
) -> Installed:
    """Install one build, or return the installation of its key that is already there.

    `replace` exchanges what is there, which works until the new one takes its place. Raises
    BubbleError (unavailable, offline, download, checksum, archive, probe, locked, …) and OSError;
    in every case the store is as it was.
    """
    task = task or Task()
    started = time.monotonic()
    layout = machine.layout
    if not download.is_installable:
        raise BubbleError(
            "unavailable",
            f"{download.key.name} can't be installed: {download.obstacle}",
            hint="choose another version: bubble python list --available --all-versions",
        )
    _require_runnable(download.key, machine)
    tell = _tell_waiting(task)
    with store.key_lock(layout, str(download.key), machine.env, on_wait=tell):
        sweep(layout)
        present = store.installation_at(layout, str(download.key))
        if present and not replace:
            # whoever installed it may have died before the links followed
            store.publish_changes(layout, machine.platform)
            return Installed(installation=present, status="present")
        with Ahead() as ahead:
            archive, transferred = fetch_archive(download, machine, task, ahead)
            _unpack_and_publish(archive, download, machine, task, ahead)
    return Installed(
        installation=store.Installation(key=download.key, prefix=layout.python(str(download.key))),
        status="reinstalled" if present else "installed",
        seconds=time.monotonic() - started,
        bytes_transferred=transferred,
    )


def local_download(path: str, key: Key, sha256: str, build: str = "") -> Download:
    """Return the download that stands for an archive on this machine (absolute path).

    Its bytes are copied into the cache while they are hashed, so that what is verified is what
    is unpacked.
    """
    from urllib.parse import quote

    return Download(key=key, url=f"file://{quote(path)}", sha256=sha256, build=build)


def fetch_archive(
    wanted: Download, machine: Machine, task: Task, ahead: Ahead | None = None
) -> tuple[str, int]:
    """Return the absolute path of the verified archive in the cache, and the bytes transferred.

    What comes over the network is expanded `ahead`, where that is given.

    A finished download in the cache is hashed again before it is used; a damaged one is thrown
    away and fetched anew. One process at a time fetches an archive, whatever store it is for.
    """
    mirror = machine.env.get("BUBBLE_MIRROR", "")
    urls = urls_of(wanted, mirror)
    try:
        return fetch_file(urls, wanted.sha256, machine, task, ahead)
    except BubbleError as error:
        if error.details.get("missing") and wanted.url not in urls:
            raise _not_in_mirror(mirror, error) from None
        raise


def fetch_file(
    urls: Sequence[str], sha256: str, machine: Machine, task: Task, ahead: Ahead | None = None
) -> tuple[str, int]:
    """Return the same of whatever file has this sha256 and lies at one of these addresses."""
    path = f"{machine.layout.downloads}/{sha256}"
    local = all(url.startswith("file:") for url in urls)  # is copied: nothing is downloaded
    lock = f"{machine.layout.download_locks}/{sha256}"
    with Lock(lock, timeout=lock_timeout(machine.env), on_wait=_tell_waiting(task)):
        if os.path.lexists(path):
            task.step("verifying")
            if sha256_of(path) == sha256:
                return path, 0
            remove_tree(path)
        from bubble.system.http.download import download

        os.makedirs(machine.layout.downloads, exist_ok=True)
        if local:
            task.step("copying")
        progress = None if local else task.download
        transfer = download(
            urls,
            path,
            sha256=sha256,
            env=machine.env,
            progress=progress,
            retried=task.retry,
            follower=ahead,
        )
    return path, transfer.bytes_transferred


def _not_in_mirror(mirror: str, error: BubbleError) -> BubbleError:
    from bubble.model.urls import shown

    return BubbleError(
        error.kind,
        f"the mirror doesn't have this build: {error.message}",
        hint="for what `bubble mirror create` made, unset BUBBLE_MIRROR and set "
        f"BUBBLE_CATALOG={shown(mirror).rstrip('/')}/catalogue.json",
        details=error.details,
    )


def _unpack_and_publish(
    archive: str, wanted: Download, machine: Machine, task: Task, ahead: Ahead
) -> None:
    from bubble.model import urls
    from bubble.system.background import Background

    key = wanted.key
    prefix = machine.layout.python(str(key))
    with Staging(machine.layout, prefix) as staging:
        root = staging.path
        task.step("unpacking")
        with Background(_import_the_rest):  # while decompression keeps this thread waiting
            unpacked = _unpack(archive, root, key, machine, task, ahead)
        task.step("preparing")
        manifest_sha256 = _prepare(root, prefix, key, unpacked, machine)
        receipt = store.Receipt(
            key=str(key),
            origin=urls.shown(wanted.url),
            sha256=wanted.sha256,
            build=wanted.build,
            flavour=wanted.flavour,
            manifest_sha256=manifest_sha256,
            installed_at=int(time.time()),
            bubble=bubble.__version__,
            prefix=prefix,
            executable=f"{prefix}/bin/python",
        )
        store.write_receipt(root, receipt)
        task.step("publishing")
        with store.changing(machine.layout, machine.platform):
            staging.publish()


def _unpack(
    archive: str, root: str, key: Key, machine: Machine, task: Task, ahead: Ahead
) -> Extracted:
    from bubble.system.archive import extract

    return extract(
        archive,
        root,
        begun=ahead.take(archive),
        fixed=is_fixed,
        twin=twin_of(key, machine),
        progress=task.part,
    )


def _is_managed(machine: Machine) -> bool:
    """Whether installers are kept out of what is installed (PEP 668): images may want otherwise."""
    return machine.env.get("BUBBLE_NO_EXTERNALLY_MANAGED", "") in {"", "0"}


def _prepare(root: str, prefix: str, key: Key, unpacked: Extracted, machine: Machine) -> str:
    """Patch, probe and list what is unpacked in `root`; return the manifest's sha256.

    What is patched is text that the probe doesn't read: the two go on side by side.
    """
    from bubble.pythons.installed import manifest
    from bubble.pythons.patch import link_interpreter, patch
    from bubble.pythons.probing.probe import check_unpacked
    from bubble.system.background import Background

    linked = link_interpreter(root, key)

    def patch_and_list() -> str:
        patched = patch(root, prefix, key, managed=_is_managed(machine))
        return manifest.write(root, unpacked.entries, linked | patched)

    with Background(patch_and_list) as listing:
        check_unpacked(root, key, env=machine.env)
        manifest_sha256: str = listing.result()
    return manifest_sha256


def _import_the_rest() -> None:
    import _ctypes  # noqa: F401 - of the sync
    import json  # noqa: F401 - of the receipt
    import subprocess  # noqa: F401 - of the probe

    import bubble.pythons.installed.manifest
    import bubble.pythons.patch
    import bubble.pythons.probing.probe  # noqa: F401


def _require_runnable(key: Key, machine: Machine) -> None:
    from bubble.model.platform import runs_on

    if not runs_on(key.platform, machine.platform):
        raise BubbleError(
            "unavailable",
            f"{key} can't run here: this machine is {machine.platform}",
            hint="for another machine: bubble mirror create DIR REQUEST --platform TRIPLE",
        )
    level = key.platform.arch.partition("_v")[2]
    if level:
        from bubble.system.host import x86_64_level

        if x86_64_level() < int(level):
            raise BubbleError(
                "unavailable",
                f"{key} can't run here: this processor is x86-64-v{x86_64_level()}",
                hint=f"the build for every processor: bubble python install {key.version}",
            )


def _tell_waiting(task: Task) -> object:
    return lambda process: task.step(f"waiting for process {process}" if process else "waiting")
