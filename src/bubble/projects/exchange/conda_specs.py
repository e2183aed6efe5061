"""conda's way to say which version (`MatchSpec`), in PEP 440's words.

The grammar is that of conda's documentation ("package match specifications") and of its code:
`[channel::]name[ version[ build]]`, with `=` for blanks, or `name[key='value', …]`.
"""

from __future__ import annotations

import re

from bubble.model.record import Record

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s\[\]=<>!~]+)::)?(?P<name>[A-Za-z0-9_][\w.-]*)"
    r"(?P<rest>(?:[\s=<>!~][^\[\]]*)?)(?:\[(?P<keys>[^\[\]]*)\])?"
)
_KEY = re.compile(r"\s*(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,'\"\s]*))\s*(?:,|$)")
_CLAUSE = re.compile(r"(===|==|=|!=|~=|>=|<=|>|<)?\s*([^\s=<>!~]+)")
_LONGEST = 500  # characters


class Spec(Record):
    """One dependency of conda's: `version` is PEP 440's specifier, "" for any.

    `build` is the build string, which PyPI has nothing like. `unclear` says why a version couldn't
    be said in PEP 440's words; then `version` is "".
    """

    name: str
    version: str = ""
    build: str = ""
    channel: str = ""
    unclear: str = ""


def parse_spec(text: str) -> Spec | None:
    """Return what one dependency says, None for what is no dependency of conda's."""
    text = text.partition("#")[0].strip()
    found = _SPEC.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    version, build = _parts(found["rest"].strip())
    keys = {name: a or b or c for name, a, b, c in _KEY.findall(found["keys"] or "")}
    version = keys.get("version", version)
    build = keys.get("build", keys.get("build_number", build))
    channel = found["channel"] or keys.get("channel", "")
    spec = Spec(name=found["name"].lower(), build=build, channel=channel)
    try:
        return spec.replace(version=specifier(version))
    except ValueError as error:
        return spec.replace(unclear=str(error))


def _parts(rest: str) -> tuple[str, str]:
    """Split what follows a name: `=1.2=py_0`, ` 1.2 py_0`, `>=1.2`, `==1.2`, `=1.2`."""
    if not rest:
        return "", ""
    if found := re.fullmatch(r"=\s*([^=<>!~,|\s][^=\s]*)\s*=\s*([^=\s]+)", rest):
        return f"=={found[1]}", found[2]  # with a build, the version is exact
    if found := re.fullmatch(r"([^=<>!~,|\s][^=\s]*)(?:\s+([^=\s]+))?", rest):
        version = found[1]
        return (version if version.endswith("*") else f"=={version}"), found[2] or ""
    version, _, build = rest.partition(" ")
    if build and re.fullmatch(r"[\w.*]+", build.strip()) and re.search(r"[\d*]$", version):
        return version, build.strip()
    return rest, ""


def specifier(version: str) -> str:
    """Return conda's `version` as a specifier of PEP 440; raise ValueError where there is none."""
    version = version.strip()
    if version in {"", "*", "=*", "==*"}:
        return ""
    if "|" in version:
        shown = version.lstrip("=")
        raise ValueError(f"“{shown}” is one or the other, which PEP 440 can't say")
    if "(" in version or "^" in version or "$" in version:
        raise ValueError(f"“{version}” is a pattern")
    clauses = []
    for part in version.split(","):
        clause = _clause(part.strip())
        if clause:
            clauses.append(clause)
    return ",".join(clauses)


def _clause(text: str) -> str:
    from packaging.specifiers import Specifier

    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise ValueError(f"“{text}” is no version")
    operator, version = found[1] or "", found[2]
    if version == "*":
        return ""
    wild = version.endswith("*")
    version = version.rstrip("*").rstrip(".")
    if operator in {"", "="}:
        # `=1.2` is 1.2 and all that begins with it; a bare one here came with a star
        is_release = re.fullmatch(r"(?:\d+!)?\d+(?:\.\d+)*", version)
        operator, wild = "==", bool(is_release) and (operator == "=" or wild)
    elif operator in {">", ">=", "<", "<=", "~=", "==="}:
        wild = False  # `>=1.8.*` is taken for `>=1.8`, as conda does
    clause = f"{operator}{version}{'.*' if wild else ''}"
    try:
        Specifier(clause)
    except ValueError:
        raise ValueError(f"“{text}” is no version of PEP 440's") from None
    if re.search(r"\d[a-z]$", version):  # `2021a`, which PEP 440 would take for an alpha release
        raise ValueError(f"“{text}” is no version of PEP 440's")
    return clause
