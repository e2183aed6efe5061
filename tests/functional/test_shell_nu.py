"""nushell and PowerShell: nushell evaluates the code where it is installed (npm has it)."""

from __future__ import annotations

import os
import subprocess
import sys
from shlex import quote
from typing import TYPE_CHECKING

import pytest

from bubble.model.quoting import quoted
from support.clinic import program
from support.needs import NOT_HERE, which
from support.shells import Home, lines
from support.shimworld import write

if TYPE_CHECKING:
    from pathlib import Path

NU = os.environ.get("BUBBLE_TEST_NU") or which("nu")
PWSH = which("pwsh")


@pytest.fixture
def world(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "world"))


def nu(world: Home, script: str, env: dict[str, str]) -> list[str]:
    code = quoted(world.init("nu", hook=True), "nu")
    config = {"XDG_CONFIG_HOME": f"{world.root}/xdg"}
    return lines(
        world.run([str(NU), "--no-config-file"], f"source {code}\n{script}", {**env, **config})
    )


ACTIVE = "print ($env.VIRTUAL_ENV? | default unset)\n"
PATH = "print ($env.PATH | str join ':')\n"


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_has_path_activation_and_the_hook(world: Home, env: dict[str, str]) -> None:
    directory, prefix = world.project("project")
    named = world.environment(f"{world.layout.home}/envs/web")
    script = (
        f"{PATH}cd {quoted(directory, 'nu')}\nbubble-follow\n{ACTIVE}{PATH}"
        f"cd /\nbubble-follow\n{ACTIVE}{PATH}"
        f"bubble activate web\n{ACTIVE}cd {quoted(directory, 'nu')}\nbubble-follow\n{ACTIVE}"
        f"deactivate\n{ACTIVE}{PATH}bubble activate\n{ACTIVE}bubble deactivate\n"
        "bubble shell 3.12\nprint $env.BUBBLE_PYTHON\nbubble shell --unset\n"
        "print ($env.BUBBLE_PYTHON? | default unset)\n"
        "bubble-complete 'bubble python in' | get value | where $it =~ '^in' | print ...$in\n"
    )
    plain = f"{world.layout.shims}:{env['PATH']}"
    assert nu(world, script, env) == [
        plain, prefix, f"{prefix}/bin:{plain}", "unset", plain,
        named, named, "unset", plain, prefix, "3.12", "unset", "install",
    ]  # fmt: skip


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_completes_the_names_of_bubbles(world: Home, env: dict[str, str]) -> None:
    write(f"{world.root}/bubble.toml", "[bubbles.Train]\n[bubbles.web]\n")
    os.mkdir(f"{world.root}/bin")
    os.symlink(f"{os.path.dirname(sys.executable)}/bubble", f"{world.root}/bin/bubble")
    offered = "print (bubble-complete 'bubble sync ' | str join ' ')\n"
    script = f"{offered}rm bubble.toml\n{offered}"
    path = {"PATH": f"{world.root}/bin:{env['PATH']}"}
    assert nu(world, script, {**env, **path}) == ["train web", ""]


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_leaves_alone_what_was_left_by_hand(world: Home, env: dict[str, str]) -> None:
    directory, prefix = world.project("project")
    look = f"bubble-follow\n{ACTIVE}"
    enter = f"cd {quoted(directory, 'nu')}\n"
    script = f"{enter}{look}deactivate\n{look}{look}cd /\n{look}{enter}{look}"
    assert nu(world, script, env) == [prefix, "unset", "unset", "unset", prefix]


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
@pytest.mark.parametrize(
    ("text", "shown"),
    [("prompt = fancy\n", "fancy"), ("a = b\nprompt='it is'\n", "it is"), ("prompt =\n", "desk")],
)
def test_nushell_shows_the_prompt_that_an_environment_was_given(
    text: str, shown: str, world: Home, env: dict[str, str]
) -> None:
    prefix = world.environment(f"{world.root}/desk/.venv")
    with open(f"{prefix}/pyvenv.cfg", "w") as file:
        file.write(text)
    script = f"bubble activate {quoted(prefix, 'nu')}\nprint $env.VIRTUAL_ENV_PROMPT\n"
    assert nu(world, script, env) == [shown]


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_drops_an_active_environment_that_is_not_on_path(
    world: Home, env: dict[str, str]
) -> None:
    named = world.environment(f"{world.layout.home}/envs/web")
    nested = {**env, "VIRTUAL_ENV": named, "PATH": "/usr/bin:/bin"}
    assert nu(world, f"{ACTIVE}{PATH}", nested) == ["unset", f"{world.layout.shims}:/usr/bin:/bin"]
    nested["PATH"] = f"/usr/bin:{named}/bin"
    path = f"{named}/bin:{world.layout.shims}:/usr/bin"
    assert nu(world, f"{ACTIVE}{PATH}", nested) == [named, path]


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_ignores_an_answer_that_no_longer_holds(world: Home, env: dict[str, str]) -> None:
    directory, _ = world.project("project")
    write(f"{directory}/.python-version", "3.12\n")
    script = f"cd {quoted(directory, 'nu')}\nbubble-follow\n{ACTIVE}"
    assert nu(world, script, env) == ["unset"]


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_shows_a_directorys_name_and_no_more(world: Home, env: dict[str, str]) -> None:
    bad = world.environment(f"{world.root}/a $(touch ran)\x1b[31m é")
    script = (
        "$env.PROMPT_COMMAND = {|| '> ' }\n"
        f"bubble activate {quoted(bad, 'nu')}\nprint (do $env.PROMPT_COMMAND)\n"
        "deactivate\nprint (do $env.PROMPT_COMMAND)\n"
    )
    assert nu(world, script, env) == ["(a $(touch ran)_[31m é) > ", "> "]
    assert not os.path.exists(f"{world.root}/ran")


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
def test_nushell_enters_what_the_directory_selects(world: Home, env: dict[str, str]) -> None:
    path = world.environment(f"{world.layout.home}/envs/web")
    os.makedirs(f"{world.root}/elsewhere")
    asked = '[ "$*" = "activate --check" ] || exit 3'
    script = (
        f"cd {quoted(f'{world.root}/elsewhere', 'nu')}\n"
        f"try {{ bubble activate }} catch {{ print refused }}\n{ACTIVE}"
    )
    for answer, expected in (
        ("exit 1", ["refused", "unset"]),
        (f"printf %s {quote(path)}", [path]),
    ):
        program(world.program, f"{asked}\n{answer}")
        assert nu(world, script, env) == expected


