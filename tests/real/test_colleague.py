"""A colleague with another root, HOME, umask and locale gets the same: `git clone; bubble sync`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from support.needs import needs
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Result

BUBBLE = f"{os.path.dirname(sys.executable)}/bubble"


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path))


def contents(root: str, names: Mapping[str, str]) -> dict[str, object]:
    """Return path → mode and content of all below `root` but byte-code, with paths replaced."""
    found: dict[str, object] = {}
    for directory, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name != "__pycache__"]
        for name in (*directories, *files):
            path = f"{directory}/{name}"
            mode = os.lstat(path).st_mode & ~0o077  # what others may do is the umask's to say
            if os.path.islink(path):
                data = os.fsencode(os.readlink(path))
            elif os.path.isdir(path):
                data = b""
            else:
                with open(path, "rb") as file:
                    data = file.read()
            for text, stands_for in names.items():
                data = data.replace(text.encode(), stands_for.encode())
            found[os.path.relpath(path, root)] = (mode, data)
    return found


# what tells one installation from another, by its nature
OWN = (".bubble-environment",)


@needs("git")
def test_the_colleagues_environments_are_equal(site: Site, tmp_path: Path) -> None:
    site.write("train/fit.py", "import gamma\n")
    site.ok("sync", "--all")
    env = {**os.environ, **{k: v for k, v in site.env.items() if v is not None}}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.invalid"]
    site.write(".gitignore", ".venv\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=site.root, env=env, check=True, timeout=60)
    listed = subprocess.run(
        ["git", "ls-files"], cwd=site.root, env=env, capture_output=True, text=True, check=True
    ).stdout.split()
    assert listed == [
        ".gitignore",
        "bubble.toml",
        "pylock.toml",
        "pylock.train.toml",
        "train/fit.py",
    ]

    root = f"{tmp_path}/an other root"
    os.makedirs(f"{root}/hôme")
    theirs = {
        **env,
        "HOME": f"{root}/hôme",
        "BUBBLE_HOME": f"{root}/store",
        "BUBBLE_CACHE_DIR": f"{root}/cache",
        "XDG_DATA_HOME": f"{root}/data",
        "LC_ALL": "C",
        "LANG": "tr_TR.ISO-8859-9",
        "TZ": "Asia/Kathmandu",
    }
    shutil.rmtree(f"{theirs['HOME']}/.cache", ignore_errors=True)
    clone = f"{root}/site"
    script = 'umask 0077; git clone -q "$1" "$2" && cd "$2" && exec "$3" sync --all --locked'
    done = subprocess.run(
        ["sh", "-c", script, "sh", site.root, clone, BUBBLE],
        env=theirs,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done
    ours = {site.root: "ROOT", os.environ["BUBBLE_HOME"]: "STORE"}
    others = {clone: "ROOT", f"{root}/store": "STORE"}
    for place in (".venv", ".venvs/train"):
        mine = contents(f"{site.root}/{place}", ours)
        other = contents(f"{clone}/{place}", others)
        for name in OWN:
            assert mine.pop(name) != other.pop(name)
        assert mine.keys() == other.keys()
        differing = {path for path in mine if mine[path] != other[path]}
        assert differing - {p for p in differing if p.startswith("bin/")} == set(), differing
        # a root with a space needs another first line, and no other line
        for path in differing:
            first, second = (contents_of(c[path]) for c in (mine, other))
            assert first[-3:] == second[-3:], path
    receipts = []
    for store in (os.environ["BUBBLE_HOME"], f"{root}/store"):
        with open(f"{store}/pythons/{site.key}/.bubble/receipt.json", encoding="utf-8") as file:
            receipts.append(json.load(file)["sha256"])
    assert receipts[0] == receipts[1] == site.entry["sha256"]
    with open(f"{site.root}/pylock.toml", "rb") as file:
        first_lock = hashlib.sha256(file.read()).hexdigest()
    with open(f"{clone}/pylock.toml", "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == first_lock


def contents_of(found: object) -> list[bytes]:
    assert isinstance(found, tuple)
    lines: list[bytes] = found[1].splitlines()
    return lines
