"""The program that an interpreter is asked by, run in this one: its answers held against others'.

What it does on other Pythons is tested by running those (test_probe); here is each way through it.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import site
import struct
import subprocess
import sys
import sysconfig

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.probing.probe import MARK, _script, probe
from support.needs import LINUX_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return a function that runs the program here, for some modules, and gives its answer."""
    import bubble.pythons

    path = f"{os.path.dirname(bubble.pythons.__file__)}/probe_script.py"
    code = compile(_script(), path, "exec")

    def run(*modules: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["-c", *modules])
        exec(code, {"__name__": "bubble.pythons.probing.probe_script"})
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1].isascii()
        answer = json.loads(lines[-1].removeprefix(MARK))
        assert isinstance(answer, dict)
        return answer

    return run


def test_the_answer_is_what_sysconfig_and_platform_say(ask: Ask) -> None:
    libc = os.confstr("CS_GNU_LIBC_VERSION") if platform.libc_ver()[0] == "glibc" else ""
    assert ask() == {
        "implementation": sys.implementation.name,
        "version": "{}.{}.{}".format(*sys.version_info),
        "stage": sys.version_info.releaselevel,
        "serial": sys.version_info.serial,
        "abiflags": sysconfig.get_config_var("ABIFLAGS"),
        "os": sys.platform,
        "machine": platform.machine(),
        "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
        "libc": libc,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "executable": sys.executable,
        "stdlib": sysconfig.get_path("stdlib"),
        "site_packages": site.getsitepackages()[0],
        "failed": "",
        "error": "",
        "bits": struct.calcsize("P") * 8,
        "debug": sysconfig.get_config_var("Py_DEBUG") or 0,
    }


def test_a_process_of_its_own_gives_the_same_answer(ask: Ask) -> None:
    command = [sys.executable, "-I", "-B", "-c", _script(), "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.strip().removeprefix(MARK)) == ask("json")


@pytest.mark.parametrize("prefix", ['/a "b" \\c', "/ü/\x07\x7f/\u2028", "/\U0001f40d", "/\udcff"])
def test_any_path_comes_through_in_ascii(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    answer = ask()
    assert answer["prefix"] == prefix
    assert answer["site_packages"].startswith(f"{prefix}/lib")


def test_the_bytes_of_a_python_2_are_text(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/ü".encode() + b"\xff")
    answer = ask()
    assert answer["prefix"] == "/ü\ufffd"
    assert answer["site_packages"] == sysconfig.get_path("purelib")


@pytest.mark.parametrize(
    ("error", "libc"),
    [
        (None, ""),
        (OSError, ""),
        # Python 2 has the function and not the name
        (ValueError, " ".join(platform.libc_ver(sys.executable)).strip()),
    ],
)
def test_a_c_library_that_does_not_tell_its_name_is_none(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, error: type[Exception] | None, libc: str
) -> None:
    def refuse(_: str) -> None:
        assert error is not None
        raise error

    if error is None:
        monkeypatch.delattr(os, "confstr")
    else:
        monkeypatch.setattr(os, "confstr", refuse)
    assert ask()["libc"] == libc


def test_where_site_does_not_tell_sysconfig_does(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(site, "getsitepackages")  # the site of an old virtualenv
    assert ask()["site_packages"] == sysconfig.get_path("purelib")


def test_a_python_that_lacks_what_is_new_is_told_by_what_it_has(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "uname")
    monkeypatch.setenv("PROCESSOR_ARCHITECTURE", "AMD64")
    monkeypatch.delattr(sys, "base_prefix")
    monkeypatch.setattr(sys, "real_prefix", "/real", raising=False)
    monkeypatch.setattr(sys, "gettotalrefcount", lambda: 0, raising=False)
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    monkeypatch.setattr(sys, "executable", None)
    monkeypatch.delattr(sys, "implementation")
    answer = ask()
    monkeypatch.undo()
    told = {name: answer[name] for name in ("implementation", "machine", "multiarch", "executable")}
    assert told == {
        "implementation": "cpython", "machine": "AMD64", "multiarch": "", "executable": "",
    }  # fmt: skip
    assert (answer["base_prefix"], answer["bits"], answer["debug"]) == ("/real", 32, 1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise SystemExit(9)", "SystemExit: 9"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_the_first_module_that_fails_is_named_and_no_further_one_is_imported(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, error: str
) -> None:
    (tmp_path / "bubble_broken.py").write_text(text)
    (tmp_path / "bubble_after.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    answer = ask("json", "bubble_broken", "bubble_after")
    assert (answer["failed"], answer["error"]) == ("bubble_broken", error)
    assert "bubble_after" not in sys.modules


SQLITE = {
    "content with any functools": ("import functools\nkept = functools.lru_cache\n", ""),
    "in need of the real one": ("from functools import wraps\nkept = None\n", ""),
    "broken": ("raise ImportError('libsqlite3.so.0')", "ImportError: libsqlite3.so.0"),
}


@pytest.mark.parametrize("case", SQLITE)
def test_sqlite_is_imported_without_functools_where_it_can_be(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str
) -> None:
    import functools

    text, error = SQLITE[case]
    (tmp_path / "_sqlite3.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "_sqlite3", raising=False)
    monkeypatch.delitem(sys.modules, "functools")
    answer = ask("_sqlite3")
    after, module = sys.modules.get("functools"), sys.modules.pop("_sqlite3", None)
    monkeypatch.undo()
    assert (answer["failed"], answer["error"]) == ("_sqlite3" if error else "", error)
    assert (module is None) is bool(error)
    assert getattr(module, "kept", None) is None  # not the real lru_cache
    # the one that stood in doesn't stay
    assert after is None or hasattr(after, "wraps")
    assert sys.modules["functools"] is functools


def test_where_functools_is_there_sqlite_gets_it(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import functools

    (tmp_path / "_sqlite3.py").write_text("import functools\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "_sqlite3", raising=False)
    assert ask("_sqlite3")["failed"] == ""
    assert sys.modules.pop("_sqlite3").functools is functools


# what else can be wrong with what is asked


def refused(executable: str, env: dict[str, str]) -> BubbleError:
    with pytest.raises(BubbleError) as caught:
        probe(executable, env=env)
    assert caught.value.kind == "probe"
    return caught.value


def test_what_the_system_will_not_start_for_another_reason_is_told_in_its_words(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "python").symlink_to("python")
    error = refused(f"{tmp_path}/python", env)
    assert error.message == f"{tmp_path}/python doesn't run: {os.strerror(errno.ELOOP)}"
    assert "by hand" in error.hint


def test_what_quotes_the_question_instead_of_answering_it_is_no_interpreter(
    env: dict[str, str], tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$*\" >&2\nexit 2\n")
    program.chmod(0o755)
    assert refused(str(program), env).message.endswith("doesn't run: it is no Python interpreter")


@LINUX_ONLY
def test_a_signal_without_a_name_is_told_by_its_number(env: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nkill -40 $$\n")
    program.chmod(0o755)
    assert refused(str(program), env).message.endswith("it was killed by signal 40")
