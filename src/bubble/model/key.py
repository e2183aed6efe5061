"""The exact identity of a build: `cpython-3.13.1+freethreaded-linux-x86_64-gnu`."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.platform import Platform, parse_platform
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.version import Version

IMPLEMENTATIONS = ("cpython", "pypy", "graalpy")
VARIANTS = ("", "freethreaded", "debug", "freethreaded+debug")
SUFFIXES = dict(zip(VARIANTS, ("", "t", "+debug", "td"), strict=True))  # as requests spell them


class Key(Record):
    """An implementation, a version, a variant (one of VARIANTS) and a platform."""

    implementation: str
    version: Version
    variant: str
    platform: Platform

    def __str__(self) -> str:
        return f"{self.name}-{self.platform}"

    @property
    def name(self) -> str:
        """The key without its platform: `cpython-3.13.1+freethreaded`."""
        return f"{self.implementation}-{self.version}{self._variant}"

    @property
    def minor(self) -> str:
        """What the minor link is called: `3.13`, `3.13+freethreaded`, `pypy3.10`."""
        head = "" if self.implementation == "cpython" else self.implementation
        return f"{head}{self.version.minor}{self._variant}"

    @property
    def request(self) -> str:
        """The request that this build satisfies on its platform: `3.13.5t`, `pypy3.10.14`."""
        head = "" if self.implementation == "cpython" else self.implementation
        return f"{head}{self.version}{SUFFIXES[self.variant]}"

    @property
    def _variant(self) -> str:
        return f"+{self.variant}" if self.variant else ""

    @property
    def rank(self) -> tuple[bool, int, Version, int]:
        """Sorts keys from the least to the most wanted one of several that satisfy a request."""
        return (
            not self.version.is_prerelease,
            -IMPLEMENTATIONS.index(self.implementation),
            self.version,
            -VARIANTS.index(self.variant),
        )


def parse_key(text: str) -> Key:
    """Return the key that `text` spells in full; BubbleError(request) for anything else."""
    implementation, _, rest = text.partition("-")
    number, _, platform = rest.partition("-")
    number, _, variant = number.partition("+")
    version = _version(number)
    if implementation not in IMPLEMENTATIONS or variant not in VARIANTS or version is None:
        raise BubbleError(
            "request",
            f"“{printable(text)}” is no full key of a build",
            hint="a full key looks like cpython-3.12.4-linux-x86_64-gnu",
        )
    return Key(
        implementation=implementation,
        version=version,
        variant=variant,
        platform=parse_platform(platform),
    )


def _version(number: str) -> Version | None:
    try:
        return Version.parse(number)
    except ValueError:
        return None
