"""The command, and where its table and its plot go."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, plot, report
from bench.bulk import NAME
from bench.contender import CONTENDERS, LIMIT
from bench.load import CONNECTIONS
from bench.run import Options, Run
from bench.workloads import WORKLOADS

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> None:
    given = _parser().parse_args()
    options = Options(
        contenders=list(dict.fromkeys([LIMIT.name, *given.contenders])),
        workloads=given.workloads,
        items=100_000 if given.quick else 1_000_000,
        rounds=given.rounds or (3 if given.quick else 9),
        seconds=1.0 if given.quick else 1.5,
    )
    started = time.monotonic()
    figures, versions = asyncio.run(Run(options).all())
    date = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    about = {
        "Date": f"{date}, took {(time.monotonic() - started) / 60:.1f} minutes",
        "Machine": machine.description(),
        "Versions": f"{versions}, {machine.versions()}",
        "Items": f"{options.items:,}",
        "Load": f"{CONNECTIONS} connections, {options.rounds} rounds of {options.seconds} s each",
    }
    text = report.render(figures, about)
    sys.stdout.write(text)
    RESULTS.mkdir(exist_ok=True)
    name = "quick" if given.quick else "full"
    (RESULTS / f"{name}.md").write_text(text)
    caption = f"Multiples of the limit, {date}, {options.items:,} items"
    (RESULTS / f"{name}.svg").write_text(plot.draw(figures, caption))


def _parser() -> argparse.ArgumentParser:
    workloads = [*WORKLOADS, NAME]
    contenders = [each.name for each in CONTENDERS]
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="100,000 items, three short rounds")
    parser.add_argument("--contenders", type=_names(contenders), default=contenders)
    parser.add_argument("--workloads", type=_names(workloads), default=workloads)
    parser.add_argument("--rounds", type=int)
    return parser


def _names(known: list[str]) -> Callable[[str], list[str]]:
    def names(value: str) -> list[str]:
        given = value.split(",")
        if unknown := sorted(set(given) - set(known)):
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)} in {', '.join(known)}")
        return given

    return names
