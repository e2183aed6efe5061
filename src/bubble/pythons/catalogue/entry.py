"""The checks that every entry of every index goes through before it becomes a download."""

from __future__ import annotations

import re

from bubble.model.download import UPSTREAM, Download
from bubble.model.errors import BubbleError
from bubble.model.key import IMPLEMENTATIONS, VARIANTS, Key
from bubble.model.platform import Platform, parse_platform
from bubble.model.text import printable
from bubble.model.version import Version

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BUILD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}")
_ABSOLUTE = re.compile(r"(https?://[^/?#@\\]+|file://(localhost)?)/[!-~]*")
_WITH_USER = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*@", re.IGNORECASE)
_RELATIVE = re.compile(r"(\./)?[0-9A-Za-z_+%~.-]+(/[0-9A-Za-z_+%~.-]+)*")


class MalformedError(Exception):
    """An entry breaks the format; the message says how."""


class UnknownError(Exception):
    """An entry is of an implementation or a platform that bubble doesn't know."""


def checked(
    *,
    implementation: object,
    version: object,
    variant: object,
    platform: str,
    url: object,
    sha256: object,
    build: object,
) -> Download:
    """Return the download of an entry's fields, its URL as it stands (absolute or relative).

    Raises UnknownError or MalformedError.
    """
    if not isinstance(implementation, str) or not isinstance(version, str):
        raise MalformedError("its name or version is missing")
    if implementation not in IMPLEMENTATIONS:
        raise UnknownError
    url = checked_url(url)
    if build is None:  # uv's format has it since 2025
        build = url.rpartition("/")[0].rpartition("/")[2] if url.startswith(UPSTREAM) else "0"
    if not isinstance(build, str) or not _BUILD.fullmatch(build):
        raise MalformedError(f"{_shown(build)} is no build tag")
    return Download(
        key=Key(
            implementation=implementation,
            version=_version(version),
            variant=_variant(variant),
            platform=_platform(platform),
        ),
        url=url,
        sha256=_sha256(sha256),
        build=build,
    )


def checked_url(url: object) -> str:
    """Return an address of an archive: http, https, file, or relative to the catalogue.

    Raises MalformedError for every other scheme, credentials, control characters, spaces, and for
    what names no file. Other than ASCII must come percent-encoded (RFC 3986).
    """
    if not isinstance(url, str) or len(url) > 2000:
        raise MalformedError("its URL is missing or too long")
    if _WITH_USER.match(url):
        raise MalformedError(f"credentials in a URL aren't allowed: {_shown_url(url)}")
    if not _ABSOLUTE.fullmatch(url) and not _RELATIVE.fullmatch(url):
        raise MalformedError(f"{_shown_url(url)} is no http, https, file or relative URL")
    if ".." in url.split("/") or url.endswith(("/", "/.")):
        raise MalformedError(f"{_shown_url(url)} names no file below the catalogue")
    return url


def _version(text: str) -> Version:
    try:
        version = Version.parse(text)
    except ValueError:
        raise MalformedError(f"{_shown(text)} is no version") from None
    return version


def _variant(variant: object) -> str:
    variant = variant or ""
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise UnknownError
    return variant


def _platform(text: str) -> Platform:
    try:
        return parse_platform(text)
    except BubbleError:
        raise UnknownError from None


def _sha256(sha256: object) -> str:
    if sha256 is None or sha256 == "":
        return ""
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise MalformedError(f"{_shown(sha256)} is no sha256")
    return sha256


def _shown_url(url: str) -> str:
    """Return what isn't a URL as it should be, without a user, a password and a signature."""
    return _shown(re.sub(r"\?.*", "?…", re.sub(r"//.*@", "//", url, flags=re.DOTALL)))


def _shown(value: object) -> str:
    return f"“{printable(str(value), 80)}”"
