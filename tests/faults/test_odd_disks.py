"""File systems that can't do what ordinary ones can: finished work isn't called failed there.

strace gives each call the answer that such a file system gives.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from support.clinic import write
from support.needs import LINUX_ONLY, needs
from support.scene import Scene, scene
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [LINUX_ONLY, needs("strace")]
LINKS = ("link", "linkat")


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene("3.11.8", "3.11.9") as made:
        yield made


def where(*refused: str, error: str) -> tuple[str, ...]:
    """Return what goes before a command so that these calls are answered by an error."""
    inject = [f"--inject={name}:error={error}" for name in refused]
    return ("strace", "-f", "-qq", "-o", "/dev/null", f"--trace={','.join(refused)}", *inject)


def test_shims_are_copies_where_there_are_no_links(stage: Scene) -> None:
    strace = where(*LINKS, error="EPERM")
    for line in ("python install 3.11.8", "create lab -p 3.11 --no-pip", "rehash"):
        done = stage.run(*line.split(), before=strace)
        assert done.status == 0, done.err
        assert "could not" not in done.err
    shims = f"{stage.home}/shims"
    assert os.stat(f"{shims}/python").st_nlink == 1
    before = snapshot(shims)
    assert stage.run("rehash", before=strace).status == 0
    assert snapshot(shims) == before
    write(f"{stage.root}/scratch/.python-version", "3.11\n")
    for _ in range(2):
        assert python(stage) == "Python 3.11.8\n"
    write(f"{shims}/python3", "#!/bin/sh\n# bubble shim of another time\n")
    assert stage.run("rehash", before=strace).status == 0
    assert python(stage, "python3") == "Python 3.11.8\n"
    assert stage.run("python", "uninstall", "--force", "3.11", before=strace).status == 0
    assert "python3.11" not in os.listdir(shims) or os.path.isdir(f"{stage.home}/envs/lab")


def test_a_disk_without_symbolic_links_is_refused_with_that_reason(stage: Scene) -> None:
    strace = where("symlink", "symlinkat", error="EPERM")
    assert stage.run("python", "install", "3.11.8").status == 0
    for line in ("python install 3.11.9", "create lab -p 3.11 --no-pip"):
        done = stage.run(*line.split(), before=strace)
        assert done.status == 1
        assert "the file system there has no symbolic links" in done.err, line
    assert os.listdir(f"{stage.home}/staging") == []


@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS", "EOPNOTSUPP"])
def test_what_a_file_system_has_no_sync_for_is_done_all_the_same(stage: Scene, error: str) -> None:
    strace = where("fsync", error=error)
    for line in (
        "python install 3.11.8",
        "create lab -p 3.11 --no-pip",
        "use --global 3.11",
        "python upgrade --prune",
        "rename lab site",
        "remove --yes site",
    ):
        done = stage.run(*line.split(), before=strace)
        assert done.status == 0, (line, done.err)
    assert stage.run("python", "verify").status == 0


def test_a_disk_that_fails_to_write_is_still_told(stage: Scene) -> None:
    done = stage.run("python", "install", "3.11.8")
    assert done.status == 0
    done = stage.run("create", "lab", "-p", "3.11", "--no-pip", before=where("fsync", error="EIO"))
    assert done.status == 1
    assert "input/output error" in done.err


def python(stage: Scene, name: str = "python") -> str:
    return subprocess.run(
        [f"{stage.home}/shims/{name}", "-V"],
        cwd=f"{stage.root}/scratch",
        env={**stage.env, "PWD": f"{stage.root}/scratch"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
