"""The command, and where its table and its plot go."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import entities, growth, machine, plot, report
from bench.bulk import NAME
from bench.contender import CONTENDERS, LIMIT
from bench.figures import Figures
from bench.load import CONNECTIONS
from bench.run import Options, Run
from bench.workloads import WORKLOADS

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> None:
    given = _parser().parse_args()
    rounds = given.rounds or (3 if given.quick else 9)
    seconds = 1.0 if given.quick else 1.5
    if given.entities:
        _publish_entities(rounds)
        return
    if given.growth:
        items = ", ".join(f"{size:,}" for size in growth.SIZES)
        _publish("growth", growth.run(rounds, seconds), "the smallest", items, (rounds, seconds))
        return
    rows = 100_000 if given.quick else 1_000_000
    contenders = list(dict.fromkeys([LIMIT.name, *given.contenders]))
    run = Run(Options(contenders, given.workloads, rows, rounds, seconds))
    name = "quick" if given.quick else "full"
    figures = _publish(name, run.all(), "the limit", f"{rows:,}", (rounds, seconds))
    caption = f"Multiples of the limit, {_now()}, {rows:,} items"
    (RESULTS / f"{name}.svg").write_text(plot.draw(figures, caption))


def _publish(
    name: str,
    run: Coroutine[Any, Any, tuple[Figures, str]],
    unit: str,
    items: str,
    bursts: tuple[int, float],
) -> Figures:
    """Print what a run finds, and keep it under the name."""
    started = time.monotonic()
    figures, versions = asyncio.run(run)
    rounds, seconds = bursts
    about = _about(started, versions) | {
        "Items": items,
        "Load": f"{CONNECTIONS} connections, {rounds} rounds of {seconds} s each",
    }
    _keep(name, report.render(figures, about, unit))
    return figures


def _publish_entities(rounds: int) -> None:
    started = time.monotonic()
    commit = asyncio.run(machine.commit())
    found = entities.run(rounds)
    about = _about(started, f"Plinth {commit}") | {"Starts": f"the least of {rounds} of each"}
    _keep("entities", f"{report.heading('What an entity costs', about)}\n\n{found}\n")


def _about(started: float, versions: str) -> dict[str, str]:
    return {
        "Date": f"{_now()}, took {(time.monotonic() - started) / 60:.1f} minutes",
        "Machine": machine.description(),
        "Versions": f"{versions}, {machine.versions()}",
    }


def _keep(name: str, text: str) -> None:
    sys.stdout.write(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _parser() -> argparse.ArgumentParser:
    workloads = [*WORKLOADS, NAME]
    contenders = [each.name for each in CONTENDERS]
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="100,000 items, three short rounds")
    parser.add_argument(
        "--growth",
        action="store_true",
        help="Plinth alone, over 10,000 items and over 10,000,000: about fifteen minutes",
    )
    parser.add_argument(
        "--entities",
        action="store_true",
        help="What each entity costs at the start of Plinth: about five minutes",
    )
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
