"""What an environment shares on the disk with others: its packages' files, and their bytecode.

One step, when it has its packages and nobody uses it yet. What the RECORDs list with a sha256, in
site-packages, is exchanged for the pool's file of that hash if that is the same, byte for byte
(`system.pool` has the rule). What people and tools write to stays its own: certificates, `.pth`
files, what says how a package came here, scripts, data outside site-packages, what no RECORD lists.

Bytecode says when its source was written, and where it lay. The first is that of the shared source,
the second is a mere label, which the import system corrects: without the place where it was made it
is the same in all environments.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.editables import site_packages
from bubble.system.below import Below
from bubble.system.files import read_text
from bubble.system.pool import is_pooled, key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.pool import Pool

_LARGEST = 1 << 26  # bytes of a RECORD
_OWN = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
_CACHE = "__pycache__"
_HEADER = 16  # bytes of bytecode (PEP 552): magic, flags, then time and size of the source
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OLDEST = (3, 8)  # what came before PEP 552 has other headers
_SHORT, _LONG = b"zZ", b"aAut"  # marshal's codes of texts with one byte and four of length


def share(root: str, pool: Pool) -> None:
    """Let the staged environment at `root` (absolute) share what it can with others of the store.

    What can't be shared stays as it is; nothing is raised.
    """
    try:
        below = Below(root)
    except OSError:
        return
    try:
        for inside in site_packages(root):
            if _has_bytecode_of_today(inside):
                _Packages(root, inside, below, pool).share()
    finally:
        below.close()


def _has_bytecode_of_today(inside: str) -> bool:
    """Whether a `lib/python3.12/site-packages` is one of a Python with headers that are known."""
    major, _, minor = inside.split("/")[1].lstrip("abcdefghijklmnopqrstuvwxyz").partition(".")
    digits = minor.rstrip("t")
    return major.isdigit() and digits.isdigit() and (int(major), int(digits)) >= _OLDEST


class _Packages:
    """The distributions in one site-packages, `inside` the staged environment at `root`."""

    def __init__(self, root: str, inside: str, below: Below, pool: Pool) -> None:
        self._root = root
        self._inside = inside
        self._below = below
        self._pool = pool
        self._caches: dict[str, dict[str, list[str]]] = {}

    def share(self) -> None:
        try:
            names = sorted(os.listdir(self._below.directory(self._inside)))
        except OSError:
            return
        for name in names:
            if name.endswith(".dist-info") and not self._is_shared_already(name):
                for path, key in self._recorded(name):
                    if not self._pool.is_of_use:
                        return
                    self._share(path, key)

    def _is_shared_already(self, name: str) -> bool:
        """Whether uv has linked a distribution's files to its cache, or cloned them from there.

        Or pip was planted by clones, or from the pool; of that, bytecode may be left, since it ran.
        """
        directory = f"{self._root}/{self._inside}/{name}"
        try:
            info = os.lstat(f"{directory}/METADATA")
        except OSError:
            return True  # no distribution
        if info.st_nlink > 1 and not is_pooled(info):
            return True
        installer = (read_text(f"{directory}/INSTALLER", 64) or "").strip()
        if is_pooled(info) or (installer == "bubble" and self._pool.clones):
            return not self._was_compiled(name)
        return installer == "uv" and self._pool.clones

    def _was_compiled(self, name: str) -> bool:
        """Whether there is bytecode of a distribution's first module."""
        first = next((path for path, _ in self._recorded(name) if path.endswith(".py")), "")
        return bool(first and self._compiled(os.path.dirname(f"{self._inside}/{first}")))

    def _recorded(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield what a RECORD lists with a hash: the path in site-packages, the hash in hex."""
        from _csv import Error, reader  # whose other half, in Python, has nothing that is needed

        text = read_text(f"{self._root}/{self._inside}/{name}/RECORD", _LARGEST) or ""
        own = {f"{name}/{file}" for file in _OWN}
        try:
            for path, digest, *_ in (row for row in reader(text.splitlines()) if len(row) > 1):
                parts = path.split("/")
                if path in own or path.endswith(".pyc") or {"", ".", ".."} & {*parts}:
                    continue
                if key := key_of(path, digest):
                    yield path, key
        except Error:
            return

    def _share(self, path: str, key: str) -> None:
        place, _, name = f"{self._inside}/{path}".rpartition("/")
        try:
            directory = self._below.directory(place)
            before = os.stat(name, dir_fd=directory, follow_symlinks=False)
            now = before if is_pooled(before) else self._pool.share(directory, name, key)
        except OSError:
            return
        if now is not None and name.endswith(".py"):
            times = int(before.st_mtime), int(now.st_mtime)
            for compiled in self._compiled(place).get(name.removesuffix(".py"), ()):
                try:
                    self._share_bytecode(f"{place}/{name}", compiled, times)
                except OSError:  # it would be of another time
                    _unlink_quietly(compiled, self._below.directory(f"{place}/{_CACHE}"))

    def _compiled(self, place: str) -> dict[str, list[str]]:
        """Return the names of the bytecode files for a directory's sources, by their stems."""
        found = self._caches.get(place)
        if found is None:
            found = self._caches[place] = {}
            try:
                for name in os.listdir(self._below.directory(f"{place}/{_CACHE}")):
                    if name.endswith(".pyc"):
                        found.setdefault(name.partition(".")[0], []).append(name)
            except OSError:
                pass
        return found

    def _share_bytecode(self, source: str, name: str, times: tuple[int, int]) -> None:
        """Share a source's bytecode that was right; `times` are when that was written, and is."""
        directory = self._below.directory(f"{os.path.dirname(source)}/{_CACHE}")
        file = os.open(name, _READ, dir_fd=directory)
        with open(file, "rb") as reading:
            info, before = os.fstat(file), reading.read()
        data = _of_today(before, *times)
        if not data:
            return
        data = _relabelled(data, os.fsencode(f"{self._root}/{source}"), os.fsencode(source))
        if os.fsencode(os.path.basename(self._root)) not in data:  # nobody else's is like that
            from hashlib import sha256

            if self._pool.share_new(directory, name, sha256(data).hexdigest(), data):
                return
        if data != before:
            self._pool.write(directory, name, data, info)


def _of_today(data: bytes, was: int, now: int) -> bytes:
    """Return a source's bytecode for the time that it has now; nothing for what wasn't of it."""
    if len(data) < _HEADER:
        return b""
    if data[4:8] != bytes(4):  # by its source's hash, not its time
        return data
    return data[:8] + _word(now) + data[12:] if data[8:12] == _word(was) else b""


def _relabelled(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return bytecode whose code says that it is of the file `new`, where it says `old`."""
    at = data.find(old)
    while at >= 0:
        end = at + len(old)
        if data[at - 2] & 0x7F in _SHORT and data[at - 1] == len(old):
            size, start = bytes([len(new)]), at - 1
        elif data[at - 5] & 0x7F in _LONG and data[at - 4 : at] == _word(len(old)):
            size, start = _word(len(new)), at - 4
        else:
            return data  # part of another text
        data = data[:start] + size + new + data[end:]
        at = data.find(old, start)
    return data


def _word(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def _unlink_quietly(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except OSError:
        pass
