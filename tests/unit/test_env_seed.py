"""pip in new environments: what is copied is what RECORD lists, and no file is shared."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import zipfile

import pytest

from bubble.envs.discarding import gc
from bubble.envs.making.seed import Seed, check_seeds, pip_seed, plant, remake
from bubble.model.errors import BubbleError
from bubble.model.version import Version
from bubble.pythons.installed import pip_wheels
from bubble.system.pool import pool_for
from support.handmade import installation, machine, write
from support.needs import LINUX_ONLY, ROOT_ONLY
from support.wheels import recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout

NAMES = ["pip/__init__.py", "pip/_vendor/a/b/deep.py", "pip-1.0.dist-info/METADATA"]
RECORD = "pip-1.0.dist-info/RECORD"


def wheel(directory: str, record: list[str] | None = None, names: list[str] | None = None) -> str:
    """Make a wheel with NAMES, whose RECORD lists `record` (None: it has none)."""
    path = f"{directory}/pip-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names or NAMES:
            archive.writestr(name, f"this is {name}")
        if record is not None:
            lines = [f"{name},sha256=x,{len(f'this is {name}')}\n" for name in record]
            archive.writestr(RECORD, "".join([*lines, f"{RECORD},,\n"]))
    return path


@pytest.fixture
def pip(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seed:
    """Return the seed of the one pip that is bundled here; it isn't unpacked yet."""
    monkeypatch.setattr(pip_wheels, "DISTRIBUTIONS", f"{tmp_path}/no-wheels")
    bundled = f"{installation(layout).prefix}/lib/python3.11/ensurepip/_bundled"
    os.makedirs(bundled)
    wheel(bundled, NAMES)
    return pip_seed(layout, Version.parse("3.11.9"))


def planted(pip: Seed, layout: Layout, name: str = "site-packages") -> str:
    """Give an environment's directory pip, and return it."""
    target = f"{layout.home}/{name}"
    os.makedirs(target)
    plant(pip, target, layout)
    return target


def below(root: str) -> set[str]:
    return {
        os.path.relpath(f"{directory}/{name}", root)
        for directory, _, names in os.walk(root)
        for name in names
    }


def assert_like_new(root: str) -> None:
    """Every file below a directory has what the wheel has, and is nobody else's."""
    for name in NAMES:
        info = os.lstat(f"{root}/{name}")
        assert (stat.S_IMODE(info.st_mode), info.st_nlink) == (0o644, 1), name
        with open(f"{root}/{name}") as file:
            assert file.read() == f"this is {name}"
    for directory, _, _ in os.walk(root):
        assert stat.S_IMODE(os.stat(directory).st_mode) == 0o755, directory


@pytest.mark.parametrize("record", [NAMES, NAMES[:1], [*NAMES, "no/such"], None])
def test_every_file_is_copied_and_listed(
    pip: Seed, layout: Layout, record: list[str] | None
) -> None:
    wheel(os.path.dirname(pip.wheel), record)
    target = f"{layout.home}/site-packages"
    os.mkdir(target)
    listed = [line.partition(",")[0] for line in plant(pip, target, layout).splitlines()]
    assert sorted(listed) == sorted([*NAMES, RECORD])
    assert below(target) == set(NAMES), "RECORD is the environment's own"
    assert_like_new(target)
    before = os.stat(pip.path).st_ino
    planted(pip, layout, "another")
    assert os.stat(pip.path).st_ino == before, "it is unpacked once"


