"""The kill sweep: a command is killed before every call that would change a file, in turn.

One run under strace gives the calls; for each a further run, from the same start, in which strace
sends SIGKILL as that call begins, so that it isn't carried out. strace counts per thread and
system call name; counted are the calls about one path alone, so that nothing depends on what other
threads and processes do meanwhile: paths must be the same in every run. The trace of the killed
run must have the very call that was meant, else the point counts as missed, which is for the
caller to fail on.

    report = sweep(argv, env=…, roots=[home, cache], scratch=…, prepare=…, check=…)
    assert not report.problems and not report.missed

The short form leaves out what only repeats (`telling`); the full one has every point.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, replace

from support.figures import caught, record
from support.needs import FULL
from support.patience import PATIENCE
from support.scene import Done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# every call that can change a file or its name, and those that order what reaches the disk
# fmt: off
MUTATING = (
    "open", "openat", "openat2", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2",
    "unlink", "unlinkat", "rmdir", "link", "linkat", "symlink", "symlinkat", "write",
    "pwrite64", "writev", "pwritev", "pwritev2", "truncate", "ftruncate", "fallocate", "chmod",
    "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes",
    "utimensat", "futimesat", "setxattr", "fsetxattr", "lsetxattr", "copy_file_range",
    "sendfile", "splice", "fsync", "fdatasync", "syncfs", "sync", "sync_file_range", "ioctl",
)
# fmt: on
_LINKS = {"symlink", "symlinkat"}
_OPENS = {"open", "openat", "openat2"}
_CALL = re.compile(r"(?:(\d+) +)?(\w+)\((.*)")
_UNSEEN = re.compile(r"/(?:(?:staging|trash)/[^/]+|\.bubble-[0-9a-f]+)/")
_ATTEMPTS = 5  # a thread may be faster once; a point is missed when it is every time


@dataclass(frozen=True)
class Point:
    """One call: the `ordinal`-th `name` of its thread about `path`.

    `call` is how it looks in every run; where no kill could be proven, `seen` is what was seen.
    """

    name: str
    ordinal: int
    path: str
    call: str
    seen: str = field(default="", compare=False)


@dataclass
class Report:
    """What a sweep found.

    `calls` are all that change something, `points` those of them that were to be tried; `missed`
    are points at which no kill could be proven.
    """

    calls: int = 0
    points: int = 0
    killed: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    missed: list[Point] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.killed} of {self.points} points killed in {self.seconds:.1f} s,"
            f" {len(self.missed)} missed, {len(self.problems)} problems"
        )


def sweep(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    roots: Sequence[str],
    scratch: str,
    prepare: Callable[[], None],
    check: Callable[[], list[str]],
    stop_early: bool = False,
    select: Callable[[list[Point]], list[Point]] = list,
) -> Report:
    """Kill `argv` at every point, and return what `check` said after each kill.

    `prepare` makes the start, the same each time. `roots` are the directories (absolute) whose
    calls count; `scratch` is a directory outside them for traces. `stop_early` ends at the first
    problem, for planted bugs. `select` chooses points, where all are too many. Raises
    AssertionError when the undisturbed command fails.
    """
    started = time.monotonic()
    strace = Strace(argv, env, roots, scratch)
    prepare()
    calls = strace.points()
    everything = select(telling(calls))
    report = Report(calls=len(calls), points=len(everything))
    # what was missed is tried once more when all others were: the machine may be less busy then
    for point in _and_again(everything, report.missed):
        # strace may count fewer than we do: not a rename onto the path. `kill` holds it to the call
        for ordinal in (*[point.ordinal] * _ATTEMPTS, *range(point.ordinal - 1, 0, -1)):
            prepare()
            if strace.kill(replace(point, ordinal=ordinal)):
                break
        else:
            report.missed.append(replace(point, seen=strace.last))
            continue
        report.killed += 1
        report.problems += [f"{point.name} {point.ordinal}, {point.call}: {p}" for p in check()]
        if stop_early and report.problems:
            break
    report.seconds = time.monotonic() - started
    _note(argv, report)
    return report


def _and_again(points: list[Point], missed: list[Point]) -> Iterator[Point]:
    yield from points
    late = missed[:]
    missed.clear()
    yield from late


def telling(points: list[Point], *, full: bool = FULL) -> list[Point]:
    """Leave out what only repeats, unless in full.

    Nobody looks at what is in staging or in the trash, and an installation has it by the dozen: of
    a kind of call there, the first two, the last and every sixth count. What a lock's file says is
    read by nobody, and an empty temporary file is the same with another mode: there, all is as
    before the call that follows.
    """
    if full:
        return points
    repeated: dict[str, list[Point]] = {}
    for point in points:
        if _UNSEEN.search(point.path):
            repeated.setdefault(point.name, []).append(point)
    left_out = {
        point
        for alike in repeated.values()
        for number, point in enumerate(alike)
        if 1 < number < len(alike) - 1 and number % 6
    }
    noted = [p for p in points if "/locks/" in p.path and p.name in {"ftruncate", "pwrite64"}]
    empty = [p for p in points if p.name == "fchmod" and p.path.endswith((".tmp", ".bubble-new"))]
    left_out.update(noted[2:], empty[1:])
    return [point for point in points if point not in left_out]


def _note(argv: Sequence[str], report: Report) -> None:
    """Record what was tried, or that a planted bug was caught, of a command line of `planted`."""
    script = next((n for n, word in enumerate(argv) if word.endswith("/planted.py")), None)
    if script is None:
        return
    bug, *words = argv[script + 1 :]
    line = " ".join(["bubble", *(word for word in words if "/" not in word)])
    if bug in {"none", "no-exchange"}:
        held = 0 if report.problems else report.killed
        record(f"kills of {line}", tried=report.killed, held=held)
    elif report.problems:
        caught(bug, by=f"kills of {line}")


class Strace:
    """Runs of one command under strace."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        roots: Sequence[str],
        scratch: str,
    ) -> None:
        self.argv = argv
        self.env = env
        self.roots = roots
        self.scratch = scratch
        self.last = ""  # what the last disturbed run came to

    def points(self) -> list[Point]:
        """Run the command undisturbed and return its calls that change something in the roots."""
        outcome, lines = self._run(MUTATING, [])
        assert outcome.status == 0, f"the undisturbed command failed: {outcome}"
        counts: Counter[tuple[str, str, str]] = Counter()
        found = []
        for line in lines:
            if not (match := _CALL.match(line)):
                continue
            process, name, rest = match.groups()
            said = _paths(rest)[name in _LINKS :]  # where it is made, not what a link says
            paths = [p for p in said if p.startswith(tuple(self.roots))]
            for path in set(paths):
                counts[process, name, path] += 1
            if paths and self._changes(name, rest):
                ordinal = counts[process, name, paths[0]]
                shape = _shape(name, rest, self.roots)
                found.append(Point(name, ordinal, paths[0], shape))
        assert found, "the command changed nothing below the roots"
        return found

    def kill(self, point: Point) -> bool:
        """Run the command up to `point`; return whether it was killed there and nowhere else."""
        outcome = self.disturb(point, "signal=KILL")
        return outcome is not None and outcome.status in (-signal.SIGKILL, 128 + signal.SIGKILL)

    def disturb(self, point: Point, fault: str) -> Done | None:
        """Run the command with a fault (`error=EIO`, `signal=INT`) at `point`; None if it missed.

        An error is returned in the place of the call; a signal comes as the call begins.
        """
        outcome, lines = self._run(
            [point.name],
            [
                f"--inject={point.name}:{fault}:when={point.ordinal}",
                f"--trace-path={point.path}",
            ],
        )
        self.last = f"{outcome}, {lines[-4:]}"
        counts: Counter[str] = Counter()
        for line in lines:
            match = _CALL.match(line)
            if not match or match[2] != point.name:
                continue
            counts[match[1]] += 1
            here = counts[match[1]] == point.ordinal
            if here and _shape(match[2], match[3], self.roots) == point.call:
                return outcome
        return None

    def _run(self, trace: Sequence[str], inject: Sequence[str]) -> tuple[Done, list[str]]:
        log = f"{self.scratch}/trace"
        # a question mark lets strace pass over names that this machine doesn't have
        names = ",".join(f"?{name}" for name in trace)
        options = ["-f", "-y", "-qq", "-s", "0", f"--trace={names}", "-o", log]
        done = subprocess.run(
            ["strace", *options, *inject, *self.argv],
            env=dict(self.env),
            cwd=self.scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        return Done(done.returncode, done.stdout, done.stderr), lines

    def _changes(self, name: str, rest: str) -> bool:
        if name in _OPENS and not re.search(r"O_(CREAT|TRUNC|WRONLY|RDWR)", rest):
            return False
        # what failed changed nothing: the state before it is the state before the next point
        return not re.search(r"= -1 E[A-Z]+ \(", rest)


def _paths(rest: str) -> list[str]:
    """Return the paths among the arguments of a call; of descriptors, strace says them in `<>`."""
    found = re.findall(r'"([^"]*)"|<([^<>]*)>', _arguments(rest))
    return [(named or of).replace(r"\76", ">").replace(r"\74", "<") for named, of in found]


def _arguments(rest: str) -> str:
    return re.sub(r"\)\s+= .*| <unfinished \.\.\.>", "", rest)


def _shape(name: str, rest: str, roots: Sequence[str]) -> str:
    """Return a call by its name and paths: sizes and descriptors may differ from run to run."""
    paths = _paths(rest)
    for root in roots:
        paths = [path.replace(os.path.dirname(root), "") for path in paths]
    return f"{name} {' '.join(paths)}"
