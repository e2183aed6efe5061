"""The scripts of `shims/` that are filled in for one store: the shim and the front."""

from __future__ import annotations

import os

from bubble.model.quoting import quoted
from bubble.pythons.probing.isolation import own_options
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def template_path() -> str:
    """Return the absolute path of shim.sh: in the wheel, or in the checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = f"{package}/shims/shim.sh"
    if os.path.exists(installed):
        return installed
    return f"{os.path.dirname(os.path.dirname(package))}/shims/shim.sh"


def script(name: str, quotable: Mapping[str, str], plain: Mapping[str, str] = {}) -> str:
    """Return the script `name` with what reads memos in it.

    `quotable` are texts that stand in its single quotes for `@name@`, `plain` what stands as it is.
    """
    folder = os.path.dirname(template_path())
    text = read_text(f"{folder}/{name}")
    assert text is not None
    values = {name: quoted(text)[1:-1] for name, text in quotable.items()}
    values |= {"options": " ".join(own_options()), **plain}
    tails = []
    for part in ("lost.sh", "answer.sh"):
        head, _, tail = (read_text(f"{folder}/{part}") or "").partition("\n\n")
        assert head.startswith("# shellcheck"), "the comment on the file as a whole"
        tails.append(tail)
    text = text.replace("# @answer.sh@\n", "\n".join(tails))
    # in one go: what a path has in it must not be filled in again
    first, *parts = text.split("@")
    done, filled = [first], False
    for part in parts:
        if not filled and part in values:
            done.append(values[part])
            filled = True
        else:
            done.append(part if filled else f"@{part}")
            filled = False
    return "".join(done)
