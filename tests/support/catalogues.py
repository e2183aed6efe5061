"""Small catalogues for tests: downloads by a few words, indexes in both formats."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from bubble.model.download import UPSTREAM, Download
from bubble.model.key import parse_key
from bubble.model.platform import parse_platform

if TYPE_CHECKING:
    from typing import Any

HOST = parse_platform("linux-x86_64-gnu")


def download(
    name: str,
    *,
    build: str = "20261101",
    platform: str = "linux-x86_64-gnu",
    url: str = "",
    sha256: str | None = None,
) -> Download:
    """Return the download of `cpython-3.12.4` (or `3.12.4`), upstream's unless `url` is given."""
    name = name if name[0].isalpha() else f"cpython-{name}"
    key = parse_key(f"{name}-{platform}")
    tail = "install_only_stripped.tar.gz" if not key.variant else f"{key.variant}-full.tar.zst"
    standard = f"cpython-{key.version}%2B{build}-{key.platform.triple}-{tail}".replace(
        "d+d", "d%2Bd"
    )
    url = url or f"{UPSTREAM}{build}/{standard}"
    digest = hashlib.sha256(url.encode()).hexdigest() if sha256 is None else sha256
    return Download(key=key, url=url, sha256=digest, build=build)


def release(version: str, artifacts: list[tuple[str, str]], sha256: str = "") -> str:
    """Return one line of upstream's ndjson; `artifacts` are (platform, variant)."""
    number, _, tag = version.partition("+")
    return json.dumps(
        {
            "version": version,
            "date": "2026-11-01T00:00:00Z",
            "artifacts": [
                _artifact(number, tag, platform, variant, sha256) for platform, variant in artifacts
            ],
        }
    )


def _artifact(number: str, tag: str, platform: str, variant: str, sha256: str) -> dict[str, Any]:
    tail = variant.replace("+full", "-full").replace("+", "%2B")
    extension = "tar.gz" if "install_only" in variant else "tar.zst"
    url = f"{UPSTREAM}{tag}/cpython-{number}%2B{tag}-{platform}-{tail}.{extension}"
    return {
        "platform": platform,
        "variant": variant,
        "url": url,
        "archive_format": extension,
        "sha256": sha256 or hashlib.sha256(url.encode()).hexdigest(),
    }
