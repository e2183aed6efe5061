from __future__ import annotations

import glob
import json
import os
import platform
import subprocess
import sys
import sysconfig
import venv

import pytest

from bubble.model.errors import BubbleError
from bubble.model.key import VARIANTS, parse_key
from bubble.model.platform import Platform
from bubble.model.version import Version
from bubble.pythons.probing.probe import IMPORTS, check, probe
from support.builds import interpreters
from support.needs import needs, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.model.key import Key

OWN = os.path.realpath(sys.executable)


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes an executable with this text and gives its path."""

    def make(text: str | bytes, mode: int = 0o755) -> str:
        path = tmp_path / "fake python"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return str(path)

    return make


def refused(executable: str, env: dict[str, str], **options: float) -> BubbleError:
    with pytest.raises(BubbleError) as caught:
        probe(executable, env=env, **options)  # type: ignore[arg-type] # timeout only
    error = caught.value
    assert error.kind == "probe"
    assert error.hint
    assert "\n" not in error.message
    return error


def answering(**changes: object) -> str:
    """Return a shell script that answers as this interpreter, with some fields changed."""
    from bubble.pythons.probing import probe as module

    done = subprocess.run(
        [OWN, "-I", "-c", module._script()], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout.strip().removeprefix(module.MARK)) | changes
    return f"#!/bin/sh\ncat <<'EOF'\n{module.MARK}{json.dumps(answer)}\nEOF\n"


def test_this_interpreter_says_what_it_is(env: dict[str, str]) -> None:
    found = probe(OWN, env=env)
    assert found.implementation == sys.implementation.name
    assert str(found.version) == platform.python_version().rstrip("+")
    assert found.variant in VARIANTS
    assert found.prefix == found.base_prefix == sys.base_prefix
    assert found.executable == OWN
    assert not found.is_virtual
    assert found.platform.arch == platform.machine()
    assert found.stdlib == sysconfig.get_path("stdlib")
    assert found.site_packages.startswith(found.prefix)


def test_every_interpreter_here_says_its_version(env: dict[str, str]) -> None:
    if not interpreters():
        not_here("no CPython to ask")
    for version, prefix in interpreters():
        found = probe(f"{prefix}/bin/python3", env=env)
        assert str(found.version) == version
        assert os.path.realpath(found.prefix) == prefix
        assert os.path.isfile(f"{found.stdlib}/os.py")


def test_python_2_answers_too(env: dict[str, str]) -> None:
    found = glob.glob(f"{os.path.expanduser('~root')}/.pyenv/versions/2.7.*/bin/python")
    found += [path for path in ("/usr/bin/python2.7",) if os.path.exists(path)]
    if not found:
        not_here("no Python 2.7")
    answer = probe(found[0], env=env, imports=())
    assert answer.version.minor == "2.7"
    assert os.path.isfile(f"{answer.stdlib}/os.py")


def test_a_virtual_environment_is_told_from_its_interpreter(
    env: dict[str, str], tmp_path: Path
) -> None:
    directory = tmp_path / 'a "ü" \U0001f40d\\'
    venv.create(directory, symlinks=True)
    found = probe(f"{directory}/bin/python", env=env, imports=())
    assert found.is_virtual
    assert found.prefix == str(directory)
    assert found.site_packages.startswith(str(directory))
    assert found.base_prefix == sys.base_prefix


def test_variables_that_mislead_an_interpreter_are_taken_away(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "ssl.py").write_text("raise SystemExit(9)\n")
    misled = env | {
        "PYTHONHOME": "/nonexistent",
        "PYTHONPATH": str(tmp_path),
        "__PYVENV_LAUNCHER__": "/nonexistent",
    }
    assert probe(OWN, env=misled).prefix == sys.base_prefix


def test_the_working_directory_is_not_imported_from(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssl.py").write_text("raise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    probe(OWN, env=env)


def test_what_a_sitecustomize_prints_is_no_answer(env: dict[str, str], tmp_path: Path) -> None:
    venv.create(tmp_path / "v", symlinks=True)
    found = probe(f"{tmp_path}/v/bin/python", env=env, imports=())
    noise = (
        "import atexit, sys\nprint('bubble-probe:{}')\nsys.stdout.write('half a line')\n"
        "atexit.register(print, 'bye')\n"
    )
    with open(f"{found.site_packages}/sitecustomize.py", "w", encoding="utf-8") as file:
        file.write(noise)
    assert probe(found.executable, env=env, imports=()) == found


def test_a_module_that_cant_be_imported_is_named(env: dict[str, str]) -> None:
    with pytest.raises(BubbleError, match="can't import no_such_module: ModuleNotFoundError") as e:
        probe(OWN, env=env, imports=(*IMPORTS, "no_such_module", "sys"))
    assert e.value.kind == "probe"


def test_no_file_no_permission_no_program_no_directory(
    env: dict[str, str], fake: Callable[..., str], tmp_path: Path
) -> None:
    assert "there is no such file" in refused(str(tmp_path / "none"), env).message
    assert "not executable" in refused(str(tmp_path), env).message
    assert "not executable" in refused(fake("#!/bin/sh\n", 0o644), env).message
    wrong = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xf3\x00" + bytes(44)  # RISC-V
    assert "no program for this machine" in refused(fake(wrong), env).message
    assert "loader that it needs" in refused(fake("#!/nonexistent/ld.so\n"), env).message


@pytest.mark.parametrize(
    ("stderr", "message", "hint"),
    [
        (
            "error while loading shared libraries: libcrypt.so.1: cannot open shared object file",
            "libcrypt.so.1",
            "libxcrypt-compat",
        ),
        (
            "error while loading shared libraries: libfoo.so.2: cannot open shared object file",
            "libfoo.so.2",
            "package that has this library",
        ),
        (
            "/lib/libc.so.6: version `GLIBC_2.34' not found (required by python)",
            "GLIBC_2.34",
            "older than the build needs",
        ),
    ],
)
def test_what_the_loader_says_is_shown_with_a_way_out(
    stderr: str, message: str, hint: str, env: dict[str, str], fake: Callable[..., str]
) -> None:
    error = refused(
        fake(f'#!/bin/sh\necho "$0: {stderr}" >&2\nexit 127\n'.replace("`", "\\`")), env
    )
    assert message in error.message
    assert hint in error.hint


@needs("cc")
def test_a_missing_shared_library_is_named_by_the_real_loader(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "lib.c").write_text("int f(void) { return 0; }\n")
    (tmp_path / "main.c").write_text("int f(void); int main(void) { return f(); }\n")
    here = str(tmp_path)
    library, program = f"{here}/libbubbletest.so.9", f"{here}/python"
    flags = ["-shared", "-Wl,-soname,libbubbletest.so.9"]
    subprocess.run(["cc", *flags, "-o", library, f"{here}/lib.c"], check=True)
    subprocess.run(["cc", "-o", program, f"{here}/main.c", library], check=True)
    os.unlink(library)
    error = refused(program, env)
    assert "libbubbletest.so.9: cannot open shared object file" in error.message
    assert "package that has this library" in error.hint


def test_a_crash_a_silence_and_a_wait_are_told_apart(
    env: dict[str, str], fake: Callable[..., str]
) -> None:
    assert "killed by SIGSEGV" in refused(fake("#!/bin/sh\nkill -SEGV $$\n"), env).message
    error = refused(fake("#!/bin/sh\nkill -ILL $$\n"), env)
    assert "without _v2" in error.hint
    assert "exit status 3" in refused(fake("#!/bin/sh\nexit 3\n"), env).message
    assert (
        "no answer within 1" in refused(fake("#!/bin/sh\nexec sleep 600\n"), env, timeout=1).message
    )


def test_escape_sequences_are_not_passed_on(env: dict[str, str], fake: Callable[..., str]) -> None:
    message = refused(fake("#!/bin/sh\nprintf '\\033[31mred\\n' >&2; exit 1\n"), env).message
    assert "\x1b" not in message
    assert "red" in message


@pytest.mark.parametrize(
    "text", ["bubble-probe:{}", "bubble-probe:{", "bubble-probe:[]", 'bubble-probe:{"stage": 1}']
)
def test_a_nonsensical_answer_is_an_error(
    text: str, env: dict[str, str], fake: Callable[..., str]
) -> None:
    refused(fake(f"#!/bin/sh\necho '{text}'\n"), env)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"abiflags": "t"}, {"variant": "freethreaded"}),
        ({"debug": 1, "abiflags": "td"}, {"variant": "freethreaded+debug"}),
        ({"debug": 1, "abiflags": "d"}, {"variant": "debug"}),
        ({"abiflags": "m", "debug": 0}, {"variant": ""}),
        ({"version": "3.14.0", "stage": "candidate", "serial": 2}, {"version": "3.14.0rc2"}),
        ({"version": "3.15.0", "stage": "alpha", "serial": 1}, {"version": "3.15.0a1"}),
        ({"implementation": "pypy"}, {"implementation": "pypy"}),
        ({"os": "darwin", "machine": "arm64"}, {"platform": "darwin-aarch64-none"}),
        ({"os": "win32", "machine": "AMD64"}, {"platform": "windows-x86_64-none"}),
        (
            {"machine": "x86_64", "libc": "", "multiarch": "x86_64-linux-musl"},
            {"platform": "linux-x86_64-musl"},
        ),
        (
            {"machine": "x86_64", "bits": 32, "libc": "glibc 2.36", "multiarch": ""},
            {"platform": "linux-i686-gnu"},
        ),
        (
            {"machine": "aarch64", "bits": 32, "libc": "glibc 2.36", "multiarch": ""},
            {"platform": "linux-armv7-gnueabihf"},
        ),
        (
            {"machine": "ppc64le", "libc": "glibc 2.36", "multiarch": ""},
            {"platform": "linux-powerpc64le-gnu"},
        ),
    ],
)
def test_an_answer_is_read_as_keys_have_it(
    changes: dict[str, object],
    wanted: dict[str, str],
    env: dict[str, str],
    fake: Callable[..., str],
) -> None:
    found = probe(fake(answering(**changes)), env=env)
    assert {name: str(getattr(found, name)) for name in wanted} == wanted


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Return a prefix whose interpreter answers as the running one would there."""
    program = tmp_path / "root" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(answering(prefix=str(tmp_path / "root")))
    program.chmod(0o755)
    return str(tmp_path / "root")


