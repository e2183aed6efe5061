"""pip for new environments: unpacked once per store, linked into each.

The wheel comes from the interpreters themselves: the newest one that any installation bundles
and that runs on the version in question. Nothing is downloaded and ensurepip is never run.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.stdlib import stdlib_of
from bubble.pythons.store import installations
from bubble.system.files import read_text
from bubble.system.lock import Lock
from bubble.system.staging import Staging, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.model.version import Version
    from bubble.system.layout import Layout

_DEBIANS = "/usr/share/python-wheels"  # Debian takes the wheels out of ensurepip
_MAX_MEMBER = 16 << 20  # bytes; pip's largest file has 1 MB


class Seed(Record):
    """An unpacked wheel in the store: `path` (absolute) is linked into `site-packages`."""

    path: str
    version: str

    @property
    def metadata(self) -> str:
        """The name of its `.dist-info` directory."""
        return f"pip-{self.version}.dist-info"


class _Wheel(Record):
    path: str
    version: str
    minimum: tuple[int, ...]


def pip_seed(layout: Layout, python: Version) -> Seed:
    """Return pip for an interpreter of that version, unpacking it if this is the first time.

    Raises BubbleError(unavailable) when no installation bundles a pip that runs on it.
    """
    wheels = [w for w in _bundled(layout) if w.minimum <= python[:2]]
    if not wheels:
        raise BubbleError(
            "unavailable",
            f"no installed Python bundles a pip that runs on {python}",
            hint="leave pip out: bubble create --no-pip",
        )
    wheel = max(wheels, key=lambda w: _numbers(w.version))
    seed = Seed(path=f"{layout.seeds}/pip-{wheel.version}", version=wheel.version)
    if not os.path.isdir(seed.path):
        with Lock(f"{layout.locks}/seeds"):
            sweep(layout)
            if not os.path.isdir(seed.path):
                with Staging(layout, seed.path) as staging:
                    _unpack(wheel.path, staging.path)
                    staging.publish()
    return seed


def link_seed(seed: Seed, site_packages: str) -> str:
    """Link the seed's files into `site-packages` (absolute); return what its RECORD says of them.

    Hard links where the file system has them, copies elsewhere. RECORD itself is not among them:
    it is the environment's own.
    """
    record = read_text(f"{seed.path}/{seed.metadata}/RECORD")
    assert record is not None, seed.path
    source, target = _open(seed.path), _open(site_packages)
    try:
        made = {""}
        link: Callable[..., None] = os.link
        for line in record.splitlines():
            name = line.partition(",")[0]
            directory = name.rpartition("/")[0]
            if directory not in made:
                _make_directory(directory, target, made)
            if name == f"{seed.metadata}/RECORD":
                continue
            # below descriptors: the system looks up a dozen directories less for each
            try:
                link(name, name, src_dir_fd=source, dst_dir_fd=target)
            except OSError:
                if link is _copy:
                    raise
                link = _copy  # another file system, or too many links
                link(name, name, src_dir_fd=source, dst_dir_fd=target)
    finally:
        os.close(source)
        os.close(target)
    return record if record.endswith("\n") else f"{record}\n"


def _open(directory: str) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _make_directory(name: str, above: int, made: set[str]) -> None:
    parent = name.rpartition("/")[0]
    if parent not in made:
        _make_directory(parent, above, made)
    os.mkdir(name, dir_fd=above)
    made.add(name)


def _copy(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
    import shutil

    def new(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_EXCL, 0o644, dir_fd=dst_dir_fd)

    def old(path: str, flags: int) -> int:
        return os.open(path, flags, dir_fd=src_dir_fd)

    with open(source, "rb", opener=old) as data, open(target, "wb", opener=new) as file:
        shutil.copyfileobj(data, file)


def _bundled(layout: Layout) -> list[_Wheel]:
    found: dict[str, _Wheel] = {}
    directories = [f"{stdlib_of(i)}/ensurepip/_bundled" for i in installations(layout)]
    for directory in (*directories, _DEBIANS):
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            parts = name.split("-")
            if parts[0] == "pip" and name.endswith("-none-any.whl") and len(parts) == 5:
                found.setdefault(name, _wheel(f"{directory}/{name}", parts[1]))
    return list(found.values())


def _wheel(path: str, version: str) -> _Wheel:
    # pip drops a Python about once a year; what its metadata says is in the wheel, and reading
    # it at every creation would cost more than the links: the releases are known
    numbers = _numbers(version)
    for since, minimum in (((25, 1), (3, 9)), ((24, 1), (3, 8)), ((22, 0), (3, 7))):
        if numbers[:2] >= since:
            return _Wheel(path=path, version=version, minimum=minimum)
    return _Wheel(path=path, version=version, minimum=(3, 6))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _unpack(wheel: str, root: str) -> None:
    """Unpack a wheel below `root`, and make its RECORD list what was unpacked, if it doesn't."""
    import zipfile

    names = []
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            name = member.filename
            if name.endswith("/"):
                continue
            safe = not (
                name.startswith("/") or ".." in name.split("/") or set('\\,"\r\n') & {*name}
            )
            if not safe or member.file_size > _MAX_MEMBER:
                raise BubbleError(
                    "archive", f"{wheel} is not a pip wheel", hint="bubble python verify --repair"
                )
            target = f"{root}/{name}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(archive.read(member))
            names.append(name)
    _, version, _ = os.path.basename(wheel).split("-", 2)
    record = f"{root}/{Seed(path=root, version=version).metadata}/RECORD"
    lines = (read_text(record) or "").splitlines()
    if sorted(line.partition(",")[0] for line in lines) != sorted(names):
        with open(record, "w", encoding="utf-8") as file:
            file.writelines(f"{name},,\n" for name in sorted({*names, record[len(root) + 1 :]}))
