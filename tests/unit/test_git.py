"""Git's working trees: where they came from, and whether they can go. Nothing of theirs is run."""

from __future__ import annotations

import os
import shutil

import pytest

from bubble.system.git import Origin, origin_of, unsaved
from support.checkouts import commit, git, repository
from support.handmade import write
from support.needs import needs
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = needs("git")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def tree(tmp_path: Path) -> str:
    """Return a clone of a repository on this machine."""
    repository(f"{tmp_path}/up", "tool")
    git(str(tmp_path), "clone", "--quiet", f"file://{tmp_path}/up", "tree")
    return f"{tmp_path}/tree"


def why(tree: str, program: str | None = None) -> str:
    return unsaved(tree, (shutil.which("git") or "") if program is None else program)


def changed(tree: str) -> None:
    write(f"{tree}/src/tool/__init__.py", "changed\n")


def staged(tree: str) -> None:
    write(f"{tree}/new.py")
    git(tree, "add", "new.py")


def untracked(tree: str) -> None:
    write(f"{tree}/NOTES")


def deleted(tree: str) -> None:
    os.unlink(f"{tree}/pyproject.toml")


def committed(tree: str) -> None:
    write(f"{tree}/new.py")
    commit(tree)


def on_a_branch(tree: str) -> None:
    git(tree, "checkout", "--quiet", "-b", "mine")
    committed(tree)
    git(tree, "checkout", "--quiet", "main")


def detached(tree: str) -> None:
    git(tree, "checkout", "--quiet", "--detach")
    committed(tree)


def stashed(tree: str) -> None:
    changed(tree)
    git(tree, "stash", "--quiet")


def hidden(tree: str) -> None:
    git(tree, "update-index", "--assume-unchanged", "pyproject.toml")
    write(f"{tree}/pyproject.toml", "changed\n")


def ignored_in_secret(tree: str) -> None:
    git(tree, "update-index", "--skip-worktree", "pyproject.toml")
    write(f"{tree}/pyproject.toml", "changed\n")


def without_a_remote(tree: str) -> None:
    git(tree, "remote", "remove", "origin")


def with_another_tree(tree: str) -> None:
    git(tree, "worktree", "add", "--quiet", f"{tree}-2")


def with_a_broken_index(tree: str) -> None:
    write(f"{tree}/.git/index", "no index")


def tagged_here(tree: str) -> None:
    detached(tree)
    git(tree, "tag", "local")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed, "aren't committed (src/tool/__init__.py)"),
        (staged, "aren't committed (new.py)"),
        (untracked, "aren't committed (NOTES)"),
        (deleted, "aren't committed (pyproject.toml)"),
        (committed, "weren't pushed"),
        (on_a_branch, "weren't pushed"),
        (detached, "weren't pushed"),
        (tagged_here, "weren't pushed"),
        (stashed, "stashed"),
        (hidden, "told not to look"),
        (ignored_in_secret, "told not to look"),
        (without_a_remote, "no remote"),
        (with_another_tree, "other working trees"),
        (with_a_broken_index, "can't read it"),
    ],
)
def test_work_that_is_nowhere_else_is_noticed(
    tree: str, change: Callable[[str], None], said: str
) -> None:
    assert why(tree) == ""
    change(tree)
    assert said in why(tree)


def test_what_is_pushed_can_go(tree: str, tmp_path: Path) -> None:
    on_a_branch(tree)
    git(tree, "push", "--quiet", "origin", "mine")
    assert why(tree) == ""
    git(f"{tmp_path}/up", "checkout", "--quiet", "--detach")
    commit(f"{tmp_path}/up")
    git(f"{tmp_path}/up", "tag", "v1")
    git(str(tmp_path), "clone", "--quiet", f"file://{tmp_path}/up", "at-tag")
    git(f"{tmp_path}/at-tag", "checkout", "--quiet", "v1")
    assert why(f"{tmp_path}/at-tag") == "", "a tag that came with the clone"


