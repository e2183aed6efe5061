"""Shells inside shells: start-up files that are read twice, PATH set anew, tmux, an editor's."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from bubble.model.quoting import quoted
from support.needs import needs
from support.sessions import EACH, Session, source
from support.shells import CASES, Home, lines, name_of
from support.shimworld import write

if TYPE_CHECKING:
    from pathlib import Path

EVERY = pytest.mark.parametrize(("shell", "program"), CASES, ids=name_of)


@pytest.fixture
def world(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "w"))


def show(shell: str, name: str) -> str:
    if shell == "fish":
        return f"if set -q {name}; string join : -- ${name}; true; else; echo unset; end\n"
    return f'printf "%s\\n" "${{{name}-unset}}"\n'


@EVERY
def test_an_active_environment_that_is_not_on_path_is_dropped(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    named = world.environment(f"{world.layout.home}/envs/web")
    nested = {
        **env,
        "VIRTUAL_ENV": named,
        "VIRTUAL_ENV_PROMPT": "web",
        "_BUBBLE_HOOK": named,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    word = quoted(world.init(shell), shell)
    strict = "" if shell == "fish" else "set -eu\n"
    names = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "_BUBBLE_HOOK", "PATH")
    shown = "".join(show(shell, name) for name in names)
    script = f"{strict}{'source' if shell == 'fish' else '.'} {word}\n{shown}"
    said = lines(world.run(program, script, nested))
    assert said == ["unset"] * 3 + [f"{world.layout.shims}:{nested['PATH']}"]


@EVERY
def test_an_active_environment_that_was_inherited_can_be_left(
    shell: str, program: list[str], world: Home, env: dict[str, str]
) -> None:
    named = world.environment(f"{world.layout.home}/envs/web")
    nested = {
        **env,
        "VIRTUAL_ENV": named,
        "PATH": f"{named}/bin:{world.layout.shims}:{env['PATH']}",
    }
    word = quoted(world.init(shell), shell)
    script = f"{'source' if shell == 'fish' else '.'} {word}\ndeactivate\n"
    said = lines(
        world.run(program, script + show(shell, "VIRTUAL_ENV") + show(shell, "PATH"), nested)
    )
    assert said == ["unset", f"{world.layout.shims}:{env['PATH']}"]


@EACH
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("hook", [True, False])
def test_start_up_files_may_evaluate_it_twice(
    shell: str, times: int, hook: bool, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    rc = (source(world, shell, hook=hook), source(world, shell)) * times
    with Session(shell, world.root, env, rc=rc) as session:
        plain = session.path
        assert plain == [world.layout.shims, *env["PATH"].split(":")]
        for _ in range(2):
            session.cd(directory)
            assert (session.active, session.path) == (prefix, [f"{prefix}/bin", *plain])
            assert session.prompt == "(project) > "
            session.cd("/")
            assert (session.active, session.path, session.prompt) == ("", plain, "> ")
        # and once more where it is active
        rc_file = {"fish": f"{world.root}/user/.config/fish/config.fish"}.get(
            shell, f"{world.root}/user/.{shell}rc"
        )
        session.cd(directory).do(f"{'source' if shell == 'fish' else '.'} {rc_file}")
        assert (session.active, session.path) == (prefix, [f"{prefix}/bin", *plain])
        session.cd("/")
        assert (session.active, session.path) == ("", plain)


@EACH
def test_a_shell_in_a_shell_shows_the_environment_and_leaves_it(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    inherited = {
        "VIRTUAL_ENV": prefix,
        "_BUBBLE_HOOK": prefix,
        "PATH": f"{prefix}/bin:{world.layout.shims}:{env['PATH']}",
    }
    rc = (source(world, shell),)
    with Session(shell, world.root, {**env, **inherited}, rc=rc, cwd=directory) as session:
        assert (session.active, session.prompt) == (prefix, "(project) > ")
        assert session.path == inherited["PATH"].split(":")
        assert session.do("deactivate").active == ""
        assert session.path == [world.layout.shims, *env["PATH"].split(":")]
        session.cd("/").cd(directory)
        assert (session.active, session.prompt) == (prefix, "(project) > ")
        session.cd("/")
        assert (session.active, session.prompt) == ("", "> ")


LOGIN = {"bash": ("bash", "-l", "-i"), "zsh": ("zsh", "-l", "-i"), "fish": ("fish", "-l", "-i")}


@EACH
@pytest.mark.parametrize("who", ["hook", "hand"])
def test_a_login_shell_that_sets_path_anew_follows_the_directories(
    shell: str, who: str, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    named = world.environment(f"{world.layout.home}/envs/web")
    was = prefix if who == "hook" else named
    inherited = {
        "VIRTUAL_ENV": was,
        "PATH": f"{was}/bin:{world.layout.shims}:{env['PATH']}",
        **({"_BUBBLE_HOOK": was} if who == "hook" else {}),
    }
    anew = "/usr/local/bin:/usr/bin:/bin"
    # as /etc/profile of Debian does; not every machine's
    profile = "set -gx PATH (string split : -- @)\n" if shell == "fish" else "PATH=@\n"
    rc = (profile.replace("@", anew), source(world, shell))
    words = LOGIN[shell]
    with Session(shell, world.root, {**env, **inherited}, rc=rc, words=words) as session:
        assert session.active == ""
        assert session.path == [world.layout.shims, *anew.split(":")]
        assert (session.cd(directory).active, session.prompt) == (prefix, "(project) > ")
        session.cd("/")
        assert (session.active, session.prompt) == ("", "> ")
        assert session.path == [world.layout.shims, *anew.split(":")]


@needs("tmux")
@EACH
def test_a_window_of_tmux_is_in_the_directorys_environment_and_no_other(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    named = world.environment(f"{world.layout.home}/envs/web")
    out = f"{world.root}/out"
    anew = "set -gx PATH /usr/bin /bin\n" if shell == "fish" else "PATH=/usr/bin:/bin\n"
    # the session only writes the start-up files
    session = Session(shell, world.root, env, rc=(anew, source(world, shell)))
    session.__exit__()
    socket = f"{world.root}/t"
    variables = {
        **session.env,
        "VIRTUAL_ENV": named,
        "PATH": f"{named}/bin:{world.layout.shims}:{env['PATH']}",
    }

    def tmux(*words: str) -> None:
        subprocess.run(
            [*("tmux", "-f", "/dev/null", "-S", socket), *words],
            env=variables,
            check=True,
            timeout=60,
            capture_output=True,
        )

    try:
        tmux("new-session", "-d", "-c", directory, "-s", "one")
        for where, expected in ((directory, prefix), ("/", "")):
            line = f"cd {quoted(where, shell)}"
            told = f"tell; cp {quoted(f'{world.root}/told', shell)} {quoted(out, shell)}"
            tmux("send-keys", "-t", "one", line, "Enter")
            tmux("send-keys", "-t", "one", f"{told}; tmux -S {socket} wait-for -S done", "Enter")
            tmux("wait-for", "done")
            with open(out) as file:
                active, path, _, _ = file.read().split("\0")
            assert active == expected
            assert f"{named}/bin" not in path.split(":")
    finally:
        tmux("kill-server")


@EACH
def test_what_an_editor_makes_active_after_the_start_up_files_stays(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    directory, _ = world.project("project")
    chosen = world.environment(f"{world.root}/chosen")
    inherited = {"VIRTUAL_ENV": chosen, "PATH": f"{chosen}/bin:{env['PATH']}"}
    # VS Code's shell integration sets both once more after the start-up files
    late = (
        f"set -gx VIRTUAL_ENV {chosen}; set -gx PATH {chosen}/bin $PATH\n"
        if shell == "fish"
        else f"export VIRTUAL_ENV={chosen}; PATH={chosen}/bin:$PATH\n"
    )
    wrap = '__prompt() { eval "$original"; }\noriginal=$PROMPT_COMMAND\nPROMPT_COMMAND=__prompt\n'
    rc = (source(world, shell), late, wrap if shell == "bash" else "")
    with Session(shell, world.root, {**env, **inherited}, rc=rc) as session:
        for where in ("/", directory, "/"):
            session.cd(where)
            assert (session.active, session.path[0]) == (chosen, f"{chosen}/bin")
        assert session.path.count(world.layout.shims) == 1


@needs("fish")
@pytest.mark.parametrize("words", [["-i", "-c"], ["-c"]])
def test_in_fish_a_command_finds_the_shims_first_too(
    words: list[str], world: Home, env: dict[str, str]
) -> None:
    user, brew = f"{world.root}/user", f"{world.root}/brew/bin"
    write(f"{brew}/python3", "#!/bin/sh\n", 0o755)
    write(f"{user}/.config/fish/conf.d/bubble.fish", source(world, "fish"))
    write(f"{user}/.config/fish/config.fish", f"fish_add_path -g {brew}\nset -gx PATH /b $PATH\n")
    own = {"HOME": user, "XDG_CONFIG_HOME": f"{user}/.config", "XDG_DATA_HOME": f"{user}/data"}
    os.makedirs(f"{user}/data/fish/generated_completions")
    done = subprocess.run(
        ["fish", *words, "string join : -- $PATH; set -gx PATH /typed $PATH; echo $PATH[1]"],
        env={**env, **own}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    path, typed = done.stdout.splitlines()
    assert path.split(":")[:3] == [world.layout.shims, "/b", brew]
    assert (typed, done.stderr) == ("/typed", "")


@needs("fish")
def test_in_fish_the_shims_stay_first_though_config_fish_comes_later(
    world: Home, env: dict[str, str]
) -> None:
    write(f"{world.root}/brew/bin/python3", "#!/bin/sh\n", 0o755)
    late = f"fish_add_path -g {world.root}/brew/bin\n"
    with Session("fish", world.root, env, rc=(source(world, "fish"), late)) as session:
        assert session.path[:2] == [world.layout.shims, f"{world.root}/brew/bin"]
        # what the user types is the user's
        session.do("set -gx PATH /typed $PATH").do("true")
        assert session.path[:2] == ["/typed", world.layout.shims]


@needs("strace")
@EACH
def test_neither_the_start_nor_a_prompt_starts_a_process(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    directory, prefix = world.project("project")
    trace = f"{world.root}/trace"
    words = ("strace", "-f", "-qq", "-e", "trace=process", "-o", trace, LOGIN[shell][0], "-i")
    with Session(shell, world.root, env, rc=(source(world, shell),), words=words) as session:
        before = len(started(trace))
        session.cd(directory)
        assert session.active == prefix
        session.do("deactivate").cd("/").do("true")
        assert session.active == ""
        assert len(started(trace)) == before
        session.do("/bin/true")
        assert len(started(trace)) > before
    if shell != "fish":  # which has functions that ask `uname` and the like, before ours
        assert before == 1
    assert os.path.exists(trace)


def started(trace: str) -> list[str]:
    """Return the calls of a trace that started a process, not a thread."""
    with open(trace) as file:
        calls = [line for line in file if re.search(r"\b(clone3?|v?fork|execve)\(", line)]
    return [line for line in calls if "CLONE_THREAD" not in line]
