"""What a refusal says: the real reason, no secret, and a next step that leads somewhere."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys

import pytest

from bubble.model.download import UPSTREAM
from bubble.pythons.catalogue.entry import MalformedError, checked_url
from support.builds import archive_path, small_archive, small_mirror
from support.environments import adopt_python
from support.fault_server import serve
from support.needs import not_here
from support.told import json_error, one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer


@pytest.fixture
def catalogue(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a mirror of small builds; every command of the test uses its catalogue."""
    path = small_mirror(str(tmp_path / "mirror"), ("3.9.25", "3.12.1", "3.15.2"))
    env["BUBBLE_CATALOG"] = path
    monkeypatch.setenv("BUBBLE_CATALOG", path)
    return path


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "address",
    ["http://u:s3cret@h/p", "https://s3cret@h/p/", "http://h/p?key=s3cret", "http://h/p#s3cret"],
)
def test_a_base_url_with_a_secret_is_refused_and_not_shown(
    address: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    for arguments in (("create", "3.12"), ("pack", "/usr")):
        words = ("mirror", arguments[0], str(tmp_path / "m"), arguments[1], "--base-url", address)
        done = bubble(*words, "--json")
        assert done.status == 2
        assert json_error(done.out, 2)["kind"] == "usage"
        assert "s3cret" not in done.out + done.err
        assert not os.path.exists(tmp_path / "m")


def test_an_entry_with_credentials_is_refused_for_what_it_is_and_without_them() -> None:
    for url in ("http://u:s3cret@h/p/a.tar.gz", "HTTPS://s3cret@h/a?s3cret", "ftp://u:s3cret@h/a"):
        with pytest.raises(MalformedError, match="credentials in a URL aren't allowed") as caught:
            checked_url(url)
        assert "s3cret" not in str(caught.value)
    with pytest.raises(MalformedError, match="is no http") as caught:
        checked_url("http://u:s3/cret@h p/a?s3cret")
    assert "cret" not in str(caught.value)


def test_another_archive_of_what_is_installed_is_refused_until_it_is_to_replace_it(
    catalogue: str, bubble: Callable[..., Result], tmp_path: Path
) -> None:
    del catalogue
    assert bubble("python", "install", "3.12.1").status == 0
    other = small_archive(str(tmp_path / "other"), "3.12.1", extra_files=1)
    wanted = ("--from", archive_path(other), "--sha256", other.sha256, "3.12.1")
    done = bubble("python", "install", *wanted)
    assert done.status == 1
    message, hint = one_error(done.err)
    assert "is already installed, with sha256" in message
    assert "--reinstall" in hint
    assert done.out == ""
    arguments = shlex.split(hint.rpartition(": bubble ")[2])
    assert bubble(*arguments).status == 0
    again = bubble("python", "install", *wanted)
    assert (again.status, again.err) == (0, "cpython-3.12.1 is already installed\n")


def test_a_mirror_without_the_build_is_told_from_a_network_that_fails(
    bubble: Callable[..., Result], tmp_path: Path, server: FaultServer
) -> None:
    catalogue = small_mirror(str(tmp_path / "mirror"), ("3.12.1",))
    with open(catalogue, encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries.values():
        entry["url"] = f"{UPSTREAM}20240726/none.tar.gz"
    with open(catalogue, "w", encoding="utf-8") as file:
        json.dump(entries, file)
    for mirror in (f"file://{tmp_path}/nowhere", f"{server.url}/none/"):
        env = {"BUBBLE_CATALOG": catalogue, "BUBBLE_MIRROR": mirror}
        done = bubble("python", "install", "3.12", env=env)
        message, hint = one_error(done.err)
        assert message.startswith("the mirror doesn't have this build: ")
        assert hint.endswith(f"BUBBLE_CATALOG={mirror.rstrip('/')}/catalogue.json")
        assert "network" not in hint
    for end in ("?key=s3cret", "#s3cret"):
        env = {"BUBBLE_CATALOG": catalogue, "BUBBLE_MIRROR": f"{server.url}{end}"}
        done = bubble("python", "install", "3.12", env=env)
        assert done.status == 2
        assert server.url in one_error(done.err)[0]
        assert "query or a fragment" in one_error(done.err)[0]
        assert "s3cret" not in done.err


@pytest.mark.usefixtures("catalogue")
def test_an_archive_that_somebody_brought_was_not_downloaded(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / "own.tar.gz"
    path.write_bytes(b"no archive")
    digest = hashlib.sha256(b"no archive").hexdigest()
    done = bubble("python", "install", "--from", str(path), "--sha256", digest, "3.12.4")
    assert done.status == 1
    one_error(done.err)
    assert "download" not in done.err
    assert "URL" not in done.err


def test_what_comes_over_the_network_is_downloaded_and_a_file_is_copied(
    bubble: Callable[..., Result], catalogue: str
) -> None:
    with serve(os.path.dirname(catalogue)) as server:
        env = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        first = bubble("python", "install", "3.12", env=env).err.splitlines()[0]
        assert first.startswith("cpython-3.12.1: downloading ")
    assert "cpython-3.9.25: copying\n" in bubble("python", "install", "3.9").err


def test_a_venv_that_cannot_be_adopted_is_to_be_moved_away(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    adopt_python(bubble)
    project = tmp_path / "a project"
    place = project / ".venv"
    place.mkdir(parents=True)
    (place / "notes").write_text("mine")
    message, hint = one_error(bubble("create", "--no-pip", cwd=project).err)
    assert message == f"{place} is there already, and bubble didn't make it"
    assert hint == "move it away, then: bubble create"
    assert bubble("adopt", ".venv", cwd=project).status == 1
    os.rename(place, project / "old")
    assert bubble("create", "--no-pip", cwd=project).status == 0
    os.unlink(place / ".bubble-environment")
    _, hint = one_error(bubble("create", "--no-pip", cwd=project).err)
    assert hint.startswith("move it away, then: bubble create; or if you trust what is in it: ")
    assert bubble(*shlex.split(hint.rpartition(": bubble ")[2])).status == 0


def test_the_other_installer_is_offered_only_where_there_is_one(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    if os.path.exists(f"{os.path.dirname(sys.executable)}/uv"):
        not_here("uv lies beside bubble, where it is always found")
    adopt_python(bubble)
    programs = tmp_path / "programs"
    programs.mkdir()
    with_uv = {"PIP_NO_INDEX": "1", "PATH": str(programs)}
    without = {**with_uv, "PATH": str(tmp_path)}
    uv = programs / "uv"
    uv.write_text("#!/bin/sh\nexit 3\n")
    uv.chmod(0o755)
    for words, env, hint in (
        (("--installer", "pip"), without, "mend the requirements"),
        (("--installer", "pip"), with_uv, "mend the requirements, or try uv: --installer uv"),
        ((), with_uv, "mend the requirements, or try pip: --installer pip"),
        (("--no-pip",), with_uv, "mend the requirements"),
    ):
        done = bubble("create", "train", "no-such-package", *words, env=env)
        assert done.status == 1
        assert done.err.splitlines()[-1] == f"  hint: {hint}"