def test_what_builds_leave_is_nobodys_work(tree: str) -> None:
    write(f"{tree}/src/tool.egg-info/PKG-INFO")
    write(f"{tree}/build/__editable__.tool-1.0/tool.py")
    write(f"{tree}/src/tool/__pycache__/x.cpython-312.pyc")
    assert why(tree) == ""
    write(f"{tree}/build/mine.py")
    assert "build/mine.py" in why(tree)


def test_without_git_nothing_counts_as_saved(tree: str) -> None:
    assert "no git" in why(tree, "")
    assert "can't read it" in why(tree, "/no/such/git")


def test_a_remote_that_goes_along_is_none(tree: str, tmp_path: Path) -> None:
    program = shutil.which("git") or ""
    assert "lies beside it" in unsaved(tree, program, within=str(tmp_path))


def test_a_repository_elsewhere_is_not_looked_into(tree: str) -> None:
    write(f"{tree}/.git/commondir", "../../elsewhere\n")
    assert "elsewhere" in why(tree)
    os.unlink(f"{tree}/.git/commondir")
    git(tree, "worktree", "add", "--quiet", f"{tree}-2")
    assert "elsewhere" in why(f"{tree}-2")
    os.rename(f"{tree}/.git", f"{tree}.git")
    os.symlink(f"{tree}.git", f"{tree}/.git")
    assert "elsewhere" in why(tree)


# each would make git run a program, if it were asked with this configuration
PROGRAMS = {
    "a monitor": "[core]\n\tfsmonitor = {run}\n",
    "hooks": "[core]\n\thooksPath = {hooks}\n",
    "a filter": '[filter "x"]\n\tclean = {run}\n\tprocess = {run}\n\trequired = true\n',
    "ssh": "[core]\n\tsshCommand = {run}\n",
    "an include": "[include]\n\tpath = {config}\n",
    "a conditional include": '[includeIf "gitdir:/"]\n\tpath = {config}\n',
    "an alias": "[alias]\n\tstatus = !{run}\n\trev-list = !{run}\n",
    "an upload pack": '[remote "origin"]\n\tuploadpack = {run}\n',
    "a pager": "[core]\n\tpager = {run}\n[pager]\n\tstatus = true\n",
    "a tree elsewhere": "[core]\n\tworktree = /\n",
    "a section in capitals": "[CORE]\n\tFsMonitor = {run}\n",
    "a line that goes on": "[co\\\nre]\n\tfsmonitor = {run}\n[core]\n\tfsmoni\\\ntor = {run}\n",
    "a comment that seems to go on": '# \\\n[filter "x"] clean = {run}\n',
    "two sections on a line": '[core][filter "x"]\n\tclean = {run}\n',
    "far behind": "# {much}\n[core]\n\tfsmonitor = {run}\n",
    "a mark at the beginning": '\ufeff[filter "x"]\n\tclean = {run}\n',
    "one line": "[core] fsmonitor = {run}\n",
    "the old style": "[filter.x]\n\tclean = {run}\n",
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_nothing_that_a_repository_names_is_run(tree: str, tmp_path: Path, kind: str) -> None:
    ran = f"{tmp_path}/ran"
    run = write(f"{tmp_path}/run", f"#!/bin/sh\ntouch {ran}\n")
    for hook in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        for directory in (f"{tmp_path}/hooks", f"{tree}/.git/hooks"):
            os.chmod(write(f"{directory}/{hook}", f"#!/bin/sh\ntouch {ran}\n"), 0o755)
    os.chmod(run, 0o755)
    config = write(f"{tmp_path}/config", f"[core]\n\tfsmonitor = {run}\n")
    write(f"{tree}/.gitattributes", "* filter=x\n")
    with open(f"{tree}/.git/config", "a") as file:
        much = "x" * (1 << 20) if "{much}" in PROGRAMS[kind] else ""
        named = {"hooks": f"{tmp_path}/hooks", "config": config, "much": much}
        file.write(PROGRAMS[kind].format(run=run, **named))
    os.utime(f"{tree}/pyproject.toml", (1, 1))  # so that its content has to be compared
    said = why(tree)
    assert not os.path.exists(ran)
    assert "git isn't started" in said


def test_looking_changes_nothing(tree: str) -> None:
    os.utime(f"{tree}/pyproject.toml", (1, 1))
    before = snapshot(tree)
    assert why(tree) == ""
    assert snapshot(tree) == before


def made(root: Path, config: str, head: str = COMMIT, **files: str) -> str:
    write(f"{root}/t/.git/config", config)
    write(f"{root}/t/.git/HEAD", f"{head}\n")
    for name, text in files.items():
        write(f"{root}/t/.git/{name.replace('__', '/').replace('_', '-')}", text)
    return f"{root}/t"


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ('[remote "origin"]\n\turl = https://h.example/x.git\n', "https://h.example/x.git"),
        ('[remote "a"]\nurl=https://a.example\n[remote "origin"]\nurl=https://o.example', "https://o.example"),
        ('[remote "a"]\n url = https://a.example/x # not this\n', "https://a.example/x"),
        ('[remote "origin"]\n\turl = "https://h.example/a;b"\n', "https://h.example/a;b"),
        ('[remote "origin"] url = git@h.example:me/x.git\n', "ssh://git@h.example/me/x.git"),
        ('[remote "origin"]\n\turl = ../up é\n', "file://{root}/up%20%C3%A9"),
        ('[remote "origin"]\n\turl = {root}/up é\n', "file://{root}/up%20%C3%A9"),
        ('[remote "origin"]\n\turl = file:///a b/é%20\n', "file:///a%20b/%C3%A9%20"),
        ("[core]\n\tbare = false\n", ""),
        ('[remote "origin"]\n\turl =\n', ""),
        ("\0\0\n[[[\n=\n", ""),
    ],
)  # fmt: skip
def test_the_remote_is_read_as_an_installer_takes_it(tmp_path: Path, config: str, url: str) -> None:
    os.mkdir(f"{tmp_path}/up é")
    found = origin_of(made(tmp_path, config.replace("{root}", str(tmp_path))))
    expected = url.replace("{root}", str(tmp_path))
    assert found == (Origin(url=expected, commit=COMMIT) if url else None)


