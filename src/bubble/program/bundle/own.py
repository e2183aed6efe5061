"""bubble itself, as a bundle takes it along: of the running program, or of a release's files.

However the running one came (install.sh, pip, pipx, uv, a checkout): its wheel is written anew,
the installer gets the interpreters of the bundle as its pins, and what it needs is fetched by pip,
which knows this user's index, with the hashes that the program carries.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import sys

from bubble.model.download import Download
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, without_userinfo
from bubble.program import release
from bubble.system.files import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.model.key import Key
    from bubble.model.platform import Platform
    from bubble.pythons.catalogue import Catalogue
    from bubble.selection.resolve import World
    from bubble.system.staging import Staging

_OLDEST = (2, 17)  # the C library that bubble's own interpreters run with
_PIN = re.compile(
    r"^ +([a-z0-9_]+-[a-z0-9_]+-[a-z]+)\) url=(\S+) sha256=([0-9a-f]{64}) ;;$", re.MULTILINE
)


class Own(Record):
    """bubble for other machines: its wheel's name and bytes, what it needs, its interpreters.

    `directory` is that of a release's files (absolute), "" for the running program; `script` the
    release's installer.
    """

    wheel: str
    data: bytes
    requirements: str
    pins: dict[str, Download]
    directory: str = ""
    script: str = ""

    def installer(self, pins: Sequence[Download]) -> str:
        """Return the installer's text, for these interpreters where it isn't a release's."""
        if self.script:
            return self.script
        return release.install_script(self.wheel, _sha256(self.data), pins)


def running(catalogue: Catalogue, platforms: Sequence[Platform]) -> Own:
    """Return the program that runs, with the best interpreter of the catalogue a platform.

    That is the newest of the minor version that releases take, else the newest that is new enough.
    A platform that has none is not among its pins. Raises BubbleError(unavailable).
    """
    wheel, data = release.own_wheel()
    pins = {}
    for platform in platforms:
        found = _interpreter(catalogue, platform)
        if found is not None:
            pins[str(platform)] = found
    return Own(
        wheel=wheel, data=data, requirements=release.text_of(release.REQUIREMENTS), pins=pins
    )


def _interpreter(catalogue: Catalogue, platform: Platform) -> Download | None:
    from bubble.model.request import parse_request

    for text in (release.MINOR, ">=3.11"):
        try:
            return catalogue.select(parse_request(text), platform)
        except BubbleError:
            continue
    return None


def released(directory: str) -> Own:
    """Return the bubble of a release's files; BubbleError(usage) where they aren't there."""
    from bubble.pythons.installing.local import key_of_file

    script = read_text(f"{directory}/{release.INSTALLER}", 1 << 20) or ""
    said = re.search(r"(?m)^    wheel=(\S+)$", script)
    wheel = shlex.split(said[1])[0] if said else ""
    requirements = read_text(f"{directory}/{release.REQUIREMENTS}", 1 << 20)
    path = f"{directory}/{wheel}"
    if not wheel or "/" in wheel or requirements is None or not os.path.isfile(path):
        raise BubbleError(
            "usage",
            f"there is no release in {printable(directory, 500)}",
            hint="name the directory that scripts/release made, or one with all that it made",
        )
    with open(path, "rb") as file:
        data = file.read()
    pins = {}
    for platform, word, sha256 in _PIN.findall(script):
        url = shlex.split(word)[0]
        name = url.rpartition("/")[2].replace("%2B", "+")
        key = key_of_file(name)
        if key is not None:
            tag = name.partition("+")[2].partition("-")[0]
            if os.path.isfile(f"{directory}/{name}"):
                from urllib.parse import quote

                url = f"file://{quote(f'{directory}/{name}')}"
            pins[platform] = Download(key=key, url=url, sha256=sha256, build=tag or "0")
    return Own(
        wheel=wheel, data=data, requirements=requirements, pins=pins,
        directory=directory, script=script,
    )  # fmt: skip


def wheels(own: Own, keys: Sequence[Key], world: World, staging: Staging) -> dict[str, str]:
    """Return the wheels that bubble needs with these interpreters: name → absolute path.

    They are a release's own, where it has some, else what pip downloads into `staging`. Raises
    BubbleError (download, offline, …).
    """
    found = {
        os.path.basename(p): p for p in glob.glob(f"{glob.escape(own.directory)}/wheels/*.whl")
    }
    if own.directory and found:
        return found
    for number, key in enumerate(keys):
        directory = f"{staging.path}/own-{number}"
        _download(own.requirements, key, directory, world, staging)
        found |= {name: f"{directory}/{name}" for name in names_in(directory)}
    return {name: path for name, path in found.items() if name.endswith(".whl")}


def _download(text: str, key: Key, directory: str, world: World, staging: Staging) -> None:
    from bubble.envs.tools.environment import installer_environment
    from bubble.envs.tools.fetch import own_pip
    from bubble.envs.tools.running import LINES, run_installer
    from bubble.projects.exchange.machines import environment, platform_tags
    from bubble.pythons.probing.isolation import isolated
    from bubble.system.http.settings import offline

    version = str(key.version)
    requirements = f"{directory}.txt"
    with open(requirements, "x", encoding="utf-8") as file:
        file.write(requirements_for(text, environment(key.platform, version)))
    if not os.path.isdir(f"{staging.path}/pip"):
        pip = own_pip(staging.path, world.layout)
    else:
        pip = f"{staging.path}/pip/pip"
    number = "".join(version.split(".")[:2])
    settings = installer_environment(
        "pip", world.env, root=sys.prefix, command="download", of_lock=True
    )
    status, said = 1, ""
    for level in (_OLDEST, None) if key.platform.libc.startswith("gnu") else (None,):
        tags = platform_tags(key.platform, level)
        command = isolated(
            *(sys.executable, "-B", pip, "download", "--disable-pip-version-check", "--no-input"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"),
            *("--python-version", ".".join(version.split(".")[:2])),
            *("--abi", f"cp{number}", "--abi", "abi3", "--abi", "none"),
            *(word for tag in (*tags, "any") for word in ("--platform", tag)),
            *("-r", requirements, "-d", directory),
        )
        status, said = run_installer(
            command, settings.variables, world.cwd, show=False, keep=staging.descriptor
        )
        if not status:
            return
    lines = [line for line in said.splitlines() if line.strip()][-LINES:]
    shown = printable(" | ".join(without_userinfo(line) for line in lines), 1500)
    raise BubbleError(
        "offline" if offline(world.env) else "download",
        f"what bubble itself needs on {key.platform} could not be fetched: {shown}",
        hint="look at pip's settings (pip config debug), or take a release's files: --release DIR",
    )


def requirements_for(text: str, markers: Mapping[str, str]) -> str:
    """Return requirements with hashes as a machine with these markers needs them, without any.

    pip would hold a marker against the interpreter that it runs on.
    """
    from packaging.requirements import Requirement

    lines = []
    for line in text.replace("\\\n", " ").splitlines():
        words, hashes = line.partition(" --hash=")[0].strip(), line.partition(" --hash=")[2]
        if not words or words.startswith("#"):
            continue
        wanted = Requirement(words)
        if wanted.marker is None or wanted.marker.evaluate(dict(markers)):
            lines.append(f"{wanted.name}{wanted.specifier} --hash={hashes}\n")
    return "".join(lines)


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
