"""The shim and the resolver choose the same, whatever a directory tree looks like.

After every change of a random world (`support.shimcase`) the shim either runs what the resolver
chooses now, or asks (`slow`), and right after the resolver left its memo the shim doesn't ask.
"""

from __future__ import annotations

import os
import random
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.installed import meanings
from bubble.selection import memos
from bubble.selection.replay import replay
from bubble.selection.resolve import select
from support.needs import FULL
from support.shimcase import Case
from support.shimworld import shells

if TYPE_CHECKING:
    from pathlib import Path

WORLDS = 100 if FULL else 24
STEPS = 220  # a case is one step: a change, then shim against resolver


def check(case: Case, shell: list[str]) -> tuple[str, bool]:
    """Hold shim and resolver against each other; return what ran, and whether it was fast."""
    cwd = case.rng.choice(case.directories)
    command = case.rng.choice(("python", "python3", "python3.11", "black", "tox"))
    try:
        expected = case.shims.resolve(command, cwd, case.env)
    except BubbleError:
        expected = "slow"  # only the slow path can explain
    if not os.path.exists(f"{case.shims.layout.shims}/{command}"):
        return expected, False
    before = run(case, command, cwd, shell)
    assert before in {"slow", expected}, f"{command} in {cwd}: stale answer"
    try:
        case.shims.resolve(command, cwd, case.env, leave=True)
    except BubbleError:
        pass
    after = run(case, command, cwd, shell)
    by_itself = expected.startswith("/") and is_memorable(case, cwd, expected)
    if not memos._is_writable(case.shims.layout):
        by_itself = by_itself and is_of_the_store(case, cwd)
    by_itself = by_itself and case.is_settled(cwd)
    assert after == (expected if by_itself else "slow"), f"{command} in {cwd}: with its memo"
    told = replay(case.shims.world(cwd, case.env))
    known = takewhile(lambda prefix: prefix.startswith("/"), told.prefixes)
    paths = [path for prefix in known if os.path.exists(path := f"{prefix}/bin/{command}")]
    assert [*paths, "slow"][0] == after, f"{command} in {cwd}: explain's walk"
    return expected, after != "slow"


def is_memorable(case: Case, cwd: str, expected: str) -> bool:
    """Whether the shim can know it: a plain variable, and PATH not to be searched before."""
    if set(" #$()/") & set(case.env.get("BUBBLE_PYTHON", "")):
        return False
    for answer in select(case.shims.world(cwd, case.env)).answers:
        if answer.is_system or expected.startswith(f"{answer.prefix}/"):
            return not answer.is_system
    return False


def is_of_the_store(case: Case, cwd: str) -> bool:
    """Whether this user may say it: an environment only a memo of the store can name.

    Nor can they begin an epoch where what is installed has none.
    """
    found = select(case.shims.world(cwd, case.env))
    named = any(answer.environment for answer in found.answers)
    layout = case.shims.layout
    named = named or any(layout.is_beneath(answer.prefix) for answer in found.answers)
    return bool(meanings.epoch(layout)) and not named


def run(case: Case, command: str, cwd: str, shell: list[str]) -> str:
    done = case.shims.run(command, cwd, case.env, shell)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("whose", "seed"),
    [
        *(("the store's", seed) for seed in range(WORLDS)),
        *(("this user's own", seed) for seed in range(WORLDS // 3)),
        *(("the store's, above the system's", seed) for seed in range(WORLDS // 2)),
        *(("this user's own, above the system's", seed) for seed in range(WORLDS // 6)),
    ],
)
def test_the_shim_and_the_resolver_choose_the_same(
    whose: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memos are in the store, or in the cache of a user who can't write to the store."""
    if whose.startswith("this user's own"):
        monkeypatch.setattr(memos, "_is_writable", lambda _: False)
    rng = random.Random(seed)
    available = shells()
    name = list(available)[seed % len(available)]
    monkeypatch.setattr("bubble.system.layout.SYSTEM_HOME", f"{tmp_path}/system")
    case = Case(rng, str(tmp_path), shared=whose.endswith("system's"))
    fast = 0
    for step in range(STEPS):
        case.change()
        try:
            fast += check(case, available[name])[1]
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {step}, {name}: {error}") from error
    if whose == "this user's own, above the system's":
        return  # few of them can be said: not what lies in the other's store
    assert fast > STEPS // 50, "the fast path was hardly ever taken: the test proves nothing"
