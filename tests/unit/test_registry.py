"""The registry: records that come back as they were written, found by name and by directory."""

from __future__ import annotations

import os
import threading

import hypothesis
import hypothesis.strategies as st
import pytest

from bubble.selection import registry
from bubble.selection.registry import Environment
from bubble.system.layout import Layout
from conftest import snapshot
from support.needs import FULL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Environment(path="/e/train", name="train", interpreter="/p/3.11", request="3.11")
OWN = Environment(
    path="/w/a/.venv", project="/w/a", identity="00ff", request=">=3, <4", made_at="7"
)
# a path's bytes: anything but NUL and, as `register` asserts, a newline
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), max_size=40)
PATHS = st.lists(
    st.text("ab.%#/ ü'\"\\\udc80", min_size=1, max_size=12), min_size=1, max_size=5
).map(lambda parts: os.path.normpath("/" + "/".join(parts)).replace("//", "/"))


def test_a_record_is_found_by_name_and_by_directory(layout: Layout) -> None:
    for environment in (PLAIN, OWN):
        registry.register(layout, environment)
    assert registry.of_name(layout, "train") == PLAIN
    assert registry.of_directory(layout, "/w/a") == OWN
    assert registry.of_directory(layout, "/w") is None
    assert registry.of_directory(layout, "/w/a/b") is None
    assert registry.of_name(layout, "a") is None
    assert registry.environments(layout) == [PLAIN, OWN]


def test_there_is_nothing_where_nothing_was_registered(layout: Layout) -> None:
    assert registry.environments(layout) == []
    assert registry.of_name(layout, "x") is None
    assert registry.of_directory(layout, "/") is None
    registry.forget(layout, PLAIN)
    assert not os.path.exists(layout.home)


def test_registering_again_replaces_and_forgetting_takes_one(layout: Layout) -> None:
    registry.register(layout, PLAIN)
    registry.register(layout, OWN)
    changed = PLAIN.replace(interpreter="/p/3.12", request="")
    registry.register(layout, changed)
    assert registry.environments(layout) == [changed, OWN]
    registry.forget(layout, PLAIN)
    assert registry.environments(layout) == [OWN]
    registry.forget(layout, PLAIN)


@pytest.mark.parametrize("name", ["", "../n.train", "a/b", "/etc/passwd", ".", ".."])
def test_what_is_no_name_finds_nothing(layout: Layout, name: str) -> None:
    registry.register(layout, PLAIN)
    assert registry.of_name(layout, name) is None


@hypothesis.settings(  # each example waits for the disk several times
    max_examples=500 if FULL else 25,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(first=PATHS, second=PATHS, request=TEXT, maker=TEXT)
def test_any_directory_comes_back_and_no_two_meet(
    tmp_path: Path, first: str, second: str, request: str, maker: str
) -> None:
    # one directory for all examples: what an earlier one wrote must not matter
    layout = Layout(home=str(tmp_path / "h"), cache=str(tmp_path / "c"))
    mine = Environment(path=f"{first}/.venv", project=first, request=request, maker=maker)
    other = Environment(path=f"{second}/.venv", project=second, request="another")
    registry.register(layout, mine)
    if first != second:
        registry.register(layout, other)
        assert registry.of_directory(layout, second) == other
    assert registry.of_directory(layout, first) == mine
    assert mine in registry.environments(layout)
    registry.forget(layout, mine)
    registry.forget(layout, other)
    assert registry.environments(layout) == []


def test_a_directory_of_any_length_has_a_record(layout: Layout) -> None:
    long = ["/" + "/".join(["d" * 200] * 15) + f"/{end}" for end in "ab"]
    for directory in long:
        registry.register(layout, Environment(path=f"{directory}/.venv", project=directory))
    for directory in long:
        found = registry.of_directory(layout, directory)
        assert found is not None
        assert found.project == directory
    assert max(map(len, os.listdir(layout.registry))) <= 255


DAMAGE = [
    "", "\n", "bubble environment 2\npath /x\n", "bubble environment 1\n", "path /x\n",
    "bubble environment 1\nname x\n", "bubble environment 1\npath /x",
    "bubble environment 1\npath\n",
    "bubble environment 1\npath /x\n\nname y\n", "\0" * 100, "bubble environment 1\npath /x\nhalf",
]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGE)
def test_a_damaged_record_counts_as_none_and_harms_no_other(layout: Layout, text: str) -> None:
    registry.register(layout, OWN)
    with open(f"{layout.registry}/n.train", "w") as file:
        file.write(text)
    assert registry.of_name(layout, "train") is None
    assert registry.environments(layout) == [OWN]
    registry.register(layout, PLAIN)
    assert registry.environments(layout) == [PLAIN, OWN]


def test_a_newer_bubbles_record_is_read_as_far_as_it_is_known(layout: Layout) -> None:
    registry.register(layout, PLAIN)
    with open(f"{layout.registry}/n.train", "a") as file:
        file.write("colour red\n")
    assert registry.of_name(layout, "train") == PLAIN


def test_an_older_bubbles_record_and_one_in_another_order_are_read(layout: Layout) -> None:
    registry.register(layout, PLAIN)
    path = f"{layout.registry}/n.train"
    with open(path) as file:
        head, *lines = file.read().splitlines()
    with open(path, "w") as file:
        file.write("\n".join([head, *reversed(lines)]) + "\n")
    assert registry.of_name(layout, "train") == PLAIN
    with open(path, "w") as file:
        file.write(f"{head}\npath {PLAIN.path}\nname train\n")
    assert registry.of_name(layout, "train") == Environment(path=PLAIN.path, name="train")


def test_leftovers_and_strangers_in_the_registry_are_passed_by(layout: Layout) -> None:
    registry.register(layout, PLAIN)
    for name in (".n.train.1.aa.tmp", "README", "x.train"):
        with open(f"{layout.registry}/{name}", "w") as file:
            file.write("bubble environment 1\npath /evil\n")
    os.mkdir(f"{layout.registry}/n.directory")
    os.symlink("/nonexistent", f"{layout.registry}/n.dangling")
    os.mkfifo(f"{layout.registry}/n.pipe")
    assert registry.environments(layout) == [PLAIN]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_other_users_may_read_the_registry_and_not_write_it(layout: Layout, umask: int) -> None:
    before = os.umask(umask)
    try:
        registry.register(layout, PLAIN)
    finally:
        os.umask(before)
    assert os.stat(layout.registry).st_mode & 0o777 == 0o755
    (name,) = os.listdir(layout.registry)
    assert os.stat(f"{layout.registry}/{name}").st_mode & 0o777 == 0o644


def test_a_reader_sees_the_old_record_or_the_new_one(layout: Layout) -> None:
    old, new = (PLAIN.replace(request=letter * 3000) for letter in "ab")
    registry.register(layout, old)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            registry.register(layout, new)
            registry.register(layout, old)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(100):
            assert registry.of_name(layout, "train") in (old, new)
            assert len(registry.environments(layout)) == 1
    finally:
        stop.set()
        writer.join()


def test_reading_changes_nothing(layout: Layout) -> None:
    registry.register(layout, OWN)
    before = snapshot(layout.home)
    registry.environments(layout)
    registry.of_directory(layout, "/w/a")
    assert snapshot(layout.home) == before
