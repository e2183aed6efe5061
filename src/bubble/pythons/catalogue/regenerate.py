"""Writing the embedded catalogue anew from an index: `scripts/update-catalogue`."""

from __future__ import annotations

import os
import sys

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.pythons.catalogue.catalogue import EMBEDDED
from bubble.pythons.catalogue.index import LIMIT, date_of, read_index
from bubble.pythons.catalogue.known import known_files, refuse_contradictions
from bubble.pythons.catalogue.listed import everything, newest, volume_of
from bubble.pythons.catalogue.volume import Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USAGE = "usage: scripts/update-catalogue [--replace] [--output FILE] FILE|URL"


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Regenerate the embedded catalogue; return the exit status."""
    replace = "--replace" in arguments
    words = [word for word in arguments if word != "--replace"]
    output = EMBEDDED
    if words[:1] == ["--output"] and len(words) > 1:
        output, words = words[1], words[2:]
    if len(words) != 1 or words[0].startswith("-"):
        print(USAGE, file=sys.stderr)  # noqa: T201 - this is a script's main, no operation
        return 2
    try:
        count = regenerate(words[0], env, output=output, replace=replace)
    except BubbleError as error:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201 - as above
        return error.exit_status
    print(f"{output}: {count} entries")  # noqa: T201 - as above
    return 0


def regenerate(source: str, env: Mapping[str, str], *, output: str, replace: bool) -> int:
    """Write `output` from the index at `source`; return how many entries it has.

    Unless `replace`, entries of the embedded catalogue stay where the index has no newer build.
    """
    index = read_index(_read(source, env), printable(source))
    downloads = list(index.downloads)
    if not replace and os.path.exists(EMBEDDED):
        old = everything(Volume(EMBEDDED))
        refuse_contradictions(index, known_files(old), printable(source))
        downloads = newest(old, downloads)
    data = volume_of(downloads, {"date": date_of(downloads)})
    temporary = f"{output}.{os.getpid()}.tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, output)
    return len(downloads)


def _read(source: str, env: Mapping[str, str]) -> bytes:
    if "://" in source:
        from bubble.system.http.fetch import fetch

        return fetch(source, limit=LIMIT, env=env).data or b""
    try:
        with open(source, "rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        raise BubbleError(
            "io", f"{printable(source)}: {error.strerror}", hint="check the path"
        ) from None
