"""Making and relinking environments where something is odd, missing or in the way."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile

import pytest

from bubble.envs.changing.registering import reregister
from bubble.envs.changing.reinterpret import Choice, make_again, relink
from bubble.envs.knowing import placing
from bubble.envs.knowing.inspect import look_at
from bubble.envs.knowing.users import ending
from bubble.envs.making import seed
from bubble.envs.making.create import base_of, build
from bubble.envs.making.make import Plan, make
from bubble.model.version import Version
from bubble.pythons.installed import pip_wheels
from bubble.selection import registry
from bubble.system.files import sha256_of
from bubble.system.layout import MARK
from bubble.system.lock import Lock
from bubble.system.pyvenv_cfg import read_configuration
from support.handmade import environment, installation, machine, refused, world, write
from support.needs import LINUX_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.pythons.installed.store import Installation
    from bubble.system.layout import Layout


# making


@pytest.mark.parametrize(
    ("name", "version", "platform", "names", "lib64"),
    [
        ("cpython", "3.11.9", "linux-x86_64-gnu", {"python3.11"}, True),
        ("cpython", "3.13.1+freethreaded", "linux-x86_64-gnu", {"python3.13", "python3.13t"}, True),
        ("cpython", "3.14.1+debug", "linux-x86_64-gnu", {"python3.14", "python3.14d"}, True),
        ("cpython", "3.11.9", "macos-aarch64-none", {"python3.11"}, False),
        ("pypy", "3.10.14", "linux-x86_64-gnu", {"python3.10", "pypy", "pypy3", "pypy3.10"}, True),
    ],
)
def test_an_environment_has_the_names_that_its_interpreter_has(
    layout: Layout,
    tmp_path: Path,
    name: str,
    version: str,
    platform: str,
    names: set[str],
    *,
    lib64: bool,
) -> None:
    made = installation(layout, version, platform=platform, name=name)
    base = base_of(made, exact=False)
    root = f"{tmp_path}/root"
    build(root, "/there", base, prompt="there", identity="x")
    links = {n for n in os.listdir(f"{root}/bin") if os.path.islink(f"{root}/bin/{n}")}
    assert links == {"python", "python3", *names}
    assert {os.path.realpath(f"{root}/bin/{link}") for link in links} == {
        os.path.realpath(made.executable)
    }
    assert os.path.lexists(f"{root}/lib64") == lib64


def test_an_interpreter_without_its_full_name_is_linked_by_the_short_one(layout: Layout) -> None:
    made = installation(layout)
    os.rename(f"{made.prefix}/bin/python3.11", f"{made.prefix}/bin/python3.11-real")
    assert base_of(made, exact=True).executable == f"{made.prefix}/bin/python"


def test_an_interpreter_that_went_meanwhile_gets_no_environment(layout: Layout) -> None:
    made = installation(layout)
    plan = Plan(
        path=f"{layout.envs}/train", name="train", installation=made, request="3.11", pip=False
    )
    os.unlink(made.executable)
    error = refused(lambda: make(plan, world(layout)))
    assert (error.kind, error.message) == ("not_installed", "cpython-3.11.9 was removed meanwhile")
    assert not os.path.exists(plan.path)
    assert registry.environments(layout) == registry.all_unfinished(layout) == []


@pytest.mark.parametrize("adoptable", [False, True])
def test_what_is_in_the_way_is_told_with_what_can_be_done_about_it(
    layout: Layout, tmp_path: Path, *, adoptable: bool
) -> None:
    made = installation(layout)
    path = f"{tmp_path}/site/.venv"
    write(f"{path}/pyvenv.cfg", f"home = {made.prefix}/bin\n")
    if adoptable:
        os.mkdir(f"{path}/bin")
        os.symlink(made.executable, f"{path}/bin/python")
    plan = Plan(
        path=path, project=f"{tmp_path}/site", installation=made, request="3.11", force=True
    )
    error = refused(lambda: make(plan, world(layout)))
    assert error.kind == "in_use"
    expected = f"bubble adopt {path}" if adoptable else "move it away, then: bubble create"
    assert error.hint.endswith(expected)
    assert os.listdir(f"{tmp_path}/site") == [".venv"]


def test_a_build_without_blake2_of_its_own_takes_the_same_lock(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = placing.lock(layout, "/some/where").path
    monkeypatch.setitem(sys.modules, "_blake2", None)
    assert placing.lock(layout, "/some/where").path == usual


@LINUX_ONLY
def test_nothing_is_thrown_away_in_which_something_is_mounted() -> None:
    error = refused(lambda: placing.require_unmounted("/proc"))  # "/" may be a chroot
    assert error.kind == "store"
    assert error.message.endswith("is mounted, and would be thrown away")
    assert error.hint.startswith("umount /proc")
    placing.require_unmounted("/proc/self/task")


# pip


@pytest.fixture
def bundled(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that lets the one installed interpreter bundle a pip of a version."""
    monkeypatch.setattr(pip_wheels, "DISTRIBUTIONS", f"{tmp_path}/no-wheels")
    monkeypatch.setattr(pip_wheels, "KNOWN", {})  # they are no pips
    prefix = installation(layout).prefix

    def bundle(version: str) -> None:
        directory = f"{prefix}/lib/python3.11/ensurepip/_bundled"
        os.makedirs(directory, exist_ok=True)
        with zipfile.ZipFile(f"{directory}/pip-{version}-py3-none-any.whl", "w") as archive:
            archive.mkdir("pip")
            archive.writestr("pip/__init__.py", f"{version}\n")
            archive.writestr(f"pip-{version}.dist-info/METADATA", "Name: pip\n")

    return bundle


