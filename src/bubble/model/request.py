"""What somebody asks for: the grammar of one request, and which keys satisfy it.

Forms: `3`, `3.11`, `3.11.9`, `312`, `3.14rc1`, `3.13t`, `3.13+freethreaded`, `3.13+debug`,
`==3.11.*`, `>=3.10,<3.13`, `cpython@3.12`, `cpython-3.12`, `python3.12`, `pypy3.10`, `graalpy`,
`CPython 3.12`, conda's `python=3.12`, pyenv's `pypy3.10-7.3.16` and `graalpy-24.1.0`,
`cpython-3.12-linux-x86_64-musl`, full keys, paths, `system`, and a name (of an environment).
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.platform import Platform, parse_platform
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.version import STAGES, split_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.key import Key
    from bubble.model.version import Version

_NAMES = (  # longest first, so that `cpython` isn't read as `cp`
    ("graalpy", "graalpy"),
    ("cpython", "cpython"),
    ("python", "cpython"),
    ("pypy", "pypy"),
    ("cp", "cpython"),
    ("pp", "pypy"),
    ("gp", "graalpy"),
)
_VARIANT_MARKS = {"t": "freethreaded", "d": "debug", "td": "freethreaded+debug"}
_VARIANT_WORDS = {
    "": "",
    "gil": "",
    "freethreaded": "freethreaded",
    "debug": "debug",
    "gil+debug": "debug",
    "freethreaded+debug": "freethreaded+debug",
    "debug+freethreaded": "freethreaded+debug",
}
HINT = "try a version such as 3.12, 3.12.4, 3.13t, pypy3.10 or >=3.10,<3.13"
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")

_FIRST_GRAALPY = 20  # GraalPy's releases have numbers that no Python will have soon
_RANGE_CHARACTERS = NAME_CHARACTERS | frozenset("<>=!~,*+ ")


class Request(Record):
    """One parsed request.

    `kind` is "version", "range", "path", "system" or "name". For "version", `release` has none to
    three numbers, and a pre-release's `stage` indexes version.STAGES (else -1). For "range",
    `specifier` is a PEP 440 specifier set. `platform` is None for the machine's own. `build` is a
    release of PyPy or GraalPy themselves (7.3.16, or 7.3 for any of them), "" for whichever.
    """

    text: str
    kind: str
    implementation: str = "cpython"
    release: tuple[int, ...] = ()
    stage: int = -1
    serial: int = 0
    variant: str = ""
    specifier: str = ""
    platform: Platform | None = None
    build: str = ""

    def __str__(self) -> str:
        return printable(self.text)

    @property
    def is_python(self) -> bool:
        """Whether keys can satisfy it (not a path, a name or `system`)."""
        return self.kind in {"version", "range"}

    @property
    def is_exact(self) -> bool:
        """Whether it names one patch release."""
        named = len(self.release) == 3 or self.stage >= 0 or bool(self.build)
        return self.kind == "version" and named

    def matches(
        self, key: Key, platform: Platform, *, prereleases: bool = False, build: str = ""
    ) -> bool:
        """Whether `key` satisfies this request on a machine of `platform`.

        Pre-releases do only when the request names one, or with `prereleases`. `build` is the
        build's tag, which only a request for one needs.
        """
        if (
            not f"{build}.".startswith(f"{self.build}." if self.build else "")
            or key.implementation != self.implementation
            or key.variant != self.variant
            or key.platform != (self.platform or platform)
        ):
            return False
        if self.kind == "version":
            version = key.version
            if version[: len(self.release)] != self.release:
                return False
            if self.stage >= 0:  # 3.14rc1 is 3.14.0rc1 (PEP 440), not 3.14.5rc1
                patch = self.release[2] if len(self.release) == 3 else 0
                return version[2:] == (patch, self.stage, self.serial)
            return prereleases or not version.is_prerelease
        if self.kind == "range":
            return _contains(self.specifier, key.version, prereleases=prereleases)
        return False


def parse_request(text: str) -> Request:
    """Return the request that `text` spells.

    Raises BubbleError(request), whose message quotes the text safely, for what is none.
    """
    text = text.strip()
    if "://" in text:  # it may have a password, which a message that quotes it would tell
        from bubble.model.urls import shown as shown_url  # lazily: it costs a start

        raise BubbleError(
            "request", f"{shown_url(text)} is an address, no Python request", hint=HINT
        )
    if not text or len(text) > 200 or not text.isprintable():
        shown = f"“{printable(text, 40)}”" if text else "an empty text"
        raise BubbleError("request", f"{shown} is no Python request", hint=HINT)
    if text == "system":
        return Request(text=text, kind="system")
    if "/" in text or text[0] == "." or (text[0] == "~" and text[:2] != "~="):
        return Request(text=text, kind="path")
    return (_python_request(text) or _name_request(text)).replace(text=text)


def _hint(text: str) -> str:
    """Return the next step for what is no request: another tool's spelling of one has its own."""
    for tail in (":latest", "-latest", "@latest", "-dev"):
        number = text.removesuffix(tail)
        if number != text and _python_request(number):
            return f"the newest that there is: {number}"
    return HINT


