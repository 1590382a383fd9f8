"""The table of a run, in Markdown that can be read in a terminal too."""

from collections.abc import Sequence

from bench.bulk import NAME, UPSERTS
from bench.contender import CONTENDERS
from bench.figures import DASH, Figure, Figures, short
from bench.workloads import WORKLOADS

TITLES = {name: title for name, (title, _) in WORKLOADS.items()} | {
    NAME: "bulk upsert of 10,000 rows, half existing, in process"
}
TIMES = "\N{MULTIPLICATION SIGN}"
SPREAD = f"min{DASH}max"

type Cells = Sequence[str]


def render(figures: Figures, about: dict[str, str], unit: str) -> str:
    """`unit` is what the ratios are multiples of."""
    parts = [heading("What a request costs", about)]
    parts.append(f"## In multiples of {unit}\n\n{_overview(figures)}")
    for workload, found in figures.items():
        section = _bulk(found) if workload == NAME else _requests(found)
        parts.append(f"## {workload}: {TITLES[workload]}\n\n{section}")
    return "\n\n".join(parts) + "\n"


def heading(title: str, about: dict[str, str]) -> str:
    facts = "\n".join(f"* **{name}**: {value}" for name, value in about.items())
    return f"# {title}\n\n{facts}"


def _overview(figures: Figures) -> str:
    names = list(dict.fromkeys(name for found in figures.values() for name in found))
    what = UPSERTS | {each.name: each.what for each in CONTENDERS}
    rows = [
        [name, *(_ratio(found.get(name)) for found in figures.values()), what.get(name, "")]
        for name in names
    ]
    return table(["", *figures, "what it is"], rows)


def _ratio(figure: Figure | None) -> str:
    return short(figure.ratio) if figure else DASH


def _requests(found: dict[str, Figure | None]) -> str:
    header = ["", "CPU µs", TIMES, SPREAD, "req/s", "p99 ms"]
    rows = []
    for name, figure in found.items():
        cells = [DASH] * 5
        if figure:
            cells = [f"{figure.cost:,.0f}", short(figure.ratio), figure.spread]
            cells += [f"{figure.rate:,.0f}", f"{figure.p99:,.1f}"]
        rows.append([name, *cells])
    return table(header, rows)


def _bulk(found: dict[str, Figure | None]) -> str:
    header = ["", "rows/s", "of L", TIMES, SPREAD, "how"]
    rows = []
    for name, figure in found.items():
        if figure:
            cells = [f"{figure.rate:,.0f}", f"{1 / figure.ratio:.2f}", short(figure.ratio)]
            rows.append([name, *cells, figure.spread, UPSERTS[name]])
    return table(header, rows)


def table(header: Cells, rows: Sequence[Cells]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    ruler = ["-" * width for width in widths]
    lines = [
        "| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in (header, ruler, *rows)
    ]
    return "\n".join(lines)
