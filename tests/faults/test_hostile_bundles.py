"""Bundles that are cut, changed or forged: refused before anything of them is used."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from bubble.model.errors import BubbleError
from bubble.program.bundle.layout import HEAD
from bubble.program.bundle.reading import Bundle
from support.builds import small_archive
from support.bundles import Forged, Member, double_release
from support.needs import FULL
from support.scene import Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> Scene:
    return Scene(f"{tmp_path}/scene", ("3.11.9",))


@pytest.fixture
def bundle(stage: Scene, tmp_path: Path) -> str:
    """A bundle with a Python that was asked for; bubble's own is another."""
    own = small_archive(f"{tmp_path}/own", "3.12.4")
    release = double_release(f"{tmp_path}/release", own)
    file = f"{tmp_path}/b.sh"
    done = stage.call("bundle", "create", file, "3.11.9", "--release", release)
    assert done.status == 0, done
    return file


def refused(stage: Scene, file: str, *words: str) -> str:
    """Install from a bundle that must be refused, with nothing installed; return the message."""
    done = stage.call("bundle", "install", file, *words)
    assert done.status in {1, 2}, done
    assert done.err.count("error: ") == 1
    assert "  hint: " in done.err
    assert "bubble itself failed" not in done.err
    assert done.err.replace("\n", "").isprintable()
    pythons = stage.layout.pythons
    assert not os.path.isdir(pythons) or os.listdir(pythons) == [], done
    scratch = stage.layout.staging
    assert not os.path.isdir(scratch) or os.listdir(scratch) == []
    return done.err


def set_contents(**values: object) -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        forged.contents |= values

    return change


def listed(name: str, **values: object) -> Callable[[Forged], None]:
    """Change what the contents say of a file."""

    def change(forged: Forged) -> None:
        forged.listed(name).update(values)

    return change


def member(of: str, **values: object) -> Callable[[Forged], None]:
    """Change what the header of a member says."""

    def change(forged: Forged) -> None:
        for key, value in values.items():
            setattr(forged.member(of), key, value)

    return change


def called(name: str, other: str) -> Callable[[Forged], None]:
    """Give a file another name, in the tar and in the contents, sorted."""

    def change(forged: Forged) -> None:
        old = forged.member(name).name
        forged.member(name).name = other
        forged.members.sort(key=lambda one: one.name)
        forged.agree()
        for python in forged.contents["pythons"]:
            python["file"] = other if python["file"] == old else python["file"]

    return change


def more(forged: Forged) -> None:
    forged.members.append(Member("zzz/evil", b"evil"))


def fewer(forged: Forged) -> None:
    forged.members.pop()


def twice(forged: Forged) -> None:
    forged.members.append(forged.members[-1])
    forged.agree()


def python(**values: object) -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        forged.contents["pythons"][0] |= values

    return change


def host(**values: object) -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        forged.contents["hosts"][0] |= values

    return change


def raw(data: bytes) -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        forged.raw = data

    return change


def tail(data: bytes) -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        forged.tail = data

    return change


