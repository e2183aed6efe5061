"""CPython's own tests of environments, against ours: test_site and test_venv, and its checks.

test_site runs inside an environment of ours. test_venv makes environments with the standard
library's venv: it is run from inside ours, as a user's nested environment would be. Then its
checks of what an environment is (Lib/test/test_venv.py, class BasicTest), named by their
functions there, against an environment that we made.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest

from support.builds import interpreters
from support.needs import FULL, needs, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

_SCRUBBED = ("PYENV_", "VIRTUAL_ENV", "PYTHON", "UV_", "BUBBLE_", "PIP_")
_FOUND = interpreters()
VERSIONS = [v for v, _ in (_FOUND if FULL else _FOUND[-1:])] or ["running"]


@dataclass(frozen=True)
class Made:
    """An environment, its interpreter's prefix, and the variables to run it with."""

    path: str
    base: str
    minor: str
    env: dict[str, str]

    def says(self, code: str, *options: str, env: dict[str, str] | None = None) -> str:
        done = self.run(*options, "-c", code, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(
        self, *arguments: str, env: dict[str, str] | None = None, program: str = "python"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [f"{self.path}/bin/{program}", *arguments],
            env={**self.env, **(env or {})},
            cwd=os.path.dirname(self.path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )


@pytest.fixture(scope="module", params=VERSIONS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    prefix = dict(_FOUND).get(request.param, sys.base_prefix)
    root = str(tmp_path_factory.mktemp("suite"))
    project = f"{root}/ünïcode ϼ"  # test_unicode_in_batch_file, for every check
    os.mkdir(project)
    clean = {n: v for n, v in os.environ.items() if not n.startswith(_SCRUBBED)}
    env = {
        **clean,
        "HOME": root,
        "BUBBLE_HOME": f"{root}/bubble",
        "BUBBLE_CACHE_DIR": f"{root}/cache",
        "LC_ALL": "C.UTF-8",
    }
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    for words in (("python", "adopt", prefix), ("create",)):
        done = subprocess.run(
            [program, *words], env=env, cwd=project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    version = request.param if _FOUND else ".".join(map(str, sys.version_info[:3]))
    return Made(f"{project}/.venv", prefix, version.rpartition(".")[0], env)


@pytest.mark.parametrize("suite", ["test_site", "test_venv"])
def test_cpythons_own_suite_passes_inside(made: Made, suite: str, tmp_path: Path) -> None:
    if made.run("-c", f"import test.{suite}").returncode:
        not_here(f"CPython's test.{suite} beside its {made.minor}")
    # the rest of test_venv installs pip, again and again
    everything = f"test.{suite}" if FULL or suite == "test_site" else f"test.{suite}.BasicTest"
    inside = made.run("-m", "unittest", "-q", everything)
    count = re.search(r"Ran (\d+) tests", inside.stderr)
    assert count is not None, inside.stderr
    assert int(count[1]) > 20, inside.stderr
    failed = failures(inside.stderr)
    if failed:
        # some suppose that they don't run in an environment: those fail in the standard
        # library's own, as well
        control = f"{tmp_path}/control"
        venv = [f"{made.base}/bin/python3", "-m", "venv", "--without-pip", control]
        subprocess.run(venv, env=made.env, check=True)
        again = replace(made, path=control).run("-m", "unittest", "-q", *sorted(failed))
        assert failures(again.stderr) == failed, inside.stderr[-4000:]
    print(f"{suite} of {made.minor}: {count[0]}; {failed or 'none'} fail in any environment")


def failures(text: str) -> set[str]:
    """Return the dotted names of the tests that failed; older releases leave out the last part."""
    found = re.findall(r"^(?:FAIL|ERROR): (\w+) \(([\w.]+)\)", text, re.MULTILINE)
    return {where if where.endswith(f".{name}") else f"{where}.{name}" for name, where in found}


def test_prefixes(made: Made) -> None:
    code = (
        "import json, sys, sysconfig; print(json.dumps([sys.prefix, sys.exec_prefix, "
        "sys.base_prefix, sys.base_exec_prefix, sys.executable, sysconfig.get_paths(), "
        "sysconfig.get_config_h_filename()]))"
    )
    for options in ((), ("-I",)):
        prefix, exec_prefix, base, exec_base, program, paths, header = json.loads(
            made.says(code, *options)
        )
        assert (prefix, exec_prefix) == (made.path, made.path)
        assert (base, exec_base) == (made.base, made.base)
        assert program == f"{made.path}/bin/python"
        library = f"{made.path}/lib/python{made.minor}/site-packages"
        assert (paths["purelib"], paths["platlib"]) == (library, library)
        assert paths["scripts"] == f"{made.path}/bin"
        assert paths["data"] == made.path
        assert paths["stdlib"].startswith(made.base)
        assert header.startswith(made.base)


def test_sysconfig_has_the_same_variables_as_the_interpreter(made: Made) -> None:
    """test_sysconfig, test_sysconfig_symlinks."""
    names = "['LIBDIR', 'EXT_SUFFIX', 'SOABI', 'INCLUDEPY', 'LDLIBRARY', 'CC']"
    code = f"import sysconfig; print([sysconfig.get_config_var(n) for n in {names}])"
    base = subprocess.run(
        [f"{made.base}/bin/python3", "-c", code], capture_output=True, text=True, check=True
    )
    assert made.says(code) == base.stdout.strip()


def test_isolation(made: Made) -> None:
    """test_isolation, and that neither the system's nor the user's packages are seen."""
    code = "import json, sys; print(json.dumps(sys.path))"
    paths = json.loads(made.says(code))
    packages = [path for path in paths if path.endswith(("site-packages", "dist-packages"))]
    assert packages == [f"{made.path}/lib/python{made.minor}/site-packages"]
    code = "import site; print(site.ENABLE_USER_SITE, site.PREFIXES)"
    assert made.says(code) == f"False {[made.path]}"
    with open(f"{made.path}/pyvenv.cfg", encoding="utf-8") as file:
        assert "include-system-site-packages = false\n" in file.read()


def test_defaults_and_symlinking(made: Made) -> None:
    """test_defaults, test_executable_symlinks, test_symlinking: the chain ends at the base."""
    names = ("python", "python3", f"python{made.minor}")
    for name in names:
        assert os.path.islink(f"{made.path}/bin/{name}")
        done = made.run("-c", "import sys; print(sys.prefix)", program=name)
        assert done.stdout.strip() == made.path
    real = os.path.realpath(f"{made.path}/bin/python")
    assert real == os.path.realpath(f"{made.base}/bin/python3")
    assert os.readlink(f"{made.path}/lib64") == "lib"  # test_defaults: lib64 on 64-bit Linux
    with open(f"{made.path}/pyvenv.cfg", encoding="utf-8") as file:
        values = dict(line.rstrip("\n").split(" = ", 1) for line in file)
    assert os.path.samefile(values["home"], f"{made.base}/bin")  # test_config_file…
    assert os.path.samefile(values["executable"], f"{made.base}/bin/python3")
    assert values["version"].startswith(f"{made.minor}.")


def test_an_environment_called_through_a_link_is_itself(made: Made, tmp_path: Path) -> None:
    """test_executable: called by a link to its bin/python from elsewhere it isn't the base."""
    link = f"{tmp_path}/link"
    os.symlink(made.path, link)
    done = subprocess.run(
        [f"{link}/bin/python", "-c", "import sys; print(sys.prefix)"],
        env=made.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() in {link, made.path}


def test_multiprocessing(made: Made, tmp_path: Path) -> None:
    """test_multiprocessing, test_multiprocessing_recursion: children are in it, too."""
    path = f"{tmp_path}/spawn.py"
    with open(path, "w", encoding="ascii") as file:
        file.write(
            "import multiprocessing, sys\n"
            "def prefix(_):\n    return sys.prefix\n"
            "if __name__ == '__main__':\n"
            "    multiprocessing.set_start_method('spawn')\n"
            "    with multiprocessing.Pool(1) as pool:\n        print(pool.map(prefix, [0])[0])\n"
        )
    done = made.run(path)
    assert (done.returncode, done.stdout.strip()) == (0, made.path), done.stderr


@needs("bash")
def test_deactivate_with_strict_bash_opts(made: Made) -> None:
    """The test of this name, and test_special_chars_bash by the path."""
    script = 'set -euo pipefail; . "$1/bin/activate"; command -v python; deactivate'
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", made.path],
        env=made.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"{made.path}/bin/python"


def test_with_pip(made: Made) -> None:
    """EnsurePipTest.do_test_with_pip: pip runs isolated, and can take itself off."""
    environment = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = made.run("-I", "-m", "pip", "--version")
    assert f"from {made.path}/lib/" in done.stdout, done.stderr
    done = made.run("-I", "-m", "pip", "uninstall", "-y", "pip", env=environment)
    assert done.returncode == 0, done.stderr
    library = f"{made.path}/lib/python{made.minor}/site-packages"
    assert [name for name in os.listdir(library) if name.startswith("pip")] == []
    assert [name for name in os.listdir(f"{made.path}/bin") if name.startswith("pip")] == []
