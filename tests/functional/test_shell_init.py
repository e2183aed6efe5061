"""`bubble init`'s code in real shells: PATH, the function, activate and deactivate."""

from __future__ import annotations

import os
import pwd
import re
from shutil import which
from typing import TYPE_CHECKING

import pytest

from bubble.model.quoting import quoted
from bubble.selection.shell import SHELLS
from support.needs import needs
from support.shells import CASES, ODD, Home, lines, name_of
from support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

EACH = pytest.mark.parametrize(("shell", "program"), CASES, ids=name_of)
POSIX = [case for case in CASES if case[0] != "fish"]
EACH_POSIX = pytest.mark.parametrize(("shell", "program"), POSIX, ids=name_of)


@pytest.fixture
def world(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "world"))


def source(home: Home, shell: str, *, hook: bool = False) -> str:
    word = quoted(home.init(shell, hook=hook), shell)
    return f"source {word}\n" if shell == "fish" else f". {word}\n"


def show(shell: str, name: str) -> str:
    """Return the line that prints a variable, its elements joined, or `unset`."""
    if shell == "fish":
        return f"if set -q {name}; string join : -- ${name}; true; else; echo unset; end\n"
    return f'printf "%s\\n" "${{{name}-unset}}"\n'


def entry(shell: str, path: str) -> str:
    """Return the line that changes the directory."""
    return f"cd {quoted(path, shell)}\n"


