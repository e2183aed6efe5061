"""Whose certificates are trusted: certifi's, the system's beside them, or what variables name.

The system's are read only when certifi's weren't enough: that costs as much as a start.
"""

from __future__ import annotations

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


class Trust:
    """What one connection trusts, by the variables of `env`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._named = env.get("SSL_CERT_FILE", ""), env.get("SSL_CERT_DIR", "")
        self._is_wide = False

    def context(self) -> ssl.SSLContext:
        """Return a verifying context; raise BubbleError(usage) for variables that name nothing."""
        return _context(*self._named, self._is_wide)

    def widen(self) -> bool:
        """Trust the system's certificates as well from now on; False where that changes nothing."""
        if self._is_wide or any(self._named):
            return False
        self._is_wide = True
        return True


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
    context = ssl.create_default_context(cafile=_certifis())
    if is_wide:
        context.load_default_certs()
        for path in SYSTEM_BUNDLES:
            try:
                context.load_verify_locations(path)
            except OSError:  # none there, or no certificates in it
                continue
    return context


def _certifis() -> str:
    """Return the path of certifi's certificates, without its import: 10 ms of others' modules."""
    import os
    from importlib.machinery import PathFinder

    found = PathFinder.find_spec("certifi")
    path = f"{os.path.dirname(found.origin or '')}/cacert.pem" if found else ""
    if os.path.isfile(path):
        return path
    import certifi  # a distribution's names the system's

    return certifi.where()
