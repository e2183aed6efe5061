"""Scripts with a lock beside them, and with settings that say where their packages come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.builds import packed_mirror
from support.environments import adopt_python
from support.needs import real_uv
from support.scripts import block, two_versions
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, env: dict[str, str]) -> str:
    """Have packages, and no index; return their directory."""
    return two_versions(f"{tmp_path}/wheels", env)


def test_a_locked_script_is_run_exactly_as_its_lock_says(
    bubble: Bubble, tmp_path: Path, env: dict[str, str], wheels: str, layout: Layout
) -> None:
    env["BUBBLE_CATALOG"] = f"{packed_mirror(['3.11', '3.12'])}/catalogue.json"
    env["PATH"] = f"{os.path.dirname(real_uv())}:{env['PATH']}"
    script, lock = tmp_path / "s.py", tmp_path / "s.py.lock"
    text = block("six", python=">=3.11,<3.12", wheels=wheels) + "import six\nsix.main()\n"
    script.write_text(text)
    assert bubble("run", "--locked", "s.py").status == 1
    done = bubble("lock", "--script", "s.py")
    assert (done.status, done.out) == (0, f"{lock}\n"), done.err
    made = lock.read_bytes()
    assert bubble("run", "--locked", "s.py").out == "six 2.0\n"
    wheel(wheels, "six", "3.0")
    assert bubble("run", "s.py").out == "six 2.0\n", "the lock says it"
    assert bubble("lock", "--script", "s.py", "--check").status == 0
    assert lock.read_bytes() == made
    # the same two files elsewhere: the same environment
    (tmp_path / "other").mkdir()
    for path in (script, lock):
        (tmp_path / "other" / path.name).write_bytes(path.read_bytes())
    assert bubble("run", "--locked", "other/s.py").out == "six 2.0\n"
    assert len(os.listdir(layout.scripts)) == 1
    # what the script asks for changes: the lock is made anew, and that is said
    script.write_text(text.replace('"six"', '"six<2"'))
    done = bubble("run", "--locked", "s.py")
    assert (done.status, f"lock it: bubble lock --script '{script}'" in done.err) == (1, True)
    assert bubble("lock", "--script", "s.py", "--check").status == 1
    assert lock.read_bytes() == made
    done = bubble("run", "s.py")
    assert (done.status, done.out) == (0, "six 1.0\n"), done.err
    assert "six 2.0 → 1.0" in done.err
    assert bubble("run", "--locked", "s.py").out == "six 1.0\n"
    assert bubble("lock", "--script", "s.py", "--json").json["data"][0]["status"] == "unchanged"


SETTINGS = {
    "constraints": 'constraint-dependencies = ["six<2"]',
    "overrides": 'override-dependencies = ["six==1.0"]',
    "the lowest": 'resolution = "lowest"',
    "a path": "[tool.uv.sources]\nsix = { path = 'wheels/six-1.0-py3-none-any.whl' }",
    "an index of its own": "[[tool.uv.index]]\nname = 'own'\nurl = './one'\nformat = 'flat'\n"
    "explicit = true\n[tool.uv.sources]\nsix = { index = 'own' }",
    "find-links beside it": "find-links = ['one']",
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_the_settings_of_uv_that_say_which_packages_count(
    bubble: Bubble, tmp_path: Path, env: dict[str, str], wheels: str, setting: str
) -> None:
    adopt_python(bubble)
    env["PATH"] = f"{os.path.dirname(real_uv())}:{env['PATH']}"
    (tmp_path / "one").mkdir()
    wheel(str(tmp_path / "one"), "six", "1.0")
    (tmp_path / "uv.toml").write_text("no-such-setting = 1")  # some project's
    found = "" if "find-links" in setting else f"find-links = ['{wheels}']\n"
    none = str("index]]" not in setting).lower()
    lines = f'dependencies = ["six"]\n[tool.uv]\nno-index = {none}\n{found}{setting}\n'
    text = "# /// script\n" + "".join(f"# {line}\n" for line in lines.splitlines()) + "# ///\n"
    (tmp_path / "s.py").write_text(text + "import six\nsix.main()\n")
    (tmp_path / "elsewhere").mkdir()
    more = {"PIP_NO_INDEX": None} if none == "false" else {}
    done = bubble("run", "../s.py", cwd=tmp_path / "elsewhere", env=more)
    assert (done.status, done.out) == (0, "six 1.0\n"), done.err


def test_uvs_own_lock_is_told_from_the_standards_and_left_alone(
    bubble: Bubble, tmp_path: Path
) -> None:
    python = adopt_python(bubble)
    (tmp_path / "s.py").write_text(block())
    theirs = f'version = 1\nrevision = 3\nrequires-python = ">={python}"\n'
    (tmp_path / "s.py.lock").write_text(theirs)
    for words in (["run", "s.py"], ["run", "--locked", "s.py"], ["lock", "--script", "s.py"]):
        done = bubble(*words)
        assert (done.status, "is uv's own" in done.err) == (1, True), done.err
    assert (tmp_path / "s.py.lock").read_text() == theirs
