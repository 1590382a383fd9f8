"""The ratios as bars on a logarithmic scale, in SVG."""

from collections.abc import Callable
from html import escape
from math import log10

from bench.figures import Figures, short
from bench.report import TITLES

LABELS = 150
SCALE = 560
WIDTH = LABELS + SCALE + 70
BAR = 15
STEP = 20
HEADING = 34
TOP = 44
COLORS = {"limit": "#6e7781", "limit_unnest": "#6e7781", "ours": "#1a7f37"}
PEER = "#57a0d3"
TICKS = (1, 2, 3, 5, 10, 20, 50, 100)
STYLE = "text { font: 12px sans-serif; fill: #1f2328 } .small { font-size: 11px; fill: #57606a }"

DOCUMENT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">
<title>{caption}</title><style>{style}</style>
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text class="small" x="8" y="20">{caption}</text>
{content}
</svg>
"""
TICK = """\
<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="#d0d7de"/>
<text class="small" x="{x:.1f}" y="{above}" text-anchor="middle">{tick} &#215;</text>"""
TITLE = '<text x="8" y="{y}" font-weight="bold">{title}</text>'
CONTENDER = """\
<text x="{left}" y="{text}" text-anchor="end">{name}</text>
<rect x="{start}" y="{y}" width="{width:.1f}" height="{height}" fill="{color}"/>
<text x="{right:.1f}" y="{text}">{ratio}</text>"""


def draw(figures: Figures, caption: str) -> str:
    highest = max(each.ratio for found in figures.values() for each in found.values() if each)
    decades = log10(max(highest, 3) * 1.1)

    def x(ratio: float) -> float:
        return LABELS + SCALE * max(log10(ratio), 0) / decades

    bars, bottom = _bars(figures, x)
    grid = [
        TICK.format(x=x(tick), top=TOP, bottom=bottom, above=TOP - 6, tick=tick)
        for tick in TICKS
        if log10(tick) <= decades
    ]
    return DOCUMENT.format(
        width=WIDTH,
        height=bottom + 16,
        caption=escape(caption),
        style=STYLE,
        content="\n".join(grid + bars),
    )


def _bars(figures: Figures, x: Callable[[float], float]) -> tuple[list[str], int]:
    """The bars, and where they end."""
    parts = []
    y = TOP
    for workload, found in figures.items():
        title = escape(f"{workload}: {TITLES[workload]}")
        parts.append(TITLE.format(y=y + 22, title=title))
        y += HEADING
        for name, figure in found.items():
            if figure:
                end = max(x(figure.ratio), LABELS + 1)
                parts.append(
                    CONTENDER.format(
                        left=LABELS - 8,
                        start=LABELS,
                        right=end + 5,
                        width=end - LABELS,
                        height=BAR,
                        y=y,
                        text=y + BAR - 3,
                        name=escape(name),
                        color=COLORS.get(name, PEER),
                        ratio=short(figure.ratio),
                    )
                )
                y += STEP
    return parts, y
