"""An index that lies, stalls, yanks, loses files, wants credentials: an error, and the old lock."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from support import index as faults
from support.canary import SECRET, Guard, url
from support.fault_handlers import Resource
from support.index import Index
from support.locking import doubles, read, use_uv, versions
from support.needs import real_uv
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_handlers import Handler
    from support.fault_server import FaultServer

    Bubble = Callable[..., Result]


class Shop:
    """A project, and an index with two versions of what it wants."""

    def __init__(self, bubble: Bubble, env: dict[str, str], at: Path, server: FaultServer) -> None:
        self.bubble, self.env, self.at, self.server = bubble, env, at, server
        use_uv(env, real_uv(), "", str(at / "tools"))
        for name in ("UV_OFFLINE", "UV_NO_INDEX", "UV_FIND_LINKS"):
            del env[name]
        env |= {"UV_HTTP_TIMEOUT": "1", "UV_HTTP_RETRIES": "0", "NO_PROXY": "127.0.0.1"}
        env["BUBBLE_CATALOG"] = doubles(str(at / "mirror"), "3.12.4")
        self.project = at / "project"
        self.project.mkdir()
        self.lock = self.project / "pylock.toml"
        self.want("alpha")
        wheels = at / "wheels"
        wheels.mkdir()
        self.wheels = [wheel(str(wheels), "alpha", v, requires=["beta"]) for v in ("1.0", "2.0")]
        self.wheels.append(wheel(str(wheels), "beta", "1.0"))
        self.index = Index(server)
        self.index.add_all(self.wheels)
        env["UV_DEFAULT_INDEX"] = self.index.url

    def want(self, *wanted: str) -> None:
        lines = ", ".join(f'"{line}"' for line in wanted)
        text = f'python = "3.12"\n[bubbles.default]\ndependencies = [{lines}]\n'
        (self.project / "bubble.toml").write_text(text)

    def run(self, *words: str) -> Result:
        return self.bubble("lock", *words, cwd=self.project)


@pytest.fixture
def shop(bubble: Bubble, env: dict[str, str], tmp_path: Path, server: FaultServer) -> Shop:
    return Shop(bubble, env, tmp_path, server)


@pytest.mark.parametrize(
    "how", [faults.stalls, faults.breaks, faults.garbage, faults.missing, faults.failing]
)
def test_an_index_that_does_not_answer_right_leaves_the_lock_as_it_was(
    shop: Shop, how: Handler
) -> None:
    assert shop.run().status == 0
    before = shop.lock.read_bytes()
    shop.index.answer("alpha", how)
    shop.want("alpha>=1", "beta")
    shop.env["UV_CACHE_DIR"] = str(shop.at / "fresh")
    done = shop.run("--upgrade")
    assert done.status == 1, done
    assert done.err.startswith("error: uv ")
    assert "hint: " in done.err
    assert shop.lock.read_bytes() == before
    assert sorted(os.listdir(shop.project)) == ["bubble.toml", "pylock.toml"]


def test_a_file_that_the_index_loses_or_exchanges_is_told_by_the_hash_that_is_locked(
    shop: Shop,
) -> None:
    """The lock has the index's hash; whoever installs from it finds other bytes out."""
    assert shop.run().status == 0
    (file,) = read(str(shop.lock))["packages"][0]["wheels"]
    with open(shop.wheels[1], "rb") as opened:
        assert file["hashes"]["sha256"] == hashlib.sha256(opened.read()).hexdigest()
    evil = wheel(str(shop.at), "alpha", "2.0", says="owned")
    shop.index.add(evil)
    shop.env["UV_CACHE_DIR"] = str(shop.at / "fresh")
    done = shop.run()
    assert done.status == 0
    assert "alpha 2.0: 1 new and 1 gone files of the same version" in done.err


