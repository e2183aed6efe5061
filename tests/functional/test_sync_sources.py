"""Environments with source trees: what of them is built again, and what is installed again."""

from __future__ import annotations

import os
import subprocess

import pytest

from support.projects import Site
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path))


PROJECT = """\
[project]
name = "thing"
version = "1.0"
[project.scripts]
thing = "thing:main"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def tree(site: Site, place: str = "", says: str = "one") -> None:
    site.write(f"{place}pyproject.toml", PROJECT)
    site.write(f"{place}backend.py", BACKEND)
    site.write(f"{place}thing.py", f"def main(): print({says!r})\n")


def manifest(site: Site, *lines: str) -> None:
    top = [f'python = "{site.version}"', f'platforms = ["{site.platform}"]']
    site.manifest("\n".join([*top, "[bubbles.default]", *lines, ""]))


def says(site: Site, command: str = "thing") -> str:
    done = subprocess.run(
        [f"{site.root}/.venv/bin/{command}"], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize("place", ["", "library/"])
def test_a_built_tree_is_built_again_when_its_files_change(site: Site, place: str) -> None:
    if place:
        site.write("requirements.txt", "./library\n")
        manifest(site, 'requirements = ["requirements.txt"]')
    else:
        manifest(site, 'project = "built"')
    for said in ("one", "two", "three"):
        tree(site, place, said)
        if said != "one":
            assert site.states() == {"default": "sources changed"}
        site.ok("sync")
        assert says(site) == said
        assert site.states() == {"default": "in sync"}
    site.write(f"{place}build/left", "by a build\n")
    site.write(f"{place}.cache/any", "of a tool\n")
    assert site.states() == {"default": "in sync"}
    assert "unchanged" in site.ok("sync").err


@pytest.mark.parametrize("place", ["", "library/"])
def test_an_editable_tree_is_installed_again_when_it_says_something_else_of_itself(
    site: Site, place: str
) -> None:
    if place:
        site.write("requirements.txt", "-e ./library\n")
        manifest(site, 'requirements = ["requirements.txt"]')
    else:
        manifest(site, 'project = "editable"')
    tree(site, place)
    site.ok("sync")
    site.ok("sync")
    tree(site, place, "two")
    site.write(f"{place}pyproject.toml", f"{PROJECT}[tool.ruff]\nline-length = 90\n")
    assert "unchanged" in site.ok("sync").err, "neither its code nor its checkers' settings count"
    assert says(site) == "two"
    for change in ('another = "thing:main"\n', 'another = "thing:other"\n'):
        site.write(f"{place}thing.py", "def main(): print(1)\ndef other(): print(2)\n")
        site.write(
            f"{place}pyproject.toml", PROJECT.replace("[build-system]", f"{change}[build-system]")
        )
        site.ok("lock", "--check")
        assert site.states() == {"default": "sources changed"}
        assert "changed" in site.ok("sync").err
        assert says(site, "another") == ("2" if "other" in change.split("=")[1] else "1")
        assert site.states() == {"default": "in sync"}
    site.write(f"{place}setup.cfg", "[options.entry_points]\n")
    assert site.states() == {"default": "sources changed"}
    site.ok("sync")
    os.remove(f"{site.root}/{place}setup.cfg")
    assert site.states() == {"default": "sources changed"}


@pytest.mark.parametrize(
    ("where", "manifest"), [("a path", False), ("a workspace", True), ("an extra", True)]
)
def test_what_a_project_has_here_is_never_taken_from_an_index(
    site: Site, where: str, *, manifest: bool
) -> None:
    """A root that is no package, as most workspaces have one: uv's sources are asked, too."""
    wheel(site.wheels, "thing", "9.9")
    tree(site, "library/")
    os.remove(f"{site.root}/bubble.toml")
    source = "{ workspace = true }" if where == "a workspace" else '{ path = "library" }'
    lines = ["[project]", 'name = "root"', 'version = "0"']
    lines += [] if where == "an extra" else ['dependencies = ["thing", "alpha"]']
    lines += ["[tool.uv.sources]", f"thing = {source}"]
    lines += ["[tool.uv.workspace]", 'members = ["li*"]'] if where == "a workspace" else []
    lines += ["[project.optional-dependencies]", 'more = ["thing"]']
    if manifest:
        lines += ["[tool.bubble]", f'python = "{site.version}"', f'platforms = ["{site.platform}"]']
        lines += ["[tool.bubble.bubbles.default]", 'project = "dependencies"']
        lines += ['extras = ["more"]'] if where == "an extra" else ['dependencies = ["beta"]']
    else:
        site.write(".python-version", f"{site.version}\n")
        site.ok("python", "install", site.version)
    site.write("pyproject.toml", "\n".join([*lines, ""]))
    site.ok("sync")
    with open(f"{site.root}/pylock.toml") as file:
        assert 'path = "library"' in file.read()
    assert says(site) == "one"
    site.ok("lock", "--check")
    library = PROJECT.replace('version = "1.0"', 'version = "1.0"\ndependencies = ["gamma"]')
    site.write("library/pyproject.toml", library)
    assert site.call("lock", "--check").status == 1
    refused = site.call("lock", "--installer", "pip")
    assert refused.status == 1
    assert "[tool.uv.sources]" in refused.err


BACKEND = '''\
"""A backend without an index: one module as a wheel."""
import os
import tomllib
import zipfile


def build_editable(directory, config_settings=None, metadata_directory=None):
    return build_wheel(directory, editable=True)


def build_wheel(directory, config_settings=None, metadata_directory=None, editable=False):
    info = "thing-1.0.dist-info"
    with open("thing.py") as file:
        text = file.read()
    with open("pyproject.toml", "rb") as file:
        scripts = tomllib.load(file)["project"]["scripts"]
    commands = "".join(f"{name} = {where}\\n" for name, where in scripts.items())
    files = {
        **({"thing.pth": os.getcwd()} if editable else {"thing.py": text}),
        f"{info}/entry_points.txt": f"[console_scripts]\\n{commands}",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(f"{directory}/thing-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return "thing-1.0-py3-none-any.whl"
'''
