"""A pack: unpacked anywhere, it runs; the same bytes twice; nothing that is broken is shipped."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from hashlib import sha256

import pytest

from support.needs import LINUX_ONLY
from support.packs import Packing, is_at, run
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = [LINUX_ONLY, pytest.mark.real]


def test_unpacked_anywhere_it_runs(alone: Packing, tmp_path: Path) -> None:
    packing = alone
    archive = packing.pack()
    packing.vanish()
    place = f"{tmp_path}/an odd/plâce"
    os.makedirs(place)
    subprocess.run(["tar", "xf", archive, "-C", place], check=True)
    is_at(place, packing.directory)
    # by a link to a script, from elsewhere, and after another move
    os.symlink(f"{place}/bin/alpha", f"{tmp_path}/link")
    assert run(f"{tmp_path}/link") == "alpha 1.0"
    os.rename(f"{tmp_path}/an odd", f"{tmp_path}/moved")
    place = f"{tmp_path}/moved/plâce"
    subprocess.run(["chmod", "-R", "a-w", place], check=True)
    is_at(place, packing.directory)
    # environments of its own, which don't see what it has
    run(f"{place}/bin/python", "-m", "venv", "--without-pip", f"{tmp_path}/venv")
    found = run(f"{tmp_path}/venv/bin/python", "-c", "import sys; print(sys.base_prefix)")
    assert found == place
    done = subprocess.run([f"{tmp_path}/venv/bin/python", "-c", "import alpha"], check=False)
    assert done.returncode == 1
    for root, _, files in os.walk(place):
        for name in files:
            if not os.path.islink(f"{root}/{name}"):
                with open(f"{root}/{name}", "rb") as file:
                    assert os.fsencode(packing.directory) not in file.read(), name
    subprocess.run(["chmod", "-R", "u+w", place], check=True)


@pytest.mark.parametrize("form", ["tar.gz", "tar.zst", "zip", "dir"])
def test_each_format_is_unpacked_and_checked(form: str, packing: Packing, tmp_path: Path) -> None:
    file = packing.pack("--format", form, name="pack" if form == "dir" else f"pack.{form}")
    place = f"{tmp_path}/unpacked"
    if form == "dir":
        place = file
    else:
        done = packing.ok("unpack", file, place, "--json")
        assert done.json["data"]["packages"]["alpha"] == "1.0"
    assert run(f"{place}/bin/alpha") == "alpha 1.0"
    assert packing.ok("pack", "--check", file).out.endswith(f" is what {packing.environment} is\n")
    with open(f"{packing.site}/alpha/more.py", "w", encoding="utf-8") as script:
        script.write("x = 1\n")
    os.unlink(f"{packing.environment}/bin/beta")
    done = packing.call("pack", "--check", file)
    assert done.status == 1
    assert "has lost bin/beta" in done.err


def test_twice_is_the_same_bytes_wherever_and_by_whom(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    places = [("first", "022"), ("quite/an'other place", "077")]
    made = [Packing(bubble, f"{tmp_path}/{place}", umask=mask) for place, mask in places]
    for name, *more in (["pack.tar.gz"], ["pack.tar.zst"], ["pack.zip"], ["a.zip", "--no-python"]):
        seen = set()
        for packing in made:
            with open(packing.pack(*more, name=name), "rb") as file:
                seen.add(sha256(file.read()).hexdigest())
        assert len(seen) == 1, name
    done = made[0].ok("pack", "--check", f"{made[1].directory}/pack.zip")
    assert done.out
    # a directory's modes are no umask's, either: `lib` has nothing but directories in it
    laid = made[1].pack("--format", "dir", name="laid out")
    assert os.stat(f"{laid}/lib").st_mode & 0o777 == 0o755
    # and a foreign one isn't
    os.chmod(f"{made[1].site}/alpha/__init__.py", 0o644)  # it may be read-only
    with open(f"{made[1].site}/alpha/__init__.py", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    done = made[1].call("pack", "--check", f"{made[0].directory}/pack.zip")
    assert (done.status, "has a changed" in done.err) == (1, True)


def outside_link(packing: Packing) -> None:
    os.symlink("/etc/hostname", f"{packing.site}/hostname")


def outside_path(packing: Packing) -> None:
    with open(f"{packing.site}/mine.pth", "w", encoding="utf-8") as file:
        file.write("/somewhere/else\n")


def relative_path(packing: Packing) -> None:
    with open(f"{packing.site}/mine.pth", "w", encoding="utf-8") as file:
        file.write("../../../../elsewhere\n")


def editable(packing: Packing) -> None:
    info = f"{packing.site}/mine-1.dist-info"
    os.mkdir(info)
    texts = {
        "METADATA": "Metadata-Version: 2.1\nName: mine\nVersion: 1\n",
        "RECORD": "",
        "direct_url.json": '{"url": "file:///home/me/mine", "dir_info": {"editable": true}}',
    }
    for name, text in texts.items():
        with open(f"{info}/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def a_pipe(packing: Packing) -> None:
    os.mkfifo(f"{packing.site}/alpha/pipe")


@pytest.mark.parametrize("spoil", [outside_link, outside_path, relative_path, editable, a_pipe])
def test_what_leads_outside_is_refused_or_packed_as_it_is(
    spoil: Callable[[Packing], None], packing: Packing
) -> None:
    spoil(packing)
    file = f"{packing.directory}/pack.tar.gz"
    done = packing.call("pack", "-o", file)
    assert done.status == 1
    assert "leads out of it" in done.err
    assert "--as-is" in done.err
    assert not os.path.lexists(file)
    done = packing.ok("pack", "-o", file, "--as-is", "--json")
    assert len(done.json["data"]["outside"]) == 1


def damaged_package(packing: Packing) -> None:
    path = f"{packing.site}/alpha/__init__.py"
    os.chmod(path, 0o644)  # it may be read-only
    with open(path, "a", encoding="utf-8") as file:
        file.write("# by hand\n")


def lost_file(packing: Packing) -> None:
    os.unlink(f"{packing.site}/beta/__init__.py")


def a_pipe_for_a_file(packing: Packing) -> None:
    lost_file(packing)
    os.mkfifo(f"{packing.site}/beta/__init__.py")


def damaged_interpreter(packing: Packing) -> None:
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(f"{packing.environment}/bin/python")))
    path = f"{prefix}/lib/python{packing.version.rpartition('.')[0]}/os.py"
    os.chmod(path, 0o644)  # it is read-only
    with open(path, "a", encoding="utf-8") as file:
        file.write("# by hand\n")


def test_a_damaged_interpreter_is_not_shipped(alone: Packing) -> None:
    damaged_interpreter(alone)
    done = alone.call("pack")
    assert done.status == 1
    assert "bubble python verify --repair" in done.err
    assert os.listdir(alone.root) == [".venv"]


def system_packages(packing: Packing) -> None:
    shutil.rmtree(packing.environment)
    packing.ok("create", "-p", packing.version, "--system-site-packages", "--force")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damaged_package, "alpha has a changed "),
        (lost_file, "beta has lost "),
        (a_pipe_for_a_file, "beta has lost "),
        (system_packages, "--system-site-packages"),
    ],
)
def test_what_is_damaged_or_not_its_own_is_not_shipped(
    spoil: Callable[[Packing], None], said: str, packing: Packing
) -> None:
    spoil(packing)
    file = f"{packing.directory}/pack.tar.gz"
    for words in (("pack", "-o", file), ("pack", "--check", file)):
        done = packing.call(*words)
        assert done.status == 1
        assert said in done.err
        assert not os.path.lexists(file)


def test_what_stands_on_a_python_that_was_adopted_is_not_shipped(alone: Packing) -> None:
    shutil.rmtree(alone.environment)
    alone.ok("python", "uninstall", "--force", alone.version)  # it may be of the same version
    alone.ok("python", "adopt", sys.base_prefix)
    alone.ok("create", "-p", platform.python_version(), "--force")
    done = alone.call("pack", "-o", f"{alone.directory}/x.tar.gz")
    assert done.status != 0
    assert "mirror pack" in done.err
    assert not os.path.lexists(f"{alone.directory}/x.tar.gz")


def test_what_names_its_place_is_mended_or_told(packing: Packing) -> None:
    old = packing.environment
    texts = {
        f"{old}/bin/mine": f"#!{old}/bin/python -E\nprint('mine')\n",
        f"{packing.site}/inside.pth": f"{packing.site}/alpha\n",
        f"{packing.site}/alpha/where.txt": f"prefix={old}\n",
    }
    for path, text in texts.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
    os.symlink(f"{old}/bin/mine", f"{old}/bin/ours")
    done = packing.ok("pack", "--format", "dir", "-o", f"{packing.directory}/pack", "--json")
    assert [os.path.basename(name) for name in done.json["data"]["naming"]] == ["where.txt"]
    place = f"{packing.directory}/pack"
    packing.vanish()
    assert run(f"{place}/bin/mine") == run(f"{place}/bin/ours") == "mine"
    path = run(f"{place}/bin/python", "-c", "import sys; print(sys.path[-1])")
    assert os.path.realpath(path).endswith("/site-packages/alpha")  # Debian's has another name
    assert path.startswith(place)


def test_less_is_packed_where_that_is_asked(packing: Packing) -> None:
    for path in ("alpha/tests/test_a.py", "alpha/testing/a.py"):
        os.makedirs(os.path.dirname(f"{packing.site}/{path}"), exist_ok=True)
        with open(f"{packing.site}/{path}", "w", encoding="utf-8") as file:
            file.write("x = 1\n" * 100)
    done = packing.ok(
        "pack", "--format", "dir", "-o", f"{packing.directory}/pack", "--strip-tests",
        "--exclude", "lib/*/idlelib/*", "--exclude", "include", "--json",
    )  # fmt: skip
    place = f"{packing.directory}/pack/lib/python{packing.version.rpartition('.')[0]}"
    assert not os.path.exists(f"{place}/site-packages/alpha/tests")
    assert os.path.exists(f"{place}/site-packages/alpha/testing/a.py")
    assert not os.path.exists(f"{place}/idlelib")
    assert not os.path.exists(f"{packing.directory}/pack/include")
    assert done.json["data"]["saved"] > 100_000


def test_what_cannot_be_is_told_before_anything_is_done(packing: Packing) -> None:
    there = f"{packing.directory}/there.tar.gz"
    with open(there, "w", encoding="utf-8") as file:
        file.write("mine")
    cases = [
        (("-o", there), "is there already"),
        (("-o", f"{packing.directory}/none/a.tar.gz"), "there is no directory"),
        (("-o", f"{packing.directory}/a"), "--format"),
        (("-o", f"{packing.directory}/a.zip", "--format", "tar.gz"), "no name for tar.gz"),
        (("--format", "zip"), "needs a name"),
        (("-o", f"{packing.directory}/a.zip", "--for", "spark"), "loses the files' modes"),
        (("-o", f"{packing.directory}/a.tar.zst", "--for", "spark"), "isn't unpacked"),
        (("--no-python", "--for", "ray"), "the pack's own Python"),
        (("nobody",), "nobody"),
    ]
    for words, said in cases:
        done = packing.call("pack", *words)
        assert done.status in {1, 2}, words
        assert said in done.err, words
    with open(there, encoding="utf-8") as file:
        assert file.read() == "mine"
    packing.ok("pack", "-o", there, "--force", "--for", "spark")
    packing.ok("pack", "--check", there)


def test_what_a_sync_made_is_held_against_its_lock(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    site = Site(bubble, str(tmp_path), uv=False)
    os.unlink(f"{site.root}/bubble.toml")
    site.lock_by_hand("", "alpha-1.0")
    site.ok("sync", "--frozen")
    file = f"{tmp_path}/pack.tar.gz"
    assert "lock" not in site.ok("pack", "-o", file).err
    site.ok("pack", "--check", file)
    site.ok("run", ".venv", "pip", "install", "-q", "beta")
    assert "isn't what its lock says (drifted): bubble sync" in (
        site.ok("pack", "-o", file, "--force").err
    )
    done = site.call("pack", "--check", file)
    assert (done.status, done.out) == (1, "")
    assert "isn't what its lock says (drifted)" in done.err
