"""The recipe of `bubble export --format dockerfile`, carried out as an image builder does it.

Without a daemon: overlay layers and a chroot (`support.image_builder`), as root. The base image is
this machine's own root; with BUBBLE_TEST_FULL, Debian 11's and 12's, where no Python is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bubble.system.host import host_platform
from support import old_python
from support.builds import packed_mirror
from support.debian_roots import LIBRARIES, debian
from support.fault_server import serve
from support.image_builder import Builder, Stage
from support.index import Index
from support.namespace import require_mounts
from support.needs import FULL, ROOT_ONLY, needs, other_disk, real_uv
from support.releases import release, wheels
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

MANIFEST = f"""\
platforms = ["{host_platform({})}"]

[bubbles.default]
dependencies = ["alpha"]
"""
RUNS = {
    ("python", "app.py"): "served\n",
    ("python", "-c", "import os; print(os.getuid())"): "10001\n",
    ("sh", "-c", "touch /app/x /opt/pythons/x ~/x /x 2>/dev/null; echo $?"): "1\n",
}
BASE = "debian:bookworm-slim"


@dataclass(frozen=True)
class Base:
    """A base image: its root, and a mirror with a Python of a minor version that runs there."""

    root: str
    mirror: str
    minor: str


@pytest.fixture(
    scope="module", params=["this machine", *(["bookworm", "bullseye"] if FULL else [])]
)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    if request.param == "this machine":
        return Base("/", packed_mirror(["3.11"]), "3.11")
    old = request.param == "bullseye"
    libraries = old_python.LIBRARIES if old else LIBRARIES
    root = debian(str(tmp_path_factory.mktemp("roots")), request.param, libraries)
    assert not os.path.exists(f"{root}/usr/bin/python3")
    if old:
        return Base(root, old_python.old_mirror(), old_python.MINOR)
    return Base(root, packed_mirror(["3.11"]), "3.11")


@pytest.fixture(scope="module")
def whole(base: Base, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A release with all that it installs beside it."""
    out = release(str(tmp_path_factory.mktemp("release")), mirror=base.mirror, minor=base.minor)
    wheels(out)
    return out


@pytest.fixture
def served(base: Base) -> Iterator[FaultServer]:
    with serve(base.mirror) as server:
        yield server


@ROOT_ONLY
@needs("unshare", "tar")
def test_the_recipe_makes_an_image_that_runs_as_nobody_and_holds_what_is_locked(
    base: Base,
    whole: str,
    served: FaultServer,
    bubble: Callable[..., Result],
    tmp_path: Path,
) -> None:
    require_mounts(str(tmp_path))
    index = Index(served)
    index.add(wheel(str(tmp_path), "alpha", "1.0", says="served"))
    catalogue = f"{served.url}/catalogue.json"
    project = tmp_path / "app"
    project.mkdir()
    (project / "bubble.toml").write_text(f'python = "{base.minor}"\n{MANIFEST}')
    (project / "app.py").write_text("import alpha; alpha.main()\n")
    env = {
        "BUBBLE_CATALOG": catalogue,
        "UV_DEFAULT_INDEX": index.url,
        "PATH": f"{os.path.dirname(real_uv())}:{os.environ['PATH']}",
    }
    locked = bubble("lock", cwd=project, env=env)
    assert locked.status == 0, locked.err
    recipe = bubble("export", "--format", "dockerfile", cwd=project, env=env)
    assert recipe.status == 0, recipe.err
    arguments = {"BUBBLE_CATALOG": catalogue, "PIP_INDEX_URL": index.url}
    contexts = {"": str(project), "bubble": whole}
    with other_disk("/") as layers:  # an upper layer may not lie in its lower one
        builder = Builder(layers, {BASE: base.root}, contexts, arguments)
        image = builder.build(recipe.out)
        holds_only_what_runs(builder, image)
        served.close()
        for command, expected in RUNS.items():
            done = builder.run(image, command, read_only=True)
            assert done.stdout == expected, done
    assert image.cmd == ["python"]


def holds_only_what_runs(builder: Builder, image: Stage) -> None:
    """The second stage has the interpreter and the project, root's, for all to read; no cache."""
    script = (
        "find /opt/pythons /app ! -user 0 -o ! -type l -perm /022 -o -type d ! -perm -005; "
        "find /opt/pythons /app -type f ! -perm -004; "
        "ls -d /opt/pythons/* /opt/release /root/.local/bin/bubble /root/.cache 2>/dev/null"
    )
    found = builder.run(Stage(image.layers.copy()), ["sh", "-c", script]).stdout.splitlines()
    assert [path for path in found if "/root" not in path] == ["/opt/pythons/pythons"]
