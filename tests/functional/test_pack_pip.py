"""Which pip is packed: upstream's, whatever a distribution made of its own."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.installed import pip_wheels
from bubble.pythons.pack import pip as pack_pip
from bubble.system.layout import layout_from
from support.handmade import installation
from support.needs import LINUX_ONLY
from support.small_prefix import content, links, members, packed, small_prefix

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = LINUX_ONLY
LIBRARY = "lib/python3.11"


def wheel(text: str, name: str = "pip", core: str = "") -> bytes:
    """Return a wheel of one module, with the entry for its directory that some tools write.

    `core` is what it has to find certificates with.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}/", "")
        archive.writestr(f"{name}/__init__.py", text)
        archive.writestr(f"{name}-24.0.dist-info/RECORD", f"{name}/__init__.py,,\n")
        if core:
            archive.writestr(f"{name}/_vendor/certifi/core.py", core)
    return buffer.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> str:
    return f"{os.path.realpath(tmp_path)}/prefix"


@pytest.mark.parametrize("packages", ["site-packages", "dist-packages", "elsewhere"])
def test_pip_comes_from_the_wheels_that_a_distribution_keeps_elsewhere_if_they_are_upstreams(
    root: str,
    tmp_path: Path,
    env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    packages: str,
) -> None:
    wheels = tmp_path / "python-wheels"
    wheels.mkdir()
    (wheels / "pip-24.0-py3-none-any.whl").write_bytes(pip := wheel("of the distribution"))
    monkeypatch.setitem(pip_wheels.KNOWN, "24.0", hashlib.sha256(pip).hexdigest())
    (wheels / "setuptools-24.0-py3-none-any.whl").write_bytes(wheel("", "setuptools"))
    (wheels / "black-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    site = [f"{root}/{LIBRARY}/{packages}", "/usr/lib/python3/dist-packages"]
    done = packed(small_prefix(root, wheels=f"{wheels}/", site_packages=site), tmp_path, env)
    names = set(members(done))
    linked = {f"{LIBRARY}/site-packages": "dist-packages"} if packages == "dist-packages" else {}
    assert {n: t for n, t in links(done).items() if "packages" in n} == linked
    packages = packages.replace("elsewhere", "site-packages")
    assert content(done, f"{LIBRARY}/{packages}/pip/__init__.py") == b"of the distribution"
    assert not [name for name in names if name.endswith("/")], "directories of the wheel"
    assert {"bin/pip", "bin/pip3", "bin/pip3.11"} <= names
    assert members(done)["bin/pip"].mode == 0o755
    record = content(done, f"{LIBRARY}/{packages}/pip-24.0.dist-info/RECORD").decode()
    assert "../../../bin/pip3.11,,\n" in record
    assert {n for n in names if "_bundled" in n} == {
        f"{LIBRARY}/ensurepip/_bundled/pip-24.0-py3-none-any.whl",
        f"{LIBRARY}/ensurepip/_bundled/setuptools-24.0-py3-none-any.whl",
    }


def test_ensurepips_own_wheels_come_before_the_distributions_and_without_setuptools_since_3_12(
    root: str, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pip_wheels, "KNOWN", {})
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/pip-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    bundled = "lib/python3.12/ensurepip/_bundled"
    files = {
        f"{bundled}/pip-24.0-py3-none-any.whl": wheel("of ensurepip"),
        f"{bundled}/setuptools-24.0-py3-none-any.whl": b"no wheel",
    }
    small_prefix(root, version="3.12.4", files=files, wheels=f"{tmp_path}/wheels")
    done = packed(root, tmp_path, env)
    assert content(done, "lib/python3.12/site-packages/pip/__init__.py") == b"of ensurepip"
    assert f"{bundled}/pip-1.0-py3-none-any.whl" not in members(done)


@pytest.fixture
def patched(root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a prefix whose pip is its distribution's; no other is on this machine."""
    wheels = tmp_path / "python-wheels"
    wheels.mkdir()
    own = wheel("of the distribution", core="where = '/etc/ssl/certs/ca-certificates.crt'")
    (wheels / "pip-24.0-py3-none-any.whl").write_bytes(own)
    (wheels / "setuptools-24.0-py3-none-any.whl").write_bytes(wheel("", "setuptools"))
    monkeypatch.setattr(pip_wheels, "DISTRIBUTIONS", str(wheels))
    monkeypatch.setattr(pack_pip, "wheels_in", _without_the_running_ones)
    return small_prefix(root, wheels=f"{wheels}/")


def _without_the_running_ones(directory: str) -> list[pip_wheels.Wheel]:
    ours = os.path.dirname(os.__file__)
    return [] if directory.startswith(ours) else pip_wheels.wheels_in(directory)


def test_in_the_place_of_a_distributions_pip_comes_upstreams_of_another_python(
    patched: str, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams = wheel("upstream's")
    monkeypatch.setitem(pip_wheels.KNOWN, "23.2.1", hashlib.sha256(upstreams).hexdigest())
    prefix = installation(layout_from(env)).prefix
    names = {"23.2.1": upstreams, "25.3": wheel("of another"), "24.3.1": wheel("x", core="/etc/")}
    os.makedirs(f"{prefix}/{LIBRARY}/ensurepip/_bundled")
    for version, data in names.items():
        path = f"{prefix}/{LIBRARY}/ensurepip/_bundled/pip-{version}-py3-none-any.whl"
        with open(path, "wb") as file:
            file.write(data)
    done = packed(patched, tmp_path, env)
    assert content(done, f"{LIBRARY}/site-packages/pip/__init__.py") == b"upstream's"
    assert {n for n in members(done) if "_bundled" in n} == {
        f"{LIBRARY}/ensurepip/_bundled/pip-23.2.1-py3-none-any.whl",
        f"{LIBRARY}/ensurepip/_bundled/setuptools-24.0-py3-none-any.whl",
    }


def test_a_pip_that_an_older_packing_left_in_ensurepip_is_replaced_too(
    patched: str, root: str, tmp_path: Path, env: dict[str, str]
) -> None:
    bundled = f"{LIBRARY}/ensurepip/_bundled"
    os.makedirs(f"{root}/{bundled}")
    name = "pip-24.0-py3-none-any.whl"
    os.rename(tmp_path / "python-wheels" / name, f"{patched}/{bundled}/{name}")
    fetched = tmp_path / "fetched"
    fetched.write_bytes(wheel("fetched"))
    asked: list[str] = []

    def fetch(version: str) -> str:
        asked.append(version)
        return str(fetched)

    done = packed(patched, tmp_path, env, fetch_pip=fetch)
    assert asked == [max(pip_wheels.KNOWN, key=pip_wheels.numbers)]
    assert content(done, f"{LIBRARY}/site-packages/pip/__init__.py") == b"fetched"
    wheels = {n for n in members(done) if "_bundled" in n}
    assert wheels == {f"{bundled}/pip-{asked[0]}-py3-none-any.whl"}


def test_without_upstreams_pip_nothing_is_packed(
    patched: str, tmp_path: Path, env: dict[str, str]
) -> None:
    with pytest.raises(BubbleError, match=r"is not upstream's pip") as caught:
        packed(patched, tmp_path, env)
    assert caught.value.kind == "unavailable"
    assert not os.path.exists(tmp_path / "mirror/catalogue.json")
