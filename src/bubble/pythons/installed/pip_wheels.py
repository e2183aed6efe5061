"""pip's wheels that interpreters bring along, and which of them are upstream's own.

A distribution's pip is part of it: Debian's and Fedora's read the certificates of the system, at a
path that others don't have, and refuse what theirs refuse. Whoever shares one among environments,
or carries it to other machines, takes upstream's.

A new one: its line is from the index (`pip install --dry-run --report - pip==…`).
"""

from __future__ import annotations

import os
import re

from bubble.model.record import Record
from bubble.pythons.installed.store import usable
from bubble.pythons.probing.stdlib import stdlib_of
from bubble.system.files import sha256_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.model.version import Version
    from bubble.system.layout import Layout

DISTRIBUTIONS = "/usr/share/python-wheels"  # where Debian and Fedora keep what ensurepip had
_CORE = "pip/_vendor/certifi/core.py"
_CERTIFICATES = "pip/_vendor/certifi/cacert.pem"

# pip's version → the sha256 of its wheel: those that CPython's ensurepip ever had, and the newest
KNOWN = {
    "21.1.1": "11d095ed5c15265fc5c15cc40a45188675c239fb0f9913b673a33e54ff7d45f0",
    "21.1.3": "78cb760711fedc073246543801c84dc5377affead832e103ad0211f99303a204",
    "21.2.3": "895df6014c2f02f9d278a8ad6e31cdfd312952b4a93c3068d0556964f4490057",
    "21.2.4": "fa9ebb85d3fd607617c0c44aca302b1b45d87f9c2a1649b46c26167ca4296323",
    "21.3.1": "deaf32dcd9ab821e359cd8330786bcd077604b5c5730c0b096eda46f95c24a2d",
    "22.0.4": "c6aca0f2f081363f689f041d90dab2a07a9a07fb840284db2218117a52da800b",
    "22.2.2": "b61a374b5bc40a6e982426aede40c9b5a08ff20e640f5b56977f4f91fed1e39a",
    "22.3": "1daab4b8d3b97d1d763caeb01a4640a2250a0ea899e257b1e44b9eded91e15ab",
    "22.3.1": "908c78e6bc29b676ede1c4d57981d490cb892eb45cd8c214ab6298125119e077",
    "23.0.1": "236bcb61156d76c4b8a05821b988c7b8c35bf0da28a4b614e8d6ab5212c25c6f",
    "23.1.2": "3ef6ac33239e4027d9a5598a381b9d30880a1477e50039db2eac6e8a8f6d1b18",
    "23.2.1": "7ccf472345f20d35bdc9d1841ff5f313260c2c33fe417f48c30ac46cccabf5be",
    "24.0": "ba0d021a166865d2265246961bec0152ff124de910c5cc39f1156ce3fa7c69dc",
    "24.1.2": "7cd207eed4c60b0f411b444cd1464198fe186671c323b6cd6d433ed80fc9d247",
    "24.2": "2cd581cf58ab7fcfca4ce8efa6dcacd0de5bf8d0a3eb9ec927e07405f4d9e2a2",
    "24.3.1": "3790624780082365f47549d032f3770eeb2b1e8bd1f7b2e02dace1afa361b4ed",
    "25.0": "b6eb97a803356a52b2dd4bb73ba9e65b2ba16caa6bcb25a7497350a4e5859b65",
    "25.0.1": "c46efd13b6aa8279f33f2864459c8ce587ea6a1a59ee20de055868d8f7688f7f",
    "25.1.1": "2913a38a2abf4ea6b64ab507bd9e967f3b53dc1ede74b01b0931e1ce548751af",
    "25.2": "6d67a2b4e7f14d8b31b8b52648866fa717f45a1eb70e83002f4331d07e953717",
    "25.3": "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd",
    "26.0.1": "bdb1b08f4274833d62c1aa29e20907365a2ceb950410df15fc9521bad440122b",
    "26.1.2": "382ff9f685ee3bc25864f820aa50505825f10f5458ffff07e30a6d96e5715cab",
    "26.2.1": "71138adf1f4ca900cdb7d289c21b7494329f2332b6d85f0e1c42108c0384ed3e",
    "26.3": "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13",
}
# from this pip on, at least that Python
_SINCE = (((26, 1), (3, 10)), ((25, 1), (3, 9)), ((24, 1), (3, 8)), ((22, 0), (3, 7)))
_OLDEST = (3, 6)
_UNTIL = ((23, 1, 2), (3, 12))  # before this pip, no Python from that one on


class Wheel(Record):
    """A wheel of pip at `path` (absolute)."""

    path: str
    version: str

    @property
    def is_distributions(self) -> bool:
        """Whether it lies where a distribution keeps its own."""
        return os.path.dirname(self.path) == DISTRIBUTIONS


def bundled(layout: Layout) -> Iterator[Wheel]:
    """Yield the wheels that the installed Pythons have, and then the distribution's."""
    found = [f"{stdlib_of(i)}/ensurepip/_bundled" for i in usable(layout)]
    for directory in (*found, DISTRIBUTIONS):
        yield from wheels_in(directory)


def wheels_in(directory: str) -> list[Wheel]:
    """Return pip's wheels in a directory, which need not exist."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [
        Wheel(path=f"{directory}/{name}", version=name.split("-")[1])
        for name in names
        if re.fullmatch(r"pip-\d[\w.+]*-\w+(?:\.\w+)*-none-any\.whl", name)
    ]


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version of pip, for an order."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def runs_on(version: str, python: Version) -> bool:
    """Whether a pip of that version runs on a Python: told by what the releases need."""
    pip = numbers(version)
    minimum = next((least for since, least in _SINCE if pip >= since), _OLDEST)
    return minimum <= python[:2] and (pip >= _UNTIL[0] or python[:2] < _UNTIL[1])


def newest_known(python: Version) -> str:
    """Return the newest version in KNOWN that runs on a Python, "" where none does."""
    fitting = [version for version in KNOWN if runs_on(version, python)]
    return max(fitting, key=numbers, default="")


def known(version: str) -> str:
    """Return the sha256 of upstream's wheel of a version, "" where it isn't known here."""
    return KNOWN.get(version, "")


def is_upstreams(wheel: Wheel) -> bool:
    """Whether the file is the one that upstream published, by its sha256; reads all of it.

    A version that isn't known here is younger than this list: then it is upstream's if it is an
    interpreter's own, and uses certificates of its own.
    """
    digest = known(wheel.version)
    if digest:
        return sha256_of(wheel.path) == digest
    return not wheel.is_distributions and _has_own_certificates(wheel.path)


def _has_own_certificates(path: str) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            # before it had any vendored, or in the small ones of tests, it names none of a system
            core = archive.read(_CORE) if _CORE in names else b""
    except (OSError, zipfile.BadZipFile):
        return False
    return b"/etc/" not in core and (not core or _CERTIFICATES in names)
