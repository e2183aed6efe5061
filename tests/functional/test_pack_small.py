"""Packing a small prefix: which files go in, which stay out, and under which names."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.pack.probe import facts_of
from support.needs import LINUX_ONLY
from support.small_prefix import HOST, TAG, content, double, links, members, packed, small_prefix

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


pytestmark = LINUX_ONLY
LIBRARY = "lib/python3.11"


@pytest.fixture
def root(tmp_path: Path) -> str:
    return f"{os.path.realpath(tmp_path)}/prefix"


def test_the_least_that_a_python_has_is_packed(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    done = packed(small_prefix(root), tmp_path, env)
    assert set(members(done)) == {
        "bin/python", "bin/python3", "bin/python3.11", f"{LIBRARY}/os.py"
    }  # fmt: skip
    assert links(done) == {"bin/python": "python3.11", "bin/python3": "python3.11"}
    assert str(done.key) == f"cpython-3.11.9-{HOST}"
    assert (done.files, done.skipped, done.not_bundled) == (4, (), ())


def test_everything_of_python_is_packed_and_nothing_else(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    mine = {
        "bin/pydoc3.11": f"#!{root}/bin/python3.11\nimport pydoc\n",
        "include/python3.11/Python.h": "",
        "include/python3.11/pyconfig.h": "#define OWN\n",
        "lib/libpython3.11.so.1.0": "no ELF",
        "lib/pkgconfig/python-3.11.pc": f"prefix={root}\n",
        "share/man/man1/python3.11.1": ".TH",
        f"{LIBRARY}/json/__init__.py": "",
    }
    others = {
        "bin/black": "", "lib/libz.so.1": "", "lib/pkgconfig/zlib.pc": "",
        "lib/pkgconfig/python-3.12.pc": "", "share/man/man1/ls.1": "",
        "lib/libpython3.11.a": "", f"{LIBRARY}/config-3.11/libpython3.11.a": "",
        f"{LIBRARY}/__pycache__/os.cpython-311.pyc": "", f"{LIBRARY}/os.pyc": "",
        f"{LIBRARY}/test/test_os.py": "", f"{LIBRARY}/sitecustomize.py": "",
        f"{LIBRARY}/EXTERNALLY-MANAGED": "", f"{LIBRARY}/site-packages/black.py": "",
        f"{LIBRARY}/site-packages/black-1.0.dist-info/METADATA": "",
    }  # fmt: skip
    small_prefix(root, files={**mine, **others})
    os.mknod(f"{root}/{LIBRARY}/socket", stat.S_IFSOCK | 0o600)
    done = packed(root, tmp_path, env)
    own = {"bin/python3.11", "bin/python3", "bin/python", "bin/pydoc3", f"{LIBRARY}/os.py"}
    assert set(members(done)) == own | set(mine)
    assert content(done, "lib/pkgconfig/python-3.11.pc") == b"prefix=/install\n"
    assert done.skipped == ("bin/black", "black-1.0.dist-info")


def test_libraries_headers_and_extensions_are_found_where_a_distribution_keeps_them(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    files = {
        "include/python3.11/pyconfig.h": "the wrapper",
        "include/README/python3.11/pyconfig.h": "another",
        "include/x86_64-linux-gnu/python3.10/pyconfig.h": "another",
        "include/x86_64-linux-gnu/python3.11/pyconfig.h": "the real one",
        "lib/x86_64-linux-gnu/libpython3.11.so.1.0": "the library",
        "lib64/python3.11/lib-dynload/_ssl.so": "the extension",
        "lib64/python3.11/lib-dynload/test/data": "a test's",
    }
    libdirs = [f"{root}/nowhere", f"{root}/lib/x86_64-linux-gnu", f"{root}/lib"]
    dynload = f"{root}/lib64/python3.11/lib-dynload"
    done = packed(small_prefix(root, files=files, libdirs=libdirs, dynload=dynload), tmp_path, env)
    assert content(done, "include/python3.11/pyconfig.h") == b"the real one"
    assert content(done, "lib/libpython3.11.so.1.0") == b"the library"
    assert content(done, f"{LIBRARY}/lib-dynload/_ssl.so") == b"the extension"
    assert f"{LIBRARY}/lib-dynload/test/data" not in members(done)


def test_a_configuration_outside_of_the_headers_directory_is_packed_with_none(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    small_prefix(root, files={"etc/pyconfig.h": "its own"}, pyconfig_h=f"{root}/etc/pyconfig.h")
    done = packed(root, tmp_path, env)
    assert content(done, "include/python3.11/pyconfig.h") == b"its own"


def test_a_library_that_lies_outside_of_the_prefix_is_the_systems(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "libpython3.11.so.1.0").write_text("the system's")
    small_prefix(root)
    os.symlink(tmp_path / "libpython3.11.so.1.0", f"{root}/lib/libpython3.11.so.1.0")
    assert "lib/libpython3.11.so.1.0" not in members(packed(root, tmp_path, env))


def test_links_stay_links_where_they_lead_to_what_is_packed(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "outside.py").write_text("outside")
    (tmp_path / "directory").mkdir()
    small_prefix(root, files={f"{LIBRARY}/json/tool.py": "", f"{LIBRARY}/test/data": "a test's"})
    at = f"{root}/{LIBRARY}"
    os.symlink("os.py", f"{at}/relative.py")
    os.symlink(f"{at}/os.py", f"{at}/json/absolute.py")
    os.symlink(tmp_path / "outside.py", f"{at}/outside.py")
    os.symlink("../../../outside.py", f"{at}/upwards.py")
    os.symlink("test/data", f"{at}/left-out")
    os.symlink(tmp_path / "directory", f"{at}/directory")
    os.symlink("nowhere", f"{at}/dangling.py")
    done = packed(root, tmp_path, env)
    assert {n: t for n, t in links(done).items() if n.startswith("lib")} == {
        f"{LIBRARY}/relative.py": "os.py",
        f"{LIBRARY}/json/absolute.py": "../os.py",
    }
    assert content(done, f"{LIBRARY}/outside.py") == b"outside"
    assert content(done, f"{LIBRARY}/upwards.py") == b"outside"
    assert content(done, f"{LIBRARY}/left-out") == b"a test's"
    assert not {f"{LIBRARY}/directory", f"{LIBRARY}/dangling.py"} & set(members(done))


@pytest.mark.parametrize(
    ("tag", "epoch", "mtime"),
    [
        (TAG, "", 1721952000),
        ("7.3.16", "", 0),
        (TAG, "86400", 86400),
        ("20249999", "86400", 86400),
        (TAG, "yesterday", 1721952000),
    ],
)
def test_files_have_the_time_of_the_tag_or_what_source_date_epoch_says(
    root: str, tmp_path: Path, env: dict[str, str], tag: str, epoch: str, mtime: int
) -> None:
    given = {**env, "SOURCE_DATE_EPOCH": epoch}
    done = packed(small_prefix(root), tmp_path, given, tag)
    assert {m.mtime for m in members(done).values()} == {mtime}


def test_progress_is_told_by_bytes_up_to_all_of_them(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    told: list[tuple[int, int]] = []
    small_prefix(root, files={f"{LIBRARY}/a.py": "x" * 1000, f"{LIBRARY}/b.py": "x" * 2000})
    done = packed(root, tmp_path, env, progress=lambda now, total: told.append((now, total)))
    size = sum(m.size for m in members(done).values())
    assert len(told) == done.files
    assert {total for _, total in told} == {size}
    assert told == sorted(told)
    assert told[-1] == (size, size)


def test_without_isal_the_archive_has_the_same_content(
    root: str, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_prefix(root, files={f"{LIBRARY}/a.py": "x = 1\n" * 5000})
    monkeypatch.setitem(sys.modules, "isal", None)
    done = packed(root, tmp_path, env)
    assert content(done, f"{LIBRARY}/a.py") == b"x = 1\n" * 5000
    assert done.size == os.path.getsize(done.path) < 5000


def test_a_mirror_that_can_not_be_written_is_one_clean_error(
    root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "mirror").write_text("a file")
    with pytest.raises(BubbleError) as caught:
        packed(small_prefix(root), tmp_path, env)
    assert caught.value.kind == "io"
    assert caught.value.message.startswith(f"can't pack {root}: ")
    assert caught.value.message.endswith("Not a directory")
    assert (tmp_path / "mirror").read_text() == "a file"


def refused(place: str, env: dict[str, str]) -> str:
    """Return the message by which a prefix or a program is refused."""
    with pytest.raises(BubbleError) as caught:
        facts_of(place, env)
    assert caught.value.kind == "probe"
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("fact", ["stdlib", "executable"])
def test_files_outside_of_the_prefix_are_refused(root: str, env: dict[str, str], fact: str) -> None:
    facts: dict[str, Any] = {fact: "/elsewhere/python3.11"}
    small_prefix(root, **facts)
    assert refused(root, env).endswith(f"has files outside of its prefix {root}")


def test_a_prefix_without_short_names_is_found_by_its_newest_version(
    root: str, env: dict[str, str]
) -> None:
    small_prefix(root)
    for name in ("python3.11-config", "python3.x", "python3.9"):
        double(f"{root}/bin/{name}", "#!/bin/sh\nexit 1\n")
    assert facts_of(root, env).minor == "3.11"
    os.unlink(f"{root}/bin/python3.11")
    os.unlink(f"{root}/bin/python3.9")
    assert refused(root, env) == f"there is no Python interpreter at {root}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo '[]'", "doesn't answer: exit status 0"),
        ("echo first; echo 'why not' >&2; exit 1", "doesn't answer: why not"),
        ("exit 7", "doesn't answer: exit status 7"),
        ("echo '{'", "doesn't run as a Python 3 does: "),
        ("[ $1 != -I ] && exit 22\nexit 2", "is a Python 2, which can't be packed"),
    ],
)
def test_what_answers_as_no_python_3_does_is_refused_with_its_own_words(
    root: str, env: dict[str, str], text: str, message: str
) -> None:
    program = double(f"{root}/bin/python3", f"#!/bin/sh\n{text}\n")
    assert refused(root, env).startswith(f"{program} {message}")


@pytest.mark.parametrize("calls", [1, 2])
def test_one_that_never_answers_is_refused(
    root: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    program = double(f"{root}/bin/python3", "#!/bin/sh\nexit 1\n")
    real = subprocess.run
    made = 0

    def run(*arguments: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
        nonlocal made
        made += 1
        if made == calls:  # as after the minute that no test has
            raise subprocess.TimeoutExpired(program, options["timeout"])
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", run)
    ends = {1: "doesn't answer within a minute", 2: "doesn't answer: exit status 1"}
    assert refused(root, env) == f"{program} {ends[calls]}"