def test_a_hash_of_the_index_that_is_not_that_of_its_file_is_found_out_or_locked_as_said(
    shop: Shop,
) -> None:
    """uv reads metadata out of a wheel whose hash it checks; nothing else gets into a lock."""
    name = os.path.basename(shop.wheels[1])
    evil = wheel(str(shop.at), "alpha", "2.0", says="owned", requires=["evil"])
    with open(evil, "rb") as file:
        shop.server.put(f"/files/{name}", Resource(file.read()))
    done = shop.run()
    if done.status == 0:
        (locked,) = read(str(shop.lock))["packages"][0]["wheels"]
        with open(evil, "rb") as file:
            assert locked["hashes"]["sha256"] != hashlib.sha256(file.read()).hexdigest()
    else:
        assert not shop.lock.exists()


def test_a_yanked_version_that_is_locked_stays_and_is_never_newly_taken(shop: Shop) -> None:
    assert shop.run().status == 0
    assert versions(str(shop.lock))["alpha"] == "2.0"
    shop.index.yank("alpha", os.path.basename(shop.wheels[1]))
    shop.env["UV_CACHE_DIR"] = str(shop.at / "fresh")
    moved = shop.run("--upgrade")
    assert moved.status == 0, moved.err
    assert "alpha 2.0 → 1.0" in moved.err


@pytest.mark.parametrize("hashes", ["", "md5"])
def test_an_index_without_sha256_is_asked_for_the_files_which_are_hashed(
    shop: Shop, hashes: str
) -> None:
    old = Index(shop.server, path="/old", hashes=hashes)
    old.add_all(shop.wheels)
    shop.env["UV_DEFAULT_INDEX"] = old.url
    done = shop.run()
    assert done.status == 0, done.err
    for package in read(str(shop.lock))["packages"]:
        for file in package["wheels"]:
            name = file["url"].rpartition("/")[2]
            (path,) = (p for p in shop.wheels if p.endswith(f"/{name}"))
            with open(path, "rb") as opened:
                assert file["hashes"] == {"sha256": hashlib.sha256(opened.read()).hexdigest()}


def test_offline_nothing_is_asked(shop: Shop) -> None:
    done = shop.bubble("lock", cwd=shop.project, env={"BUBBLE_OFFLINE": "1"})
    assert done.status == 1
    assert "switched off" in done.err
    assert "BUBBLE_OFFLINE" in done.err
    assert not shop.server.log
    assert not shop.lock.exists()


def test_credentials_of_an_index_are_used_and_never_written_or_said(shop: Shop) -> None:
    guard = Guard()
    private = Index(shop.server, path="/private", guard=guard.over)
    private.add_all(shop.wheels)
    direct = url(shop.server, f"/files/{os.path.basename(shop.wheels[2])}")
    shop.env["UV_DEFAULT_INDEX"] = url(shop.server, "/private/")
    shop.want("alpha", f"beta @ {direct}?token={SECRET}")
    done = shop.run("--dry-run")
    for words in ((), ("--upgrade",), ("--json", "--upgrade")):
        done = shop.run(*words)
        assert done.status == 0, done.err.replace(SECRET, "SECRET")
        assert SECRET not in done.out + done.err
    assert guard.used
    text = shop.lock.read_text()
    assert SECRET not in text
    assert "user" not in text
    assert "beta had a user, a password or a query" in done.out
    refused: Handler = faults.failing
    shop.server.put(f"/files/{os.path.basename(shop.wheels[2])}", refused)
    shop.env["UV_CACHE_DIR"] = str(shop.at / "anew")
    done = shop.run()
    assert done.status == 1
    assert SECRET not in done.out + done.err
    private.answer("alpha", refused)
    shop.env["UV_CACHE_DIR"] = str(shop.at / "fresh")
    done = shop.run("--upgrade")
    assert done.status == 1
    assert SECRET not in done.out + done.err
    for root, _, names in os.walk(shop.env["BUBBLE_HOME"]):
        for name in names:
            if not os.path.isfile(f"{root}/{name}"):
                continue  # a link that leads nowhere: the store's format
            with open(f"{root}/{name}", "rb") as file:
                assert SECRET.encode() not in file.read()
