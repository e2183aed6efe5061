"""Which proxy serves which URL, read from an environment mapping as httpx reads `os.environ`.

httpx's own reading (`trust_env`) can only see the process's environment.
"""

from __future__ import annotations

import ipaddress
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def proxies_from(env: Mapping[str, str]) -> dict[str, str | None]:
    """Return URL pattern → proxy URL, or None for "directly", as `httpx.Client(mounts=…)` takes it.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY; the lower-case ones win. HTTP_PROXY is ignored
    in a CGI process, where a client can set it (CVE-2016-5385). On macOS the system's settings
    count when the variables say nothing.
    """
    found = {name: _value(env, name) for name in ("http", "https", "all", "no")}
    if sys.platform == "darwin" and not any(found.values()):
        from urllib.request import getproxies

        found = {name: getproxies().get(name, "") for name in found}
    if "REQUEST_METHOD" in env:
        found["http"] = env.get("http_proxy", "")
    patterns: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        proxy = found[scheme]
        if proxy:
            patterns[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    for host in (name.strip() for name in found["no"].split(",")):
        if host == "*":
            return {}
        if host and patterns:
            patterns[_pattern(host)] = None
    return patterns


def _value(env: Mapping[str, str], name: str) -> str:
    lower = env.get(f"{name}_proxy")
    return (env.get(f"{name.upper()}_PROXY", "") if lower is None else lower).strip()


def _pattern(host: str) -> str:
    if "://" in host:
        return host
    try:
        address = ipaddress.ip_address(host.partition("/")[0])
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{address}]" if address.version == 6 else f"all://{host}"
