"""Scripts and locks by somebody who means harm: an error in one clean line, and nothing happened.

What such a script does when it runs is its own affair: its user ran it. What its metadata and its
lock make bubble do, before the script runs or in its place, is bubble's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.environments import adopt_python
from support.figures import record
from support.needs import LINUX_ONLY, real_uv
from support.trees import snapshot
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = LINUX_ONLY

RAN = "print('RAN')\n"


def script(*lines: str, more: str = RAN) -> bytes:
    return ("# /// script\n" + "".join(f"# {line}\n" for line in lines) + "# ///\n" + more).encode()


DEEP = "[" * 100_000
SCRIPTS: dict[str, bytes] = {
    "two blocks": script("#") + b"\n" + script("#"),
    "no TOML": script("dependencies = ["),
    "a NUL": script('dependencies = ["six\0"]'),
    "an escape": script('dependencies = ["six\x1b]0;x\x07"]'),
    "an escaped escape": script('dependencies = ["six\\u001b[31m"]'),
    "an escape in a key": script('"\\u001b[31m" = 1'),
    "an escape in the specifier": script('requires-python = ">=3\\u001b"'),
    "direction marks": script('dependencies = ["six\u202e"]'),
    "deep lists": script(f"x = {DEEP}"),
    "deep tables": script(f"x = {'{a=' * 50_000}"),
    "many dots": script(f"{'a.' * 50_000}a = 1"),
    "many digits": script(f"x = {'9' * 100_000}"),
    "a block of megabytes": script("# " + "x" * (2 << 20)),
    "a script of 50 MB": script("#") + b"#" * (50 << 20),
    "blocks that never end": b"# /// script\n" * 400_000
    + 2 * (b"\n" + script("#")),
    "many dependencies": script(f"dependencies = {['six'] * 20_000}"),
    "an option": script('dependencies = ["--index-url=http://127.0.0.1:9/"]'),
    "a file of requirements": script('dependencies = ["-r /etc/passwd"]'),
    "an editable": script('dependencies = ["-e /etc"]'),
    "a second line": script('dependencies = ["six\\n-e /etc"]'),
    "a path": script('dependencies = ["/etc"]'),
    "a path upwards": script('dependencies = ["../../../etc"]'),
    "a file's address": script('dependencies = ["x @ file:///etc/passwd"]'),
    "a directory's address": script('dependencies = ["x @ file:///etc"]'),
    "an address upwards": script('dependencies = ["x @ file:///../../etc/passwd"]'),
    "a device": script('dependencies = ["x @ file:///dev/zero"]'),
    "a command in a version": script('dependencies = ["six==$(touch pwned)"]'),
    "a command in a name": script('dependencies = ["`touch pwned`"]'),
    "a command in the specifier": script('requires-python = "===3.11`touch pwned`"'),
    "a path as the specifier": script('requires-python = "/tmp/python"'),
    "an environment as the specifier": script('requires-python = "train"'),
    "no such Python": script('requires-python = ">=9"'),
    "all of it": script('requires-python = "' + ">=3," * 5000 + '>=3"'),
    "numbers": script("dependencies = [1, 2]"),
    "a table": script("[dependencies]", "six = 1"),
    "another encoding": b"# coding: utf-7\n" + script('dependencies = ["+AC0-r x"]'),
    "a codec that is none": b"# coding: bz2\n" + script("#"),
    "an evil codec name": b"# coding: ../../etc/passwd\n" + script("#"),
    "no text": script("#") + b"\xff\xfe",
    "sources from a file": script(
        'dependencies = ["x"]', "[tool.uv.sources]", 'x = { url = "file:///etc/passwd" }'
    ),
    "sources from upwards": script(
        'dependencies = ["x"]', "[tool.uv.sources]", 'x = { path = "../../../etc" }'
    ),
    "sources that run": script(
        'dependencies = ["x"]', "[tool.uv.sources]", 'x = { git = "ext::sh -c touch% pwned" }'
    ),
    "an option in an index": script(
        'dependencies = ["x"]', "[tool.uv]", 'index-url = "--trusted-host=x"'
    ),
    "an index that is a file": script(
        'dependencies = ["x"]', "[tool.uv]", 'index-url = "file:///etc"'
    ),
    "sources from a device": script(
        'dependencies = ["x"]', "[tool.uv.sources]", 'x = { path = "/dev/zero" }'
    ),
    "lines in an index": script(
        'dependencies = ["x"]', "[tool.uv]", 'find-links = ["a\\n-e /etc"]'
    ),
    "a list of nonsense": script("[tool.uv]", "sources = [[[1]]]", "index = 3"),
}  # fmt: skip

HEAD = 'lock-version = "1.0"\ncreated-by = "x"\n'
OWN = HEAD + 'packages = []\n[tool.bubble]\nformat = 1\ninputs = "sha256:{inputs}"\n'


def package(source: str, name: str = "six") -> str:
    return f'{HEAD}[[packages]]\nname = "{name}"\nversion = "1.0"\n{source}\n'


def wheels(url: str, sha256: str = "0" * 64) -> str:
    return package(f'wheels = [{{ {url}, hashes = {{ sha256 = "{sha256}" }} }}]')


LOCKS: dict[str, bytes] = {
    "no TOML": b"lock-version = ",
    "no lock": b"x = 1\n",
    "binary": bytes(range(256)),
    "empty": b"",
    "of the future": b'lock-version = "2.0"\n',
    "deep": f"x = {DEEP}".encode(),
    "an escape": b'lock-version = "\x1b[31m"\n',
    "70 MB": HEAD.encode() + b"#" * (70 << 20),
    "a file": wheels('url = "file:///etc/passwd", name = "six-1.0-py3-none-any.whl"').encode(),
    "upwards": wheels('path = "../../../../../../etc/passwd"').encode(),
    "another's hash": wheels('url = "file://{wheel}"').encode(),
    "no hash": package('wheels = [{ url = "file:///etc/passwd", hashes = {} }]').encode(),
    "no source": package("").encode(),
    "a command": package(
        'vcs = { type = "git", url = "ext::sh -c touch% pwned", commit-id = "1" }'
    ).encode(),
    "a name upwards": package('directory = { path = "x" }', "../../etc").encode(),
    "packages that are none": (HEAD + "packages = 3\n").encode(),
    "builds from elsewhere": (
        OWN + '[tool.bubble.python]\nrequest = "3"\nversion = "3.99.0"\n'
        '[[tool.bubble.python.builds]]\nkey = "cpython-3.99.0-{platform}"\n'
        'build = "1"\nurl = "file:///etc/passwd"\n'
        'sha256 = "' + "0" * 64 + '"\n'
    ).encode(),
    "a build's key upwards": (
        OWN + '[tool.bubble.python]\nrequest = "3"\nversion = "3"\n'
        '[[tool.bubble.python.builds]]\nkey = "../../etc"\nbuild = "1"\nurl = "x"\nsha256 = "1"\n'
    ).encode(),
    "for another platform": (
        OWN + '[tool.bubble.python]\nrequest = "3"\nversion = "3.99.0"\n'
        '[[tool.bubble.python.builds]]\nkey = "cpython-3.99.0-windows-x86_64-none"\n'
        'build = "1"\nurl = "x"\nsha256 = "' + "0" * 64 + '"\n'
    ).encode(),
}  # fmt: skip


@pytest.fixture(params=["pip", "uv"])
def place(
    request: pytest.FixtureRequest, bubble: Bubble, tmp_path: Path, env: dict[str, str]
) -> Path:
    """Have an interpreter, one of the two installers without an index, and a directory."""
    env |= {
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "UV_OFFLINE": "1",
        "BUBBLE_OFFLINE": "1",
    }
    if request.param == "uv":
        env["PATH"] = f"{os.path.dirname(real_uv())}:{env['PATH']}"
    adopt_python(bubble)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def wrong(done: Result, place: Path, layout: Layout) -> list[str]:
    """Return what is wrong with an end that must be an error."""
    found = []
    if done.status not in {1, 2} or done.out:
        found.append(f"status {done.status}, out {done.out!r}")
    lines = done.err.splitlines()
    if not any(line.startswith("error: ") for line in lines) or "internal" in done.err:
        found.append(f"no clear error: {done.err[-500:]!r}")
    if not done.err.replace("\n", "").isprintable():
        found.append(f"not printable: {done.err!r}")
    if os.path.isdir(layout.scripts) and os.listdir(layout.scripts):
        found.append("an environment was made")
    if sorted(os.listdir(place)) not in (["s.py"], ["s.py", "s.py.lock"]):
        found.append(f"left in the directory: {os.listdir(place)}")
    return found


def test_hostile_metadata_is_an_error_and_nothing_happens(
    bubble: Bubble, place: Path, layout: Layout, canary: str
) -> None:
    found = []
    before = snapshot(canary)
    for what, data in SCRIPTS.items():
        (place / "s.py").write_bytes(data)
        done = bubble("run", "s.py", cwd=place)
        if what == "a list of nonsense":  # nothing is to be installed: it says nothing
            assert done.status in {0, 1}
            continue
        found += [f"{what}: {problem}" for problem in wrong(done, place, layout)]
    assert found == []
    assert snapshot(canary) == before
    record("hostile metadata of scripts", tried=len(SCRIPTS), held=len(SCRIPTS))


def test_a_hostile_lock_is_an_error_and_nothing_happens(
    bubble: Bubble, place: Path, layout: Layout, tmp_path: Path
) -> None:
    from bubble.projects.scripts.locking import inputs_of
    from bubble.projects.scripts.source import Script
    from bubble.system.host import host_platform

    data = script('dependencies = ["six"]')
    (place / "s.py").write_bytes(data)
    text = 'dependencies = ["six"]\n'
    known = inputs_of(Script(path="", directory="", block=text, lock=None))
    good = wheel(str(tmp_path), "six", "1.0")
    found = []
    for what, lock in LOCKS.items():
        filled = lock.replace(b"{inputs}", known.encode()).replace(b"{wheel}", good.encode())
        filled = filled.replace(b"{platform}", str(host_platform(os.environ)).encode())
        (place / "s.py.lock").write_bytes(filled)
        for words in (["run", "s.py"], ["run", "--locked", "s.py"]):
            done = bubble(*words, cwd=place)
            found += [f"{what}: {problem}" for problem in wrong(done, place, layout)]
        assert (place / "s.py.lock").read_bytes() == filled
    assert found == []
    record("hostile locks of scripts", tried=2 * len(LOCKS), held=2 * len(LOCKS))


def test_links_in_the_place_of_script_and_lock_lead_nowhere_else(
    bubble: Bubble, place: Path, layout: Layout, canary: str
) -> None:
    (place / "s.py").write_bytes(script("#"))
    (place / "s.py.lock").symlink_to(f"{canary}/file")
    assert wrong(bubble("run", "s.py", cwd=place), place, layout) == []
    (place / "s.py.lock").unlink()
    (place / "s.py.lock").symlink_to("/dev/zero")
    assert wrong(bubble("run", "s.py", cwd=place), place, layout) == []
    (place / "s.py").unlink()
    (place / "s.py").symlink_to("/dev/zero")
    done = bubble("run", "s.py", cwd=place)
    assert (done.status, "not a regular file" in done.err) == (1, True)
