"""`bubble init --install` and `--uninstall`: one block, once, and gone without a trace."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from bubble.selection.rcfile import BACKUP, BEGIN, Block, add, remove
from conftest import snapshot
from support.needs import NOT_ROOT, needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

START_UP = {
    "bash": [".bashrc", ".profile"],
    "zsh": [".zshrc"],
    "sh": [".profile"],
    "fish": [".config/fish/conf.d/bubble.fish"],
    "pwsh": [".config/powershell/Microsoft.PowerShell_profile.ps1"],
    "nu": [".config/nushell/config.nu"],
}
CONTENTS = [b"", b"x=1\n", b"no newline at the end", b"cr\r\nlf\r\n", b"\xff\xfe\0bytes\n\n\n"]


def contents(root: str) -> dict[str, object]:
    """Return every file's path, mode and content, without the times."""
    return {p: (v[0], v[3]) for p, v in snapshot(root).items() if not os.path.isdir(p)}


@pytest.mark.parametrize("shell", START_UP)
@pytest.mark.parametrize("before", [None, *CONTENTS], ids=repr)
def test_install_is_idempotent_and_uninstall_is_exact(
    shell: str, before: bytes | None, env: dict[str, str], bubble: Callable[..., Result]
) -> None:
    user = env["HOME"]
    if before is not None:
        for name in START_UP[shell]:
            os.makedirs(os.path.dirname(f"{user}/{name}"), exist_ok=True)
            with open(f"{user}/{name}", "wb") as file:
                file.write(before)
            os.chmod(f"{user}/{name}", 0o640)
    untouched = contents(user)
    assert bubble("init", shell, "--install").status == 0
    for name in START_UP[shell]:
        with open(f"{user}/{name}", "rb") as file:
            text = file.read()
        assert text.startswith(before or b"")
        assert text.count(BEGIN) == 1
        assert os.path.exists(f"{user}/{name}{BACKUP}") == (before is not None)
    once = snapshot(user)
    again = bubble("init", shell, "--install")
    assert "nothing to do" in again.err
    assert snapshot(user) == once
    assert bubble("init", shell, "--uninstall").status == 0
    assert contents(user) == untouched
    assert not [n for n in os.listdir(env["BUBBLE_HOME"]) if n.startswith("init.")]
    assert "nothing to do" in bubble("init", shell, "--uninstall").err


def test_what_the_user_wrote_around_the_block_stays(tmp_path: Path) -> None:
    path = tmp_path / "rc"
    path.write_bytes(b"before")
    block = Block(path=str(path), lines=("first",))
    add(block)
    path.write_bytes(path.read_bytes() + b"after\n")
    assert add(Block(path=str(path), lines=("second",))) == (("wrote", str(path)),)
    text = path.read_bytes()
    assert b"second" in text
    assert b"first" not in text
    remove(block)
    assert path.read_bytes() == b"before\nafter\n"
    # the backup is no longer what the file is: it stays
    assert (tmp_path / f"rc{BACKUP}").read_bytes() == b"before"


def test_what_was_kept_of_a_file_before_is_not_replaced_by_what_became_of_it(
    tmp_path: Path,
) -> None:
    path, kept = tmp_path / "rc", tmp_path / f"rc{BACKUP}"
    path.write_bytes(b"changed since\n")
    kept.write_bytes(b"the first\n")
    block = Block(path=str(path), lines=("code",))
    assert add(block) == (("wrote", str(path)),)
    assert kept.read_bytes() == b"the first\n"
    remove(block)
    assert (path.read_bytes(), kept.read_bytes()) == (b"changed since\n", b"the first\n")


