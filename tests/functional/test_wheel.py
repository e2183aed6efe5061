"""What users install is the wheel: it has everything that the program needs, and little else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import pytest

import bubble
from bubble.program.release import own_wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LARGEST = 1_400_000  # bytes: the catalogue may take one million of them


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the wheel as pip does for a user, and return its path."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(directory)]
    done = subprocess.run([*command, ROOT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = (str(path) for path in directory.iterdir())
    return built


def test_the_wheel_holds_every_file_of_the_package_and_the_shims(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = _below("src/bubble", "bubble") | _below("shims", "bubble/shims")
    expected |= {"bubble/program/install.sh", "bubble/program/requirements.lock"}
    assert inside == expected


def _below(directory: str, name: str) -> set[str]:
    return {
        os.path.join(
            name, os.path.relpath(os.path.join(parent, file), os.path.join(ROOT, directory))
        )
        for parent, _, files in os.walk(os.path.join(ROOT, directory))
        for file in files
        if not file.endswith(".pyc")
    }


def test_the_wheel_stays_small(wheel: str) -> None:
    assert os.path.getsize(wheel) < LARGEST
    with zipfile.ZipFile(wheel) as archive:
        data = [i for i in archive.infolist() if not i.filename.endswith((".py", ".sh"))]
    assert sum(i.compress_size for i in data) < 1_000_000, "the catalogue has grown too large"


def test_the_wheel_runs_without_the_checkout(
    wheel: str, tmp_path: Path, env: dict[str, str]
) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
        (entry,) = (n for n in archive.namelist() if n.endswith(".dist-info/entry_points.txt"))
        assert b"bubble = bubble.cli.main:run" in archive.read(entry)
    # -S: no site-packages, so that neither the editable install nor a dependency lends a hand
    done = subprocess.run(
        [sys.executable, "-S", "-c", _RUN, str(target), "python", "list"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cpython-3.12" in done.stdout, "the embedded catalogue isn't read from the wheel"


def test_what_is_taken_along_is_the_same_however_bubble_came(
    wheel: str, tmp_path: Path, env: dict[str, str]
) -> None:
    target = f"{tmp_path}/site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    done = subprocess.run(
        [sys.executable, "-S", "-c", _OWN, target], env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert own_wheel()[1] == done.stdout
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as own, zipfile.ZipFile(wheel) as built:
        info = f"bubble_python-{bubble.__version__}.dist-info"
        said = {f"{info}/WHEEL", f"{info}/RECORD"}  # who wrote it
        assert set(own.namelist()) == set(built.namelist())
        for name in set(own.namelist()) - said:
            assert own.read(name).split() == built.read(name).split(), name


_OWN = """
import sys
sys.path.insert(0, sys.argv[1])
from bubble.program.release import own_wheel
sys.stdout.buffer.write(own_wheel()[1])
"""
_RUN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from bubble.cli.main import run
sys.exit(run())
"""
