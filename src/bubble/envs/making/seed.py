"""pip for new environments: unpacked once per store, copied into each.

The wheel comes from the interpreters themselves: the newest of upstream's that any installation
bundles and that runs on the version in question; where there is none, the distribution's. Nothing
is downloaded and ensurepip is never run.

No environment shares a file with a seed: whoever gets an environment (`chown -R app .venv`) gets
that one alone. What environments share with one another says `system.pool`. What every environment
is made from is listed when it is unpacked; one that isn't as listed, or was made before there were
lists, is unpacked anew.
"""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.installed.pip_wheels import bundled, is_upstreams, known, numbers, runs_on
from bubble.system.copies import Copier, umask
from bubble.system.files import read_text, sha256_of, write_new
from bubble.system.layout import BUBBLE_DIR, MANIFEST
from bubble.system.lock import Lock
from bubble.system.pool import key_of
from bubble.system.removal import set_aside
from bubble.system.staging import Staging
from bubble.system.sweep import sweep
from bubble.system.trees import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.version import Version
    from bubble.pythons.installed.manifest import Problem
    from bubble.pythons.installed.pip_wheels import Wheel
    from bubble.system.layout import Layout
    from bubble.system.pool import Pool

_DISTRIBUTIONS = ".system"  # ends the name of a seed that isn't upstream's
_WHEEL = f"{BUBBLE_DIR}/wheel"  # says what a seed was unpacked from: its wheel's sha256
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

    @property
    def is_distributions(self) -> bool:
        """Whether it is a distribution's own pip, which no other Python gets."""
        return self.path.endswith(_DISTRIBUTIONS)


class Checked(Record):
    """A seed held against its list: `problems` is empty when it is whole."""

    seed: Seed
    problems: tuple[Problem, ...]


def pip_seed(layout: Layout, python: Version) -> Seed:
    """Return the pip that an interpreter of that version gets, unpacked or not.

    Raises BubbleError(unavailable) when no installation bundles a pip that runs on it.
    """
    wheels = [wheel for wheel in bundled(layout) if runs_on(wheel.version, python)]
    if not wheels:
        raise BubbleError(
            "unavailable",
            f"no installed Python bundles a pip that runs on {python}",
            hint="leave pip out: bubble create --no-pip",
        )
    wheels.sort(key=lambda wheel: numbers(wheel.version), reverse=True)
    for wheel in wheels:
        seed = _seed(wheel, layout)
        if _is_known(seed) or is_upstreams(wheel):
            return seed
    # nothing else exists: an environment of the distribution's Python, mostly
    return _seed(wheels[0], layout, _DISTRIBUTIONS)


def _seed(wheel: Wheel, layout: Layout, suffix: str = "") -> Seed:
    path = f"{layout.seeds}/pip-{wheel.version}{suffix}"
    return Seed(path=path, version=wheel.version, wheel=wheel.path)


def _is_known(seed: Seed) -> bool:
    """Whether a seed says that it was unpacked from the very wheel that upstream published."""
    made_from = read_text(f"{seed.path}/{_WHEEL}")
    return made_from is not None and made_from.strip() == known(seed.version)


def plant(seed: Seed, site_packages: str, layout: Layout, pool: Pool | None = None) -> str:
    """Copy the seed's files into `site-packages` (absolute); return what its RECORD says of them.

    Unpacks it first if it isn't there, or not as it was unpacked. RECORD itself is not copied: it
    is the environment's own. What the pool has is linked, if that is given.
    """
    with Lock(f"{layout.locks}/seeds", shared=True):  # nobody replaces it meanwhile
        if (record := _whole(seed)) is not None:
            return _copy(seed, record, site_packages, pool)
    with Lock(f"{layout.locks}/seeds"):
        sweep(layout)
        if (record := _whole(seed)) is None:
            _make(seed, layout)
            record = read_text(_record(seed)) or ""
        return _copy(seed, record, site_packages, pool)


def check_seeds(layout: Layout) -> list[Checked]:
    """Hold every seed of the store against its list, byte for byte."""
    try:
        names = sorted(os.listdir(layout.seeds))
    except FileNotFoundError:
        return []
    wheels = list(bundled(layout))
    seeds = [_at(f"{layout.seeds}/{name}", wheels) for name in names if name.startswith("pip-")]
    return [Checked(seed=seed, problems=_problems(seed)) for seed in seeds]


def _at(path: str, wheels: list[Wheel]) -> Seed:
    """Return the seed that lies at a path, with the wheel that it would be unpacked from anew."""
    seed = Seed(path=path, version=version_of(os.path.basename(path)), wheel="")
    fitting = (
        wheel.path
        for wheel in wheels
        if wheel.version == seed.version and (seed.is_distributions or is_upstreams(wheel))
    )
    return seed.replace(wheel=next(fitting, ""))


def version_of(name: str) -> str:
    """Return the version of pip in the seed of that name."""
    return name.removeprefix("pip-").removesuffix(_DISTRIBUTIONS)


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
    if known(seed.version) and not (seed.is_distributions or _is_known(seed)):
        return None  # of the time when a distribution's was anybody's
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


def _copy(seed: Seed, record: str, site_packages: str, pool: Pool | None) -> str:
    source, target = _open(seed.path), _open(site_packages)
    own = f"{seed.metadata}/RECORD"
    copier = Copier()
    try:
        made = {""}
        for line in record.splitlines():
            name, _, rest = line.partition(",")
            directory = name.rpartition("/")[0]
            if directory not in made:
                _make_directory(directory, target, made)
            if name == own:
                continue
            if pool is None or pool.clones or not pool.is_of_use:  # a seed's clone shares as much
                _copy_file(name, source, target, copier)
            else:
                key = key_of(name, rest.partition(",")[0])
                _share_file(name, key, source, target, copier, pool)
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


def _share_file(name: str, key: str, source: int, target: int, copier: Copier, pool: Pool) -> None:
    if key:
        reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
        try:
            if pool.give(target, name, key, reading):
                return
        finally:
            os.close(reading)
    _copy_file(name, source, target, copier)
    if key and pool.is_of_use:
        pool.share(target, name, key)


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
            digest = sha256_of(seed.wheel)
            if not seed.is_distributions and digest != (known(seed.version) or digest):
                raise _foreign(seed.wheel)
            _unpack(seed.wheel, staging.path)
            os.mkdir(f"{staging.path}/{BUBBLE_DIR}")
            write_new(f"{staging.path}/{_WHEEL}", f"{digest}\n")
            manifest.write(staging.path, (), frozenset(_below(staging.path)))
        staging.publish()


def _foreign(wheel: str) -> BubbleError:
    return BubbleError(
        "archive", f"{wheel} is not a pip wheel", hint="bubble python verify --repair"
    )


def _below(root: str) -> list[str]:
    """Return the relative paths of everything below a directory."""
    found = []
    for directory, directories, files in walk(root):
        found += [os.path.relpath(f"{directory}/{name}", root) for name in directories + files]
    return found


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
                raise _foreign(wheel)
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
