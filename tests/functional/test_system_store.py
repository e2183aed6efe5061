"""The store that an administrator keeps for everybody, below a user's own: used, never changed."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from bubble.cli.table import COMMANDS
from support.builds import small_mirror
from support.clinic import write
from support.everybodys import SPECS, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def place(tmp_path: Path, bubble: Callable[..., Result], env: dict[str, str]) -> Iterator[Place]:
    place = Place(tmp_path, bubble, env)
    yield place
    assert place.seen() == place.before, "something of a user's was written into the system's store"


def test_what_the_system_has_is_found_listed_and_used(place: Place) -> None:
    system = f"{place.system}/pythons"
    assert place.out("python", "find", "3.12") == f"{system}/3.12/bin/python"
    assert place.out("python", "find") == f"{system}/3.12/bin/python"
    rows = json.loads(place.out("python", "list", "--installed", "--json"))["data"]
    assert [(r["version"], r["system"]) for r in rows] == [("3.12.1", True), ("3.11.9", True)]
    assert f"of the system, {place.system}" in place.out("python", "list", "--installed")
    here = place.directory("here", "3.11")
    assert place.out("which", "python", cwd=here) == f"{system}/3.11/bin/python"
    assert place.out("exec", "python", "-V", cwd=here) == "Python 3.11.9"
    assert place.out("exec", "-p", "3.12", "python", "-V") == "Python 3.12.1"
    assert place.out("python", "install", "3.11") == (
        f"{system}/cpython-3.11.9-linux-x86_64-gnu/bin/python"
    )
    assert not os.path.exists(f"{place.home}/pythons/3.11")


def test_an_environment_is_made_of_what_the_system_has_and_follows_it(place: Place) -> None:
    path = place.out("create", "--no-pip", "-p", "3.12", cwd=place.directory("app", "3.12"))
    assert os.readlink(f"{path}/bin/python").startswith(f"{place.system}/pythons/3.12/bin/")
    app = os.path.dirname(path)
    assert place.out("which", "python", cwd=app) == f"{path}/bin/python"
    listed = json.loads(place.out("list", "--json"))["data"]
    assert {(r["path"], r["state"], r["system"]) for r in listed} == {
        (path, "ok", False),
        (f"{place.system}/envs/lab", "ok", True),
    }
    place.administrator("python", "upgrade", "3.12", "--prune")
    place.before = place.seen()
    assert place.out("run", path, "python", "-V", cwd=app) == "Python 3.12.4"
    assert place.out("exec", "python", "-V", cwd=app) == "Python 3.12.4"


def test_the_higher_version_wins_and_at_an_equal_one_the_users_own(place: Place) -> None:
    own = f"{place.home}/pythons"
    place.out("python", "install", "3.11.4")
    assert place.out("python", "find", "3.11") == f"{place.system}/pythons/3.11/bin/python"
    key = "cpython-3.11.9-linux-x86_64-gnu"
    installed = place.out("python", "install", "--reinstall", "3.11.9")
    assert installed == f"{own}/{key}/bin/python"
    assert place.out("python", "find", "3.11") == f"{own}/3.11/bin/python"
    place.out("python", "uninstall", "3.11.9")
    assert place.out("python", "find", "3.11") == f"{place.system}/pythons/3.11/bin/python"
    assert (
        place.out("python", "find", "3.11.4") == f"{own}/cpython-3.11.4-linux-x86_64-gnu/bin/python"
    )


def test_an_upgrade_brings_what_the_system_hasnt_and_is_done_when_it_has_it(place: Place) -> None:
    place.administrator("python", "install", "3.13")
    place.before = place.seen()
    assert place.out("python", "install", "--upgrade", "3.13").startswith(place.system)
    assert place.out("python", "install", "--upgrade", "3.12").startswith(place.home)


def test_an_environment_of_the_systems_is_anybodys_to_use_by_its_name(place: Place) -> None:
    lab = f"{place.system}/envs/lab"
    here = place.directory("here", "lab")
    assert place.out("run", "lab", "labtool") == "of the lab"
    assert place.out("which", "python", cwd=here) == f"{lab}/bin/python"
    assert place.out("exec", "-p", "lab", "labtool") == "of the lab"
    assert place.out("exec", "labtool", cwd=here) == "of the lab"
    assert json.loads(place.out("info", "lab", "--json"))["data"]["system"] is True
    assert place.out("run", lab, "labtool") == "of the lab"
    own = place.out("create", "lab", "-p", "3.11", "--no-pip")
    assert own == f"{place.home}/envs/lab"
    assert place.out("which", "python", cwd=here) == f"{own}/bin/python"
    place.out("remove", "lab")
    assert place.out("which", "python", cwd=here) == f"{lab}/bin/python"


# a command line → the environments' and Pythons' way to it; each changes what isn't this user's
REFUSED = (
    "python uninstall 3.12",
    "python uninstall --force --yes 3.11.9",
    "python upgrade 3.11",
    "python upgrade 3.11 --prune",
    "remove lab",
    "remove --yes {system}/envs/lab",
    "rename lab mine",
    "rename {system}/envs/lab mine",
    "repair lab",
    "repair {system}/envs/lab",
    "adopt {system}/envs/lab",
    "adopt {system}/envs/lab --name mine",
    "clone lab {system}/envs/mine",
)


def test_what_is_the_systems_is_refused_with_whose_it_is(place: Place) -> None:
    for line in REFUSED:
        done = place.run(*line.format(system=place.system).split(), "--json")
        document = json.loads(done.out)
        error = document.get("error") or document["errors"][0]
        assert (done.status, error["kind"]) == (1, "permission"), (line, done.out)
        assert f"the system's store, {place.system}" in error["message"], line
        assert error["hint"]
        assert place.seen() == place.before, line


# what runs over everything: it does its work, and that isn't the system's
HARMLESS = (
    "gc --yes",
    "doctor --fix",
    "python verify --repair",
    "python upgrade --prune",
    "rehash",
    "cache prune",
    "use --global 3.12",
    "python list",
    "list --size",
    "clone lab mine",
    "kernel list",
    "explain",
    "current",
    "whence python",
    "self uninstall --yes",
)


def test_what_runs_over_everything_leaves_the_systems_store_alone(place: Place) -> None:
    place.out("create", "own", "-p", "3.12", "--no-pip")
    here = place.directory("here", "3.12")
    for line in HARMLESS:
        done = place.run(*line.split(), cwd=here)
        assert done.status == 0, (line, done.err)
        assert place.seen() == place.before, line


def test_a_damaged_python_of_the_systems_is_told_and_not_mended(place: Place) -> None:
    os.unlink(f"{place.system}/pythons/3.12/lib/python3.12/os.py")  # which is read-only
    write(f"{place.system}/pythons/3.12/lib/python3.12/os.py", "broken\n")
    place.before = place.seen()
    assert "damaged" in place.run("python", "verify", "3.12").err
    done = place.run("python", "verify", "--repair", "3.12")
    assert done.status == 1
    assert f"the system's store, {place.system}" in done.err


def test_a_store_that_comes_goes_or_changes_is_noticed_by_the_shim(place: Place) -> None:
    """Nothing of this user's runs in between: what a shim remembers must be recognised as old."""
    place.out("python", "install", "3.11.4", "3.12.1", "--reinstall")
    here = place.directory("here", "3.11")

    def python(**said: str) -> str:
        import subprocess

        env = {**place.env, **place.said, **said, "PWD": here}
        done = subprocess.run(
            [f"{place.home}/shims/python", "-V"],
            cwd=here,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.removesuffix("\n") or done.stderr

    for _ in range(2):
        assert python() == "Python 3.11.9"
        assert python(BUBBLE_SYSTEM_HOME="none") == "Python 3.11.4"
    place.administrator("python", "uninstall", "3.11.9")
    assert python() == "Python 3.11.4"
    place.administrator("python", "install", "3.11.9")
    assert python() == "Python 3.11.9"
    os.rename(place.system, f"{place.system}.away")
    assert python() == "Python 3.11.4"
    os.rename(f"{place.system}.away", place.system)
    assert python() == "Python 3.11.9"
    shutil.rmtree(f"{place.system}/requests")
    assert python() == "Python 3.11.9"
    assert python() == "Python 3.11.9"
    place.before = place.seen()


def test_a_new_command_of_the_systems_gets_its_shim_when_a_shim_asks(place: Place) -> None:
    import subprocess

    here = place.directory("here", "3.12")
    place.out("rehash")
    shims = f"{place.home}/shims"
    assert "python3.12" in os.listdir(shims)
    for words, name in (
        (("python", "install", "3.13"), "python3.13"),
        (("create", "more", "-p", "3.13", "--no-pip"), "moretool"),
    ):
        place.administrator(*words)
        if name == "moretool":
            tool = f"{place.system}/envs/more/bin/moretool"
            write(tool, "#!/bin/sh\n")
            os.chmod(tool, 0o755)
            write(f"{here}/.python-version", "3.11\n")
        assert name not in os.listdir(shims)
        subprocess.run(
            [f"{shims}/python", "-V"],
            cwd=here,
            env={**place.env, **place.said, "PWD": here},
            check=True,
        )
        assert name in os.listdir(shims)
    place.before = place.seen()


def test_a_store_of_a_newer_bubble_is_refused_and_not_passed_over(place: Place) -> None:
    os.unlink(f"{place.system}/format")
    os.symlink("99", f"{place.system}/format")
    place.before = place.seen()
    done = place.run("python", "find", "3.12")
    assert done.status == 1
    assert "of a newer bubble" in done.err


def test_a_variable_that_is_no_path_is_said(place: Place) -> None:
    done = place.run("python", "find", "3.12", BUBBLE_SYSTEM_HOME="somewhere")
    assert done.status == 2
    assert "BUBBLE_SYSTEM_HOME must be an absolute path" in done.err


def test_an_administrators_modes_dont_depend_on_the_umask(
    tmp_path: Path, bubble: Callable[..., Result], env: dict[str, str]
) -> None:
    system = f"{tmp_path}/srv/everybodys"
    said = {
        "BUBBLE_CATALOG": small_mirror(f"{tmp_path}/mirror", SPECS),
        "BUBBLE_SYSTEM_HOME": system,
    }
    before = os.umask(0o077)
    try:
        for line in ("install 3.12.1", "create lab -p 3.12 --no-pip", "python upgrade", "gc --yes"):
            done = bubble("--system", *line.split(), env=said)
            assert done.status == 0, done.err
    finally:
        os.umask(before)
    closed = [os.path.relpath(path, system) for path in open_to_all(system)]
    assert [p for p in closed if p != "journal" and not p.startswith("cache/")] == []
    library = f"{system}/pythons/3.12/lib/python3.12"
    assert [n for n in os.listdir(f"{library}/__pycache__") if n.startswith("os.")]
    assert not os.path.exists(env["BUBBLE_HOME"])
    assert not os.path.exists(env["BUBBLE_CACHE_DIR"])


def open_to_all(root: str) -> Iterator[str]:
    """Yield what somebody else can't read below `root`, or a directory that they can't enter."""
    for directory, below, files in os.walk(root):
        for name in (*below, *files):
            path = f"{directory}/{name}"
            wanted = 0o555 if os.path.isdir(path) else 0o444
            if not os.path.islink(path) and os.stat(path).st_mode & wanted != wanted:
                yield path


def test_taking_a_python_from_everybody_says_what_cant_be_seen(place: Place) -> None:
    for line in ("python uninstall 3.11.9", "python upgrade --prune", "gc --dry-run"):
        said = place.run("--system", *line.split())
        assert said.status == 0, said.err
        assert "can't be seen from here" in said.err, line
    assert "can't be seen" not in place.run("--system", "python", "upgrade").err
    place.before = place.seen()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sync", "not with “sync”"),
        ("use 3.12", "not with “use”"),
        ("", "not with “”"),
        ("create --no-pip", "has a name, and that comes first"),
    ],
)
def test_what_is_about_no_store_isnt_done_to_everybodys(
    bubble: Callable[..., Result], line: str, said: str
) -> None:
    done = bubble("--system", *line.split())
    assert done.status == 2
    assert said in done.err


def test_every_command_is_held_to_the_systems_store() -> None:
    """A new command says here whether it could change what is an administrator's."""
    tried = {line.partition(" -")[0] for line in (*REFUSED, *HARMLESS)}
    words = {w for w in COMMANDS if any(f"{line} ".startswith(f"{w} ") for line in tried)}
    assert words | NOT_TRIED == set(COMMANDS)


# they read only, or change a project, the cache or this user's own files
NOT_TRIED = {
    *(
        "python install",
        "python find",
        "python adopt",
        "python update",
        "python dir",
        "new",
        "lock",
    ),
    *("sync", "status", "rollback", "create", "run", "local", "global", "which", "exec", "info"),
    *("import", "export", "pack", "unpack", "cache dir", "cache size", "kernel install"),
    *("kernel remove", "shell", "activate", "deactivate", "init", "completions", "self info"),
    *("self update", "config list", "config get", "config set", "config unset", "config path"),
    *("mirror create", "mirror pack", "bundle create", "bundle install", "bundle show"),
}
