"""What is special about each tool's lock: forks, extras, groups, trees; what becomes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.markers import Marker

from bubble.model.errors import BubbleError
from bubble.projects.exchange import pins
from bubble.projects.exchange.recognise import kind_of, take

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.projects.exchange.taken import Pin, Taken

HEX = "0" * 64
PROJECT = '[project]\nname = "shop"\nversion = "1"\n'


def files(*names: str) -> str:
    listed = ", ".join(
        f'{{ url = "https://f.example/{name}", hash = "sha256:{HEX}" }}' for name in names
    )
    return f"wheels = [{listed}]\n"


def package(name: str, version: str, more: str = "") -> str:
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        'source = { registry = "https://i.example/simple" }\n'
        f"{files(f'{name}-{version}-py3-none-any.whl')}{more}\n"
    )


def uv(tmp_path: Path, *packages: str, root: str = "", project: str = PROJECT) -> Taken:
    (tmp_path / "pyproject.toml").write_text(project)
    text = "version = 1\n" + "".join(packages)
    text += f'[[package]]\nname = "shop"\nversion = "1"\nsource = {{ virtual = "." }}\n{root}\n'
    (tmp_path / "uv.lock").write_text(text)
    return take(str(tmp_path / "uv.lock"), str(tmp_path))


def chosen(found: tuple[Pin, ...], **environment: str) -> dict[str, str]:
    """Return name → version of what is installed where the markers are these."""
    return {
        pin.name: pin.version
        for pin in found
        if not pin.marker or Marker(pin.marker).evaluate(dict(environment))
    }


def test_a_fork_of_uvs_lock_gives_each_python_its_version(tmp_path: Path) -> None:
    root = (
        "dependencies = [\n"
        '    { name = "numpy", version = "1.26.4", marker = "python_full_version < \'3.10\'" },\n'
        '    { name = "numpy", version = "2.1.0", marker = "python_full_version >= \'3.10\'" },\n'
        "]\n"
    )
    found = uv(tmp_path, package("numpy", "1.26.4"), package("numpy", "2.1.0"), root=root)
    held = found.bubbles[0].pins
    assert chosen(held, python_full_version="3.9.1") == {"numpy": "1.26.4"}
    assert chosen(held, python_full_version="3.12.1") == {"numpy": "2.1.0"}


def test_an_extra_brings_what_it_names_and_only_where_somebody_asks(tmp_path: Path) -> None:
    extra = '[package.optional-dependencies]\nhttp2 = [{ name = "h2" }]\nzstd = [{ name = "z" }]\n'
    packages = [package("httpx", "0.27.0", extra), package("h2", "4.1.0"), package("z", "1.0")]
    asked = 'dependencies = [{ name = "httpx", extra = ["http2"] }]\n'
    assert chosen(uv(tmp_path, *packages, root=asked).bubbles[0].pins) == {
        "httpx": "0.27.0",
        "h2": "4.1.0",
    }


def test_groups_that_are_only_installed_when_asked_for_are_bubbles(tmp_path: Path) -> None:
    project = PROJECT + '[dependency-groups]\ndev = ["a"]\ndocs = ["b"]\n'
    root = "[package.dev-dependencies]\ndev = [{ name = 'a' }]\ndocs = [{ name = 'b' }]\n"
    packages = (package("a", "1.0"), package("b", "1.0"))
    found = uv(tmp_path, *packages, root=root, project=project)
    assert [(b.name, b.extends, b.groups) for b in found.bubbles] == [
        ("default", "", ("dev",)),
        ("docs", "default", ("docs",)),
    ]
    assert [chosen(b.pins) for b in found.bubbles] == [{"a": "1.0"}, {"a": "1.0", "b": "1.0"}]
    project += '[tool.uv]\ndefault-groups = "all"\n'
    (everything,) = uv(tmp_path, *packages, root=root, project=project).bubbles
    assert everything.groups == ("dev", "docs")


def test_groups_before_the_standard_had_them_are_the_tools_own(tmp_path: Path) -> None:
    project = PROJECT + '[tool.uv]\ndev-dependencies = ["a"]\n'
    root = "[package.dev-dependencies]\ndev = [{ name = 'a' }]\n"
    (default,) = uv(tmp_path, package("a", "1.0"), root=root, project=project).bubbles
    assert default.dependencies == ("a",)
    assert chosen(default.pins) == {"a": "1.0"}


def test_no_group_is_installed_unasked_where_uv_says_so(tmp_path: Path) -> None:
    project = PROJECT + '[dependency-groups]\ndev = ["a"]\n[tool.uv]\ndefault-groups = []\n'
    root = "[package.dev-dependencies]\ndev = [{ name = 'a' }]\n"
    default, dev = uv(tmp_path, package("a", "1.0"), root=root, project=project).bubbles
    assert (default.groups, chosen(default.pins)) == ((), {})
    assert (dev.groups, chosen(dev.pins)) == (("dev",), {"a": "1.0"})


@pytest.mark.parametrize("standard", [True, False])
def test_pdm_installs_all_groups_that_it_has_locked(tmp_path: Path, standard: bool) -> None:
    head = "[dependency-groups]" if standard else "[tool.pdm.dev-dependencies]"
    groups = f'{head}\ntest = ["b"]\ndocs = ["c"]\n'
    (tmp_path / "pyproject.toml").write_text(f'{PROJECT}dependencies = ["a"]\n{groups}')
    lock = '[metadata]\nlock_version = "4.5"\nstrategy = ["inherit_metadata"]\n'
    lock += 'groups = ["default", "test"]\n'
    for name, group in (("a", "default"), ("b", "test")):
        lock += f'[[package]]\nname = "{name}"\nversion = "1.0"\ngroups = ["{group}"]\n'
        lock += f'files = [{{file = "{name}-1.0.tar.gz", hash = "sha256:{HEX}"}}]\n'
    (tmp_path / "pdm.lock").write_text(lock)
    default, docs = take(str(tmp_path / "pdm.lock"), str(tmp_path)).bubbles
    assert chosen(default.pins) == {"a": "1.0", "b": "1.0"}
    assert docs.name == "docs"
    assert docs.pins == (), "it isn't in the lock"


def test_uvs_trees_become_the_standards(tmp_path: Path) -> None:
    commit = "1" * 40
    (tmp_path / "lib").mkdir()
    trees = (
        f'[[package]]\nname = "a"\nversion = "1"\nsource = {{ git = "https://g.example/a?rev=v1'
        f'&subdirectory=py#{commit}" }}\n'
        '[[package]]\nname = "b"\nversion = "1"\nsource = { editable = "lib" }\n'
        '[[package]]\nname = "c"\nversion = "1"\nsource = { url = "https://f.example/c-1.zip" }\n'
        f'sdist = {{ hash = "sha256:{HEX}" }}\n'
    )
    needs = "dependencies = [{ name = 'a' }, { name = 'b' }, { name = 'c' }]\n"
    held = uv(tmp_path, trees, root=needs).bubbles[0].pins
    text = pins.pylock(held, "")
    assert f'requested-revision = "v1", commit-id = "{commit}", subdirectory = "py"' in text
    assert 'directory = { path = "lib", editable = true }' in text
    assert (
        f'archive = {{ url = "https://f.example/c-1.zip", hashes = {{ sha256 = "{HEX}" }}' in text
    )


def test_conflicting_extras_of_uvs_are_refused_with_the_way_out(tmp_path: Path) -> None:
    needs = 'dependencies = [{ name = "a", marker = "extra == \'extra-4-shop-cpu\'" }]\n'
    with pytest.raises(BubbleError) as caught:
        uv(tmp_path, package("a", "1.0"), root=needs)
    assert "uv export" in caught.value.hint


def poetry(tmp_path: Path, lock: str, project: str) -> Taken:
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / "poetry.lock").write_text(lock)
    return take(str(tmp_path / "poetry.lock"), str(tmp_path))


def entry(name: str, more: str = "", version: str = "1.0") -> str:
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\npython-versions = ">=3.8"\n'
        f'files = [{{file = "{name}-{version}.tar.gz", hash = "sha256:{HEX}"}}]\n{more}\n'
    )


TAIL = '[metadata]\nlock-version = "{}"\npython-versions = "^3.9"\n'
POETRY = (
    '[tool.poetry]\nname = "shop"\nversion = "1"\npackage-mode = false\n'
    '[tool.poetry.dependencies]\npython = "^3.9"\na = "^1"\npg = {version = "*", optional = true}\n'
    '[tool.poetry.group.dev.dependencies]\nb = "*"\n'
    '[tool.poetry.group.docs]\noptional = true\n[tool.poetry.group.docs.dependencies]\nc = "*"\n'
)


def test_poetrys_groups_are_the_default_bubble_but_for_the_optional_ones(tmp_path: Path) -> None:
    lock = (
        entry("a", 'optional = false\ngroups = ["main"]')
        + entry("b", 'optional = false\ngroups = ["dev"]')
        + entry("c", 'optional = false\ngroups = ["docs"]')
        + entry("pg", 'optional = true\ngroups = ["main"]\nmarkers = "extra == \\"pg\\""')
        + entry("d", 'optional = false\ngroups = ["main", "docs"]\n'
                "markers = {main = \"sys_platform == 'win32'\", docs = \"os_name == 'nt'\"}")
        + TAIL.format("2.1")
    )  # fmt: skip
    found = poetry(tmp_path, lock, POETRY)
    default, docs = found.bubbles
    assert default.dependencies == ("a>=1,<2", "b")
    assert docs.dependencies == ("c",)
    linux = {"sys_platform": "linux", "os_name": "posix"}
    assert chosen(default.pins, **linux) == {"a": "1.0", "b": "1.0"}
    assert chosen(docs.pins, **linux) == {"a": "1.0", "b": "1.0", "c": "1.0"}
    odd = {"sys_platform": "linux", "os_name": "nt"}
    assert "d" not in chosen(default.pins, **odd)
    assert "d" in chosen(docs.pins, **odd)
    assert any("pg" in left.what for left in found.left)


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_an_older_lock_of_poetrys_is_followed_from_what_was_asked_for(
    tmp_path: Path, version: str
) -> None:
    edges = '[package.dependencies]\nd = {version = "*", markers = "sys_platform == \'win32\'"}\n'
    lock = entry("a", edges) + entry("b") + entry("c") + entry("d") + entry("unused")
    if version == "1.1":  # its files were in a table of their own
        lock = "\n".join(line for line in lock.split("\n") if not line.startswith("files"))
    lock += TAIL.format(version)
    if version == "1.1":
        lock += "[metadata.files]\n" + "".join(
            f'{name} = [{{file = "{name}-1.0.tar.gz", hash = "sha256:{HEX}"}}]\n'
            for name in ("a", "b", "c", "d", "unused")
        )
    default, docs = poetry(tmp_path, lock, POETRY).bubbles
    assert chosen(default.pins, sys_platform="linux") == {"a": "1.0", "b": "1.0"}
    assert chosen(default.pins, sys_platform="win32") == {"a": "1.0", "b": "1.0", "d": "1.0"}
    assert set(chosen(docs.pins, sys_platform="linux")) == {"a", "b", "c"}
    assert all(pin.files for pin in default.pins)


def test_poetry_reads_the_standards_groups_too(tmp_path: Path) -> None:
    project = (
        PROJECT + 'dependencies = ["a"]\n[dependency-groups]\ndev = ["b"]\ndocs = ["c"]\n'
        "[tool.poetry]\npackage-mode = false\n[tool.poetry.group.docs]\noptional = true\n"
    )
    lock = (
        entry("a", 'groups = ["main"]')
        + entry("b", 'groups = ["dev"]')
        + entry("c", 'groups = ["docs"]')
        + TAIL.format("2.1")
    )
    default, docs = poetry(tmp_path, lock, project).bubbles
    assert (default.project, default.groups) == ("dependencies", ("dev",))
    assert docs.groups == ("docs",)
    assert set(chosen(docs.pins)) == {"a", "b", "c"}


def test_what_a_tool_knows_and_bubble_doesnt_is_said(tmp_path: Path) -> None:
    project = POETRY.replace('a = "^1"', 'a = {version = "^1", allow-prereleases = true}')
    (tmp_path / "pyproject.toml").write_text(project)
    found = take(str(tmp_path / "pyproject.toml"), str(tmp_path))
    assert "a: allow-prereleases has no counterpart" in found.notes
    (tmp_path / "Pipfile").write_text("[packages]\na = '*'\n[pipenv]\nallow_prereleases = true\n")
    found = take(str(tmp_path / "Pipfile"), str(tmp_path))
    assert [left.what for left in found.left] == ["[pipenv] allow_prereleases"]


def test_a_lock_of_pdms_without_groups_is_followed_from_what_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT + 'dependencies = ["a[x]"]\n')

    def one(name: str, more: str) -> str:
        listed = f'files = [{{file = "{name}-1.0.tar.gz", hash = "sha256:{HEX}"}}]'
        return f'[[package]]\nname = "{name}"\nversion = "1.0"\n{listed}\n{more}\n'

    lock = (
        "[metadata]\nlock_version = '4.4'\nstrategy = ['cross_platform']\n"
        + one("a", 'dependencies = ["b; os_name == \'nt\'"]')
        + one("a", 'extras = ["x"]\ndependencies = ["a==1.0", "c"]')
        + one("b", "") + one("c", "") + one("unused", "")
    )  # fmt: skip
    (tmp_path / "pdm.lock").write_text(lock)
    (default,) = take(str(tmp_path / "pdm.lock"), str(tmp_path)).bubbles
    assert chosen(default.pins, os_name="posix") == {"a": "1.0", "c": "1.0"}
    assert chosen(default.pins, os_name="nt") == {"a": "1.0", "b": "1.0", "c": "1.0"}
    assert len([pin for pin in default.pins if pin.name == "a"]) == 1


KINDS = {
    "environment.yml": ("", "environment.yml"),
    "conda.yaml": ("", "environment.yml"),
    "Pipfile": ("", "Pipfile"),
    "PIPFILE.LOCK": ("", "Pipfile.lock"),
    "x.txt": ("# $ conda create --name x --file\nx=1=0\n", "conda list"),
    "y.txt": ("a=1=0\nb=2=py_0\n", "conda list"),
    "z.txt": ("name: x\ndependencies:\n- numpy\n", "environment.yml"),
    "dev.in": ("pytest\n", "requirements"),
    "b.txt": ("@EXPLICIT\nhttps://c.example/x-1-0.conda\n", "conda archives"),
    "saved": ('{\n  "_meta": {"hash": {}}}', "Pipfile.lock"),
    "old.lock": ("# This file is @generated by PDM.\n", "pdm.lock"),
    "other.toml": ('[project]\nname = "x"\n', "pyproject.toml"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_known_by_its_name_or_by_what_is_in_it(name: str, tmp_path: Path) -> None:
    text, kind = KINDS[name]
    (tmp_path / name).write_text(text)
    assert kind_of(str(tmp_path / name)) == kind


def test_a_lock_keeps_only_files_that_an_installer_takes(tmp_path: Path) -> None:
    names = ["a-1.0-py3-none-any.whl", "a-1.0.tar.gz", "a-1.0-py3.8.egg", "a-1.0.win32.exe"]
    (tmp_path / "pyproject.toml").write_text(PROJECT + 'dependencies = ["a"]\n')
    listed = ",".join(
        f'{{url = "https://f.example/{name}", hash = "sha256:{HEX}"}}' for name in names
    )
    (tmp_path / "pdm.lock").write_text(
        "[metadata]\nlock_version = '4.5'\nstrategy = ['inherit_metadata']\n[[package]]\n"
        f'name = "a"\nversion = "1.0"\ngroups = ["default"]\nfiles = [{listed}]\n'
    )
    (default,) = take(str(tmp_path / "pdm.lock"), str(tmp_path)).bubbles
    text = pins.pylock(default.pins, ">=3.8", "shop")
    assert [name in text for name in names] == [True, True, False, False]
    assert 'name = "shop"\ndirectory = { path = ".", editable = true }' in text
    assert pins.pylock((), "") == ('lock-version = "1.0"\ncreated-by = "bubble"\npackages = []\n')


PIPFILE_LOCK = (
    '{"_meta": {"pipfile-spec": 6, "requires": {"python_version": "3.12"}}, "default": {'
    f'"a": {{"hashes": ["sha256:{HEX}"], "version": "==1.0"}}, '
    '"colorama": {"markers": "sys_platform == \'win32\'", "version": "*"}, '
    '"wmi": {"markers": "os_name == \'nt\'", "version": ">=1", "extras": ["x"]}}}'
)


@pytest.mark.parametrize("beside", [True, False])
def test_what_pipenv_needed_no_version_of_is_open_and_said(tmp_path: Path, *, beside: bool) -> None:
    """Its marker didn't hold where pipenv locked: there is neither a version nor a hash."""
    (tmp_path / "Pipfile.lock").write_text(PIPFILE_LOCK)
    if beside:
        (tmp_path / "Pipfile").write_text(
            '[packages]\na = "*"\n'
            'colorama = {version = "*", markers = "sys_platform == \'win32\'"}\n'
            'wmi = {version = ">=1", extras = ["x"], markers = "os_name == \'nt\'"}\n'
        )
    found = take(str(tmp_path / "Pipfile.lock"), str(tmp_path))
    [held] = found.bubbles
    assert [pin.name for pin in held.pins] == ["a"]
    assert {"colorama ; sys_platform == 'win32'", "wmi[x]>=1 ; os_name == 'nt'"} <= {
        *held.dependencies
    }
    assert sum("isn't pinned" in note for note in found.notes) == 2
    assert not [left for left in found.left if left.pinned]


