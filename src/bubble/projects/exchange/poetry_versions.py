"""Poetry's version constraints (`^1.2`, `~1.2`, `1.*`, `>=1,<2 || 3`) in PEP 440's words.

Grammar: Poetry's documentation, "dependency specification". Pipfiles use a part of it.
"""

from __future__ import annotations

import re
from itertools import pairwise

_PART = re.compile(r"(\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*v?([0-9][^\s,|]*|\*)")


def specifier(text: str) -> str:
    """Return a constraint as a specifier of PEP 440, "" for any version.

    Raises ValueError for what PEP 440 can't say: one range or another.
    """
    text = text.strip()
    if text in {"", "*"}:
        return ""
    if "||" in text or "|" in text:
        alternatives = [specifier(part) for part in re.split(r"\|\|?", text)]
        joined = _one_range(alternatives)
        if joined is None:
            raise ValueError(f"“{text}” is one range or another, which PEP 440 can't say")
        return joined
    clauses: list[str] = []
    rest = text
    while rest:
        found = _PART.match(rest)
        if not found:
            raise ValueError(f"“{text}” is no version")
        clauses += _clauses(found[1] or "", found[2])
        rest = rest[found.end() :].lstrip(" ,")
    _require_pep440(clauses, text)
    return ",".join(clauses)


def _clauses(operator: str, version: str) -> list[str]:
    if version == "*":
        return []
    if operator == "^":
        return [f">={version}", f"<{_caret(version)}"]
    if operator == "~":
        return [f">={version}", f"<{_tilde(version)}"]
    if operator in {"", "="}:
        return [f"=={version}"]
    if version.endswith(".*") and operator in {">=", "<", ">", "<="}:
        version = version.removesuffix(".*")
    return [f"{operator}{version}"]


def _release(version: str) -> list[int]:
    found = re.match(r"\d+(\.\d+)*", version)
    return [int(part) for part in found[0].split(".")] if found else [0]


def _caret(version: str) -> str:
    """Return the first version that `^version` doesn't allow: the leftmost non-zero part grows."""
    parts = _release(version)
    for at, part in enumerate(parts):
        if part or at == len(parts) - 1:
            return ".".join(map(str, [*parts[:at], part + 1, *([0] * (len(parts) - at - 1))]))
    raise AssertionError


def _tilde(version: str) -> str:
    """Return the first version that `~version` doesn't allow: the minor grows, else the major."""
    parts = _release(version)
    if len(parts) == 1:
        return str(parts[0] + 1)
    return f"{parts[0]}.{parts[1] + 1}"


def _one_range(alternatives: list[str]) -> str | None:
    """Return one range for alternatives that follow each other (`^1 || ^2`), else None."""
    from packaging.version import Version

    ranges = []
    for text in alternatives:
        found = re.fullmatch(r">=([^,]+),<([^,]+)", text)
        if not found:
            return None
        ranges.append((Version(found[1]), Version(found[2])))
    ranges.sort()
    for (_, end), (start, _) in pairwise(ranges):
        if end < start:
            return None
    return f">={ranges[0][0]},<{max(end for _, end in ranges)}"


def _require_pep440(clauses: list[str], text: str) -> None:
    from packaging.specifiers import SpecifierSet

    try:
        SpecifierSet(",".join(clauses))
    except ValueError:
        raise ValueError(f"“{text}” is no version of PEP 440's") from None