def test_with_a_pool_environments_share_what_is_in_the_wheel_and_never_with_the_seed(
    pip: Seed, layout: Layout
) -> None:
    texts = {name: f"this is {name}" for name in NAMES}
    lines = [f"{name},{recorded(text)}\n" for name, text in texts.items()]
    with zipfile.ZipFile(pip.wheel, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        archive.writestr(RECORD, "".join([*lines, f"{RECORD},,\n"]))
    places = []
    for name in ("a", "b", "c"):
        root = f"{layout.home}/{name}"
        os.makedirs(f"{root}/site-packages")
        pool = pool_for(root, layout, {"BUBBLE_SHARED_PACKAGES": "links"})
        assert pool is not None
        plant(pip, f"{root}/site-packages", layout, pool)
        pool.close()
        assert os.listdir(root) == ["site-packages"]
        places.append(f"{root}/site-packages")
    for name, text in texts.items():
        assert os.path.samefile(f"{places[1]}/{name}", f"{places[2]}/{name}")
        assert stat.S_IMODE(os.lstat(f"{places[2]}/{name}").st_mode) == 0o444
        assert os.lstat(f"{pip.path}/{name}").st_nlink == 1
        with open(f"{places[2]}/{name}") as file:
            assert file.read() == text
    assert not list(check_seeds(layout)[0].problems)


def test_no_environment_shares_a_file_with_another_or_with_the_seed(
    pip: Seed, layout: Layout
) -> None:
    places = [planted(pip, layout, name) for name in ("a", "b")]
    for name in NAMES:
        files = [os.stat(f"{root}/{name}").st_ino for root in (*places, pip.path)]
        assert len(set(files)) == 3, name


def test_modes_are_the_same_whatever_the_umask(pip: Seed, layout: Layout) -> None:
    os.makedirs(layout.seeds)
    for mask in (0o077, 0o000, 0o027):
        before = os.umask(mask)
        try:
            remake(pip, layout)
        finally:
            assert os.umask(before) == mask
        assert_like_new(pip.path)
    assert_like_new(planted(pip, layout))


def appended(path: str) -> None:
    with open(path, "a") as file:
        file.write("import evil\n")


def replaced(path: str) -> None:
    os.unlink(path)
    os.symlink("/etc/passwd", path)


def edited(path: str) -> None:
    with open(path, "r+b") as file:
        file.write(b"THIS")


# what somebody may do to a seed → whether a creation sees it, which reads nothing
DONE: dict[str, tuple[Callable[[str], object], bool]] = {
    "appended to": (appended, True),
    "made longer in place": (lambda path: os.truncate(path, 100), True),
    "linked by an older bubble or by hand": (lambda path: os.link(path, f"{path}c"), True),
    "made unreadable for others": (lambda path: os.chmod(path, 0o600), True),
    "made writable for others": (lambda path: os.chmod(path, 0o666), True),
    "deleted": (os.unlink, True),
    "replaced by a link": (replaced, True),
    "edited": (edited, False),
}


@pytest.mark.parametrize("done", DONE)
@pytest.mark.parametrize("name", NAMES)
def test_a_seed_that_is_not_as_it_was_unpacked_is_seen_and_unpacked_anew(
    pip: Seed, layout: Layout, done: str, name: str
) -> None:
    planted(pip, layout, "before")
    act, at_once = DONE[done]
    act(f"{pip.path}/{name}")
    [checked] = check_seeds(layout)
    assert name in {problem.path for problem in checked.problems}
    if at_once:
        assert_like_new(planted(pip, layout, "after"))
    else:
        remake(checked.seed, layout)
    assert_like_new(pip.path)
    [checked] = check_seeds(layout)
    assert checked.problems == ()
    assert os.listdir(layout.staging) == []


@ROOT_ONLY
def test_a_seed_that_belongs_to_somebody_else_in_part_is_unpacked_anew(
    pip: Seed, layout: Layout
) -> None:
    planted(pip, layout, "before")
    os.chown(f"{pip.path}/{NAMES[0]}", 65534, 65534)
    [checked] = check_seeds(layout)
    assert [(p.path, p.what) for p in checked.problems] == [(NAMES[0], "owner")]
    planted(pip, layout, "after")
    assert os.stat(f"{pip.path}/{NAMES[0]}").st_uid == 0


def test_a_seed_of_the_time_when_environments_had_links_to_it_is_unpacked_anew(
    pip: Seed, layout: Layout
) -> None:
    for name in NAMES:
        write(f"{pip.path}/{name}", "whatever its owner made of it\n")
    write(f"{pip.path}/{RECORD}", "".join(f"{name},,\n" for name in [*NAMES, RECORD]))
    [checked] = check_seeds(layout)
    assert [problem.path for problem in checked.problems] == [".bubble/manifest"]
    assert_like_new(planted(pip, layout))
    assert_like_new(pip.path)


def test_a_damaged_seed_that_nobody_bundles_any_more_is_thrown_away(
    pip: Seed, layout: Layout
) -> None:
    planted(pip, layout)
    os.unlink(f"{pip.path}/{NAMES[0]}")
    os.unlink(pip.wheel)
    [checked] = check_seeds(layout)
    assert checked.seed.wheel == ""
    remake(checked.seed, layout)
    assert check_seeds(layout) == []
    assert gc.plan(machine(layout), "/", ["seeds"]) == []


def test_without_seeds_there_is_nothing_to_check(layout: Layout) -> None:
    assert check_seeds(layout) == []


@LINUX_ONLY
def test_where_the_file_system_clones_files_it_does(
    pip: Seed, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloned: list[int] = []

    def ioctl(writing: int, _: int, reading: int) -> int:  # a double of Btrfs and XFS
        cloned.append(os.sendfile(writing, reading, 0, 1 << 20))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    assert_like_new(planted(pip, layout))
    assert len(cloned) == len(NAMES)


@LINUX_ONLY
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_where_the_kernel_can_not_copy_the_bytes_are_read_and_written(
    pip: Seed, layout: Layout, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    tried: list[object] = []

    def refuse(*arguments: object) -> int:
        tried.append(arguments)
        raise OSError(number, "not here")

    monkeypatch.setattr(os, "sendfile", refuse)
    assert_like_new(planted(pip, layout))
    assert len(tried) == 1, "once is enough to know"


@LINUX_ONLY
@pytest.mark.parametrize("call", ["ioctl", "sendfile"])
def test_a_disk_that_is_full_while_a_file_is_copied_is_told(
    pip: Seed, layout: Layout, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(fcntl if call == "ioctl" else os, call, full)
    with pytest.raises(OSError, match="no space left"):
        planted(pip, layout)


@pytest.mark.parametrize(
    "name", ["../x", "/x", "pip/../../x", "pip\\x", "pip/a,b", 'pip/"', "a\nb"]
)
def test_a_wheel_with_a_strange_name_is_no_pip(pip: Seed, layout: Layout, name: str) -> None:
    wheel(os.path.dirname(pip.wheel), None, [name])
    with pytest.raises(BubbleError) as caught:
        planted(pip, layout)
    assert caught.value.kind == "archive"
    assert os.listdir(layout.staging) == []
    assert below(f"{layout.home}/site-packages") == set()
