from __future__ import annotations

import ast
import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.pythons.patch.build_vars import (
    native_tools,
    patch_build_details,
    patch_makefile,
    patch_pc,
    patch_sysconfig_json,
    patch_sysconfigdata,
    patch_variables,
)

AWKWARD = '/home/ann o\'hara/ü $HOME "x"/3.12'
BUILD: dict[str, object] = {
    "prefix": "/install",
    "LIBDIR": "/install/lib",
    "DESTDIRS": "/install /install/lib",
    "MODLIBS": "-L/install/lib -lz",
    "RPATH": "-Wl,-rpath,/install/lib",
    "CONFIG_ARGS": "'--prefix=/install' 'CC=clang'",
    "DOUBLE": 'echo "/install/x"',
    "OTHER": "/installed/x /opt/install /install-2 /install.d ./install",
    "INSTALL": "/usr/bin/install -c",
    "CC": "clang -pthread",
    "NUMBER": 1,
    "EMPTY": "",
}


def test_the_prefix_is_replaced_by_whole_components() -> None:
    patched = patch_variables(BUILD, "/new/place")
    assert patched["prefix"] == "/new/place"
    assert patched["LIBDIR"] == "/new/place/lib"
    assert patched["DESTDIRS"] == "/new/place /new/place/lib"
    assert patched["MODLIBS"] == "-L/new/place/lib -lz"
    assert patched["RPATH"] == "-Wl,-rpath,/new/place/lib"
    assert patched["CONFIG_ARGS"] == "'--prefix=/new/place' 'CC=clang'"
    assert patched["OTHER"] == BUILD["OTHER"]
    assert patched["INSTALL"] == BUILD["INSTALL"]
    assert patched["NUMBER"] == 1


def test_an_awkward_prefix_is_quoted_in_command_lines_and_bare_in_paths() -> None:
    patched = patch_variables(BUILD, AWKWARD)
    assert patched["LIBDIR"] == f"{AWKWARD}/lib"
    assert shlex.split(str(patched["DESTDIRS"])) == [AWKWARD, f"{AWKWARD}/lib"]
    assert shlex.split(str(patched["MODLIBS"])) == [f"-L{AWKWARD}/lib", "-lz"]
    assert shlex.split(str(patched["CONFIG_ARGS"])) == [f"--prefix={AWKWARD}", "CC=clang"]


def test_a_quote_behind_a_backslash_opens_nothing() -> None:
    build: dict[str, object] = {"prefix": "/install", "FLAGS": r"-DNAME=it\'s -L/install/lib"}
    assert patch_variables(build, AWKWARD)["FLAGS"] == (
        rf"-DNAME=it\'s -L{shlex.quote(AWKWARD)}/lib"
    )


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_prefix_survives_in_a_path_a_command_line_and_the_python_file(tail: str) -> None:
    prefix = f"/{tail}x"
    text = f"# head\nbuild_time_vars = {BUILD!r}\n"
    patched = patch_sysconfigdata(text, prefix)
    variables = ast.literal_eval(patched.partition("build_time_vars = ")[2])
    assert variables["LIBDIR"] == f"{prefix}/lib"
    assert shlex.split(variables["CONFIG_ARGS"])[0] == f"--prefix={prefix}"
    assert shlex.split(variables["DESTDIRS"])[1] == f"{prefix}/lib"
    assert patch_sysconfigdata(patched, prefix) == patched


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("clang -pthread", "cc -pthread"),
        ("clang++ -pthread -shared", "c++ -pthread -shared"),
        ("clang-15", "cc"),
        ("musl-clang", "cc"),
        ("/tools/llvm/bin/llvm-ar", "ar"),
        ("/usr/bin/x86_64-linux-gnu-gcc-12 -pthread", "cc -pthread"),
        ("aarch64-linux-gnu-gcc -shared", "cc -shared"),
        ("arm-linux-gnueabihf-g++", "c++"),
        ("x86_64-linux-gnu-gcc-ar", "ar"),
        ("llvm-readelf", "readelf"),
        ("/tools/gcc/bin/gcc", "cc"),
        ("gcc -pthread", "gcc -pthread"),
        ("/usr/bin/gcc-12", "/usr/bin/gcc-12"),
        ("ar", "ar"),
        ("rcs", "rcs"),
        ("-fprofile-dir=clang", "-fprofile-dir=clang"),
        ("-O3 -isysroot /Applications/SDKs/MacOSX.sdk -g", "-O3 -g"),
        ("-isysroot/SDK -arch arm64", "-arch arm64"),
        ("-g --sysroot=/x -fPIC", "-g -fPIC"),
        ("-fPIC -I/tools/deps/include -I/tools/deps/include/ncursesw", "-fPIC"),
        ("-L/tools/deps/lib -Wl,--exclude-libs,ALL", "-Wl,--exclude-libs,ALL"),
        ("-fdebug-default-version=4 -fuse-ld=lld -O2 -flto=thin", "-O2"),
        ("-I/toolshed/x -I/usr/tools", "-I/toolshed/x -I/usr/tools"),
    ],
)
def test_tools_and_flags_of_the_building_machine_become_native(before: str, after: str) -> None:
    assert native_tools(before) == after
    assert native_tools(after) == after


