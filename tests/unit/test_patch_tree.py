from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bubble.model.key import parse_key
from bubble.pythons.patch import patch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

KEY = parse_key("cpython-3.12.4-linux-x86_64-gnu")
MARKER = "EXTERNALLY-MANAGED"


def write(path: Path, text: str = "", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a small build of the old kind: everything in it needs a patch."""
    root = tmp_path / "root"
    library = root / "lib" / "python3.12"
    write(root / "bin/python3.12", mode=0o755)
    write(root / "bin/pip", "#!/install/bin/python3.12\nimport pip\n", 0o755)
    (root / "bin/pip3").symlink_to("pip")
    write(library / "os.py")
    write(library / "_sysconfigdata__linux_.py", "build_time_vars = {'prefix': '/install'}\n")
    write(library / "_sysconfig_vars__linux_.json", '{"prefix": "/install"}')
    write(library / "build-details.json", '{"base_prefix": "/install"}')
    write(library / "config-3.12-x86_64-linux-gnu/Makefile", "prefix=/install\nCC=clang\n")
    write(library / "config-3.12-x86_64-linux-gnu/python-config.py", "#!/install/bin/python3.12\n")
    write(root / "lib/pkgconfig/python-3.12.pc", "prefix=/install\n")
    (root / "lib/pkgconfig/python3.pc").symlink_to("python-3.12.pc")
    return root


def test_everything_that_names_its_build_is_patched_and_told_of(root: Path) -> None:
    assert patch(str(root), "/new/place", KEY) == {
        "bin/pip",
        "bin/python",
        "bin/python3",
        "lib/pkgconfig/python-3.12.pc",
        "lib/python3.12/EXTERNALLY-MANAGED",
        "lib/python3.12/_sysconfig_vars__linux_.json",
        "lib/python3.12/_sysconfigdata__linux_.py",
        "lib/python3.12/build-details.json",
        "lib/python3.12/config-3.12-x86_64-linux-gnu/Makefile",
        "lib/python3.12/config-3.12-x86_64-linux-gnu/python-config.py",
    }
    left = subprocess.run(
        ["grep", "-rlE", "/install|clang", str(root)], capture_output=True, check=False
    )
    assert left.stdout == b""
    assert os.readlink(root / "bin/python") == "python3.12"
    assert os.readlink(root / "bin/pip3") == "pip"
    assert (root / "bin/pip").stat().st_mode & 0o7777 == 0o755
    assert not [name for _, _, names in os.walk(root) for name in names if "bubble-new" in name]


def test_patching_again_changes_nothing(root: Path) -> None:
    patch(str(root), "/new/place", KEY)
    before = {p: p.lstat().st_mtime_ns for p in root.rglob("*")}
    assert patch(str(root), "/new/place", KEY) == frozenset()
    assert {p: p.lstat().st_mtime_ns for p in root.rglob("*")} == before


def test_an_installation_that_is_patched_again_for_another_place_names_that_one(root: Path) -> None:
    patch(str(root), "/new/place", KEY)
    changed = patch(str(root), "/other", KEY)
    assert "lib/python3.12/_sysconfigdata__linux_.py" in changed
    assert "bin/pip" not in changed
    left = subprocess.run(["grep", "-rl", "/new/", str(root)], capture_output=True, check=False)
    assert left.stdout == b""


def test_a_new_build_gets_the_marker_and_nothing_else(root: Path) -> None:
    patch(str(root), "/new/place", KEY)
    (root / "lib/python3.12" / MARKER).unlink()
    assert patch(str(root), "/new/place", KEY) == {f"lib/python3.12/{MARKER}"}


def test_nothing_is_written_through_a_symlink(root: Path, canary: str) -> None:
    library = root / "lib/python3.12"
    outside = f"{canary}/file"
    for name in ("_sysconfigdata__linux_.py", MARKER):
        (library / name).unlink(missing_ok=True)
        (library / name).symlink_to(outside)
    (root / "bin/pip").unlink()
    (root / "bin/pip").symlink_to(f"{canary}/directory/program")
    config = library / "config-3.12-x86_64-linux-gnu"
    (config / "Makefile").unlink()
    (config / "python-config.py").unlink()
    config.rmdir()
    config.symlink_to(canary)
    changed = patch(str(root), "/new/place", KEY)
    assert f"lib/python3.12/{MARKER}" in changed
    assert not (library / MARKER).is_symlink()
    assert "bin/pip" not in changed


def test_a_file_with_another_hard_link_or_without_write_permission_is_replaced(
    root: Path, tmp_path: Path
) -> None:
    path = root / "lib/python3.12/_sysconfigdata__linux_.py"
    os.link(path, tmp_path / "other")
    path.chmod(0o444)
    patch(str(root), "/new/place", KEY)
    assert "/new/place" in path.read_text()
    assert "/install" in (tmp_path / "other").read_text()
    assert path.stat().st_mode & 0o7777 == 0o444


def test_a_fifo_a_binary_and_a_huge_file_are_left_alone(root: Path) -> None:
    library = root / "lib/python3.12"
    (library / "build-details.json").unlink()
    os.mkfifo(library / "build-details.json")
    (library / "_sysconfig_vars__linux_.json").write_bytes(b'{"prefix": "/install\xff"}')
    with (root / "bin/huge").open("wb") as file:
        file.write(b"#!/install/bin/python3.12\n")
        file.truncate(1 << 20)
    changed = patch(str(root), "/new/place", KEY)
    assert not changed & {
        "bin/huge",
        "lib/python3.12/build-details.json",
        "lib/python3.12/_sysconfig_vars__linux_.json",
    }


def test_a_prefix_of_undecodable_bytes_is_written_as_it_is(root: Path) -> None:
    prefix = os.fsdecode(b"/n\xff/place")
    patch(str(root), prefix, KEY)
    library = root / "lib/python3.12"
    makefile = library / "config-3.12-x86_64-linux-gnu/Makefile"
    assert makefile.read_bytes().startswith(b"prefix=/n\xff/place\n")
    variables: dict[str, object] = {}
    exec((library / "_sysconfigdata__linux_.py").read_text(), variables)
    assert variables["build_time_vars"] == {"prefix": prefix}


@pytest.mark.parametrize(
    ("key", "program", "library"),
    [
        ("cpython-3.13.1+freethreaded-linux-x86_64-gnu", "python3.13t", "lib/python3.13t"),
        ("cpython-3.13.1+debug-linux-x86_64-gnu", "python3.13d", "lib/python3.13"),
        ("pypy-3.10.14-linux-x86_64-gnu", "pypy3.10", "lib/pypy3.10"),
        ("pypy-3.7.13-linux-x86_64-gnu", "pypy3", "lib-python/3"),
        ("graalpy-3.11.0-linux-x86_64-gnu", "graalpy", "lib/python3.11"),
    ],
)
def test_every_kind_of_build_gets_its_links_and_its_marker(
    key: str, program: str, library: str, tmp_path: Path
) -> None:
    write(tmp_path / "bin" / program, mode=0o755)
    write(tmp_path / library / "os.py")
    parsed = parse_key(key)
    names = {"python", "python3", f"python{parsed.version.minor}"}
    wanted = {f"bin/{name}" for name in names} | {f"{library}/{MARKER}"}
    assert patch(str(tmp_path), str(tmp_path), parsed) == wanted
    assert {os.readlink(tmp_path / "bin" / name) for name in names} == {program}


def test_a_windows_build_gets_the_marker_only(tmp_path: Path) -> None:
    write(tmp_path / "python.exe")
    write(tmp_path / "Lib/os.py")
    key = parse_key("cpython-3.12.4-windows-x86_64-none")
    assert patch(str(tmp_path), str(tmp_path), key) == {f"Lib/{MARKER}"}


def test_a_program_in_bin_is_never_replaced_by_a_link(root: Path) -> None:
    write(root / "bin/python", "mine", 0o755)
    (root / "bin/python3").symlink_to("elsewhere")
    patch(str(root), "/new/place", KEY)
    assert (root / "bin/python").read_text() == "mine"
    assert os.readlink(root / "bin/python3") == "elsewhere"


@pytest.mark.parametrize(
    ("pip", "is_old"), [("19.2.3", True), ("22.1.1", True), ("23.0", False), ("24.0b1", False)]
)
def test_only_a_pip_older_than_pep_668_gets_a_configuration(
    pip: str, is_old: bool, root: Path
) -> None:
    write(root / "lib/python3.12/site-packages/pip/__init__.py", f'__version__ = "{pip}"\n')
    (root / "lib/python3.12/site-packages/pip-9.0.dist-info").mkdir()
    assert ("pip.conf" in patch(str(root), "/new/place", KEY)) is is_old


def test_a_build_that_is_not_managed_gets_no_marker_and_no_configuration(root: Path) -> None:
    write(root / "lib/python3.12/site-packages/pip/__init__.py", '__version__ = "22.0"\n')
    changed = patch(str(root), "/new/place", KEY, managed=False)
    assert "bin/pip" in changed
    assert not {path for path in changed if MARKER in path or "pip.conf" in path}


def test_the_marker_is_what_pep_668_asks_for(root: Path) -> None:
    import configparser

    patch(str(root), "/new/place", KEY)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(root / "lib/python3.12" / MARKER, encoding="utf-8")
    assert "bubble create" in parser["externally-managed"]["Error"]


def test_beside_pkg_configs_own_files_nothing_is_touched(root: Path) -> None:
    note = write(root / "lib/pkgconfig/README", "prefix=/install\n")
    assert "lib/pkgconfig/README" not in patch(str(root), "/new/place", KEY)
    assert note.read_text() == "prefix=/install\n"


def test_a_build_without_lib_or_bin_is_no_error(tmp_path: Path) -> None:
    assert patch(str(tmp_path), "/new/place", KEY) == frozenset()


def test_patching_imports_nothing_heavy() -> None:
    code = (
        "import sys; import bubble.pythons.patch;"
        "print({'dataclasses', 'rich', 'pathlib', 'subprocess', 'ast'} & set(sys.modules))"
    )
    # what counts the branches starts in the child, too, and imports some of these
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], env=env, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"set()"
