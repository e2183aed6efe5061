"""Moving an environment: what names its place is rewritten, and nothing of anybody else's."""

from __future__ import annotations

import os

import pytest

from bubble.envs.changing.relocate import (
    clear_leftovers,
    path_of,
    relocate,
    rename_prompt,
)
from bubble.envs.knowing.editables import site_packages
from support.handmade import environment, write
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout

NEW = "/new/place"


@pytest.fixture
def root(layout: Layout) -> str:
    """Return a named environment's path."""
    return environment(layout, "train").path


def text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_what_a_killed_move_left_goes_and_nothing_else(root: str) -> None:
    info = f"{root}/lib/python3.11/site-packages/tool-1.0.dist-info"
    for directory in (root, f"{root}/bin", os.path.dirname(info), info):
        write(f"{directory}/.x.4242.0a1b2c3d.tmp")
        write(f"{directory}/.x.tmp")
        write(f"{directory}/x.4242.0a1b2c3d.tmp")
    clear_leftovers(root)
    left = {name for _, _, names in os.walk(root) for name in names if name.endswith(".tmp")}
    assert left == {".x.tmp", "x.4242.0a1b2c3d.tmp"}


def test_nothing_goes_that_a_link_leads_to(root: str, tmp_path: Path) -> None:
    elsewhere = f"{tmp_path}/elsewhere"
    write(f"{elsewhere}/site-packages/.x.4242.0a1b2c3d.tmp")
    os.symlink(elsewhere, f"{root}/lib/python3.12")
    before = snapshot(elsewhere)
    clear_leftovers(root)
    assert snapshot(elsewhere) == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("VIRTUAL_ENV='/old/place'", "/old/place"),
        ("  export VIRTUAL_ENV=/old/../place/", "/place"),
        ("VIRTUAL_ENV=\"it's/unbalanced", ""),
        ("VIRTUAL_ENV='/two' words", ""),
        ("VIRTUAL_ENV=relative", ""),
        ("VIRTUAL_ENV_PROMPT=/x", ""),
    ],
)
def test_where_an_environment_thinks_that_it_lies_is_read_from_its_script(
    root: str, line: str, said: str
) -> None:
    write(f"{root}/bin/activate", f"# a comment\n{line}\n")
    assert path_of(root) == said


@pytest.mark.parametrize(
    "base", ["/store/cpython-3.11.9-linux-x86_64-gnu/bin/python3", "/a store/bin/python3"]
)
def test_what_runs_the_interpreter_below_runs_the_environments_own(root: str, base: str) -> None:
    long = f"#!/bin/sh\n'''exec' '{base}' \"$0\" \"$@\"\n' '''\n"  # as uv writes it
    first = long if " " in base else f"#!{base}\n"
    write(f"{root}/bin/tool", f"{first}import tool\n")
    write(f"{root}/bin/other", f"#!{base}-dbg\nimport tool\n")
    write(f"{root}/bin/says", f"#!{root}/bin/python\nprint('{base}')\n")
    relocate(root, root, NEW, interpreter=base)
    assert text(f"{root}/bin/tool") == f"#!{NEW}/bin/python\nimport tool\n"
    assert text(f"{root}/bin/other") == f"#!{base}-dbg\nimport tool\n"
    assert text(f"{root}/bin/says") == f"#!{NEW}/bin/python\nprint('{base}')\n"


def test_without_activation_a_console_script_says_where_it_lies(root: str) -> None:
    os.unlink(f"{root}/bin/activate")
    assert path_of(root) == ""
    write(f"{root}/bin/aaa", "#!/usr/bin/perl\n")
    write(f"{root}/bin/tool", "#!/old place/bin/python3 -s\nimport tool\n")
    assert path_of(root) == "/old place"


def test_one_without_libraries_has_no_packages(tmp_path: Path) -> None:
    assert site_packages(str(tmp_path)) == []
    write(f"{tmp_path}/lib/python3.11/os.py")
    assert site_packages(str(tmp_path)) == []


