"""Shortcuts of the everyday paths give what the long way gives."""

from __future__ import annotations

import importlib
import os
import threading
from typing import TYPE_CHECKING

import hypothesis
import pytest
from hypothesis import strategies as st

from bubble.cli import everyday
from bubble.cli.arguments import make_parser
from bubble.cli.table import COMMANDS
from bubble.pythons.catalogue import open_catalogue
from bubble.system.background import Background
from bubble.system.layout import layout_from
from support.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.model.download import Download


def test_newest_is_what_all_downloads_say_on_every_platform(env: dict[str, str]) -> None:
    catalogue = open_catalogue(layout_from(env), env)
    assert len(catalogue.platforms) > 10
    for platform in catalogue.platforms:
        best: dict[str, Download] = {}
        for download in catalogue.downloads(platform):
            key = download.key
            if (
                download.is_installable
                and key.implementation == "cpython"
                and not key.version.is_prerelease
            ):
                best.setdefault(key.minor, download)  # the most wanted come first
        assert set(catalogue.newest(platform)) == set(best.values())


WORDS = ("train", "3.12", "-p", "--python", "--json", "--no-pip", "--force", "x y", "", "-", "--")


@pytest.mark.parametrize("words", COMMANDS)
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=40)
def test_what_is_read_without_argparse_is_read_as_by_argparse(
    words: str, data: st.DataObject
) -> None:
    module, summary = COMMANDS[words]
    command = importlib.import_module(f"bubble.cli.commands.{module}")
    parser = make_parser(words, summary, command)
    options = [name for action in parser._actions for name in action.option_strings]
    given = data.draw(st.lists(st.sampled_from((*WORDS, *options)), max_size=5))
    read = everyday.read(command, given)
    if read is not None:
        expected = vars(parser.parse_all(given))
        assert vars(read) == {to: value for to, value in expected.items() if to != "help"}


@pytest.mark.parametrize(
    "line",
    [
        "list", "list --size", "list --json", "which python", "python find 3.12", "python list",
        "python list 3.12", "python install", "python install 3.12 3.11", "create", "create train",
        "create train -p 3.12 --no-pip", "create --with flask", "current", "rehash",
    ],
)  # fmt: skip
def test_what_is_usual_needs_no_argparse(line: str) -> None:
    words = next(words for words in COMMANDS if f"{line} ".startswith(f"{words} "))
    command = importlib.import_module(f"bubble.cli.commands.{COMMANDS[words][0]}")
    usual = everyday.read(command, line.removeprefix(words).split())
    assert (usual is None) is ("--with" in line), "what may be repeated is left to argparse"


def test_aside_runs_beside_and_hands_over_the_result() -> None:
    seen = threading.Event()

    def work() -> int:
        assert seen.wait(PATIENCE), "the caller went on"
        return threading.get_ident()

    with Background(work) as aside:
        seen.set()
        assert aside.result() != threading.get_ident()


def test_aside_raises_in_the_caller_what_the_work_raised(tmp_path: Path) -> None:
    with Background(lambda: os.stat(tmp_path / "gone")) as aside, pytest.raises(FileNotFoundError):
        aside.result()


def test_leaving_the_block_by_an_error_waits_for_the_work() -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        assert go.wait(PATIENCE)
        done.set()

    def fail() -> None:
        with Background(work):
            timer.start()
            raise ZeroDivisionError

    timer = threading.Timer(0.05, go.set)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert done.is_set()
    timer.join()
