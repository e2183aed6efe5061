"""A script as it is: its bytes, read without waiting, and the block of metadata in them (PEP 723).

On the path of every run, so nothing heavy: neither `re` nor a TOML parser. What the block says is
`metadata`'s business.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

STDIN = "-"
LIMIT = 16 << 20  # bytes of a script
_LOCK_LIMIT = 64 << 20  # bytes of a lock
_TYPE = "script"
_BOM = b"\xef\xbb\xbf"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


class Script(Record):
    """A script with metadata.

    `path` is absolute and real, "" for the standard input. `block` is the metadata's TOML as text,
    `lock` what the lock file beside it has, None where there is none.
    """

    path: str
    directory: str
    block: str
    lock: bytes | None

    @property
    def lock_path(self) -> str:
        """The absolute path of its lock file, which may not be there."""
        return f"{self.path}.lock"

    @property
    def title(self) -> str:
        """What people call it."""
        return printable(self.path, 500) if self.path else "the script"


def is_script(word: str, names: object) -> bool:
    """Whether somebody who writes `word` where an environment could stand means a script.

    `-` is the standard input. What ends in `.py` is a script, unless there's no such file and an
    environment has that name: `names` is called to find that out. Any other file is one if it is
    written with a `/`. Raises BubbleError(script) for an address, and for a file that isn't there.
    """
    if "://" in word:
        from bubble.model.urls import shown

        raise BubbleError(
            "script",
            f"{shown(word)} is an address, and bubble runs only what lies here",
            hint="fetch it, read it, then run the file",
        )
    if word == STDIN:
        return True
    if os.path.isdir(word):
        return False
    if os.path.lexists(word) and ("/" in word or word.endswith(".py")):
        return True
    if not word.endswith(".py"):
        return False
    assert callable(names)
    if names(word):
        return False
    raise BubbleError("script", f"there is no script {printable(word, 500)}", hint="check the path")


def read_script(word: str, cwd: str) -> tuple[Script | None, bytes]:
    """Return the script that `word` names from the absolute directory `cwd`, and its bytes.

    None in the place of a script without metadata. Raises BubbleError(script) for what can't be
    read, is too large, isn't a regular file, or has two blocks.
    """
    if word == STDIN:
        path, directory, data = "", cwd, _standard_input()
    else:
        path = os.path.realpath(os.path.join(cwd, word))
        directory = os.path.dirname(path)
        data = _read(os.path.join(cwd, word), LIMIT, word)
    block = find_block(data, path)
    if block is None:
        return None, data
    return Script(path=path, directory=directory, block=block, lock=read_lock(path)), data


def no_metadata(word: str) -> BubbleError:
    """Return the error for a script without metadata where some are needed."""
    return BubbleError(
        "script",
        f"{printable(word, 500)} has no metadata: no block “# /// script”",
        hint="how it is written: https://peps.python.org/pep-0723/",
    )


def hand_on(data: bytes) -> None:
    """Let the standard input be `data` from its beginning, for the interpreter to read anew."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("script")
    else:
        import tempfile

        descriptor, path = tempfile.mkstemp()
        os.unlink(path)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.dup2(descriptor, 0)
    if descriptor:
        os.close(descriptor)


def read_lock(path: str) -> bytes | None:
    """Return the bytes of the lock beside the script at `path`; None where there is none."""
    if not path or not os.path.lexists(f"{path}.lock"):
        return None
    return _read(f"{path}.lock", _LOCK_LIMIT, f"{path}.lock")


def find_block(data: bytes, path: str) -> str | None:
    """Return the TOML in a script's block `# /// script`; None where it has none.

    `path` is for messages. Raises BubbleError(script) for two blocks, and for bytes that aren't
    text in the script's own encoding (PEP 263).
    """
    if b"# /// script" not in data:
        return None
    text = _decoded(data, path)
    found = [content for kind, content in blocks(text) if kind == _TYPE]
    if len(found) > 1:
        raise _unusable(path, "it has two blocks “# /// script”", "leave one of them")
    return found[0] if found else None


def blocks(text: str) -> list[tuple[str, str]]:
    r"""Return the blocks of a script, as their types and what is in them.

    What the reference's regular expression finds, in a time that the text's length bounds:
    `(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$`.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = []
    at = 0
    while at < len(lines):
        kind = lines[at].removeprefix("# /// ")
        if len(kind) == len(lines[at]) or not kind or not _LETTERS.issuperset(kind):
            at += 1
            continue
        end, last = at + 1, 0
        while end < len(lines) and (lines[end] == "#" or lines[end][:2] == "# "):
            if lines[end] == "# ///" and end > at + 1:
                last = end  # the last one in a row of comments ends it
            end += 1
        if last:
            content = [line[2:] for line in lines[at + 1 : last]]
            found.append((kind, "".join(f"{line}\n" for line in content)))
        # without an end, no block that begins further down in these comments has one either
        at = last + 1 if last else end
    return found


def _decoded(data: bytes, path: str) -> str:
    encoding = "utf-8" if data.startswith(_BOM) else _declared(data) or "utf-8"
    try:
        return data.removeprefix(_BOM).decode(encoding)
    except LookupError:
        what = f"its encoding “{printable(encoding, 40)}” is none that Python knows"
    except (UnicodeError, ValueError):
        what = f"it is not text in {printable(encoding, 40)}"
    raise _unusable(path, what, "save it as UTF-8")


def _declared(data: bytes) -> str:
    """Return the encoding that one of the first two lines declares (PEP 263), or ""."""
    for line in data[:4096].replace(b"\r", b"\n").split(b"\n", 2)[:2]:
        before, word, rest = line.partition(b"coding")
        if before.strip(b" \t\f")[:1] == b"#" and word and rest[:1] in (b":", b"="):
            name = rest[1:].lstrip(b" \t").decode("latin-1")
            end = next((n for n, c in enumerate(name) if not (c.isalnum() or c in "-_.")), None)
            return name[:end]
        if line.strip(b" \t\f") and line.strip(b" \t\f")[:1] != b"#":
            return ""
    return ""


def _read(path: str, limit: int, shown: str) -> bytes:
    from bubble.system.version_file import read_regular

    try:
        data = read_regular(path, limit)
    except BubbleError as error:
        piped = "not a regular file" in error.message
        hint = "what comes through a pipe is run by: bubble run -" if piped else "look at the file"
        raise BubbleError("script", error.message, hint=hint) from None
    if data is None:
        raise BubbleError(
            "script", f"there is no script {printable(shown, 500)}", hint="check the path"
        )
    return data


def _standard_input() -> bytes:
    data = bytearray()
    while more := os.read(0, 1 << 16):
        data += more
        if len(data) > LIMIT:
            raise _unusable("", f"it is larger than {LIMIT} bytes", "run it from a file")
    return bytes(data)


def _unusable(path: str, what: str, hint: str) -> BubbleError:
    name = printable(path, 500) if path else "the script"
    return BubbleError("script", f"{name} can't be run: {what}", hint=hint)
