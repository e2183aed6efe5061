"""`scripts/faults`: each harness is in one part, and nothing that failed or didn't run holds."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

from reliability import page
from reliability.__main__ import main
from reliability.outcome import Row, outcomes
from reliability.parts import PARTS, part_of
from support.figures import VARIABLE, caught, record

if TYPE_CHECKING:
    from pathlib import Path

FAULTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "faults")
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.faults.test_mix" name="test_a[x.y]" time="30"/>
<testcase classname="tests.faults.test_mix" name="test_b" time="30">{}</testcase>
</testsuite></testsuites>
"""


def test_every_file_of_tests_faults_is_in_a_part_and_every_part_has_a_file() -> None:
    files = [f"faults/{n}" for n in os.listdir(FAULTS) if n.startswith("test_")]
    assert len(files) > 20
    assert {part_of(file).name for file in files} == {part.name for part in PARTS}


def outcome(tmp_path: Path, body: str, *figures: dict[str, object]) -> list[str]:
    (tmp_path / "junit").write_text(JUNIT.format(body))
    lines = [json.dumps({"test": "tests/faults/test_mix.py", **figure}) for figure in figures]
    (tmp_path / "figures").write_text("".join(f"{line}\n" for line in lines))
    (one,) = outcomes(["concurrency"], f"{tmp_path}/junit", f"{tmp_path}/figures")
    return one.wrong(full=True, whole=True)


CAUGHT: list[dict[str, object]] = [{"bug": str(n), "by": "it"} for n in range(9)]


def test_a_part_holds_when_all_ran_and_each_bug_was_caught(tmp_path: Path) -> None:
    assert outcome(tmp_path, "", *CAUGHT) == []


@pytest.mark.parametrize(
    ("body", "figures", "what"),
    [
        ("<failure/>", CAUGHT, "failed: faults/test_mix.py::test_b"),
        ("<error/>", CAUGHT, "failed: faults/test_mix.py::test_b"),
        ('<skipped message="needs strace"/>', CAUGHT, "not tried: needs strace"),
        ("", CAUGHT[:1], "2 planted bugs weren't caught"),
        ("", [*CAUGHT, {"what": "x", "tried": 9, "held": 8, "note": ""}], "x: 8 of 9"),
        ("", [*CAUGHT, {"what": "x", "tried": 0, "held": 0, "note": ""}], "x: 0 of 0"),
    ],
)
def test_a_part_does_not_hold_when_something_failed_or_was_not_tried(
    tmp_path: Path, body: str, figures: list[dict[str, object]], what: str
) -> None:
    assert outcome(tmp_path, body, *figures) == [what]


def test_what_this_machine_cannot_have_is_listed_and_fails_nothing(tmp_path: Path) -> None:
    assert outcome(tmp_path, '<skipped message="not here: root only"/>', *CAUGHT) == []


def test_a_part_of_which_nothing_ran_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "junit").write_text("<testsuites/>")
    (one,) = outcomes(["power"], f"{tmp_path}/junit", f"{tmp_path}/figures")
    assert "not one test ran" in one.wrong(full=True, whole=True)


def test_figures_written_side_by_side_are_added_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"{tmp_path}/figures")
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tests/faults/test_mix.py::test_x (call)")

    def work() -> None:
        for _ in range(50):
            record("commands", tried=2, held=2, note="here")
        caught("no lock", by="the mix")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (tmp_path / "junit").write_text(JUNIT.format(""))
    (one,) = outcomes(["concurrency"], f"{tmp_path}/junit", f"{tmp_path}/figures")
    assert one.rows == {"commands": Row("commands", 400, 400, "here")}
    assert list(one.caught) == [("no lock", "the mix")]
    assert one.seconds == 60


def test_the_page_gets_its_tables_between_the_marks_and_what_failed(tmp_path: Path) -> None:
    (tmp_path / "junit").write_text(JUNIT.format("<failure/>"))
    found = outcomes(["concurrency"], f"{tmp_path}/junit", f"{tmp_path}/figures")
    found[0].rows["x"] = Row("x", 1234, 1233)
    wrong = {"concurrency": found[0].wrong(full=True, whole=True)}
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n<!-- end -->\nafter\n")
    page.write(str(path), found, wrong, {"command": "scripts/faults"})
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "| Many at once (`concurrency`) | 1 | 1,234 | 0 |  | 1.0 | **no** |" in text
    assert "| x | 1,234 | **1,233** |  |" in text
    assert "- concurrency: failed: faults/test_mix.py::test_b" in text
    assert "\nold\n" not in text


def test_the_long_form_says_at_once_that_it_has_no_real_build(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for archive in ("", f"{tmp_path}/missing"):
        monkeypatch.setenv("BUBBLE_TEST_PBS_ARCHIVE", archive)
        with pytest.raises(SystemExit) as ended:
            main(["--full"])
        assert ended.value.code == 2
        assert "scripts/fetch-real-build" in capsys.readouterr().err
