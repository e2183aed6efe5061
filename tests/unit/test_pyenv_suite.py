"""`scripts/pyenv-suite` without a checkout: what it reads, how it judges, what it writes."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from pyenv_suite import __main__ as suite
from pyenv_suite.judge import Reasons, Verdict, judge, page, problems
from pyenv_suite.names import key_of
from pyenv_suite.tap import Result, parse

TAP = """1..4
ok 1 which: a # b
not ok 2 fails
# (in test file which.bats, line 7)
#   `assert_success' failed
ok 3 needs pwsh # skip -- pwsh not installed
ok 4 empty # skip
"""
DATA: dict[str, list[dict[str, Any]]] = {
    "absent": [{"reason": "no hooks", "tests": ["hooks.bats: *", "which.bats: hooked"]}],
    "applies": [{"tests": ["hooks.bats: lists"]}],
    "differs": [{"reason": "on purpose", "tests": ["which.bats: odd"]}],
}


def result(title: str, *, passed: bool = True, skipped: str = "") -> Result:
    return Result(title, passed, skipped, ())


def test_a_report_is_read() -> None:
    assert parse(TAP.splitlines()) == [
        Result("which: a # b", True, "", ()),
        Result(
            "fails", False, "", ("(in test file which.bats, line 7)", "  `assert_success' failed")
        ),
        Result("needs pwsh", True, "-- pwsh not installed", ()),
        Result("empty", True, "-", ()),
    ]


def test_each_test_gets_its_verdict() -> None:
    results = {
        "which.bats": [
            result("plain"),
            result("hooked", passed=False),
            result("odd", passed=False),
            result("broken", passed=False),
            result("on pwsh", skipped="-- pwsh not installed"),
        ],
        "hooks.bats": [result("lists"), result("runs")],
    }
    verdicts = judge(results, Reasons(DATA))
    assert [(v.title, v.kind, v.applies) for v in verdicts] == [
        ("plain", "passed", True),
        ("hooked", "absent", False),
        ("odd", "differs", True),
        ("broken", "failed", True),
        ("on pwsh", "skipped", False),
        ("lists", "passed", True),
        ("runs", "absent", False),
    ]
    assert problems(verdicts, Reasons(DATA)) == ["failed, and nothing says why: which.bats: broken"]


def test_a_reason_for_what_passes_for_nothing_or_given_twice_is_a_problem() -> None:
    data = {**DATA, "applies": [{"tests": ["hooks.bats: *"]}]}
    verdicts = judge({"which.bats": [result("odd"), result("hooked")]}, Reasons(data))
    assert problems(verdicts, Reasons(data)) == [
        "passes, though it is said to differ: which.bats: odd",
        "there is no such test: hooks.bats: *",
        "said twice: hooks.bats: *",
    ]


def test_the_page_counts_and_names_everything() -> None:
    verdicts = [
        Verdict("a.bats", "one", "passed"),
        Verdict("a.bats", "two_2 <x>", "differs", "on purpose"),
        Verdict("b.bats", "three", "absent", "no hooks"),
        Verdict("b.bats", "four", "skipped", "-- pwsh not installed"),
    ]
    lines = page(verdicts, "The tests are those of pyenv 9.9.")
    assert lines[0] == (
        "The tests are those of pyenv 9.9. Of 4 tests, 2 apply, and 1 of these pass: 50 %."
    )
    assert "| `a.bats` | 2 | 2 | 1 | 1 |" in lines
    assert "| **all** | 4 | 2 | 1 | 1 |" in lines
    text = "\n".join(lines)
    assert "- on purpose.\n  `a.bats`: two\\_2 \\<x\\>." in text
    assert "- no hooks.\n  `b.bats`: three." in text
    assert "`b.bats`: four (pwsh not installed)." in text


def test_the_reasons_are_sentences_and_none_is_given_twice() -> None:
    with open(f"{suite.HERE}/reasons.toml", "rb") as file:
        data = tomllib.load(file)
    reasons = Reasons(data)
    assert reasons.twice == []
    assert {kind for kind, _ in reasons.known.values()} == {"absent", "applies", "differs"}
    for name, (kind, reason) in reasons.known.items():
        assert ".bats: " in name
        assert (kind == "applies") == (not reason), name
        assert not reason.endswith(".")


def test_the_page_gives_the_reasons_that_the_file_has() -> None:
    """Whoever changes a reason runs the script again."""
    with open(f"{suite.HERE}/reasons.toml", "rb") as file:
        known = Reasons(tomllib.load(file)).known
    with open(suite.PAGE, encoding="utf-8") as file:
        written = file.read().partition(suite.BEGIN)[2].partition("<!-- end -->")[0]
    for name, (_, reason) in known.items():
        assert not reason or f"- {reason}.\n" in written, name
    assert "nobody knows" not in written


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("3.4", "cpython-3.4.0"),
        ("3.11.9", "cpython-3.11.9"),
        ("python-3.12.6", "cpython-3.12.6"),
        ("3.13.2t", "cpython-3.13.2+freethreaded"),
        ("3.8.5rc2", "cpython-3.8.5rc2"),
        ("3.8.5-dev", ""),
        ("custom", ""),
        ("1.2.3.4", ""),
    ],
)
def test_a_made_up_version_is_laid_out_as_what_its_name_says(name: str, key: str) -> None:
    found = key_of(name)
    assert str(found).startswith(f"{key}-") if key else found is None, found
