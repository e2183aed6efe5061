"""The user's configuration file: what it says, what overrules it, and what a slip in it costs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.cli.settings import SETTINGS
from support.builds import small_mirror
from support.told import one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Write = Callable[[str], str]


@pytest.fixture
def write(env: dict[str, str]) -> Write:
    """Return a function that writes the user's file, and returns its path."""

    def written(text: str) -> str:
        path = f"{env['HOME']}/.config/bubble/config.toml"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    return written


@pytest.fixture
def catalogue(tmp_path: Path) -> str:
    return small_mirror(f"{tmp_path}/mirror", ["3.11.9"])


def test_the_file_says_what_a_variable_says_and_the_variable_wins(
    bubble: Callable[..., Result], write: Write, tmp_path: Path
) -> None:
    write(f'home = "{tmp_path}/filed"\ncache-dir = "~/cached"\n')
    unset: dict[str, str | None] = {"BUBBLE_HOME": None, "BUBBLE_CACHE_DIR": None}
    assert bubble("python", "dir", env=unset).out == f"{tmp_path}/filed/pythons\n"
    assert bubble("cache", "dir", env=unset).out == f"{tmp_path}/home/cached\n"
    assert bubble("python", "dir").out == f"{tmp_path}/bubble/pythons\n"
    assert bubble("python", "dir", env={"BUBBLE_HOME": ""}).out == f"{tmp_path}/filed/pythons\n"


def test_a_catalogue_and_a_flag_of_the_file_are_followed(
    bubble: Callable[..., Result], write: Write, catalogue: str
) -> None:
    write(f'catalog = "{catalogue}"\noffline = true\n')
    done = bubble("python", "install", "3.11")
    assert done.status == 0, done.err
    done = bubble("python", "update", "--url", "http://127.0.0.1:9/x.json")
    assert "BUBBLE_OFFLINE" in done.err
    done = bubble("python", "update", "--url", "http://127.0.0.1:9/x", env={"BUBBLE_OFFLINE": "0"})
    assert "BUBBLE_OFFLINE" not in done.err


def test_what_bubble_starts_does_not_inherit_what_the_file_says(
    bubble: Callable[..., Result], write: Write, catalogue: str
) -> None:
    write(f'catalog = "{catalogue}"\ndebug = true\n')
    assert bubble("python", "install", "3.11").status == 0
    done = bubble("exec", "-p", "3.11", "env")
    assert done.status == 0, done.err
    assert "BUBBLE_CATALOG" not in done.out
    assert "BUBBLE_DEBUG" not in done.out
    assert "BUBBLE_HOME=" in done.out  # which is the environment's own


def test_every_setting_is_listed_with_what_says_it(
    bubble: Callable[..., Result], write: Write, home: str
) -> None:
    path = write('# mine\nmirror = "https://me:secret@here/x"\nhttp-retries = 2\n')
    listed = bubble("config", "--json", env={"BUBBLE_HTTP_RETRIES": "3"}).json["data"]
    rows = {row["key"]: row for row in listed["settings"]}
    assert list(rows) == [setting.key for setting in SETTINGS]
    assert listed["path"] == path
    assert (rows["mirror"]["origin"], rows["mirror"]["line"]) == ("file", 2)
    assert rows["http-retries"]["value"] == "3"
    assert rows["http-retries"]["origin"] == "environment"
    assert (rows["home"]["value"], rows["home"]["origin"]) == (home, "environment")
    assert (rows["debug"]["value"], rows["debug"]["origin"]) == (None, None)
    shown = bubble("config").out
    assert re.search(rf"(?m)^mirror +https://\*+@here/x +{re.escape(path)}, line 2$", shown)
    assert "secret" not in shown + str(listed)


def test_setting_changes_one_key_and_leaves_the_rest_as_it_is(
    bubble: Callable[..., Result], write: Write
) -> None:
    path = write(
        '# mine\ndefault-packages = [\n  "six",  # yes\n]\noffline = true\n\n[later]\nx = 1\n'
    )
    assert bubble("config", "set", "default-packages", "idna", 'a; python_version<"3"').status == 0
    assert bubble("config", "set", "http-timeout", "2.5").status == 0
    assert bubble("config", "unset", "offline").status == 0
    with open(path, encoding="utf-8") as file:
        assert file.read() == (
            '# mine\ndefault-packages = ["idna", "a; python_version<\\"3\\""]\n\n'
            "http-timeout = 2.5\n[later]\nx = 1\n"
        )
    assert bubble("config", "get", "BUBBLE_HTTP_TIMEOUT").out == "2.5\n"
    assert "isn't in" in bubble("config", "unset", "offline").err


def test_a_file_that_is_a_link_stays_one(
    bubble: Callable[..., Result], env: dict[str, str]
) -> None:
    os.makedirs(f"{env['HOME']}/.config/bubble")
    os.symlink(f"{env['HOME']}/dotfile.toml", f"{env['HOME']}/.config/bubble/config.toml")
    with open(f"{env['HOME']}/dotfile.toml", "w", encoding="utf-8"):
        pass
    assert bubble("config", "set", "offline", "on").status == 0
    with open(f"{env['HOME']}/dotfile.toml", encoding="utf-8") as file:
        assert file.read() == "offline = true\n"
    assert os.path.islink(f"{env['HOME']}/.config/bubble/config.toml")