def test_a_link_is_written_through(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.mkdir()
    (real / "zshrc").write_bytes(b"mine\n")
    link = tmp_path / ".zshrc"
    link.symlink_to("dotfiles/zshrc")
    block = Block(path=str(link), lines=("code",))
    add(block)
    assert link.is_symlink()
    assert (real / "zshrc").read_bytes().startswith(b"mine\n" + BEGIN)
    remove(block)
    assert link.is_symlink()
    assert (real / "zshrc").read_bytes() == b"mine\n"
    assert sorted(os.listdir(real)) == ["zshrc"]


def test_half_a_block_is_left_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "rc"
    path.write_bytes(b"a\n" + BEGIN + b"\nb\n")
    before = snapshot(str(tmp_path))
    for change in (add, remove):
        with pytest.raises(Exception, match="beginning of bubble's block but not its end"):
            change(Block(path=str(path), lines=("code",)))
    assert snapshot(str(tmp_path)) == before


def test_one_file_that_cannot_be_used_leaves_all_as_they_were(
    env: dict[str, str], bubble: Callable[..., Result]
) -> None:
    user = env["HOME"]
    with open(f"{user}/.bashrc", "w") as file:
        file.write("mine\n")
    os.mkdir(f"{user}/.bash_profile")
    before = snapshot(user)
    done = bubble("init", "bash", "--install")
    assert done.status == 1
    assert ".bash_profile is a directory" in done.err
    assert snapshot(user) == before
    assert not os.path.exists(f"{env['BUBBLE_HOME']}/init.bash")


@NOT_ROOT
def test_a_read_only_file_is_refused_with_the_lines_to_add(
    env: dict[str, str], bubble: Callable[..., Result]
) -> None:
    path = f"{env['HOME']}/.zshrc"
    with open(path, "w") as file:
        file.write("mine\n")
    os.chmod(path, 0o444)
    done = bubble("init", "zsh", "--install")
    assert done.status == 1
    assert ".zshrc can't be written" in done.err
    assert "init.zsh" in done.err
    with open(path) as file:
        assert file.read() == "mine\n"


def test_the_login_file_that_bash_reads_gets_the_block(
    env: dict[str, str], bubble: Callable[..., Result]
) -> None:
    path = f"{env['HOME']}/.bash_profile"
    with open(path, "w") as file:
        file.write("mine\n")
    assert bubble("init", "bash", "--install").status == 0
    assert not os.path.exists(f"{env['HOME']}/.profile")
    os.rename(path, f"{env['HOME']}/.bash_login")
    assert bubble("init", "bash", "--uninstall").status == 0
    with open(f"{env['HOME']}/.bash_login") as file:
        assert file.read() == "mine\n"


def test_the_hook_is_remembered_until_it_is_refused(
    home: str, bubble: Callable[..., Result]
) -> None:
    def has_hook() -> bool:
        with open(f"{home}/init.zsh") as file:
            return "_bubble_follow" in file.read()

    bubble("init", "zsh", "--install")
    assert not has_hook()
    bubble("init", "zsh", "--install", "--hook")
    assert has_hook()
    bubble("init", "zsh", "--install")
    assert has_hook()
    bubble("init", "zsh", "--install", "--no-hook")
    assert not has_hook()


def test_what_another_version_wrote_is_renewed_with_its_hook(
    home: str, bubble: Callable[..., Result]
) -> None:
    bubble("init", "zsh", "--install", "--hook")
    path = f"{home}/init.zsh"
    with open(path) as file:
        whole = file.read()
    head = whole.partition("\n")[0]
    with open(path, "w") as file:
        file.write(head.replace("# bubble ", "# bubble 0.0.") + "\nold code\n")
    assert bubble("rehash").status == 0
    with open(path) as file:
        assert file.read() == whole
    assert not os.path.exists(f"{home}/init.bash")


@needs("bash", "zsh", "fish", "dash")
@pytest.mark.parametrize(
    ("shell", "words", "question"),
    [
        ("bash", ["bash", "-ic"], 'echo "$PATH"; type -t bubble'),
        ("bash", ["bash", "-lc"], 'echo "$PATH"; type -t bubble'),
        ("bash", ["sh", "-lc"], 'echo "$PATH"; type bubble >/dev/null && echo function'),
        ("sh", ["sh", "-lc"], 'echo "$PATH"; type bubble >/dev/null && echo function'),
        ("zsh", ["zsh", "-ic"], 'echo "$PATH"; type bubble >/dev/null && echo function'),
        ("fish", ["fish", "-c"], "string join : -- $PATH; type -t bubble"),
    ],
)
def test_a_new_shell_has_it(
    shell: str, words: list[str], question: str, env: dict[str, str], bubble: Callable[..., Result]
) -> None:
    assert bubble("init", shell, "--install", *(["--hook"] if shell != "sh" else [])).status == 0
    plain = {k: v for k, v in env.items() if k != "BUBBLE_HOME"}
    done = subprocess.run(
        [*words, question], env=plain, capture_output=True, text=True, timeout=60, check=False
    )
    path, kind = done.stdout.splitlines()
    assert path.split(":").count(f"{env['BUBBLE_HOME']}/shims") == 1
    assert path.startswith(f"{env['BUBBLE_HOME']}/shims:")
    assert kind == "function"


def test_zsh_and_fish_follow_their_own_directories(
    env: dict[str, str], tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    elsewhere = {"ZDOTDIR": f"{tmp_path}/z", "XDG_CONFIG_HOME": f"{tmp_path}/c"}
    assert bubble("init", "zsh", "--install", env=elsewhere).status == 0
    assert bubble("init", "fish", "--install", env=elsewhere).status == 0
    assert os.path.exists(f"{tmp_path}/z/.zshrc")
    assert os.path.exists(f"{tmp_path}/c/fish/conf.d/bubble.fish")
    assert os.listdir(env["HOME"]) == []
