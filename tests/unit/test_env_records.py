"""Records and directories that don't agree: which environment is meant, and what is refused."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from bubble.envs.changing.registering import reregister
from bubble.envs.changing.rename import rename
from bubble.envs.changing.repair import find
from bubble.envs.discarding.remove import remove
from bubble.envs.knowing.describe import describe
from bubble.envs.knowing.inspect import look_at_all
from bubble.envs.knowing.locate import locate
from bubble.envs.knowing.pins import pins_of
from bubble.envs.making.adopt import adopt
from bubble.selection import registry
from bubble.system.layout import MARK
from bubble.system.pyvenv_cfg import read_configuration
from support.handmade import environment, installation, refused, world, write
from support.needs import LINUX_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


def states(layout: Layout, cwd: str = "/") -> dict[str, str]:
    return {s.environment.title: s.state for s in look_at_all(layout, cwd)}


# twins


@pytest.fixture
def twins(layout: Layout) -> tuple[Environment, Environment]:
    """Return two environments of one identity, both registered: a renaming was interrupted."""
    installation(layout)
    one = environment(layout, "one")
    two = one.replace(name="two", path=f"{layout.envs}/two")
    shutil.copytree(one.path, two.path, symlinks=True)
    registry.register(layout, two)
    return one, two


def test_each_of_two_twins_is_shown_as_the_others_copy(
    layout: Layout, twins: tuple[Environment, Environment]
) -> None:
    environment(layout, "single")
    found = {s.environment.name: (s.state, s.detail) for s in look_at_all(layout, "/")}
    assert found == {"one": ("copied", "two"), "two": ("copied", "one"), "single": ("ok", "")}
    shutil.rmtree(twins[1].path)
    assert states(layout) == {"one": "ok", "two": "missing", "single": "ok"}


def test_environments_of_other_tools_are_nobodys_twins(layout: Layout, tmp_path: Path) -> None:
    installation(layout)
    for name in ("a", "b"):
        environment(layout, path=f"{tmp_path}/{name}/.venv", maker="venv")
    assert set(states(layout).values()) == {"foreign"}


def test_an_interrupted_renaming_is_ended_by_the_same_command(
    layout: Layout, twins: tuple[Environment, Environment]
) -> None:
    one, two = twins
    assert rename(one, "two", layout) == two
    assert os.listdir(layout.envs) == ["two"]
    assert registry.environments(layout) == [two]


def test_an_interrupted_renaming_whose_old_one_is_gone_only_forgets_it(
    layout: Layout, twins: tuple[Environment, Environment]
) -> None:
    one, two = twins
    shutil.rmtree(one.path)
    assert rename(one, "two", layout, also=lambda *_: None) == two
    assert registry.environments(layout) == [two]


# renaming


def test_an_environment_that_bubble_did_not_make_is_not_renamed(
    layout: Layout, tmp_path: Path
) -> None:
    made = environment(layout, "theirs", path=f"{tmp_path}/theirs", maker="venv")
    error = refused(lambda: rename(made, "ours", layout))
    assert error.kind == "usage"
    assert error.message == f"theirs lies at {tmp_path}/theirs, where bubble didn't put it"
    assert error.hint == "bubble clone theirs ours"


def test_a_half_environment_is_not_renamed(layout: Layout) -> None:
    installation(layout)
    made = environment(layout, "train")
    os.unlink(f"{made.path}/bin/python")
    error = refused(lambda: rename(made, "other", layout))
    assert (error.kind, error.message) == ("environment", "train is not whole: broken")
    assert error.hint == "mend it: bubble repair train"
    assert os.listdir(layout.envs) == ["train"]


def test_a_new_name_whose_place_another_one_took_is_refused(
    layout: Layout, twins: tuple[Environment, Environment]
) -> None:
    one, two = twins
    write(f"{two.path}/{MARK}", "another one's\n")
    error = refused(lambda: rename(one, "two", layout))
    assert (error.kind, error.message) == ("in_use", "two is there already")
    assert os.path.exists(f"{one.path}/{MARK}")
    assert os.path.exists(f"{two.path}/{MARK}")


def test_an_environment_behind_a_link_is_not_renamed(layout: Layout, tmp_path: Path) -> None:
    installation(layout)
    made = environment(layout, "train")
    os.rename(made.path, tmp_path / "away")
    os.symlink(tmp_path / "away", made.path)
    error = refused(lambda: rename(made, "other", layout))
    assert (error.kind, error.hint) == ("store", "remove the link by hand")
    assert os.listdir(layout.envs) == ["train"]
    assert registry.environments(layout) == [made]


# adopting


def test_a_project_environment_that_gets_a_name_is_known_by_that_alone(
    layout: Layout, tmp_path: Path
) -> None:
    installation(layout)
    made = environment(layout, path=f"{tmp_path}/site/.venv", maker="venv")
    named = adopt(f"{tmp_path}/site", "/", layout, name="site")
    assert registry.environments(layout) == [named]
    assert (named.name, named.project, named.path) == ("site", "", made.path)
    again = adopt(f"{tmp_path}/site", "/", layout)
    fresh = named.replace(identity=again.identity, inode=again.inode)
    assert again == fresh, "it keeps its name"


def test_a_second_path_to_an_adopted_one_is_the_same_environment(
    layout: Layout, tmp_path: Path
) -> None:
    installation(layout)
    first = environment(layout, path=f"{tmp_path}/site/.venv", maker="venv")
    os.symlink(f"{tmp_path}/site", f"{tmp_path}/link")
    second = adopt(f"{tmp_path}/link", "/", layout)
    assert second.path == first.path
    assert registry.environments(layout) == [second]


def test_an_interpreter_outside_the_store_is_named_by_its_own_prefix(
    layout: Layout, tmp_path: Path
) -> None:
    prefix = str(tmp_path / "python")
    write(f"{prefix}/bin/python3.11")
    environment(layout, path=f"{tmp_path}/site/.venv", maker="venv", prefix=prefix)
    assert not os.path.exists(layout.pythons)
    assert adopt(f"{tmp_path}/site", "/", layout).interpreter == prefix


def test_a_configuration_without_an_absolute_home_names_no_interpreter(
    layout: Layout, tmp_path: Path
) -> None:
    made = environment(layout, path=f"{tmp_path}/site/.venv", maker="venv", prefix="/usr")
    os.unlink(f"{made.path}/bin/python")
    write(f"{made.path}/bin/python")
    for text in ("home = sub/bin\n", "version = 3.11.9\n"):
        write(f"{made.path}/pyvenv.cfg", text)
        assert adopt(f"{tmp_path}/site", "/", layout).interpreter == ""


# which one is meant


def test_a_path_below_an_environment_means_none(layout: Layout, tmp_path: Path) -> None:
    made = environment(layout, path=f"{tmp_path}/site/.venv")
    assert locate(f"{tmp_path}/site", "/", layout) == made
    assert locate("", f"{tmp_path}/site", layout) == made
    error = refused(lambda: locate(f"{made.path}/bin", "/", layout))
    assert error.message == f"there is no environment at {made.path}/bin"


def test_a_directory_without_an_environment_is_told_how_to_get_one(layout: Layout) -> None:
    error = refused(lambda: locate("", "/nonexistent", layout))
    assert error.message == "no environment belongs to /nonexistent"
    assert "bubble create" in error.hint
    assert "which was deleted" in refused(lambda: locate("", "", layout)).message


def test_nobody_is_waited_for_in_a_store_that_can_not_be_written(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = environment(layout, "train")
    registry.forget(layout, made)
    from bubble.envs.knowing import placing

    write(placing.lock(layout, made.path).path)
    opened = os.open

    def read_only(path: str, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, "read-only file system", path)
        return opened(path, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", read_only)
    error = refused(lambda: locate("train", "/", layout))
    assert error.hint == f"bubble repair {made.path}"


@pytest.mark.parametrize("nested", ["", "/src/deep"])
def test_the_environment_to_repair_is_the_nearest_that_is_there(
    layout: Layout, tmp_path: Path, nested: str
) -> None:
    directory = f"{tmp_path}/site"
    os.makedirs(f"{directory}{nested}", exist_ok=True)
    made = environment(layout, path=f"{directory}/.venv")
    assert find("", f"{directory}{nested}", layout) == made.path
    registry.forget(layout, made)
    assert find("", f"{directory}{nested}", layout) == made.path
    registry.register(layout, made)
    shutil.rmtree(made.path)
    error = refused(lambda: find("", directory, layout))
    assert error.message == f"{made.path} is gone"
    assert error.hint.endswith(f"bubble remove {made.path}")


def test_one_without_its_configuration_is_still_the_one_to_repair(
    layout: Layout, tmp_path: Path
) -> None:
    made = environment(layout, path=f"{tmp_path}/site/.venv")
    os.unlink(f"{made.path}/pyvenv.cfg")
    assert find(f"{tmp_path}/site", "/", layout) == made.path
    assert find("", f"{tmp_path}/site", layout) == made.path


def test_of_several_that_moved_the_one_that_is_asked_for_is_found(layout: Layout) -> None:
    for name in ("one", "two"):
        environment(layout, name)
        os.rename(f"{layout.envs}/{name}", f"{layout.envs}/{name}-moved")
    assert find("two", "/", layout) == f"{layout.envs}/two-moved"
    shutil.rmtree(f"{layout.envs}/two-moved")
    assert refused(lambda: find("two", "/", layout)).hint.endswith("bubble remove two")


def test_a_stray_directory_in_the_store_is_no_environment(layout: Layout) -> None:
    environment(layout, "train")
    os.makedirs(f"{layout.envs}/notes")
    assert states(layout).keys() == {"train"}


def test_one_seen_through_a_link_is_listed_once(layout: Layout, tmp_path: Path) -> None:
    environment(layout, path=f"{tmp_path}/site/.venv")
    os.symlink(f"{tmp_path}/site", f"{tmp_path}/link")
    assert list(states(layout, f"{tmp_path}/link")) == [f"{tmp_path}/site/.venv"]


# removing


def test_a_link_and_another_ones_directory_are_left_alone(layout: Layout, canary: str) -> None:
    made = environment(layout, "train")
    os.rename(made.path, f"{layout.envs}/away")
    os.symlink(canary, made.path)
    assert refused(lambda: remove(made, layout)).hint == "remove the link by hand"
    os.unlink(made.path)
    write(f"{made.path}/{MARK}", "another one's\n")
    error = refused(lambda: remove(made, layout))
    assert error.message == f"{made.path} is not the environment that was registered there"
    assert os.path.exists(f"{made.path}/{MARK}")
    assert registry.environments(layout) == [made]


def test_a_removal_without_more_to_do_removes(layout: Layout) -> None:
    made = environment(layout, "train")
    assert remove(made, layout)
    assert not os.path.lexists(made.path)
    assert not remove(made, layout)
    assert registry.environments(layout) == []


# what is told


@LINUX_ONLY
def test_somebody_elses_configuration_is_read_without_hiding_that(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = environment(layout, "train")
    opened = os.open

    def guarded(path: str, flags: int, *rest: int) -> int:
        if flags & os.O_NOATIME:  # which the owner alone may ask for
            raise PermissionError(errno.EPERM, "not permitted", path)
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", guarded)
    assert read_configuration(made.path)["version_info"] == "3.11.9"


def test_a_configuration_that_is_a_directory_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").mkdir()
    assert read_configuration(str(tmp_path)) == {}


def test_a_file_of_two_names_counts_once_and_as_shared_when_one_is_elsewhere(
    layout: Layout, tmp_path: Path
) -> None:
    made = environment(layout, "train")
    before = describe(made, layout)
    packages = f"{made.path}/lib/python3.11/site-packages"
    write(f"{packages}/inside", "x" * 100_000)
    os.link(f"{packages}/inside", f"{packages}/again")
    inside = describe(made, layout)
    each = os.stat(f"{packages}/inside").st_blocks * 512
    assert (inside.size - before.size, inside.shared) == (each, 0)
    os.link(f"{packages}/inside", f"{tmp_path}/elsewhere")
    assert (describe(made, layout).size, describe(made, layout).shared) == (inside.size, each)


def test_a_file_that_goes_while_it_is_measured_is_no_failure(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = environment(layout, "train")
    size = describe(made, layout).size
    path = write(f"{made.path}/lib/passing", "x" * 10_000)
    lstat = os.lstat

    def late(at: str, **options: int) -> os.stat_result:
        if at == "passing" and os.path.exists(path):  # by the descriptor of its directory
            os.unlink(path)
        return lstat(at, **options)

    monkeypatch.setattr(os, "lstat", late)
    assert describe(made, layout).size == size


def test_a_version_file_that_can_not_be_read_names_nothing(layout: Layout, tmp_path: Path) -> None:
    environment(layout, "train")
    (tmp_path / "above" / "below").mkdir(parents=True)
    write(f"{tmp_path}/above/.python-version", "train\n")
    (tmp_path / "above" / "below" / ".python-version").symlink_to(".python-version")
    (pin,) = pins_of("train", world(layout, f"{tmp_path}/above/below"))
    assert pin.where == f"{tmp_path}/above/.python-version"


def test_what_only_has_to_be_told_from_its_original_keeps_its_record(
    layout: Layout, twins: tuple[Environment, Environment]
) -> None:
    _, two = twins
    settled, done = reregister(two.path, layout)
    assert settled.identity not in {"", two.identity}
    assert done == (
        f"rewrote the paths in it, which said {layout.envs}/one",
        "told it from one, of which it is a copy",
        "registered it as two",
    )
    assert states(layout) == {"one": "ok", "two": "ok"}
