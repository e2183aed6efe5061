"""What a bundle says of itself: `contents.json`, written in one way and read strictly."""

from __future__ import annotations

import json
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bubble.model.download import Download
    from bubble.model.platform import Platform

FORMAT = 1
INSTALLER = "bubble/install.sh"
_NAME = re.compile(r"(bubble|bubble/wheels|project|wheels|pythons/[\w.+-]{1,64})/[\w.+ !-]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[\w.+!-]{1,250}")


class File(Record):
    """One file: its name in the bundle, the sha256 (hex) and the size (bytes) of its content."""

    name: str
    sha256: str
    size: int


class Python(Record):
    """An interpreter: a download, the file that has its bytes, and whether it was asked for.

    One that wasn't is bubble's own, and gets into no store.
    """

    key: str
    build: str
    url: str
    sha256: str
    file: str
    chosen: bool

    def download(self) -> Download:
        """Return what the catalogue would have; BubbleError(archive) for what it never has."""
        from bubble.pythons.catalogue.entry import MalformedError, UnknownError, checked

        name, _, tail = self.key.partition("-")
        number, _, platform = tail.partition("-")
        version, _, variant = number.partition("+")
        try:
            return checked(
                implementation=name, version=version, variant=variant, platform=platform,
                url=self.url, sha256=self.sha256, build=self.build,
            )  # fmt: skip
        except (MalformedError, UnknownError) as error:
            raise _wrong(f"{printable(self.key, 80)}: {error}") from None


class Host(Record):
    """A platform that the bundle is for.

    `own` is the file of the interpreter that bubble gets there; `libc` the oldest version of the C
    library (of macOS) that all packages run with, "" where that doesn't matter.
    """

    platform: str
    own: str
    libc: str


class Wheel(Record):
    """A wheel that a lock selects: its name as an index has it, its sha256, for which platforms."""

    file: str
    sha256: str
    platforms: tuple[str, ...]


class Contents(Record):
    """All of it. `manifest` is the name of the project's manifest, "" where there is no project.

    `locks` are the names of its bubbles' lock files by theirs; `files` are sorted by name.
    """

    bubble: str
    hosts: tuple[Host, ...]
    pythons: tuple[Python, ...]
    manifest: str
    locks: dict[str, str]
    wheels: tuple[Wheel, ...]
    files: tuple[File, ...]

    def host_for(self, platform: Platform) -> Host:
        """Return what is for a machine of that platform; BubbleError(unavailable) if nothing."""
        for host in self.hosts:
            if host.platform == str(platform):
                return host
        names = ", ".join(host.platform for host in self.hosts)
        raise BubbleError(
            "unavailable",
            f"this bundle is for {names}, and this machine is {platform}",
            hint=f"make one for it: bubble bundle create FILE --platform {platform}",
        )


def render(contents: Contents) -> bytes:
    """Return the bytes of `contents.json`."""
    return (json.dumps(_plain(contents), indent=1, sort_keys=True) + "\n").encode()


def _plain(value: object) -> object:
    if isinstance(value, Contents):
        return {"format": FORMAT, **{k: _plain(v) for k, v in value.as_dict().items()}}
    if isinstance(value, Record):
        return {k: _plain(v) for k, v in value.as_dict().items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def parse(data: bytes) -> Contents:
    """Return what `contents.json` says; raise BubbleError(archive) for what no bundle says."""
    try:
        read = json.loads(data)
        if read["format"] != FORMAT:
            raise _wrong(f"its format is {printable(str(read['format']), 40)}, and 1 is known")
        found = Contents(
            bubble=_text(read["bubble"]),
            hosts=tuple(_record(Host, one) for one in read["hosts"]),
            pythons=tuple(_record(Python, one) for one in read["pythons"]),
            manifest=_text(read["manifest"]),
            locks={_text(k): _text(v) for k, v in read["locks"].items()},
            wheels=tuple(_record(Wheel, one) for one in read["wheels"]),
            files=tuple(_record(File, one) for one in read["files"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong(printable(f"{type(error).__name__} {error}", 200)) from None
    _check_files(found)
    _check_uses(found)
    if render(found) != data:  # one text for one meaning
        raise _wrong("it isn't written as bubble writes it")
    return found


def _record(kind: type[Any], read: dict[str, Any]) -> Any:
    values: dict[str, object] = {}
    for name in kind._fields:
        value = read[name]
        wanted = {"size": int, "chosen": bool, "platforms": list}.get(name, str)
        if type(value) is not wanted:
            raise TypeError(name)
        if isinstance(value, list):
            value = tuple(map(_text, value))
        elif isinstance(value, str):
            _text(value)
        values[name] = value
    return kind(**values)


def _check_files(contents: Contents) -> None:
    """Raise for names that could be more than names, and for what has no hash."""
    names = [file.name for file in contents.files]
    if names != sorted(set(names)) or INSTALLER not in names:
        raise _wrong("its files are not sorted, or not all there")
    for file in contents.files:
        if not _NAME.fullmatch(file.name) or ".." in file.name or not file.name.isascii():
            raise _wrong(f"“{printable(file.name, 120)}” is no name of a file in it")
        if not _SHA256.fullmatch(file.sha256) or file.size < 0:
            raise _wrong(f"{file.name} has no sha256 or size")


def _check_uses(contents: Contents) -> None:
    """Raise for what isn't there, or can't be what it is said to be."""
    digests = {file.name: file.sha256 for file in contents.files}
    needed = [(python.file, python.sha256) for python in contents.pythons]
    needed += [(f"wheels/{wheel.sha256}.whl", wheel.sha256) for wheel in contents.wheels]
    needed += [(host.own, digests.get(host.own, "")) for host in contents.hosts]
    needed += [(n, digests.get(n, "")) for n in _project_files(contents)]
    for name, sha256 in needed:
        if not sha256 or digests.get(name) != sha256:
            raise _wrong(f"{printable(name, 120)} is not in it")
    for wheel in contents.wheels:
        if not _FILE_NAME.fullmatch(wheel.file) or not wheel.file.endswith(".whl"):
            raise _wrong(f"“{printable(wheel.file, 120)}” is no wheel's name")
    for python in contents.pythons:
        python.download()
    for host in contents.hosts:
        if not re.fullmatch(r"([0-9]{1,4}\.[0-9]{1,4})?", host.libc):
            raise _wrong(f"“{printable(host.libc, 40)}” is no version of a C library")


def _project_files(contents: Contents) -> list[str]:
    from bubble.projects.manifest import MANIFEST, PYPROJECT

    if not contents.manifest and not contents.locks:
        return []
    if contents.manifest not in {MANIFEST, PYPROJECT, ""}:
        raise _wrong(f"“{printable(contents.manifest, 80)}” is no manifest")
    for name in contents.locks.values():
        if not re.fullmatch(r"pylock\.([a-z0-9._-]{1,80}\.)?toml", name):
            raise _wrong(f"“{printable(name, 80)}” is no lock file's name")
    names = [*([contents.manifest] if contents.manifest else []), *contents.locks.values()]
    return [f"project/{name}" for name in names]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 4096:
        raise TypeError(f"{value!r} is no text")
    return value


def _wrong(what: str) -> BubbleError:
    return BubbleError(
        "archive",
        f"the bundle's contents can't be used: {what}",
        hint="make it anew: bubble bundle create FILE; or take a newer bubble: bubble self update",
    )
