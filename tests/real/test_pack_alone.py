"""Packs without an interpreter: `bubble unpack` completes them, tar fills a virtual environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from support.builds import interpreters
from support.needs import LINUX_ONLY, not_here
from support.packs import Packing, is_at, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [LINUX_ONLY, pytest.mark.real]


def test_packages_alone_get_the_python_of_the_machine(alone: Packing, tmp_path: Path) -> None:
    packing = alone
    whole = packing.pack()
    archive = packing.pack("--no-python", name="alone.tar.gz")
    assert os.path.getsize(archive) < os.path.getsize(whole) / 5
    packing.ok("pack", "--no-python", "--check", archive)
    assert "missing bin/python" in packing.call("pack", "--check", archive).err
    shutil.rmtree(packing.root)
    os.mkdir(packing.root)
    place = f"{tmp_path}/an odd/plâce"
    os.makedirs(os.path.dirname(place))
    assert packing.ok("unpack", archive, place, "--json").json["data"]["status"] == "unpacked"
    assert packing.ok("unpack", archive, place, "--json").json["data"]["status"] == "present"
    # it's nobody's environment: what the store has afterwards makes no difference
    packing.ok("python", "uninstall", "--force", packing.version)
    done = packing.call("unpack", archive, f"{tmp_path}/other", "--json")
    assert done.json["error"]["kind"] == "not_installed"
    assert done.json["error"]["hint"].startswith("bubble python install 3.")
    assert not os.path.lexists(f"{tmp_path}/other")
    packing.vanish()
    is_at(place, packing.directory)


def test_packages_alone_are_unpacked_by_tar_into_a_virtual_environment(
    packing: Packing, tmp_path: Path
) -> None:
    archive = packing.pack("--no-python", "--format", "tar.zst", name="alone.tar.zst")
    minor = packing.version.rpartition(".")[0]
    place = f"{tmp_path}/a venv"
    pythons = dict(interpreters())
    for version, prefix in pythons.items():
        shutil.rmtree(place, ignore_errors=True)
        run(f"{prefix}/bin/python3", "-m", "venv", "--without-pip", place)
        subprocess.run(["tar", "xf", archive, "-C", place], check=True)
        done = subprocess.run([f"{place}/bin/alpha"], capture_output=True, text=True, check=False)
        if version.startswith(f"{minor}."):
            assert done.stdout == "alpha 1.0\n"
            assert run(f"{place}/bin/python", "-c", "import beta, sys; print(sys.prefix)") == place
        else:  # told, and not started with what it wasn't made for
            assert f"python{minor}" in done.stderr
            assert (done.returncode, done.stdout) == (127, "")
    assert packing.version in pythons
    assert len(pythons) > 1 or not_here("one Python only")


def test_everybodys_python_is_packed_and_completes_packages(
    packing: Packing, tmp_path: Path
) -> None:
    archive = packing.pack("--no-python")
    packing.env |= {"BUBBLE_SYSTEM_HOME": packing.home, "BUBBLE_HOME": f"{tmp_path}/own"}
    packing.ok("create", "mine", "-p", packing.version, "--no-pip")
    whole = packing.pack("mine", name="whole.tar.gz")
    for name, file in {"whole": whole, "completed": archive}.items():
        packing.ok("unpack", file, f"{tmp_path}/{name}")
        found = run(f"{tmp_path}/{name}/bin/python", "-c", "import sys; print(sys.base_prefix)")
        assert found == f"{tmp_path}/{name}"
    assert run(f"{tmp_path}/completed/bin/alpha") == "alpha 1.0"


def test_packages_of_one_abi_are_not_given_another(packing: Packing, tmp_path: Path) -> None:
    archive = packing.pack("--no-python", "--format", "dir", name="alone")
    with open(f"{archive}/bubble-pack.json", encoding="utf-8") as file:
        said = json.load(file)
    minor = packing.version.rpartition(".")[0]
    newer = f"{minor}.{int(packing.version.rpartition('.')[2]) + 1}"
    older = f"3.{int(minor.partition('.')[2]) - 1}.1"
    key = said["python"]
    for made_for, kind, told in (
        (key.replace(packing.version, older), "not_installed", "no 3."),
        (key.replace(packing.version, f"{newer}+freethreaded"), "not_installed", f"no {minor}t"),
        (key.replace(packing.version, f"{minor}.0rc1"), "not_installed", f"no {minor} "),
        (f"cpython-{newer}-linux-riscv64-gnu", "environment", "linux-riscv64"),
        ("3.12", "archive", "names no Python"),
        (key.replace(packing.version, newer), "", ""),
    ):
        with open(f"{archive}/bubble-pack.json", "w", encoding="utf-8") as file:
            json.dump({**said, "python": made_for}, file)
        file_of_it = f"{tmp_path}/edited.tar"
        subprocess.run(["tar", "czf", file_of_it, "-C", archive, *os.listdir(archive)], check=True)
        done = packing.call("unpack", file_of_it, f"{tmp_path}/place", "--json")
        if kind:
            assert done.json["error"]["kind"] == kind, made_for
            assert told in done.json["error"]["message"], made_for
            assert not os.path.lexists(f"{tmp_path}/place")
        else:  # another build of the minor will do
            assert done.json["data"]["python"] == key
            assert run(f"{tmp_path}/place/bin/alpha") == "alpha 1.0"
