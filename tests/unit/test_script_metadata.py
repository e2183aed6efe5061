"""What a script's block may say, and what an installer is handed of it."""

from __future__ import annotations

import math
import os
import tomllib
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from bubble.model.errors import BubbleError
from bubble.projects import tomltext
from bubble.projects.scripts import handed
from bubble.projects.scripts.metadata import KNOWN, Metadata, read_metadata
from bubble.projects.scripts.source import Script

if TYPE_CHECKING:
    from pathlib import Path


def read(text: str, directory: str = "/place") -> Metadata:
    script = Script(path=f"{directory}/x.py", directory=directory, block=text, lock=None)
    return read_metadata(script)


def test_the_standards_keys_are_read() -> None:
    found = read('requires-python = " >=3.11 "\ndependencies = ["six; os_name == \'nt\'"]\n')
    assert found == Metadata(
        requires_python=">=3.11",
        dependencies=("six; os_name == 'nt'",),
        uv={},
        is_local=False,
    )
    assert read("") == Metadata(requires_python="", dependencies=(), uv={}, is_local=False)


WRONG = {
    "no TOML": "x = ",
    "an unknown key": 'dependancies = ["six"]',
    "a control character": 'dependencies = ["six\\u001b[31m"]',
    "an option": 'dependencies = ["-r /etc/passwd"]',
    "an option of pip": 'dependencies = ["--index-url=http://elsewhere"]',
    "two lines": 'dependencies = ["six\\n--index-url http://elsewhere"]',
    "a path": 'dependencies = ["./six"]',
    "a path upwards": 'dependencies = ["../../etc"]',
    "a file's address alone": 'dependencies = ["file:///etc/passwd"]',
    "a device": 'dependencies = ["x @ file:///dev/zero"]',
    "a file that isn't there": 'dependencies = ["x @ file:///nowhere/x.whl"]',
    "a broken address": 'dependencies = ["x @ file://[x/y"]',
    "no list": 'dependencies = "six"',
    "no texts": "dependencies = [1]",
    "too many": f"dependencies = {['six'] * 5001}",
    "no specifier": 'requires-python = "3.11"',
    "no specifier at all": 'requires-python = "latest"',
    "an arbitrary one": 'requires-python = "===3.11`id`"',
    "a number": "requires-python = 3.11",
    "a tool that is none": "tool = 1",
    "settings that are none": "[tool]\nuv = 1",
    "control characters in settings": '[tool.uv]\nindex-url = "http://x/\\u0007"',
    "control characters deep inside": '[tool.uv.sources]\nsix = [{ url = "a\\nb" }]',
    "keys of too many parts": "a" + ".a" * 5000 + " = 1",
    "deep lists": "x = " + "[" * 5000,
    "a number of many digits": "x = " + "1" * 5000,
    "very much": "# " + "x" * (1 << 20),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_a_block_must_not_say_is_an_error_in_one_clean_line(text: str) -> None:
    with pytest.raises(BubbleError) as caught:
        read(text)
    assert caught.value.kind == "script"
    assert "/place/x.py" in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500
    assert caught.value.hint


def test_a_slip_is_named_with_what_was_meant() -> None:
    with pytest.raises(BubbleError) as caught:
        read('dependancies = ["six"]')
    assert caught.value.hint == "did you mean: dependencies"


def test_of_the_settings_only_those_about_packages_are_handed_on() -> None:
    found = read(
        '[tool.uv]\ncache-dir = "/etc"\npython-downloads = "automatic"\nno-index = true\n'
        '[tool.uv.pip]\ntarget = "/etc"\n[tool.other]\nx = 1\n'
    )
    assert found.uv == {"no-index": True}
    assert not {"cache-dir", "pip", "publish-url", "keyring-provider", "native-tls"} & set(KNOWN)


def test_paths_are_meant_from_the_script(tmp_path: Path) -> None:
    found = read(
        '[tool.uv]\nfind-links = ["wheels", "https://x/w", "/abs"]\nindex-url = "idx"\n'
        'index = [{ url = "./simple", name = "own" }]\n'
        '[tool.uv.sources]\na = { path = "../a", editable = true }\n'
        'b = [{ path = "b" }, { git = "https://x/b", rev = "1" }]\n'
    )
    assert found.is_local
    assert found.uv == {
        "find-links": ["/place/wheels", "https://x/w", "/abs"],
        "index-url": "/place/idx",
        "index": [{"url": "/place/simple", "name": "own"}],
        "sources": {
            "a": {"path": "/a", "editable": True},
            "b": [{"path": "/place/b"}, {"git": "https://x/b", "rev": "1"}],
        },
    }
    with open(handed.for_uv(found, str(tmp_path)), "rb") as file:
        assert tomllib.load(file)["tool"]["uv"] == found.uv
    with pytest.raises(BubbleError, match="pip can't follow"):
        handed.for_pip(found, str(tmp_path))


def test_pip_is_handed_requirements_and_where_they_come_from(tmp_path: Path) -> None:
    found = read(
        'dependencies = ["six"]\n[tool.uv]\nno-index = true\nfind-links = ["odd & name"]\n'
        'constraint-dependencies = ["six<2"]\n'
    )
    with open(handed.for_pip(found, str(tmp_path)), encoding="utf-8") as file:
        assert file.read().splitlines() == [
            "--find-links '/place/odd & name'",
            "--no-index",
            f"-c '{tmp_path}'/constraints.txt",
            "six",
        ]
    assert (tmp_path / "constraints.txt").read_text() == "six<2\n"


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.datetimes()
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@hypothesis.given(VALUES)
def test_what_toml_says_is_said_again(value: Any) -> None:
    text = tomltext.anything(value)
    assert "\n" not in text
    again = tomllib.loads(f"x = {text}")["x"]
    assert again == value
    assert not isinstance(value, float) or math.copysign(1, again) == math.copysign(1, value)


def test_a_locks_paths_are_meant_from_beside_it(tmp_path: Path) -> None:
    lock = b'packages = [{ path = "sub/x.whl" }, { url = "https://x/path" }]\n'
    assert handed.is_local(lock)
    assert not handed.is_local(b'wheels = [{ url = "https://x" }]')
    path = handed.for_lock(lock, "/beside", str(tmp_path))
    assert os.path.basename(path) == "pylock.toml"
    with open(path, "rb") as file:
        assert file.read() == lock.replace(b"sub/x.whl", b"/beside/sub/x.whl")
