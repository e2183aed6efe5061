"""`bubble bundle`: one file, from which another machine gets what the locks say, hash for hash."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from bubble.system.host import host_platform
from support.builds import small_archive
from support.bundles import double_release
from support.needs import NOT_ROOT
from support.projects import Site
from support.told import one_error
from support.trees import snapshot
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

HERE = str(host_platform(os.environ))
ELSEWHERE = "aarch64-unknown-linux-musl"


class Ship:
    """Another machine: its own HOME, store and cache, no network, no catalogue but the embedded."""

    def __init__(self, bubble: Callable[..., Result], root: str) -> None:
        self.bubble = bubble
        self.project = f"{root}/ship/project"
        self.env: dict[str, str | None] = {
            "HOME": f"{root}/ship",
            "BUBBLE_HOME": f"{root}/ship/store",
            "BUBBLE_CACHE_DIR": f"{root}/ship/cache",
            "BUBBLE_OFFLINE": "1",
        }
        os.makedirs(self.project)

    def call(self, *words: str) -> Result:
        return self.bubble(*words, env=self.env, cwd=self.project)


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    """A project that its lock alone describes; no uv is needed."""
    made = Site(bubble, str(tmp_path), uv=False)
    os.unlink(f"{made.root}/bubble.toml")
    made.lock_by_hand("", "alpha-1.0", "beta-1.0")
    return made


@pytest.fixture
def ship(bubble: Callable[..., Result], tmp_path: Path) -> Ship:
    return Ship(bubble, str(tmp_path))


@pytest.fixture
def release(tmp_path: Path) -> str:
    return double_release(f"{tmp_path}/release", small_archive(f"{tmp_path}/small"))


def test_what_a_lock_says_runs_on_a_machine_without_a_network(
    site: Site, ship: Ship, release: str, tmp_path: Path
) -> None:
    file = f"{tmp_path}/site.sh"
    made = site.ok("bundle", "create", file, "--project", ".", "--release", release)
    assert made.out == f"{file}\n"
    assert f"there: sh {os.path.basename(file)} --project DIR" in made.err
    shown = ship.call("bundle", "show", file, "--json").json["data"]
    assert {w["file"] for w in shown["wheels"]} == {
        "alpha-1.0-py3-none-any.whl",
        "beta-1.0-py3-none-any.whl",
    }
    assert re.search(f"sha256 {shown['sha256']}\n", made.err)
    done = ship.call("bundle", "install", file, "--project", ".")
    assert done.status == 0, done
    again = ship.call("bundle", "install", file, "--project", ".")
    assert again.status == 0, again
    assert "unchanged" in again.err
    said = subprocess.run(
        [f"{ship.project}/.venv/bin/alpha"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "alpha 1.0\n"
    assert ship.call("status").status == 0
    with (
        open(f"{site.root}/pylock.toml", "rb") as one,
        open(f"{ship.project}/pylock.toml", "rb") as other,
    ):
        assert one.read() == other.read()
    info = f"{ship.project}/.venv/lib"
    (library,) = os.listdir(info)
    names = os.listdir(f"{info}/{library}/site-packages/alpha-1.0.dist-info")
    assert "direct_url.json" not in names, "as if somebody had named a path"


def test_a_manifest_with_its_bubbles_goes_along(
    bubble: Callable[..., Result], ship: Ship, release: str, tmp_path: Path
) -> None:
    site = Site(bubble, str(tmp_path))
    site.ok("lock", "--all")
    file = f"{tmp_path}/site.sh"
    site.ok("bundle", "create", file, "--project", ".", "--release", release)
    os.mkdir(f"{ship.project}/train")
    done = ship.call("bundle", "install", file, "--project", ".", "--json")
    assert done.status == 0, done
    assert [b["bubble"] for b in done.json["data"]["bubbles"]] == ["default", "train"]
    assert os.readlink(f"{ship.project}/train/.venv") == "../.venvs/train"
    one = site.ok(
        "bundle",
        "create",
        file,
        "--project",
        ".",
        "--bubble",
        "train",
        "--release",
        release,
        "--json",
    )
    assert [w["file"] for w in one.json["data"]["wheels"]] == ["gamma-1.0-py3-none-any.whl"]


def test_the_same_inputs_are_the_same_bytes(site: Site, release: str, tmp_path: Path) -> None:
    seen = []
    for number, umask in enumerate((0o022, 0o077)):
        place = f"{tmp_path}/{number} place"
        os.mkdir(place)
        file = f"{place}/b.sh"
        env = {"HOME": place, "BUBBLE_HOME": f"{place}/s", "BUBBLE_CACHE_DIR": f"{place}/c"}
        before = os.umask(umask)
        try:
            done = site.call(
                "bundle",
                "create",
                file,
                site.version,
                "--project",
                ".",
                "--release",
                release,
                env=env,
            )
        finally:
            os.umask(before)
        assert done.status == 0, done
        with open(file, "rb") as read:
            seen.append(read.read())
    assert seen[0] == seen[1]
    assert site.mirror.encode() not in seen[0][:16384]


def sdist_only(site: Site) -> None:
    lines = ("[[packages]]", 'name = "gamma"', 'version = "1.0"')
    sdist = (
        f'sdist = {{ url = "file:///g/gamma-1.0.tar.gz", hashes = {{ sha256 = "{"0" * 64}" }} }}'
    )
    add(site, *lines, sdist)


def other_platform(site: Site) -> None:
    name = "gamma-1.0-cp311-cp311-win_amd64.whl"
    wheels = f'wheels = [{{ url = "file:///{name}", hashes = {{ sha256 = "{"0" * 64}" }} }}]'
    add(site, "[[packages]]", 'name = "gamma"', 'version = "1.0"', wheels)


def repository(site: Site) -> None:
    vcs = f'vcs = {{ type = "git", url = "https://example.org/g.git", commit-id = "{"0" * 40}" }}'
    add(site, "[[packages]]", 'name = "gamma"', vcs)


def directory(site: Site) -> None:
    site.write("gamma/pyproject.toml", '[project]\nname = "gamma"\nversion = "1"\n')
    add(site, "[[packages]]", 'name = "gamma"', 'directory = { path = "gamma", editable = true }')


def add(site: Site, *lines: str) -> None:
    with open(f"{site.root}/pylock.toml", encoding="utf-8") as file:
        text = file.read()
    site.write(
        "pylock.toml", text.replace("[tool.bubble]\n", "\n".join([*lines, "", "[tool.bubble]", ""]))
    )


def gone(site: Site) -> None:
    os.unlink(f"{site.wheels}/beta-1.0-py3-none-any.whl")


def changed(site: Site) -> None:
    wheel(site.wheels, "beta", "1.0", says="another")


MISSING: dict[str, tuple[Callable[[Site], object], str]] = {
    "an sdist alone": (
        sdist_only,
        r"gamma 1\.0 has no wheel for .*, and gamma-1\.0\.tar\.gz would",
    ),
    "a wheel for another system": (other_platform, r"gamma 1\.0 has no wheel for cpython-"),
    "a repository": (repository, "gamma comes from a repository, and would have to be built"),
    "a directory": (directory, r"gamma is a directory \(gamma\), and would have to be built"),
    "a wheel that is nowhere": (gone, "beta-1.0-py3-none-any.whl"),
    "a wheel with other bytes": (changed, "sha256"),
    "no lock": (lambda s: os.unlink(f"{s.root}/pylock.toml"), "is in no project|is not there"),
    "a build that no catalogue knows": (
        lambda s: s.lock_by_hand("", "alpha-1.0", sha256="0" * 64),
        "is in no catalogue that is known here",
    ),
    "an interpreter for another platform": (
        lambda s: s.lock_by_hand("", "alpha-1.0", key=s.key.replace(HERE, "darwin-aarch64-none")),
        f"names no interpreter for {HERE}",
    ),
    "a stale lock": (
        lambda s: s.manifest(f'python = "{s.version}"\n[bubbles.default]\ndependencies = []\n'),
        "is not that of the manifest any more",
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_could_not_be_had_there_is_told_when_the_bundle_is_made(
    case: str, site: Site, release: str, tmp_path: Path
) -> None:
    change, said = MISSING[case]
    change(site)
    file = f"{tmp_path}/b.sh"
    done = site.call("bundle", "create", file, "--project", ".", "--release", release)
    assert done.status in {1, 2}, done
    assert re.search(said, done.err), done.err
    assert "  hint: " in done.err
    assert not os.path.exists(file)
    assert [n for n in os.listdir(tmp_path) if n.startswith(".b.sh")] == []


def test_each_thing_that_is_missing_is_told_at_once(
    site: Site, release: str, tmp_path: Path
) -> None:
    sdist_only(site)
    words = ("bundle", "create", f"{tmp_path}/b.sh", "3.99", "--project", ".", "--release", release)
    done = site.call(*words, "--platform", HERE, "--platform", ELSEWHERE)
    assert done.status == 1, done
    for said in ("3.99", "gamma 1.0", "no interpreter for linux-aarch64-musl"):
        assert said in done.err, done.err


def test_another_lock_there_is_not_touched(
    site: Site, ship: Ship, release: str, tmp_path: Path
) -> None:
    file = f"{tmp_path}/site.sh"
    site.ok("bundle", "create", file, "--project", ".", "--release", release)
    with open(f"{ship.project}/pylock.toml", "w", encoding="ascii") as written:
        written.write('lock-version = "1.0"\npackages = []\n')
    before = snapshot(ship.project)
    done = ship.call("bundle", "install", file, "--project", ".")
    assert done.status == 1
    assert "is another lock than the bundle's" in done.err
    assert snapshot(ship.project) == before
    assert not os.path.exists(f"{ship.env['BUBBLE_HOME']}/pythons")


def test_a_bundle_for_other_machines_says_so(site: Site, ship: Ship, tmp_path: Path) -> None:
    other = small_archive(f"{tmp_path}/other", on=host_platform(os.environ).replace(libc="musl"))
    release = double_release(f"{tmp_path}/release2", other)
    file = f"{tmp_path}/b.sh"
    platform = str(other.key.platform)
    site.ok("bundle", "create", file, "--platform", platform, "--release", release)
    done = ship.call("bundle", "install", file)
    assert done.status == 1
    assert f"this bundle is for {platform}, and this machine is {HERE}" in done.err


def test_a_hash_that_was_told_elsewhere_holds_the_whole_file(
    site: Site, ship: Ship, release: str, tmp_path: Path
) -> None:
    file = f"{tmp_path}/b.sh"
    sha256 = site.ok("bundle", "create", file, "--release", release, "--json").json["data"][
        "sha256"
    ]
    assert ship.call("bundle", "install", file, "--sha256", sha256.upper()).status == 0
    done = ship.call("bundle", "install", file, "--sha256", "0" * 64)
    assert done.status == 1
    assert "is another file than the one with sha256" in done.err
    assert ship.call("bundle", "install", file, "--sha256", "12").status == 2


def test_a_build_that_no_catalogue_knows_is_told(
    site: Site, ship: Ship, release: str, tmp_path: Path
) -> None:
    file = f"{tmp_path}/b.sh"
    site.ok("bundle", "create", file, site.version, "--release", release)
    done = ship.call("bundle", "install", file)
    assert done.status == 0, done
    assert f"{site.key} is in no catalogue on this machine" in done.err
    assert ship.call("python", "find", site.version).status == 0
    assert "in no catalogue" not in ship.call("bundle", "install", file).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bundle", "create"), "the following arguments are required: FILE"),
        (("bundle", "create", "DIRECTORY"), "is a directory"),
        (("bundle", "create", "FIFO"), "is no plain file"),
        (("bundle", "create", "DIRECTORY/none/x.sh"), "there is no directory"),
        (("bundle", "create", "FILE/x.sh"), "there is no directory"),
        (("bundle", "create", "/proc/x.sh"), "can't be written"),
        (("mirror", "create", "/proc/x", "3.12"), "can't be written"),
        (("mirror", "create", "FILE", "3.12"), "is no directory"),
        (("mirror", "pack", "/proc/x", "/usr"), "can't be written"),
        (("mirror", "pack", "FILE/x", "/usr"), "is no directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_fetched(
    words: tuple[str, ...], said: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    os.mkdir(f"{tmp_path}/directory")
    os.mkfifo(f"{tmp_path}/fifo")
    with open(f"{tmp_path}/file", "w"):
        pass
    for name in ("DIRECTORY", "FILE", "FIFO"):
        words = tuple(word.replace(name, f"{tmp_path}/{name.lower()}") for word in words)
    before = snapshot(str(tmp_path))
    done = bubble(*words, env={"BUBBLE_CATALOG": f"{tmp_path}/nobody-has-looked"})
    assert done.status != 0
    message, _ = one_error(done.err)
    assert said in message
    assert message.endswith(": FILE") or "REQUEST" not in message
    assert snapshot(str(tmp_path)) == before


@NOT_ROOT
def test_a_directory_of_somebody_else_is_told_before_anything_is_fetched(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    os.mkdir(f"{tmp_path}/theirs", 0o555)
    for words in (("bundle", "create"), ("mirror", "create"), ("mirror", "pack")):
        more = () if words[0] == "bundle" else ("3.12",)
        done = bubble(*words, f"{tmp_path}/theirs/x", *more)
        message, _ = one_error(done.err)
        assert "can't be written: permission denied" in message
    os.chmod(f"{tmp_path}/theirs", 0o755)
