"""Completions in real shells, generated from the command table and argparse."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.cli.completions import entries
from bubble.cli.table import COMMANDS, GROUPS
from bubble.model.quoting import quoted
from support.needs import needs
from support.shells import Home, lines
from support.shimworld import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

# what is typed, a word that must be offered, and one that must not
CASES = [
    (("",), "python", "--json"),
    (("py",), "python", "use"),
    (("python", ""), "install", "use"),
    (("python", "in"), "install", "list"),
    (("python", "install", "--re"), "--reinstall", "--upgrade"),
    (("python", "install", "3.1"), "3.12", "cpython-3.12.4-linux-x86_64-gnu"),
    (("python", "install", "3.12.1"), "3.12.13", "3.12"),
    (("python", "uninstall", ""), "cpython-3.12.4-linux-x86_64-gnu", "3.12"),
    (("use", ""), "cpython-3.12.4-linux-x86_64-gnu", "pytest"),
    (("use", "s"), "system", "zsh"),
    (("use", "3.1"), "3.12", "system"),
    (("local", "w"), "web", "system"),
    (("global", ""), "system", "train"),
    (("create", "x", "-p", "3.1"), "3.12", "web"),
    (("exec", "-p", ""), "cpython-3.12.4-linux-x86_64-gnu", "pytest"),
    (("exec", "-p", "t"), "train", "web"),
    (("exec", "py"), "pytest", "train"),
    (("exec", "-p", "web", "py"), "pytest", "web"),
    (("which", "py"), "pytest", "cpython-3.12.4-linux-x86_64-gnu"),
    (("init", ""), "zsh", "python"),
    (("activate", "w"), "web", "zsh"),
    (("activate", "tr"), "train", "web"),
    (("activate", ""), "everybodys", "zsh"),
    (("use", "3."), "3.9", "zsh"),
    (("run", "--sync", "tr"), "train", "web"),
    (("run", "web", "py"), "pytest", "web"),
    (("sync", "tr"), "train", "web"),
    (("lock", "train", ""), "evaluate", "web"),
]
EACH = pytest.mark.parametrize(("typed", "offered", "not_offered"), CASES)


@pytest.fixture
def world(tmp_path: Path) -> Home:
    home = Home(str(tmp_path / "world"))
    write(f"{home.root}/bubble.toml", "[bubbles.train]\n[bubbles.Evaluate]\n")
    os.makedirs(home.layout.python("cpython-3.12.4-linux-x86_64-gnu"))
    home.environment(f"{home.layout.home}/envs/web")
    open(f"{home.layout.shims}/pytest", "w").close()
    return home


@pytest.fixture
def env(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Return the variables with bubble itself on PATH, which alone knows a project's bubbles."""
    os.mkdir(tmp_path / "bin")
    os.symlink(f"{os.path.dirname(sys.executable)}/bubble", tmp_path / "bin" / "bubble")
    system = f"{tmp_path}/system"
    for path in ("pythons/3.9", "envs/everybodys"):
        os.makedirs(f"{system}/{path}")
    return {
        **env,
        "PATH": f"{tmp_path}/bin:{env['PATH']}",
        "BUBBLE_SYSTEM_HOME": system,
    }


def test_every_command_group_and_option_is_known() -> None:
    found = {entry.words: entry for entry in entries()}
    assert found.keys() == {"", *COMMANDS, *GROUPS}
    install = found["python install"]
    assert "--sha256" in dict(install.options)
    assert dict(install.valued)["--from"] == "file"
    assert install.rest == "installable"
    assert (found["exec"].rest, found["exec"].own) == ("command", "file")
    assert found["run"].own == "command+file"
    assert "--check" not in dict(found["shell"].options)


@needs("bash")
@EACH
def test_bash_completes(
    typed: tuple[str, ...], offered: str, not_offered: str, world: Home, env: dict[str, str]
) -> None:
    words = " ".join(quoted(word, "bash") for word in ("bubble", *typed))
    script = f"set -u\n. {quoted(world.init('bash'), 'bash')}\nCOMP_WORDS=({words})\n"
    script += f"COMP_CWORD={len(typed)}\n_bubble_complete 2>/dev/null\n"
    script += 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    found = lines(world.run(["bash", "--norc"], script, env))
    assert offered in found
    assert not_offered not in found


@needs("fish")
@EACH
def test_fish_completes(
    typed: tuple[str, ...], offered: str, not_offered: str, world: Home, env: dict[str, str]
) -> None:
    line = " ".join(("bubble", *typed))
    script = f"source {quoted(world.init('fish'), 'fish')}\ncomplete -C {quoted(line, 'fish')}\n"
    done = world.run(["fish", "--no-config"], script, env)
    found = [row.partition("\t")[0] for row in lines(done)]
    assert offered in found
    assert not_offered not in found


