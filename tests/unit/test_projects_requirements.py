"""Requirement files are read as pip reads them: the same lines, the same files."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubble.model.errors import BubbleError
from bubble.model.requirement_text import lines_of, logical_lines
from bubble.projects.exchange.requirement_lines import parse_lines
from bubble.projects.requirements import File, read_requirements
from support.needs import not_here

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType
    from typing import Any

NAMES = ("a.txt", "b.txt", "s/c.txt", "sub dir/d.txt", "s/e#f.txt")
# option and value as one line; {} is the file's name, relative to the one that it stands in
OPTIONS = st.sampled_from(
    ["-r ", "-r", "-r\t", "  -r ", "--requirement ", "--requirement=", "--requirem ", "-c ", "-c",
     "--constraint=", "--constraint  ", "--cons ", "-r \\\n ", "# -r ", "six # -r ",
     "six \\\n # -c "],
)  # fmt: skip
VALUES = st.sampled_from(["{}", '"{}"', "'{}'", "{}  # c", "{}\t", "{}#x"])
NAMING = st.builds("{}{}".format, OPTIONS, VALUES)
OTHERS = st.sampled_from(["six", "", "  ", "six>1  # x", "six \\", "#", "# \\", "--pre", "\\"])
CONTENT = st.lists(st.tuples(st.sampled_from(NAMES), NAMING | OTHERS), max_size=4)


def written(root: str, contents: tuple[list[tuple[str, str]], ...], ends: str) -> None:
    for name, lines in zip(NAMES, contents, strict=True):
        path = f"{root}/{name}"
        here = os.path.dirname(path)
        os.makedirs(here, exist_ok=True)
        said = [line.replace("{}", os.path.relpath(f"{root}/{to}", here)) for to, line in lines]
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write("\n".join(said).replace("\n", ends))


def ours(root: str) -> dict[str, File] | None:
    """Return what we read, None for an error."""
    files: dict[str, File] = {}
    try:
        read_requirements(f"{root}/a.txt", root, files)
    except BubbleError:
        return None
    return files


def pips(root: str, module: ModuleType) -> dict[str, list[str]] | None:
    """Return what pip reads: the files, and each one's requirements; None for an error."""
    found: dict[str, list[str]] = {}
    real = module.get_file_content

    def watched(url: str, *arguments: Any, **words: Any) -> Any:
        found.setdefault(os.path.normpath(url), [])
        return real(url, *arguments, **words)

    module.get_file_content = watched  # type: ignore[attr-defined] # the one place it reads by
    try:
        for one in module.parse_requirements(f"{root}/a.txt", session=None):
            place = one.line_source.partition("(line ")[2].partition(" of ")[2].removesuffix(")")
            found[os.path.normpath(place)].append(one.requirement)
    except (SystemExit, Exception):  # noqa: BLE001 - whatever it dislikes
        return None
    finally:
        module.get_file_content = real  # type: ignore[attr-defined] # as it was
    return found


@pytest.fixture(scope="module")
def pip() -> ModuleType:
    try:
        module = importlib.import_module("pip._internal.req.req_file")
    except ImportError:
        not_here("pip in this environment, to compare with")
    if not {"get_file_content", "parse_requirements"} <= vars(module).keys():
        not_here("the inside of a pip that this test knows")
    return module


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(contents=st.tuples(*[CONTENT] * len(NAMES)), ends=st.sampled_from(["\n", "\r\n"]))
def test_pip_reads_the_same_files_and_requirements(
    contents: tuple[list[tuple[str, str]], ...],
    ends: str,
    tmp_path: Path,
    pip: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = os.path.realpath(tmp_path)
    written(root, contents, ends)
    expected = pips(root, pip)
    capsys.readouterr()  # its usage
    if expected is None:
        return
    found = ours(root)
    assert found is not None
    assert found.keys() == expected.keys()
    for path, file in found.items():
        plain = [line.text for line in file.lines if not line.option and line.text[:1] != "-"]
        assert set(plain) >= set(expected[path])


def test_an_unquoted_name_ends_at_a_blank_unless_a_file_has_that_name(tmp_path: Path) -> None:
    root = os.path.realpath(tmp_path)
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "a.txt").write_text("-r b.txt \\\nsix\n")
    assert list(ours(root) or ()) == [f"{root}/a.txt", f"{root}/b.txt"]
    (tmp_path / "b.txt six").write_text("")
    assert list(ours(root) or ()) == [f"{root}/a.txt", f"{root}/b.txt six"]


