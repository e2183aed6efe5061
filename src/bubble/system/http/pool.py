"""Opening the pool that a URL's connections come from: straight to the server, or by a proxy."""

from __future__ import annotations

from urllib.parse import urlsplit

from bubble.model.errors import BubbleError
from bubble.model.urls import shown
from bubble.system.http.address import asked
from bubble.system.http.login import basic, login_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    import httpcore

_IDLE = 5.0  # seconds that a connection is kept for the next request


def open_pool(proxy: str, context: ssl.SSLContext) -> httpcore.ConnectionPool:
    """Return a pool whose connections go by the proxy at this URL ("": by none).

    Raises BubbleError(usage) for a proxy that can't be used.
    """
    import httpcore

    if not proxy:
        return httpcore.ConnectionPool(ssl_context=context, keepalive_expiry=_IDLE)
    hint = "set HTTPS_PROXY, HTTP_PROXY and ALL_PROXY to http://host:port, or unset them"
    try:
        scheme = urlsplit(proxy).scheme
        host, port, _ = asked(proxy)
        login = login_of(proxy)
        at = httpcore.URL(scheme=scheme, host=host, port=port, target="/")
        if scheme in {"socks5", "socks5h"} and host:
            return httpcore.SOCKSProxy(
                at,
                proxy_auth=(login[0].encode(), login[1].encode()) if login else None,
                ssl_context=context,
                keepalive_expiry=_IDLE,
            )
        if scheme in {"http", "https"} and host:
            return httpcore.HTTPProxy(
                at,
                proxy_headers={"Proxy-Authorization": basic(login)} if login else None,
                ssl_context=context,
                proxy_ssl_context=context if scheme == "https" else None,
                keepalive_expiry=_IDLE,
            )
    except ValueError:
        pass
    except RuntimeError:  # httpcore's, where the package for SOCKS is missing
        hint = (
            "SOCKS takes one more package: install bubble-python[socks] where bubble is; or name "
            "an HTTP proxy in HTTPS_PROXY and HTTP_PROXY, or the server in NO_PROXY"
        )
    raise BubbleError(
        "usage", f"the proxy in the environment can't be used: {shown(proxy)}", hint=hint
    )
