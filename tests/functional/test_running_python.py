"""The Python that bubble itself runs on, and a process while its Python is upgraded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from support.clinic import Clinic, write
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "3.11.8", "3.11.9"


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    made = Clinic(str(tmp_path), env, [NEW, OLD, "3.12.4"])
    made.run("python", "install", OLD)
    return made


def is_there(clinic: Clinic, version: str = OLD) -> bool:
    return os.path.exists(f"{clinic.key(version)}/bin/python")


@pytest.fixture
def own(clinic: Clinic) -> str:
    """Return a bubble that runs on the store's old interpreter, for which a real one stands."""
    base = getattr(sys, "_base_executable", sys.executable)
    prefix = clinic.key(OLD)
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    os.makedirs(f"{prefix}/lib", exist_ok=True)
    shutil.rmtree(f"{prefix}/lib/{name}", ignore_errors=True)
    os.symlink(os.path.dirname(os.__file__), f"{prefix}/lib/{name}")
    if os.path.lexists(f"{prefix}/bin/{name}"):
        os.unlink(f"{prefix}/bin/{name}")
    shutil.copy(os.path.realpath(base), f"{prefix}/bin/{name}")
    tool = f"{clinic.root}/tool"
    write(f"{tool}/pyvenv.cfg", f"home = {prefix}/bin\n")
    os.makedirs(f"{tool}/bin")
    os.symlink(f"{prefix}/bin/{name}", f"{tool}/bin/python")
    paths = "\n".join(p for p in sys.path if os.path.isdir(p) and "site-packages" in p)
    import bubble

    sources = os.path.dirname(os.path.dirname(bubble.__file__))
    write(f"{tool}/lib/{name}/site-packages/ours.pth", f"{paths}\n{sources}\n")
    told = subprocess.run(
        [f"{tool}/bin/python", "-c", "import sys, bubble; print(sys.base_prefix)"],
        env=clinic.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == f"{prefix}\n", told.stderr
    return f"{tool}/bin/python"


@pytest.mark.parametrize("arguments", [["uninstall", OLD], ["uninstall", "--force", OLD]])
def test_bubble_never_uninstalls_the_python_that_it_runs_on(
    clinic: Clinic, own: str, arguments: list[str]
) -> None:
    done = subprocess.run(
        [own, "-c", "from bubble.cli.main import run; run()", "python", *arguments, "3.11.9"],
        env=clinic.env,
        cwd=clinic.cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    message, hint = one_error(done.stderr)
    assert message.startswith(f"cpython-{OLD} is the Python that bubble itself runs on ({own})")
    assert hint
    assert is_there(clinic)
    assert is_there(clinic, NEW)


@pytest.mark.parametrize("arguments", [["python", "upgrade", "--prune"], ["gc", "--all"]])
def test_bubble_keeps_the_python_that_it_runs_on_and_does_the_rest(
    clinic: Clinic, own: str, arguments: list[str]
) -> None:
    clinic.run("python", "install", "3.12.4")
    done = subprocess.run(
        [own, "-c", "from bubble.cli.main import run; run()", *arguments],
        env=clinic.env,
        cwd=clinic.cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert is_there(clinic)
    assert is_there(clinic, "3.12.4") is ("gc" not in arguments)


@pytest.mark.parametrize(("link", "library"), [("3.11", NEW), ("", OLD)])
def test_a_process_imports_from_the_library_that_its_environment_was_made_for(
    clinic: Clinic, own: str, link: str, library: str
) -> None:
    """docs/environments.md says so: through the minor link, later imports are the new patch's."""
    name = os.path.basename(os.path.realpath(own))
    for version in (OLD, NEW):
        place = f"{clinic.key(version)}/lib/{name}"
        if os.path.islink(place):
            os.unlink(place)
        shutil.rmtree(place, ignore_errors=True)
        write(f"{place}/os.py", "")
        for entry in os.scandir(os.path.dirname(os.__file__)):
            # nor its bytecode: a module that both have would be found in what is everybody's
            if entry.name not in {"os.py", "site-packages", "__pycache__"}:
                os.symlink(entry.path, f"{place}/{entry.name}")
        shutil.copy(os.__file__, f"{place}/os.py")
        write(f"{place}/patch_release.py", f"VERSION = {version!r}\n")
    minor = f"{clinic.layout.pythons}/3.11"
    _point(minor, clinic.key(OLD))
    base = minor if link else clinic.key(OLD)
    environment = f"{clinic.root}/environment"
    write(f"{environment}/pyvenv.cfg", f"home = {base}/bin\n")
    os.makedirs(f"{environment}/bin")
    os.symlink(f"{base}/bin/{name}", f"{environment}/bin/python")
    code = "print(flush=True); input(); import patch_release; print(patch_release.VERSION)"
    with subprocess.Popen(
        [f"{environment}/bin/python", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n"
        _point(minor, clinic.key(NEW))
        said, _ = process.communicate("\n")
    assert said == f"{library}\n"


def _point(link: str, target: str) -> None:
    os.unlink(link)
    os.symlink(os.path.basename(target), link)