def test_an_unknown_key_is_named_with_its_line_and_the_others_count(
    bubble: Callable[..., Result], write: Write
) -> None:
    path = write("\nofline = true\nBUBBLE_MIRROR = 1\nhttp-retries = 7\n")
    done = bubble("config", "get", "http-retries")
    assert done.out == "7\n"
    done = bubble("python", "list", "--installed")
    assert done.status == 0
    assert f"{path}, line 2: “ofline” is no setting; did you mean: offline" in done.err
    assert f"{path}, line 3: “BUBBLE_MIRROR” is no setting; did you mean: mirror" in done.err
    found = bubble("doctor", "--json").json["data"]["findings"]
    assert [f["severity"] for f in found if f["id"] == "configuration"] == ["warning"] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("offline = \n", ", line 1 is not TOML"),
        ("\noffline = 1\n", ", line 2: offline must be true or false"),
        ('home = "here"\n', ", line 1: home must be an absolute path"),
        ("http-retries = 101\n", ", line 1: http-retries must be a whole number from 0 to 100"),
        ("http-retries = 1.5\n", ", line 1: http-retries must be a whole number"),
        ("http-timeout = true\n", ", line 1: http-timeout must be a number of seconds"),
        ("http-timeout = nan\n", ", line 1: http-timeout must be a number of seconds"),
        ('default-packages = "six"\n', ", line 1: default-packages must be a list"),
        ('mirror = ""\n', ", line 1: mirror must be a text"),
        ("\udcff = 1\n", ", line 1 is no UTF-8"),
        ("x" * 70_000, "larger than"),
    ],
)
def test_a_broken_file_is_one_error_and_stops_nothing_that_only_runs(
    bubble: Callable[..., Result], env: dict[str, str], write: Write, text: str, says: str
) -> None:
    path = write("")
    with open(path, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    done = bubble("create", "x")
    assert done.status == 2
    assert says in one_error(done.err)[0]
    assert path in done.err
    assert not os.path.exists(env["BUBBLE_HOME"])
    done = bubble("list")
    assert done.status == 0
    assert "passed over" in done.err
    done = bubble("run", "x", "true")
    assert "passed over" not in done.err  # what is started has stderr
    done = bubble("config", "set", "debug", "true")
    assert done.status == 2
    with open(path, "rb") as file:
        assert file.read() == text.encode("utf-8", "surrogateescape")
    done = bubble("doctor", "--json")
    assert [f["severity"] for f in done.json["data"]["findings"]][:1] == ["error"]


def test_a_broken_file_takes_no_python_away(
    bubble: Callable[..., Result], env: dict[str, str], write: Write, catalogue: str
) -> None:
    assert bubble("python", "install", "3.11", env={"BUBBLE_CATALOG": catalogue}).status == 0
    assert bubble("use", "--global", "3.11").status == 0
    write("offline = \n")
    shim = f"{env['BUBBLE_HOME']}/shims/python3.11"
    for _ in range(2):  # the slow way, and the memo's
        done = subprocess.run([shim, "-V"], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("mode", [0o666, 0o602])
def test_a_file_that_others_may_write_to_is_not_followed(
    bubble: Callable[..., Result], write: Write, mode: int
) -> None:
    path = write("offline = true\n")
    os.chmod(path, mode)
    done = bubble("create", "x")
    assert done.status == 2
    assert "others may write to it" in one_error(done.err)[0]
    assert f"chmod go-w {path}" in done.err
    assert bubble("config", "list", "--json").status == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_followed(
    bubble: Callable[..., Result], write: Write
) -> None:
    os.chown(write("offline = true\n"), 12345, 12345)
    assert "it belongs to user 12345" in one_error(bubble("create", "x").err)[0]


def test_nothing_of_a_directory_is_read_for_it(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    os.makedirs(tmp_path / "bubble")
    for name in ("config.toml", "bubble/config.toml", ".bubble.toml"):
        (tmp_path / name).write_text("offline = true\nnonsense = 1\n")
    done = bubble("config", "get", "offline", env={"XDG_CONFIG_HOME": "."})
    assert (done.status, done.out, done.err) == (0, "", "")


def test_without_a_file_nothing_is_imported_for_it(env: dict[str, str]) -> None:
    code = (
        "import os, sys\n"
        "from bubble.cli.main import main\n"
        "main(['list'], {**os.environ})\n"
        "print([name for name in sys.modules if 'bubble.cli.config' in name])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_page_has_every_setting() -> None:
    page = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "configuration.md")
    with open(page, encoding="utf-8") as file:
        rows = re.findall(r"(?m)^\| `([a-z-]+)` \| (?:`([A-Z_]+)`)? ?\|", file.read())
    assert rows == [(setting.key, setting.variable) for setting in SETTINGS]


def test_an_uninstallation_takes_what_bubble_wrote_and_leaves_what_its_user_did(
    bubble: Callable[..., Result], write: Write, env: dict[str, str]
) -> None:
    assert bubble("config", "set", "http-retries", "2").status == 0
    assert bubble("self", "uninstall", "--yes").status == 0
    assert bubble("config", "get", "http-retries").out == "2\n"
    assert bubble("self", "uninstall", "--all", "--yes").status == 0
    assert not os.path.exists(f"{env['HOME']}/.config/bubble")
    mine = write("http-retries = 3\n")
    assert bubble("config", "set", "offline", "true").status == 0
    done = bubble("self", "uninstall", "--all", "--yes")
    assert f"your configuration stays: {mine}" in done.err
    with open(mine) as file:
        assert file.read() == "http-retries = 3\noffline = true\n"


def test_a_store_that_is_left_behind_is_told_of(
    bubble: Callable[..., Result], env: dict[str, str]
) -> None:
    unset: dict[str, str | None] = {"BUBBLE_HOME": None}
    assert "stays there" not in bubble("config", "set", "home", "~/one", env=unset).err
    assert bubble("rehash", env=unset).status == 0
    done = bubble("config", "set", "home", f"{env['HOME']}/two", env=unset)
    assert f"what is in {env['HOME']}/one stays there" in done.err
    assert bubble("rehash", env=unset).status == 0
    assert "stays there" not in bubble("config", "set", "home", "~/two", env=unset).err
