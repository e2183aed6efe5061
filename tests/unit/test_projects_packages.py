"""One form for whatever a resolver says: paths, addresses, hashes, markers, order."""

from __future__ import annotations

import itertools
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from bubble.model.errors import BubbleError
from bubble.projects.packages import canonical, fits, text_of

if TYPE_CHECKING:
    from bubble.projects.packages import Packages

SUM = "ab" * 32
HEAD = 'lock-version = "1.0"\ncreated-by = "a resolver"\n'


def put(text: str, *, base: str = "/tmp/scratch", root: str = "/home/me/my prójekt") -> Packages:
    def sha256(name: str, url: str, path: str) -> str:
        asked.append((name, url, path))
        return SUM

    return canonical(tomllib.loads(HEAD + text), base=base, root=root, python="3.12", sha256=sha256)


asked: list[tuple[str, str, str]] = []


def wheel(url: str, name: str = "a", more: str = "") -> str:
    return (
        f'[[packages]]\nname = "{name}"\nversion = "1"\n{more}'
        f'wheels = [{{ url = "{url}", hashes = {{ sha256 = "{SUM}" }} }}]\n'
    )


SECRETS = [
    ("https://user:hunter2@h.example/s/a-1-py3-none-any.whl", "https://h.example/s/"),
    ("https://hunter2@h.example/s/a-1-py3-none-any.whl", "https://h.example/s/"),
    ("https://__token__:hunter2@h.example:8443/s/a-1-py3-none-any.whl", "https://h.example:8443/s"),
    ("https://h.example/s/a-1-py3-none-any.whl?X-Amz-Signature=hunter2", "https://h.example/s/"),
    ("https://h.example/s/a-1-py3-none-any.whl?a=b&token=hunter2#sha256=x", "https://h.example/s/"),
    ("https://h.example/s/a-1-py3-none-any.whl#hunter2", "https://h.example/s/"),
]


@pytest.mark.parametrize(("url", "kept"), SECRETS)
@pytest.mark.parametrize("where", ["wheels", "sdist", "archive", "vcs", "index"])
def test_no_secret_of_an_address_gets_into_a_lock(url: str, kept: str, where: str) -> None:
    table = f'{{ url = "{url}", hashes = {{ sha256 = "{SUM}" }} }}'
    match where:
        case "wheels":
            said = f"wheels = [{table}]"
        case "sdist":
            said = f"sdist = {table.replace('-py3-none-any.whl', '.tar.gz')}"
        case "archive":
            said = f"archive = {table}"
        case "vcs":
            said = f'vcs = {{ type = "git", url = "{url}", commit-id = "{"c" * 40}" }}'
        case _:
            said = f'index = "{url}"\nwheels = [{table}]'
    found = put(f'[[packages]]\nname = "a"\nversion = "1"\n{said}\n')
    text = text_of(found)
    assert "hunter2" not in text
    assert kept in text
    assert found.hidden == (() if "@" not in url and "?" not in url else ("a",))


def test_what_lies_in_the_project_is_relative_to_it_and_what_does_not_stays_where_it_is() -> None:
    text = text_of(
        put(
            wheel("file:///home/me/my%20pr%C3%B3jekt/vendor/a-1-py3-none-any.whl")
            + wheel("file:///opt/w/b-1-py3-none-any.whl", "b")
            + '[[packages]]\nname = "c"\ndirectory = { path = "../../home/me/my prójekt/c" }\n'
            '[[packages]]\nname = "d"\ndirectory = { path = "../../home/me/d", editable = true }\n'
            '[[packages]]\nname = "e"\nversion = "1"\narchive = { path = "/opt/e-1.zip", '
            f'hashes = {{ sha256 = "{SUM}" }} }}\n'
        )
    )
    read = {p["name"]: p for p in tomllib.loads(text)["packages"]}
    assert read["a"]["wheels"][0]["path"] == "vendor/a-1-py3-none-any.whl"
    assert read["b"]["wheels"][0]["url"] == "file:///opt/w/b-1-py3-none-any.whl"
    assert read["c"]["directory"] == {"path": "c"}
    assert read["d"]["directory"] == {"path": "../d", "editable": True}
    assert read["e"]["archive"]["path"] == "/opt/e-1.zip"


def test_a_file_without_a_sha256_is_hashed_and_one_with_another_hash_too() -> None:
    asked.clear()
    found = put(
        '[[packages]]\nname = "a"\nversion = "1"\n'
        'wheels = [{ url = "https://h.example/a-1-py3-none-any.whl?k", hashes = { md5 = "0" } },'
        ' { path = "w/a-1-cp312-abi3-linux_x86_64.whl", hashes = { md5 = "0" } }]\n'
    )
    assert asked == [
        ("a", "https://h.example/a-1-py3-none-any.whl?k", ""),
        ("a", "", "/tmp/scratch/w/a-1-cp312-abi3-linux_x86_64.whl"),
    ]
    assert [w["hashes"] for w in found.tables[0]["wheels"]] == [{"sha256": SUM}] * 2


