"""Where nobody can be asked, that is said soon; a file that is missing is no network's fault."""

from __future__ import annotations

import errno
import hashlib
import socket

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http.download import download
from bubble.system.http.fetch import fetch
from bubble.system.http.settings import Settings, settings_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from support.fault_server import FaultServer

SHA256 = hashlib.sha256(b"x").hexdigest()
QUICK = Settings(backoff=0.01)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list that gets the host of each connection that is tried."""
    tried: list[object] = []
    real = socket.getaddrinfo

    def look_up(host: bytes, *args: Any) -> object:
        tried.append(host)
        if host == b"host.invalid":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if host == b"away.invalid":
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        return real(host, *args)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return tried


def closed_port() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}/x"


@pytest.mark.parametrize("place", [closed_port, "http://host.invalid/x", "http://away.invalid/x"])
def test_nobody_is_asked_twice_over_who_is_not_there(
    place: str | Callable[[], str], attempts: list[object], env: dict[str, str], tmp_path: Path
) -> None:
    url = place if isinstance(place, str) else place()
    with pytest.raises(BubbleError) as caught:
        fetch(url, limit=10, env=env, settings=QUICK)
    assert (caught.value.kind, len(attempts)) == ("download", 2)
    assert "check the network" in caught.value.hint
    attempts.clear()
    with pytest.raises(BubbleError):
        download([url], str(tmp_path / "x"), sha256=SHA256, env=env, settings=QUICK)
    assert len(attempts) == 2
    attempts.clear()
    asked = settings_from({"BUBBLE_HTTP_RETRIES": "3"}).replace(backoff=0.01)
    with pytest.raises(BubbleError):
        fetch(url, limit=10, env=env, settings=asked)
    assert len(attempts) == 4, "who asks for more retries gets them"


def test_what_a_server_does_not_have_is_not_blamed_on_the_network(
    server: FaultServer, env: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(BubbleError) as caught:
        fetch(f"{server.url}/none", limit=10, env=env, settings=QUICK)
    assert "check the network" not in caught.value.hint
    urls = [f"{server.url}/none", f"file://{tmp_path}/none"]
    with pytest.raises(BubbleError) as caught:
        download(urls, str(tmp_path / "x"), sha256=SHA256, env=env, settings=QUICK)
    assert "check the network" not in caught.value.hint
    assert caught.value.details["missing"] is True
    with pytest.raises(BubbleError) as caught:
        download([closed_port(), urls[0]], str(tmp_path / "x"), sha256=SHA256, env=env,
                 settings=QUICK)  # fmt: skip
    assert "missing" not in caught.value.details
