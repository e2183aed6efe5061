"""What the results mean: which tests apply, which pass, why the others don't. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bench.page import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyenv_suite.tap import Result


class Verdict(NamedTuple):
    """One test: `kind` is "passed", "differs", "absent" (doesn't apply), "skipped" or "failed".

    `reason` is why it differs, is absent or was skipped.
    """

    file: str
    title: str
    kind: str
    reason: str = ""

    @property
    def applies(self) -> bool:
        return self.kind in {"passed", "differs", "failed"}


class Reasons:
    """The data file: name of a test → (kind, reason); a test's own entry goes before its file's."""

    def __init__(self, data: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.known: dict[str, tuple[str, str]] = {}
        self.twice: list[str] = []
        for kind in ("absent", "applies", "differs"):
            for entry in data.get(kind, ()):
                for name in entry["tests"]:
                    if name in self.known:
                        self.twice.append(name)
                    self.known[name] = (kind, entry.get("reason", ""))

    def of(self, file: str, title: str) -> tuple[str, str]:
        """Return what is said of a test; one of which nothing is said applies."""
        return self.known.get(f"{file}: {title}") or self.known.get(f"{file}: *", ("applies", ""))


def judge(results: Mapping[str, Sequence[Result]], reasons: Reasons) -> list[Verdict]:
    """Return a verdict on each test, in the order of the results (by file)."""
    return [
        _verdict(file, result, *reasons.of(file, result.title))
        for file, found in results.items()
        for result in found
    ]


def _verdict(file: str, result: Result, kind: str, reason: str) -> Verdict:
    if kind == "absent":
        return Verdict(file, result.title, "absent", reason)
    if result.skipped:
        return Verdict(file, result.title, "skipped", result.skipped)
    if result.passed:
        return Verdict(file, result.title, "passed", reason)
    return Verdict(file, result.title, "differs" if kind == "differs" else "failed", reason)


def problems(verdicts: Sequence[Verdict], reasons: Reasons) -> list[str]:
    """Return what is wrong with the results or with the data file; nothing when all is said."""
    there = {f"{v.file}: {v.title}" for v in verdicts} | {f"{v.file}: *" for v in verdicts}
    found = [f"failed, and nothing says why: {v.file}: {v.title}" for v in _of(verdicts, "failed")]
    found += [
        f"passes, though it is said to differ: {v.file}: {v.title}"
        for v in _of(verdicts, "passed")
        if reasons.of(v.file, v.title)[0] == "differs"
    ]
    found += [f"there is no such test: {name}" for name in reasons.known if name not in there]
    return found + [f"said twice: {name}" for name in reasons.twice]


def page(verdicts: Sequence[Verdict], about: str) -> list[str]:
    """Return the lines of the page's measured part: the table, and every reason."""
    applying = [v for v in verdicts if v.applies]
    passed = _of(verdicts, "passed")
    share = 100 * len(passed) // max(len(applying), 1)
    files = list(dict.fromkeys(v.file for v in verdicts))
    rows = [_row(f"`{file}`", [v for v in verdicts if v.file == file]) for file in files]
    rows.append(_row("**all**", list(verdicts)))
    total = f"Of {len(verdicts)} tests, {len(applying)} apply, and {len(passed)} of these pass"
    return [
        f"{about} {total}: {share} %.",
        "",
        *markdown(["file", "tests", "apply", "pass", "differ on purpose"], rows),
        "",
        "What differs, and why:",
        "",
        *_by_reason(_of(verdicts, "differs") + _of(verdicts, "failed")),
        "",
        "What doesn't apply, and why:",
        "",
        *_by_reason(_of(verdicts, "absent")),
        *_skipped(_of(verdicts, "skipped")),
    ]


def _row(name: str, verdicts: Sequence[Verdict]) -> list[str]:
    applying = sum(v.applies for v in verdicts)
    counts = [len(verdicts), applying, len(_of(verdicts, "passed")), len(_of(verdicts, "differs"))]
    return [name, *(str(count) for count in counts)]


def _of(verdicts: Sequence[Verdict], kind: str) -> list[Verdict]:
    return [v for v in verdicts if v.kind == kind]


def _by_reason(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for reason in dict.fromkeys(v.reason for v in verdicts):
        mine = [v for v in verdicts if v.reason == reason]
        yield f"- {reason or 'nobody knows yet'}."
        for file in dict.fromkeys(v.file for v in mine):
            titles = "; ".join(_text(v.title) for v in mine if v.file == file)
            yield f"  `{file}`: {titles}."


def _skipped(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return []
    named = "; ".join(f"`{v.file}`: {_text(v.title)} ({v.reason.lstrip('- ')})" for v in verdicts)
    return ["", f"Not run, since the machine lacks what they need: {named}."]


def _text(title: str) -> str:
    """Return a title as text: nothing in it is Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_<>[]|" else c for c in title)
