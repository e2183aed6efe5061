"""Python builds to install in tests: real ones packed from this machine, and small doubles.

`packed_mirror` gives a mirror with whole interpreters of this machine, packed once and shared by
xdist's workers and by later runs: don't write into it. `small_archive` and `small_mirror` give
archives of a few KB whose interpreter is a double (`support.doubles`), for tests in which it
doesn't matter what Python does: selection, crashes, concurrency.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import pwd
import re
import shutil
import sys
import tarfile
import tempfile
import time
from urllib.parse import quote, unquote

from bubble.model.download import Download
from bubble.model.errors import BubbleError
from bubble.model.key import Key
from bubble.model.version import Version
from bubble.pythons import pack
from bubble.pythons.installing import mirror
from bubble.pythons.pack import (
    archive,
    files,
    libraries,
    member,
    pip,
    probe,
    relocate,
    tar,
    trial,
)
from bubble.system import elf
from bubble.system.host import host_platform
from bubble.system.layout import Layout
from bubble.system.lock import Lock
from support import handmade
from support.doubles import members
from support.needs import not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from bubble.model.platform import Platform

TAG = "20240726"
_SOURCES = (elf, mirror, archive, files, libraries, member, pip, probe, relocate, tar, trial)
_DAY = 86400


def interpreters() -> list[tuple[str, str]]:
    """Return (version, prefix) of the real CPythons ≥ 3.8 here, oldest first; maybe none.

    pyenv's (of PYENV_ROOT, or of this user's ~/.pyenv, whatever HOME says), and the running one.
    """
    roots = [os.environ.get("PYENV_ROOT", ""), f"{_home()}/.pyenv"]
    found: dict[str, str] = {}
    for root in roots:
        versions = f"{root}/versions"
        for name in os.listdir(versions) if root and os.path.isdir(versions) else ():
            program = f"{versions}/{name}/bin/python3"
            if re.fullmatch(r"3\.\d+\.\d+", name) and os.access(program, os.X_OK):
                found.setdefault(name, os.path.realpath(f"{versions}/{name}"))
    if sys.implementation.name == "cpython" and sys.platform == "linux":
        found.setdefault(platform.python_version(), os.path.realpath(sys.base_prefix))
    pairs = [(version, prefix) for version, prefix in found.items() if _order(version) >= (3, 8)]
    return sorted(pairs, key=lambda pair: _order(pair[0]))


def packed_mirror(versions: Sequence[str] = ()) -> str:
    """Return a mirror's directory (catalogue.json in it) with real builds of these versions.

    A version is exact (`3.11.7`) or a minor (`3.11`: its newest here); none given: all that are
    here. Skips the calling test when one isn't on this machine. Packs what isn't in the cache,
    BUBBLE_TEST_CACHE or a directory of this user among the temporary files.
    """
    chosen = [_interpreter(version) for version in versions] if versions else interpreters()
    if not chosen:
        not_here("no CPython to pack")
    cache = shared_cache()
    with Lock(f"{cache}/.lock"):
        identity = "\n".join(sorted(_identity(version, prefix) for version, prefix in chosen))
        name = hashlib.sha256(identity.encode()).hexdigest()[:16]
        directory = f"{cache}/{name}"
        if not os.path.exists(f"{directory}/.complete"):
            _prune(cache)
            shutil.rmtree(directory, ignore_errors=True)
            for _, prefix in chosen:
                pack.pack(
                    directory, prefix, layout=Layout(home=f"{cache}/store", cache=f"{cache}/cache"),
                    env=os.environ, platform=host_platform(os.environ), tag=TAG,
                    fetch_pip=fetched_pip,
                )  # fmt: skip
            with open(f"{directory}/.complete", "w", encoding="utf-8"):
                pass
        os.utime(f"{directory}/.complete")
    return directory


def fetched_pip(version: str) -> str:
    """Return upstream's wheel of a pip, for packing Debian's Python; kept for later runs."""
    from bubble.envs.tools.fetch_pip import fetch_pip

    cache = shared_cache()
    layout = Layout(home=f"{cache}/store", cache=f"{cache}/cache")
    world = handmade.world(layout).replace(env=dict(os.environ))
    try:
        return fetch_pip(version, world, lambda _: None)
    except BubbleError as error:
        not_here(f"Debian's Python alone, and no pip from an index: {error.message}")


def small_archive(
    directory: str,
    version: str = "3.11.9",
    tag: str = TAG,
    *,
    fmt: str = "tar.gz",
    variant: str = "",
    extra_files: int = 30,
    on: Platform | None = None,
) -> Download:
    """Write a small install_only archive into `directory` (absolute) and return its download.

    `fmt` is `tar.gz` or `tar.zst`. The URL is `file://…`; `archive_path` gives the path. The same
    arguments give the same bytes.
    """
    key = Key(
        implementation="cpython",
        version=Version.parse(version),
        variant=variant,
        platform=on or host_platform(os.environ),
    )
    name = pack.file_name(key, tag).replace("tar.gz", fmt)
    data = _compressed(_tar(members(version, variant, extra_files)), fmt)
    os.makedirs(directory, exist_ok=True)
    path = f"{directory}/{name}"
    with open(path, "wb") as file:
        file.write(data)
    digest = hashlib.sha256(data).hexdigest()
    return Download(key=key, url=f"file://{quote(path)}", sha256=digest, build=tag)


def small_mirror(directory: str, specs: Iterable[str | Mapping[str, Any]]) -> str:
    """Make a mirror of small archives and return the path of its catalogue.json.

    A spec is a version, or `small_archive`'s keyword arguments with a "version".
    """
    place = mirror.Mirror(directory)
    for spec in specs:
        arguments = {"version": spec} if isinstance(spec, str) else dict(spec)
        with place.partial("small") as partial:
            scratch = f"{partial.path}.d"
            download = small_archive(scratch, **arguments)
            partial.take(archive_path(download), download.sha256)
            shutil.rmtree(scratch)
            place.add(download, partial)
    return f"{place.directory}/{mirror.CATALOGUE}"


def archive_path(download: Download) -> str:
    """Return the absolute path that a `file://` download names."""
    return unquote(download.url.removeprefix("file://"))


def shared_cache() -> str:
    """Return the directory (absolute) for what is made once for all tests; private to this user."""
    default = f"{tempfile.gettempdir()}/bubble-test-builds-{os.geteuid()}"
    path = os.environ.get("BUBBLE_TEST_CACHE") or default
    os.makedirs(path, mode=0o700, exist_ok=True)
    assert os.stat(path).st_uid == os.geteuid(), f"{path} belongs to another user"
    return path


def _interpreter(version: str) -> tuple[str, str]:
    for found, prefix in reversed(interpreters()):
        if found == version or found.startswith(f"{version}."):
            return found, prefix
    return not_here(f"no CPython {version} to pack")


def _identity(version: str, prefix: str) -> str:
    """Return what tells one result of packing from another."""
    program = os.path.realpath(f"{prefix}/bin/python{'.'.join(version.split('.')[:2])}")
    digest = hashlib.sha256()
    for module in _SOURCES:
        assert module.__file__ is not None
        with open(module.__file__, "rb") as file:
            digest.update(file.read())
    return f"{version} {prefix} {os.stat(program).st_mtime_ns} {digest.hexdigest()}"


def _prune(cache: str) -> None:
    """Remove mirrors that nobody has asked for since yesterday: packing changed since."""
    for name in os.listdir(cache):
        path = f"{cache}/{name}"
        mark = f"{path}/.complete"
        status = os.stat(mark if os.path.exists(mark) else path)
        if os.path.isdir(path) and status.st_mtime < time.time() - _DAY:
            shutil.rmtree(path)


def _tar(content: Mapping[str, tuple[str, int, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name in sorted(content):
            target, mode, data = content[name]
            info = tarfile.TarInfo(f"python/{name}")
            info.mode, info.size = mode, len(data)
            if target:
                info.type, info.linkname = tarfile.SYMTYPE, target
            made.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _compressed(data: bytes, fmt: str) -> bytes:
    if fmt == "tar.gz":
        return gzip.compress(data, 6, mtime=0)
    assert fmt == "tar.zst", fmt
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


def _order(version: str) -> tuple[int, ...]:
    # `3.14.0rc1` and `3.13.0+` are ordered by their release
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/nonexistent"
