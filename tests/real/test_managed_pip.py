"""What keeps a real pip out of a shared interpreter: PEP 668's marker, or a pip.conf before it."""

from __future__ import annotations

import os
import subprocess

import pytest

from bubble.model.key import parse_key
from bubble.pythons.patch import patch
from bubble.pythons.probing.probe import probe
from bubble.system.archive import extract
from support.builds import interpreters, packed_mirror
from support.needs import LINUX_ONLY, NEEDS_REAL_BUILD, not_here, real_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, LINUX_ONLY]
NO_SUCH = ("install", "--no-index", "no-such-thing")


def prepared(archive: str, prefix: str) -> str:
    """Unpack and patch a build at `prefix` and return its pip."""
    os.mkdir(prefix, mode=0o700)
    extract(archive, prefix)
    found = probe(f"{prefix}/bin/python3", env={"HOME": prefix})
    patch(prefix, prefix, parse_key(f"{found.implementation}-{found.version}-{found.platform}"))
    return f"{prefix}/bin/pip3"


def told(pip: str, home: Path, *arguments: str, **variables: str) -> str:
    """Return what a pip that fails says, without this machine's settings for pip."""
    clean = {"HOME": str(home), "PATH": "/usr/bin:/bin", **variables}
    done = subprocess.run(
        [pip, *arguments], env=clean, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("minor", ["3.12", "3.13"])
def test_a_pip_that_knows_pep_668_is_refused_by_the_marker(minor: str, tmp_path: Path) -> None:
    if not any(version.startswith(f"{minor}.") for version, _ in interpreters()):
        not_here(f"no CPython {minor} to pack")
    mirror = packed_mirror([minor])
    archives = [
        os.path.join(directory, name)
        for directory, _, names in os.walk(mirror)
        for name in names
        if name.startswith(f"cpython-{minor}.") and name.endswith(".tar.gz")
    ]
    pip = prepared(archives[0], str(tmp_path / "build"))
    assert not os.path.exists(tmp_path / "build" / "pip.conf"), "one guard is enough"
    for arguments in (NO_SUCH, (*NO_SUCH, "--user"), ("uninstall", "-y", "pip")):
        said = told(pip, tmp_path, *arguments)
        assert "externally-managed-environment" in said
        assert "bubble create" in said
    allowed = told(pip, tmp_path, *NO_SUCH, "--break-system-packages")
    assert "No matching distribution" in allowed


@NEEDS_REAL_BUILD
def test_a_pip_older_than_pep_668_is_refused_by_its_configuration(tmp_path: Path) -> None:
    pip = prepared(real_build(), str(tmp_path / "build"))
    if not os.path.exists(tmp_path / "build" / "pip.conf"):
        not_here("the build's pip knows PEP 668")
    for arguments in (NO_SUCH, ("--isolated", *NO_SUCH), ("uninstall", "-y", "pip")):
        said = told(pip, tmp_path, *arguments)
        assert "Could not find an activated virtualenv" in said
        assert "bubble create" in said
        assert "PIP_REQUIRE_VIRTUALENV=0" in said
    # what goes elsewhere is PEP 668's exemption: --target, --prefix, --root, and a wheel's build
    for option in ("--target", "--prefix", "--root"):
        said = told(pip, tmp_path, *NO_SUCH, option, str(tmp_path / "there"))
        assert "No matching distribution" in said
    (tmp_path / "project").mkdir()
    (tmp_path / "project/pyproject.toml").write_text(
        '[build-system]\nrequires = ["no-such-thing"]\nbuild-backend = "x"\n'
    )
    wheel = told(pip, tmp_path, "wheel", "--no-index", str(tmp_path / "project"))
    assert "No matching distribution" in wheel
    assert "virtualenv" not in wheel
    # what overrides any configuration of pip's overrides this one, as it should
    for variables in ({"PIP_CONFIG_FILE": os.devnull}, {"PIP_REQUIRE_VIRTUALENV": "0"}):
        assert "No matching distribution" in told(pip, tmp_path, *NO_SUCH, **variables)
