"""Make a relocatable archive of an interpreter on this machine, and add it to a mirror.

The archive is laid out as python-build-standalone's `install_only` ones are, so whatever installs
those installs this: everything under `python/`, run paths relative to the file, scripts that find
their interpreter beside themselves, and `/install` where files must name a prefix.

What goes in is Python's own: the binary, libpython, the standard library less its tests, headers,
the configuration, and pip (with setuptools where ensurepip has it) fresh from ensurepip's wheels.
Site-packages of the machine don't. Libraries that a run path leads to are the build's own and go
in; the system's (OpenSSL, SQLite, Tk, …) don't, unlike in upstream's builds: `Packed.not_bundled`
names them, and a machine that installs the archive needs them from its distribution. The C library
must not be older than this machine's. An archive that can't do what the interpreter does in its
place isn't published.
"""

from __future__ import annotations

import re
import time
from urllib.parse import quote

from bubble.model.download import Download
from bubble.model.errors import BubbleError
from bubble.model.key import Key
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.installing.mirror import Mirror, io_error
from bubble.pythons.pack.files import collect
from bubble.pythons.pack.libraries import carry
from bubble.pythons.pack.pip import upstreams_pip
from bubble.pythons.pack.probe import facts_of
from bubble.pythons.pack.relocate import relocate
from bubble.pythons.pack.tar import write_tar
from bubble.pythons.pack.trial import abilities, compiled_modules, try_archive
from bubble.pythons.probing.probe import probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bubble.model.platform import Platform
    from bubble.pythons.pack.probe import Facts
    from bubble.system.layout import Layout


class Packed(Record):
    """What was added: the build's key, its `path` (absolute) and `asset` (`<tag>/<file>`).

    `size` is in bytes, `files` counts members; `skipped` names what of site-packages and `bin` was
    left out, `not_bundled` the shared libraries that the interpreter takes from the system.
    """

    key: Key
    path: str
    asset: str
    sha256: str
    size: int
    files: int
    skipped: tuple[str, ...]
    not_bundled: tuple[str, ...]


def pack(
    directory: str,
    prefix: str,
    *,
    layout: Layout,
    env: Mapping[str, str],
    platform: Platform,
    tag: str = "",
    base_url: str = "",
    clock: Callable[[], float] = time.time,
    progress: Callable[[int, int], None] | None = None,
    fetch_pip: Callable[[str], str] | None = None,
) -> Packed:
    """Pack the interpreter `prefix` (a prefix or an executable) into the mirror `directory`.

    Of a virtual environment, the interpreter that it was made from is packed. It is tried in the
    store's staging before it is published. `platform` is the
    one that the build runs on: this machine's. `tag` is the release (default: today's date by
    `clock`, YYYYMMDD). With the same tag, the same interpreter gives the same bytes; file times
    are SOURCE_DATE_EPOCH's (in `env`), else the tag's date. `base_url` writes absolute addresses
    into the catalogue. `progress` is called with (bytes done, bytes in all); `fetch_pip` with a
    version of pip, where the interpreter's own is its distribution's and no upstream's is at hand.

    Raises BubbleError: probe (no usable interpreter there, or none any more
    when it is packed), unavailable (it can't be made
    relocatable), store (the mirror has another archive under this name), io, permission, no_space.
    """
    tag = tag or time.strftime("%Y%m%d", time.gmtime(clock()))
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._]{0,63}", tag) or ".." in tag:
        raise BubbleError(
            "usage",
            f"“{printable(tag)}” can't be a release's tag",
            hint="use letters, digits, dots and underscores, best a date such as 20260131",
        )
    if platform.os != "linux":
        raise BubbleError(
            "unavailable",
            f"packing an interpreter works on Linux only, not for {platform}",
            hint="publish upstream's builds instead: bubble mirror create DIRECTORY REQUEST",
        )
    facts = facts_of(prefix, env)
    key = _key(facts, env, platform)
    try:
        before = abilities(facts.executable, compiled_modules(facts), env)
        pip = upstreams_pip(facts, layout, fetch_pip)
        collected = collect(facts, tcl=before.has.get("Tcl", ""), pip=pip)
        carried = carry(facts.executable, collected.members)
        members = {**collected.members, **carried.members}
        relocated = relocate(facts, members, carried.through)
        mirror = Mirror(directory, base_url=base_url)
        name = file_name(key, tag)
        with mirror.partial(name) as partial:
            written = write_tar(
                partial.path, relocated.members, mtime=_mtime(env, tag), progress=progress
            )
            try_archive(partial.path, key, facts, members, before, layout=layout, env=env)
            download = Download(
                key=key, url=f"{tag}/{quote(name)}", sha256=written.sha256, build=tag
            )
            mirror.add(download, partial)
    except OSError as error:
        raise io_error(error, f"can't pack {printable(facts.prefix)}") from error
    return Packed(
        key=key,
        path=f"{mirror.directory}/{tag}/{name}",
        asset=f"{tag}/{name}",
        sha256=written.sha256,
        size=written.size,
        files=len(relocated.members),
        skipped=collected.skipped,
        not_bundled=relocated.not_bundled,
    )


def file_name(key: Key, tag: str) -> str:
    """Return an archive's name: `cpython-3.11.7+20260131-<triple>-install_only.tar.gz`."""
    variant = f"{key.variant}-" if key.variant else ""
    head = f"{key.implementation}-{key.version}+{tag}-{key.platform.triple}"
    return f"{head}-{variant}install_only.tar.gz"


def _key(facts: Facts, env: Mapping[str, str], platform: Platform) -> Key:
    found = probe(facts.executable, env=env, imports=())
    base = platform.replace(arch=platform.arch.partition("_v")[0])  # a level can't be seen
    if found.platform != base:
        raise BubbleError(
            "unavailable",
            f"{printable(facts.executable)} is a build for {found.platform}, not for {platform}",
            hint=f"pack it with --platform {found.platform.triple}",
        )
    return Key(
        implementation=found.implementation,
        version=found.version,
        variant=found.variant,
        platform=platform,
    )


def _mtime(env: Mapping[str, str], tag: str) -> int:
    """Return the files' time: SOURCE_DATE_EPOCH (reproducible-builds.org), else the tag's date."""
    epoch = env.get("SOURCE_DATE_EPOCH", "")
    if epoch.isascii() and epoch.isdigit():
        return int(epoch)
    import calendar

    try:
        return calendar.timegm(time.strptime(tag[:8], "%Y%m%d"))
    except ValueError:
        return 0