@pytest.mark.skipif(not NU, reason=f"{NOT_HERE}nushell, which npm has (BUBBLE_TEST_NU)")
@pytest.mark.parametrize("typed", ["nothing", "./hollow", "../a:b"])
def test_nushell_enters_nothing_that_is_none(typed: str, world: Home, env: dict[str, str]) -> None:
    os.makedirs(f"{world.root}/hollow")
    world.environment(f"{os.path.dirname(world.root)}/a:b")
    script = f"try {{ bubble activate {typed} }} catch {{|e| print $e.msg }}\n{ACTIVE}"
    said, active = nu(world, script, env)
    assert ("colon" if ":" in typed else "there is no environment at") in said
    assert active == "unset"


@pytest.mark.skipif(
    not PWSH, reason=f"{NOT_HERE}PowerShell: neither Debian nor npm nor PyPI has its program"
)
def test_powershell_has_path_activation_and_the_hook(world: Home, env: dict[str, str]) -> None:
    directory, prefix = world.project("project")
    code = quoted(world.init("pwsh", hook=True), "pwsh")
    script = (
        f". {code}\n$env:PATH\nSet-Location -LiteralPath {quoted(directory, 'pwsh')}\n"
        '$env:VIRTUAL_ENV\nSet-Location /\n"<$env:VIRTUAL_ENV>"\n$env:PATH\n'
    )
    done = subprocess.run(
        [str(PWSH), "-NoProfile", "-Command", script],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    plain = f"{world.layout.shims}:{env['PATH']}"
    assert lines(done) == [plain, prefix, "<>", plain]


@pytest.mark.parametrize("text", ["plain", "it's", "a'#b", "a'##'#b", "'#", "#"])
def test_a_raw_string_of_nushell_ends_nowhere_but_at_its_end(text: str) -> None:
    word = quoted(text, "nu")
    marks = word[1 : word.index("'")]
    assert set(marks) == {"#"}
    assert word == f"r{marks}'{text}'{marks}"
    assert word.index(f"'{marks}", 1 + len(marks) + 1) == len(word) - len(marks) - 1