def test_a_build_that_says_nothing_of_its_machine_is_not_rewritten() -> None:
    text = "build_time_vars = {'prefix': '/here', 'CC': 'cc -pthread', 'N': 0}\n"
    assert patch_sysconfigdata(text, "/here") is text


@pytest.mark.parametrize(
    "text",
    [
        "import os\nbuild_time_vars = {'prefix': os.getcwd()}\n",
        "build_time_vars = {'prefix': open('/install')}\n",
        "build_time_vars = ['/install']\n",
        "build_time_vars = {\n",
        "x = '/install'\n",
    ],
)
def test_a_sysconfigdata_that_is_no_literal_is_neither_run_nor_changed(text: str) -> None:
    assert patch_sysconfigdata(text, "/new") == text


def test_upstreams_json_style_literal_is_read_too() -> None:
    text = f"# generated\nbuild_time_vars = {json.dumps(BUILD, indent=4)}\n"
    patched = patch_sysconfigdata(text, "/new")
    assert patched.startswith("# generated\nbuild_time_vars = {\n")
    assert ast.literal_eval(patched.partition(" = ")[2])["LIBDIR"] == "/new/lib"


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_from_a_system_prefix_only_pythons_own_directories_are_moved(prefix: str) -> None:
    variables: dict[str, object] = {
        "prefix": prefix,
        "INCLUDEPY": f"{prefix}/include/python3.12",
        "MKDIR_P": f"{prefix}/bin/mkdir -p",
        "SED": f"{prefix}/bin/sed",
    }
    patched = patch_variables(variables, "/new")
    assert patched["INCLUDEPY"] == "/new/include/python3.12"
    assert patched["MKDIR_P"] == variables["MKDIR_P"]
    assert patched["SED"] == variables["SED"]


def test_the_json_of_newer_pythons_is_patched_alike() -> None:
    patched = json.loads(patch_sysconfig_json(json.dumps(BUILD), AWKWARD))
    assert patched == patch_variables(BUILD, AWKWARD)
    assert patch_sysconfig_json("no json", "/new") == "no json"
    assert patch_sysconfig_json("[1]", "/new") == "[1]"


def test_build_details_name_the_real_prefix() -> None:
    details = {
        "base_prefix": "/install",
        "base_interpreter": "/install/bin/python3.14",
        "abi": {"flags": ["t"]},
        "c_api": {"headers": "/install/include/python3.14", "n": 1, "other": "/installed"},
    }
    patched = json.loads(patch_build_details(json.dumps(details), "/new"))
    assert patched["base_prefix"] == "/new"
    assert patched["base_interpreter"] == "/new/bin/python3.14"
    assert patched["abi"] == {"flags": ["t"]}
    assert patched["c_api"] == {"headers": "/new/include/python3.14", "n": 1, "other": "/installed"}


def test_build_details_that_are_relative_stay_as_they_are() -> None:
    text = '{"base_prefix": "../..", "base_interpreter": "bin/python3.14"}'
    assert patch_build_details(text, "/new") == text


def test_a_pkg_config_file_finds_its_prefix_by_where_it_lies() -> None:
    text = "# x\nprefix=/install\nlibdir=/install/lib\n\nLibs: -L/install/lib -L/tools/lib -lx\n"
    patched = "# x\nprefix=${pcfiledir}/../..\nlibdir=${prefix}/lib\n\nLibs: -L${prefix}/lib -lx\n"
    assert patch_pc(text) == patched
    assert patch_pc(patched) == patched


def test_the_makefile_has_the_prefix_and_native_tools_in_assignments_only() -> None:
    text = (
        "# clang /install\nCC=\t\tclang -pthread\nCFLAGS = -I/tools/x -g\nprefix=\t\t/install\n"
        "CONFIG_ARGS=\t '--prefix=/install' 'CC=clang'\nall:\n\tclang /install $(CC)\n"
        "LIBS= -L$(exec_prefix)/lib\n"
    )
    patched = (
        "# clang /install\nCC=\t\tcc -pthread\nCFLAGS = -g\nprefix=\t\t/a b/$$x\n"
        "CONFIG_ARGS=\t '--prefix=/a b/$$x' 'CC=clang'\nall:\n\tclang /install $(CC)\n"
        "LIBS= -L$(exec_prefix)/lib\n"
    )
    assert patch_makefile(text, "/a b/$x") == patched
    assert patch_makefile(patched, "/a b/$x") == patched