@needs("zsh")
@EACH
def test_zsh_completes(
    typed: tuple[str, ...], offered: str, not_offered: str, world: Home, env: dict[str, str]
) -> None:
    # zsh completes only at a terminal: what is handed to its builtins is looked at instead
    words = " ".join(quoted(word, "zsh") for word in ("bubble", *typed))
    script = (
        f". {quoted(world.init('zsh'), 'zsh')}\nwords=({words})\nCURRENT={len(typed) + 1}\n"
        f"PREFIX={quoted(typed[-1], 'zsh')}\n"
        "compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- $@ }\n"
        "_describe() { print -l -- ${(P)@[-1]%%:*} }\n_files() { :; }\n_bubble\n"
    )
    found = [
        row for row in lines(world.run(["zsh", "-f"], script, env)) if row.startswith(typed[-1])
    ]
    assert offered in found
    assert not_offered not in found


@needs("zsh")
def test_zsh_registers_them_with_its_completion_system(world: Home, env: dict[str, str]) -> None:
    code = quoted(world.init("zsh"), "zsh")
    dump = quoted(f"{world.root}/dump", "zsh")
    late = f". {code}\nautoload -Uz compinit\ncompinit -u -d {dump}\n"
    early = f"autoload -Uz compinit\ncompinit -u -d {dump}\n. {code}\n"
    show = "print $_comps[bubble] ${(M)precmd_functions:#*comp*}\n"
    for script in (early, late + "for f in $precmd_functions; do $f; done\n"):
        done = world.run(["zsh", "-f"], script + show, env)
        assert lines(done) == ["_bubble"]


@needs("bash", "zsh", "fish")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_command_prints_code_that_stands_alone(
    shell: str, tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    done = bubble("completions", shell)
    assert (done.status, done.err) == (0, "")
    path = tmp_path / "code"
    path.write_text(done.out)
    checked = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert bubble("completions", "sh").status == 2
    assert bubble("completions").status == 2


def test_the_names_of_bubbles_are_those_of_the_manifest(
    tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    assert (bubble("completions", "--bubbles", cwd=str(tmp_path)).out) == ""
    write(f"{tmp_path}/bubble.toml", "bubbles = { Train_GPU = {}, default = {} }")
    assert bubble("completions", "--bubbles", cwd=str(tmp_path)).out == "train-gpu\ndefault\n"


@needs("bash", "zsh", "fish")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_behind_a_command_that_is_run_there_are_files_and_none_of_bubbles_options(
    shell: str, world: Home, env: dict[str, str]
) -> None:
    write(f"{world.root}/train.py", "")
    start = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}
    cases: list[tuple[tuple[str, ...], list[str]]] = [
        (("run", "web", "python", "tra"), ["train.py"]),
        (("exec", "-p", "3.12", "python", "tra"), ["train.py"]),
        (("run", "web", "python", "--sy"), []),
        (("exec", "python", "--py"), []),
    ]
    for words, offered in cases:
        done = world.run(start[shell], _files_asked(shell, words, world), env)
        assert [row for row in lines(done) if row] == offered, done.stderr


def _files_asked(shell: str, words: tuple[str, ...], world: Home) -> str:
    """Return a script that prints what is offered, the files by the shell's own means."""
    code = quoted(world.init(shell), shell)
    typed = " ".join(quoted(word, shell) for word in ("bubble", *words))
    if shell == "fish":
        return f"source {code}\ncomplete -C {quoted(' '.join(('bubble', *words)), 'fish')}\n"
    if shell == "bash":  # readline's default, where nothing else is offered
        return (
            f". {code}\nCOMP_WORDS=({typed})\nCOMP_CWORD={len(words)}\nkind=\n"
            'compopt() { kind=$2; }\n_bubble_complete\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
            f"[[ $kind != default ]] || compgen -f -- {quoted(words[-1], 'bash')}\n"
        )
    return (
        f". {code}\nwords=({typed})\nCURRENT={len(words) + 1}\nPREFIX={quoted(words[-1], 'zsh')}\n"
        "compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- $@ }\n"
        "_describe() { print -l -- ${(P)@[-1]%%:*} }\n_files() { print -l -- $PREFIX*(N) }\n"
        "_bubble\n"
    )


def test_what_can_be_installed_is_known_without_a_network(
    bubble: Callable[..., Result],
) -> None:
    done = bubble("completions", "--installable")
    assert (done.status, done.err) == (0, "")
    found = done.out.split()
    assert {"3.12", "3.12.13", "3.13+freethreaded"} <= {*found}
    assert any(word.startswith("pypy-") for word in found)
    assert len(found) == len({*found})
    elsewhere = bubble(
        "completions", "--installable", env={"BUBBLE_CATALOG": "http://localhost:9/catalogue.json"}
    )
    assert elsewhere.status == 1
    assert elsewhere.out == ""