FORGED: dict[str, Callable[[Forged], None]] = {
    "a file more": more,
    "a file less": fewer,
    "a file twice": twice,
    "a file behind the end": tail(bytes(1024) + Member("bubble/evil", b"").block() + bytes(1024)),
    "no end": tail(b""),
    "another hash": listed("pythons/", sha256="0" * 64),
    "no hash": listed("pythons/", sha256=""),
    "a smaller size": listed("pythons/", size=1),
    "a larger size": listed("pythons/", size=1 << 40),
    "a size below nothing": listed("pythons/", size=-1),
    "a size that is no number": listed("pythons/", size="1"),
    "a size that is true": listed("bubble/install.sh", size=True),
    "a symbolic link": member("bubble/install.sh", kind=tarfile.SYMTYPE, link="/etc/passwd"),
    "a hard link": member("bubble/install.sh", kind=tarfile.LNKTYPE, link="x"),
    "a device": member("bubble/install.sh", kind=tarfile.CHRTYPE),
    "a directory": member("bubble/install.sh", kind=tarfile.DIRTYPE),
    "a setuid bit": member("bubble/install.sh", mode=0o4755),
    "another name in the tar": member("pythons/", name="pythons/1/../../../evil"),
    "a name that leads out": called("pythons/", "pythons/../../evil"),
    "an absolute name": called("pythons/", "/etc/evil"),
    "a name with a line break": called("pythons/", "pythons/1/a\nb"),
    "a name from nowhere": called("pythons/", "evil/file"),
    "a name that has no room": called("pythons/", f"pythons/1/{'x' * 101}"),
    "no installer": called("bubble/install.sh", "bubble/installer"),
    "a key that is none": python(key="cpython"),
    "a key with a path in it": python(key="cpython-3.11.9-../../x-gnu"),
    "an address of another kind": python(url="javascript:alert(1)"),
    "an address with a password": python(url="https://a:b@example.org/x.tar.gz"),
    "an interpreter that isn't in it": python(file="pythons/1/none.tar.gz"),
    "another interpreter's hash": python(sha256="1" * 64),
    "a choice that is no choice": python(chosen="yes"),
    "a wheel with a path": set_contents(
        wheels=[{"file": "../x.whl", "sha256": "", "platforms": []}]
    ),
    "a lock with a path": set_contents(locks={"default": "../pylock.toml"}),
    "a manifest with a path": set_contents(manifest="../bubble.toml", locks={"d": "pylock.toml"}),
    "a host without an interpreter": set_contents(
        hosts=[{"platform": "linux-x86_64-gnu", "own": "bubble/none", "libc": ""}]
    ),
    "a C library that is none": host(libc="2.x"),
    "another format": set_contents(format=2),
    "no format": raw(b"{}"),
    "a key more": set_contents(more="than is known"),
    "no JSON": raw(b"\x00\xff"),
    "nested without an end": raw(b"[" * 100_000),
    "no contents": raw(b""),
    "a number without an end": raw(b'{"format": 1' + b"0" * 5000 + b"}"),
    "an escape sequence": set_contents(bubble="\x1b[31mred"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_is_forged_is_refused_with_nothing_installed(
    case: str, stage: Scene, bundle: str, tmp_path: Path
) -> None:
    forged = Forged.of(bundle)
    FORGED[case](forged)
    refused(stage, forged.write(f"{tmp_path}/forged.sh"))


def test_what_is_put_together_again_as_it_was_is_installed(
    stage: Scene, bundle: str, tmp_path: Path
) -> None:
    forged = Forged.of(bundle)
    assert stage.call("bundle", "install", forged.write(f"{tmp_path}/forged.sh")).status == 0
    with open(bundle, "rb") as one, open(f"{tmp_path}/forged.sh", "rb") as other:
        assert one.read()[HEAD:] == other.read()[HEAD:]


LOCKS: dict[str, str] = {
    "no lock": "nothing",
    "an option for the installer": '[[packages]]\nname = "-e"\nversion = "1"\n',
    "a file without a hash": '[[packages]]\nname = "a"\nwheels = [{ url = "file:///a.whl" }]\n',
}


@pytest.mark.parametrize("case", LOCKS)
def test_a_lock_that_says_what_none_may_is_refused_before_anything_is_installed(
    case: str, stage: Scene, bundle: str, tmp_path: Path
) -> None:
    forged = Forged.of(bundle)
    text = f'lock-version = "1.0"\n{LOCKS[case]}'
    forged.members.append(Member("project/pylock.toml", text.encode()))
    forged.members.sort(key=lambda one: one.name)
    forged.agree()
    forged.contents["locks"] = {"default": "pylock.toml"}
    os.mkdir(f"{tmp_path}/project")
    refused(stage, forged.write(f"{tmp_path}/forged.sh"), "--project", f"{tmp_path}/project")
    assert os.listdir(f"{tmp_path}/project") == []


def packed(**members: tarfile.TarInfo | bytes) -> bytes:
    """Return a .tar.gz of an interpreter that is none."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, what in members.items():
            info = what if isinstance(what, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = what if isinstance(what, bytes) else b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return written.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


ARCHIVES: dict[str, bytes] = {
    "a file above": packed(**{"python/../../evil": b"evil"}),
    "a link out": packed(a=link("python/lib", "../../../..")),
    "no interpreter": packed(**{"python/bin/python3": b"#!/bin/sh\nexit 1\n"}),
    "a bomb": packed(**{"python/lib/zeros": bytes(64 << 20)}),
    "no archive": b"nothing",
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_interpreter_is_unpacked_by_the_extractor_of_downloads(
    case: str, stage: Scene, bundle: str, tmp_path: Path
) -> None:
    forged = Forged.of(bundle)
    chosen = next(p for p in forged.contents["pythons"] if p["chosen"])
    forged.member(chosen["file"]).data = ARCHIVES[case]
    forged.agree()
    chosen["sha256"] = forged.listed(chosen["file"])["sha256"]
    refused(stage, forged.write(f"{tmp_path}/forged.sh"))
    assert not os.path.exists(f"{tmp_path}/evil")


def test_damage_anywhere_is_seen(bundle: str, tmp_path: Path) -> None:
    with open(bundle, "rb") as file:
        whole = file.read()
    places = range(0, len(whole), 97 if FULL else 4999)
    cut = [whole[:place] for place in places]
    flipped = [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        for place in (*range(250), *places)
    ]
    path = f"{tmp_path}/damaged.sh"
    for number, data in enumerate([*cut, *flipped, whole + b"\0", whole * 2]):
        with open(path, "wb") as file:
            file.write(data)
        with pytest.raises(BubbleError) as caught, Bundle(path):
            pass
        assert caught.value.kind in {"archive", "checksum"}, number
    with Bundle(bundle):
        pass


NO_BUNDLE: dict[str, Callable[[str], object]] = {
    "nothing": lambda _: None,
    "a directory": os.mkdir,
    "a pipe": os.mkfifo,
    "an empty file": lambda path: open(path, "wb").close(),
    "a device": lambda path: os.symlink("/dev/zero", path),
    "a link to itself": lambda path: os.symlink(path, path),
}


@pytest.mark.parametrize("case", NO_BUNDLE)
def test_what_is_no_bundle_is_no_bundle(case: str, stage: Scene, tmp_path: Path) -> None:
    NO_BUNDLE[case](f"{tmp_path}/b.sh")
    assert refused(stage, f"{tmp_path}/b.sh")
    done = stage.call("bundle", "show", f"{tmp_path}/b.sh")
    assert done.status in {1, 2}
    assert done.err.count("error: ") == 1


def test_what_is_changed_between_the_check_and_its_use_is_not_used(bundle: str) -> None:
    with Bundle(bundle) as opened:
        last = opened.contents.files[-1].name
        with open(bundle, "r+b") as file:
            file.seek(opened.size - 2048)
            file.write(b"changed")
        with pytest.raises(BubbleError, match="changed meanwhile"):
            opened.read(last)
