"""The whole install against a server that errs: a clear failure or success, and a clean retry."""

from __future__ import annotations

import json
import os

import pytest

from support import invariants
from support.crashes import OLDER
from support.fault_handlers import Resource, hang_up, portal, redirect, sequence, status
from support.fault_server import serve
from support.figures import caught, record
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.fault_handlers import Handler
    from support.fault_server import FaultServer
    from support.scene import Done, Scene

INSTALL = ("python", "install", "3.11.9")
QUICK = {"BUBBLE_HTTP_TIMEOUT": "2", "BUBBLE_HTTP_RETRIES": "1"}


@pytest.fixture(scope="module")
def base() -> Iterator[Scene]:
    with scene("3.11.8", "3.11.9") as made:
        made.run("python", "install", "3.11.8")
        made.save("older")
        yield made


@pytest.fixture
def stage(base: Scene) -> Scene:
    base.restore("older")
    return base


class Answers:
    """Handlers for the archive at `url`, whose file is at `path`."""

    def __init__(self, stage: Scene, server: FaultServer) -> None:
        (self.asset,) = [a for a in stage.assets() if "3.11.9" in a]
        self.path = stage.asset_path(self.asset)
        self.url = f"{server.url}/{self.asset}"
        with open(self.path, "rb") as file:
            self.data = file.read()


