"""Writing a bundle: the same contents are the same bytes, whoever writes them, and where."""

from __future__ import annotations

import hashlib
import os
import shlex

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.program.bundle.contents import render
from bubble.program.bundle.layout import CONTENTS, END, HEAD, Said, first_lines, header, padding
from bubble.system.files import read_text, replace_file, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.program.bundle.contents import Contents, File
    from bubble.program.bundle.gathering import Gathered
    from bubble.pythons.installing.progress import Task

_CHUNK = 1 << 20


def write(path: str, gathered: Gathered, task: Task) -> None:
    """Write the bundle to `path` (absolute) in one step, replacing a file that is there.

    Raises BubbleError (checksum: a file was changed meanwhile; usage: it has no room in a bundle)
    and OSError.
    """
    replace_file(path, lambda descriptor: _write(descriptor, gathered, task))


def _write(descriptor: int, gathered: Gathered, task: Task) -> None:
    contents = render(gathered.contents)
    whole = hashlib.sha256()
    size = 0
    total = sum(file.size for file in gathered.contents.files)
    os.lseek(descriptor, HEAD, os.SEEK_SET)
    task.step("writing")
    for piece in _payload(contents, gathered):
        whole.update(piece)
        write_all(descriptor, piece)
        size += len(piece)
        task.part(min(size, total), total)
    said = Said(size=size, contents=len(contents), sha256=whole.hexdigest())
    head = render_head(gathered.contents, said)
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, head)


def _payload(contents: bytes, gathered: Gathered) -> Iterator[bytes]:
    """Yield the tar, piece by piece."""
    yield header(CONTENTS, len(contents)) + contents + bytes(padding(len(contents)))
    for file in gathered.contents.files:
        try:
            yield header(file.name, file.size)
        except ValueError as error:
            raise BubbleError(
                "usage",
                f"{printable(file.name, 300)} can't be in a bundle: {error}",
                hint="leave it out",
            ) from None
        yield from _content(file, gathered.sources[file.name])
        yield bytes(padding(file.size))
    yield END


def _content(file: File, source: str | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    digest, size = hashlib.sha256(), 0
    with open(source, "rb") as opened:
        while piece := opened.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
            yield piece
    if (digest.hexdigest(), size) != (file.sha256, file.size):
        raise BubbleError(
            "checksum",
            f"{printable(source, 500)} was changed while it was packed",
            hint="run the command again",
        )


def render_head(contents: Contents, said: Said) -> bytes:
    """Return the script at the beginning, HEAD bytes of it."""
    text = read_text(f"{os.path.dirname(os.path.abspath(__file__))}/head.sh", HEAD)
    assert text is not None, "the package is not whole"
    owns = "\n        ".join(f"{h.platform}) own={shlex.quote(h.own)} ;;" for h in contents.hosts)
    values = {
        "@sha256@": said.sha256,
        "@version@": contents.bubble,
        "@first@": str(HEAD + 1),
        "@platforms@": shlex.quote(", ".join(host.platform for host in contents.hosts)),
        "# @owns@": owns,
    }
    for mark, value in values.items():
        text = text.replace(mark, value)
    script = text.partition("@said@\n")[2].encode()
    # both have one length, whatever the hash is
    script = script.ljust(HEAD - len(first_lines(said, script)), b"\n")
    return first_lines(said, script) + script
