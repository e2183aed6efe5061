from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.platform import parse_platform
from bubble.pythons.pack import file_name, pack
from bubble.pythons.pack.probe import facts_of
from bubble.system.host import host_platform
from support.needs import LINUX_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.model.platform import Platform
    from bubble.system.layout import Layout


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (
            "cpython-3.11.7-linux-x86_64-gnu",
            "cpython-3.11.7+20260131-x86_64-unknown-linux-gnu-install_only.tar.gz",
        ),
        (
            "cpython-3.14.0rc2+freethreaded-linux-aarch64-musl",
            "cpython-3.14.0rc2+20260131-aarch64-unknown-linux-musl-freethreaded-install_only.tar.gz",
        ),
    ],
)
def test_an_archive_is_named_as_upstream_names_its_own(key: str, name: str) -> None:
    assert file_name(parse_key(key), "20260131") == name


@pytest.mark.parametrize("tag", ["../x", "a/b", "-rf", ".x", "a b", "a..b", "x" * 65, "a-b", "é"])
def test_a_tag_that_would_not_fit_a_name_is_refused(
    tmp_path: Path, layout: Layout, tag: str
) -> None:
    with pytest.raises(BubbleError) as caught:
        pack(str(tmp_path), sys.prefix, layout=layout, env=os.environ, platform=_host(), tag=tag)
    assert caught.value.kind == "usage"
    assert list(tmp_path.glob("2*")) == []


def test_another_system_is_refused(tmp_path: Path, layout: Layout) -> None:
    platform = parse_platform("aarch64-apple-darwin")
    with pytest.raises(BubbleError) as caught:
        pack(str(tmp_path), sys.prefix, layout=layout, env=os.environ, platform=platform)
    assert caught.value.kind == "unavailable"


@LINUX_ONLY
def test_an_interpreter_of_another_platform_is_refused(tmp_path: Path, layout: Layout) -> None:
    other = "s390x" if _host().arch != "s390x" else "x86_64"
    platform = _host().replace(arch=other)
    with pytest.raises(BubbleError) as caught:
        pack(str(tmp_path), sys.base_prefix, layout=layout, env=os.environ, platform=platform)
    assert caught.value.kind == "unavailable"
    assert _host().triple in caught.value.hint


@pytest.mark.parametrize("made", ["nothing", "empty directory", "text", "silent program"])
def test_what_is_no_interpreter_is_refused_in_one_line(tmp_path: Path, made: str) -> None:
    place = tmp_path / "place"
    if made == "empty directory":
        place.mkdir()
    elif made == "text":
        place.write_text("no program\n")
    elif made == "silent program":
        place.write_text("#!/bin/sh\nexit 0\n")
        place.chmod(0o755)
    with pytest.raises(BubbleError) as caught:
        facts_of(str(place), os.environ)
    assert caught.value.kind == "probe"
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_another_implementation_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "pypy3"
    script = f"""#!{sys.executable}
import sys
at = sys.argv.index("-c")
sys.implementation.name = "pypy"
exec(sys.argv[at + 1])
"""
    program.write_text(script)
    program.chmod(0o755)
    with pytest.raises(BubbleError) as caught:
        facts_of(str(program), os.environ)
    assert "pypy" in caught.value.message


def test_of_a_virtual_environment_the_interpreter_it_was_made_from_is_meant(
    tmp_path: Path,
) -> None:
    for option in ("--symlinks", "--copies"):
        made = str(tmp_path / option)
        command = [sys.executable, "-m", "venv", "--without-pip", option, made]
        subprocess.run(command, check=True)
        facts = facts_of(made, os.environ)
        assert facts.prefix == os.path.realpath(sys.base_prefix)
        assert facts.executable.startswith(facts.prefix + "/")
        assert facts_of(f"{made}/bin/python", os.environ) == facts


def test_variables_that_make_an_interpreter_pretend_are_not_passed_on() -> None:
    plain = facts_of(sys.executable, os.environ)
    env = {**os.environ, "PYTHONHOME": "/nonexistent", "PYTHONPATH": "/nonexistent"}
    assert facts_of(sys.executable, env) == plain


def _host() -> Platform:
    return host_platform(os.environ)
