"""Where uv is: beside bubble, on PATH, in the store, or fetched, verified, once.

The wheel that is fetched is a **double** of some hundred bytes, which a real pip takes from a
directory; bubble knows its sha256 as it knows the real ones'.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pip
import pytest

from bubble.envs.discarding import gc
from bubble.envs.doctor import pythons as examined
from bubble.envs.doctor.finding import Patient
from bubble.envs.tools import fetch
from bubble.envs.tools.found import Uv, find_uv, is_damaged, is_recent, own_uv
from bubble.envs.tools.running import run_installer
from bubble.envs.tools.uv import uv_for
from bubble.envs.tools.uv_builds import VERSION, WHEELS
from bubble.model.errors import BubbleError
from bubble.model.platform import parse_platform
from support import handmade
from support.clinic import program
from support.handmade import machine, write
from support.needs import LINUX_ONLY, not_here
from support.patience import PATIENCE
from support.uv_wheel import GOOD, NAME, wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.selection.resolve import World
    from bubble.system.layout import Layout

SECRET = "hunter2-canary"


class Scene:
    """A store without uv, and an index of pip's that has one."""

    def __init__(self, layout: Layout, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.layout = layout
        self.index = f"{root}/index"
        self.monkeypatch = monkeypatch
        self.env = {
            **{n: v for n, v in os.environ.items() if not n.startswith(("PIP_", "UV_"))},
            "PATH": f"{root}/tools",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.index,
        }
        self.pip = ""
        self.told: list[str] = []
        self.known(*wheel(self.index))

    def known(self, digest: str, size: int) -> None:
        wheels = {f"linux_{os.uname().machine}": (digest, size)}
        self.monkeypatch.setattr(fetch, "WHEELS", wheels)
        self.wheels = wheels

    def world(self, **variables: str) -> World:
        return handmade.world(self.layout).replace(env={**self.env, **variables})

    def fetch(self, **variables: str) -> str:
        return uv_for(self.world(**variables), fetch=True, tell=self.told.append)

    def refused(self, **variables: str) -> BubbleError:
        """Return the error of a fetch that fails, which must leave nothing."""
        with pytest.raises(BubbleError) as caught:
            self.fetch(**variables)
        assert not os.path.lexists(self.layout.tools) or os.listdir(self.layout.tools) == []
        self.is_swept()
        return caught.value

    def is_swept(self) -> None:
        staging = self.layout.staging
        assert not os.path.lexists(staging) or os.listdir(staging) == []


@pytest.fixture
def scene(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr("bubble.envs.tools.found.own_scripts", lambda: f"{tmp_path}/beside")
    return Scene(layout, str(tmp_path), monkeypatch)


@pytest.fixture
def bundled(scene: Scene, tmp_path: Path) -> Scene:
    """Return a scene in which pip runs; skip where bubble's interpreter has none to run."""
    os.makedirs(f"{tmp_path}/scratch")
    try:
        fetch.own_pip(f"{tmp_path}/scratch", scene.layout)
    except BubbleError:
        not_here("this interpreter bundles no pip")
    return scene


@pytest.fixture
def fetching(scene: Scene) -> Scene:
    """Return a scene in which the pip beside the tests runs: compiled, unlike a bundled one."""
    scene.pip = os.path.dirname(pip.__file__)
    scene.monkeypatch.setattr(fetch, "own_pip", lambda *_: scene.pip)
    return scene


# which one


@pytest.mark.parametrize(
    ("there", "place"),
    [
        ((), ""),
        (("store",), "store"),
        (("path", "store"), "path"),
        (("beside", "path", "store"), "beside"),
        (("shim", "store"), "store"),
        (("shim",), ""),
    ],
)
def test_the_first_place_that_has_one_decides(
    scene: Scene, tmp_path: Path, there: tuple[str, ...], place: str
) -> None:
    paths = {
        "beside": f"{tmp_path}/beside/uv",
        "path": f"{tmp_path}/tools/uv",
        "store": own_uv(scene.layout),
    }
    for name in there:
        if name == "shim":
            os.chmod(write(f"{tmp_path}/tools/uv", "#!/bin/sh\n# bubble shim 1\n"), 0o755)
        else:
            program(paths[name], f"echo 'uv {VERSION} (x)'")
    expected = Uv(path=paths[place], place=place) if place else None
    assert find_uv(scene.env, scene.layout) == expected
    assert uv_for(scene.world()) == (paths[place] if place else "")


@pytest.mark.parametrize(
    ("said", "recent"),
    [
        (f"uv {VERSION} (abc 2026-11-01)", True),
        ("uv 0.8.0", True),
        ("uv 1.0.0", True),
        ("uv 0.7.22", False),
        ("uv 0.10", True),
        ("uv", False),
        ("uvx 0.13.9", False),
        ("", False),
        ("uv next.8", False),
    ],
)
def test_one_that_is_too_old_or_no_uv_is_passed_over_by_who_needs_a_recent_one(
    scene: Scene, tmp_path: Path, said: str, *, recent: bool
) -> None:
    path = program(f"{tmp_path}/tools/uv", f"echo '{said}'")
    assert is_recent(path, scene.env) is recent
    assert uv_for(scene.world()) == (path if recent else "")


def test_one_that_fails_is_not_recent(scene: Scene, tmp_path: Path) -> None:
    assert not is_recent(program(f"{tmp_path}/tools/uv", "echo uv 0.13.9; exit 1"), scene.env)
    assert not is_recent(f"{tmp_path}/nothing", scene.env)


# fetching


@LINUX_ONLY
def test_where_none_is_one_is_fetched_once_and_told(bundled: Scene) -> None:
    path = bundled.fetch()
    assert path == own_uv(bundled.layout)
    assert bundled.told == [f"getting uv {VERSION} (0 MB), once"]
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    assert said == f"uv {VERSION} (a double)\n"
    root = os.path.dirname(os.path.dirname(path))
    assert sorted(os.listdir(root)) == [".bubble", "bin"]
    assert os.listdir(f"{root}/bin") == ["uv"]
    bundled.is_swept()
    assert bundled.fetch() == path
    assert len(bundled.told) == 1


@LINUX_ONLY
def test_offline_nothing_is_fetched_and_what_is_there_is_used(fetching: Scene) -> None:
    error = fetching.refused(BUBBLE_OFFLINE="1")
    assert error.kind == "offline"
    assert fetching.told == []
    path = fetching.fetch()
    assert fetching.fetch(BUBBLE_OFFLINE="1") == path


@LINUX_ONLY
@pytest.mark.parametrize("known_to_pip", [True, False])
def test_another_wheel_than_the_pinned_one_is_refused_before_anything_of_it_runs(
    fetching: Scene, tmp_path: Path, *, known_to_pip: bool
) -> None:
    ran = f"{tmp_path}/ran"
    wheel(fetching.index, f"#!/bin/sh\ntouch {ran}\necho uv {VERSION}\n")
    if known_to_pip:  # a pip that lies, or doesn't look

        def careless(command: list[str], *rest: object, **options: object) -> object:
            words = [word for word in command if word != "--require-hashes"]
            path = words[words.index("-r") + 1]
            with open(path, encoding="utf-8") as file:
                text = file.read().split(" --hash")[0]
            write(path, text)
            return run_installer(words, *rest, **options)  # type: ignore[arg-type] # passed through

        fetching.monkeypatch.setattr(fetch, "run_installer", careless)
    error = fetching.refused()
    assert error.kind == ("checksum" if known_to_pip else "download")
    assert not os.path.exists(ran)


@LINUX_ONLY
@pytest.mark.parametrize(
    ("script", "name", "kind"),
    [
        ("#!/bin/sh\necho uv 0.1.0\n", NAME, "probe"),
        ("#!/bin/sh\nexit 3\n", NAME, "probe"),
        (GOOD, "uv/uv", "archive"),
    ],
)
def test_a_uv_that_is_not_what_it_should_be_is_not_kept(
    fetching: Scene, script: str, name: str, kind: str
) -> None:
    fetching.known(*wheel(fetching.index, script, name))
    assert fetching.refused().kind == kind


@LINUX_ONLY
def test_what_pip_says_is_told_without_secrets(fetching: Scene) -> None:
    address = f"http://me:{SECRET}@127.0.0.1:1/simple"
    error = fetching.refused(
        PIP_NO_INDEX="", PIP_FIND_LINKS="", PIP_INDEX_URL=address, PIP_RETRIES="0"
    )
    assert error.kind == "download"
    assert SECRET not in error.message
    assert "pip install uv" in error.hint


@LINUX_ONLY
def test_what_pips_variables_want_of_other_packages_is_not_asked_of_uv(
    fetching: Scene, tmp_path: Path
) -> None:
    constraints = write(f"{tmp_path}/c.txt", "uv==0.1\n")
    assert fetching.fetch(
        PIP_CONSTRAINT=constraints,
        PIP_DEST=f"{tmp_path}/elsewhere",
        PIP_NO_BINARY=":all:",
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_PYTHON="/nothing",
    )
    assert not os.path.exists(f"{tmp_path}/elsewhere")


def test_without_a_wheel_for_the_platform_it_is_unavailable(scene: Scene) -> None:
    scene.monkeypatch.setattr(fetch, "WHEELS", {"linux_none": ("0" * 64, 1)})
    error = scene.refused()
    assert error.kind == "unavailable"
    assert "--installer pip" in error.hint
    assert scene.told == []


def test_without_any_pip_it_is_unavailable(scene: Scene) -> None:
    scene.monkeypatch.setattr("bubble.pythons.installed.pip_wheels.DISTRIBUTIONS", "/nothing")
    scene.monkeypatch.setattr(os, "__file__", "/nothing/os.py")
    error = scene.refused()
    assert (error.kind, error.message) == ("unavailable", "there is no pip to get uv with")


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from bubble.envs.tools import fetch
from support import handmade
from bubble.system.layout import layout_from
from bubble.system.staging import Staging
from bubble.envs.tools.uv import uv_for
env = {env!r}
fetch.WHEELS = {wheels!r}
fetch.own_pip = lambda *_: {pip!r}
place, name = {where!r}
owner = {{"fetch": fetch, "staging": Staging}}[place]
whole = getattr(owner, name)
def killed(*arguments, **options):
    if {after!r}:
        whole(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
uv_for(handmade.world(layout_from(env)).replace(env=env), fetch=True)
"""
WHERE = [("fetch", "download"), ("fetch", "_unpack"), ("fetch", "_finish"), ("staging", "publish")]


@LINUX_ONLY
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("after", [True, False])
def test_a_killed_fetch_leaves_no_uv_or_a_whole_one_and_the_next_goes_on(
    fetching: Scene, where: tuple[str, str], *, after: bool
) -> None:
    layout = fetching.layout
    env = {**fetching.env, "BUBBLE_HOME": layout.home, "BUBBLE_CACHE_DIR": layout.cache}
    how = {"wheels": fetching.wheels, "pip": fetching.pip, "where": where, "after": after}
    script = KILLED.format(path=sys.path, env=env, **how)
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=PATIENCE)
    assert done.returncode == -9
    published = where[1] == "publish" and after
    assert os.path.exists(own_uv(layout)) == published
    assert not is_damaged(layout)
    assert fetching.fetch() == own_uv(layout)
    assert len(fetching.told) == (not published)
    if not published:
        fetching.is_swept()
    assert not is_damaged(layout)


@LINUX_ONLY
def test_of_two_who_need_it_one_fetches(fetching: Scene) -> None:
    inner = fetch.download
    second: list[str] = []

    def while_it_was_fetched(*arguments: object) -> str:
        got = inner(*arguments)  # type: ignore[arg-type] # passed through
        layout = fetching.layout
        program(own_uv(layout), f"echo 'uv {VERSION} (a double)'")
        fetching.monkeypatch.setattr(fetch, "download", lambda *_: second.append("fetched"))
        return got

    fetching.monkeypatch.setattr(fetch, "download", while_it_was_fetched)
    assert fetching.fetch() == fetching.fetch() == own_uv(fetching.layout)
    assert second == []


# the table


TARGETS = {
    "linux-x86_64-gnu": 1,
    "linux-x86_64-musl": 1,
    "linux-aarch64-gnu": 2,
    "linux-aarch64-musl": 1,
    "linux-armv7-gnueabihf": 2,
    "linux-i686-gnu": 1,
    "linux-powerpc64le-gnu": 1,
    "linux-riscv64-gnu": 2,
    "linux-s390x-gnu": 1,
    "darwin-x86_64-none": 1,
    "darwin-aarch64-none": 1,
    "windows-x86_64-none": 0,
}


@pytest.mark.parametrize("target", TARGETS)
def test_each_platform_has_its_wheels(target: str) -> None:
    wheels = fetch.wheels_for(parse_platform(target))
    assert len(wheels) == TARGETS[target]
    assert wheels.items() <= WHEELS.items()
    libc = target.split("-")[2]
    if libc in {"gnu", "musl"}:
        assert all({"gnu": "manylinux", "musl": "musllinux"}[libc] in tags for tags in wheels)
    digests = [digest for digest, _ in WHEELS.values()]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 and int(digest, 16) for digest in digests)


# afterwards


def test_the_uv_of_another_version_and_a_damaged_one_are_garbage(scene: Scene) -> None:
    layout = scene.layout
    old = os.path.dirname(write(f"{layout.tool('uv', '0.1.0')}/bin"))
    os.makedirs(f"{layout.tool('uv', VERSION)}/bin")
    current = layout.tool("uv", VERSION)
    program(own_uv(layout), "true")
    on = machine(layout)
    assert [i.path for i in gc.plan(on, "/", ["tools"])] == [old, current]  # it has no list
    fetch.list_files(current)
    patient = Patient(**on.as_dict(), cwd="/", python=sys.executable)
    assert list(examined.tools(patient)) == []
    found = gc.plan(on, "/", ["tools"])
    assert [i.path for i in found] == [old]
    gc.collect(found, on)
    assert os.listdir(layout.tools) == [os.path.basename(current)]
    program(own_uv(layout), "echo planted")
    [finding] = examined.tools(patient)
    assert (finding.id, finding.fix) == ("tool.damaged", "bubble gc --only tools")
    gc.collect(gc.plan(on, "/", ["tools"]), on)
    assert os.listdir(layout.tools) == []
    assert list(examined.tools(patient)) == []
