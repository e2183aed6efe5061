"""Garbage among rivals, other users and damage: what may be somebody's stays, the rest goes."""

from __future__ import annotations

import os
import shutil
import threading

import pytest

from bubble.envs.discarding import gc
from bubble.envs.kernel import SPEC, install_kernel, kernels
from bubble.envs.knowing import placing
from bubble.envs.knowing.users import uses
from bubble.selection import registry
from bubble.selection.facts import head_of
from support import handmade
from support.builds import small_mirror
from support.clinic import old
from support.handmade import environment, installation, machine, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


def memo(layout: Layout) -> str:
    return f"{head_of(layout)}\n/x\n\n.\n"


def planned(layout: Layout, kind: str, **env: str) -> list[str]:
    """Return the paths that would go."""
    found = gc.plan(machine(layout, {**os.environ, **env}), "/", [kind])
    assert {item.kind for item in found} <= {kind}
    return [item.path for item in found]


# creations that didn't come to their end


@pytest.fixture
def pending(layout: Layout) -> Environment:
    """Return what a creation prepared before it was killed; the environment isn't there."""
    found = environment(layout, "train")
    registry.forget(layout, found)
    registry.prepare(layout, found)
    shutil.rmtree(found.path)
    return found


def prepared(layout: Layout) -> list[Environment]:
    return [found for _, found in registry.all_unfinished(layout)]


def test_what_a_creation_prepared_in_vain_goes(layout: Layout, pending: Environment) -> None:
    assert prepared(layout) == [pending]
    found = gc.plan(machine(layout), "/", ["scratch"])
    assert [item.why for item in found] == ["a creation that didn't come to its end"]
    collected = gc.collect(found, machine(layout))
    assert (collected.kept, collected.errors) == ((), ())
    assert prepared(layout) == []


def test_what_a_creation_prepared_stays_until_its_environment_is_known(layout: Layout) -> None:
    made = environment(layout, "train")
    registry.forget(layout, made)
    registry.prepare(layout, made)
    assert planned(layout, "scratch") == []
    registry.register(layout, made)
    assert len(planned(layout, "scratch")) == 1


def test_a_creation_that_goes_on_keeps_what_it_prepared(
    layout: Layout, pending: Environment
) -> None:
    found = gc.plan(machine(layout), "/", ["scratch"])
    ready, done = threading.Event(), threading.Event()

    def create_again() -> None:
        with placing.lock(layout, pending.path):
            ready.set()
            done.wait(60)

    rival = threading.Thread(target=create_again)
    rival.start()
    try:
        assert ready.wait(60)
        assert planned(layout, "scratch") == []
        assert gc.collect(found, machine(layout)).errors == ()
    finally:
        done.set()
        rival.join()
    assert prepared(layout) == [pending]


def test_an_environment_that_got_its_place_since_the_plan_keeps_what_was_prepared(
    layout: Layout, pending: Environment
) -> None:
    found = gc.plan(machine(layout), "/", ["scratch"])
    made = environment(layout, "train")
    registry.forget(layout, made)
    registry.prepare(layout, made)
    gc.collect(found, machine(layout))
    assert prepared(layout) == [made]
    assert made != pending


# staging and temporary files


def test_young_staging_and_what_is_no_directory_stay(layout: Layout) -> None:
    os.makedirs(f"{layout.staging}/young.0")
    os.makedirs(f"{layout.staging}/grown.0")
    old(f"{layout.staging}/grown.0")
    old(write(f"{layout.staging}/file"))
    assert planned(layout, "scratch") == [f"{layout.staging}/grown.0"]


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        (".x.999999999.0a1b2c3d.tmp", True),
        (".x.99999999999999999999.tmp", True),
        (".x.0.tmp", True),
        (".x.tmp", True),
        (".x.ALIVE.0a1b2c3d.tmp", False),
        (".x.ALIVE.tmp", False),
    ],
)
def test_a_temporary_file_goes_when_its_writer_is_dead(
    layout: Layout, name: str, *, goes: bool
) -> None:
    name = name.replace("ALIVE", str(os.getpid()))
    path = old(write(f"{layout.home}/{name}"))
    assert planned(layout, "scratch") == [path] * goes


