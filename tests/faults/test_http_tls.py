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


def hashed(certificate: str, directory: Path) -> str:
    """Make a directory in which a certificate is found by its hash."""
    command = ["openssl", "x509", "-subject_hash", "-noout", "-in", certificate]
    named = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    directory.mkdir()
    (directory / f"{named}.0").symlink_to(certificate)
    return str(directory)


@pytest.fixture
def others(tmp_path: Path) -> Iterator[str]:
    """Make a directory of somebody else's certificate."""
    trust._context.cache_clear()
    made = tmp_path / "others.pem"
    with open(certifi.where(), encoding="ascii") as file:
        made.write_text(file.read().partition("-----END CERTIFICATE-----")[0].rpartition("\n\n")[2]
                        + "-----END CERTIFICATE-----\n")  # fmt: skip
    yield hashed(str(made), tmp_path / "others")
    trust._context.cache_clear()


WAYS = ("file", "directory", "certifi")


@needs("openssl")
@pytest.mark.parametrize("has_directory", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_what_the_system_and_what_certifi_trusts_counts(
    secure: FaultServer,
    target: Target,
    certificate: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    others: str,
    way: str,
    *,
    has_directory: bool,
) -> None:
    """A network's own authority is in the system's store; what a variable names counts alone."""
    own = hashed(certificate[0], tmp_path / "own") if way == "directory" else ""
    names = tmp_path / "names"
    names.mkdir()  # of certificates, but none that OpenSSL would look for
    (names / "ours.pem").symlink_to(certificate[0])
    directories = (str(tmp_path / "none"), str(names), *([others] if has_directory else []), own)
    monkeypatch.setattr(trust, "SYSTEM_DIRECTORIES", tuple(filter(None, directories)))
    bundles = (str(tmp_path / "none"), *([certificate[0]] if way == "file" else []))
    monkeypatch.setattr(trust, "SYSTEM_BUNDLES", bundles)
    if way == "certifi":
        monkeypatch.setattr(trust, "_certifis", lambda: certificate[0])
    url = secure.put("/file", Resource(DATA))
    target.get(url)
    os.unlink(target.path)
    trust._context.cache_clear()
    secure.put("/file", Resource(DATA, rate=1_000_000))
    settings = QUICK.replace(connections=4, segment_threshold=1000, segment_size=1000)
    target.get(url, settings=settings)
    os.unlink(target.path)
    assert "certificate" in target.fails(url, env={"SSL_CERT_DIR": others}).message


@needs("openssl")
def test_where_the_system_has_it_no_file_of_hundreds_is_read(
    secure: FaultServer,
    target: Target,
    certificate: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    others: str,
) -> None:
    del others
    directory = hashed(certificate[0], tmp_path / "own")
    monkeypatch.setattr(trust, "SYSTEM_DIRECTORIES", (directory,))
    monkeypatch.setattr(trust, "_certifis", lambda: pytest.fail("certifi's were read"))
    target.get(secure.put("/file", Resource(DATA)))


@needs("openssl")
def test_certificates_may_come_from_a_directory(
    secure: FaultServer, target: Target, certificate: tuple[str, str], tmp_path: Path
) -> None:
    url = secure.put("/file", Resource(DATA))
    empty = tmp_path / "empty"
    empty.mkdir()
    directory = hashed(certificate[0], tmp_path / "certificates")
    assert "certificate" in target.fails(url, env={"SSL_CERT_DIR": str(empty)}).message
    target.get(url, env={"SSL_CERT_DIR": directory})
    os.unlink(target.path)
    others = {"SSL_CERT_FILE": certifi.where(), "SSL_CERT_DIR": directory}
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
