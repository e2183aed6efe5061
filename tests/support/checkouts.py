"""Projects that build themselves, and git repositories of them: installed without an index."""

from __future__ import annotations

import os
import subprocess

_PROJECT = """\
[project]
name = "{name}"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
_BACKEND = """\
import os, zipfile

def build_editable(directory, config_settings=None, metadata_directory=None):
    return _wheel(directory, {{"_{name}.pth": os.path.abspath("src")}})

def build_wheel(directory, config_settings=None, metadata_directory=None):
    with open("src/{name}/__init__.py") as file:
        return _wheel(directory, {{"{name}/__init__.py": file.read()}})

def _wheel(directory, files):
    info = "{name}-1.0.dist-info"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n"
    files[info + "/WHEEL"] = (
        "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    )
    files[info + "/entry_points.txt"] = "[console_scripts]\\n{name}-where = {name}:main\\n"
    files[info + "/RECORD"] = "".join(name + ",,\\n" for name in [*files, info + "/RECORD"])
    with zipfile.ZipFile(os.path.join(directory, "{name}-1.0-py3-none-any.whl"), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return "{name}-1.0-py3-none-any.whl"
"""
_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def project(directory: str, name: str) -> str:
    """Write a project whose build needs nothing, with a command `NAME-where`; return its path."""
    os.makedirs(f"{directory}/src/{name}")
    for file, text in (
        ("pyproject.toml", _PROJECT.format(name=name)),
        ("backend.py", _BACKEND.format(name=name)),
        (f"src/{name}/__init__.py", "def main():\n    print(__file__)\n"),
        (".gitignore", "__pycache__/\n"),
    ):
        with open(f"{directory}/{file}", "w") as opened:
            opened.write(text)
    return directory


def git(directory: str, *words: str) -> str:
    """Run git in a directory, with no configuration but the repository's; return what it says."""
    command = ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *words]
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, **_ALONE}, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def repository(directory: str, name: str) -> str:
    """Make a repository of such a project, with one commit on `main`; return its path."""
    project(directory, name)
    git(directory, "init", "--quiet")
    commit(directory)
    return directory


def commit(directory: str) -> None:
    """Commit everything in a repository."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", "one")
