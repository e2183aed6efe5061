"""HTTPS: whose certificates count, and what holds over it as over plain HTTP."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading

import certifi
import pytest

from bubble.system.http import trust
from support.fault_handlers import Resource, redirect
from support.fault_server import FaultServer, serve
from support.needs import needs
from support.transfers import ALONE, QUICK, Target, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = some_bytes(300_000)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Make a certificate for 127.0.0.1 and return its path and the key's."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = str(directory / "certificate.pem"), str(directory / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture
def secure(certificate: tuple[str, str]) -> Iterator[FaultServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serve(tls=context) as running:
        yield running


@needs("openssl")
def test_https_is_checked_against_the_certificates_of_the_environment(
    secure: FaultServer, target: Target, certificate: tuple[str, str], tmp_path: Path
) -> None:
    url = secure.put("/file", Resource(DATA))
    error = target.fails(url)
    assert "certificate" in error.message
    assert "SSL_CERT_FILE" in error.hint
    assert secure.log == []
    target.get(url, env={"SSL_CERT_FILE": certificate[0]})
    os.unlink(target.path)
    assert target.fails(url, env={"SSL_CERT_FILE": str(tmp_path / "none")}).kind == "usage"


@needs("openssl")
def test_the_systems_certificates_count_beside_certifis(
    secure: FaultServer,
    target: Target,
    certificate: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A network's own authority is in the system's store; what a variable names counts alone."""
    url = secure.put("/file", Resource(DATA))
    monkeypatch.setattr(trust, "SYSTEM_BUNDLES", (str(tmp_path / "none"), certificate[0]))
    trust._context.cache_clear()
    target.get(url)
    os.unlink(target.path)
    assert "certificate" in target.fails(url, env={"SSL_CERT_DIR": str(tmp_path)}).message
    trust._context.cache_clear()


@needs("openssl")
def test_certificates_may_come_from_a_directory(
    secure: FaultServer, target: Target, certificate: tuple[str, str], tmp_path: Path
) -> None:
    url = secure.put("/file", Resource(DATA))
    empty, directory = tmp_path / "empty", tmp_path / "certificates"
    empty.mkdir()
    directory.mkdir()
    command = ["openssl", "x509", "-subject_hash", "-noout", "-in", certificate[0]]
    named = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (directory / f"{named}.0").symlink_to(certificate[0])
    assert "certificate" in target.fails(url, env={"SSL_CERT_DIR": str(empty)}).message
    target.get(url, env={"SSL_CERT_DIR": str(directory)})
    os.unlink(target.path)
    others = {"SSL_CERT_FILE": certifi.where(), "SSL_CERT_DIR": str(directory)}
    target.get(url, env=others)
    os.unlink(target.path)
    target.get(url, env={"SSL_CERT_FILE": certificate[0], "SSL_CERT_DIR": str(empty)})


@needs("openssl")
def test_https_in_segments_and_no_redirect_to_http(
    secure: FaultServer, server: FaultServer, tmp_path: Path, certificate: tuple[str, str]
) -> None:
    (tmp_path / "downloads").mkdir()
    target = Target(str(tmp_path / "downloads" / "file"), some_bytes(2_000_000))
    env = {"SSL_CERT_FILE": certificate[0]}
    plain = server.put("/file", Resource(target.data))
    down = secure.put("/down", redirect(plain))
    error = target.fails(down, env=env)
    assert "from https to http is refused" in error.message
    assert server.log == []
    secure.put("/file", Resource(target.data, rate=2_000_000))
    up = server.put("/up", redirect(secure.url + "/file"))
    target.get(up, env=env, settings=QUICK.replace(connections=4))
    assert len(secure.requests("/file")) >= 4
    assert len(server.requests("/up")) == 1


@needs("openssl")
def test_the_deadline_holds_over_tls(
    secure: FaultServer, target: Target, certificate: tuple[str, str]
) -> None:
    url = secure.put("/file", Resource(DATA, rate=100))
    env = {"SSL_CERT_FILE": certificate[0]}
    error = target.fails(url, env=env, settings=ALONE.replace(deadline=0.5))
    assert "not done within" in error.message
    assert not [t for t in threading.enumerate() if t.name.endswith("(_work)")]
