"""Which environment is meant while another process makes it: the directory is there first."""

from __future__ import annotations

import os
import threading

import pytest

from bubble.envs.knowing import locate as locating
from bubble.envs.knowing import placing
from bubble.envs.knowing.locate import locate, locate_itself
from bubble.model.errors import BubbleError
from bubble.selection import registry
from bubble.selection.registry import Environment
from bubble.system.lock import Lock
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout


def being_made(layout: Layout, name: str, project: str) -> Environment:
    path = f"{project}/.venv" if project else f"{layout.envs}/{name}"
    os.makedirs(path)
    with open(f"{path}/pyvenv.cfg", "w"):
        pass
    return Environment(path=path, name=name, project=project)


@pytest.mark.parametrize("way", ["name", "path", "project", "nearest"])
@pytest.mark.parametrize("registered", [True, False])
def test_who_makes_it_is_waited_for(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, *, registered: bool
) -> None:
    project = "" if way == "name" else f"{tmp_path}/project"
    environment = being_made(layout, "" if project else "train", project)
    text = {"name": "train", "path": environment.path, "project": project, "nearest": ""}[way]
    waiting = threading.Event()
    enter: Callable[[Lock], Lock] = Lock.__enter__

    def entered(lock: Lock) -> Lock:
        waiting.set()
        return enter(lock)

    found: list[object] = []

    def look() -> None:
        try:
            found.append(locate(text, project or str(tmp_path), layout))
        except BubbleError as error:
            found.append(error.message)

    with placing.lock(layout, environment.path):
        monkeypatch.setattr(Lock, "__enter__", entered)
        thread = threading.Thread(target=look)
        thread.start()
        assert waiting.wait(PATIENCE)
        assert found == []
        if registered:
            registry.register(layout, environment)
    thread.join(PATIENCE)
    if registered:
        assert found == [environment]
    else:
        assert "is not registered" in str(found)


def test_nobody_is_waited_for_who_never_was_there(layout: Layout) -> None:
    path = being_made(layout, "train", "").path
    with pytest.raises(BubbleError, match="is not registered"):
        locate("train", "/", layout)
    assert not os.path.exists(placing.lock(layout, path).path)


def test_one_that_is_made_anew_between_two_looks_is_still_one(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another request its record is another, but a name means a place."""
    environment = being_made(layout, "train", "")
    registry.register(layout, environment)
    of_name = registry.of_name

    def looked(layout: Layout, name: str) -> Environment | None:
        found = of_name(layout, name)
        registry.register(layout, environment.replace(request="3.11"))
        return found

    monkeypatch.setattr(locating, "of_name", looked)
    assert locate_itself("train", str(tmp_path), layout) == environment
