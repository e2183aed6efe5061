"""The hook at cd: it recognises bubble's answers in the shell itself, and takes them back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bubble.model.quoting import quoted
from support.needs import needs
from support.shells import HOOKED, ODD, Home, content, lines, name_of
from support.shimworld import write

if TYPE_CHECKING:
    from pathlib import Path

EACH = pytest.mark.parametrize(("shell", "program"), HOOKED, ids=name_of)


@pytest.fixture
def world(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "world"))


def old(path: str, text: str) -> None:
    """Write a file with a time of long ago, so that only what it says can tell that it changed."""
    write(path, text)
    os.utime(path, (1, 1))


class Script:
    """The lines of a script: `cd` runs what a prompt would, and prints the active environment."""

    def __init__(self, shell: str, home: Home) -> None:
        self.shell = shell
        word = quoted(home.init(shell, hook=True), shell)
        self.text = f"source {word}\n" if shell == "fish" else f"set -u\n. {word}\n"

    def cd(self, path: str) -> Script:
        # a shell without a terminal has no prompt; zsh and fish follow at once by themselves
        prompt = "_bubble_hook\n" if self.shell == "bash" else ""
        return self.do(f"cd {quoted(path, self.shell)}\n{prompt}").show("VIRTUAL_ENV")

    def show(self, name: str) -> Script:
        if self.shell == "fish":
            return self.do(
                f"if set -q {name}; string join : -- ${name}; true; else; echo unset; end\n"
            )
        return self.do(f'printf "%s\\n" "${{{name}-unset}}"\n')

    def do(self, text: str) -> Script:
        self.text += text
        return self


@EACH
def test_a_directorys_environment_comes_and_goes_with_it(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project(f"project {ODD}")
    other, second = world.project("other")
    os.makedirs(f"{directory}/a/b")
    script = Script(shell, world).show("PATH").cd(f"{directory}/a/b").show("PATH").do("python\n")
    script.cd(directory).cd(other).show("PATH").cd("/").show("PATH").show("_BUBBLE_HOOK")
    said = lines(world.run(program, script.text, env))
    plain = said[0]
    assert plain == f"{world.layout.shims}:{env['PATH']}"
    assert said[1:4] == [prefix, f"{prefix}/bin:{plain}", prefix]
    assert said[4] == prefix
    assert said[5:7] == [second, f"{second}/bin:{plain}"]
    assert said[7:] == ["unset", plain, "unset"]


@EACH
@pytest.mark.parametrize(
    "change",
    [
        "other pin",
        "no pin",
        "another file",
        "truncated memo",
        "empty memo",
        "older format",
        "other format",
        "interpreter",
        "pyvenv.cfg",
        "pin is a pipe",
        "NUL",
    ],
)
def test_an_answer_that_no_longer_holds_gives_no_environment(  # noqa: C901 - a flat table
    shell: str, program: list[str], change: str, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    pin, memo = f"{directory}/.python-version", world.layout.answer(directory)
    with open(memo) as file:
        text = file.read()
    match change:
        case "other pin":  # with an old time, as `tar` and `mv` bring it
            old(pin, "3.12\n")
        case "no pin":
            os.unlink(pin)
        case "another file":
            old(f"{directory}/.tool-versions", "")
        case "truncated memo":
            old(memo, text.removesuffix(".\n"))
        case "empty memo":
            old(memo, "")
        case "older format":
            old(memo, f"{prefix}\n1 .venv .python-version\n.python-version\n3.11\n")
        case "other format":
            old(memo, text.replace("answer 2", "answer 3"))
        case "interpreter":
            os.unlink(f"{prefix}/bin/python")
        case "pyvenv.cfg":
            os.unlink(f"{prefix}/pyvenv.cfg")
        case "pin is a pipe":
            os.unlink(pin)
            os.mkfifo(pin)
            os.utime(pin, (1, 1))
        case "NUL":
            old(pin, "3.11\n\0rm")
    said = lines(world.run(program, Script(shell, world).cd(directory).text, env))
    assert said == ["unset"]


@EACH
def test_the_nearest_directory_that_says_anything_decides(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    for name in ("undecided", "python", "silent", "dangling"):
        os.makedirs(f"{directory}/{name}/x")
    for name in ("undecided", "python"):
        old(f"{directory}/{name}/.python-version", "3.12\n")
    installed = f"{world.layout.pythons}/x"
    os.makedirs(installed)
    said = content(f"{directory}/python/.python-version")
    world.memo(f"{directory}/python", installed, ".python-version", *said)
    old(f"{directory}/silent/pyproject.toml", "")
    said = content(f"{directory}/silent/pyproject.toml")
    world.memo(f"{directory}/silent", "-", "pyproject.toml", *said)
    os.symlink("/nowhere", f"{directory}/dangling/.python-version")
    script = Script(shell, world)
    for name in ("undecided", "silent", "python", "silent", "dangling"):
        script.cd(f"{directory}/{name}/x")
    said = lines(world.run(program, script.text, env))
    assert said == ["unset", prefix, "unset", prefix, "unset"]


@EACH
def test_several_prefixes_and_a_pyproject_are_recognised(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    os.unlink(f"{directory}/.python-version")
    old(f"{directory}/pyproject.toml", "anything")
    said = content(f"{directory}/pyproject.toml")
    world.memo(directory, f"{prefix}:/other", ".venv pyproject.toml", *said)
    alone = world.environment(f"{world.root}/alone/.venv")
    world.memo(f"{world.root}/alone", alone, ".venv")
    script = Script(shell, world).cd(directory).cd(f"{world.root}/alone")
    assert lines(world.run(program, script.text, env)) == [prefix, alone]


@EACH
def test_a_link_to_nothing_is_passed_over_while_it_leads_to_nothing(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    os.symlink("/nowhere", f"{directory}/pyproject.toml")
    names, pin = ".venv .python-version pyproject.toml", ".python-version"
    world.memo(directory, prefix, names, *content(f"{directory}/{pin}"))
    other, second = world.project("other")
    os.unlink(f"{other}/{pin}")
    os.symlink("/nowhere", f"{other}/{pin}")
    old(f"{other}/pyproject.toml", "")
    said = content(f"{other}/pyproject.toml")
    world.memo(other, second, names, "l", f"{other}/{pin}", *said)
    script = Script(shell, world).cd(directory).cd(other)
    assert lines(world.run(program, script.text, env)) == [prefix, second]
    os.unlink(f"{other}/{pin}")
    os.symlink(f"{directory}/{pin}", f"{other}/{pin}")
    assert lines(world.run(program, script.text, env)) == [prefix, "unset"]


@EACH
def test_what_was_made_active_by_hand_stays(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    named = world.environment(f"{world.layout.home}/envs/web")
    script = Script(shell, world).do("bubble activate web\n").cd(directory).cd("/")
    script.do("bubble deactivate\n").cd(directory).do("bubble activate web\n").cd("/")
    script.do("deactivate\n").show("VIRTUAL_ENV").show("PATH").cd(directory).do("deactivate\n")
    script.show("VIRTUAL_ENV").show("PATH")
    said = lines(world.run(program, script.text, env))
    plain = f"{world.layout.shims}:{env['PATH']}"
    assert said == [named, named, prefix, named, "unset", plain, prefix, "unset", plain]


@EACH
def test_what_this_shell_asks_for_comes_before_the_directory(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    again = "_bubble_hook\n" if shell != "fish" else ""
    script = Script(shell, world).cd(directory)
    script.do(f"bubble shell 3.12\n{again}").show("VIRTUAL_ENV").cd("/").cd(directory)
    script.do(f"bubble shell --unset\n{again}").show("VIRTUAL_ENV")
    said = lines(world.run(program, script.text, env))
    assert said == [prefix, "unset", "unset", "unset", prefix]


@EACH
def test_a_nested_shell_leaves_what_its_parents_hook_entered(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    nested = {**env, "VIRTUAL_ENV": prefix, "_BUBBLE_HOOK": prefix}
    nested["PATH"] = f"{prefix}/bin:{world.layout.shims}:{env['PATH']}"
    script = Script(shell, world).cd(directory).show("PATH").cd("/").show("PATH")
    said = lines(world.run(program, script.text, nested))
    assert said == [prefix, nested["PATH"], "unset", f"{world.layout.shims}:{env['PATH']}"]


@needs("bash")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "_bubble_hook;_bubble_look _bubble_hooked"),
        ("PROMPT_COMMAND='a; b;'", "_bubble_hook;_bubble_look;a; b; _bubble_hooked"),
        ("PROMPT_COMMAND=(a 'b c')", "_bubble_hook;_bubble_look;a b c _bubble_hooked"),
    ],
)
def test_bash_keeps_the_prompt_commands_and_their_view_of_the_last_status(
    before: str, after: str, world: Home, env: dict[str, str]
) -> None:
    script = Script("bash", world)
    script.text = f"{before}\n{script.text}{script.text}"
    script.do("echo ${PROMPT_COMMAND[*]}\n(exit 9); _bubble_hook\necho $?\n")
    done = world.run(["bash", "--norc"], script.text, env)
    assert lines(done) == [after, "9"]


@needs("zsh")
def test_zsh_keeps_other_hooks_and_adds_its_own_once(world: Home, env: dict[str, str]) -> None:
    script = Script("zsh", world)
    script.text = f"precmd_functions=(mine)\n{script.text}{script.text}"
    script.do("print $chpwd_functions / ${precmd_functions:#_bubble_compdef}\n")
    script.do("(exit 9)\n_bubble_hook\nprint $?\n")
    assert lines(world.run(["zsh", "-f"], script.text, env)) == [
        "_bubble_hook _bubble_hooked / _bubble_hook mine _bubble_look _bubble_hooked",
        "9",
    ]


@EACH
@pytest.mark.parametrize("option", ["set -e", "ksh arrays", "no clobber"])
def test_the_users_options_do_no_harm(
    shell: str, program: list[str], option: str, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    setting = {
        "set -e": "set -e",
        "ksh arrays": "setopt ksh_arrays sh_word_split glob_subst null_glob rc_quotes"
        if shell == "zsh"
        else "shopt -s nullglob failglob nocasematch",
        "no clobber": "set -Cu",
    }[option]
    script = Script(shell, world)
    if shell != "fish":
        script.text = f"{setting}\n{script.text}"
    script.cd(directory).cd("/")
    assert lines(world.run(program, script.text, env)) == [prefix, "unset"]


@needs("strace")
@EACH
def test_changing_the_directory_starts_no_process(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    trace = f"{world.root}/trace"
    traced = ["strace", "-f", "-qq", "-e", "trace=process", "-o", trace, *program]
    script = Script(shell, world).cd(directory).cd("/").cd(directory)
    assert lines(world.run(traced, script.text, env)) == [prefix, "unset", prefix]
    with open(trace) as file:
        calls = [line for line in file if re.search(r"\b(clone3?|v?fork|execve)\(", line)]
    assert [line for line in calls[1:] if "CLONE_THREAD" not in line] == []


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_an_interactive_shell_follows_at_its_prompt(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell} (apt install {shell})")
    directory, prefix = world.project("project")
    code = quoted(world.init(shell, hook=True), shell)
    inner = f'cd {quoted(directory, shell)}\necho "=$VIRTUAL_ENV=$PS1"\nfalse\necho "=$?"\ncd /\n'
    words = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i", "-s"]}[shell]
    done = subprocess.run(
        words,
        input=f". {code}\nPS1='> '\n{inner}echo \"=${{VIRTUAL_ENV-none}}=$PS1\"\n",
        cwd=world.root,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line[line.index("=") :] for line in done.stdout.splitlines() if "=" in line]
    assert said == [f"={prefix}=(project) > ", "=1", "=none=> "], done.stderr