CASES: dict[str, tuple[Callable[[Answers], Handler], str]] = {
    # how the server answers, and the kind of the error
    "cut": (lambda a: Resource(a.path, cut=200, length="right"), "download"),
    "cut, chunked": (lambda a: Resource(a.path, cut=200, length="chunked"), "download"),
    "cut, reset": (lambda a: Resource(a.path, cut=200, with_reset=True), "download"),
    "cut, no length": (lambda a: Resource(a.data[:700], length="none", ranges=False), "checksum"),
    "length too small": (lambda a: Resource(a.path, length=700, ranges=False), "checksum"),
    "length too large": (lambda a: Resource(a.path, length=10**6, ranges=False), "download"),
    "portal": (lambda _: portal, "download"),
    "204": (lambda _: status(204), "download"),
    "404": (lambda _: status(404), "download"),
    "500": (lambda _: status(500), "download"),
    "503": (lambda _: status(503, b"", Retry_After=1), "download"),
    "429": (lambda _: status(429, b"", Retry_After=1), "download"),
    "redirect loop": (lambda a: redirect(a.url), "download"),
    "redirect to a file": (lambda a: redirect(f"file://{a.path}"), "download"),
    "hang up": (lambda _: hang_up, "download"),
    "another file": (lambda a: Resource(bytes(len(a.data))), "checksum"),
    "one bit": (lambda a: Resource(bytes([a.data[0] ^ 1]) + a.data[1:]), "checksum"),
    "206 unasked": (lambda a: Resource(a.path, plain_status=206), "download"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_server_that_errs_ends_in_one_clear_message_and_a_retry_succeeds(
    stage: Scene, case: str
) -> None:
    make, kind = CASES[case]
    with serve(stage.mirror) as server:
        answers = Answers(stage, server)
        server.put(f"/{answers.asset}", make(answers))
        done = install(stage, server)
        assert done.status == 1, done
        assert invariants.unclear(done) == []
        unharmed(stage)
        server.put(f"/{answers.asset}", make(answers))
        document = json.loads(install(stage, server, "--json").out)
        assert document["ok"] is False
        assert document["error"]["kind"] == kind, document
        server.put(f"/{answers.asset}", Resource(answers.path))
        recovers(stage, server)
    record("servers that err, and then don't", tried=1, held=1)


def test_an_install_that_believes_what_it_gets_is_seen(stage: Scene) -> None:
    with serve(stage.mirror) as server:
        answers = Answers(stage, server)
        # a byte that changes nothing: the time in the header of gzip
        other = answers.data[:4] + bytes([answers.data[4] ^ 1]) + answers.data[5:]
        server.put(f"/{answers.asset}", Resource(other))
        environment = {**QUICK, "BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        assert stage.run(*INSTALL, env=environment).status == 1
        assert stage.run(*INSTALL, env=environment, bug="gullible").status == 0
    caught("a download whose sha256 isn't looked at", by="a server that sends other bytes")


RECOVERABLE: dict[str, Callable[[Answers], Handler]] = {
    "429, then right": lambda a: sequence(status(429, b"", Retry_After=1), Resource(a.path)),
    "500, then right": lambda a: sequence(status(500), Resource(a.path)),
    "cut once": lambda a: Resource(a.path, cut=200, cut_times=1),
    "no ranges": lambda a: Resource(a.path, ranges=False),
    "no length": lambda a: Resource(a.path, length="none"),
    "chunked": lambda a: Resource(a.path, length="chunked"),
    "a redirect": lambda a: sequence(redirect(a.url), Resource(a.path)),
    "another etag after a cut": lambda a: sequence(
        Resource(a.path, etag='"old"', cut=700), Resource(a.path, etag='"new"')
    ),
    "another file after a cut": lambda a: sequence(
        Resource(bytes(len(a.data)), etag='"old"', cut=700), Resource(a.path, etag='"new"')
    ),
    "a wrong range after a cut": lambda a: sequence(
        Resource(a.path, cut=700),
        Resource(a.path, content_range=f"bytes 0-{len(a.data) - 1}/{len(a.data)}"),
        Resource(a.path),
    ),
}


@pytest.mark.parametrize("case", RECOVERABLE)
def test_what_a_client_can_mend_it_mends(stage: Scene, case: str) -> None:
    with serve(stage.mirror) as server:
        answers = Answers(stage, server)
        server.put(f"/{answers.asset}", RECOVERABLE[case](answers))
        recovers(stage, server, {"BUBBLE_HTTP_RETRIES": "4"})


def test_a_retry_is_told_once_with_its_reason_and_never_beside_json(stage: Scene) -> None:
    with serve(stage.mirror) as server:
        answers = Answers(stage, server)
        for more in ((), ("--json", "--reinstall")):
            failing = sequence(status(500), status(503), Resource(answers.path))
            server.put(f"/{answers.asset}", failing)
            for name in os.listdir(stage.layout.downloads) if more else ():
                os.unlink(f"{stage.layout.downloads}/{name}")
            done = install(stage, server, *more, env={"BUBBLE_HTTP_RETRIES": "4"})
            assert done.status == 0, done
            told = [line for line in done.err.splitlines() if "trying again" in line]
            if more:
                assert done.err == ""
            else:
                url = f"{server.url}/{answers.asset}"
                said = f"cpython-3.11.9: {url}: the server answered 500; trying again (2 of 5)"
                assert told == [said]


def test_what_fails_for_good_tells_of_no_retry(stage: Scene) -> None:
    with serve(stage.mirror) as server:
        answers = Answers(stage, server)
        server.put(f"/{answers.asset}", status(404))
        done = install(stage, server)
        assert done.status == 1
        assert "trying again" not in done.err


def test_a_file_that_changed_between_two_runs_is_fetched_anew(stage: Scene) -> None:
    with serve(stage.mirror) as server:
        answers = Answers(stage, server)
        wrong = bytes(len(answers.data))
        server.put(f"/{answers.asset}", Resource(wrong, etag='"old"', cut=700))
        assert install(stage, server, env={"BUBBLE_HTTP_RETRIES": "0"}).status == 1
        unharmed(stage)
        assert any(".part" in name for name in os.listdir(stage.layout.downloads))
        server.put(f"/{answers.asset}", Resource(answers.path, etag='"new"'))
        recovers(stage, server)


def test_a_catalogue_that_a_portal_replaced_leaves_the_last_good_one(stage: Scene) -> None:
    with serve(stage.mirror) as server:
        url = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json", **QUICK}
        assert stage.run("python", "list", env=url).status == 0
        server.put("/catalogue.json", portal)
        done = stage.run(*INSTALL, env=url)
        assert done.status == 0, done
        assert "warning" in done.err
    assert invariants.left_over(stage) == []


def install(
    stage: Scene, server: FaultServer, *more: str, env: dict[str, str] | None = None
) -> Done:
    catalogue = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
    return stage.run(*INSTALL, *more, env={**QUICK, **catalogue, **(env or {})})


def unharmed(stage: Scene) -> None:
    problems = invariants.not_whole(stage) + invariants.left_over(stage, unfinished=True)
    problems += invariants.not_working(stage, (OLDER, "3.11")) + invariants.unlinked(stage)
    assert problems == []


def recovers(stage: Scene, server: FaultServer, env: dict[str, str] | None = None) -> None:
    done = install(stage, server, env=env)
    assert done.status == 0, done
    problems = invariants.not_whole(stage) + invariants.left_over(stage)
    assert problems + invariants.unlinked(stage) == []