def test_a_bin_that_leads_elsewhere_is_left_alone(root: str, tmp_path: Path) -> None:
    elsewhere = f"{tmp_path}/elsewhere"
    write(f"{elsewhere}/tool", f"#!{root}/bin/python\n")
    os.symlink(f"{root}/lib/tool", f"{elsewhere}/link")
    os.rename(f"{root}/bin", f"{root}/old-bin")
    os.symlink(elsewhere, f"{root}/bin")
    before = snapshot(elsewhere)
    assert relocate(root, root, NEW) == ()
    assert snapshot(elsewhere) == before


def test_programs_and_huge_texts_stay_as_they_are(root: str) -> None:
    program = write(f"{root}/bin/program", f"\x7fELF\0{root}/lib")
    huge = write(f"{root}/bin/huge", f"{root}\n" * ((1 << 22) // len(root)))
    script = write(f"{root}/bin/script", f"#!{root}/bin/python\n")
    sizes = [os.path.getsize(path) for path in (program, huge)]
    assert set(relocate(root, root, NEW)) == {"bin/script", "bin/activate"}
    assert [os.path.getsize(path) for path in (program, huge)] == sizes
    assert text(script) == f"#!{NEW}/bin/python\n"


def test_links_into_the_environment_follow_and_others_stay(root: str) -> None:
    os.symlink(f"{root}/lib/tool/run", f"{root}/bin/run")
    os.symlink(f"{root}-other/lib/tool", f"{root}/bin/neighbour")
    os.symlink("/usr/bin/env", f"{root}/bin/env")
    python = os.readlink(f"{root}/bin/python")
    relocate(root, root, NEW)
    links = {name: os.readlink(f"{root}/bin/{name}") for name in ("run", "neighbour", "env")}
    assert links == {
        "run": f"{NEW}/lib/tool/run",
        "neighbour": f"{root}-other/lib/tool",
        "env": "/usr/bin/env",
    }
    assert os.readlink(f"{root}/bin/python") == python


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("/new/place", "cd /new/place\nA=/new/place\nB='/new/place'\nC=$X:/new/place:$Y\n"),
        ("/a $b", "cd '/a $b'\nA='/a $b'\nB='/a $b'\nC=$X:'/a $b':$Y\n"),
    ],
)
def test_a_path_in_an_activation_script_gets_the_quotes_that_it_needs(
    root: str, new: str, expected: str
) -> None:
    script = f"cd {root}\nA={root}\nB='{root}'\nC=$X:{root}:$Y\n"
    write(f"{root}/bin/activate", script)
    relocate(root, root, new)
    assert text(f"{root}/bin/activate") == expected


def test_the_hashes_of_rewritten_files_alone_leave_the_records(root: str) -> None:
    packages = f"{root}/lib/python3.11/site-packages"
    record = write(
        f"{packages}/tool-1.0.dist-info/RECORD",
        "tool.py,sha256=a,1\n../../../bin/tool,sha256=b,2\n",
    )
    write(f"{root}/bin/tool", "#!/usr/bin/env python\n")
    os.unlink(f"{root}/bin/activate")
    assert relocate(root, root, NEW) == (), "nothing in it says where it lies"
    assert "sha256=b" in text(record)
    write(f"{root}/bin/tool", f"#!{root}/bin/python\n")
    assert relocate(root, root, NEW) == ("bin/tool",)
    assert text(record) == "tool.py,sha256=a,1\n../../../bin/tool,,\n"


def test_a_prompt_that_somebody_chose_stays(root: str) -> None:
    write(f"{root}/bin/activate", "PS1='(train) '\nVIRTUAL_ENV_PROMPT='chosen'\ncd train\n")
    rename_prompt(root, "train", "other")
    assert text(f"{root}/bin/activate") == (
        "PS1='(other) '\nVIRTUAL_ENV_PROMPT='chosen'\ncd train\n"
    )
