"""Which proxy serves a URL, by an environment mapping.

HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl reads them; the lower-case ones win.
"""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: str, env: Mapping[str, str]) -> str:
    """Return the URL of the proxy that serves `url`, or "" for none.

    NO_PROXY lists hosts, of which subdomains are part, addresses and networks, each with or
    without a port or a scheme; `*` is everything. HTTP_PROXY is ignored in a CGI process, where a
    client can set it (CVE-2016-5385). On macOS the system's settings count when the variables say
    nothing.
    """
    found = {name: _value(env, name) for name in ("http", "https", "all", "no")}
    if sys.platform == "darwin" and not any(found.values()):
        from urllib.request import getproxies

        found = {name: getproxies().get(name, "") for name in found}
    if "REQUEST_METHOD" in env:
        found["http"] = env.get("http_proxy", "")
    proxy = found[urlsplit(url).scheme] or found["all"]
    if not proxy or any(_covers(entry.strip(), url) for entry in found["no"].split(",")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _value(env: Mapping[str, str], name: str) -> str:
    lower = env.get(f"{name}_proxy")
    return (env.get(f"{name.upper()}_PROXY", "") if lower is None else lower).strip()


def _covers(entry: str, url: str) -> bool:
    """Whether an entry of NO_PROXY speaks of the host of `url`."""
    if entry in {"", "*"}:
        return bool(entry)
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    scheme, separator, name = entry.rpartition("://")
    if separator and scheme not in {parts.scheme, "all"}:
        return False
    name = name.lower()
    if name.count(":") == 1 or name.startswith("["):  # else a bare IPv6 address
        name, _, port = name.rpartition(":") if not name.endswith("]") else (name, "", "")
        name = name.strip("[]")
        if port and port != str(parts.port or {"http": 80, "https": 443}[parts.scheme]):
            return False
    name = name.lstrip("*").lstrip(".")
    return host == name or host.endswith(f".{name}") or _is_in(host, name)


def _is_in(host: str, network: str) -> bool:
    """Whether a host is an address of that network; False where one is none."""
    if not (host[-1:].isdigit() or ":" in host):
        return False
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
