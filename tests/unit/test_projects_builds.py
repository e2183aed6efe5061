"""Which builds of the interpreter a lock names: kept, installed, newest; for which platforms."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.platform import parse_platform
from bubble.projects.builds import builds_for
from bubble.projects.lockfile import Build, Lock
from bubble.selection.answers import World
from bubble.system.host import host_platform
from support.locking import doubles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

HERE = host_platform({})
OTHER = parse_platform("darwin-aarch64-none")


@pytest.fixture
def world(env: dict[str, str], layout: Layout, tmp_path: Path) -> World:
    builds = [{"version": v, "on": p} for v in ("3.12.4", "3.12.5") for p in (HERE, OTHER)]
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "mirror"), *builds)
    return World(cwd=str(tmp_path), env=env, layout=layout, platform=HERE)


def names(found: tuple[Build, ...]) -> list[str]:
    return [build.key for build in found]


def lock_of(*builds: Build) -> Lock:
    version = str(parse_key(builds[0].key).version)
    return Lock(inputs="", request="3.12", version=version, builds=builds, versions={})


def test_the_newest_is_locked_for_every_platform_that_has_it(world: World) -> None:
    found = builds_for("3.12", (), world, newest=False)
    assert sorted(names(found)) == sorted(f"cpython-3.12.5-{p}" for p in (HERE, OTHER))


def test_the_order_is_the_same_on_every_machine(world: World) -> None:
    there = world.replace(platform=OTHER)
    assert builds_for("3.12", (), world, newest=False) == builds_for(
        "3.12", (), there, newest=False
    )


def test_what_is_installed_comes_before_what_is_newest_unless_that_is_asked_for(
    world: World, bubble: Callable[..., Result]
) -> None:
    assert bubble("python", "install", "3.12.4").status == 0
    assert "3.12.4" in builds_for("3.12", (), world, newest=False)[0].key
    assert "3.12.5" in builds_for("3.12", (), world, newest=True)[0].key


def test_what_only_stands_for_an_interpreter_from_elsewhere_is_never_locked(
    world: World, bubble: Callable[..., Result]
) -> None:
    """An adopted one has no bytes that others could have."""
    assert bubble("python", "install", "3.12.4").status == 0
    (installed,) = (f"{world.layout.pythons}/cpython-3.12.4-{HERE}",)
    receipt = f"{installed}/.bubble/receipt.json"
    with open(receipt, encoding="utf-8") as file:
        text = file.read()
    digest = text.partition('"sha256": "')[2].partition('"')[0]
    with open(receipt, "w", encoding="utf-8") as file:
        file.write(text.replace(digest, ""))
    assert "3.12.5" in builds_for("3.12", (), world, newest=False)[0].key


def test_a_lock_that_covers_what_is_asked_is_kept_without_a_catalogue(world: World) -> None:
    before = lock_of(*builds_for("3.12.4", (), world, newest=False))
    blind = world.replace(env={**world.env, "BUBBLE_CATALOG": "/nonexistent"})
    assert builds_for("3.12", (), blind, before=before, newest=False) == before.builds


def test_what_is_missing_for_a_platform_is_added_to_what_is_kept(world: World) -> None:
    (mine,) = builds_for("3.12.4", (str(HERE),), world, newest=False)
    both = builds_for("3.12", (str(OTHER), str(HERE)), world, before=lock_of(mine), newest=False)
    assert names(both) == [f"cpython-3.12.4-{OTHER}", f"cpython-3.12.4-{HERE}"]
    assert both[1] == mine


def test_a_kept_version_that_a_new_platform_lacks_gives_way(
    world: World, tmp_path: Path, env: dict[str, str]
) -> None:
    before = lock_of(*builds_for("3.12.4", (str(HERE),), world, newest=False))
    builds = [{"version": "3.12.5", "on": p} for p in (HERE, OTHER)]
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "less"), "3.12.4", *builds)
    world = world.replace(env=env)
    found = builds_for("3.12", (str(HERE), str(OTHER)), world, before=before, newest=False)
    assert names(found) == [f"cpython-3.12.5-{HERE}", f"cpython-3.12.5-{OTHER}"]


def test_another_implementation_or_variant_than_what_is_kept_is_another_answer(
    world: World, tmp_path: Path, env: dict[str, str]
) -> None:
    before = lock_of(*builds_for("3.12", (), world, newest=False))
    for request in ("pypy3.12", "3.12t", "graalpy3.12"):
        with pytest.raises(BubbleError) as caught:
            builds_for(request, (), world, before=before, newest=False)
        assert caught.value.kind == "unavailable"
    env["BUBBLE_CATALOG"] = doubles(
        str(tmp_path / "free"), {"version": "3.12.5", "variant": "freethreaded"}
    )
    found = builds_for("3.12t", (), world.replace(env=env), before=before, newest=False)
    assert names(found) == [f"cpython-3.12.5+freethreaded-{HERE}"]


def test_pre_releases_are_locked_only_when_they_are_asked_for(
    world: World, tmp_path: Path, env: dict[str, str]
) -> None:
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "next"), "3.15.0rc1")
    world = world.replace(env=env)
    with pytest.raises(BubbleError, match="pre-release"):
        builds_for("3.15", (), world, newest=False)
    found = builds_for("3.15.0rc1", (), world, newest=False)
    assert names(found) == [f"cpython-3.15.0rc1-{HERE}"]


def test_a_request_for_another_platform_is_locked_for_that_alone(world: World) -> None:
    found = builds_for(f"cpython-3.12-{OTHER}", (), world, newest=False)
    assert names(found) == [f"cpython-3.12.5-{OTHER}"]


@pytest.mark.parametrize("request_", ["system", "train", "./here"])
def test_what_is_no_version_cannot_be_locked(world: World, request_: str) -> None:
    with pytest.raises(BubbleError) as caught:
        builds_for(request_, (), world, newest=False)
    assert caught.value.kind == "request"


def test_a_build_of_upstream_that_is_installed_is_locked_though_no_catalogue_has_it_any_more(
    world: World, bubble: Callable[..., Result]
) -> None:
    assert bubble("python", "install", "3.12.4").status == 0
    receipt = f"{world.layout.pythons}/cpython-3.12.4-{HERE}/.bubble/receipt.json"
    with open(receipt, encoding="utf-8") as file:
        text = file.read()
    origin = text.partition('"origin": "')[2].partition('"')[0]
    digest = text.partition('"sha256": "')[2].partition('"')[0]
    upstream = "https://github.com/astral-sh/python-build-standalone/releases/download/1/a.tar.gz"
    with open(receipt, "w", encoding="utf-8") as file:
        file.write(text.replace(origin, upstream).replace(digest, "a" * 64))
    (found,) = (b for b in builds_for("3.12", (), world, newest=False) if str(HERE) in b.key)
    assert (found.url, found.sha256) == (upstream, "a" * 64)
    shutil.rmtree(f"{world.layout.pythons}/cpython-3.12.4-{HERE}")
