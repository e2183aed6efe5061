"""The working directory as the shell names it, and the standard descriptors that are closed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bubble.system.directory import upwards, working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make `real` with a `link` to it beside, and go there."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    return os.path.realpath(tmp_path / "real")


def test_the_shells_name_counts_where_it_is_this_directory(real: str, tmp_path: Path) -> None:
    link = str(tmp_path / "link")
    assert working_directory(link) == link
    assert working_directory(f"{link}//./") == link
    assert working_directory(f"{link}/../link") == real, "normpath would take it for another"


def test_a_name_that_is_relative_stale_or_another_directorys_does_not_count(
    real: str, tmp_path: Path
) -> None:
    for name in ("", ".", "../link", str(tmp_path), str(tmp_path / "gone"), "/a\nb", "/" * 5000):
        assert working_directory(name) == real, name


def test_a_directory_that_was_deleted_has_no_name(real: str) -> None:
    os.rmdir(real)
    assert working_directory(real) == ""
    assert working_directory("") == ""


def test_upwards_goes_from_a_directory_to_the_root_and_from_nowhere_nowhere() -> None:
    assert list(upwards("/a/b")) == ["/a/b", "/a", "/"]
    assert list(upwards("/")) == ["/"]
    assert list(upwards("")) == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_are_filled_and_closed_again(
    tmp_path: Path, closed: str
) -> None:
    script = (
        "import os, sys\n"
        "from bubble.system import descriptors\n"
        "def shut():\n"
        "    return [n for n in range(3) if not os.path.exists(f'/dev/fd/{n}')]\n"
        "before = shut()\n"
        "descriptors.fill()\n"
        "null = os.stat(os.devnull)\n"
        "filled = [n for n in before if os.path.samestat(os.fstat(n), null)"
        " and os.get_inheritable(n)]\n"
        "file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "descriptors.close_filled()\n"
        "os.write(file, repr([before, filled, shut(), file > 2]).encode())\n"
    )
    answer = tmp_path / "answer"
    command = [sys.executable, "-c", script, str(answer)]
    subprocess.run(["/bin/sh", "-c", f'exec "$0" "$@" {closed}', *command], check=True)
    number = {"<&-": 0, ">&-": 1, "2>&-": 2}
    shut = [number[one] for one in closed.split()]
    assert answer.read_text() == repr([shut, shut, shut, True])
