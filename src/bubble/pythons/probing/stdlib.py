"""Where an installation keeps its standard library, told without running it."""

from __future__ import annotations

from bubble.pythons.installed.store import read_receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.key import Key
    from bubble.pythons.installed.store import Installation


def library_name(key: Key) -> str:
    """Return the name of the directory below `lib`: `python3.13t`, `pypy3.10`."""
    if key.implementation != "cpython":
        return f"{key.implementation}{key.version.minor}"
    return f"python{key.version.minor}" + ("t" if "freethreaded" in key.variant else "")


def stdlib_of(installation: Installation) -> str:
    """Return the absolute directory; of an adopted interpreter, the one where its maker put it.

    Raises BubbleError(store) when an adopted interpreter's receipt is damaged.
    """
    prefix = installation.prefix
    if installation.is_adopted:
        prefix = read_receipt(prefix).prefix
    return f"{prefix}/lib/{library_name(installation.key)}"