LOCAL = {
    "-e .": ".",
    "-e ../lib[fast]": "../lib",
    "--editable=./lib": "lib",
    ".": ".",
    "./wheels/x-1-py3-none-any.whl --hash=sha256:0": "wheels/x-1-py3-none-any.whl",
    "x-1.tar.gz": "x-1.tar.gz",
    "lib @ file:///srv/lib": "/srv/lib",
    "lib[a,b] @ file:///srv/my%20lib#egg=lib": "/srv/my lib",
    "-e file:///srv/lib": "/srv/lib",
    "lib @ file://${PROJECT_ROOT}/lib": "lib",
    "lib @ ./lib ; python_version > '3'": "lib",
    "-e 'my lib'": "",
    "six": "",
    "six>=1.0/x": None,
    "lib @ https://host/a/lib.whl": "",
    "-e git+https://host/lib.git#egg=lib": "",
    "git+ssh://git@host/lib.git": "",
    "--index-url /srv/simple": "",
    "${WHERE}/lib": "",
}


@pytest.mark.parametrize("text", LOCAL)
def test_what_lies_on_this_machine_is_recognised(text: str, tmp_path: Path) -> None:
    root = os.path.realpath(tmp_path)
    (tmp_path / "a.txt").write_text(text)
    files = ours(root)
    assert files is not None
    wanted = LOCAL[text]
    if wanted is not None:
        expected = os.path.normpath(os.path.join(root, wanted)) if wanted else ""
        assert [line.names for line in files[f"{root}/a.txt"].lines] == [expected]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_a_file_is_decoded_as_pip_decodes_it(encoding: str, tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else ""
    (tmp_path / "a.txt").write_bytes(f"{text}./é\n".encode(encoding))
    files = ours(os.path.realpath(tmp_path))
    assert files is not None
    assert [line.text for file in files.values() for line in file.lines] == ["./é"]


ALIKE = """\
-r other.txt
--requirement=\"other.txt\"
--requirem other.txt   # as short as pip lets it be
--constr\tother.txt
-cother.txt
-c = other.txt
six \\
  >=1 \\
# between
idna ; python_version > "3" # why
attrs#not-a-comment
"""


def test_what_locks_and_what_imports_reads_a_files_options_alike(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("")
    (tmp_path / "r.txt").write_text(ALIKE.replace("attrs#not-a-comment\n", ""))
    files: dict[str, File] = {}
    read_requirements(f"{tmp_path}/r.txt", str(tmp_path), files)
    ours = [(line.number, line.option) for line in files[f"{tmp_path}/r.txt"].lines]
    short = {"--requirement": "-r", "--constraint": "-c"}
    theirs = [
        (line.number, short.get(line.option, ""))
        for line in parse_lines((tmp_path / "r.txt").read_text(), "r.txt")
    ]
    assert ours == theirs
    assert [option for _, option in ours] == ["-r"] * 3 + ["-c"] * 3 + [""] * 2
    [*_, last] = logical_lines(lines_of(ALIKE.rstrip("\n")))
    assert last == (11, "attrs#not-a-comment")


@pytest.mark.parametrize(
    ("text", "count", "reason"),
    [("a\n" * 60_000, 4, "200000 lines"), (f"# {'a' * (6 << 20)}\n", 3, "16 MiB")],
    ids=["lines", "bytes"],
)
def test_what_all_files_together_may_have_is_bounded(
    tmp_path: Path, text: str, count: int, reason: str
) -> None:
    for number in range(count):
        (tmp_path / f"{number}.txt").write_text(f"{text}-r {number + 1}.txt\n")
    files: dict[str, File] = {}
    with pytest.raises(BubbleError, match=f"lead to more than {reason}") as caught:
        read_requirements(f"{tmp_path}/0.txt", str(tmp_path), files)
    assert caught.value.kind == "manifest"
    assert len(files) == count
