"""A pytest plugin that counts skipped tests by reason, and fails the run where none may be.

Loaded by `conftest`. With BUBBLE_TEST_NO_SKIPS=1 every skip whose reason isn't "not here: …"
(see `support.needs`) fails the run: the machine was meant to have everything.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from support.needs import NOT_HERE


class Skips:
    """Sees the reports of all workers in the controlling process."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._count(report)

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # an expected failure also reports "skipped", but isn't one
        if report.skipped and not hasattr(report, "wasxfail"):
            longrepr = report.longrepr
            reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
            self.reasons[reason.removeprefix("Skipped: ")] += 1

    @property
    def forbidden(self) -> list[str]:
        """The reasons that fail this run."""
        if os.environ.get("BUBBLE_TEST_NO_SKIPS") != "1":
            return []
        return [reason for reason in self.reasons if not reason.startswith(NOT_HERE)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        # a run without any test is an error already
        if self.forbidden and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reasons:
            return
        terminalreporter.section("not tested on this machine")
        for reason, count in sorted(self.reasons.items()):
            mark = "FORBIDDEN" if reason in self.forbidden else "skipped"
            tests = "test" if count == 1 else "tests"
            terminalreporter.line(f"{mark}: {reason} ({count} {tests})")
        if self.forbidden:
            terminalreporter.line("BUBBLE_TEST_NO_SKIPS=1: the skips marked FORBIDDEN fail the run")


def pytest_configure(config: pytest.Config) -> None:
    # in a worker of pytest-xdist there is no terminal, and only a part of the reports
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Skips(), "bubble-skips")
