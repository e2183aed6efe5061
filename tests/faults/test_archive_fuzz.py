"""Valid archives come out as GNU tar unpacks them; mutated ones do, or are refused."""

from __future__ import annotations

import os
import random
import shutil
import tarfile
import tempfile

import pytest

from bubble.model.errors import BubbleError
from bubble.system.archive import Entry, Extracted, extract, headers
from support import tarbuild as t
from support.archive_arena import Arena
from support.archive_fuzz import Fuzz, below_top, facts
from support.archive_mutations import random_tree, seeds
from support.figures import caught, record
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
    assert fuzz.counts["unanswered"] * 50 < CASES // SHARES, "GNU tar can't unpack them"
    assert fuzz.counts["refused"] * 5 > CASES // SHARES, "the mutations break nothing"
    cases = len(range(share, CASES, SHARES))
    record("mutated archives: refused, or as GNU tar unpacks them", tried=cases, held=cases)


@pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"),
    reason="not here: this Python is older than tarfile's filters (3.11.4)",
)
@pytest.mark.filterwarnings("ignore")  # what tarfile has to say
def test_the_fuzzer_catches_the_standard_library(scratch: str) -> None:
    failed = failures(Fuzz(scratch, _standard_library), 400)
    # more than a difference in modes: GNU tar complains of what tarfile passes in silence
    assert sum("makes another tree" in f and "('')" not in f for f in failed) > 5
    assert not [failure for failure in failed if "entries" in failure], "the double is broken"
    caught("the standard library's extractor", by="the fuzzer of archives")


def test_the_fuzzer_catches_a_reader_of_unterminated_names(
    scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that it found in the extractor, planted again."""
    monkeypatch.setattr(headers, "_terminated", lambda data: data.removesuffix(b"\0"))
    assert failures(Fuzz(scratch), 1, first=5675)
    caught("names without their end are read on", by="the fuzzer of archives")


def failures(fuzz: Fuzz, count: int, first: int = 0) -> list[str]:
    found = []
    for number in range(first, first + count):
        try:
            fuzz.case(number)
        except AssertionError as error:
            found.append(str(error))
    return found


def _standard_library(archive: str, destination: str) -> Extracted:
    """Unpack as careless programs do, with the extractor's modes and a true list of entries."""
    try:
        with tarfile.open(archive) as tar:
            tar.extraction_filter = tarfile.data_filter
            tar.extractall(destination)
    except Exception as error:
        raise BubbleError("archive", "tarfile refuses it") from error
    tree = snapshot(destination, normal=True)
    for path, (kind, mode, _) in tree.items():
        if kind != "link":
            os.chmod(f"{destination}/{path}", mode)
    entries = tuple(
        Entry((path, kind, tree[path][1], size, crc, ""))
        for path, (kind, size, crc) in facts(destination, tree).items()
    )
    return Extracted(entries=entries, layout="whole")


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