def _python_request(text: str) -> Request | None:
    implementation, rest = _split_implementation(" ".join(text.split()))
    platform, build = None, ""
    number, dash, tail = rest.partition("-")
    if implementation == "graalpy" and not dash and _is_release(number, _FIRST_GRAALPY):
        number, build = "", number
    elif implementation != "cpython" and number and _is_release(tail):
        build = tail
    elif dash:
        try:
            platform = parse_platform(tail)
        except BubbleError:
            return None
    number, plus, words = number.partition("+")
    variant = _VARIANT_WORDS.get(words)
    if variant is None or (plus and not words):
        return None
    request = _version_request(number) or _range_request(number)
    if request is None or (request.variant and variant):
        return None
    return request.replace(
        implementation=implementation,
        platform=platform,
        variant=request.variant or variant,
        build=build,
    )


def _is_release(text: str, first: int = 0) -> bool:
    """Whether a text is a release's number of two or three parts, the first at least `first`."""
    if any(mark in text for mark in STAGES):
        return False
    try:
        release, _, _ = split_version(text)
    except ValueError:
        return False
    return len(release) > 1 and release[0] >= first


def _split_implementation(text: str) -> tuple[str, str]:
    lowered = text.lower()
    for name, implementation in _NAMES:
        if lowered.startswith(name):
            rest = text[len(name) :]
            conda = rest[:1] == "=" and rest[1:2].isdigit()
            return implementation, rest[1:] if conda or rest[:1] in {"@", "-", " "} else rest
    return "cpython", text


def _version_request(number: str) -> Request | None:
    """Read `3.12`, `312`, `3.14rc1`, `3.13t`, `3.12.*`, or nothing at all (any version)."""
    if not number:
        return Request(text="", kind="version")
    variant = ""
    for mark in ("td", "t", "d"):
        if number.endswith(mark):
            number, variant = number[: -len(mark)], _VARIANT_MARKS[mark]
            break
    wildcard = number.endswith(".*")
    if wildcard:
        number = number[:-2].removeprefix("==")
    try:
        release, stage, serial = split_version(number)
    except ValueError:
        return None
    if wildcard and stage >= 0:
        return None
    if len(release) == 1 and release[0] >= 20:  # 312 and 39, as tox and uv write them
        digits = str(release[0])
        if len(digits) > 3 or digits[0] not in "23":
            return None
        release = (int(digits[0]), int(digits[1:]))
    return Request(
        text="", kind="version", release=release, stage=stage, serial=serial, variant=variant
    )


def _range_request(text: str) -> Request | None:
    # `===` takes anything, quotes and backticks too, which a hint would hand to a shell
    if text[:1] not in "<>=!~" or not _RANGE_CHARACTERS.issuperset(text):
        return None
    if _clause(text) is not None:
        return Request(text="", kind="range", specifier=text.replace(" ", ""))
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return Request(text="", kind="range", specifier=str(SpecifierSet(text)))
    except InvalidSpecifier:
        return None


def _name_request(text: str) -> Request:
    if text[0] in "-._" or text[0].isdigit() or not NAME_CHARACTERS.issuperset(text):
        raise BubbleError("request", f"“{printable(text)}” is no Python request", hint=_hint(text))
    return Request(text=text, kind="name")


_specifiers: dict[str, object] = {}


def _clause(text: str) -> tuple[str, tuple[int, ...]] | None:
    """Return operator and release of a range of one plain clause (`>=3.9`), None for another one.

    The usual one, for which the parser of all (PEP 440) would cost more than the rest of a start.
    """
    operator = text[:2] if text[1:2] == "=" else text[:1]
    parts = text[len(operator) :].strip(" ").split(".")
    plain = all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts)
    if operator not in {"<", "<=", ">", ">=", "==", "!="} or not plain:
        return None
    return operator, tuple(map(int, parts))


def _compares(clause: tuple[str, tuple[int, ...]], version: Version) -> bool:
    """Whether a final release is in the range of one clause."""
    operator, release = clause
    width = max(len(release), 3)
    asked = release + (0,) * (width - len(release))
    has = version[:3] + (0,) * (width - 3)
    order = (has > asked) - (has < asked)
    return order in {
        "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "==": (0,), "!=": (-1, 1),
    }[operator]  # fmt: skip


def _contains(specifier: str, version: Version, *, prereleases: bool) -> bool:
    clause = _clause(specifier)
    if clause is not None and not version.is_prerelease:
        return _compares(clause, version)
    from packaging.specifiers import SpecifierSet

    known = _specifiers.get(specifier)
    if known is None:
        known = _specifiers[specifier] = SpecifierSet(specifier)
    assert isinstance(known, SpecifierSet)
    # pre-releases only where the specifier itself names one (PEP 440)
    return known.contains(str(version), prereleases=prereleases or known.prereleases or False)