def test_without_a_pip_that_runs_on_it_a_python_gets_none(
    layout: Layout, bundled: Callable[..., None]
) -> None:
    old = Version.parse("3.8.20")
    for version in ("", "25.1"):  # none at all, and one that is too new for it
        if version:
            bundled(version)
        error = refused(lambda: seed.pip_seed(layout, old))
        assert error.kind == "unavailable"
        assert error.message == "no installed Python bundles a pip that runs on 3.8.20"
        assert error.hint.endswith("bubble create --no-pip")


@pytest.mark.parametrize(
    ("python", "pip"),
    [("3.6.15", "21.3.1"), ("3.7.9", "24.0"), ("3.8.20", "24.1"), ("3.11.9", "25.1")],
)
def test_a_python_gets_the_newest_pip_that_runs_on_it(
    layout: Layout, bundled: Callable[..., None], python: str, pip: str
) -> None:
    for version in ("21.3.1", "24.0", "24.1", "25.1"):
        bundled(version)
    found = seed.pip_seed(layout, Version.parse(python))
    assert found.version == pip
    target = f"{layout.home}/site-packages"
    os.mkdir(target)
    seed.plant(found, target, layout)
    with open(f"{target}/pip/__init__.py") as file:
        assert file.read() == f"{pip}\n"
    with open(f"{found.path}/{found.metadata}/RECORD") as file:
        listed = [line.partition(",")[0] for line in file]
    assert sorted(listed) == sorted(
        ["pip/__init__.py", f"{found.metadata}/METADATA", f"{found.metadata}/RECORD"]
    )


