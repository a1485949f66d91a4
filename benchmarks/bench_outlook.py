"""Years ahead: what an equilibrium costs, growth with draws, years and markets (with a plot), a gradient, memory, two workers against one.

Seconds are those of the processor (user and system of this process), least of several runs: they count what a machine that others use would hide. Two
workers are processes of one thread each, timed by the clock, each against the same work by one; only on an idle machine is that a fair figure.

    python benchmarks/bench_outlook.py                   everything but the workers; every number of years and markets is compiled anew: some minutes
    python benchmarks/bench_outlook.py --workers         two worker processes against one as well
    python benchmarks/bench_outlook.py --case FOLDER --plot growth.svg --no-gradient
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import multiprocessing
import os
import pickle
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: threads that wait for work would be counted
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("NPROC", "1")

import jax
import numpy as np

from keiretsu.case import Case, load_case
from keiretsu.market.build import build_world
from keiretsu.market.consumers import with_at_most
from keiretsu.market.world import World
from keiretsu.numerics.compiled import cache_folder, keep_compiled_code
from keiretsu.outlook.case_facts import last_year
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import BASELINE, Outlook, guide_of, run, solved
from keiretsu.outlook.pieces import Piece, run_piece
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.study.run import chosen_scenarios
from keiretsu.study.runs import CONSUMERS, Prepared, YearsAhead, prepared

DRAWS = 8
ROUNDS = 5  # times that the draws are run when workers are compared: a few seconds say more about the machine than about the program
PROMISED_HOURS = 0.75  # of 1000 draws x 6 scenarios on two processors
Points = list[tuple[int, float]]


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--case", default="ampere")
    asked.add_argument("--consumers", type=int, default=CONSUMERS)
    asked.add_argument("--until", type=int, default=0)
    asked.add_argument("--plot", type=Path, default=Path("growth.svg"), help="where the plot of growth is written")
    asked.add_argument("--of", default="electric share", help="output whose gradient is taken")
    asked.add_argument("--no-gradient", action="store_true")
    asked.add_argument("--workers", action="store_true")
    given = asked.parse_args()
    keep_compiled_code(cache_folder())
    case = with_at_most(load_case(given.case), given.consumers)
    world, last = build_world(case), given.until or last_year(case)
    start = time.process_time()
    ready = made(case, world, last, DRAWS)
    print(f"prepared two scenarios in {time.process_time() - start:.1f} s of processor")
    outlook = ready.outlook
    central, years, markets = outlook.central(), len(outlook.facts.years), len(world.markets)
    start = time.process_time()
    found = run(outlook, BASELINE, central)[1]
    print(f"compiled in {time.process_time() - start:.1f} s (next to nothing where the user's cache has it)")
    path = seconds(lambda: run(outlook, BASELINE, central))
    slots, consumers = outlook.base.share.shape[1], outlook.base.alpha.shape[1]
    print(
        f"{years} years x {markets} markets, {slots} slots x {consumers} consumers: path {path:.3f} s, {1e3 * path / years / markets:.2f} ms an equilibrium"
    )
    print(f"evaluations an equilibrium: {np.asarray(found.iterations).mean():.1f}, at most {np.asarray(found.iterations).max()}")
    other = outlook.scenarios[1]
    guide = guide_of(outlook, other, central)
    led = seconds(lambda: jax.block_until_ready(solved(outlook, other, central, guide)[1].price))
    print(f"path of {other} from the baseline's: {led:.3f} s, {path / led:.2f} times as quick")
    whole = 1000 * (path + 5 * led) / 2 / 60
    print(f"1000 draws x 6 scenarios, the baseline among them, on 2 processors: {whole:.0f} min; promised {60 * PROMISED_HOURS:.0f}")
    grown = {
        "draws": by_draws(ready),
        "years": [(len(one.facts.years), cost(one)) for one in (made(case, world, year).outlook for year in fewer_years(case.year + 1, last))]
        + [(years, path)],
        "markets": [(count, cost(made(*in_first_markets(case, world, count), last).outlook)) for count in halves(markets)] + [(markets, path)],
    }
    for name, points in grown.items():
        print(f"{name:>8s}   seconds   seconds each")
        for count, took in points:
            print(f"{count:8d} {took:9.3f} {took / count:14.4f}")
        print(f"{'':8s} twice the {name}: {2 ** exponent(points):.2f} times the seconds (2.00 is linear)")
    given.plot.write_text(plot(grown, f"{case.name}, {consumers} consumers"), encoding="utf-8")
    print(f"plot: {given.plot}")
    if not given.no_gradient:
        measure = measure_named(given.of, outlook, 0.06)
        forward, backward = (
            seconds(lambda: output_at(outlook, BASELINE, measure, central)),
            seconds(lambda: slopes(outlook, BASELINE, measure, central)),
        )
        print(f"gradient of one output to {len(central)} inputs: {backward / forward:.1f} times the path; promised 8")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB on {jax.default_backend()}; promised 4")
    if given.workers:
        workers(ready)


def made(case: Case, world: World, until: int, draws: int = 0) -> Prepared:
    """The baseline, and where the case has all its markets its first scenario, ready to be run."""
    whole = set(world.markets) == {str(m) for m in case.markets["market"]}
    return prepared(case, world, chosen_scenarios(case, ())[:1] if whole else (), YearsAhead(draws=draws, until=until, products=False))


def in_first_markets(case: Case, world: World, count: int) -> tuple[Case, World]:
    """The case's first markets alone, planned launches with their share of buyers in them."""
    kept = list(world.markets)[:count]
    buyers = case.markets.set_index("market")["potential"].astype(float)
    launches = case.tables["planned_launches"]
    listed = [str(markets).split(";") for markets in launches["markets"]]
    mine = [[market for market in markets if market in kept] for markets in listed]
    share = [float(buyers[some].sum() / buyers[markets].sum()) for some, markets in zip(mine, listed, strict=True)]
    launches = launches.assign(markets=[";".join(some) for some in mine], expected_units=launches["expected_units"] * share)[
        [bool(some) for some in mine]
    ]
    fewer = world.products[world.products["market"].isin(kept)].reset_index(drop=True)
    smaller = dataclasses.replace(case, tables={**case.tables, "planned_launches": launches.reset_index(drop=True)})
    return smaller, world.replace(markets={m: world.markets[m] for m in kept}, products=fewer)


