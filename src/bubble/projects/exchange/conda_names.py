"""Which distribution of PyPI a package of conda is: the maintained table of `data/`."""

from __future__ import annotations

import functools
import os

from bubble.model.package import canonical_name
from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Counterpart(Record):
    """A package of conda's on PyPI: its `name` there (with extras), "" where there is none.

    `marker` (PEP 508) says where alone PyPI has it. `why` says why there is none, `note` what is
    different about PyPI's; `known` is whether the table has it: else the name was taken as it is.
    """

    name: str
    marker: str = ""
    why: str = ""
    note: str = ""
    known: bool = True


def counterpart(name: str) -> Counterpart:
    """Return what a package of conda is on PyPI."""
    import fnmatch

    table = _table()
    plain = canonical_name(name)
    note, marker = table["notes"].get(plain, ""), table["markers"].get(plain, "")
    if renamed := table["renamed"].get(plain):
        return Counterpart(name=renamed, note=note, marker=marker)
    if plain in table["same"]:
        return Counterpart(name=plain, note=note, marker=marker)
    for reason, names, patterns in table["none"]:
        if plain in names or any(fnmatch.fnmatchcase(name.lower(), p) for p in patterns):
            return Counterpart(name="", why=reason)
    return Counterpart(name=plain, known=bool(marker), marker=marker)


@functools.cache
def _table() -> dict[str, Any]:
    import tomllib

    with open(f"{os.path.dirname(__file__)}/data/conda-names.toml", "rb") as file:
        read = tomllib.load(file)
    return {
        "renamed": {canonical_name(name): pypi for name, pypi in read["renamed"].items()},
        "notes": {canonical_name(name): note for name, note in read["notes"].items()},
        "markers": read["markers"],
        "same": {canonical_name(name) for name in read["same"]["names"].split()},
        "none": [
            (
                part["reason"],
                {canonical_name(name) for name in part.get("names", "").split()},
                part.get("patterns", "").split(),
            )
            for part in read["none"]
        ],
    }
