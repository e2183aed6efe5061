"""The bench: its arithmetic, its page and its plots; and that a small section of it runs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench import page, plot
from bench.context import Bench, Rounds
from bench.measure import Run, paired, run, spawn, spread
from bench.place import Place
from bench.results import Absent, Result
from bench.sections import SECTIONS, Section, measured
from bench.server import Server

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = {"date": "2026-01-02", "machine": "a small one", "bubble": "bubble 1", "command": "x"}
PAGE = f"""# Page
{page.BEGIN.format("about")}
{page.END}
between
{page.BEGIN.format("start")}
old
{page.END}
after
"""
BOUND = Result("start | it", "ms", {"bubble": [1, 2, 3], "uv": [2, 4, 6]}, "uv", 1.0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Place(str(tmp_path)), Rounds(2, 2, 2))


def test_a_ratio_is_that_of_the_medians_and_paired_is_the_median_of_the_ratios() -> None:
    result = Result("x", "ms", {"bubble": [1, 4, 30], "uv": [2, 2, 10]}, "uv", 1.0)
    assert result.ratio == 2
    assert result.paired == 2
    assert paired([1, 9], [2, 3]) == 1.75
    assert result.holds is False


def test_without_its_reference_a_result_has_no_ratio_and_says_nothing_of_its_goal() -> None:
    result = Result("x", "ms", {"bubble": [1.0]}, "uv", 1.0)
    assert (result.ratio, result.paired, result.holds) == (None, None, None)


def test_without_a_reference_the_worst_sample_counts_unless_the_typical_is_asked_for() -> None:
    samples = {"bubble": [1.0, 1.0, 9.0]}
    assert Result("x", "MiB", samples, "", 5).holds is False
    assert Result("x", "MiB", samples, "", 5, typical=True).holds is True
    assert Result("x", "MiB", samples, "", None).holds is None


def test_the_spread_of_one_sample_is_that_sample() -> None:
    assert spread([7.0]).median == 7
    assert spread([1.0, 2.0, 3.0]).median == 2


def test_a_table_has_a_column_for_each_contestant_and_says_what_is_not_reached() -> None:
    slow = Result("other", "ms", {"bubble": [9], "mise": [3]}, "mise", 1.0)
    lines = page.table([BOUND, slow])
    assert lines[0] == "| what | bubble | uv | mise | ratio | paired | asked for | reached |"
    assert lines[2].endswith("|  | 0.50 | 0.50 | ≤ 1 of uv | yes |")
    assert lines[3].endswith("| 3.00 | 3.00 | ≤ 1 of mise | **no** |")


def test_a_section_is_replaced_on_the_page_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    page.write(str(path), {"start": [BOUND, Absent("a row", "no such tool")]}, ABOUT)
    text = path.read_text()
    assert "old" not in text
    assert "| 0.50 | 0.50 |" in text
    assert "- not here: a row (no such tool)" in text
    assert "\nbetween\n" in text
    assert text.endswith("after\n")
    document = json.loads((tmp_path / "page.json").read_text())
    found = document["sections"]["start"]
    assert found["results"][0]["samples"] == BOUND.samples
    assert found["not_here"] == [{"what": "a row", "not here": "no such tool"}]
    page.write(str(path), {"start": [BOUND]}, {**ABOUT, "date": "tomorrow"}, every=False)
    again = path.read_text()
    assert "no such tool" not in again
    assert "(tomorrow, " in again  # above the table
    assert f"- date: {ABOUT['date']}\n" in again


def test_a_page_without_the_marks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("nothing")
    with pytest.raises(RuntimeError, match="marks"):
        page.write(str(path), {"start": [BOUND]}, ABOUT)


def test_a_page_that_is_not_there_is_begun_with_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    assert page.unwritable(str(path), ["start"]) == ""
    page.write(str(path), {"start": [BOUND]}, ABOUT)
    text = path.read_text()
    assert "| 0.50 | 0.50 |" in text
    assert f"- date: {ABOUT['date']}\n" in text
    assert page.unwritable(str(path), ["start"]) == ""


def test_what_can_not_be_written_to_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    page_without_marks = tmp_path / "page.md"
    page_without_marks.write_text("nothing")
    assert "marks for: start" in page.unwritable(str(page_without_marks), ["start"])
    assert "is no directory" in page.unwritable(f"{tmp_path}/not/there.md", ["start"])
    assert "directory" in page.unwritable(str(tmp_path), ["start"])


def test_the_page_of_the_project_has_the_marks_of_every_section() -> None:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(f"{root}/docs/performance.md", encoding="utf-8") as file:
        text = file.read()
    for name in ("about", *(section.name for section in SECTIONS)):
        assert text.count(page.BEGIN.format(name)) == 1, name


def _document(*results: Result) -> dict[str, object]:
    return {"sections": {"a": {"results": [result.as_dict() for result in results]}}}


def test_the_plot_of_the_ratios_is_well_formed_and_has_a_bar_for_each_peer() -> None:
    cursed = Result("a <b> & c", "ms", {"bubble": [2], "uv": [1], "pyenv": [400]}, "uv", 1.0)
    drawn = ET.fromstring(plot.ratios(_document(BOUND, cursed)))
    titles = [t.text for t in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert "a <b> & c: uv 0.50" in titles
    assert "a <b> & c: pyenv 200.00" in titles
    assert "start | it: uv 2.00" in titles


def test_another_way_of_ones_own_is_no_peer_in_the_plot() -> None:
    samples = {"bubble": [2.0], "bubble, by tar": [3.0], "pex": [4.0]}
    drawn = plot.ratios(_document(Result("unpack", "ms", samples, "", None)))
    assert "unpack: pex 2.00" in drawn
    assert "by tar" not in drawn


def test_what_can_not_be_drawn_on_a_logarithmic_scale_is_left_out() -> None:
    below = Result("added", "ms", {"bubble": [-0.1], "uv": [3]}, "", None)
    assert "added" not in plot.ratios(_document(BOUND, below))
    ET.fromstring(plot.ratios(_document()))
    ET.fromstring(plot.curves(_document()))


def test_a_curve_has_a_point_for_each_count() -> None:
    points = [
        Result(f"list: {n}", "ms", {"bubble": [n + 1.0], "mise": [5.0]}, "", None, curve="l", at=n)
        for n in (1, 10, 1000)
    ]
    text = plot.curves(_document(*points))
    ET.fromstring(text)
    assert text.count("<polyline") == 2
    assert text.count("<circle") == 6
    assert "list" not in plot.ratios(_document(*points))
    assert page.shown([*points, Absent("x", "y")]) == [
        "| what | who | 1 | 10 | 1,000 | exponent |",
        "| --- | --- | --- | --- | --- | --- |",
        "| l | bubble | 2.0 ms | 11.0 ms | 1001 ms | 0.98 |",
        "| l | mise | 5.0 ms | 5.0 ms | 5.0 ms | 0.00 |",
        "",
        "- not here: x (y)",
    ]


def test_a_peer_that_fails_takes_no_part_and_is_noted(bench: Bench) -> None:
    def broken() -> Run:
        raise RuntimeError("tool --flag: status 1\nnoise\nError: it is broken\nmore noise")

    calls = {"bubble": lambda: Run(1.0, 1), "pyenv": broken, "uv": broken}
    assert bench.contest("a row", calls, 2) == {"bubble": [Run(1.0, 1)] * 2}
    # that uv isn't here at all is told once, elsewhere
    assert bench.absent == [Absent("a row: pyenv", "Error: it is broken")]
    with pytest.raises(RuntimeError):
        bench.contest("a row", {"bubble": broken}, 2)


def test_a_section_that_fails_is_a_row_that_says_so(bench: Bench) -> None:
    def broken(_: Bench) -> list[Result]:
        raise OSError("no space")

    rows, whole = measured(Section("worst", broken), bench)
    assert (rows, whole) == ([Absent("the whole of “worst”", "no space")], False)


def test_a_section_measures_real_processes_and_counts_what_a_server_sent(bench: Bench) -> None:
    place = bench.place
    os.mkdir(place.mirror)
    with open(f"{place.mirror}/file", "wb") as file:
        file.write(b"x" * 5000)

    def small(bench: Bench) -> list[Result]:
        code = "import sys, urllib.request as u; u.urlopen(sys.argv[1]).read()"
        with Server(place.mirror, 1e6) as server:
            argv = [sys.executable, "-c", code, f"{server.url}/file"]
            runs = bench.contest("get", {"bubble": lambda: run(argv, os.environ, place.log)}, 1)
            assert server.sent() == 10_000
        bare = [spawn([sys.executable, "-c", ""], os.environ) for _ in range(2)]
        return [Result("get", "s", {"bubble": [r.seconds for r in runs["bubble"]], "bare": bare},
                       "bare", None)]  # fmt: skip

    rows, whole = measured(Section("small", small), bench)
    assert whole
    assert isinstance(rows[0], Result)
    assert min(rows[0].samples["bubble"]) > 0
    assert rows[0].holds is None