def test_packages_of_other_pythons_are_left_out_and_markers_that_say_nothing_too() -> None:
    markers = {"a": "python_version < '3.12'", "b": "python_version > '3'", "c": "os_name == 'nt'"}
    found = put(
        "".join(
            wheel(f"https://h.example/{name}-1-py3-none-any.whl", name, f'marker = "{marker}"\n')
            for name, marker in markers.items()
        )
    )
    assert [(t["name"], t.get("marker", "")) for t in found.tables] == [
        ("b", ""),
        ("c", "os_name == 'nt'"),
    ]
    assert found.head["requires-python"] == "==3.12.*"


WHEELS = [
    ("py3-none-any", True), ("py2.py3-none-any", True), ("py2-none-any", False),
    ("cp312-cp312-manylinux_2_17_x86_64", True), ("cp311-cp311-win_amd64", False),
    ("cp313-cp313-macosx_11_0_arm64", False), ("cp312-cp312t-linux_x86_64", True),
    ("cp39-abi3-manylinux_2_17_aarch64", True), ("cp313-abi3-win_amd64", False),
    ("cp37.cp38.cp39-abi3.cp312-linux_x86_64", True), ("py312-none-any", True),
    ("py313-none-any", False), ("py310-none-win32", True), ("cp310-none-win_amd64", True),
    ("pp312-pypy312_pp73-linux_x86_64", True), ("pp310-pypy310_pp73-linux_x86_64", False),
    ("graalpy312-graalpy250_312_native-linux_x86_64", True), ("cp2-cp27mu-linux_x86_64", False),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "fit"), WHEELS)
def test_wheels_of_other_pythons_are_left_out(tag: str, fit: bool) -> None:
    assert fits(f"a-1.0-{tag}.whl", "3.12") is fit
    assert fits(f"a-1.0-1build-{tag}.whl", "3.12") is fit


def test_every_wheel_that_an_installer_would_take_stays() -> None:
    """Held against the tags of `packaging`, for CPython, PyPy and free-threaded builds."""
    from packaging import tags

    known = itertools.chain(
        tags.cpython_tags((3, 12), ["cp312"], ["linux_x86_64"]),
        tags.cpython_tags((3, 12), ["cp312t"], ["linux_x86_64"]),
        tags.compatible_tags((3, 12), "cp312", ["linux_x86_64"]),
        tags.generic_tags("pp312", ["pypy312_pp73"], ["linux_x86_64"]),
        tags.compatible_tags((3, 12), "pp312", ["linux_x86_64"]),
    )
    for tag in known:
        if not tag.interpreter.startswith(("cp32", "cp33")):  # with none of which there are wheels
            assert fits(f"a-1.0-{tag}.whl", "3.12"), tag


def test_where_no_wheel_fits_and_nothing_else_is_there_they_all_stay() -> None:
    """The installer says that none fits; a package without files would be worse."""
    found = put(wheel("https://h.example/a-1-cp39-cp39-win32.whl"))
    assert len(found.tables[0]["wheels"]) == 1


def test_the_order_of_an_answer_makes_no_difference() -> None:
    parts = [
        wheel("https://h.example/a-1-py3-none-any.whl", more="marker = \"os_name == 'nt'\"\n"),
        wheel("https://h.example/a-1-py2.py3-none-any.whl", more="marker = \"os_name != 'nt'\"\n"),
        wheel("https://h.example/b-1-py3-none-any.whl", "b"),
        '[[packages]]\nname = "c"\nversion = "1"\nwheels = [\n'
        + ",\n".join(
            f'{{ hashes = {{ sha256 = "{SUM}" }}, url = "https://h.example/c-1-{tag}.whl" }}'
            for tag in ("py3-none-any", "cp312-cp312-win32")
        )
        + "\n]\n",
    ]
    texts = {text_of(put("".join(order))) for order in itertools.permutations(parts)}
    assert len(texts) == 1
    Pylock.from_dict(tomllib.loads(texts.pop())).validate()


def test_an_answer_that_is_no_lock_is_an_error() -> None:
    with pytest.raises(BubbleError) as caught:
        put('[[packages]]\nversion = "1"\n')
    assert caught.value.kind == "resolution"


def test_the_empty_answer_is_a_lock() -> None:
    text = text_of(put("packages = []\n"))
    Pylock.from_dict(tomllib.loads(text)).validate()
