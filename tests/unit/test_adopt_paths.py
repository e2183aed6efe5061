"""Which interpreter a path means: its own, or one of a prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bubble.pythons.adopting.adopt import executable_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (("python", "python3", "python3.9"), "python3"),
        (("python", "python3.9"), "python"),
        (("python3.9", "python3.11", "python3.11-config", "python3.²"), "python3.11"),
        (("pypy3", "python3.10"), "python3.10"),
        (("pypy3",), "pypy3"),
        (("python3.11-config", "pip"), ""),
    ],
    ids=lambda v: "_".join(v) if isinstance(v, tuple) else v or "none",
)
def test_of_a_prefix_the_plain_name_is_meant_then_the_newest_minor(
    names: tuple[str, ...], meant: str, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    for name in names:
        (tmp_path / "bin" / name).touch(mode=0o755)
    assert executable_at(str(tmp_path)) == (f"{tmp_path}/bin/{meant}" if meant else "")


def test_a_prefix_that_is_none_has_no_interpreter(tmp_path: Path) -> None:
    assert executable_at(str(tmp_path)) == ""
    assert executable_at(f"{tmp_path}/missing") == ""
    (tmp_path / "plain").touch(mode=0o644)
    assert executable_at(f"{tmp_path}/plain") == ""