@EACH
def test_the_shims_come_first_once_however_often_it_is_evaluated(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    strict = "" if shell == "fish" else "set -eu\n"
    script = strict + source(world, shell) * 2 + show(shell, "PATH")
    (path,) = lines(world.run(program, script, env))
    assert path == f"{world.layout.shims}:{env['PATH']}"
    nested = f"/before:{world.layout.shims}:/a:{world.layout.shims}:/usr/bin:/bin"
    (path,) = lines(world.run(program, script, {**env, "PATH": nested}))
    assert path == f"{world.layout.shims}:/before:/a:/usr/bin:/bin"
    assert not any(name == "pwned" for _, _, names in os.walk(world.root) for name in names)


@EACH
def test_a_nested_shell_keeps_an_active_environment_before_the_shims(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    active = world.environment(f"{world.root}/active one")
    nested = {
        **env,
        "VIRTUAL_ENV": active,
        "PATH": f"/etc:{active}/bin:{world.layout.shims}:/usr/bin:/bin",
    }
    (path,) = lines(world.run(program, source(world, shell) + show(shell, "PATH"), nested))
    assert path == f"{active}/bin:{world.layout.shims}:/etc:/usr/bin:/bin"


@EACH_POSIX
def test_without_a_path_the_system_is_still_found(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    script = "unset PATH\n" + source(world, shell) + show(shell, "PATH")
    (path,) = lines(world.run(program, script, env))
    assert path == f"{world.layout.shims}:/usr/local/bin:/usr/bin:/bin"


@EACH
def test_the_function_passes_everything_else_on_with_its_exit_status(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    status = "$status" if shell == "fish" else "$?"
    script = source(world, shell) + f"bubble python list 'a b' '' '*'\necho {status}\n"
    script += f"bubble\necho {status}\nbubble activate -h\necho {status}\n"
    assert lines(world.run(program, script, env)) == [
        "<python><list><a b><><*>37",
        "<>37",
        "<activate><-h>37",
    ]


@EACH
def test_activate_and_deactivate_restore_everything(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    named = world.environment(f"{world.layout.home}/envs/web")
    own = world.environment(f"{world.root}/desk/.venv")
    names = ["PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"]
    names += [] if shell == "fish" else ["PS1"]
    state = "".join(show(shell, name) for name in names)
    prompt = "" if shell == "fish" else "PS1='here> '\n"
    export = "set -gx PYTHONHOME /ph\n" if shell == "fish" else "export PYTHONHOME=/ph\n"
    strict = "" if shell == "fish" else "set -eu\n"
    script = (
        strict + prompt + export + source(world, shell) + state
        + "bubble activate web\n" + state
        + entry(shell, f"{world.root}/desk") + "bubble activate\n" + state
        + "deactivate\n" + state
        + "bubble activate ../desk/./x/../.venv//\n" + show(shell, "VIRTUAL_ENV")
        + "bubble deactivate\n" + state
    )  # fmt: skip
    said = lines(world.run(program, script, env))
    size = len(names)
    before, web, work, after = (said[i * size : (i + 1) * size] for i in range(4))
    assert before[:4] == [f"{world.layout.shims}:{env['PATH']}", "unset", "unset", "/ph"]
    assert web[:4] == [f"{named}/bin:{before[0]}", named, "web", "unset"]
    assert work[:4] == [f"{own}/bin:{before[0]}", own, "desk", "unset"]
    if shell != "fish":
        assert (before[4], web[4], work[4]) == ("here> ", "(web) here> ", "(desk) here> ")
    assert after == before
    assert said[4 * size] == own
    assert said[4 * size + 1 :] == before


@EACH
def test_changes_to_path_while_active_survive_deactivate(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    world.environment(f"{world.layout.home}/envs/web")
    change = "set -gx PATH /new $PATH\n" if shell == "fish" else "PATH=/new:$PATH\n"
    script = source(world, shell) + f"bubble activate web\n{change}deactivate\n"
    (path,) = lines(world.run(program, script + show(shell, "PATH"), env))
    assert path == f"/new:{world.layout.shims}:{env['PATH']}"


@EACH
def test_a_name_never_leads_out_of_the_named_environments(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    world.environment(f"{world.root}/desk/web")
    world.environment(f"{world.root}/a:b")
    os.makedirs(f"{world.root}/desk/hollow")
    (open(f"{world.root}/desk/hollow/pyvenv.cfg", "w")).close()
    script = source(world, shell) + entry(shell, f"{world.root}/desk")
    for typed in ("web", "nothing", "./hollow", "../a:b"):
        script += f"bubble activate {typed}" + (
            "; or echo no\n" if shell == "fish" else " || echo no\n"
        )
    done = world.run(program, script + show(shell, "VIRTUAL_ENV"), env)
    assert done.stdout.splitlines() == ["no"] * 4 + ["unset"]
    said = done.stderr.splitlines()
    assert [line[:7] for line in said] == ["error: ", "  hint:"] * 4
    assert f"{world.layout.home}/envs/web" in said[0]
    assert "bin/python" in said[4]
    assert "colon" in said[6]


@EACH_POSIX
def test_a_directorys_name_is_never_run_by_a_prompt(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    names = {
        "$(touch pwned)": "_(touch pwned)",
        "a`b`$\\c%n!d": "a_b___c_n_d",
        "tab\there\n": "tab_here_",
        "%": "_",
        "a 'plain' ünï": "a 'plain' ünï",
    }
    script = "PS1='> '\n" + source(world, shell)
    for name in names:
        bad = world.environment(f"{world.root}/{name}")
        script += f"bubble activate {quoted(bad, 'sh')}\n" + show(shell, "PS1")
    shown = [f"({name}) > " for name in names.values()]
    assert lines(world.run(program, script, {**env, "LC_ALL": "C.UTF-8"})) == shown


# how a name is shown, with what makes a prompt a program switched on
PROMPTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "shopt -s promptvars"),
    "zsh": (["zsh", "-f", "-i"], "setopt prompt_subst prompt_bang prompt_percent"),
}


@pytest.mark.parametrize("shell", PROMPTS)
def test_on_a_terminal_a_name_is_shown_and_neither_run_nor_expanded(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    argv, options = PROMPTS[shell]
    if which(shell) is None:
        pytest.skip(f"needs {shell} (apt install {shell})")
    bad = world.environment(f"{world.root}/x $(touch ran) `touch ran` \\u %n ! é")
    terminal = {**env, "TERM": "dumb", "LC_ALL": "C.UTF-8", "PS1": "> "}
    with Terminal([which(shell) or "", *argv[1:]], terminal, world.root) as screen:
        screen.press(f". {quoted(world.init(shell), shell)}; {options}\r".encode())
        screen.press(f"PS1='$(echo shown)> '; bubble activate {quoted(bad, shell)}\r".encode())
        # the prompt itself runs what its own author wrote: else this shows nothing
        screen.read_until("(x _(touch ran) _touch ran_ _u _n _ é) shown> ")
        screen.press(b"exit\r")
        screen.finish()
    assert not os.path.exists(f"{world.root}/ran")


@EACH
def test_shell_sets_shows_and_unsets_this_shells_request(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    script = source(world, shell)
    script += "bubble shell 3.12 3.11\n" + show(shell, "BUBBLE_PYTHON")
    script += "sh -c 'echo $BUBBLE_PYTHON'\nbubble shell --unset\n" + show(shell, "BUBBLE_PYTHON")
    assert lines(world.run(program, script, env)) == ["3.12 3.11", "3.12 3.11", "unset"]


@EACH
def test_a_request_that_fails_leaves_the_variable_as_it_was(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    with open(world.program, "w") as file:
        file.write("#!/bin/sh\necho no >&2\nexit 5\n")
    status = "$status" if shell == "fish" else "$?"
    script = (
        source(world, shell) + f"bubble shell 9\necho {status}\n" + show(shell, "BUBBLE_PYTHON")
    )
    done = world.run(program, script, {**env, "BUBBLE_PYTHON": "3.1"})
    assert (done.stdout, done.stderr) == ("5\n3.1\n", "no\n")


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="needs python3-venv")
@pytest.mark.parametrize(
    ("shell", "program"),
    [case for case in CASES if case[0] in {"bash", "zsh", "fish"}],
    ids=name_of,
)
def test_venvs_own_activate_and_ours_take_back_what_the_other_did(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    import venv

    theirs = f"{world.root}/theirs"
    venv.create(theirs, with_pip=False, symlinks=True)
    world.environment(f"{world.layout.home}/envs/web")
    script_name = "activate.fish" if shell == "fish" else "activate"
    venvs = f"source {quoted(f'{theirs}/bin/{script_name}', shell)}\n"
    state = (
        show(shell, "PATH") + show(shell, "VIRTUAL_ENV") + show(shell, "PS1") * (shell != "fish")
    )
    prompt = "" if shell == "fish" else "PS1='> '\n"
    script = (
        prompt + source(world, shell) + state
        + "bubble activate web\n" + venvs + show(shell, "VIRTUAL_ENV") + "deactivate\n" + state
        + venvs + "bubble activate web\n" + show(shell, "VIRTUAL_ENV") + "deactivate\n" + state
        + venvs + "bubble deactivate\n" + state
    )  # fmt: skip
    said = lines(world.run(program, script, env))
    size = 2 if shell == "fish" else 3
    before = said[:size]
    assert said[size] == theirs
    assert said[size + 1 : 2 * size + 1] == before
    assert said[2 * size + 1] == f"{world.layout.home}/envs/web"
    assert said[2 * size + 2 : 3 * size + 2] == before
    assert said[3 * size + 2 :] == before


@needs("strace")
@EACH
def test_evaluating_it_starts_no_process(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    trace = f"{world.root}/trace"
    traced = ["strace", "-f", "-qq", "-e", "trace=process", "-o", trace, *program]
    world.run(traced, source(world, shell, hook=shell != "sh"), env)
    assert processes(trace) == []


def processes(trace: str) -> list[str]:
    """Return the calls of a trace that started a process (not a thread), but the first."""
    with open(trace) as file:
        calls = [line for line in file if re.search(r"\b(clone3?|v?fork|execve)\(", line)]
    assert "execve(" in calls[0]
    return [line for line in calls[1:] if "CLONE_THREAD" not in line]


@needs("shellcheck", "bash", "zsh", "fish")
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_the_checkers_accept_what_is_printed(shell: str, tmp_path: Path) -> None:
    import subprocess

    # shellcheck wonders about what stands in the odd name
    world = Home(str(tmp_path / "world"), "plain")

    checkers = {
        "sh": [["shellcheck", "-s", "sh"], ["dash", "-n"]],
        "bash": [["shellcheck", "-s", "bash"], ["bash", "-n"]],
        "zsh": [["zsh", "-n"]],
        "fish": [["fish", "-n"]],
    }
    path = world.init(shell, hook=shell != "sh")
    for checker in checkers[shell]:
        done = subprocess.run([*checker, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), checker


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_code_for_each_shell(
    shell: str, bubble: Callable[..., Result], home: str
) -> None:
    done = bubble("init", shell)
    assert (done.status, done.err) == (0, "")
    assert quoted(home, shell) in done.out
    assert "@" + "home@" not in done.out
    assert "@" + "cases@" not in done.out
    assert bubble("init", shell, "--json").json["data"]["code"].rstrip("\n") == done.out.rstrip(
        "\n"
    )


def test_the_program_says_how_to_get_the_function(bubble: Callable[..., Result]) -> None:
    for words in (["shell", "3.12"], ["shell", "--unset"], ["activate", "x"], ["deactivate"]):
        done = bubble(*words)
        assert done.status == 2
        assert "function" in done.err
        assert "bubble init" in done.err


def test_the_shells_request_is_checked_by_the_program(bubble: Callable[..., Result]) -> None:
    assert bubble("shell", "--check", "system").out == "system\n"
    done = bubble("shell", "--check", "3.99")
    assert (done.status, done.out) == (1, "")
    assert "3.99" in done.err
    assert bubble("shell", "--check", "not a request!").status == 2
    assert bubble("shell", env={"BUBBLE_PYTHON": "3.12"}).out == "3.12\n"


def test_which_shell_is_taken_from_the_variable(bubble: Callable[..., Result]) -> None:
    done = bubble("init", env={"SHELL": "/usr/bin/zsh"})
    assert done.status == 0
    assert "for zsh, since SHELL is /usr/bin/zsh" in done.err
    assert bubble("init", env={"SHELL": "/bin/tcsh"}).status == 2
    assert "--hook" in bubble("init", "sh", "--hook").err


def test_without_the_variable_the_login_shell_is_taken(bubble: Callable[..., Result]) -> None:
    """A container starts its first shell without SHELL."""
    login = pwd.getpwuid(os.getuid()).pw_shell
    done = bubble("init", "-", env={"SHELL": None})
    if os.path.basename(login) in {"bash", "zsh", "fish", "sh", "dash"}:
        assert done.status == 0
        assert f"since the login shell is {login}" in done.err
    else:
        assert done.status == 2
        assert "name it, as in: bubble init bash --install" in done.err


def test_a_home_with_a_colon_is_refused(bubble: Callable[..., Result], tmp_path: Path) -> None:
    done = bubble("init", "bash", env={"BUBBLE_HOME": f"{tmp_path}/a:b"})
    assert done.status == 2
    assert "colon" in done.err


def test_the_odd_directory_has_what_shells_stumble_over() -> None:
    assert set("'\"$`\\%!# ") - set(ODD) == {'"'}
