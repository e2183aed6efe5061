"""A user's prompts with the real program: environments made, used, cloned, adopted and left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.environments import adopt_python, create
from support.sessions import EACH, Session
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


class Desk:
    """A store with one Python and an environment `web`; shells with bubble's code in them."""

    def __init__(self, root: str, env: dict[str, str], bubble: Bubble) -> None:
        self.root = root
        self.env = env
        self.bubble = bubble
        self.home = env["BUBBLE_HOME"]
        adopt_python(bubble)

    def shell(self, name: str, *, hook: bool = True) -> Session:
        code = self.bubble("init", name, *(["--hook"] if hook else [])).out
        path = f"{self.root}/init"
        with open(path, "w") as file:
            file.write(code)
        line = f"{'source' if name == 'fish' else '.'} {path}\n"
        return Session(name, self.root, self.env, rc=(line,))


@pytest.fixture
def desk(tmp_path: Path, env: dict[str, str], bubble: Bubble) -> Desk:
    return Desk(str(tmp_path), env, bubble)


# what is typed in an empty directory, and the environment that the next prompt is in
MADE = {
    "create": ("bubble create --no-pip", "@here@/.venv"),
    "use": ("bubble use web", "@home@/envs/web"),
    "clone": ("bubble clone web ./.venv", "@here@/.venv"),
    "adopt": (
        "bubble exec -p 3 python -m venv --without-pip .venv; bubble adopt .",
        "@here@/.venv",
    ),
}


@EACH
@pytest.mark.parametrize("command", MADE)
def test_the_prompt_after_it_was_made_is_in_the_environment(
    shell: str, command: str, desk: Desk, bubble: Bubble
) -> None:
    create(bubble, "web", "--no-pip")
    typed, expected = MADE[command]
    here = f"{desk.root}/project"
    os.mkdir(here)
    expected = expected.replace("@here@", here).replace("@home@", desk.home)
    with desk.shell(shell) as session:
        plain = session.path
        session.cd(here)
        session.do(typed).do("python -V")
        assert session.active == expected, session.screen
        assert session.path == [f"{expected}/bin", *plain]
        # another one, made elsewhere, doesn't take it away
        session.do("deactivate").do("bubble current").do("bubble list")
        assert (session.active, session.path) == ("", plain)
        session.cd("/")
        assert (session.active, session.path) == ("", plain)


@EACH
@pytest.mark.parametrize("hook", [False, True])
def test_who_creates_with_activate_is_inside(shell: str, desk: Desk, *, hook: bool) -> None:
    here = f"{desk.root}/project"
    os.mkdir(here)
    with desk.shell(shell, hook=hook) as session:
        session.cd(here)
        session.do("bubble create web --no-pip --activate")
        assert session.active == f"{desk.home}/envs/web", session.screen
        session.do("deactivate").do("bubble create --activate --no-pip")
        assert session.active == f"{here}/.venv", session.screen
        session.do("bubble create web --activate")  # it is there already
        assert session.active == f"{here}/.venv"
        assert "error:" in session.screen


@EACH
def test_the_prompt_that_create_was_given_is_shown(shell: str, desk: Desk, bubble: Bubble) -> None:
    create(bubble, "web", "--no-pip", "--prompt", "fancy web")
    end = ".fish" if shell == "fish" else ""
    with desk.shell(shell, hook=False) as session:
        assert session.do("bubble activate web").prompt == "(fancy web) > "
        assert session.do("deactivate").prompt == "> "
        # without colours, venv's own activate.fish puts its parentheses elsewhere
        assert "fancy web" in session.do(f". {desk.home}/envs/web/bin/activate{end}").prompt
        assert session.do("deactivate").prompt == "> "


@EACH
@pytest.mark.parametrize("how", ["bubble activate web", ". @web@/bin/activate@end@"])
def test_what_pip_installs_in_an_active_environment_has_its_shim(
    shell: str, how: str, desk: Desk, bubble: Bubble
) -> None:
    web = create(bubble, "web")
    package = wheel(desk.root, "art", "1.0", script="art")
    how = how.replace("@web@", web).replace("@end@", ".fish" if shell == "fish" else "")
    with desk.shell(shell, hook=False) as session:
        session.do(how)
        assert session.active == web
        session.do(f"pip install --no-index --no-deps {package}")
        assert os.path.exists(f"{web}/bin/art"), session.screen
        assert os.path.exists(f"{desk.home}/shims/art")
        session.do("pip uninstall -y art")
        assert not os.path.exists(f"{desk.home}/shims/art")
        session.do("deactivate")
        assert session.active == ""
