"""A simple index (PEP 503) on a fault server, which lies, stalls, yanks and loses as it is told."""

from __future__ import annotations

import hashlib
import html
import os

from support.fault_handlers import Exchange, Resource, status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from support.fault_handlers import Handler
    from support.fault_server import FaultServer


class Index:
    """An index of the wheels that are added to it; `url` is what installers take.

    `guard` wraps every handler.
    """

    def __init__(
        self,
        server: FaultServer,
        *,
        path: str = "/simple",
        hashes: str = "sha256",
        guard: Callable[[Handler], Handler] = lambda handler: handler,
    ) -> None:
        self.server, self.path, self.hashes, self.guard = server, path, hashes, guard
        self.files: dict[str, dict[str, str]] = {}  # project → file → attributes of its link
        self.url = f"{server.url}{path}/"

    def add(self, wheel: str) -> str:
        """Offer a wheel (a path); return the path at which the server has it."""
        name = os.path.basename(wheel)
        project = name.partition("-")[0]
        with open(wheel, "rb") as file:
            data = file.read()
        digest = hashlib.new(self.hashes, data).hexdigest() if self.hashes else ""
        fragment = f"#{self.hashes}={digest}" if digest else ""
        self.files.setdefault(project, {})[name] = f'href="../../files/{name}{fragment}"'
        self.server.put(f"/files/{name}", self.guard(_plainly(Resource(data))))
        self._publish(project)
        return f"/files/{name}"

    def add_all(self, wheels: Iterable[str]) -> None:
        """Offer several wheels."""
        for path in wheels:
            self.add(path)

    def yank(self, project: str, name: str, why: str = "broken") -> None:
        """Yank a file (PEP 592)."""
        self.files[project][name] += f' data-yanked="{html.escape(why)}"'
        self._publish(project)

    def answer(self, project: str, handler: Handler) -> None:
        """Let something else answer for a project's page."""
        self.server.put(f"{self.path}/{project}/", self.guard(handler))

    def _publish(self, project: str) -> None:
        links = "".join(f"<a {at}>{name}</a>\n" for name, at in self.files[project].items())
        page = f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode()

        def handler(exchange: Exchange) -> None:
            exchange.answer(200, page, Content_Type="text/html", Cache_Control="no-store")

        self.server.put(f"{self.path}/{project}/", self.guard(handler))


def _plainly(inner: Handler) -> Handler:
    """Serve a file without ranges, which installers ask for by HEAD."""

    def handler(exchange: Exchange) -> None:
        if exchange.entry.method == "HEAD":
            exchange.answer(405)
        else:
            inner(exchange)

    return handler


def stalls(exchange: Exchange) -> None:
    """Promise a page, send a part of it, and wait until the server ends."""
    exchange.head(200, {"Content-Type": "text/html", "Content-Length": 1000})
    exchange.send(b"<!DOCTYPE html>")
    exchange.server.stopping.wait()


def breaks(exchange: Exchange) -> None:
    """End the connection in the middle of a page."""
    exchange.head(200, {"Content-Type": "text/html", "Content-Length": 1000})
    exchange.send(b"<!DOCTYPE html>")
    exchange.reset()


def garbage(exchange: Exchange) -> None:
    """Answer what is no page of links at all."""
    exchange.answer(200, b"\x00\xff<a href=" * 1000, Content_Type="text/html")


missing = status(404, b"gone")
failing = status(503, b"no")
