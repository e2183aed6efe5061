"""Fetching bubble's own uv: a pinned wheel, by the user's configuration of pip, into the store.

pip downloads it, so that whatever the user says of indexes, proxies and certificates holds, and no
host is named here. Nothing of it is read before its sha256 is one that bubble knows. It is built in
`staging/`, and there in one step or not at all.
"""

from __future__ import annotations

import os
import sys

from bubble.envs.tools.environment import installer_environment
from bubble.envs.tools.found import own_uv, version_of
from bubble.envs.tools.running import LINES, run_installer
from bubble.envs.tools.uv_builds import VERSION, WHEELS
from bubble.model.errors import BubbleError
from bubble.model.text import printable, without_userinfo
from bubble.model.version import Version
from bubble.pythons.probing.isolation import isolated
from bubble.system.files import sha256_of
from bubble.system.http.settings import offline
from bubble.system.lock import Lock, lock_timeout
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.model.platform import Platform
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout

_ARCHITECTURES = {"powerpc64le": "ppc64le", "armv7": "armv7l"}
_OWN_WAY = "or put uv on PATH: pip install uv"


def fetch_uv(world: World, tell: Callable[[str], None]) -> None:
    """Put bubble's own uv into the store, unless it is there by now; raises as `uv_for` says."""
    layout = world.layout
    with Lock(f"{layout.locks}/tools", timeout=lock_timeout(world.env)):
        if os.access(own_uv(layout), os.X_OK):
            return
        if offline(world.env):
            raise BubbleError(
                "offline",
                f"uv {VERSION} is needed, but BUBBLE_OFFLINE switches the network off",
                hint=f"unset BUBBLE_OFFLINE, {_OWN_WAY}",
            )
        wheels = wheels_for(world.platform)
        if not wheels:
            raise BubbleError(
                "unavailable",
                f"uv {VERSION} isn't built for {world.platform}",
                hint="where pip can do the same: --installer pip",
            )
        sweep(layout)
        largest = max(size for _, size in wheels.values()) / 1e6
        tell(f"getting uv {VERSION} ({largest:.0f} MB), once")
        with Staging(layout, layout.tool("uv", VERSION)) as staging:
            scratch = f"{staging.path}/.scratch"
            os.mkdir(scratch)
            digests = {digest for digest, _ in wheels.values()}
            wheel = download("uv", VERSION, digests, scratch, world, staging, _OWN_WAY)
            _unpack(wheel, f"{staging.path}/bin")
            _finish(staging.path, scratch, world)
            staging.publish()


def wheels_for(platform: Platform) -> dict[str, tuple[str, int]]:
    """Return the wheels (as in WHEELS) that pip may choose from on a machine of that platform."""
    arch = _ARCHITECTURES.get(platform.arch, platform.arch)
    if platform.os == "darwin":
        arch = {"aarch64": "arm64"}.get(arch, arch)
        words: tuple[str, ...] = ("macosx_",)
    elif platform.os == "linux":
        words = ("musllinux_",) if platform.libc == "musl" else ("manylinux_", "linux_")
    else:
        return {}
    return {
        tags: wheel
        for tags, wheel in WHEELS.items()
        if any(tag.startswith(words) and tag.endswith(f"_{arch}") for tag in tags.split("."))
    }


def download(
    name: str,
    version: str,
    digests: set[str],
    scratch: str,
    world: World,
    staging: Staging,
    otherwise: str,
) -> str:
    """Let pip download a wheel into `scratch`; return its path when its sha256 is in `digests`.

    `otherwise` ends the hint where it can't be had.
    """
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in sorted(digests))
    requirements, wheels = f"{scratch}/requirements.txt", f"{scratch}/wheels"
    with open(requirements, "x", encoding="utf-8") as file:
        file.write(f"{name}=={version} {hashes}\n")
    options = ("--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes")
    command = isolated(
        *(sys.executable, "-B", own_pip(scratch, world.layout), "download", *options),
        *("--only-binary", ":all:", "-r", requirements, "-d", wheels),
    )
    # what is said of other packages isn't said of this one
    own = installer_environment("pip", world.env, root=sys.prefix, command="download", of_lock=True)
    status, said = run_installer(
        command, own.variables, world.cwd, show=False, keep=staging.descriptor
    )
    found = [f"{wheels}/{n}" for n in _names(wheels) if n.endswith(".whl")]
    if status or len(found) != 1:
        lines = [line for line in said.splitlines() if line.strip()][-LINES:]
        shown = printable(" | ".join(without_userinfo(line) for line in lines), 1500)
        raise BubbleError(
            "download",
            f"pip could not get {name} {version} (status {status})" + f": {shown}" * bool(shown),
            hint=f"look at pip's settings (pip config debug), {otherwise}",
        )
    if sha256_of(found[0]) not in digests:
        raise BubbleError(
            "checksum",
            f"what pip got isn't {name} {version}: another sha256",
            hint=f"look at the index that pip uses (pip config debug), {otherwise}",
        )
    return found[0]


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def own_pip(scratch: str, layout: Layout) -> str:
    """Return what bubble's interpreter runs as pip: the store's own, else what it bundles.

    `scratch` is a directory (absolute) that it may be put into. Raises BubbleError(unavailable).
    """
    from bubble.envs.making.seed import pip_seed, plant

    version = Version.parse(".".join(map(str, sys.version_info[:3])))
    try:
        seed = pip_seed(layout, version)
    except BubbleError as error:
        bundled = f"{os.path.dirname(os.__file__)}/ensurepip/_bundled"
        for name in _names(bundled):
            if name.startswith("pip-") and name.endswith(".whl"):
                return f"{bundled}/{name}/pip"
        raise BubbleError(
            "unavailable",
            "there is no pip to get uv with",
            hint=f"bubble python install 3, {_OWN_WAY}",
        ) from error
    os.mkdir(f"{scratch}/pip")  # its own: a seed is as it was unpacked, and may be replaced
    plant(seed, f"{scratch}/pip", layout)
    return f"{scratch}/pip/pip"


def _unpack(wheel: str, directory: str) -> None:
    """Unpack uv alone, the program, from a wheel whose sha256 is known."""
    import shutil
    import zipfile

    name = f"uv-{VERSION}.data/scripts/uv"
    os.mkdir(directory, 0o755)
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(name) as source,
            open(f"{directory}/uv", "xb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
            os.fchmod(target.fileno(), 0o755)
    except (KeyError, zipfile.BadZipFile):
        raise BubbleError(
            "archive", f"the wheel of uv {VERSION} isn't as it should be", hint=_OWN_WAY[3:]
        ) from None


def _finish(root: str, scratch: str, world: World) -> None:
    """Run what was unpacked, and list it; nothing else stays."""
    from bubble.system.trees import remove_tree

    version = version_of(f"{root}/bin/uv", world.env)
    if version != VERSION:
        raise BubbleError(
            "probe",
            f"uv {VERSION} doesn't run here" + f": it says {printable(version)}" * bool(version),
            hint=f"look whether {printable(world.layout.home, 300)} may hold programs (noexec), "
            f"{_OWN_WAY}",
        )
    remove_tree(scratch)
    list_files(root)


def list_files(root: str) -> None:
    """Write down what uv's directory (absolute) has, for `is_damaged`."""
    from bubble.pythons.installed import manifest

    manifest.write(root, (), frozenset({"bin", "bin/uv"}))
