"""“Nothing to do” is recognised by what is there, and by nothing else."""

from __future__ import annotations

import os
import shutil

import pytest

from bubble.projects.quick import nothing_to_do
from bubble.system.kernel import has_true_links
from support.needs import not_here
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    made = Site(bubble, str(tmp_path))
    made.edit("[bubbles.train]", 'requirements = ["needs.txt"]\n\n[bubbles.train]')
    made.write("needs.txt", "gamma\n")
    made.write("train/more.txt", "")
    made.ok("sync", "--all")
    return made


def touch(path: str) -> Callable[[Site], None]:
    def change(site: Site) -> None:
        with open(os.path.join(site.root, path), "a", encoding="utf-8") as file:
            file.write("\n")

    return change


def appears(path: str, text: str = "") -> Callable[[Site], object]:
    return lambda site: site.write(path, text)


def exchange(site: Site) -> None:
    """Put a copy in the environment's place, in which all is as it was."""
    path = f"{site.root}/.venv"
    shutil.copytree(path, f"{site.directory}/copy", symlinks=True)
    shutil.rmtree(path)
    os.symlink(f"{site.directory}/copy", path)


# what may matter: a change of it must be looked at
CHANGES: dict[str, Callable[[Site], object]] = {
    "the manifest": touch("bubble.toml"),
    "a requirements file": touch("needs.txt"),
    "the lock": touch("pylock.toml"),
    "another manifest": appears("pyproject.toml", "[project]\nname='x'\n"),
    "a version file": appears(".python-version", "3.8\n"),
    "a link": lambda site: os.unlink(f"{site.root}/train/.venv"),
    "a nearer project": appears("train/bubble.toml", "[bubbles.default]\n"),
    "a version file of a directory": appears("train/.tool-versions", "python 3.8\n"),
    "the interpreter": lambda site: os.unlink(f"{site.root}/.venv/bin/python"),
    "its configuration": touch(".venv/pyvenv.cfg"),
    "the mark": touch(".venv/.bubble-environment"),
    "the environment": lambda site: os.rename(f"{site.root}/.venv", f"{site.directory}/gone"),
    "a link in its place": exchange,
    "the receipt": lambda site: touch(
        f"{os.environ['BUBBLE_HOME']}/pythons/{site.key}/.bubble/receipt.json"
    )(site),
    "a package": lambda site: shutil.rmtree(
        next(
            f"{directory}/{name}"
            for directory, names, _ in os.walk(f"{site.root}/.venv/lib")
            for name in names
            if name.startswith("beta-")
        )
    ),
}
IN_TRAIN = {"a link", "a nearer project", "a version file of a directory"}


def known(site: Site, layout: Layout, *names: str, cwd: str = "", everything: bool = False) -> bool:
    where = os.path.join(site.root, cwd) if cwd else site.root
    return nothing_to_do(layout, where, names, everything=everything) is not None


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_is_looked_at(site: Site, layout: Layout, what: str) -> None:
    assert known(site, layout)
    assert known(site, layout, everything=True)
    assert known(site, layout, "train", cwd="train")
    CHANGES[what](site)
    here = "train" if what in IN_TRAIN else ""
    names = ["train"] if what in IN_TRAIN else []
    assert not known(site, layout, *names, cwd=here)
    site.call("sync", "--all")
    after = site.call("status").status == 0
    assert known(site, layout, everything=True) <= after


def test_it_is_said_of_what_was_looked_at_alone(site: Site, layout: Layout) -> None:
    assert not known(site, layout, "other")
    assert not known(site, layout, "Train"), "it is the slow way that knows names"
    assert not nothing_to_do(layout, site.directory, [], everything=False)
    assert not nothing_to_do(layout, "", [], everything=False)
    os.symlink(f"{site.root}/train", f"{site.directory}/way")
    other = f"{site.directory}/other"
    os.mkdir(other)
    os.symlink(f"{site.root}/train", f"{other}/way")
    with open(f"{other}/requirements.txt", "w", encoding="ascii") as file:
        file.write("")
    assert not known(site, layout, cwd=f"{other}/way"), "as it is spelled, it is another project's"
    memos = f"{layout.synced}"
    for name in os.listdir(memos):
        if name.startswith("now."):
            with open(f"{memos}/{name}", "r+b") as file:
                data = file.read()
                for cut in range(0, len(data), 97):
                    file.seek(0)
                    file.truncate()
                    file.write(data[:cut])
                    file.flush()
                    assert not known(site, layout), cut


def test_another_environment_with_the_same_mark_and_all_is_looked_at(
    site: Site, layout: Layout
) -> None:
    if not has_true_links(layout.home):
        not_here("hard links are only this layer's")
    path, copy = f"{site.root}/.venv", f"{site.directory}/copy"
    shutil.copytree(path, copy, symlinks=True)
    assert known(site, layout)
    shutil.rmtree(path)
    os.rename(copy, path)
    assert not known(site, layout)
    assert site.call("status").status == 1
