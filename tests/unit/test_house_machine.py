"""What may differ between machines: the oldest Python that runs all of this, and their speed."""

from __future__ import annotations

import ast
import os
import re

from support.needs import not_here
from support.patience import PATIENCE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# arguments that came with a later 3.11 than 3.11.2; type checkers know minor versions only
NEWER = {
    "extractall": "filter",  # 3.11.4, as the next two
    "extract": "filter",
    "unpack_archive": "filter",
    "getaddresses": "strict",  # 3.11.10
    "parseaddr": "strict",
}
WAITING = {"wait", "join", "communicate", "run", "bubble"}
SHORTEST = 60


def calls(*tops: str) -> list[tuple[str, str, ast.Call]]:
    """Return the calls in all Python below these directories: where, the function's name, it."""
    found = []
    for top in tops:
        for directory, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                path = os.path.join(directory, name)
                if name.endswith(".py"):
                    with open(path, encoding="utf-8") as file:
                        found += calls_of(file.read(), os.path.relpath(path, ROOT))
    return found


def calls_of(source: str, path: str) -> list[tuple[str, str, ast.Call]]:
    return [
        (f"{path}:{node.lineno}", name_of(node.func), node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def newer(found: list[tuple[str, str, ast.Call]]) -> list[str]:
    return [
        f"{where}: {name}({word.arg}=…)"
        for where, name, call in found
        for word in call.keywords
        if word.arg and NEWER.get(name) == word.arg
    ]


def impatient(found: list[tuple[str, str, ast.Call]]) -> list[str]:
    """Return the waits for a process or a thread that a slow machine could make too short.

    Two seconds or less are no wait: there, nothing is to come.
    """
    wrong = []
    for where, name, call in found:
        if name in WAITING:
            given = [word.value for word in call.keywords if word.arg == "timeout"]
            for value in given or (call.args[:1] if name in {"wait", "join"} else []):
                match value:
                    case ast.Constant(value=int() | float() as seconds) if 2 < seconds < SHORTEST:
                        wrong.append(f"{where}: {name} waits {seconds} s")
    return wrong


def test_nothing_uses_what_came_after_the_oldest_python() -> None:
    everything = calls("src", "tests", "scripts")
    assert len(everything) > 10_000
    assert newer(everything) == []
    assert newer(calls_of("tar.extractall(path, filter='data')", "x")) == [
        "x:1: extractall(filter=…)"
    ]


def test_nothing_that_must_come_is_given_less_time_than_a_slow_machine_takes() -> None:
    assert impatient(calls("tests/unit", "tests/functional", "tests/faults", "tests/support")) == []
    short = "child.wait(30)\nsubprocess.run(argv, timeout=20)\nrun(argv, timeout=0.1)\njoin(60)"
    assert impatient(calls_of(short, "x")) == ["x:1: wait waits 30 s", "x:2: run waits 20 s"]
    assert PATIENCE >= SHORTEST


def test_what_root_skips_the_continuous_integration_runs_as_a_user() -> None:
    support = {
        name.removesuffix(".py")
        for name in os.listdir(os.path.join(ROOT, "tests", "support"))
        if re.search("NOT_ROOT|root ignores permissions", read(f"tests/support/{name}"))
    }
    assert "hostile_versions" in support, "the search is broken"
    uses = re.compile(
        rf"NOT_ROOT|^from support\.({'|'.join(support - {'needs'})}) import", re.MULTILINE
    )
    found = {
        f"tests/{kind}/{name}"
        for kind in ("unit", "functional", "faults", "real")
        for name in os.listdir(os.path.join(ROOT, "tests", kind))
        if name.startswith("test_") and uses.search(read(f"tests/{kind}/{name}"))
    }
    assert len(found) > 5, "the search is broken"
    if not (script := read(".ci/run")):
        not_here("no .ci/run: this is no checkout")
    (listed,) = re.findall(r"^AS_USER=\((.*)\)$", script, re.MULTILINE)
    left = {path for path in found if not path.startswith(tuple(listed.split()))}
    assert left == set(), f"nothing but root runs them in .ci/run: {left}"


def read(path: str) -> str:
    full = os.path.join(ROOT, path)
    if not os.path.isfile(full):
        return ""
    with open(full, encoding="utf-8") as file:
        return file.read()
