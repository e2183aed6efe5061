"""A project and other users: a store that root made, a checkout that can't be written."""

from __future__ import annotations

import json
import os

import pytest

from bubble.projects.inputs import inputs_of
from bubble.projects.reading import read_project
from support.builds import small_mirror
from support.clinic import program, write
from support.others import NOBODY, everybodys_bubble, opened, run_as
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# what the real one does, in few calls
UV = """
while [ $# -gt 1 ]; do shift; done
version=$(sed -n 's/^version = "\\(.*\\)"/\\1/p' "$1" | head -n 1)
for packages in "$VIRTUAL_ENV"/lib/python*/site-packages; do
    mkdir "$packages/one-$version.dist-info"
    printf 'Name: one\\nVersion: %s\\n' "$version" >"$packages/one-$version.dist-info/METADATA"
done
"""
LOCK = """\
lock-version = "1.0"
created-by = "by hand"
[[packages]]
name = "one"
version = "{version}"
wheels = [{{ url = "file:///one-{version}-py3-none-any.whl", hashes = {{ sha256 = "{digest}" }} }}]
[tool.bubble]
format = 1
inputs = "sha256:{inputs}"
[tool.bubble.python]
request = "3.11"
version = "3.11.9"
[[tool.bubble.python.builds]]
key = "{key}"
build = "1"
url = "{url}"
sha256 = "{sha256}"
"""


class Shared:
    """A machine with a store of root's, a project, and users who sync it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.store = f"{root}/opt/pythons"
        self.tools = everybodys_bubble(f"{root}/tool")
        self.catalogue = small_mirror(f"{root}/mirror", ["3.11.9"])
        self.app = f"{root}/app"
        os.mkdir(f"{root}/uv")
        program(f"{root}/uv/uv", UV)
        bubbles = '[bubbles.default]\n[bubbles.train]\ndirectories = ["train"]\n'
        write(f"{self.app}/bubble.toml", f'python = "3.11"\n{bubbles}')
        os.mkdir(f"{self.app}/train")
        self.lock("1")

    def lock(self, version: str) -> None:
        with open(self.catalogue) as file:
            ((key, entry),) = json.load(file).items()
        url = os.path.join(f"file://{self.root}/mirror", entry["url"])
        found = {"key": key, "url": url, "sha256": entry["sha256"], "digest": "a" * 64}
        project = read_project(self.app)
        for bubble in project.bubbles:
            inputs = inputs_of(project, bubble, "3.11").sha256
            text = LOCK.format(version=version, inputs=inputs, **found)
            with open(project.lock(bubble), "w") as file:
                file.write(text)

    def own(self, user: int, mode: int = 0o755) -> None:
        """Let the project be a user's."""
        for directory, _, names in os.walk(self.app):
            os.chown(directory, user, user)
            os.chmod(directory, mode)
            for name in names:
                os.chown(f"{directory}/{name}", user, user, follow_symlinks=False)

    def call(
        self, user: int, *words: str, store: str = "", cwd: str = ""
    ) -> subprocess.CompletedProcess[str]:
        home = f"{self.root}/home of {user}"
        os.makedirs(home, exist_ok=True)
        os.chown(home, user, user)
        env = {
            "HOME": home,
            "PATH": f"{self.tools}:{self.root}/uv:/usr/bin:/bin",
            "BUBBLE_CATALOG": self.catalogue,
            "TERM": "dumb",
            **({"BUBBLE_HOME": store} if store else {}),
        }
        return run_as(user, ["bubble", *words], env, cwd or self.app)

    def ok(
        self, user: int, *words: str, store: str = "", cwd: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = self.call(user, *words, store=store, cwd=cwd)
        assert done.returncode == 0, done
        return done


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(opened(tmp_path))


STATES = "default  in sync"


def test_a_plain_user_has_all_of_it_in_a_store_and_a_project_of_their_own(shared: Shared) -> None:
    shared.own(NOBODY)
    shared.ok(NOBODY, "sync", "--all", "--locked")
    shared.lock("2")
    assert "one 1 → 2" in shared.ok(NOBODY, "sync", "--all").stderr
    assert shared.ok(NOBODY, "run", "train", "python", "-V").stdout == "Python 3.11.9\n"
    assert "one 2 → 1" in shared.ok(NOBODY, "rollback", "train").stderr
    assert shared.call(NOBODY, "status").returncode == 1
    assert "one==1" in shared.ok(NOBODY, "export", "train").stdout
    shared.ok(NOBODY, "sync", "train")
    assert STATES in shared.ok(NOBODY, "status").stdout
    shared.ok(NOBODY, "remove", "train", "default")
    assert not os.path.lexists(f"{shared.app}/.venv")


def test_a_checkout_that_cannot_be_written_is_told_before_anything_is_done(shared: Shared) -> None:
    before = snapshot(shared.app)
    for words in (("sync",), ("sync", "--frozen"), ("run", "--sync", "default", "true"), ("lock",)):
        refused = shared.call(NOBODY, *words)
        assert refused.returncode == 1, words
        assert f"{shared.app} can't be written" in refused.stderr, words
    assert not os.path.exists(f"{shared.root}/home of {NOBODY}/.local/share/bubble/pythons")
    shared.ok(NOBODY, "lock", "--check")
    assert "missing" in shared.call(NOBODY, "status").stdout
    assert "one==1" in shared.ok(NOBODY, "export", "pylock.toml").stdout
    assert "would be made" in shared.ok(NOBODY, "sync", "--dry-run").stderr
    assert snapshot(shared.app) == before


def test_what_root_synced_is_used_by_all_and_changed_by_nobody_else(shared: Shared) -> None:
    shared.ok(0, "sync", "--all", store=shared.store)
    before = snapshot(shared.app), snapshot(shared.store)
    for cwd in (shared.app, f"{shared.app}/train"):
        for words in (
            ("sync",),
            ("sync", "--all", "--locked"),
            ("run", "--sync", "train", "true"),
            ("run", "default", "python", "-V"),
            ("status",),
            ("sync", "--check"),
            ("export", "train"),
            ("info", "default"),
        ):
            shared.ok(NOBODY, *words, store=shared.store, cwd=cwd)
    assert (snapshot(shared.app), snapshot(shared.store)) == before
    shared.lock("2")
    before = snapshot(shared.app), snapshot(shared.store)
    refused = shared.call(NOBODY, "sync", store=shared.store)
    assert refused.returncode == 1
    assert f"{shared.store} is another user's" in refused.stderr
    assert "another BUBBLE_HOME" in refused.stderr
    assert shared.call(NOBODY, "rollback", store=shared.store).returncode == 1
    assert (snapshot(shared.app), snapshot(shared.store)) == before
    shared.ok(0, "sync", "--all", store=shared.store)
    assert STATES in shared.ok(NOBODY, "status", store=shared.store).stdout


def test_what_is_gone_is_never_exported_as_nothing(shared: Shared) -> None:
    shared.ok(0, "sync")
    os.rename(f"{shared.app}/.venv", f"{shared.app}/elsewhere")
    for words in (("export",), ("export", "default"), ("export", ".venv")):
        refused = shared.call(0, *words)
        assert refused.returncode == 1, words
        assert refused.stdout == ""