REMOTE = '[remote "origin"]\n\turl = https://h.example/x\n'


@pytest.mark.parametrize(
    ("head", "files", "known"),
    [
        (COMMIT, {}, True),
        ("ref: refs/heads/main", {"refs__heads__main": f"{COMMIT}\n"}, True),
        ("ref: refs/tags/x", {"packed_refs": f"# x\n{COMMIT} refs/tags/x\n^{COMMIT}\n"}, True),
        ("ref: refs/heads/a", {"refs__heads__a": "ref: refs/x", "refs__x": COMMIT}, True),
        ("ref: refs/heads/a", {"refs__heads__a": "ref: refs/heads/a"}, False),
        ("ref: refs/heads/none", {}, False),
        ("ref: ../../secret", {}, False),
        ("ref: refs/../../../secret", {}, False),
        ("main", {}, False),
        ("", {}, False),
    ],
)  # fmt: skip
def test_the_commit_is_read(
    tmp_path: Path, head: str, files: dict[str, str], *, known: bool
) -> None:
    write(f"{tmp_path}/secret", COMMIT)
    found = origin_of(made(tmp_path, REMOTE, head, **files))
    assert (found is not None) == known


def test_what_git_made_is_read_as_git_reads_it(tree: str) -> None:
    for words in ((), ("checkout", "--quiet", "--detach"), ("pack-refs", "--all")):
        if words:
            git(tree, *words)
        assert origin_of(tree) == Origin(
            url=git(tree, "config", "remote.origin.url"), commit=git(tree, "rev-parse", "HEAD")
        )
    git(tree, "worktree", "add", "--quiet", "-b", "other", f"{tree}-2")
    committed(f"{tree}-2")
    found = origin_of(f"{tree}-2")
    assert found is not None
    assert found.commit == git(f"{tree}-2", "rev-parse", "HEAD")
