"""3.11.a becomes 3.11.b under ten environments, with two real interpreters of this machine.

The older one is the distribution's, the newer one the newest 3.11 that `interpreters` knows;
both are packed and installed like any other build. The story is told on the command line.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

import pytest

from bubble.pythons import pack
from bubble.system.host import host_platform
from bubble.system.layout import layout_from
from support.builds import TAG, fetched_pip, interpreters
from support.environments import create, install, says
from support.needs import LINUX_ONLY, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [pytest.mark.real, LINUX_ONLY]

FOLLOWERS = tuple(f"follows{n}" for n in range(8))
BOUND = ("bound0", "bound1")
# imports late what isn't loaded yet: modules in Python and compiled ones, and a package's
SERVICE = """
import sys
version = ".".join(map(str, sys.version_info[:3]))
print(version, flush=True)
for line in sys.stdin:
    names = [name for name in line.split() if name not in sys.modules]
    for name in names:
        __import__(name)
    print(version, *names, flush=True)
"""
LATE = ("xml.etree.ElementTree", "sqlite3", "decimal", "ctypes", "follows0")


@dataclass(frozen=True)
class Story:
    """Two versions of one minor: `old` is installed, and the catalogue has `new` as well."""

    old: str
    new: str
    paths: dict[str, str]


@pytest.fixture
def story(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Story:
    """Install the old one, and make ten environments of it, each with a console script."""
    old, new = _two_patches()
    for directory, prefixes in (("before", [old[1]]), ("after", [old[1], new[1]])):
        for prefix in prefixes:
            pack.pack(
                str(tmp_path / directory),
                prefix,
                layout=layout_from(env),
                env=env,
                platform=host_platform(env),
                tag=TAG,
                fetch_pip=fetched_pip,
            )
    env["BUBBLE_CATALOG"] = f"{tmp_path}/before/catalogue.json"
    done = bubble("python", "install", "3.11")
    assert done.status == 0, done.err
    paths = {}
    for name, request in (*((n, "3.11") for n in FOLLOWERS), *((n, old[0]) for n in BOUND)):
        paths[name] = create(bubble, name, "-p", request)
        install(bubble, paths[name], tmp_path, name)
    env["BUBBLE_CATALOG"] = f"{tmp_path}/after/catalogue.json"
    return Story(old=old[0], new=new[0], paths=paths)


def _two_patches() -> tuple[tuple[str, str], tuple[str, str]]:
    """Return (version, program or prefix) of an older and a newer CPython 3.11 of this machine."""
    newer = [pair for pair in interpreters() if pair[0].startswith("3.11.")]
    program = "/usr/bin/python3.11"
    if not newer or not os.access(program, os.X_OK):
        not_here("no two patch releases of CPython 3.11")
    older = says_version(program)
    if int(older.split(".")[2]) >= int(newer[-1][0].split(".")[2]):
        not_here("no two patch releases of CPython 3.11")
    return (older, program), newer[-1]


def test_ten_environments_and_a_process_live_through_an_upgrade(
    bubble: Bubble, env: dict[str, str], story: Story
) -> None:
    assert _versions(story, *story.paths) == {story.old}
    with subprocess.Popen(
        [f"{story.paths['follows0']}/bin/python", "-c", SERVICE],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stdout.readline() == f"{story.old}\n"

        done = bubble("python", "upgrade")
        assert done.status == 0, done.err
        assert all(f"{name} uses it now" in done.out for name in FOLLOWERS)
        assert not any(name in done.out for name in BOUND)

        out, _ = running.communicate(" ".join(LATE) + "\n", timeout=60)
        assert out == f"{story.old} {' '.join(LATE)}\n"
    assert running.returncode == 0
    assert _versions(story, *FOLLOWERS) == {story.new}
    assert _versions(story, *BOUND) == {story.old}
    for name, path in story.paths.items():
        assert says(path, name) == f"{name} 1.0"
    _mended(bubble, story)


def _mended(bubble: Bubble, story: Story) -> None:
    """Uninstall is refused; forced, it breaks what it names, and `repair` mends each."""
    refused = bubble("python", "uninstall", story.old)
    assert refused.status == 1
    assert all(name in refused.err for name in BOUND)
    assert not any(name in refused.err for name in FOLLOWERS)
    assert _versions(story, *BOUND) == {story.old}

    forced = bubble("python", "uninstall", story.old, "--force")
    assert forced.status == 0, forced.err
    assert _states(bubble, BOUND) == {"interpreter missing"}
    assert _states(bubble, FOLLOWERS) == {"ok"}
    broken = bubble("run", "bound0", "bound0")
    assert broken.status == 1
    assert "hint: bubble repair bound0" in broken.err
    assert bubble("python", "uninstall", story.new).status == 1
    assert bubble("python", "uninstall", story.new, "--force").status == 0
    assert _states(bubble, story.paths) == {"interpreter missing"}

    failed = bubble("repair", "bound0")
    assert failed.status == 1
    assert f"bubble python install {story.old}" in failed.err
    assert bubble("python", "install", story.old, story.new).status == 0
    for name, path in story.paths.items():
        assert bubble("repair", name).status == 0
        assert says(path, name) == f"{name} 1.0"
    assert _states(bubble, story.paths) <= {"ok", "outdated"}
    assert _versions(story, *FOLLOWERS) == {story.new}
    assert _versions(story, *BOUND) == {story.old}


def _versions(story: Story, *names: str) -> set[str]:
    """Return which Pythons run in these environments, as each says itself."""
    return {says_version(f"{story.paths[name]}/bin/python") for name in names}


def says_version(program: str) -> str:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    done = subprocess.run([program, "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _states(bubble: Bubble, names: Collection[str]) -> set[str]:
    listed = bubble("list", "--json").json["data"]
    return {entry["state"] for entry in listed if entry["name"] in names}
