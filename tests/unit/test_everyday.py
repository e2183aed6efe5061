"""Shortcuts of the everyday paths give what the long way gives."""

from __future__ import annotations

import argparse
import os
import threading
from typing import TYPE_CHECKING

import pytest

from bubble.cli.commands import python_list
from bubble.cli.context import Context
from bubble.cli.output import Output
from bubble.pythons.catalogue import open_catalogue
from bubble.system.aside import Aside
from bubble.system.layout import layout_from
from support.patience import PATIENCE

if TYPE_CHECKING:
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


def test_list_without_arguments_is_list_with_every_default(env: dict[str, str]) -> None:
    context = Context(env=env, output=Output(env, json=False))
    parser = argparse.ArgumentParser()
    python_list.define(parser)
    everyday = python_list.everyday(context)
    assert everyday == python_list.execute(parser.parse_args([]), context)
    assert len(everyday.lines) > 5


def test_aside_runs_beside_and_hands_over_the_result() -> None:
    seen = threading.Event()

    def work() -> int:
        assert seen.wait(PATIENCE), "the caller went on"
        return threading.get_ident()

    with Aside(work) as aside:
        seen.set()
        assert aside.result() != threading.get_ident()


def test_aside_raises_in_the_caller_what_the_work_raised() -> None:
    with Aside(lambda: os.stat("/nonexistent")) as aside, pytest.raises(FileNotFoundError):
        aside.result()


def test_leaving_the_block_by_an_error_waits_for_the_work() -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        assert go.wait(PATIENCE)
        done.set()

    def fail() -> None:
        with Aside(work):
            timer.start()
            raise ZeroDivisionError

    timer = threading.Timer(0.05, go.set)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert done.is_set()
    timer.join()
