"""Running one process and measuring it; and what a series of such measurements says."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TIMEOUT = 300.0


@dataclass(frozen=True)
class Run:
    """One finished process: wall seconds, peak RSS (bytes) of its largest, and processors' seconds.

    The last two are of the process and of those of its children that it waited for.
    """

    seconds: float
    peak: int
    processor: float = 0.0


def run(argv: Sequence[str], env: Mapping[str, str], log: str, cwd: str = "") -> Run:
    """Run `argv` to its end, its output into the file `log`; RuntimeError if it fails."""
    with open(log, "wb") as output:
        started = time.perf_counter()
        child = start(argv, env, output.fileno(), cwd)
        guard = threading.Timer(TIMEOUT, kill, [child])
        guard.daemon = True
        guard.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - started
        finally:
            guard.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        with open(log, encoding="utf-8", errors="replace") as file:
            raise RuntimeError(f"{' '.join(argv)}: status {child.returncode}\n{file.read()}")
    return Run(seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


def start(
    argv: Sequence[str], env: Mapping[str, str], output: int, cwd: str = ""
) -> subprocess.Popen[bytes]:
    """Start a process that leads a group of its own."""
    return subprocess.Popen(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=cwd or None,
        start_new_session=True,
    )


def kill(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL for a process and everything that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def spawn(argv: Sequence[str], env: Mapping[str, str], cwd: str = "") -> float:
    """Run a program to its end, in as few steps as there are; return the milliseconds.

    With `cwd`, in that directory, where this process then is. Its output goes nowhere.
    """
    if cwd:
        os.chdir(cwd)
        env = {**env, "PWD": cwd}
    quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in (0, 1, 2)]
    started = time.perf_counter()
    child = os.posix_spawn(argv[0], list(argv), env, file_actions=quiet)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - started
    if status:
        raise RuntimeError(f"{' '.join(argv)}: wait status {status}")
    return 1000 * seconds


def alternate(contestants: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Measure everybody once a round, A B A B, so that a busy machine troubles all alike."""
    results: dict[str, list[Run]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            results[name].append(measure())
    return results


@dataclass(frozen=True)
class Spread:
    """Minimum, quartiles and number of a series."""

    low: float
    first: float
    median: float
    third: float
    count: int


def spread(samples: Sequence[float]) -> Spread:
    """Return the spread of a series; of one sample, that one everywhere."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0], samples[0], 1)
    first, median, third = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(min(samples), first, median, third, len(samples))


def paired(samples: Sequence[float], reference: Sequence[float]) -> float:
    """Return the median of the ratios round by round, as far as both series go."""
    return statistics.median(a / b for a, b in zip(samples, reference, strict=False) if b)
