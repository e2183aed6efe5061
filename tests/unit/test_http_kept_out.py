"""What is kept out of a library's import is kept out of that alone."""

from __future__ import annotations

import importlib
import sys
import threading

import pytest

from bubble.system.http.kept_out import KeptOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

NAME = "bubble_test_extra"


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a module that nobody has imported."""
    (tmp_path / f"{NAME}.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, NAME, None)  # to be restored: gone
    del sys.modules[NAME]


@pytest.mark.usefixtures("extra")
def test_a_module_is_kept_out_in_the_block_and_found_after_it() -> None:
    before = list(sys.meta_path)
    with KeptOut("other", NAME):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(NAME)
        assert importlib.import_module("sched").__name__ == "sched"
    assert sys.meta_path == before
    assert importlib.import_module(NAME).__name__ == NAME


@pytest.mark.usefixtures("extra")
def test_another_thread_finds_it_meanwhile() -> None:
    found: list[str] = []

    def work() -> None:
        found.append(importlib.import_module(NAME).__name__)

    with KeptOut(NAME):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert found == [NAME]
        assert importlib.import_module(NAME).__name__ == NAME, "what is loaded stays"


def test_it_ends_with_an_error_too() -> None:
    before = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), KeptOut(NAME):
        raise ZeroDivisionError
    assert sys.meta_path == before