def halves(most: int) -> list[int]:
    """A quarter and a half of a number, where they are whole and at least one."""
    return [most // part for part in (4, 2) if most // part >= 1 and most >= 2]


def fewer_years(first: int, last: int) -> list[int]:
    """Last years of runs a third and two thirds as long."""
    length = last - first + 1
    return sorted({first + length * part // 3 - 1 for part in (1, 2) if length >= 3})


def cost(outlook: Outlook) -> float:
    """Seconds of one path of the baseline."""
    return seconds(lambda: run(outlook, BASELINE, outlook.central()))


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Least processor time of several runs, after one that compiles."""
    work()
    found: list[float] = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def by_draws(ready: Prepared) -> Points:
    """Seconds of pieces with two, four and eight draws."""
    points: Points = []
    for count in (2, 4, 8):
        piece = Piece(BASELINE, 0, tuple(range(count)))
        values = [ready.draws.row(d) for d in piece.draws]
        points.append((count, seconds(lambda piece=piece, values=values: run_piece(ready.outlook, piece, values, False), 1)))
    return points


def exponent(points: Sequence[tuple[int, float]]) -> float:
    """Slope of the logarithm of seconds on that of the count: one is linear growth."""
    x, y = np.log([count for count, _ in points]), np.log([took for _, took in points])
    return float(np.polyfit(x, y, 1)[0]) if len(points) > 1 else 1.0


def plot(grown: Mapping[str, Sequence[tuple[int, float]]], title: str) -> str:
    """An SVG with one panel each: measured seconds and the straight line through nothing and the last of them."""
    width, height, pad = 260, 240, 46
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * len(grown)}" height="{height + 30}" font-family="sans-serif" font-size="11">']
    parts.append(f'<text x="12" y="18" font-size="13">Seconds of processor: {title}; dashed is linear growth</text>')
    for number, (name, points) in enumerate(grown.items()):
        left, bottom = number * width + pad, height - 10
        across, up = (width - pad - 20) / max(c for c, _ in points), (height - 70) / max(t for _, t in points)
        spots = [(left + c * across, bottom - t * up, c, t) for c, t in points]
        parts.append(f'<path d="M{left} {bottom}H{left + width - pad - 12}M{left} {bottom}V40" stroke="#444" fill="none"/>')
        parts.append(f'<path d="M{left} {bottom}L{spots[-1][0]:.1f} {spots[-1][1]:.1f}" stroke="#999" stroke-dasharray="4 3" fill="none"/>')
        parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in spots)}" stroke="#1f5fa8" stroke-width="2" fill="none"/>')
        for x, y, count, took in spots:
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f5fa8"/><text x="{x - 8:.1f}" y="{y - 8:.1f}" text-anchor="end">{took:.2g} s</text>'
            )
            parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{count}</text>')
        parts.append(f'<text x="{left + (width - pad) / 2:.0f}" y="{bottom + 30}" text-anchor="middle">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def workers(ready: Prepared) -> None:
    """The same pieces by one worker process and by two, each of one thread, by the clock; both have compiled before the clock starts."""
    packed = pickle.dumps(ready.outlook)
    work = [[ready.draws.row(d)] for d in range(DRAWS)] * ROUNDS
    took: dict[int, float] = {}
    for count in (1, 2):
        with concurrent.futures.ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _unpack, (packed,)) as pool:
            while len(set(pool.map(_one, work[: 2 * count]))) < count:  # until each has its program
                pass
            start = time.perf_counter()
            list(pool.map(_one, work))
            took[count] = time.perf_counter() - start
    print(f"{len(work)} paths: one worker {took[1]:.1f} s, two {took[2]:.1f} s: {took[1] / took[2]:.2f} times; promised 1.8 on an idle machine")


_held: dict[str, Outlook] = {}


def _unpack(packed: bytes) -> None:
    keep_compiled_code(cache_folder())
    _held["outlook"] = pickle.loads(packed)


def _one(values: list[dict[str, float]]) -> int:
    """The process that ran a piece of one draw."""
    run_piece(_held["outlook"], Piece(BASELINE, 0, (0,)), values, False)
    return os.getpid()


if __name__ == "__main__":
    main()
