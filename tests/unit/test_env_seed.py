"""pip in new environments: what is linked is what RECORD lists, whatever the wheel brought."""

from __future__ import annotations

import errno
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from bubble.envs import seed
from bubble.envs.seed import Seed, link_seed
from bubble.model.errors import BubbleError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["pip/__init__.py", "pip/_vendor/a/b/deep.py", "pip-1.0.dist-info/METADATA"]
RECORD = "pip-1.0.dist-info/RECORD"


def unpacked(directory: Path, record: list[str] | None, names: list[str] | None = None) -> Seed:
    """Return the seed of a wheel with NAMES, whose RECORD lists `record` (None: it has none)."""
    wheel = str(directory / "pip-1.0-py3-none-any.whl")
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in names or NAMES:
            archive.writestr(name, f"this is {name}")
        if record is not None:
            archive.writestr(RECORD, "".join(f"{name},sha256=x,1\n" for name in record))
    root = directory / "seeds"
    root.mkdir()
    seed._unpack(wheel, str(root))
    return Seed(path=str(root), version="1.0")


def below(root: str) -> set[str]:
    return {
        os.path.relpath(f"{directory}/{name}", root)
        for directory, _, names in os.walk(root)
        for name in names
    }


@pytest.mark.parametrize("record", [[*NAMES, RECORD], NAMES[:1], [*NAMES, "no/such", RECORD], None])
def test_every_file_is_linked_and_listed(tmp_path: Path, record: list[str] | None) -> None:
    pip = unpacked(tmp_path, record)
    target = tmp_path / "site-packages"
    target.mkdir()
    listed = [line.partition(",")[0] for line in link_seed(pip, str(target)).splitlines()]
    assert sorted(listed) == sorted([*NAMES, RECORD])
    assert below(str(target)) == set(NAMES), "RECORD is the environment's own"
    for name in NAMES:
        assert os.path.samefile(f"{target}/{name}", f"{pip.path}/{name}")


def test_where_links_are_impossible_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = unpacked(tmp_path, [*NAMES, RECORD])
    target = tmp_path / "site-packages"
    target.mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    link_seed(pip, str(target))
    for name in NAMES:
        assert (target / name).read_text() == f"this is {name}"
        assert not os.path.samefile(f"{target}/{name}", f"{pip.path}/{name}")


def test_a_copy_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = unpacked(tmp_path, [*NAMES, RECORD])
    os.unlink(f"{pip.path}/{NAMES[1]}")
    target = tmp_path / "site-packages"
    target.mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(FileNotFoundError):
        link_seed(pip, str(target))


@pytest.mark.parametrize(
    "name", ["../x", "/x", "pip/../../x", "pip\\x", "pip/a,b", 'pip/"', "a\nb"]
)
def test_a_wheel_with_a_strange_name_is_no_pip(tmp_path: Path, name: str) -> None:
    with pytest.raises(BubbleError) as caught:
        unpacked(tmp_path, None, [name])
    assert caught.value.kind == "archive"
    assert below(str(tmp_path)) == {"pip-1.0-py3-none-any.whl"}
