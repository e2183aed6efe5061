"""What was measured, ready to be shown: one `Result` a line of a table; `Absent` where none is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.measure import paired, spread


@dataclass(frozen=True)
class Result:
    """Samples by contestant, all in `unit`; `subject` is held against `reference` or `limit`.

    With a `reference`, `limit` bounds the ratio of the medians; without one, the worst sample, or
    the median where `typical`. `limit` None: nothing was asked for. Results of one `curve` are its
    points, `at` so many things.
    """

    what: str
    unit: str  # "ms", "MiB", "%" or "times"
    samples: dict[str, list[float]]
    reference: str
    limit: float | None
    subject: str = "bubble"
    typical: bool = False
    curve: str = ""
    at: int = 0

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians, subject to reference."""
        if self.reference not in self.samples:
            return None
        mine, other = (spread(self.samples[n]).median for n in (self.subject, self.reference))
        return mine / other if other else None

    @property
    def paired(self) -> float | None:
        """The median of the ratios round by round."""
        if self.reference not in self.samples:
            return None
        return paired(self.samples[self.subject], self.samples[self.reference])

    @property
    def holds(self) -> bool | None:
        """Whether what was asked for is reached; None where it can't be said."""
        if self.limit is None or (self.reference and self.ratio is None):
            return None
        if self.ratio is not None:
            return self.ratio <= self.limit
        mine = self.samples[self.subject]
        return (spread(mine).median if self.typical else max(mine)) <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """Return everything, for the JSON beside the page."""
        curve = {"curve": self.curve, "at": self.at} if self.curve else {}
        return {
            "what": self.what,
            "unit": self.unit,
            "subject": self.subject,
            "reference": self.reference,
            "limit": self.limit,
            "typical": self.typical,
            "medians": {name: spread(series).median for name, series in self.samples.items()},
            "ratio_of_medians": self.ratio,
            "median_of_paired_ratios": self.paired,
            "holds": self.holds,
            **curve,
            "samples": self.samples,
        }


@dataclass(frozen=True)
class Absent:
    """Something that isn't measured on this machine, and why."""

    what: str
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for the JSON beside the page."""
        return {"what": self.what, "not here": self.why}
