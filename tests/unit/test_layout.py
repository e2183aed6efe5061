"""Where bubble's home and cache are, by the variables, the platform, and without either."""

from __future__ import annotations

import os
import pwd
import sys

import pytest

from bubble.model.errors import BubbleError
from bubble.system.layout import Layout, layout_from


def places(**env: str) -> tuple[str, str]:
    layout = layout_from(env)
    return layout.home, layout.cache


def test_the_variables_come_first_and_know_the_home_directory() -> None:
    assert places(BUBBLE_HOME="/b//x/", BUBBLE_CACHE_DIR="~/c", HOME="/home/me") == (
        "/b/x",
        "/home/me/c",
    )
    assert places(BUBBLE_HOME="", HOME="/h")[0] == places(HOME="/h")[0]


@pytest.mark.parametrize("name", ["BUBBLE_HOME", "BUBBLE_CACHE_DIR"])
@pytest.mark.parametrize("value", ["x", "./x", "~", "~/x", "~me/x", "/a\0b", "/a\nb", "C:/x"])
def test_a_variable_that_is_no_absolute_path_is_refused(name: str, value: str) -> None:
    with pytest.raises(BubbleError, match=f"{name} must be an absolute path") as caught:
        layout_from({name: value})
    assert caught.value.kind == "usage"
    assert caught.value.message.isprintable()


def test_on_linux_the_base_directories_count_where_they_are_absolute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert places(HOME="/h/", XDG_DATA_HOME="/d", XDG_CACHE_HOME="/c") == ("/d/bubble", "/c/bubble")
    ours = ("/h/.local/share/bubble", "/h/.cache/bubble")
    assert places(HOME="/h/") == ours
    assert places(HOME="/h", XDG_DATA_HOME="d", XDG_CACHE_HOME="") == ours


def test_on_other_systems_platformdirs_tells_as_on_linux_it_would(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    import platformdirs  # before the next line: it looks at the platform once

    asked = {"HOME": env["HOME"]}
    monkeypatch.setattr(sys, "platform", "freebsd14")
    layout = layout_from(asked)
    assert layout.home == platformdirs.user_data_dir("bubble", appauthor=False)
    assert layout.cache == platformdirs.user_cache_dir("bubble", appauthor=False)
    monkeypatch.undo()
    if sys.platform == "linux":
        assert layout_from(asked) == layout


def test_without_home_the_user_database_tells_and_without_an_entry_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    known = pwd.getpwall()[0]
    monkeypatch.setattr(os, "getuid", lambda: known.pw_uid)
    assert places() == places(HOME="relative") == places(HOME=known.pw_dir)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # a container's: in no database
    with pytest.raises(BubbleError, match="no home directory") as caught:
        layout_from({})
    assert caught.value.kind == "usage"
    assert places(BUBBLE_HOME="/b", BUBBLE_CACHE_DIR="/c") == ("/b", "/c")


def test_the_memo_of_the_root_directory_lies_with_the_others() -> None:
    layout = Layout(home="/b", cache="/c")
    assert layout.answer("/") == "/b/answers/answer"
    assert layout.answer("/a/b") == "/b/answers/@a/@b/answer"
