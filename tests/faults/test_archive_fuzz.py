"""Valid archives come out as GNU tar unpacks them; mutated ones do, or are refused."""

from __future__ import annotations

import os
import random
import shutil
import tarfile
import tempfile

import pytest

from bubble.system.archive import Extracted, extract
from support import tarbuild as t
from support.archive_arena import Arena
from support.archive_fuzz import Fuzz, below_top, facts
from support.archive_mutations import random_tree, seeds
from support.needs import FULL, needs, real_build
from support.trees import gnu_tar, snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs("tar")
SHARES = 8  # so that parallel workers get some each
CASES = 100_000 if FULL else 2_400


@pytest.fixture
def scratch() -> Iterator[str]:
    """Give a directory in memory where there is one: thousands of trees come and go."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bubble-fuzz-", dir=memory) as path:
        yield path


@pytest.mark.parametrize("share", range(SHARES))
def test_a_mutated_archive_is_refused_or_comes_out_as_gnu_tar_unpacks_it(
    scratch: str, share: int
) -> None:
    fuzz = Fuzz(scratch)
    for number in range(share, CASES, SHARES):
        fuzz.case(number)
    print(f"share {share}: {fuzz.counts}")
    assert fuzz.counts["same"] * 20 > CASES // SHARES, "the mutations break everything"
    assert fuzz.counts["refused"] * 5 > CASES // SHARES, "the mutations break nothing"


@pytest.mark.filterwarnings("ignore")  # what tarfile has to say
def test_the_fuzzer_catches_a_naive_extractor(scratch: str) -> None:
    fuzz = Fuzz(scratch, _naive)
    failed = 0
    for number in range(200):
        try:
            fuzz.case(number)
        except AssertionError:
            failed += 1
    assert failed > 20


def _naive(archive: str, destination: str) -> Extracted:
    with tarfile.open(archive) as tar:
        tar.extractall(destination, filter="data")
    return Extracted(entries=(), layout="install_only")


@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_valid_archives_come_out_as_gnu_tar_unpacks_them(scratch: str, suffix: str) -> None:
    bodies = [body[: -len(t.END)] for body in seeds()]
    bodies += [random_tree(random.Random(f"valid {number}")) for number in range(100)]
    arena = Arena(scratch)
    for number, body in enumerate(bodies):
        done = extract(arena.write(t.COMPRESS[suffix](body + t.END)), arena.staging)
        oracle = f"{scratch}/oracle-{number}"
        os.mkdir(oracle)
        with open(f"{scratch}/plain", "wb") as file:
            file.write(body + t.END)
        assert not gnu_tar(f"{scratch}/plain", oracle)
        found = snapshot(arena.staging)
        assert found == below_top(snapshot(oracle, normal=True), done.layout), number
        arena.clear()
        shutil.rmtree(oracle)


def test_a_real_build_comes_out_as_gnu_tar_unpacks_it(scratch: str) -> None:
    archive = real_build()
    ours, oracle = f"{scratch}/ours", f"{scratch}/oracle"
    os.mkdir(ours, 0o700)
    os.mkdir(oracle)
    steps: list[tuple[int, int]] = []
    done = extract(archive, ours, progress=lambda consumed, total: steps.append((consumed, total)))
    assert not gnu_tar(archive, oracle)
    found = snapshot(ours)
    assert done.layout == "install_only"
    assert found == below_top(snapshot(oracle, normal=True), done.layout)
    told = {entry.path: (entry.kind, entry.size, entry.crc32) for entry in done.entries}
    assert told == facts(ours, found)
    assert {e.path: e.mode for e in done.entries if e.kind == "file"} == {
        path: mode for path, (kind, mode, _) in found.items() if kind == "file"
    }
    size = os.path.getsize(archive)
    assert steps == sorted(steps)
    assert steps[-1] == (size, size)
