"""What a shell does at its prompts: it looks again, whatever has changed, and starts nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bubble.model.quoting import quoted
from bubble.system.layout import MARK
from support.sessions import EACH, Session, source
from support.shells import CASES, Home, lines, name_of
from support.shimworld import write

if TYPE_CHECKING:
    from pathlib import Path

EVERY = pytest.mark.parametrize(("shell", "program"), CASES, ids=name_of)
# a program that notes its call, and makes a shim for each command of the environment it knows
_PROGRAM = """#!/bin/sh
echo "$*" >>@log@
for path in @prefix@/bin/*; do
    : >@shims@/"${path##*/}"
    chmod 755 @shims@/"${path##*/}"
done
echo "$(date +%N) $*" >@home@/shims.seen
"""


class Desk(Home):
    """A home whose program makes shims, and one of its environments, `prefix`."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.prefix = self.environment(f"{self.layout.home}/envs/web")
        write(f"{self.prefix}/{MARK}", "")
        for command in ("python", "pip", "activate"):
            write(f"{self.prefix}/bin/{command}", "#!/bin/sh\n", 0o755)
            write(f"{self.layout.shims}/{command}", "#!/bin/sh\n", 0o755)
        self.log = f"{root}/log"
        write(self.log, "")
        text = _PROGRAM
        for name, value in (
            ("log", self.log),
            ("prefix", self.prefix),
            ("shims", self.layout.shims),
            ("home", self.layout.home),
        ):
            text = text.replace(f"@{name}@", quoted(value, "sh"))
        write(self.program, text, 0o755)

    @property
    def calls(self) -> list[str]:
        """What the program was called with."""
        with open(self.log) as file:
            return file.read().splitlines()

    def installer(self, *names: str, then: str = "") -> str:
        """Return the path of a script that installs commands, as a `pip` beside the shims does."""
        path = f"{self.root}/installer"
        made = "".join(f": >{quoted(f'{self.prefix}/bin/{n}', 'sh')}\n" for n in names)
        mode = f"chmod 755 {quoted(self.prefix, 'sh')}/bin/*\n"
        write(path, f"#!/bin/sh\n{made}{mode}{then}", 0o755)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(str(tmp_path / "w"))


def plain(home: Home, shell: str) -> str:
    word = quoted(home.init(shell), shell)
    return f"source {word}\n" if shell == "fish" else f". {word}\n"


