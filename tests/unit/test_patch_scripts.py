from __future__ import annotations

import os
import runpy
import subprocess
import sys

import pytest

from bubble.pythons.patch.scripts import patch_config_script, patch_script
from support.needs import not_here, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

NAMES = frozenset(("python3.9", "python3", "pip"))
BODY = "import sys\nprint(sys.argv, sys.executable)\n"
OLD_UPSTREAM = '#!/bin/sh\n"exec" "$(dirname $0)/python3.9" "$0" "$@"\n'
NEW_UPSTREAM = (
    '#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")/python3.9" "$0" "$@"\n\' \'\'\'\n'
)
SHELLS = ("sh", "dash", "bash", "zsh", "ksh", "busybox")


@pytest.fixture
def script(tmp_path: Path) -> str:
    """Return the path of a patched script beside an interpreter, in a directory with a space."""
    directory = tmp_path / "it's a ü" / "bin"
    directory.mkdir(parents=True)
    (directory / "python3.9").symlink_to(sys.executable)
    path = directory / "pip"
    path.write_text(patch_script(OLD_UPSTREAM + BODY, names=NAMES))
    path.chmod(0o755)
    return str(path)


def run(*argv: str, cwd: str | os.PathLike[str] | None = None) -> tuple[str, str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def expected(script: str, *argv: str) -> str:
    return f"{list(argv)} {os.path.dirname(script)}/python3.9"


def test_a_launcher_runs_in_a_path_with_spaces_and_passes_its_arguments(script: str) -> None:
    arguments = ["", "a b", "*", "--", "-x", "'\"", "$HOME", "\n"]
    out, err = run(script, *arguments)
    assert out == expected(script, script, *arguments)
    assert err == ""


def test_a_launcher_finds_its_interpreter_through_chains_of_links(
    script: str, tmp_path: Path
) -> None:
    other = tmp_path / "other dir"
    other.mkdir()
    (other / "first").symlink_to(script)
    (other / "second").symlink_to("first")
    (other / "third").symlink_to("../other dir/second")
    for name in ("first", "second", "third"):
        assert run(str(other / name))[0] == expected(script, str(other / name))
        assert run(f"./{name}", cwd=other)[0] == expected(script, f"./{name}")


def test_a_launcher_is_found_on_path_through_a_linked_directory(
    script: str, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(os.path.dirname(script))
    done = subprocess.run(
        ["pip"],
        env={"PATH": f"{tmp_path}/link:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"['{tmp_path}/link/pip'] {tmp_path}/link/python3.9\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_runs_a_launcher(shell: str, script: str, tmp_path: Path) -> None:
    path = which(shell)
    if path is None:
        not_here(f"no {shell}")
    command = [path, "sh"] if shell == "busybox" else [path]
    (tmp_path / "link").symlink_to(script)
    for name in (script, str(tmp_path / "link")):
        assert run(*command, name, "x")[0] == expected(script, name, "x")
        assert run(*command, "-x", name, "x")[0] == expected(script, name, "x")
    assert run(*command, "link", cwd=tmp_path)[0] == expected(script, "link")


def test_a_launcher_needs_no_program_but_the_interpreter(script: str) -> None:
    done = subprocess.run([script], env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert done.stdout == f"{[script]} {os.path.dirname(script)}/python3.9\n"


def test_a_launcher_is_still_a_python_file(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(script)
    assert sys.executable in capsys.readouterr().out


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("#!/install/bin/python3.9\n", '"$d/python3.9" "$0" "$@"'),
        ("#! /root/x/bin/python3\n", '"$d/python3" "$0" "$@"'),
        ("#!/install/bin/python3.9 -sE\n", '"$d/python3.9" -sE "$0" "$@"'),
        ("#!/bin/sh\n'''exec' \"/a b/bin/python3\" \"$0\" \"$@\"\n' '''\n", '"$d/python3" "$0"'),
        ("#!/bin/sh\n'''exec' /long/bin/python3 -E \"$0\" \"$@\"\n' '''\n", '"$d/python3" -E "$0"'),
        (OLD_UPSTREAM, '"$d/python3.9" "$0" "$@"'),
    ],
)
def test_every_known_way_to_name_the_interpreter_is_replaced(head: str, call: str) -> None:
    patched = patch_script(head + BODY, names=NAMES)
    assert f"exec {call}" in patched
    assert patched.endswith("'''\n" + BODY)
    assert patch_script(patched, names=NAMES) == patched


@pytest.mark.parametrize(
    "head",
    [
        NEW_UPSTREAM,
        "#!/usr/bin/env python3\n",
        "#!/install/bin/python3.10\n",
        "#!/bin/sh\n",
        "#!/usr/bin/perl\n",
        "",
    ],
)
def test_what_names_no_interpreter_of_this_build_stays(head: str) -> None:
    assert patch_script(head + BODY, names=NAMES) == head + BODY


def test_python_config_is_a_shell_script_again_and_finds_its_prefix_through_a_link(
    tmp_path: Path,
) -> None:
    text = (
        OLD_UPSTREAM + "exit_with_usage ()\n{\n    exit 1\n}\n"
        'installed_prefix ()\n{\n    echo $(dirname $(cd $(dirname "$1") && pwd -P))\n}\n'
        'prefix_real=$(installed_prefix "$0")\nCFLAGS=$(echo " -fPIC -I/tools/deps/include")\n'
        'prefix="/install"\n'
        'inc=$(echo "${prefix}/include" | sed "s#$prefix#$prefix_real#")\n'
        'LIBPL=$(echo "-L/install/lib:/installer ${prefix}" | sed "s#$prefix#$prefix_real#")\n'
        'echo "$prefix_real|$CFLAGS|$inc|$LIBPL"\n'
    )
    patched = patch_config_script(patch_script(text, names=NAMES))
    assert patch_config_script(patch_script(patched, names=NAMES)) == patched
    directory = tmp_path / "a  b & #c" / "bin"
    directory.mkdir(parents=True)
    path = directory / "python3.9-config"
    path.write_text(patched)
    path.chmod(0o755)
    (tmp_path / "link").symlink_to(path)
    prefix = f"{tmp_path}/a  b & #c"
    # flags go through a shell once more
    flags = prefix.replace(" ", "\\ ").replace("&", "\\&").replace("#", "\\#")
    wanted = f"{prefix}| -fPIC |{flags}/include|-L{flags}/lib:/installer {flags}"
    assert "/install/" not in patched
    assert '/install"' not in patched
    assert run(str(path))[0] == wanted
    assert run(str(tmp_path / "link"))[0] == wanted
    assert run("./link", cwd=tmp_path)[0] == wanted


def test_a_config_script_that_names_no_directory_of_its_build_still_finds_its_own() -> None:
    text = 'prefix_real=$(installed_prefix "$0")\nprefix=$1\nLIBS="-lz -fuse-ld=lld"\n'
    patched = patch_config_script(text)
    assert "installed_prefix" not in patched
    assert 'prefix_real=$(unset CDPATH && cd "$(dirname "$self")/.." && pwd)' in patched
    assert "\nprefix=$1\n" in patched
    assert "lld" not in patched


def config(libs: str, shared: str = "1") -> str:
    return (
        'exit_with_usage ()\n{\n    exit 1\n}\nprefix_real=$(installed_prefix "$0")\n'
        'prefix="/install"\nlibdir=$(echo "/install/lib" | sed "s#$prefix#$prefix_real#")\n'
        f'LIBS=" {libs}"\nLIBS_EMBED="-lpython3.9 {libs}"\nPY_ENABLE_SHARED="{shared}"\n'
        'echo "$LIBS|$LIBS_EMBED"\n'
    )


@pytest.mark.parametrize(
    ("libs", "shared", "wanted"),
    [
        ("-lm", "1", " -lm|-Wl,-rpath,PREFIX/lib -lpython3.9 -lm"),
        (
            "-L/install/lib -Wl,-rpath,/install/lib",
            "1",
            " -LPREFIX/lib -Wl,-rpath,PREFIX/lib|-lpython3.9 -LPREFIX/lib -Wl,-rpath,PREFIX/lib",
        ),
        ("-lm", "0", " -lm|-lpython3.9 -lm"),
    ],
)
def test_what_is_linked_by_python_config_runs_this_library(
    libs: str, shared: str, wanted: str, tmp_path: Path
) -> None:
    path = tmp_path / "bin" / "python3.9-config"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n" + patch_config_script(config(libs, shared)))
    path.chmod(0o755)
    said = subprocess.run([str(path)], check=True, capture_output=True, text=True).stdout
    assert said == f"{wanted}\n".replace("PREFIX", str(tmp_path))
