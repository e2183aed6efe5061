"""Files of other tools with one part replaced by anything: taken, or one clear error; no third."""

from __future__ import annotations

import copy
import functools
import json
import os
import tempfile
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubble.model.errors import BubbleError
from bubble.projects.exchange import manifest_text, pins
from bubble.projects.exchange.importing import understood
from support import foreign_locks
from support.foreign_locks import PIPFILE, POETRY, PYPROJECT, Index
from support.needs import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONDA = """\
name: x
channels: [a, b]
dependencies:
  - python=3.11
  - numpy=1.26.4=py311_0
  - pip:
      - rich
      - -e .
platforms: [linux-64]
"""
ODD: list[Any] = [
    "", "x", "../../etc", "file:///etc/passwd", "https://me:s3cret@h.example/x", "a\nb", "\x1b[31m",
    "; os_name", "==", "^", "||", "sha256:0", "²", "9" * 5000, "a" * 5000, "-r x", "$(id)", "{}",
    0, -1, 1 << 70, True, 1.5, [], [[]], ["x"], {}, {"x": "y"}, [{"name": 1}], {"name": []},
]  # fmt: skip
LENIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
NAMES = ("uv.lock", "pdm.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "pyproject.toml")


@functools.cache
def whole(name: str) -> Any:
    """Return a file as what it says."""
    with tempfile.TemporaryDirectory() as directory:
        index = Index(directory, "https://files.example")
        return {
            "uv.lock": tomllib.loads(foreign_locks.uv_lock(index)),
            "pdm.lock": tomllib.loads(foreign_locks.pdm_lock(index, static=True)),
            "poetry.lock": tomllib.loads(foreign_locks.poetry_lock(index)),
            "Pipfile": tomllib.loads(PIPFILE),
            "Pipfile.lock": json.loads(foreign_locks.pipfile_lock(index)),
            "pyproject.toml": tomllib.loads(POETRY),
        }[name]


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every part of what a file says."""
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from places(below, (*path, at))


def replaced(said: Any, path: tuple[Any, ...], odd: Any) -> Any:
    found = copy.deepcopy(said)
    target = found
    for key in path[:-1]:
        target = target[key]
    if isinstance(target, list) != isinstance(path[-1], int):
        raise TypeError  # it was replaced by the other kind
    target[path[-1]] = odd
    return found


def refusal(directory: str, name: str) -> BubbleError | None:
    """Take a file, and write down what came of it; return what was refused."""
    try:
        taken = understood(f"{directory}/{name}", directory)
        text = manifest_text.render(taken, name)
        for held in taken.bubbles:
            pins.constraints(held.pins)
            if pins.is_placed(held.pins):
                pins.pylock(held.pins, taken.requires_python)
    except BubbleError as error:
        return error
    tomllib.loads(text)
    assert "s3cret" not in text
    assert "s3cret" not in repr(taken.bubbles)
    return None


def judge(directory: str, name: str) -> None:
    """Fail on whatever isn't clear, and on what shows a secret."""
    error = refusal(directory, name)
    if error is not None:
        assert error.message.isprintable(), error.message
        assert len(error.message) < 2000
        assert error.hint
        assert "s3cret" not in error.message


@settings(max_examples=2000 if FULL else 60, suppress_health_check=LENIENT)
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_any_value_in_any_place_is_taken_or_refused(
    name: str, tmp_path: Path, data: st.DataObject
) -> None:
    ways = [path for path in places(whole(name)) if path]
    changed = whole(name)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(ways))
        try:
            changed = replaced(changed, path, data.draw(st.sampled_from(ODD)))
        except (KeyError, TypeError, IndexError):
            continue  # what was there was replaced by something else
    text = json.dumps(changed) if name == "Pipfile.lock" else tomlkit.dumps(changed)
    (tmp_path / name).write_text(text)
    beside = {"uv.lock": PYPROJECT, "pdm.lock": PYPROJECT, "poetry.lock": POETRY}
    if name in beside:
        (tmp_path / "pyproject.toml").write_text(beside[name])
    elif name == "Pipfile.lock":
        (tmp_path / "Pipfile").write_text(PIPFILE)
    judge(str(tmp_path), name)


@settings(max_examples=2000 if FULL else 60, suppress_health_check=LENIENT)
@given(
    st.integers(0, len(CONDA)),
    st.integers(0, 30),
    st.one_of(
        st.sampled_from([str(odd) for odd in ODD]),
        st.text(max_size=20),
        st.sampled_from(
            ["&a ", "*a", "!x ", "? ", "- - - ", "[", "{", "\t", "|\n", ">-\n", "---\n"]
        ),
    ),
)
@pytest.mark.parametrize("name", ["environment.yml", "requirements.txt", "list.txt"])
def test_any_text_in_any_place_is_taken_or_refused(
    name: str, tmp_path: Path, at: int, length: int, odd: str
) -> None:
    base = {
        "environment.yml": CONDA,
        "requirements.txt": "a==1 --hash=sha256:0\n-e .\nb @ https://h.example/b.whl\n-c c.txt\n",
        "list.txt": "# $ conda create --name <env>\na=1=0\n@EXPLICIT\nhttps://c.example/b-1-0.conda\n",
    }[name]
    text = base[:at] + odd + base[at + length :]
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    (tmp_path / "c.txt").write_text("")
    judge(str(tmp_path), name)
    assert set(os.listdir(tmp_path)) == {name, "c.txt", "home"}