@EVERY
def test_after_a_command_of_bubbles_the_shell_looks_for_its_commands_again(
    shell: str, program: list[str], tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    late, early = f"{world.layout.shims}/thing", f"{world.root}/system/thing"
    write(early, "#!/bin/sh\necho system\n", 0o755)
    made = f"printf '#!/bin/sh\\necho shim\\n' >{quoted(late, 'sh')}"
    write(world.program, f"#!/bin/sh\n{made}\nchmod 755 {quoted(late, 'sh')}\nexit 3\n", 0o755)
    status = "$status" if shell == "fish" else "$?"
    script = f"{plain(world, shell)}thing\nbubble python install 3.12\necho {status}\nthing\n"
    path = f"{world.root}/system:{env['PATH']}"
    assert lines(world.run(program, script, {**env, "PATH": path})) == ["system", "3", "shim"]


@EVERY
@pytest.mark.parametrize("change", ["art", "art removed", "none"])
def test_what_was_installed_without_a_shim_has_one_when_the_environment_is_left(
    shell: str, program: list[str], change: str, desk: Desk, env: dict[str, str]
) -> None:
    art = f"{desk.prefix}/bin/art"
    if change == "art removed":
        write(art, "", 0o755)
        write(f"{desk.layout.shims}/art", "", 0o755)
    install = quoted(desk.installer(*(["art"] if change == "art" else [])), shell)
    if change == "art removed":
        install = f"rm {quoted(art, shell)}"
    script = f"{plain(desk, shell)}bubble activate web\n{install}\ndeactivate\n"
    assert lines(desk.run(program, script, env)) == []
    assert desk.calls == ([] if change == "none" else ["rehash"])
    assert os.path.exists(f"{desk.layout.shims}/art") or change == "none"


@EVERY
def test_an_environment_that_lacks_shims_gets_them_when_it_is_entered(
    shell: str, program: list[str], desk: Desk, env: dict[str, str]
) -> None:
    write(f"{desk.prefix}/bin/art", "", 0o755)
    write(f"{desk.prefix}/bin/notes", "", 0o644)
    script = f"{plain(desk, shell)}bubble activate web\nbubble deactivate\n"
    assert lines(desk.run(program, script, env)) == []
    assert desk.calls == ["rehash"]


@EVERY
def test_an_environment_of_others_is_not_bubbles_business(
    shell: str, program: list[str], desk: Desk, env: dict[str, str]
) -> None:
    os.unlink(f"{desk.prefix}/{MARK}")
    install = quoted(desk.installer("art"), shell)
    script = f"{plain(desk, shell)}bubble activate web\n{install}\nbubble deactivate\n"
    assert lines(desk.run(program, script, env)) == []
    assert desk.calls == []


@EACH
@pytest.mark.parametrize("how", ["bubble activate web", "@source@"])
def test_what_was_installed_without_a_shim_has_one_at_the_next_prompt(
    shell: str, how: str, desk: Desk, env: dict[str, str]
) -> None:
    script = f"{desk.root}/activate"
    set_it = {
        "fish": f"set -gx VIRTUAL_ENV {quoted(desk.prefix, 'fish')}\n",
    }.get(shell, f"export VIRTUAL_ENV={quoted(desk.prefix, 'sh')}\n")
    write(script, set_it)
    with Session(shell, desk.root, env, rc=(source(desk, shell, hook=False),)) as session:
        session.do(how.replace("@source@", f". {script}"))
        assert session.active == desk.prefix
        assert desk.calls == []
        session.do(quoted(desk.installer("art"), shell))
        assert desk.calls == ["rehash"]
        session.do("true").do("true")
        assert desk.calls == ["rehash"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_command_that_was_found_elsewhere_is_its_shim_once_there_is_one(
    shell: str, desk: Desk, env: dict[str, str]
) -> None:
    write(f"{desk.root}/system/art", "#!/bin/sh\necho system\n", 0o755)
    shim = quoted(f"{desk.layout.shims}/art", "sh")
    installer = f"{desk.root}/installer"
    write(
        installer,
        f"#!/bin/sh\nprintf '#!/bin/sh\\necho the shim\\n' >{shim}\nchmod 755 {shim}\n"
        f"printf '1 2\\0' >{quoted(desk.layout.shims_seen, 'sh')}\n",
        0o755,
    )
    path = {**env, "PATH": f"{desk.root}/system:{env['PATH']}"}
    with Session(shell, desk.root, path, rc=(source(desk, shell, hook=False),)) as session:
        session.do("art").do(installer).do("art >out")
        with open(f"{desk.root}/out") as file:
            assert file.read() == "the shim\n"


PROMPTS = {
    "prompt = fancy\n": "fancy",
    "home = /usr/bin\nprompt = 'it is'\nprompt = no\n": "it is",
    'prompt="it\'s"': "it's",
    "prompt =  spaced out \r\n": "spaced out",
    "prompt =\n": "desk",
    "prompter = no\n": "desk",
    "": "desk",
}


@EVERY
@pytest.mark.parametrize("text", PROMPTS)
def test_the_prompt_that_an_environment_was_given_is_shown(
    shell: str, program: list[str], text: str, tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    prefix = world.environment(f"{world.root}/desk/.venv")
    with open(f"{prefix}/pyvenv.cfg", "w", newline="") as file:
        file.write(text)
    show = 'echo "$VIRTUAL_ENV_PROMPT"\n'
    typed = f"{plain(world, shell)}bubble activate {quoted(prefix, shell)}\n{show}"
    assert lines(world.run(program, typed, env)) == [PROMPTS[text]]


@EACH
@pytest.mark.parametrize("how", ["activate", "hook"])
def test_the_prompt_that_an_environment_was_given_is_on_the_screen(
    shell: str, how: str, tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    directory, prefix = world.project("project")
    write(f"{prefix}/pyvenv.cfg", "prompt = fancy $(touch ran) `x`\n")
    with Session(shell, world.root, env, rc=(source(world, shell, hook=how == "hook"),)) as session:
        session.cd(directory)
        if how == "activate":
            session.do("bubble activate")
        expected = "$(touch ran) `x`" if shell == "fish" else "_(touch ran) _x_"
        assert session.prompt == f"(fancy {expected}) > "
        assert session.do("deactivate").prompt == "> "
    assert not os.path.exists(f"{directory}/ran")


@EACH
@pytest.mark.parametrize("how", ["deactivate", "bubble deactivate", "unset"])
def test_what_was_left_by_hand_stays_left_until_one_leaves_the_directory(
    shell: str, how: str, tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    directory, prefix = world.project("project")
    other, second = world.project("project/inner")
    os.makedirs(f"{directory}/sub")
    with Session(shell, world.root, env, rc=(source(world, shell),)) as session:
        before = session.path
        session.cd(directory)
        assert session.active == prefix
        if how == "unset":
            how = "set -e VIRTUAL_ENV" if shell == "fish" else "unset VIRTUAL_ENV"
        assert session.do(how).active == ""
        for typed in ("true", "bubble list", "cd .", "cd sub", "cd ..", "bubble create"):
            assert (session.do(typed).active, session.path) == ("", before), typed
        for typed in ("bubble shell 3.12", "bubble shell --unset"):
            assert session.do(typed).active == "", typed
        assert session.cd(other).active == second
        assert session.cd(directory).active == prefix
        assert session.do("deactivate").active == ""
        assert session.cd("/").cd(directory).active == prefix


@EACH
def test_an_environment_that_was_left_does_not_hold_up_another_directorys(
    shell: str, tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    named = world.environment(f"{world.layout.home}/envs/web")
    directory, prefix = world.project("project")
    empty = f"{world.root}/new"
    os.makedirs(empty)
    with Session(shell, world.root, env, rc=(source(world, shell),)) as session:
        session.cd(directory).do("bubble activate web")
        assert session.active == named
        assert session.do("deactivate").active == ""
        assert session.do("bubble list").active == ""
        session.cd(empty).do("bubble activate web")
        assert session.do("deactivate").active == ""
        fresh = world.environment(f"{empty}/.venv")
        world.project("new")
        assert session.do("true").active == fresh
        assert session.cd(directory).active == prefix


@EACH
def test_what_appears_or_goes_in_the_directory_is_seen_at_the_next_prompt(
    shell: str, tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    empty = f"{world.root}/new"
    os.makedirs(empty)
    with Session(shell, world.root, env, rc=(source(world, shell),)) as session:
        before = session.path
        assert session.cd(empty).active == ""
        _, prefix = world.project("new")
        assert session.do("true").active == prefix
        os.unlink(f"{prefix}/bin/python")
        assert (session.do("true").active, session.path) == ("", before)
        world.project("new")
        assert session.do("true").active == prefix
        value = "set -gx BUBBLE_PYTHON 3.12" if shell == "fish" else "export BUBBLE_PYTHON=3.12"
        assert session.do(value).active == ""


@EACH
def test_what_the_hook_entered_goes_whatever_became_of_the_variable(
    shell: str, tmp_path: Path, env: dict[str, str]
) -> None:
    world = Home(str(tmp_path / "w"))
    directory, prefix = world.project("project")
    mine = world.environment(f"{world.root}/mine")
    put = "set -gx" if shell == "fish" else "export"
    between = " " if shell == "fish" else "="
    on_path = f"{mine}/bin $PATH" if shell == "fish" else f"{mine}/bin:$PATH"
    with Session(shell, world.root, env, rc=(source(world, shell),)) as session:
        plain = session.path
        session.cd(directory).do(f"{put} VIRTUAL_ENV{between}/nowhere")
        assert session.path == [f"{prefix}/bin", *plain]
        assert (session.cd("/").active, session.path) == ("", plain)
        # another one on top of it, by hand
        session.cd(directory).do(f"{put} VIRTUAL_ENV{between}{mine}; {put} PATH{between}{on_path}")
        assert session.path == [f"{mine}/bin", f"{prefix}/bin", *plain]
        session.cd("/")
        assert (session.active, session.path) == (mine, [f"{mine}/bin", *plain])
        assert session.do("deactivate").path == plain
        assert session.cd(directory).path == [f"{prefix}/bin", *plain]
        # a PATH that was set anew, as `. /etc/profile` does
        anew = "/usr/bin /bin" if shell == "fish" else "/usr/bin:/bin"
        session.do(f"{put} PATH{between}{anew}")
        assert session.path == [f"{prefix}/bin", "/usr/bin", "/bin"]
        assert session.prompt == "(project) > "
