"""An archive on this machine (`--from`): which build it is, and which bytes it must be."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.key import Key, parse_key
from bubble.model.platform import parse_platform
from bubble.model.text import printable
from bubble.model.version import FINAL, Version
from bubble.pythons.catalogue import open_catalogue
from bubble.pythons.installed import store
from bubble.pythons.installing.batch import Batch, install_downloads
from bubble.pythons.installing.install import local_download
from bubble.system.http.address import local_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.download import Download
    from bubble.model.request import Request
    from bubble.pythons.installing.progress import Progress
    from bubble.system.machine import Machine

# what to do about an archive that somebody brought, and nobody downloaded
_HINTS = {
    "archive": "give a .tar.gz or .tar.zst as python-build-standalone publishes them",
    "checksum": "give the archive that the checksum is of, or the checksum of this archive",
}
_HEX = frozenset("0123456789abcdef")


def download_of(
    path: str, sha256: str, machine: Machine, *, request: Request | None = None
) -> Download:
    """Return the download that stands for the archive `path` (absolute).

    Its checksum is `sha256`, or the one that the catalogue has for a file of that name. Its key
    comes from the catalogue, else from the file's name, else from `request`, a full key or an
    exact version. Raises BubbleError(usage, checksum, request).
    """
    if not os.path.isfile(path):
        raise BubbleError(
            "usage",
            f"there is no archive {printable(path)}",
            hint="--from takes the path of a .tar.gz or .tar.zst file",
        )
    name = os.path.basename(path)
    sha256 = sha256.lower()
    if sha256 and not (len(sha256) == 64 and _HEX.issuperset(sha256)):
        raise BubbleError(
            "usage",
            f"“{printable(sha256)}” is no sha256",
            hint="64 hexadecimal digits, as the release's SHA256SUMS has them",
        )
    known = _known(name, sha256, machine)
    if known is None and not sha256:
        raise BubbleError(
            "checksum",
            f"no checksum is known for {printable(name)}",
            hint="give the one that you trust: --sha256 HEX",
        )
    key = known.key if known else key_of_file(name) or _requested(request, name, machine)
    # of an archive that no catalogue knows, whoever brings it says which release it is
    tag = known.build if known else request.build if request else ""
    if request is not None and not (
        request.text == str(key) or request.matches(key, key.platform, build=tag)
    ):
        raise BubbleError(
            "request",
            f"{printable(name)} is {key.name}, not “{request}”",
            hint="leave the request out, or give the right archive",
        )
    return local_download(path, key, sha256 or (known.sha256 if known else ""), tag)


def install_archive(
    download: Download, machine: Machine, progress: Progress, *, replace: bool = False
) -> Batch:
    """Install what `download_of` returned.

    Where another archive of its key is installed already, the batch has an error, not that one.
    """
    if not download.is_installable:
        raise BubbleError(
            "archive",
            f"{printable(download.file_name)}: {download.obstacle}",
            hint="pack it anew as .tar.gz, with the prefix (the directory above bin) as its one "
            "top directory, and give that and its checksum",
        )
    batch = install_downloads([download], machine, progress, replace=replace)
    for installed in batch.installed:
        receipt = store.read_receipt(installed.installation.prefix)
        if receipt.sha256 != download.sha256:
            return Batch(installed=(), errors=(_other_archive(download, receipt),))
    return batch.replace(
        errors=tuple(e.replace_hint(_hint(e, download) or e.hint) for e in batch.errors)
    )


def _hint(error: BubbleError, download: Download) -> str:
    """Return the next step for an archive that somebody brought, "" where the error has it."""
    found = error.details.get("found")
    if not isinstance(found, str):
        return _HINTS.get(error.kind, "")
    if found == download.key.request:  # for another platform, or of another place
        return "take a build for this machine"
    import shlex

    archive = shlex.quote(local_path(download.url))
    return (
        f"if that is what is wanted, name it: bubble python install --from {archive} "
        f"--sha256 {download.sha256} {found}"
    )


def _other_archive(download: Download, receipt: store.Receipt) -> BubbleError:
    import shlex

    what = f"with sha256 {receipt.sha256}" if receipt.sha256 else f"from {receipt.origin}"
    archive = shlex.quote(local_path(download.url))
    return BubbleError(
        "store",
        f"{download.key.name} is already installed, {what}: this archive is another one",
        hint="to replace it: bubble python install --reinstall "
        f"--from {archive} --sha256 {download.sha256} {download.key}",
        details={"sha256": receipt.sha256, "expected": download.sha256},
    )


def key_of_file(name: str) -> Key | None:
    """Return the key that a python-build-standalone file name tells, None where it tells none.

    `cpython-3.13.1+20250115-x86_64-unknown-linux-gnu-freethreaded+pgo+lto-full.tar.zst`
    """
    implementation, _, rest = name.partition("-")
    number, _, rest = rest.partition("-")
    words = rest.partition(".tar.")[0].split("-")
    tail = words[-1]
    for length in (4, 3):  # aarch64-unknown-linux-gnu, aarch64-apple-darwin
        try:
            platform = parse_platform("-".join(words[:length]))
            version = Version.parse(number.partition("+")[0])
        except (BubbleError, ValueError):
            continue
        marks = set("-".join(words[length:]).replace("-", "+").split("+"))
        variant = "+".join(v for v in ("freethreaded", "debug") if v in marks)
        if implementation != "cpython" or not tail:
            return None
        return Key(
            implementation=implementation, version=version, variant=variant, platform=platform
        )
    return None


def _known(name: str, sha256: str, machine: Machine) -> Download | None:
    try:
        catalogue = open_catalogue(machine.layout, machine.env)
    except BubbleError:
        if not sha256:
            raise
        return None  # whoever brings a checksum needs no catalogue
    return catalogue.by_sha256(sha256) if sha256 else catalogue.by_file(name)


def _requested(request: Request | None, name: str, machine: Machine) -> Key:
    if request is not None:
        try:
            return parse_key(request.text)
        except BubbleError:
            pass
        if request.is_exact and not request.build:
            *release, patch = (*request.release, 0)[:3]
            stage = request.stage if request.stage >= 0 else FINAL
            return Key(
                implementation=request.implementation,
                version=Version((*release, patch, stage, request.serial)),
                variant=request.variant,
                platform=request.platform or machine.platform,
            )
    # PyPy's and GraalPy's names have the minor version alone, and a release of their own
    other = re.match(r"(pypy|graalpy)-?(3\.\d+)?", name)
    named = f"{other[1]}{other[2] or '3.11'}.9" if other else "3.12.4"
    exactly = " of Python that it is, to the patch" if other else ""
    raise BubbleError(
        "request",
        f"the name {printable(name)} doesn't tell which build it is",
        hint=f"name the version{exactly}: "
        f"bubble python install --from ARCHIVE --sha256 HEX {named}",
    )
