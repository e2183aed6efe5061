"""Every command line in the documentation is executed, and prints what the page shows.

How pages are written for this is told in `support.pages`; `support.reader` is who types them.
`docs/reference.md` is generated: its command lines are the examples that test_examples.py runs.
"""

from __future__ import annotations

import os
import re
import shlex
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from bubble.cli.arguments import make_parser
from bubble.cli.table import COMMANDS, GROUPS
from support.fault_server import serve
from support.needs import needs, real_uv
from support.pages import Block, Step, agrees, escapes, pages, parts, session, steps, text_of
from support.reader import Library, Reader, with_needed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GENERATED = "docs/reference.md"
PAGES = [page for page in pages() if page == "README.md" or page.startswith("docs/")]
WRITTEN = [page for page in PAGES if page != GENERATED]
WITH_UV = "<!-- with uv -->"  # on pages that lock a project, which uv resolves
WITH_NEEDED = "<!-- with what bubble needs -->"  # on pages that make a bundle
# the blocks that say that they aren't run: whoever adds one counts it here
NOT_RUN = 19


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(str(tmp_path_factory.mktemp("library")))


def with_uv(root: str, library: Library) -> dict[str, str]:
    """Put uv onto the reader's PATH, or skip; it takes the same wheels as pip."""
    os.makedirs(f"{root}/bin")
    os.symlink(real_uv(), f"{root}/bin/uv")
    return {"UV_OFFLINE": "1", "UV_FIND_LINKS": library.wheels, "UV_NO_CONFIG": "1"}


@needs("git", "make", "bash")
@pytest.mark.parametrize("page", [page for page in WRITTEN if steps(text_of(page))])
def test_a_page_does_what_it_says(page: str, library: Library, tmp_path: Path) -> None:
    more = with_uv(str(tmp_path), library) if WITH_UV in text_of(page) else {}
    more |= with_needed(library) if WITH_NEEDED in text_of(page) else {}
    with (
        serve(f"{tmp_path}/srv") as server,
        Reader(str(tmp_path), library, server.url, more) as reader,
    ):
        for step in steps(text_of(page)):
            reader.check(step, page)


@pytest.mark.parametrize("page", WRITTEN)
def test_no_command_line_escapes(page: str) -> None:
    assert not escapes(text_of(page)), "run them (```console, ```sh), or say why not"


def test_what_is_not_run_says_why() -> None:
    marked = [
        f"{page}:{part.line}: {part.reason}"
        for page in WRITTEN
        for part in parts(text_of(page))
        if isinstance(part, Block) and part.reason
    ]
    print(*marked, sep="\n")
    assert all(len(place.split()) > 2 for place in marked), marked
    assert len(marked) == NOT_RUN, marked


def test_the_reference_has_no_command_lines_but_examples() -> None:
    examples = {
        f"{line}  # {meaning}"
        for name, _ in COMMANDS.values()
        for line, meaning in import_module(f"bubble.cli.commands.{name}").EXAMPLES
    }
    found = [part for part in parts(text_of(GENERATED)) if isinstance(part, Block)]
    lines = {line for block in found if block.language == "sh" for line in block.lines}
    assert lines == examples
    others = [line for block in found if block.language != "sh" for line in block.lines]
    usages = [line for line in others if line.startswith("bubble ")]
    assert len(usages) == len(COMMANDS)


@pytest.mark.parametrize("page", WRITTEN)
def test_what_bubble_must_have_done_before_a_pages_first_command_is_said_there(page: str) -> None:
    hidden: list[str] = []
    first = 0
    for part in parts(text_of(page)):
        if isinstance(part, Step):
            hidden += re.findall(r"\bbubble (?:python )?[a-z]+", part.command)
        elif part.language in {"console", "sh"} and not part.reason:
            first = part.line
            break
    above = "\n".join(text_of(page).splitlines()[:first])
    said = re.sub(r"<!--.*?-->", "", above, flags=re.DOTALL)
    assert [command for command in hidden if f"`{command}" not in said] == []


def inline(page: str) -> Iterator[str]:
    """Yield the command lines in the prose of a page."""
    text = re.sub(r"<!--.*?-->", "", text_of(page), flags=re.DOTALL)
    text = re.sub(r"^ *(```+).*?^ *\1 *$", "", text, flags=re.DOTALL | re.MULTILINE)
    for quoted in re.findall(r"(?<!`)`([^`]+)`(?!`)", text):
        line = " ".join(quoted.split())
        if line.startswith("bubble "):
            yield line


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_and_options_in_the_prose_exist(page: str) -> None:
    for line in inline(page):
        words = shlex.split(re.split(r" [|>;] | && |…", line.replace("[", "").replace("]", ""))[0])
        if words[1:2] == ["--system"]:
            del words[1]
        if len(words) < 2 or words[1] in {"--help", "--version", "help"}:
            continue
        if words[1].isupper() or words[1] == "shim-fallback":  # a placeholder, the shim's own
            continue
        command = " ".join(words[1 : 3 if words[1] in GROUPS else 2])
        if command in GROUPS:
            continue
        assert command in COMMANDS, f"{page}: {line}"
        name, summary = COMMANDS[command]
        parser = make_parser(command, summary, import_module(f"bubble.cli.commands.{name}"))
        if command not in {"run", "exec"}:
            known = set(parser._option_string_actions)
            assert {w.partition("=")[0] for w in words if w.startswith("--")} <= known, line


# the harness itself


@needs("bash")
@pytest.mark.parametrize(
    "wrong", ["$ echo one\ntwo", "$ false", "$ echo error: no\nerror: no", "$ echo x\n$ echo y\ny"]
)
def test_a_difference_a_failure_and_an_unexpected_output_are_found(
    wrong: str, library: Library, tmp_path: Path
) -> None:
    first, *_ = session(Block(1, "console", tuple(wrong.splitlines())))
    with Reader(str(tmp_path), library) as reader:
        with pytest.raises(AssertionError, match="page:1:"):
            reader.check(first, "page")
        reader.check(Step(1, "echo error: yes >&2; false", ("error: …",)), "page")
        reader.check(Step(1, "printf x", ("x",)), "page")
        with pytest.raises(EOFError):
            reader.type(Step(1, "exit"))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("```yaml\n- run: bubble create\n```", 1),
        ("```\nsudo /opt/bin/bubble create\n```", 1),
        ("say\n\n    bubble use 3.12\n", 1),
        ("<!-- not run: no network -->\n```yaml\n- run: bubble create\n```", 0),
        ("<!-- not run: no network -->\nprose\n\n```yaml\n- run: bubble create\n```", 1),
        ("```\n/home/me/bubble shims\n```", 0),
        ("```console\n$ bubble create\n```", 0),
    ],
)
def test_an_escaping_command_line_is_found(text: str, escaped: int) -> None:
    assert len(escapes(text)) == escaped


def test_wildcards_stand_for_a_part_of_a_line_or_for_lines() -> None:
    assert agrees(["a … c", "…", "z"], ["a b c", "1", "2", "z"])
    assert agrees(["…", "z"], ["z"])
    assert not agrees(["a … c"], ["a b", "c"])
    assert not agrees(["a"], ["a", "b"])
    assert not agrees([], ["a"])


def test_the_pages_are_found() -> None:
    assert {"README.md", "docs/tutorial.md", "docs/how-to/ci.md"} <= set(PAGES)
    assert os.path.join("docs", "reference.md") == GENERATED
