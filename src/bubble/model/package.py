"""How a package's name is compared: PEP 503's rule, for whoever meets one."""

from __future__ import annotations


def canonical_name(name: str) -> str:
    """Return a package's name as PEP 503 compares it: `Train_GPU` is `train-gpu`."""
    plain = name.replace("_", "-").replace(".", "-").lower()
    while "--" in plain:
        plain = plain.replace("--", "-")
    return plain
