"""pip for new environments: unpacked once per store, copied into each.

The wheel comes from the interpreters themselves: the newest one that any installation bundles
and that runs on the version in question. Nothing is downloaded and ensurepip is never run.

No environment shares a file with a seed, or with another one: whoever gets an environment
(`chown -R app .venv`) gets that one alone. What every environment is made from is listed when it is
unpacked; one that isn't as listed, or was made before there were lists, is unpacked anew.
"""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.installed.store import installations
from bubble.pythons.probing.stdlib import stdlib_of
from bubble.system.copies import Copier, umask
from bubble.system.files import read_text
from bubble.system.layout import MANIFEST
from bubble.system.lock import Lock
from bubble.system.removal import set_aside
from bubble.system.staging import Staging
from bubble.system.sweep import sweep
from bubble.system.trees import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.version import Version
    from bubble.pythons.installed.manifest import Problem
    from bubble.system.layout import Layout

_DEBIANS = "/usr/share/python-wheels"  # Debian takes the wheels out of ensurepip
_MAX_MEMBER = 16 << 20  # bytes; pip's largest file has 1 MB
_MODE = 0o644


class Seed(Record):
    """An unpacked wheel in the store at `path` (absolute), and the wheel that it is unpacked from.

    `wheel` is "" where no installed Python has it any more.
    """

    path: str
    version: str
    wheel: str

    @property
    def metadata(self) -> str:
        """The name of its `.dist-info` directory."""
        return f"pip-{self.version}.dist-info"


class Checked(Record):
    """A seed held against its list: `problems` is empty when it is whole."""

    seed: Seed
    problems: tuple[Problem, ...]


class _Wheel(Record):
    path: str
    version: str
    minimum: tuple[int, ...]


def pip_seed(layout: Layout, python: Version) -> Seed:
    """Return the pip that an interpreter of that version gets, unpacked or not.

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
    path = f"{layout.seeds}/pip-{wheel.version}"
    return Seed(path=path, version=wheel.version, wheel=wheel.path)


def plant(seed: Seed, site_packages: str, layout: Layout) -> str:
    """Copy the seed's files into `site-packages` (absolute); return what its RECORD says of them.

    Unpacks it first if it isn't there, or not as it was unpacked. RECORD itself is not copied: it
    is the environment's own.
    """
    with Lock(f"{layout.locks}/seeds", shared=True):  # nobody replaces it meanwhile
        if (record := _whole(seed)) is not None:
            return _copy(seed, record, site_packages)
    with Lock(f"{layout.locks}/seeds"):
        sweep(layout)
        if (record := _whole(seed)) is None:
            _make(seed, layout)
            record = read_text(_record(seed)) or ""
        return _copy(seed, record, site_packages)


def check_seeds(layout: Layout) -> list[Checked]:
    """Hold every seed of the store against its list, byte for byte."""
    wheels = {wheel.version: wheel.path for wheel in _bundled(layout)}
    try:
        names = sorted(os.listdir(layout.seeds))
    except FileNotFoundError:
        return []
    versions = [name.removeprefix("pip-") for name in names if name.startswith("pip-")]
    seeds = [
        Seed(path=f"{layout.seeds}/pip-{version}", version=version, wheel=wheels.get(version, ""))
        for version in versions
    ]
    return [Checked(seed=seed, problems=_problems(seed)) for seed in seeds]


def remake(seed: Seed, layout: Layout) -> None:
    """Unpack a seed anew, or throw it away where no installed Python has its wheel any more."""
    with Lock(f"{layout.locks}/seeds"):
        sweep(layout)
        if seed.wheel:
            _make(seed, layout)
        else:
            set_aside(layout, seed.path).delete()


def _record(seed: Seed) -> str:
    return f"{seed.path}/{seed.metadata}/RECORD"


def _whole(seed: Seed) -> str | None:
    """Return the seed's RECORD if its files look as they were unpacked, else None.

    By size, mode, owner and links, which takes no reading; `check_seeds` reads.
    """
    record = read_text(_record(seed))
    if record is None or not os.path.exists(f"{seed.path}/{MANIFEST}"):
        return None  # without a list: of the time when environments had links to it
    directory = _open(seed.path)
    try:
        owner = os.fstat(directory).st_uid
        for line in record.splitlines():
            name, _, rest = line.partition(",")
            info = os.stat(name, dir_fd=directory, follow_symlinks=False)
            size = rest.rpartition(",")[2]
            if (size and info.st_size != int(size)) or not _is_own(info, owner):
                return None
    except (OSError, ValueError):
        return None
    finally:
        os.close(directory)
    return record


def _is_own(info: os.stat_result, owner: int) -> bool:
    """Whether a file is nobody else's: no other name, no other owner, nobody may write but it."""
    return (info.st_mode, info.st_nlink, info.st_uid) == (stat.S_IFREG | _MODE, 1, owner)


def _problems(seed: Seed) -> tuple[Problem, ...]:
    from bubble.pythons.installed import manifest

    try:
        problems = list(manifest.verify(seed.path))
    except BubbleError:
        return (manifest.Problem(path=MANIFEST, what="missing"),)
    owner = os.lstat(seed.path).st_uid
    known = {problem.path for problem in problems}
    for directory, _, names in walk(seed.path):
        for name in names:
            path = os.path.relpath(f"{directory}/{name}", seed.path)
            if path not in known and not _is_own(os.lstat(f"{directory}/{name}"), owner):
                problems.append(manifest.Problem(path=path, what="owner"))
    return tuple(problems)


def _copy(seed: Seed, record: str, site_packages: str) -> str:
    source, target = _open(seed.path), _open(site_packages)
    own = f"{seed.metadata}/RECORD"
    copier = Copier()
    try:
        made = {""}
        for line in record.splitlines():
            name = line.partition(",")[0]
            directory = name.rpartition("/")[0]
            if directory not in made:
                _make_directory(directory, target, made)
            if name != own:
                _copy_file(name, source, target, copier)
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


def _copy_file(name: str, source: int, target: int, copier: Copier) -> None:
    # below descriptors: the system looks up a dozen directories less for each
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        writing = os.open(name, flags, _MODE, dir_fd=target)
        try:
            copier.content(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _make(seed: Seed, layout: Layout) -> None:
    from bubble.pythons.installed import manifest

    with Staging(layout, seed.path) as staging:
        with umask(0o022):
            _unpack(seed.wheel, staging.path)
            manifest.write(staging.path, (), frozenset(_below(staging.path)))
        staging.publish()


def _below(root: str) -> list[str]:
    """Return the relative paths of everything below a directory."""
    found = []
    for directory, directories, files in walk(root):
        found += [os.path.relpath(f"{directory}/{name}", root) for name in directories + files]
    return found


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

    sizes = {}
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
            sizes[name] = str(member.file_size)
    _, version, _ = os.path.basename(wheel).split("-", 2)
    own = f"pip-{version}.dist-info/RECORD"
    lines = (read_text(f"{root}/{own}") or "").splitlines()
    listed = [(line.partition(",")[0], line.rpartition(",")[2]) for line in lines]
    if sorted(listed) != sorted({**sizes, own: ""}.items()):
        with open(f"{root}/{own}", "w", encoding="utf-8") as file:
            file.writelines(f"{n},,{size}\n" for n, size in sorted({**sizes, own: ""}.items()))