def test_a_temporary_file_of_another_users_process_stays(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old(write(f"{layout.home}/.x.4242.tmp"))

    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert planned(layout, "scratch") == []
    old(path, 7200)
    assert planned(layout, "scratch") == [path], "after an hour it is nobody's"


@pytest.mark.parametrize("look", [1, 2])
def test_a_temporary_file_that_goes_by_itself_is_no_failure(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    path = old(write(f"{layout.home}/.x.tmp"))
    looks = []
    lstat = os.lstat

    def late(at: str, **options: int) -> os.stat_result:
        looks.extend([at] * (at == path))
        if looks.count(path) == look and os.path.exists(path):
            os.unlink(path)
        return lstat(at, **options)

    monkeypatch.setattr(os, "lstat", late)
    found = gc.plan(machine(layout), "/", ["scratch"])
    assert [item.size for item in found] == ([] if look == 1 else [0])


def test_what_can_not_be_removed_is_told_and_the_other_kinds_go(layout: Layout) -> None:
    strange = f"{layout.home}/.x.tmp"
    os.makedirs(strange)
    old(strange)
    lost = environment(layout, "lost")
    shutil.rmtree(lost.path)
    collected = gc.collect(gc.plan(machine(layout), "/", ["scratch", "records"]), machine(layout))
    assert [item.path for item in collected.kept] == [strange]
    assert [item.path for item in collected.removed] == [lost.path]
    (error,) = collected.errors
    assert error.kind == "io"
    assert error.message.startswith(f"{strange}: ")
    assert "bubble gc" in error.hint


# links and memos


def test_an_interpreter_of_another_platform_has_no_minor_link(layout: Layout) -> None:
    installation(layout, "3.12.1", platform="macos-aarch64-none")
    installation(layout, "3.11.9")
    assert planned(layout, "links") == [f"{layout.pythons}/3.11"]


def test_a_memo_of_another_format_goes_and_ours_stays(layout: Layout, tmp_path: Path) -> None:
    ours = memo(layout)
    other, elsewhere = ours.replace("answer 3", "answer 4"), memo(layout.replace(home="/other"))
    texts = {"ours": ours, "other": other, "elsewhere": elsewhere, "older": "/x\n1 x\n\n"}
    for name, text in (*texts.items(), ("empty", "")):
        (tmp_path / name).mkdir()
        write(layout.answer(f"{tmp_path}/{name}"), text)
    asked = write(f"{layout.variable_answers}/3.11", "/x\n1 x\n\n")
    write(
        f"{layout.variable_answers}/answer", memo(layout)
    )  # an environment's name, no directory's
    assert sorted(planned(layout, "memos")) == sorted(
        [layout.answer(f"{tmp_path}/{n}") for n in ("other", "elsewhere", "older", "empty")]
        + [asked]
    )


def test_a_memo_stays_where_nobody_can_tell_whether_its_directory_is_gone(
    layout: Layout, tmp_path: Path
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    for directory in ("loop/project", "file/project"):
        write(layout.answer(f"{tmp_path}/{directory}"), memo(layout))
    assert planned(layout, "memos") == []


def test_a_shells_memo_that_goes_by_itself_is_no_failure(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = layout.variable_answers
    stale = write(f"{place}/3.10", "")
    path = write(f"{place}/3.11", memo(layout))
    listdir = os.listdir

    def late(at: str) -> list[str]:
        names = listdir(at)
        if at == place and os.path.exists(path):
            os.unlink(path)
        return names

    monkeypatch.setattr(os, "listdir", late)
    assert planned(layout, "memos") == [stale]


# records, kernels and seeds


def test_a_record_whose_environment_came_back_since_the_plan_stays(layout: Layout) -> None:
    lost = environment(layout, "lost")
    os.rename(lost.path, f"{layout.home}/away")
    found = gc.plan(machine(layout), "/", ["records"])
    assert [item.path for item in found] == [lost.path]
    os.rename(f"{layout.home}/away", lost.path)
    collected = gc.collect(found, machine(layout))
    assert [item.path for item in collected.kept] == [lost.path]
    assert registry.of_name(layout, "lost") == lost


def test_a_record_stays_while_a_clone_is_about_to_be_put_there(layout: Layout) -> None:
    lost = environment(layout, "lost")
    os.rename(lost.path, f"{layout.home}/away")
    found = gc.plan(machine(layout), "/", ["records"])
    with placing.lock(layout, lost.path):
        collected = gc.collect(found, machine(layout))
    assert (collected.errors, [item.path for item in collected.kept]) == ((), [lost.path])
    assert registry.of_name(layout, "lost") == lost
    gc.collect(found, machine(layout))
    assert registry.of_name(layout, "lost") is None


def test_of_two_kernels_the_one_goes_whose_environment_is_gone(
    layout: Layout, env: dict[str, str]
) -> None:
    for name in ("lost", "kept"):
        made = environment(layout, name)
        write(f"{made.path}/lib/python3.11/site-packages/ipykernel_launcher.py")
        install_kernel(made, env)
    shutil.rmtree(f"{layout.envs}/lost")
    found = gc.plan(machine(layout, env), "/", ["kernels"])
    assert len(gc.collect(found, machine(layout, env)).removed) == 1
    (left,) = kernels(layout, env)
    assert left.name == "kept"
    assert os.path.exists(f"{left.path}/{SPEC}")


def test_a_seed_without_modules_goes_and_one_that_an_interpreter_bundles_stays(
    layout: Layout,
) -> None:
    bundled = f"{installation(layout).prefix}/lib/python3.11/ensurepip/_bundled"
    write(f"{bundled}/setuptools-65.5.0-py3-none-any.whl")
    write(f"{bundled}/pip-24.0-py3-none-any.whl")
    for version in ("65.5.0", "24.0", "19.0"):
        write(f"{layout.seeds}/pip-{version}/pip/py.typed")
    gone = [f"{layout.seeds}/pip-{version}" for version in ("19.0", "65.5.0")]
    assert planned(layout, "seeds") == gone


# downloads and interpreters


def test_archives_stay_when_no_catalogue_can_be_read(layout: Layout, tmp_path: Path) -> None:
    path = write(f"{layout.downloads}/{'b' * 64}", "an archive")
    missing = str(tmp_path / "no-such.json")
    assert planned(layout, "downloads", BUBBLE_CATALOG=missing) == []
    other = small_mirror(str(tmp_path / "mirror"), ["3.12.1"])
    assert planned(layout, "downloads", BUBBLE_CATALOG=other) == [path]


def test_a_damaged_receipt_does_not_keep_archives(layout: Layout, tmp_path: Path) -> None:
    other = small_mirror(str(tmp_path / "mirror"), ["3.12.1"])
    made = installation(layout)
    path = write(f"{layout.downloads}/{'a' * 64}", "its archive")
    assert planned(layout, "downloads", BUBBLE_CATALOG=other) == []
    write(f"{made.prefix}/.bubble/receipt.json", "{")
    assert planned(layout, "downloads", BUBBLE_CATALOG=other) == [path]


def test_an_interpreter_that_is_used_since_the_plan_stays_and_one_that_went_is_no_failure(
    layout: Layout,
) -> None:
    for version in ("3.11.7", "3.11.8", "3.11.9"):
        installation(layout, version)
    found = gc.plan(machine(layout), "/", ["pythons"])
    used, gone = (layout.python(f"cpython-3.11.{n}-{handmade.PLATFORM}") for n in (8, 7))
    assert [item.path for item in found] == [used, gone]
    environment(layout, "train", prefix=used)
    shutil.rmtree(gone)
    collected = gc.collect(found, machine(layout))
    assert collected.errors == ()
    assert [item.path for item in collected.kept] == [used]
    assert os.path.exists(f"{used}/bin/python")


def test_a_directory_whose_choice_is_impossible_uses_nothing(
    layout: Layout, tmp_path: Path
) -> None:
    made = installation(layout)
    for name, text in (("impossible", "3.8.1\n"), ("possible", "3.11.9\n")):
        write(f"{tmp_path}/{name}/.python-version", text)
        write(layout.answer(f"{tmp_path}/{name}"), "/x\n1 x\n\n")
    used = {(use.key, use.who) for use in uses(machine(layout))}
    assert used == {(str(made.key), f"{tmp_path}/possible/.python-version")}


def test_a_system_without_proc_names_no_processes(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = environment(layout, "train", prefix=installation(layout).prefix)
    listdir = os.listdir

    def without(at: str) -> list[str]:
        if at == "/proc":
            raise FileNotFoundError(at)
        return listdir(at)

    monkeypatch.setattr(os, "listdir", without)
    assert {use.who for use in uses(machine(layout))} == {made.title}
