"""`bubble export`: what `pip freeze` says, without running it, and never a secret."""

from __future__ import annotations

import json
import os

import pytest

from bubble.envs.exchange.export import distributions, exported, warnings_of
from bubble.model.package import canonical_name
from bubble.model.urls import published
from support.environments import adopt_python, create, install
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from conftest import Result

    Bubble = Callable[..., Result]

SECRET = "hunter2-canary"


@pytest.fixture
def made(tmp_path: Path) -> str:
    """Return an environment's directory with nothing but an empty site-packages."""
    root = tmp_path / "made"
    (root / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    return str(root)


def put(root: str, name: str, version: str = "1.0", url: dict[str, Any] | None = None) -> str:
    info = f"{root}/lib/python3.12/site-packages/{name}-{version}.dist-info"
    os.mkdir(info)
    with open(f"{info}/METADATA", "w") as file:
        file.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: no\n")
    if url is not None:
        with open(f"{info}/direct_url.json", "w") as file:
            json.dump(url, file)
    return info


def requirements(root: str) -> list[str]:
    return [d.requirement for d in exported(root)]


def test_it_says_what_pip_freeze_says(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    path = create(bubble, "train")
    index = tmp_path / "index"
    index.mkdir()
    for name, version in (("zebra", "2.0"), ("Apple_pie", "1.1"), ("mid.dle", "3.0rc1")):
        wheel(str(index), name.replace(".", "_"), version)
    found = ["pip", "install", "--no-index", "--find-links", str(index)]
    assert bubble("run", path, *found, "zebra", "Apple_pie", "mid_dle==3.0rc1").status == 0
    install(bubble, path, tmp_path, "direct")
    freeze = bubble("run", path, "pip", "freeze")
    done = bubble("export", "train")
    assert done.status == 0, done.err
    assert done.out == freeze.out
    assert len(done.out.splitlines()) == 4


def test_what_it_says_makes_the_same_environment_again(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    path = create(bubble, "train")
    install(bubble, path, tmp_path, "tool")
    file = tmp_path / "requirements.txt"
    file.write_text(bubble("export", "train").out)
    create(bubble, "again", "-r", str(file), "--installer", "pip")
    assert bubble("export", "again").out == bubble("export", "train").out
    assert bubble("run", "again", "tool").out == "tool 1.0\n"


def test_editable_installs_are_exported_as_their_directory(made: str, tmp_path: Path) -> None:
    project = tmp_path / "my project"
    project.mkdir()
    url = {"url": project.as_uri(), "dir_info": {"editable": True}}
    put(made, "mine", url=url)
    (only,) = exported(made)
    assert only.requirement == f"-e {project.as_uri()}", "as both pip and uv take it"
    assert only.comment == "# Editable install with no version control (mine==1.0)"
    (project / ".git").mkdir()
    (only,) = exported(made)
    assert only.comment == "# Editable Git install, exported as its directory (mine==1.0)"


def test_what_setup_py_develop_left_is_read(made: str, tmp_path: Path) -> None:
    egg = tmp_path / "old" / "old_style.egg-info"
    egg.mkdir(parents=True)
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.0\r\nName: old-style\r\nVersion: 0.1\r\n")
    with open(f"{made}/lib/python3.12/site-packages/old-style.egg-link", "w") as file:
        file.write(f"{tmp_path}/old\n.")
    with open(f"{made}/lib/python3.12/site-packages/flat-2.0-py3.12.egg-info", "w") as file:
        file.write("Metadata-Version: 1.0\nName: flat\nVersion: 2.0\n")
    assert requirements(made) == ["flat==2.0", f"-e {tmp_path}/old"]


URLS = {
    "vcs": (
        {
            "url": f"https://bob:{SECRET}@git.example/x.git",
            "vcs_info": {"vcs": "git", "commit_id": "abc123"},
        },
        "vcs @ git+https://git.example/x.git@abc123",
    ),
    "token": (
        {
            "url": f"https://{SECRET}@git.example/x.git",
            "vcs_info": {"vcs": "git", "commit_id": "abc123"},
            "subdirectory": "sub",
        },
        "token @ git+https://git.example/x.git@abc123#subdirectory=sub",
    ),
    "signed": (
        {
            "url": f"https://store.example/s-1.0.whl?sig={SECRET}",
            "archive_info": {"hashes": {"sha256": "00ff"}},
        },
        "signed @ https://store.example/s-1.0.whl#sha256=00ff",
    ),
}


@pytest.mark.parametrize("name", URLS)
def test_credentials_are_left_out_and_that_is_said(
    bubble: Bubble, tmp_path: Path, name: str
) -> None:
    adopt_python(bubble)
    path = create(bubble, "train", "--no-pip")
    (library,) = [n for n in os.listdir(f"{path}/lib") if n.startswith("python")]
    os.makedirs(tmp_path / "lib")
    os.symlink(f"{path}/lib/{library}", tmp_path / "lib" / "python3.12")
    url, expected = URLS[name]
    put(str(tmp_path), name, url=url)
    done = bubble("export", "train")
    assert done.out == f"{expected}\n"
    assert f"warning: {name} was installed from a URL with credentials" in done.err
    for arguments in (["export", "train"], ["export", "train", "--json"], ["info", "train"]):
        said = bubble(*arguments)
        assert SECRET not in said.out + said.err


@pytest.mark.parametrize(
    ("url", "clean", "hidden"),
    [
        ("https://example.org/x", "https://example.org/x", False),
        ("ssh://git@example.org/x", "ssh://git@example.org/x", False),
        ("ssh://git:pw@example.org/x", "ssh://example.org/x", True),
        ("https://${USER}:${TOKEN}@example.org/x", "https://${USER}:${TOKEN}@example.org/x", False),
        ("https://me:${TOKEN}@example.org/x", "https://example.org/x", True),
        ("https://a@b@example.org/x", "https://example.org/x", True),
        ("file:///x%20y", "file:///x%20y", False),
        ("https://[::1/x", "", True),
    ],
)
def test_what_could_be_a_secret_goes(url: str, clean: str, hidden: bool) -> None:
    assert published(url) == (clean, hidden)


def test_pip_is_left_out_and_before_3_12_what_builds(made: str) -> None:
    for name in ("pip", "setuptools", "wheel", "x"):
        put(made, name)
    assert requirements(made) == ["setuptools==1.0", "wheel==1.0", "x==1.0"]
    os.rename(f"{made}/lib/python3.12", f"{made}/lib/python3.11")
    assert requirements(made) == ["x==1.0"]
    assert len(distributions(made)) == 4


@pytest.mark.parametrize(
    "damage", ["", "Name: x\n", "\0\0\0", "Version: 1\n\nName: late\n", "no colon here\n"]
)
def test_damaged_metadata_is_told_and_its_directorys_name_counts(made: str, damage: str) -> None:
    put(made, "good")
    with open(f"{put(made, 'was_bad')}/METADATA", "w") as file:
        file.write(damage)
    packages = f"{made}/lib/python3.12/site-packages"
    for left in ("empty-1.dist-info", "gone-1.egg-info", "noversion.dist-info"):
        os.mkdir(f"{packages}/{left}")
    with open(f"{packages}/noversion.dist-info/METADATA", "w") as file:
        file.write(damage)
    assert requirements(made) == ["good==1.0", "was-bad==1.0"]
    (said,) = warnings_of(exported(made), made)
    assert said.startswith("was-bad: its metadata is damaged")


def test_what_an_interrupted_pip_left_is_not_installed(made: str) -> None:
    put(made, "good")
    put(made, "~abulate")
    assert requirements(made) == ["good==1.0"]


@pytest.mark.parametrize("minor", ["3.9", "3.11", "3.12"])
def test_setuptools_that_was_asked_for_is_exported(made: str, minor: str) -> None:
    for name in ("pip", "setuptools", "wheel"):
        put(made, name)
    os.rename(f"{made}/lib/python3.12", f"{made}/lib/python{minor}")
    with open(f"{made}/pyvenv.cfg", "w") as file:
        file.write("home = /usr/bin\nbubble = 0.1.0\n")
    assert requirements(made) == ["setuptools==1.0", "wheel==1.0"]


def test_places_of_this_machine_are_told_on_one_line(made: str, tmp_path: Path) -> None:
    put(made, "mine", url={"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    put(made, "wheel", url={"url": "file:///tmp/x-1.0.whl", "archive_info": {}})
    put(made, "public", url={"url": "https://x.example/x-1.0.whl", "archive_info": {}})
    put(made, "plain")
    assert warnings_of(exported(made), made) == (
        "2 lines name places on this machine alone: mine, wheel",
    )
    assert warnings_of([d for d in exported(made) if d.name != "wheel"], made) == (
        "1 line names a place on this machine alone: mine",
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"url": 3}', '{"dir_info": 1, "url": "x"}']
)
def test_a_damaged_direct_url_counts_as_an_index(made: str, text: str) -> None:
    with open(f"{put(made, 'x')}/direct_url.json", "w") as file:
        file.write(text)
    assert requirements(made) == ["x==1.0"]


def test_a_directory_that_was_installed_is_named_by_its_address(made: str) -> None:
    put(made, "mine", url={"url": "file:///src/mine", "dir_info": {}})
    assert requirements(made) == ["mine @ file:///src/mine"]


@pytest.mark.parametrize("text", ["", "/no/such/project\n.\n"])
def test_a_link_to_a_project_that_is_gone_counts_as_nothing(made: str, text: str) -> None:
    put(made, "good")
    with open(f"{made}/lib/python3.12/site-packages/old-style.egg-link", "w") as file:
        file.write(text)
    assert requirements(made) == ["good==1.0"]


def test_names_compare_as_pep_503_says() -> None:
    assert canonical_name("Foo__Bar.-baz") == "foo-bar-baz"


def test_json_has_each_part(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    path = create(bubble, "train")
    install(bubble, path, tmp_path, "tool")
    (entry,) = bubble("export", "train", "--json").json["data"]
    assert (entry["name"], entry["version"], entry["editable"]) == ("tool", "1.0", False)
    assert entry["url"].startswith("file://")
