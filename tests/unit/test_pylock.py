"""What a lock file selects (PEP 751), and which locks are refused with which reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.markers import default_environment

from bubble.envs.exchange.pylock import Selected, is_lock, select
from bubble.model.errors import BubbleError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'lock-version = "1.0"\ncreated-by = "a test"\n'
TAGS = ("cp311-cp311-manylinux_2_17_x86_64", "cp311-abi3-linux_x86_64", "py3-none-any")
SUM = "0" * 64
HASHES = f'hashes = {{ sha256 = "{SUM}" }}'
WHEEL = "a-1-py3-none-any.whl"


def chosen(directory: Path, text: str) -> Selected:
    lock = directory / "pylock.toml"
    lock.write_bytes(text.encode("utf-8", "surrogateescape"))
    markers: dict[str, str] = {name: str(v) for name, v in default_environment().items()}
    return select(str(lock), {**markers, "python_full_version": "3.11.9"}, TAGS)


def package(*lines: str, name: str = "a") -> str:
    return "\n".join([f'{HEAD}[[packages]]\nname = "{name}"', *lines, ""])


def test_the_best_wheel_is_chosen_and_named_by_its_version_and_hash(tmp_path: Path) -> None:
    files = (
        "a-1.0-py3-none-any.whl",
        "a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    )
    wheels = ", ".join(f'{{ url = "https://h.example/{f}?k=v&w#x", {HASHES} }}' for f in files)
    found = chosen(tmp_path, package(f"wheels = [{wheels}]"))
    assert found.wheels == (f"a==1.0 --hash=sha256:{SUM}",)
    assert found.links == (f"https://h.example/{files[1]}?k=v&w",)
    assert not found.archives
    assert not found.trees


def test_without_a_wheel_that_fits_the_source_distribution_is_taken(tmp_path: Path) -> None:
    found = chosen(
        tmp_path,
        package(
            f'wheels = [{{ path = "a-2-cp27-cp27m-win32.whl", {HASHES} }}]',
            f'sdist = {{ path = "dist/a-2.tar.gz", {HASHES} }}',
        ),
    )
    assert found.archives == (f"a==2 --hash=sha256:{SUM}",)
    assert found.links == (f"file://{tmp_path}/dist/a-2.tar.gz",)


def test_a_source_tree_is_named_by_its_commit_and_directory(tmp_path: Path) -> None:
    tree = 'vcs = { type = "git", url = "https://h.example/a b.git", commit-id = "c0ffee"'
    found = chosen(tmp_path, package(f'{tree}, subdirectory = "in/side" }}'))
    assert found.trees == ("a @ git+https://h.example/a%20b.git@c0ffee#subdirectory=in/side",)


def test_nothing_in_a_lock_adds_a_line_or_an_option(tmp_path: Path) -> None:
    evil = r"https://h.example/x\n--index-url=http://e.example ${HOME} --hash=sha256:1/a.zip"
    found = chosen(tmp_path, package(f'archive = {{ url = "{evil}", {HASHES} }}'))
    (line,) = found.archives
    assert line.split() == ["a", "@", line.split()[2], f"--hash=sha256:{SUM}"]
    assert not set("{}\n") & set(line)
    tree = r'vcs = { type = "git", url = "https://h.example", commit-id = "1\n-r x" }'
    assert chosen(tmp_path, package(tree)).trees == ("a @ git+https://h.example@1%0A-r%20x",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not = [toml", "can't be read as a lock file: "),
        ("\udcff", "can't be read as a lock file: 'utf-8' codec"),
        ("a = " + "[" * 5000, "can't be read as a lock file: "),
        ('lock-version = "1.0"\npackages = []\n', "Missing required value in 'created-by'"),
        ('lock-version = "2.0"\ncreated-by = "x"\npackages = []\n', "2.0"),
        (
            f'{HEAD}requires-python = ">=3.99"\npackages = []\n',
            "is not for this Python: it needs >=3.99, and this is 3.11.9",
        ),
        (f"{HEAD}environments = [\"os_name == 'never'\"]\npackages = []\n", "environments"),
        (package('vcs = { type = "git", url = "file:///a" }'), "packages[0].vcs.commit-id"),
        (package('vcs = { type = "cvs", url = "u", commit-id = "1" }'), "it comes from cvs"),
        (package(f'wheels = [{{ path = "a-1-cp27-cp27m-win32.whl", {HASHES} }}]'), "No wheel"),
        (package(f'wheels = [{{ path = "nonsense.whl", {HASHES} }}]'), "nonsense.whl"),
        (package(f'wheels = [{{ path = "{WHEEL}", hashes = {{ md5 = "0" }} }}]'), "no sha256"),
        (package(f'wheels = [{{ path = "{WHEEL}", hashes = {{}} }}]'), "At least one hash"),
        (
            package(f'wheels = [{{ path = "{WHEEL}", hashes = {{ sha256 = "0 -r x" }} }}]'),
            "it has no sha256",
        ),
        (
            package(f'wheels = [{{ url = "file:///get?id=1", name = "{WHEEL}", {HASHES} }}]'),
            f"its address doesn't end in {WHEEL}",
        ),
        (package("marker = \"'x' in extra\"", 'directory = { path = "x" }'), "extra"),
    ],
)
def test_a_lock_that_can_not_be_installed_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(BubbleError) as caught:
        chosen(tmp_path, text)
    assert caught.value.kind == "usage"
    assert reason in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("pylock.toml", True),
        ("a/pylock.dev.toml", True),
        ("pylock.a.b.toml", False),
        ("my-pylock.toml", False),
        ("pylock", False),
        ("requirements.txt", False),
    ],
)
def test_a_lock_is_known_by_its_name(name: str, yes: bool) -> None:
    assert is_lock(name) is yes
