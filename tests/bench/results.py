"""What was measured, ready to be shown: one `Result` a line of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.measure import paired, spread


@dataclass(frozen=True)
class Result:
    """Samples by contestant, all in `unit`; `subject` is held against `reference` or `limit`.

    With a `reference`, `limit` bounds the ratio of the medians; without one, the worst sample, or
    the median where `typical`.
    """

    what: str
    unit: str  # "ms", "MiB" or "%"
    samples: dict[str, list[float]]
    reference: str
    limit: float
    subject: str = "bubble"
    notes: list[str] = field(default_factory=list)
    typical: bool = False

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians, subject to reference."""
        if not self.reference:
            return None
        mine, other = (spread(self.samples[n]).median for n in (self.subject, self.reference))
        return mine / other

    @property
    def paired(self) -> float | None:
        """The median of the ratios round by round."""
        if not self.reference:
            return None
        return paired(self.samples[self.subject], self.samples[self.reference])

    @property
    def holds(self) -> bool:
        """Whether what was asked for is reached."""
        if self.ratio is not None:
            return self.ratio <= self.limit
        mine = self.samples[self.subject]
        return (spread(mine).median if self.typical else max(mine)) <= self.limit

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "unit": self.unit,
            "reference": self.reference,
            "limit": self.limit,
            "ratio_of_medians": self.ratio,
            "median_of_paired_ratios": self.paired,
            "holds": self.holds,
            "samples": self.samples,
        }