def own_key(env: dict[str, str]) -> Key:
    found = probe(OWN, env=env, imports=())
    key = parse_key(f"{found.implementation}-{found.version}-{found.platform}")
    return key.replace(variant=found.variant)


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """Return a prefix with `bin/python`, which Debian's /usr lacks: a virtual environment's."""
    venv.create(f"{tmp_path}/prefix", symlinks=True)
    return f"{tmp_path}/prefix"


def test_check_takes_a_build_that_is_what_its_key_says(env: dict[str, str], root: str) -> None:
    key = own_key(env)
    assert check(root, key, env=env).prefix == root


def test_check_takes_a_build_for_a_level_of_its_architecture(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(answering(prefix=str(tmp_path), machine="x86_64"))
    (tmp_path / "bin/python").chmod(0o755)
    key = own_key(env)
    level = key.platform.replace(arch="x86_64_v3")
    assert check(str(tmp_path), key.replace(platform=level), env=env).platform.arch == "x86_64"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": Version.parse("3.11.200")}, "its version is"),
        ({"variant": "freethreaded"}, "its variant is “default”, not “freethreaded”"),
        ({"implementation": "pypy"}, "its implementation is “cpython”, not “pypy”"),
        ({"platform": Platform(os="linux", arch="aarch64", libc="musl")}, "its platform is"),
    ],
)
def test_check_refuses_a_build_that_is_something_else(
    change: dict[str, object], message: str, env: dict[str, str], root: str
) -> None:
    with pytest.raises(BubbleError, match=message) as caught:
        check(root, own_key(env).replace(**change), env=env)
    assert caught.value.kind == "probe"


def test_check_refuses_an_interpreter_that_lives_elsewhere(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(OWN)
    with pytest.raises(BubbleError, match="its prefix is"):
        check(str(tmp_path), own_key(env), env=env)


def test_the_script_costs_no_import_that_isnt_asked_for() -> None:
    from bubble.pythons.probing import probe as module

    code = f"{module._script()}\nprint(sorted(sys.modules))"
    done = subprocess.run([OWN, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))
    assert not modules & {"json", "re", "platform", "sysconfig", "subprocess", "typing"}
