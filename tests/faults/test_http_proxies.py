"""Ways to a server that lead by a proxy: plain and over TLS, by CONNECT and by SOCKS."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess

import pytest

from support.fault_handlers import Resource, redirect
from support.fault_proxy import proxy, socks
from support.fault_server import serve
from support.needs import needs
from support.transfers import ALONE, QUICK, Target, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.fault_server import FaultServer

pytestmark = needs("openssl")

DATA = some_bytes(2_000_000)
LOGIN = ("me", "hunter2")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a certificate for 127.0.0.1, with its key in the same file."""
    path = str(tmp_path_factory.mktemp("tls") / "both.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", path, "-out", f"{path}.new"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    with open(f"{path}.new") as made, open(path, "a") as both:
        both.write(made.read())
    return path


@pytest.fixture
def tls(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def secure(tls: ssl.SSLContext) -> Iterator[FaultServer]:
    with serve(tls=tls) as running:
        yield running


@pytest.fixture
def trusted(certificate: str) -> dict[str, str]:
    return {"SSL_CERT_FILE": certificate}


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("connections", [1, 4])
def test_a_server_is_reached_by_connect(
    secure: FaultServer,
    target: Target,
    tls: ssl.SSLContext,
    trusted: dict[str, str],
    connections: int,
    *,
    over_tls: bool,
) -> None:
    """TLS to the server goes from end to end, inside of TLS to the proxy where it has it."""
    url = secure.put("/file", Resource(DATA, rate=2_000_000 if connections > 1 else None))
    moved = secure.put("/moved", redirect("/file"))
    with proxy(tls=tls if over_tls else None, login=LOGIN) as way:
        named = way.url.replace("//", f"//{LOGIN[0]}:{LOGIN[1]}@")
        env = {**trusted, "https_proxy": named}
        target.get(moved, env=env, settings=QUICK.replace(connections=connections))
        assert set(way.asked) == {f"127.0.0.1:{secure.port}"}
        assert len(way.asked) >= connections
        assert all("hunter2" not in said for said in way.said)
    assert len(secure.requests("/file")) >= connections
    assert all("proxy-authorization" not in entry.headers for entry in secure.log)
    os.unlink(target.path)
    with proxy(tls=tls if over_tls else None, login=LOGIN) as way:
        error = target.fails(url, env={**trusted, "https_proxy": way.url})
        assert "the proxy wants a user name" in error.message
        assert len(way.asked) == 1


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("code", [403, 404, 500, 502])
def test_a_proxy_that_refuses_is_named_and_not_asked_again(
    secure: FaultServer,
    target: Target,
    tls: ssl.SSLContext,
    trusted: dict[str, str],
    code: int,
    *,
    over_tls: bool,
) -> None:
    url = secure.put("/file", Resource(DATA))
    with proxy(tls=tls if over_tls else None, refuses=code) as way:
        error = target.fails(url, env={**trusted, "https_proxy": way.url})
        assert f"the proxy answered {code}" in error.message
        assert len(way.asked) == 1
    assert secure.log == []


def test_a_plain_server_is_asked_for_by_a_proxy_over_tls(
    secure: FaultServer, target: Target, trusted: dict[str, str]
) -> None:
    """Such a proxy is asked for the whole address, inside of TLS."""
    secure.put("http://elsewhere.test:81/file", Resource(DATA))
    way = {"http_proxy": f"https://{':'.join(LOGIN)}@127.0.0.1:{secure.port}"}
    target.get("http://elsewhere.test:81/file", env={**trusted, **way})
    (entry,) = secure.log
    assert entry.headers["host"] == "elsewhere.test:81"
    assert entry.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("to_proxy", [False, True])
def test_whom_nobody_vouches_for_gets_no_request(
    secure: FaultServer,
    target: Target,
    tls: ssl.SSLContext,
    trusted: dict[str, str],
    *,
    to_proxy: bool,
) -> None:
    url = secure.put("/file", Resource(DATA))
    with proxy(tls=tls if to_proxy else None) as way:
        error = target.fails(url, env={"https_proxy": way.url})
        assert "certificate is not trusted" in error.message
        assert bool(way.asked) != to_proxy
        target.get(url, env={**trusted, "https_proxy": way.url})


def test_a_proxy_that_goes_away_is_not_there(secure: FaultServer, target: Target) -> None:
    url = secure.put("/file", Resource(DATA))
    with proxy() as way:
        pass
    error = target.fails(url, env={"https_proxy": way.url}, settings=ALONE.replace(attempts=9))
    assert "refused" in error.message


@pytest.mark.parametrize("login", [None, LOGIN])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_leads_to_every_server(
    secure: FaultServer,
    target: Target,
    server: FaultServer,
    trusted: dict[str, str],
    login: tuple[str, str] | None,
    scheme: str,
) -> None:
    """The proxy looks up the names: ours might not even know them."""
    pytest.importorskip("socks")
    server.put("/file", Resource(DATA))
    url = secure.put("/file", Resource(DATA))
    with socks(login=login) as way:
        named = f"{scheme}://{':'.join(login) + '@' if login else ''}{way.address}"
        target.get(f"http://elsewhere.test:{server.port}/file", env={"all_proxy": named})
        os.unlink(target.path)
        target.get(url, env={**trusted, "all_proxy": named})
        assert way.asked == [f"elsewhere.test:{server.port}", f"127.0.0.1:{secure.port}"]


def test_socks_that_refuses_is_said(server: FaultServer, target: Target) -> None:
    pytest.importorskip("socks")
    url = server.put("/file", Resource(DATA))
    with socks(refuses=2) as way:
        assert "not allowed" in target.fails(url, env={"all_proxy": way.url}).message
        assert len(way.asked) == 1
    with socks(login=LOGIN) as way:
        wrong = way.url.replace("//", "//me:other@")
        error = target.fails(url, env={"all_proxy": wrong})
        assert "uthentication" in error.message
        assert "other" not in error.message
    error = target.fails(url, env={"all_proxy": way.url})
    assert "refused" in error.message
    assert server.log == []


def own_address() -> str:
    """Return IPv6's, or IPv4's where the kernel has no IPv6 (containers)."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return "::1"
    except OSError:
        return "127.0.0.1"


def test_socks_is_found_at_any_address_and_asked_again_when_it_hangs_up(
    server: FaultServer, target: Target
) -> None:
    pytest.importorskip("socks")
    url = server.put("/file", Resource(DATA))
    with socks(host=own_address(), hangs_up=ALONE.attempts - 1) as way:
        target.get(url, env={"all_proxy": way.url}, settings=ALONE)
        assert way.asked == [f"127.0.0.1:{server.port}"]
    os.unlink(target.path)
    with socks(hangs_up=ALONE.attempts) as way:
        error = target.fails(url, env={"all_proxy": way.url})
        assert "onnection" in error.message  # closed, or reset


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_a_proxy_that_is_no_address_is_blamed_itself(
    server: FaultServer, target: Target, name: str
) -> None:
    url = server.put("/file", Resource(DATA))
    error = target.fails(url, env={name: "http://me:hunter2@[::1"})
    assert (error.kind, "the proxy in the environment" in error.message) == ("usage", True)
    assert "hunter2" not in error.message + error.hint