def test_what_pipenv_needed_no_version_of_and_wrote_no_marker_of_is_the_pipfiles(
    tmp_path: Path,
) -> None:
    """`sys_platform = "== 'win32'"` in a Pipfile, as pipenv's own documentation has it."""
    (tmp_path / "Pipfile.lock").write_text(
        '{"_meta": {}, "default": {"colorama": {"version": "*"}}}'
    )
    (tmp_path / "Pipfile").write_text(
        '[packages]\ncolorama = {version = "*", sys_platform = "== \'win32\'"}\n'
    )
    found = take(str(tmp_path / "Pipfile.lock"), str(tmp_path))
    [held] = found.bubbles
    assert held.dependencies == ("colorama ; sys_platform == 'win32'",)
    assert held.pins == ()
    assert sum("isn't pinned" in note for note in found.notes) == 1


@pytest.mark.parametrize("entry", ['{"version": "*"}', f'{{"version": ">1", "hashes": ["{HEX}"]}}'])
def test_what_pipenv_never_writes_is_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / "Pipfile.lock").write_text(f'{{"_meta": {{}}, "default": {{"a": {entry}}}}}')
    with pytest.raises(BubbleError, match="no exact version"):
        take(str(tmp_path / "Pipfile.lock"), str(tmp_path))


def test_extras_of_poetrys_project_are_told_as_those_of_others(tmp_path: Path) -> None:
    lock = '[metadata]\nlock-version = "2.1"\npython-versions = "*"\n'
    project = PROJECT + '[project.optional-dependencies]\ncli = ["click"]\n[tool.poetry]\n'
    assert [left.what for left in poetry(tmp_path, lock, project).left] == ["extras: cli"]
