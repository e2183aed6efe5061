"""Bundles for tests: a release that is none, and bundles whose bytes an attacker chose."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from dataclasses import dataclass, field

from bubble.program.bundle.gathering import portable
from bubble.program.bundle.layout import CONTENTS, END, HEAD, TOP, Said, first_lines, padding
from bubble.program.release import install_script
from support.builds import archive_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bubble.model.download import Download

_WHEEL = "bubble_python-0.1-py3-none-any.whl"


def double_release(directory: str, *pins: Download) -> str:
    """Write a release's files, with these interpreters; its wheels are a few bytes. Return it."""
    os.makedirs(f"{directory}/wheels")
    for name in (_WHEEL, "wheels/alpha-1.0-py3-none-any.whl", "requirements.lock"):
        with open(f"{directory}/{name}", "w", encoding="ascii") as file:
            file.write(f"{name}\n")
    with open(f"{directory}/{_WHEEL}", "rb") as read:
        digest = hashlib.file_digest(read, "sha256").hexdigest()
    with open(f"{directory}/install.sh", "w", encoding="utf-8") as file:
        file.write(install_script(_WHEEL, digest, map(portable, pins)))
    for pin in pins:
        shutil.copyfile(archive_path(pin), f"{directory}/{pin.file_name}")
    return directory


@dataclass
class Member:
    """A member of the tar: what its header says, and its bytes."""

    name: str
    data: bytes
    size: int | None = None
    kind: bytes = tarfile.REGTYPE
    mode: int = 0o644
    link: str = ""

    def block(self) -> bytes:
        """Return the header's bytes."""
        info = tarfile.TarInfo(f"{TOP}/{self.name}")
        info.size = len(self.data) if self.size is None else self.size
        info.type, info.mode, info.linkname = self.kind, self.mode, self.link
        return info.tobuf(tarfile.PAX_FORMAT)


@dataclass
class Forged:
    """A bundle taken apart, to be put together otherwise: with a head that fits all of it."""

    contents: dict[str, Any]
    members: list[Member] = field(default_factory=list)
    raw: bytes | None = None  # instead of the contents
    tail: bytes = END

    @classmethod
    def of(cls, path: str) -> Forged:
        """Take a bundle apart."""
        with open(path, "rb") as file:
            file.seek(HEAD)
            with tarfile.open(fileobj=file, mode="r|") as archive:
                found = {}
                for info in archive:
                    opened = archive.extractfile(info)
                    assert opened is not None
                    found[info.name.removeprefix(f"{TOP}/")] = opened.read()
        contents = json.loads(found.pop(CONTENTS))
        return cls(contents, [Member(name, data) for name, data in found.items()])

    def member(self, name: str) -> Member:
        """Return the member whose name begins like this."""
        return next(member for member in self.members if member.name.startswith(name))

    def listed(self, name: str) -> dict[str, Any]:
        """Return the same of the contents' files."""
        found: dict[str, Any] = next(
            file for file in self.contents["files"] if file["name"].startswith(name)
        )
        return found

    def agree(self) -> None:
        """Let the contents have the names, hashes and sizes of the members."""
        self.contents["files"] = [
            {"name": m.name, "sha256": hashlib.sha256(m.data).hexdigest(), "size": len(m.data)}
            for m in self.members
        ]

    def write(self, path: str) -> str:
        """Write it to `path`; return that."""
        text = json.dumps(self.contents, indent=1, sort_keys=True) + "\n"
        listed = text.encode() if self.raw is None else self.raw
        payload = b"".join(
            member.block() + member.data + bytes(padding(len(member.data)))
            for member in (Member(CONTENTS, listed), *self.members)
        )
        payload += self.tail
        digest = hashlib.sha256(payload).hexdigest()
        said = Said(size=len(payload), contents=len(listed), sha256=digest)
        script = bytes(HEAD - len(first_lines(said, b"")))
        with open(path, "wb") as file:
            file.write(first_lines(said, script) + script + payload)
        return path
