"""SIGKILL before every change that making a mirror makes: who is served never sees half of it."""

from __future__ import annotations

import hashlib
import json
import os
import sys

import pytest

from support.builds import interpreters
from support.kills import kill_everywhere
from support.needs import FULL, LINUX_ONLY, needs
from support.scene import scene
from support.small_prefix import small_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene
    from support.sweep import Point

pytestmark = [LINUX_ONLY, needs("strace")]
SMALL = {"extra_files": 0}


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene({"version": "3.11.8", **SMALL}, {"version": "3.12.4", **SMALL}) as made:
        os.makedirs(made.home)
        made.run("mirror", "create", target(made), "3.11.8")
        yield made


def target(stage: Scene) -> str:
    return f"{stage.disk}/published"


def served(stage: Scene, *versions: str) -> list[str]:
    """What the mirror lists is there with its bytes, and these versions are."""
    found = []
    directory = target(stage)
    with open(f"{directory}/catalogue.json", "rb") as file:
        entries = json.load(file).values()
    there = {"{major}.{minor}.{patch}".format(**entry) for entry in entries}
    found += [f"I2: {version} isn't listed" for version in versions if version not in there]
    listed = [(entry["url"].replace("%2B", "+"), entry["sha256"]) for entry in entries]
    for name in ("SHA256SUMS", f"{listed[0][0].partition('/')[0]}/SHA256SUMS"):
        with open(f"{directory}/{name}", encoding="ascii") as file:
            pairs = [line.rstrip("\n").split("  ") for line in file]
        listed += [(f"{os.path.dirname(name)}/{asset}".strip("/"), hex_) for hex_, asset in pairs]
    for asset, digest in listed:
        try:
            with open(f"{directory}/{asset}", "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    found.append(f"I1: {asset} has other bytes than listed")
        except FileNotFoundError:
            found.append(f"I1: {asset} is listed and isn't there")
    return found


def complete(stage: Scene, *versions: str) -> list[str]:
    left = os.listdir(f"{target(stage)}/.partial")
    return served(stage, *versions) + [f"I3: .partial/{name}" for name in left]


@pytest.mark.parametrize("bug", ["", "catalogue-first", "in-place"])
def test_a_mirror_whose_maker_is_killed_anywhere_serves_what_it_served_or_more(
    stage: Scene, bug: str
) -> None:
    report = kill_everywhere(
        stage,
        ("mirror", "create", target(stage), "3.12.4"),
        directory=target(stage),
        then=lambda: served(stage, "3.11.8"),
        afterwards=lambda: complete(stage, "3.11.8", "3.12.4"),
        bug=bug,
    )
    assert bug or report.calls > 20


def test_packing_an_interpreter_that_is_killed_anywhere_leaves_the_mirror_as_it_was(
    stage: Scene,
) -> None:
    version, prefix = "3.11.9", small_prefix(f"{os.path.realpath(stage.root)}/prefix")
    if FULL and interpreters():  # a whole one takes seconds for each kill
        version, prefix = "{}.{}.{}".format(*sys.version_info), sys.base_prefix

    def chosen(points: list[Point]) -> list[Point]:
        """Of the thousand writes of the archive and of its trial a few, of its publication each."""
        archive = [p for p in points if p.name == "write" and "/.partial/" in p.path]
        trial = [p for p in points if "/staging/" in p.path]
        taken = {id(p) for p in archive + trial}
        others = [p for p in points if id(p) not in taken]
        some = [
            point
            for many in (archive, trial)
            for point in many[:: max(1, len(many) // (40 if FULL else 1))]
        ]
        return (others if FULL else others[::8]) + some

    kill_everywhere(
        stage,
        ("mirror", "pack", "--tag", "20260101", target(stage), prefix),
        directory=target(stage),
        then=lambda: served(stage, "3.11.8"),
        afterwards=lambda: complete(stage, "3.11.8", version),
        select=chosen,
    )
