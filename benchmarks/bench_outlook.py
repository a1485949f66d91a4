"""Years ahead on the embedded case: what an equilibrium costs, growth with draws, years and markets, two workers against one, a gradient, memory.

Seconds are those of the processor (user and system of this process), least of several runs: they count what a machine that others use would hide. Two
workers are processes of one thread each, timed by the clock, each against the same work by one; only on an idle machine is that a fair figure.

    python benchmarks/bench_outlook.py            everything but the workers, about two minutes
    python benchmarks/bench_outlook.py --workers  two worker processes against one as well
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import pickle
import resource
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: threads that wait for work would be counted
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import numpy as np

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.numerics.compiled import cache_folder, keep_compiled_code
from keiretsu.outlook.case_facts import last_year
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import BASELINE, Outlook, run
from keiretsu.outlook.pieces import Piece, run_piece
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.study.runs import Prepared, YearsAhead, prepare

DRAWS = 8
PROMISED_HOURS = 0.75  # of 1000 draws x 6 scenarios on two processors


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--workers", action="store_true")
    with_workers = asked.parse_args().workers
    keep_compiled_code(cache_folder())
    case = load_case("ampere")
    world = build_world(case)
    one_scenario = (case.scenarios[0].name,)
    start = time.process_time()
    ready = prepare(case, YearsAhead(draws=DRAWS, scenarios=one_scenario, products=False), world)
    print(f"prepared two scenarios in {time.process_time() - start:.1f} s of processor")
    outlook = ready.outlook
    central, years, markets = outlook.central(), len(outlook.facts.years), len(world.markets)
    start = time.process_time()
    found = run(outlook, BASELINE, central)[1]
    print(f"compiled in {time.process_time() - start:.1f} s (next to nothing where the user's cache has it)")
    path = seconds(lambda: run(outlook, BASELINE, central))
    each = 1e3 * path / years / markets
    slots, consumers = outlook.base.share.shape[1], outlook.base.alpha.shape[1]
    print(f"{years} years x {markets} markets, {slots} slots x {consumers} consumers: path {path:.3f} s, {each:.2f} ms an equilibrium")
    print(f"evaluations an equilibrium: {np.asarray(found.iterations).mean():.1f}, at most {np.asarray(found.iterations).max()}")
    print(f"1000 draws x 6 scenarios on 2 processors: {1000 * 6 * path / 2 / 60:.0f} min; promised {60 * PROMISED_HOURS:.0f}")
    growth(ready, lambda until: prepare(case, YearsAhead(until=until, scenarios=one_scenario), world).outlook, last_year(case), path)
    measure = measure_named("Nissan value", outlook, 0.06)
    forward = seconds(lambda: output_at(outlook, BASELINE, measure, central))
    backward = seconds(lambda: slopes(outlook, BASELINE, measure, central))
    print(f"gradient of one output to {len(central)} inputs: {backward / forward:.1f} times the path; promised 8")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB on {jax.default_backend()}; promised 4")
    if with_workers:
        workers(ready)


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Least processor time of several runs, after one that compiles."""
    work()
    found: list[float] = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def growth(ready: Prepared, until: Callable[[int], Outlook], last: int, path: float) -> None:
    """A table of the cost of more draws and more years; markets are solved one after the other, so theirs is what the years show by market."""
    outlook = ready.outlook
    print("draws   seconds   seconds a draw")
    for count in (2, 4, 8):
        piece = Piece(BASELINE, 0, tuple(range(count)))
        values = [ready.draws.row(d) for d in piece.draws]
        took = seconds(lambda piece=piece, values=values: run_piece(outlook, piece, values, False), 1)
        print(f"{count:5d} {took:9.2f} {took / count:12.3f}")
    print("years   seconds   seconds a year")
    for years_less in (8, 4):
        short = until(last - years_less)
        took = seconds(lambda short=short: run(short, BASELINE, short.central()))
        print(f"{len(short.facts.years):5d} {took:9.3f} {took / len(short.facts.years):12.4f}")
    print(f"{len(outlook.facts.years):5d} {path:9.3f} {path / len(outlook.facts.years):12.4f}")


def workers(ready: Prepared) -> None:
    """The same pieces by one worker process and by two, each of one thread, by the clock; both have compiled before the clock starts."""
    packed = pickle.dumps(ready.outlook)
    work = [[ready.draws.row(d)] for d in range(DRAWS)]
    took: dict[int, float] = {}
    for count in (1, 2):
        with concurrent.futures.ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _unpack, (packed,)) as pool:
            list(pool.map(_one, work[:count] * 2))
            start = time.perf_counter()
            list(pool.map(_one, work))
            took[count] = time.perf_counter() - start
    print(f"{DRAWS} draws: one worker {took[1]:.1f} s, two {took[2]:.1f} s: {took[1] / took[2]:.2f} times; promised 1.8 on an idle machine")


_held: dict[str, Outlook] = {}


def _unpack(packed: bytes) -> None:
    keep_compiled_code(cache_folder())
    _held["outlook"] = pickle.loads(packed)


def _one(values: list[dict[str, float]]) -> float:
    return float(run_piece(_held["outlook"], Piece(BASELINE, 0, (0,)), values, False)["firm_profit"].sum())


if __name__ == "__main__":
    main()
