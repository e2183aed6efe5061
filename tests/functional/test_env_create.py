"""`bubble create`, `remove` and `run`: environments made, used and thrown away."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.environments import adopt_python
from support.handmade import environment
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def adopted(bubble: Bubble) -> str:
    return adopt_python(bubble)


@pytest.fixture
def project(tmp_path: Path) -> str:
    directory = tmp_path / "a project"
    directory.mkdir()
    return str(directory)


def python(environment: str, code: str, bubble: Bubble) -> str:
    done = bubble("run", environment, "python", "-c", code)
    assert done.status == 0, done.err
    return done.out.strip()


def test_a_project_gets_its_venv_with_pip_inside(
    bubble: Bubble, adopted: str, project: str
) -> None:
    done = bubble("create", cwd=project)
    assert done.status == 0, done.err
    path = f"{project}/.venv"
    assert done.out == f"{path}\n"
    assert python(path, "import sys; print(sys.prefix)", bubble) == path
    assert python(path, "import sys; print(sys.version.split()[0])", bubble) == adopted
    pip = bubble("run", path, "pip", "--version")
    assert f"{path}/lib" in pip.out
    assert sorted(os.listdir(project)) == [".venv"]


def test_pip_can_remove_itself_and_leaves_the_store_and_others_their_own(
    bubble: Bubble, adopted: str
) -> None:
    for name in ("one", "two"):
        assert bubble("create", name, "-p", adopted).status == 0
    done = bubble("run", "one", "python", "-m", "pip", "uninstall", "-y", "-q", "pip")
    assert done.status == 0, done.err
    look = "import os, sysconfig; print(sorted(os.listdir(sysconfig.get_path('purelib'))))"
    assert python("one", look, bubble) == "[]"
    assert (
        python("one", "import os, sys; print(os.path.exists(sys.prefix + '/bin/pip'))", bubble)
        == "False"
    )
    assert bubble("run", "two", "pip", "--version").status == 0
    assert bubble("create", "three", "-p", adopted).status == 0
    assert bubble("run", "three", "pip", "--version").status == 0


def test_the_directory_selects_its_environment_without_activation(
    bubble: Bubble, adopted: str, project: str
) -> None:
    assert bubble("create", cwd=project).status == 0
    below = f"{project}/deep/er"
    os.makedirs(below)
    assert bubble("which", "python", cwd=below).out == f"{project}/.venv/bin/python\n"
    assert adopted


def test_users_find_what_they_expect_inside(bubble: Bubble, adopted: str, project: str) -> None:
    assert bubble("create", "--prompt", "here", cwd=project).status == 0
    path = f"{project}/.venv"
    with open(f"{path}/.gitignore") as file:
        assert file.read() == "*\n"
    with open(f"{path}/CACHEDIR.TAG") as file:
        assert file.readline() == "Signature: 8a477f597d28d172789f06886806bc55\n"
    with open(f"{path}/pyvenv.cfg") as file:
        configuration = dict(line.rstrip("\n").split(" = ", 1) for line in file)
    assert configuration["version_info"] == adopted
    assert configuration["include-system-site-packages"] == "false"
    assert configuration["prompt"] == "here"
    scripts = {"activate", "activate.csh", "activate.fish", "activate.nu", "Activate.ps1"}
    assert scripts <= set(os.listdir(f"{path}/bin"))


def test_a_named_environment_serves_the_whole_machine(
    bubble: Bubble, adopted: str, project: str, home: str
) -> None:
    minor = adopted.rpartition(".")[0]
    assert bubble("create", "train", "-p", minor).status == 0
    assert python("train", "import sys; print(sys.prefix)", bubble) == f"{home}/envs/train"
    assert bubble("use", "train", cwd=project).status == 0
    with open(f"{project}/.python-version") as file:
        assert file.read() == "train\n"
    assert bubble("which", "python", cwd=project).out == f"{home}/envs/train/bin/python\n"


def test_packages_get_scripts_that_name_the_environment(
    bubble: Bubble, adopted: str, tmp_path: Path, home: str
) -> None:
    path = wheel(str(tmp_path), "hello", "1.0", script="hello")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{path}\n")
    done = bubble("create", "train", "-r", str(requirements), "--installer", "pip")
    assert done.status == 0, done.err
    with open(f"{home}/envs/train/bin/hello") as file:
        assert file.readline() == f"#!{home}/envs/train/bin/python\n"
    assert bubble("run", "train", "hello").out == "hello 1.0\n"
    assert not [n for n in os.listdir(f"{home}/staging") if "train" in n]
    removal = bubble("run", "train", "python", "-m", "pip", "uninstall", "-y", "-q", "hello")
    assert removal.status == 0, removal.err
    assert not os.path.exists(f"{home}/envs/train/bin/hello")
    assert adopted


def test_packages_that_fail_leave_no_environment(bubble: Bubble, adopted: str, home: str) -> None:
    done = bubble("create", "train", "--no-index-such-option", env={"PIP_NO_INDEX": "1"})
    assert done.status == 2
    done = bubble(
        "create", "train", "no-such-package", "--installer", "pip", env={"PIP_NO_INDEX": "1"}
    )
    assert done.status == 1
    assert "could not install the packages" in done.err
    assert not os.path.exists(f"{home}/envs/train")
    assert "train" not in bubble("list").out
    assert adopted


def test_a_package_or_a_python_in_the_place_of_the_name_is_told_where_it_belongs(
    bubble: Bubble, adopted: str, project: str
) -> None:
    done = bubble("create", "-r", "requirements.txt", "a_package>=1", cwd=project)
    assert done.status == 2
    assert "hint: as a package for this project's: bubble create --with 'a_package>=1'" in done.err
    for request, shown in (("3.12", "3.12"), (">=3.11", "'>=3.11'"), ("pypy3.10", "pypy3.10")):
        done = bubble("create", request, cwd=project)
        assert done.status == 2
        assert f"hint: with that Python: bubble create -p {shown}\n" in done.err
    for nonsense in ("x" * 65, "-", "é", ">="):
        done = bubble("create", "--", nonsense, cwd=project)
        assert (done.status, "hint: a name starts with a letter" in done.err) == (2, True)
    done = bubble("create", "-r", "requirements.txt", cwd=project)
    assert (done.status, "there is no file requirements.txt" in done.err) == (2, True)
    assert os.listdir(project) == []
    assert adopted


def test_packages_without_pip_need_uv(bubble: Bubble, adopted: str) -> None:
    done = bubble("create", "train", "--no-pip", "--installer", "pip", "no-such-package")
    assert done.status == 2
    assert "hint: leave out --no-pip" in done.err
    assert bubble("list").out == ""
    assert adopted


def test_packages_that_fail_keep_the_old_environment(
    bubble: Bubble, adopted: str, tmp_path: Path
) -> None:
    path = wheel(str(tmp_path), "hello", "1.0", script="hello")
    assert bubble("create", "train", path, "--installer", "pip").status == 0
    arguments = ("create", "train", "--force", "no-such-package", "--installer", "pip")
    assert bubble(*arguments, env={"PIP_NO_INDEX": "1"}).status == 1
    assert bubble("run", "train", "hello").out == "hello 1.0\n"
    assert adopted


def test_what_is_there_is_replaced_only_by_force_and_only_if_bubble_made_it(
    bubble: Bubble, adopted: str, project: str
) -> None:
    assert bubble("create", cwd=project).status == 0
    again = bubble("create", cwd=project)
    assert again.status == 1
    assert "is there already" in again.err
    assert bubble("create", "--force", "--no-pip", cwd=project).status == 0
    assert not os.path.exists(f"{project}/.venv/bin/pip")
    os.unlink(f"{project}/.venv/.bubble-environment")
    refused = bubble("create", "--force", cwd=project)
    assert refused.status == 1
    assert "was not made here" in refused.err
    assert "bubble adopt" in refused.err
    assert adopted


def test_an_environment_stands_aside_when_its_project_asks_for_something_else(
    bubble: Bubble, adopted: str, project: str
) -> None:
    def pin(text: str) -> None:
        with open(f"{project}/.python-version", "w") as file:
            file.write(f"{text}\n")

    pin(adopted)
    assert bubble("create", "--no-pip", cwd=project).status == 0
    for text in (adopted, "3", ">=3", f"2.7\n{adopted}"):
        pin(text)
        assert bubble("which", "python", cwd=project).out == f"{project}/.venv/bin/python\n"
    pin("3.9.999")
    aside = bubble("which", "python", cwd=project)
    assert (aside.status != 0, aside.out) == (True, "")
    assert "hint: bubble python install 3.9.999, then: bubble repair" in aside.err
    pin(adopted)
    assert bubble("which", "python", cwd=project).status == 0


def test_removing_leaves_no_trace(bubble: Bubble, adopted: str, project: str, home: str) -> None:
    assert bubble("create", cwd=project).status == 0
    assert bubble("create", "train").status == 0
    done = bubble("remove", ".venv", "train", cwd=project)
    assert done.status == 0, done.err
    assert os.listdir(project) == []
    assert os.listdir(f"{home}/envs") == []
    assert os.listdir(f"{home}/registry") == []
    assert os.listdir(f"{home}/trash") == []
    assert adopted


def test_removing_follows_no_link_and_takes_nothing_foreign(
    bubble: Bubble, adopted: str, project: str, canary: str, home: str
) -> None:
    assert bubble("create", cwd=project).status == 0
    os.symlink(canary, f"{project}/.venv/lib/link")
    assert bubble("remove", ".venv", cwd=project).status == 0
    assert bubble("create", "train").status == 0
    os.rename(f"{home}/envs/train", f"{project}/moved")
    os.symlink(canary, f"{home}/envs/train")
    refused = bubble("remove", "train")
    assert refused.status == 1
    assert os.path.islink(f"{home}/envs/train")
    os.unlink(f"{home}/envs/train")
    os.mkdir(f"{home}/envs/train")
    with open(f"{home}/envs/train/mine", "w") as file:
        file.write("precious")
    refused = bubble("remove", "train")
    assert refused.status == 1
    assert os.listdir(f"{home}/envs/train") == ["mine"]
    assert adopted


@pytest.mark.parametrize("name", ["../x", "-rf", ".", "a/b", "x" * 256, "3.12", "system", "\x1b[m"])
def test_a_name_that_is_none_makes_nothing(
    bubble: Bubble, adopted: str, home: str, name: str
) -> None:
    done = bubble("create", "--", name)
    assert done.status == 2, done.err
    assert "\x1b" not in done.err
    assert not os.path.exists(f"{home}/envs")
    assert adopted


def test_run_passes_arguments_status_and_the_environment(bubble: Bubble, adopted: str) -> None:
    assert bubble("create", "train", "--no-pip").status == 0
    code = "import os, sys; print(os.environ['VIRTUAL_ENV']); sys.exit(int(sys.argv[1]))"
    done = bubble("run", "train", "python", "-c", code, "7")
    assert done.status == 7
    assert done.out.endswith("/envs/train\n")
    assert bubble("run", "train", "sh", "-c", "exec python -c 'print(1)'").out == "1\n"
    assert bubble("run", "train", "no-such-command").status == 127
    assert adopted


def test_an_interpreter_in_use_goes_only_by_force(bubble: Bubble, adopted: str) -> None:
    assert bubble("create", "train", "--no-pip").status == 0
    refused = bubble("python", "uninstall", adopted)
    assert refused.status == 1
    assert "used by 1 environment: train" in refused.err
    forced = bubble("python", "uninstall", "--force", adopted)
    assert forced.status == 0, forced.err
    assert "broken: train" in forced.out


def test_an_empty_name_never_means_this_directorys_environment(
    bubble: Bubble, adopted: str, project: str
) -> None:
    assert bubble("create", "--no-pip", cwd=project).status == 0
    mark = os.lstat(f"{project}/.venv/.bubble-environment")
    for words in ("create --force", "remove", "run", "info", "export", "clone", "rename", "repair"):
        command, *options = words.split()
        more = {"run": ["python"], "clone": ["copy"], "rename": ["other"]}.get(command, [])
        done = bubble(command, "", *more, *options, cwd=project)
        assert (done.status, done.err.splitlines()[0]) in {
            (2, "error: ENV is empty"),
            (2, "error: NAME is empty"),
            (2, "error: ENV|FILE is empty"),
        }, done.err
    assert os.path.samestat(mark, os.lstat(f"{project}/.venv/.bubble-environment"))
    assert adopted


def test_the_next_step_names_the_environment_that_is_there(
    bubble: Bubble, adopted: str, project: str
) -> None:
    assert bubble("create", "train", "--no-pip", cwd=project).status == 0
    again = bubble("create", "train", cwd=project)
    assert "bubble info train; --force throws it away" in again.err
    assert adopted


@pytest.mark.parametrize("word", [".venv", ".", "../other", "~/site"])
def test_a_path_in_a_names_place_is_told_how_a_project_gets_its_own(
    bubble: Bubble, adopted: str, project: str, word: str
) -> None:
    done = bubble("create", word, cwd=project)
    assert done.status == 2
    assert done.err.endswith("takes no name; there: bubble create\n")
    assert os.listdir(project) == []
    assert adopted


def test_nothing_runs_in_an_environment_that_lost_its_interpreter(
    bubble: Bubble, layout: Layout
) -> None:
    environment(layout, "train")
    done = bubble("run", "train", "sh", "-c", "echo ran")
    assert (done.status, done.out) == (1, "")
    assert "train has lost its interpreter" in done.err
    assert "bubble repair train" in done.err


def test_a_path_to_run_that_is_not_there_is_told_as_missing(
    bubble: Bubble, adopted: str, project: str
) -> None:
    assert bubble("create", "train", "--no-pip").status == 0
    missing = bubble("run", "train", "./none", cwd=project)
    assert missing.status == 127
    assert "./none: no such file" in missing.err
    assert bubble("run", "train", "/etc/passwd").status == 126
    assert adopted


@pytest.mark.parametrize(
    ("shell", "variables", "line"),
    [
        ("nushell", {"NU_VERSION": "0.108.0"}, "overlay use r#'{}/bin/activate.nu'#"),
        ("PowerShell", {"PSModulePath": "/opt/pwsh/Modules"}, ". '{}/bin/Activate.ps1'"),
        ("", {"SHELL": "/usr/bin/fish"}, ". '{}/bin/activate.fish'"),
        ("", {"SHELL": "/bin/bash"}, ". {}/bin/activate"),
    ],
)
def test_who_has_no_function_for_activate_gets_the_line_of_their_shell(
    shell: str, variables: dict[str, str], line: str, bubble: Bubble
) -> None:
    adopt_python(bubble)
    done = bubble("create", "web", "--no-pip", "--activate", env=variables)
    path = done.out.strip()
    assert done.status == 0, done.err
    said = next(row for row in done.err.splitlines() if "by hand: " in row)
    assert said.startswith(shell or "--activate is for the function of bubble init --install")
    assert said.endswith(f"by hand: {line.format(path)}")
    assert os.path.isfile(line.format(path).split()[-1].strip("'r#"))
