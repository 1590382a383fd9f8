"""What comes of the samples: medians, and the ratio to the limit of the same round."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.measure import Sample

DASH = "\N{EN DASH}"

type Figures = dict[str, dict[str, "Figure | None"]]
"""By workload and contender; None where a contender lacks the route."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`cost` is in µs: CPU of the server for a request, or time for a row of W6."""

    cost: float
    ratio: float
    lowest: float
    highest: float
    rate: float
    p99: float | None = None

    @property
    def spread(self) -> str:
        return f"{short(self.lowest)}{DASH}{short(self.highest)}"


def of_requests(samples: Sequence[Sample], limit: Sequence[Sample]) -> Figure:
    ratios = [mine.cpu / best.cpu for mine, best in zip(samples, limit, strict=True)]
    return Figure(
        cost=median(each.cpu for each in samples) * 1e6,
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        rate=median(each.rate for each in samples),
        p99=median(each.p99 for each in samples) * 1e3,
    )


def of_rows(rates: Sequence[float], limit: Sequence[float]) -> Figure:
    ratios = [best / mine for mine, best in zip(rates, limit, strict=True)]
    return Figure(
        cost=median(1 / each for each in rates) * 1e6,
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        rate=median(rates),
    )


def short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"
