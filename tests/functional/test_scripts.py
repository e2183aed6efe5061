"""`bubble run script.py`: the packages that a script says it needs (PEP 723), and the script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.builds import packed_mirror
from support.environments import adopt_python
from support.needs import LINUX_ONLY, needs
from support.scripts import block, two_versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]

SAY = (
    "import json, os, sys\n"
    "print(json.dumps({'argv': sys.argv, 'path': sys.path[0], 'cwd': os.getcwd(),"
    " 'prefix': sys.prefix, 'env': dict(os.environ), 'version': sys.version.split()[0]}))\n"
)


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, env: dict[str, str]) -> str:
    """Have packages, and no index; return their directory."""
    return two_versions(f"{tmp_path}/wheels", env)


@pytest.fixture
def python(bubble: Bubble) -> str:
    """Have an interpreter; return its version."""
    return adopt_python(bubble)


def said(done: Result) -> dict[str, object]:
    assert done.status == 0, done.err
    found: dict[str, object] = json.loads(done.out)
    return found


def environments(bubble: Bubble) -> list[str]:
    found = bubble("list", "--json").json["data"]
    return [row["path"] for row in found if "/scripts/" in row["path"]]


@pytest.mark.usefixtures("python")
def test_a_script_gets_what_it_asks_for_once_and_finds_it_again(
    bubble: Bubble, tmp_path: Path, wheels: str, layout: Layout
) -> None:
    text = block("six<2", wheels=wheels) + "import six\nsix.main()\n"
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(text)
    first = bubble("run", "one.py")
    assert (first.status, first.out) == (0, "six 1.0\n"), first.err
    again = bubble("run", "one.py", env={"PATH": "/nowhere", "BUBBLE_OFFLINE": "1"})
    assert (again.status, again.out, again.err) == (0, "six 1.0\n", "")
    assert bubble("run", "two.py").out == "six 1.0\n"
    (path,) = environments(bubble)
    assert path.startswith(f"{layout.scripts}/")
    (tmp_path / "one.py").write_text(text.replace("six<2", "six"))
    assert bubble("run", "one.py").out == "six 2.0\n"
    assert len(environments(bubble)) == 2, "what two scripts asked for is still there"


@pytest.mark.usefixtures("python")
def test_a_script_runs_as_python_would_run_it(
    bubble: Bubble, tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "s.py").write_text(block() + SAY)
    env |= {"PYTHONPATH": "/elsewhere", "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["--json", "--", "-c", "", "x y", "--locked"]
    for _ in range(2):
        found = said(bubble("run", "a b/s.py", *words))
        assert found["argv"] == ["a b/s.py", *words]
        assert found["path"] == str(tmp_path / "a b")
        assert found["cwd"] == str(tmp_path)
        variables = found["env"]
        assert isinstance(variables, dict)
        assert variables["VIRTUAL_ENV"] == found["prefix"]
        assert variables["PATH"].split(":")[0] == f"{found['prefix']}/bin"
        assert variables["PYTHONPATH"] == "/elsewhere"
        assert variables["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.usefixtures("python")
def test_the_status_signals_and_streams_are_the_scripts_own(
    bubble: Bubble, tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "s.py").write_text(
        block() + "import os, sys\nprint(sys.stdin.read(), os.getpid(), flush=True)\n"
        "sys.exit(int(sys.argv[1])) if sys.argv[1:] else os.kill(os.getpid(), 15)\n"
    )
    assert bubble("run", "s.py", "0").status == 0
    done = bubble("run", "s.py", "7", stdin="told")
    assert (done.status, done.out.split()[0], done.err) == (7, "told", "")
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    with subprocess.Popen(
        [program, "run", "s.py"], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        out, _ = child.communicate()
    assert child.returncode == -signal.SIGTERM
    assert int(out) == child.pid, "it is the same process"


@pytest.mark.usefixtures("python")
def test_a_script_comes_through_the_standard_input(
    bubble: Bubble, tmp_path: Path, wheels: str
) -> None:
    text = block("six<2", wheels=wheels) + "import six, sys\nsix.main()\nprint(sys.argv)\n"
    for _ in range(2):
        done = bubble("run", "-", "a", "-b", stdin=text)
        assert (done.status, done.out) == (0, "six 1.0\n['-', 'a', '-b']\n"), done.err
    assert bubble("run", "-", stdin="import sys; print(sys.argv)").out == "['-']\n"
    assert len(environments(bubble)) == 1
    assert not any(name.endswith(".lock") for name in os.listdir(tmp_path))


@LINUX_ONLY
@pytest.mark.usefixtures("python")
def test_a_script_can_name_bubble_in_its_first_line(
    tmp_path: Path, env: dict[str, str], wheels: str
) -> None:
    env["PATH"] = f"{os.path.dirname(sys.executable)}:{env['PATH']}"
    (tmp_path / "a b").mkdir()
    text = block("six<2", wheels=wheels) + "import six, sys\nsix.main()\nprint(sys.argv[1:])\n"
    script = tmp_path / "a b" / "tool"
    script.write_text("#!/usr/bin/env -S bubble run\n" + text)
    script.chmod(0o755)
    for way in (["./a b/tool"], [str(script)], ["sh", "-c", '"./a b/tool" "$@"', "sh"]):
        done = subprocess.run(
            [*way, "--locked", "x y"], cwd=tmp_path, env=env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.stdout == "six 1.0\n['--locked', 'x y']\n", done.stderr
    link = tmp_path / "linked.py"
    link.symlink_to(script)
    done = subprocess.run([link], env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "six 1.0\n[]\n", done.stderr


def test_a_script_without_metadata_runs_with_what_the_directory_selects(
    bubble: Bubble, tmp_path: Path, python: str
) -> None:
    (tmp_path / "s.py").write_text(SAY)
    (tmp_path / ".python-version").write_text(f"{python}\n")
    assert said(bubble("run", "s.py", "x"))["argv"] == ["s.py", "x"]
    assert bubble("create").status == 0
    assert said(bubble("run", "s.py"))["prefix"] == str(tmp_path / ".venv")
    assert bubble("remove", ".venv").status == 0
    (tmp_path / ".python-version").write_text("2.6.1\n")
    assert "installed satisfies" in bubble("run", "s.py").err
    done = bubble("run", "--locked", "s.py")
    assert (done.status, "has no metadata" in done.err) == (1, True)
    (tmp_path / ".python-version").unlink()
    assert said(bubble("run", "s.py"))["version"] == python, "the newest that is installed"


@pytest.mark.usefixtures("python")
def test_a_file_is_a_script_and_other_words_are_environments(
    bubble: Bubble, tmp_path: Path
) -> None:
    assert bubble("create", "x.py", "--no-pip").status == 0
    run = ("run", "x.py", "python", "-c", "import sys; print(sys.prefix)")
    assert bubble(*run).out.endswith("/envs/x.py\n"), "no such file: it is the environment"
    (tmp_path / "x.py").write_text(block() + SAY)
    assert said(bubble(*run))["argv"] == ["x.py", *run[2:]]
    (tmp_path / "tool").write_text(block() + SAY)
    assert said(bubble("run", "./tool"))["argv"] == ["./tool"]
    assert "no environment called “tool”" in bubble("run", "tool", "x").err
    unknown = bubble("run", "--json", "tool", "x").json["error"]
    assert unknown["kind"] == "no_environment"
    done = bubble("run", "y.py")
    assert (done.status, "there is no script y.py" in done.err) == (1, True)
    (tmp_path / "d.py").mkdir()
    assert "no environment" in bubble("run", "d.py", "x").err


@pytest.mark.parametrize("word", ["https://user:secret@host/x.py", "file:///etc/x.py"])
def test_an_address_is_refused(bubble: Bubble, word: str) -> None:
    done = bubble("run", word)
    assert done.status == 1
    assert "is an address" in done.err
    assert "secret" not in done.err


@LINUX_ONLY
def test_a_pipe_is_not_waited_for(bubble: Bubble, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.py")
    done = bubble("run", "s.py")
    assert (done.status, "not a regular file" in done.err) == (1, True)
    os.mkfifo(tmp_path / "t.py.lock")
    (tmp_path / "t.py").write_text(block())
    done = bubble("run", "t.py")
    assert (done.status, "not a regular file" in done.err) == (1, True)


def test_the_interpreter_is_one_that_the_script_takes(
    bubble: Bubble, tmp_path: Path, env: dict[str, str]
) -> None:
    mirror = packed_mirror(["3.11", "3.12"])
    env["BUBBLE_CATALOG"] = f"{mirror}/catalogue.json"
    script = tmp_path / "s.py"

    def version(python: str) -> str:
        script.write_text(block(python=python) + SAY)
        return ".".join(str(said(bubble("run", "s.py"))["version"]).split(".")[:2])

    assert version("<3.12") == "3.11", "it is installed, since somebody runs the script"
    assert version(">=3.10") == "3.11", "what is installed is taken"
    assert version(">=3.12") == "3.12"
    assert version(">=3.9") == "3.12", "the newest of several"
    (tmp_path / ".python-version").write_text("3.11\n")
    assert version(">=3.9") == "3.11", "the directory's own, where it is in the range"
    assert version(">3.11.99") == "3.12", "and where it isn't, the range says it"
    assert version(">=3.9") == "3.11"
    (tmp_path / ".python-version").unlink()
    assert version(">=3.9") == "3.12"
    script.write_text(block(python=">=4") + SAY)
    done = bubble("run", "s.py")
    assert (done.status, ">=4" in done.err) == (1, True)


@pytest.mark.usefixtures("python")
def test_an_editor_gets_the_environment_that_the_script_runs_in(
    bubble: Bubble, tmp_path: Path, wheels: str, layout: Layout
) -> None:
    (tmp_path / "s.py").write_text(block("six<2", wheels=wheels) + SAY)
    done = bubble("create", "--script", "s.py", "--json")
    assert done.status == 0, done.out
    found = done.json["data"]
    assert (found["status"], found["name"]) == ("made", None)
    assert said(bubble("run", "s.py"))["prefix"] == found["path"]
    assert bubble("create", "--script", "s.py").out == f"{found['path']}\n"
    named = bubble("create", "--script", "s.py", "train")
    assert (named.status, named.out) == (0, f"{layout.envs}/train\n"), named.err
    assert bubble("run", "train", "six").out == "six 1.0\n"
    again = bubble("create", "--script", "s.py", "train")
    assert (again.status, "is there already" in again.err) == (1, True)
    refused = bubble("create", "--script", "s.py", "-p", "3.12")
    assert (refused.status, "said by the script" in refused.err) == (2, True)
    (tmp_path / "plain.py").write_text("")
    assert "has no metadata" in bubble("create", "--script", "plain.py").err


@needs("sh")
@LINUX_ONLY
def test_shims_never_act_on_what_a_script_says(
    bubble: Bubble, tmp_path: Path, env: dict[str, str], wheels: str, python: str, layout: Layout
) -> None:
    assert bubble("use", "--global", python).status == 0
    text = block("six", python=">=3.99", wheels=wheels)
    (tmp_path / "s.py").write_text(f"#!{layout.shims}/python\n{text}{SAY}")
    (tmp_path / "s.py").chmod(0o755)
    for way in ([f"{layout.shims}/python", "s.py"], ["./s.py"]):
        done = subprocess.run(
            way, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["version"] == python
    assert not os.path.exists(layout.scripts)
    # and what a script's environment has is no command of anybody else
    (tmp_path / "s.py").write_text(block("six", wheels=wheels) + SAY)
    assert bubble("run", "s.py").status == 0
    assert bubble("rehash").status == 0
    assert "six" not in os.listdir(layout.shims)
    assert bubble("create", "train", "--no-pip").status == 0
    assert "six" not in os.listdir(layout.shims)
    assert "six" not in bubble("whence", "six").out


@pytest.mark.usefixtures("python")
def test_a_broken_environment_is_made_anew(bubble: Bubble, tmp_path: Path, wheels: str) -> None:
    (tmp_path / "s.py").write_text(block("six<2", wheels=wheels) + "import six\nsix.main()\n")
    assert bubble("run", "s.py").out == "six 1.0\n"
    (path,) = environments(bubble)
    os.unlink(f"{path}/bin/python")
    os.symlink("/nowhere", f"{path}/bin/python")
    assert bubble("run", "s.py").out == "six 1.0\n"
    assert bubble("remove", path).status == 0
    assert bubble("run", "s.py").out == "six 1.0\n"
    assert environments(bubble) == [path]
    assert bubble("doctor", "--json").json["data"]["findings"] is not None


def test_what_is_remembered_is_believed_only_while_all_is_as_it_was(
    bubble: Bubble, tmp_path: Path, layout: Layout, python: str, wheels: str
) -> None:
    (tmp_path / "s.py").write_text(block("six<2", wheels=wheels) + "import six\nsix.main()\n")
    assert bubble("run", "s.py").out == "six 1.0\n"
    (name,) = os.listdir(layout.scripts_seen)
    memo = f"{layout.scripts_seen}/{name}"
    with open(memo, encoding="utf-8") as file:
        good = file.read()
    (key,) = os.listdir(layout.scripts)
    for bad in ("", "\0" * 99, good.replace(key, "../envs/train"), good.replace(key, "0" * 32)):
        with open(memo, "w", encoding="utf-8") as file:
            file.write(bad)
        done = bubble("run", "s.py")
        assert (done.status, done.out) == (0, "six 1.0\n"), done.err
        assert os.listdir(layout.scripts) == [key], python


@pytest.mark.usefixtures("python")
def test_a_script_path_of_any_characters_is_remembered(
    bubble: Bubble, tmp_path: Path, layout: Layout
) -> None:
    names = ["a\nb.py", "a\\nb.py", "\x1b[31m.py", "x" * 200 + ".py", "\udcff.py"]
    for name in names:
        with open(os.fsencode(f"{tmp_path}/{name}"), "w", encoding="utf-8") as file:
            file.write(block() + "print('ran')\n")
        for _ in range(2):
            assert bubble("run", f"./{name}").out == "ran\n"
    assert len(os.listdir(layout.scripts_seen)) == len(names)
    assert len(os.listdir(layout.scripts)) == 1
    listed = bubble("list")
    assert listed.out.count("\n") == 1
    assert "\x1b" not in listed.out
    assert bubble("gc", "--only", "scripts", "--json").json["data"]["removed"] == []
