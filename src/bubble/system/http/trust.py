"""Whose certificates are trusted: the system's and certifi's, or what variables name.

OpenSSL looks single ones up in a directory whose names are hashes, which takes no time. Reading
hundreds from a file takes longer than a start, so that certifi's, and what else the system has, are
read where there is no such directory or it wasn't enough: who is trusted in the end is the same.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

# where systems keep their certificates in one file: Debian, Fedora, SUSE, old RHEL, BSD, macOS
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/ssl/cert.pem",
)


# and in one directory by their hashes: Debian and SUSE, Fedora
SYSTEM_DIRECTORIES = ("/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash")
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]")


class Trust:
    """What the connections of one transfer trust, by the variables of `env`; for many threads."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._named = env.get("SSL_CERT_FILE", ""), env.get("SSL_CERT_DIR", "")
        self.is_wide = False

    def context(self) -> ssl.SSLContext:
        """Return a verifying context; raise BubbleError(usage) for variables that name nothing."""
        return _context(*self._named, self.is_wide)

    def widen(self) -> bool:
        """Read all certificates from now on; False where variables say which ones count."""
        self.is_wide = not any(self._named)
        return self.is_wide


@lru_cache(maxsize=4)  # reading the certificates takes 25 to 100 ms
def _context(cafile: str, capath: str, is_wide: bool) -> ssl.SSLContext:  # noqa: FBT001 - cached
    import ssl

    try:
        if cafile or capath:  # both count where both are named, as OpenSSL has it
            return ssl.create_default_context(cafile=cafile or None, capath=capath or None)
    except OSError as error:
        raise BubbleError(
            "usage",
            f"no certificates can be read from {printable(cafile or capath)}: {error.strerror}",
            hint="correct or unset SSL_CERT_FILE and SSL_CERT_DIR",
        ) from None
    directory = "" if is_wide else _hashed_directory()
    if directory:
        return ssl.create_default_context(capath=directory)
    context = ssl.create_default_context(cafile=_certifis())
    if is_wide:
        context.load_default_certs()
        for path in (*SYSTEM_BUNDLES, *SYSTEM_DIRECTORIES):
            is_directory = path in SYSTEM_DIRECTORIES
            try:
                context.load_verify_locations(*((None, path) if is_directory else (path,)))
            except OSError:  # none there, or no certificates in it
                continue
    return context


def _hashed_directory() -> str:
    """Return the system's directory of certificates that are found by their hashes, or ""."""
    for path in SYSTEM_DIRECTORIES:
        try:
            with os.scandir(path) as entries:
                if any(_HASHED.fullmatch(entry.name) for entry in entries):
                    return path
        except OSError:
            continue
    return ""


def _certifis() -> str:
    """Return the path of certifi's certificates, without its import: 10 ms of others' modules."""
    from importlib.machinery import PathFinder

    found = PathFinder.find_spec("certifi")
    path = f"{os.path.dirname(found.origin or '')}/cacert.pem" if found else ""
    if os.path.isfile(path):
        return path
    import certifi  # a distribution's names the system's

    return certifi.where()