def test_the_pip_of_all_environments_is_upstreams_a_distributions_only_where_there_is_no_other(
    layout: Layout,
    tmp_path: Path,
    bundled: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = Version.parse("3.11.9")
    distributions = f"{tmp_path}/no-wheels"
    os.mkdir(distributions)
    bundled("23.0.1")
    theirs = f"{layout.python('')}"  # the installation's, moved to where a distribution has its own
    (wheel,) = pip_wheels.bundled(layout)
    assert wheel.path.startswith(theirs)
    os.rename(wheel.path, f"{distributions}/{os.path.basename(wheel.path)}")
    found = seed.pip_seed(layout, python)
    assert (found.version, found.is_distributions) == ("23.0.1", True)
    os.makedirs(f"{layout.home}/first")
    seed.plant(found, f"{layout.home}/first", layout)
    bundled("22.0.4")  # upstream's, if older
    (ours, _) = pip_wheels.bundled(layout)
    monkeypatch.setattr(pip_wheels, "KNOWN", {"22.0.4": sha256_of(ours.path), "23.0.1": "0" * 64})
    found = seed.pip_seed(layout, python)
    assert (found.version, found.is_distributions) == ("22.0.4", False)
    os.makedirs(f"{layout.home}/second")
    seed.plant(found, f"{layout.home}/second", layout)
    checked = {os.path.basename(c.seed.path): c for c in seed.check_seeds(layout)}
    assert set(checked) == {"pip-22.0.4", "pip-23.0.1.system"}
    assert all(c.seed.wheel and not c.problems for c in checked.values())


def test_a_seed_that_an_older_bubble_made_of_a_distributions_pip_is_made_anew(
    layout: Layout, bundled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled("23.0.1")
    python = Version.parse("3.11.9")
    os.makedirs(f"{layout.home}/before")
    found = seed.pip_seed(layout, python)
    seed.plant(found, f"{layout.home}/before", layout)
    with open(f"{found.path}/pip/__init__.py", "w") as file:
        file.write("DEBIAN\n")  # of the same length, by chance
    os.unlink(f"{found.path}/.bubble/wheel")
    (wheel,) = pip_wheels.bundled(layout)
    monkeypatch.setattr(pip_wheels, "KNOWN", {"23.0.1": sha256_of(wheel.path)})
    os.makedirs(f"{layout.home}/after")
    seed.plant(seed.pip_seed(layout, python), f"{layout.home}/after", layout)
    with open(f"{layout.home}/after/pip/__init__.py") as file:
        assert file.read() == "23.0.1\n"


def test_a_pip_that_another_process_unpacked_meanwhile_is_taken(
    layout: Layout, bundled: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled("25.1")
    enter = Lock.__enter__

    found = seed.pip_seed(layout, Version.parse("3.11.9"))
    theirs: list[int] = []

    def late(lock: Lock) -> Lock:
        if lock.path.endswith("/seeds") and not lock.shared and not theirs:
            theirs.append(0)
            seed.remake(found, layout)
            theirs.append(os.stat(found.path).st_ino)
        return enter(lock)

    monkeypatch.setattr(Lock, "__enter__", late)
    os.mkdir(f"{layout.home}/site-packages")
    seed.plant(found, f"{layout.home}/site-packages", layout)
    assert theirs[1:] == [os.stat(found.path).st_ino]
    assert os.listdir(layout.staging) == []


# another interpreter


def test_one_that_lost_its_names_and_its_home_gets_them_back(layout: Layout) -> None:
    made = environment(layout, "train", prefix="/gone")
    write(f"{made.path}/pyvenv.cfg", "prompt = chosen\n")
    shutil.rmtree(f"{made.path}/bin")
    now = installation(layout)
    base = base_of(now, exact=True)
    new = relink(made, base, world(layout))
    assert new == made.replace(interpreter=now.prefix)
    assert registry.environments(layout) == [new]
    assert read_configuration(made.path) == {
        "home": base.home,
        "version_info": "3.11.9",
        "prompt": "chosen",
    }
    assert {n: os.readlink(f"{made.path}/bin/{n}") for n in os.listdir(f"{made.path}/bin")} == {
        "python": base.executable,
        "python3": "python",
        "python3.11": "python",
    }
    assert look_at(new, layout).state == "ok"


def test_only_its_maker_can_make_another_tools_environment_anew(
    layout: Layout, tmp_path: Path
) -> None:
    made = environment(layout, path=f"{tmp_path}/site/.venv", maker="poetry")
    now = installation(layout, "3.12.1")
    choice = Choice(installation=now, exact=False, base=base_of(now, exact=False))
    error = refused(lambda: make_again(made, choice, world(layout), installer="", show=False))
    assert error.kind == "environment"
    assert error.message.endswith("needs another minor version, and poetry made it")
    assert "poetry" in error.hint
    assert os.path.exists(f"{made.path}/pyvenv.cfg")


def test_scripts_that_name_another_place_are_all_that_is_set_right(layout: Layout) -> None:
    made = environment(layout, "train")
    write(f"{made.path}/bin/activate", "VIRTUAL_ENV='/elsewhere/train'\n")
    settled, done = reregister(made.path, layout)
    assert settled == made
    assert done == ("rewrote the paths in it, which said /elsewhere/train",)
    with open(f"{made.path}/bin/activate") as file:
        assert file.read() == f"VIRTUAL_ENV='{made.path}'\n"
    assert reregister(made.path, layout) == (made, ())


def test_an_interpreter_that_goes_breaks_those_that_have_no_other(layout: Layout) -> None:
    old, new = (installation(layout, version) for version in ("3.11.8", "3.11.9"))
    minor = f"{layout.pythons}/3.11"
    os.symlink(os.path.basename(new.prefix), minor)
    following = [environment(layout, name, prefix=minor) for name in ("a", "b")]
    bound = environment(layout, "bound", prefix=new.prefix)

    def broken(*leaving: Installation) -> list[str]:
        return list(dict.fromkeys(use.who for use in ending(leaving, machine(layout))))

    assert broken(new) == [bound.name]
    assert broken(old) == []
    assert broken(old, new) == [*(e.name for e in following), bound.name], "together"
    shutil.rmtree(old.prefix)
    assert broken(new) == [*(e.name for e in following), bound.name]


def test_a_minor_link_that_names_no_build_makes_nothing_outdated(layout: Layout) -> None:
    made = environment(layout, "train", prefix=installation(layout).prefix)
    os.symlink("cpython-new", f"{layout.pythons}/3.11")
    assert (look_at(made, layout).state, look_at(made, layout).detail) == ("ok", "")
    assert os.path.exists(f"{made.path}/{MARK}")
