"""The credential canary: given on every way, used, and never said, written or put on argv."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from support import invariants
from support.canary import SECRET, Guard, told, url
from support.env_scene import env_scene, request
from support.fault_handlers import Resource, status
from support.fault_server import serve
from support.figures import caught, record
from support.needs import LINUX_ONLY, not_here, real_uv
from support.scene import scene
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.fault_server import FaultServer
    from support.scene import Scene

pytestmark = LINUX_ONLY
INSTALL = ("python", "install", "3.11.9")
TRIED = "ways on which a secret is given: it is nowhere but where it was given"


class Shop:
    """A scene, and a server that has its mirror for those who bring the secret."""

    def __init__(self, stage: Scene, server: FaultServer) -> None:
        self.stage = stage
        self.server = server
        self.guard = Guard()
        for path in ("catalogue.json", *stage.assets()):
            file = Resource(stage.asset_path(path))
            server.put(f"/{path}", self.guard.over(file))
        # where the catalogue's own addresses lead, for a mirror in the place of upstream
        self.roots = (stage.disk, f"{stage.root}/user")

    def catalogue(self, prefix: str) -> str:
        """Return the path of a catalogue whose addresses begin with `prefix`."""
        with open(f"{self.stage.mirror}/catalogue.json", encoding="utf-8") as file:
            entries = json.load(file)
        for entry in entries.values():
            entry["url"] = prefix + entry["url"]
        path = f"{self.stage.root}/scratch/listed.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(entries, file)
        return path


@pytest.fixture
def shop() -> Iterator[Shop]:
    with scene("3.11.9") as stage, serve() as server:
        stage.env["BUBBLE_HTTP_RETRIES"] = "0"
        yield Shop(stage, server)


UPSTREAM = "https://github.com/astral-sh/python-build-standalone/releases/download/"


def by_mirror(shop: Shop) -> dict[str, str]:
    return {"BUBBLE_MIRROR": url(shop.server), "BUBBLE_CATALOG": shop.catalogue(UPSTREAM)}


def by_a_mirror_that_lacks_it(shop: Shop) -> dict[str, str]:
    return {"BUBBLE_MIRROR": url(shop.server, "/no"), "BUBBLE_CATALOG": shop.catalogue(UPSTREAM)}


def by_a_mirror_that_is_no_address(shop: Shop) -> dict[str, str]:
    mirror = url(shop.server).replace("http:", "htp:")
    return {"BUBBLE_MIRROR": mirror, "BUBBLE_CATALOG": shop.catalogue(UPSTREAM)}


def by_a_mirror_with_a_token(shop: Shop) -> dict[str, str]:
    mirror = f"{shop.server.url}/?token={SECRET}"
    return {"BUBBLE_MIRROR": mirror, "BUBBLE_CATALOG": shop.catalogue(UPSTREAM)}


def by_catalogue(shop: Shop) -> dict[str, str]:
    return {"BUBBLE_CATALOG": url(shop.server, "/catalogue.json")}


def by_a_catalogue_that_is_not_there(shop: Shop) -> dict[str, str]:
    return {"BUBBLE_CATALOG": url(shop.server, "/nothing.json")}


def by_a_catalogue_with_a_token(shop: Shop) -> dict[str, str]:
    return {"BUBBLE_CATALOG": f"{shop.server.url}/catalogue.json?token={SECRET}"}


def by_a_host_that_does_not_answer(_: Shop) -> dict[str, str]:
    return {"BUBBLE_CATALOG": f"http://user:{SECRET}@127.0.0.1:9/catalogue.json"}


def by_the_addresses_in_a_catalogue(shop: Shop) -> dict[str, str]:
    return {"BUBBLE_CATALOG": shop.catalogue(url(shop.server, "/"))}


def by_proxy(shop: Shop) -> dict[str, str]:
    away = "http://python.invalid/catalogue.json"
    return {"HTTP_PROXY": url(shop.server), "http_proxy": url(shop.server), "BUBBLE_CATALOG": away}


@pytest.mark.parametrize(
    ("way", "uses"),
    [
        (by_mirror, True),
        (by_a_mirror_that_lacks_it, False),
        (by_a_mirror_that_is_no_address, False),
        (by_a_mirror_with_a_token, False),
        (by_catalogue, True),
        (by_a_catalogue_that_is_not_there, False),
        (by_a_catalogue_with_a_token, False),
        (by_a_host_that_does_not_answer, False),
        (by_the_addresses_in_a_catalogue, False),
        (by_proxy, False),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["plain", "json"])
def test_a_secret_in_a_variable_is_told_to_nobody(
    shop: Shop, way: object, uses: bool, form: tuple[str, ...]
) -> None:
    assert callable(way)
    done = shop.stage.run(*INSTALL, *form, env={**way(shop), "BUBBLE_DEBUG": "1"})
    assert invariants.unclear(done) == [] or form
    assert (shop.guard.used > 0) == uses == (done.status == 0), done
    if way is by_proxy:
        assert [e for e in shop.server.log if "proxy-authorization" in e.headers]
    assert told(done, shop.guard, shop.roots) == []
    record(TRIED, tried=1, held=1)


@pytest.mark.parametrize(
    "words",
    [
        ("python", "update", "--url", "URL"),
        ("mirror", "create", "DIR", "3.11.9", "--base-url", "URL"),
        ("python", "install", "--from", "URL", "--sha256", "0" * 64, "3.11.9"),
        ("python", "install", "URL"),
        ("use", "URL"),
        ("create", "train", "-p", "URL"),
        ("python", "find", "URL"),
        ("exec", "-p", "URL", "true"),
    ],
    ids=" ".join,
)
def test_a_secret_in_an_argument_is_not_repeated(shop: Shop, words: tuple[str, ...]) -> None:
    address = url(shop.server, "/catalogue.json")
    directory = f"{shop.stage.disk}/published"
    line = [{"URL": address, "DIR": directory}.get(word, word) for word in words]
    for form in ((), ("--json",)) if words[0] != "exec" else ((),):
        done = shop.stage.run(*line, *form)
        assert done.status, done
        assert told(done, shop.guard, shop.roots, given=("bubble\0",)) == []
    record(TRIED, tried=1, held=1)


def test_a_receipt_that_tells_is_seen(shop: Shop) -> None:
    done = shop.stage.run(*INSTALL, env=by_catalogue(shop), bug="telling-receipt")
    assert done.status == 0, done
    assert [what for what in told(done, shop.guard, shop.roots) if "receipt.json" in what]
    caught("a receipt with the whole address", by="the canary")


@pytest.fixture
def stage() -> Iterator[Scene]:
    with env_scene() as made:
        for key in invariants.installed(made):  # the real pip, this time
            shutil.rmtree(f"{made.layout.python(key)}/lib/python3.11/ensurepip", True)
        yield made


class Index:
    """A package index with one wheel, for those who bring the secret."""

    def __init__(self, server: FaultServer, directory: str) -> None:
        self.guard = Guard()
        self.server = server
        path = wheel(directory, "hello", "1.0", script="hello")
        name = os.path.basename(path)
        link = f'<!DOCTYPE html><a href="/files/{name}">{name}</a>'.encode()
        page = Resource(link, headers={"Content-Type": "text/html"})
        server.put("/simple/hello/", self.guard.over(page))
        server.put("/simple/no-such-package/", self.guard.over(status(404, b"")))
        server.put(f"/files/{name}", self.guard.over(Resource(path)))

    def given(self, stage: Scene, way: str) -> tuple[tuple[str, ...], dict[str, str], str]:
        """Return the arguments, the variables and the file that give the secret on a way."""
        user, index = f"{stage.root}/user", url(self.server, "/simple/")
        plain = f"{self.server.url}/simple/"
        if way == "variable":
            return ("hello",), {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}, ""
        if way == "requirements":
            path = f"{stage.root}/scratch/requirements.txt"
            with open(path, "w", encoding="ascii") as file:
                file.write(f"--index-url {index}\nhello\n")
            return ("-r", path), {}, path
        path = f"{user}/.netrc"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"machine 127.0.0.1 login user password {SECRET}\n")
        os.chmod(path, 0o600)
        return ("hello",), {"PIP_INDEX_URL": plain, "UV_DEFAULT_INDEX": plain}, path


def make(
    stage: Scene, tmp_path: Path, installer: str, way: str, *, bug: str = "", lacking: bool = False
) -> list[str]:
    """Make an environment with a package from the index; return where the secret is."""
    environment = {
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    if installer == "uv":
        environment["PATH"] = f"{os.path.dirname(real_uv())}:{stage.env['PATH']}"
    with serve() as server:
        index = Index(server, str(tmp_path))
        words, more, path = index.given(stage, way)
        arguments = ("create", "train", *words, *(("no-such-package",) if lacking else ()))
        options = ("-p", request(stage), "--installer", installer)
        done = stage.run(*arguments, *options, env={**environment, **more}, bug=bug)
    assert index.guard.used, done
    assert (done.status != 0) == lacking, done
    if not lacking:
        assert stage.run("run", "train", "hello").out == "hello 1.0\n"
    roots = (stage.disk, f"{stage.root}/user")
    return told(done, index.guard, roots, given=(path,) if path else ())


@pytest.mark.parametrize("lacking", [False, True], ids=["found", "not found"])
@pytest.mark.parametrize("way", ["variable", "requirements", "netrc"])
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_the_secret_of_a_package_index_stays_where_it_was_given(
    stage: Scene, tmp_path: Path, installer: str, way: str, *, lacking: bool
) -> None:
    if installer == "pip" and (way, lacking) in {("netrc", True), ("requirements", False)}:
        not_here("one of pip's ways is tried with what is found, one with what isn't")
    assert make(stage, tmp_path, installer, way, lacking=lacking) == []
    record(TRIED, tried=1, held=1)


def test_an_index_on_the_installers_arguments_is_seen(stage: Scene, tmp_path: Path) -> None:
    found = make(stage, tmp_path, "pip", "variable", bug="index-on-argv")
    assert [what for what in found if what.startswith("arguments")]
    caught("the index's address as an argument of pip", by="the canary")
