"""`bubble import pyenv`: everything that can be adopted is, what can't is said, nothing changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from support.builds import interpreters
from support.environments import adopt_python, create, files
from support.mortal import mortal
from support.needs import not_here
from support.pyenv_tree import PyenvTree
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def tree(env: dict[str, str]) -> PyenvTree:
    """Return an empty pyenv root at ~/.pyenv."""
    return PyenvTree(f"{env['HOME']}/.pyenv")


def imported(bubble: Bubble, *options: str, **env: str) -> dict[str, tuple[str, str]]:
    """Run the command; return name → (action, detail), of which each is one."""
    done = bubble("import", "pyenv", "--json", *options, env=env)
    assert done.status == 0, done.err + done.out
    items: list[dict[str, Any]] = done.json["data"]["items"]
    found = {f"{item['kind']} {item['name']}": (item["action"], item["detail"]) for item in items}
    assert len(found) == len(items), items
    return found


def test_versions_environments_and_the_global_selection_are_taken(
    bubble: Bubble, tree: PyenvTree, tmp_path: Path
) -> None:
    tree.python()
    site = tree.virtualenv("site")
    old = tree.environment("old-style")
    tree.write("version", f"{tree.version}\n")
    before = files(tree.root)
    named = (f"{tree.version}/envs/site", "old-style")
    marks = {f"versions/{name}/.bubble-adopted" for name in named}
    assert imported(bubble) == {
        f"python {tree.version}": ("adopted", f"cpython-{tree.version}"),
        "environment site": ("adopted", "site"),
        "environment old-style": ("adopted", "old-style"),
        "global version": ("pinned", tree.version),
    }
    after = files(tree.root)
    assert after.keys() - before.keys() == marks  # by which each is known from now on
    assert {path: what for path, what in after.items() if path not in marks} == before
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".python-version").write_text("site\n")
    said = bubble("which", "python", cwd=tmp_path / "project")
    assert said.out == f"{site}/bin/python\n", said.err
    assert bubble("run", "old-style", "python", "-c", "import sys; print(sys.prefix)").out == (
        f"{old}\n"
    )
    current = bubble("current", "--json").json["data"]
    assert current["source"]["kind"] == "global"
    assert current["answers"][0]["name"] == f"cpython-{tree.version}"
    listed = {e["name"]: e for e in bubble("list", "--json").json["data"]}
    assert listed["site"]["python"] == f"cpython-{tree.version}"
    assert {e["state"] for e in listed.values()} == {"foreign"}


def registered(home: str) -> set[str]:
    """Return the names of what lies in a store, but for those that are new whenever it is used."""
    return {name for name in files(home) if not name.startswith(("requests/", "marks/"))}


def test_once_more_finds_nothing_to_do_and_then_what_is_new(
    bubble: Bubble, tree: PyenvTree, home: str
) -> None:
    tree.python()
    tree.virtualenv("site")
    tree.write("version", f"{tree.version}\n")
    first = imported(bubble)
    before = registered(home)
    again = imported(bubble)
    assert {k: d for k, (_, d) in again.items()} == {k: d for k, (_, d) in first.items()}
    assert {action for action, _ in again.values()} == {"known"}
    assert registered(home) == before
    tree.environment("later")
    assert imported(bubble)["environment later"] == ("adopted", "later")


def test_a_dry_run_says_the_same_and_changes_nothing(
    bubble: Bubble, tree: PyenvTree, home: str
) -> None:
    tree.python()
    tree.python("mine")
    tree.virtualenv("site")
    tree.write("version", f"site\n{tree.version}\n3.99\nsystem\n")
    said = imported(bubble, "--dry-run")
    assert not os.path.exists(home)
    done = imported(bubble)
    assert said == done
    assert said["python mine"] == ("known", f"cpython-{tree.version}")
    assert said["global version"] == (
        "pinned",
        f"site, {tree.version}, system (nothing here satisfies 3.99)",
    )


def test_a_global_selection_of_bubbles_own_stays(bubble: Bubble, tree: PyenvTree) -> None:
    tree.python()
    tree.write("version", f"{tree.version}\n")
    assert bubble("use", "--global", "system").status == 0
    assert imported(bubble)["global version"] == (
        "left",
        "bubble's global selection is set: system",
    )
    assert bubble("current").out.startswith("system (set by the global pin")


@pytest.mark.parametrize(
    ("said", "pinned"),
    [
        ("MINOR\n", "MINOR"),
        ("EXACT:system\n", "EXACT, system"),
        ("oddly-named\n", "EXACT"),
        ("site\nEXACT\n", "site, EXACT"),
        ("python-MINOR # note\n", "MINOR"),
        ("system\n", "system"),
    ],
)
def test_pyenvs_global_selection_is_said_in_bubbles_words(
    bubble: Bubble, tree: PyenvTree, said: str, pinned: str
) -> None:
    tree.python("oddly-named")
    tree.environment("site")
    minor = ".".join(tree.version.split(".")[:2])

    def words(text: str) -> str:
        return text.replace("EXACT", tree.version).replace("MINOR", minor)

    tree.write("version", words(said))
    assert imported(bubble)["global version"] == ("pinned", words(pinned))
    assert bubble("current").status == 0


@pytest.mark.parametrize(
    "said", ["3.99\n", "3..1\n", "../x\n", "miniconda3-4.7.12\n", "nobody\n", "\x1b[31m"]
)
def test_a_global_selection_that_means_nothing_here_is_left(
    bubble: Bubble, tree: PyenvTree, said: str
) -> None:
    tree.python()
    tree.write("version", said)
    action, detail = imported(bubble)["global version"]
    assert action == "left"
    assert detail.isprintable()
    assert bubble("current").out.startswith("system")


def test_what_is_broken_is_said_and_stops_nothing(bubble: Bubble, tree: PyenvTree) -> None:
    tree.python()
    os.symlink("/nonexistent/python", f"{tree.versions}/3.1.4")
    os.symlink("loop", f"{tree.versions}/loop")
    os.makedirs(f"{tree.versions}/3.2.6/bin")
    tree.write("versions/3.3.7/bin/python3", "#!/bin/sh\necho no python\n")
    os.chmod(f"{tree.versions}/3.3.7/bin/python3", 0o755)
    tree.write("versions/notes.txt", "a file is no version")
    gone = tree.virtualenv("gone")
    os.unlink(f"{gone}/bin/python")
    os.makedirs(f"{tree.versions}/miniforge3-24/conda-meta")
    os.makedirs(f"{tree.versions}/anaconda3-2020/bin")
    os.symlink(tree.version, f"{tree.versions}/latest")
    found = imported(bubble)
    assert found.pop(f"python {tree.version}")[0] == "adopted"
    assert {action for action, _ in found.values()} == {"left"}
    said = {name: detail for name, (_, detail) in found.items()}
    assert said["other 3.1.4"] == said["other loop"] == "it is a link to nothing"
    assert said["python 3.2.6"] == "there is no interpreter in it"
    assert "3.3.7/bin/python3" in said["python 3.3.7"]
    assert said["environment gone"].endswith("has no working bin/python")
    for conda in ("miniforge3-24", "anaconda3-2020"):
        assert said[f"other {conda}"] == "a conda distribution, which only conda can manage"
    assert said["alias latest"] == f"another name of {tree.version}"
    assert len(said) == 8


def test_an_interpreter_that_bubble_has_itself_stays_bubbles(
    bubble: Bubble, tree: PyenvTree
) -> None:
    adopt_python(bubble, ".".join(tree.version.split(".")[:2]))
    before = bubble("python", "list", "--installed", "--json").json["data"]
    other = f"{tree.versions}/{tree.version}"
    os.makedirs(f"{other}/bin")
    # an interpreter of the same key with a prefix of its own
    with open(f"{other}/bin/python3", "w") as file:
        file.write(
            f'#!/bin/sh\nexec {tree.prefix}/bin/python3 "$@" | sed "s|{tree.prefix}|{other}|g"\n'
        )
    os.chmod(f"{other}/bin/python3", 0o755)
    action, detail = imported(bubble)[f"python {tree.version}"]
    assert action == "left"
    assert "is already installed, from " in detail
    assert bubble("python", "list", "--installed", "--json").json["data"] == before


def test_names_that_bubble_has_not_are_known_by_their_paths(
    bubble: Bubble, tree: PyenvTree
) -> None:
    tree.python()
    numbered = tree.environment("3.11-site")
    spaced = tree.environment("my site")
    found = imported(bubble)
    assert found["environment 3.11-site"] == (
        "adopted",
        "known by its path (3.11-site can't be a name here)",
    )
    assert found["environment my site"][0] == "adopted"
    assert {e["path"] for e in bubble("list", "--json").json["data"]} == {numbered, spaced}
    assert bubble("run", numbered, "python", "-c", "print(1)").out == "1\n"


HOSTILE = ("\x1b[31mred", "new\nline", "-rf", "$(id)", "..x", "a:b", "x" * 200, "\udcff")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_shown_safely_and_do_nothing(
    bubble: Bubble, tree: PyenvTree, name: str
) -> None:
    try:
        tree.python(name)
        os.makedirs(f"{tree.versions}/{tree.version}/envs")
        subprocess.run(
            [f"{tree.prefix}/bin/python3", "-m", "venv", "--without-pip", f"{tree.root}/made"],
            check=True,
        )
        os.rename(f"{tree.root}/made", f"{tree.versions}/{tree.version}/envs/{name}")
    except (OSError, UnicodeEncodeError):
        not_here("a file system without such names")
    tree.write("version", f"{name}\n")
    done = bubble("import", "pyenv")
    assert done.status == 0, done.err
    for line in (*done.out.split("\n"), *done.err.split("\n")):
        assert line.isprintable(), line
    assert done.out.count("\n") == len(bubble("import", "pyenv", "--json").json["data"]["items"])
    for entry in bubble("list", "--json").json["data"]:
        assert entry["path"].startswith(tree.versions)
    assert bubble("current").status == 0, "an environment of that name must not be pinned blindly"


def test_two_environments_of_one_name_leave_it_to_the_one_that_pyenv_means(
    bubble: Bubble, tree: PyenvTree
) -> None:
    if len(tree.real) < 2:
        not_here("one interpreter alone")
    tree.python()
    tree.python(number=-2)
    first = f"{tree.real[-2][0]}/envs/site"
    tree.environment(first)
    meant = tree.virtualenv("site")
    done = bubble("import", "pyenv", "--json")
    items = [i for i in done.json["data"]["items"] if i["kind"] == "environment"]
    assert [(i["path"], i["action"]) for i in items] == [
        (meant, "adopted"),
        (f"{tree.versions}/{first}", "left"),
    ]
    assert bubble("adopt", f"{tree.versions}/{first}", "--name", "site-too").status == 0
    assert {e["name"] for e in bubble("list", "--json").json["data"]} == {"site", "site-too"}


def test_a_name_that_bubble_has_given_away_is_not_taken(bubble: Bubble, tree: PyenvTree) -> None:
    tree.python()
    assert bubble("python", "adopt", tree.prefix).status == 0
    mine = create(bubble, "site", "--no-pip")
    theirs = tree.virtualenv("site")
    action, detail = imported(bubble)["environment site"]
    assert (action, detail) == ("left", f"site is the name of the environment at {mine}")
    assert bubble("info", "site", "--json").json["data"]["path"] == mine
    assert bubble("remove", "site").status == 0
    assert imported(bubble)["environment site"] == ("adopted", "site")
    refused = bubble("create", "site", "--no-pip")
    assert refused.status == 1
    assert one_error(refused.err)[0].endswith(f"the environment at {theirs}")
    refused = bubble("clone", "site", "site")
    assert refused.status != 0
    assert bubble("remove", "site").status == 0
    assert os.path.isdir(theirs)


def test_what_may_not_be_read_is_said(tree: PyenvTree, env: dict[str, str]) -> None:
    program = f"{os.path.dirname(sys.executable)}/bubble"

    def run() -> subprocess.CompletedProcess[str]:
        words = [*mortal(), program, "import", "pyenv", "--json"]
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False)

    tree.python()
    os.makedirs(f"{tree.versions}/3.1.4")
    os.chmod(f"{tree.versions}/3.1.4", 0)
    os.makedirs(f"{tree.versions}/{tree.version}/envs")
    os.chmod(f"{tree.versions}/{tree.version}/envs", 0)
    found = {f"{i['kind']} {i['name']}": i for i in json.loads(run().stdout)["data"]["items"]}
    assert found["python 3.1.4"]["action"] == "left"
    assert found["python 3.1.4"]["detail"] == "its directory can't be read"
    assert "can't be listed" in found[f"other {tree.version}/envs"]["detail"]
    assert found[f"python {tree.version}"]["action"] == "adopted"
    os.chmod(tree.versions, 0)
    refused = run()
    assert refused.returncode == 1
    said = json.loads(refused.stdout)["error"]
    assert said["kind"] == "permission"
    assert said["message"].endswith("can't be listed: permission denied")
    for path in (tree.versions, f"{tree.versions}/3.1.4", f"{tree.versions}/{tree.version}/envs"):
        os.chmod(path, 0o700)


def test_a_root_that_is_not_there_is_said_and_an_empty_one_too(
    bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> None:
    refused = bubble("import", "pyenv")
    assert refused.status == 2
    assert f"there is no pyenv at {env['HOME']}/.pyenv" in refused.err
    refused = bubble("import", "pyenv", env={"PYENV_ROOT": "relative"})
    assert refused.status == 2
    (tmp_path / "empty").mkdir()
    done = bubble("import", "pyenv", env={"PYENV_ROOT": str(tmp_path / "empty")})
    assert (done.status, done.out) == (0, "")
    assert "there is nothing in" in done.err
    assert bubble("import", "conda").status == 2


def test_pyenv_root_says_where_it_is(bubble: Bubble, tmp_path: Path) -> None:
    tree = PyenvTree(str(tmp_path / "elsewhere"))
    tree.python()
    found = imported(bubble, PYENV_ROOT=tree.root)
    assert found == {f"python {tree.version}": ("adopted", f"cpython-{tree.version}")}


def test_the_start_up_lines_are_named_and_the_files_stay(
    bubble: Bubble, tree: PyenvTree, env: dict[str, str], tmp_path: Path
) -> None:
    tree.python()
    home = env["HOME"]
    said = {
        f"{home}/.bashrc": 'x=1\n# pyenv was here\nexport PYENV_ROOT="$HOME/.pyenv"\n',
        f"{home}/.zprofile": 'eval "$(pyenv init --path)"\n',
        f"{tmp_path}/zsh/.zshrc": 'eval "$(pyenv init -)" \x1b[2J\n',
        f"{home}/.config/fish/conf.d/own.fish": "pyenv init - fish | source\n",
    }
    for path, text in said.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
    os.mkfifo(f"{home}/.profile")
    os.mkdir(f"{home}/.zshrc")
    done = bubble("import", "pyenv", env={"ZDOTDIR": f"{tmp_path}/zsh", "PYENV_VERSION": "3.12"})
    assert done.status == 0
    for line in (
        "PYENV_VERSION is set; bubble reads BUBBLE_PYTHON (bubble shell)",
        f"  {home}/.bashrc:3: export PYENV_ROOT",
        f"  {home}/.zprofile:1: eval",
        f'  {tmp_path}/zsh/.zshrc:1: eval "$(pyenv init -)" \\x1b[2J',
        f"  {home}/.config/fish/conf.d/own.fish:1: pyenv init - fish | source",
        "bubble init --install",
    ):
        assert line in done.err
    assert "pyenv was here" not in done.err
    for path, text in said.items():
        with open(path) as file:
            assert file.read() == text


def test_the_interpreters_of_this_machine_are_adopted_as_they_are(
    bubble: Bubble, env: dict[str, str]
) -> None:
    """A root whose versions are links elsewhere, as with a shared installation."""
    versions = f"{env['HOME']}/.pyenv/versions"
    os.makedirs(versions)
    real = {p: v for v, p in interpreters()}
    if not real:
        not_here("no CPython to adopt")
    for prefix, version in real.items():
        os.symlink(prefix, f"{versions}/{version}")
    found = imported(bubble)
    assert {name: action for name, (action, _) in found.items()} == {
        f"python {version}": "adopted" for version in real.values()
    }
    for version in real.values():
        said = bubble("exec", "-p", version, "python", "-V")
        assert said.out + said.err == f"Python {version}\n"
