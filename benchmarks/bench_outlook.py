"""Years ahead on the embedded case: milliseconds an equilibrium, cost of a gradient against the path, growth with draws and years, memory.

Every figure is measured in one run on one machine; ratios are what to compare.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import jax
import numpy as np

from keiretsu.case import load_case
from keiretsu.market.build import build_world
from keiretsu.outlook.case_facts import last_year
from keiretsu.outlook.measures import measure_named
from keiretsu.outlook.outlook import BASELINE, run
from keiretsu.outlook.sensitivity import output_at, slopes
from keiretsu.study.runs import Threads, YearsAhead, prepare

DRAWS = 8


def seconds(work: Callable[[], object], times: int) -> float:
    """Least of several runs, after one that compiles."""
    work()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    case = load_case("ampere")
    world = build_world(case)
    one_scenario = (case.scenarios[0].name,)
    ready = prepare(case, YearsAhead(draws=DRAWS, scenarios=one_scenario, products=False), world)
    outlook = ready.outlook
    central = outlook.central()
    path = seconds(lambda: run(outlook, BASELINE, central), 3)
    years, markets = len(outlook.facts.years), len(world.markets)
    slots, consumers = outlook.base.share.shape[1], outlook.base.alpha.shape[1]
    found = run(outlook, BASELINE, central)[1]
    print(
        f"{years} years x {markets} markets, {slots} slots x {consumers} consumers: path {path:.2f} s, {1e3 * path / years / markets:.1f} ms an equilibrium"
    )
    print(f"evaluations an equilibrium: {np.asarray(found.iterations).mean():.1f}")
    short = prepare(case, YearsAhead(until=last_year(case) - 6, scenarios=one_scenario), world).outlook
    half = seconds(lambda: run(short, BASELINE, short.central()), 3)
    print(f"{len(short.facts.years)} years in place of {years}: {half / path:.2f} of the time")
    work = [(piece, [ready.draws.row(d) for d in piece.draws]) for piece in ready.pieces if piece.draws]
    for threads in (1, 2):
        start = time.perf_counter()
        list(Threads(threads).compute(outlook, [(p, [v]) for p, values in work for v in values], False))
        print(f"{DRAWS} draws x 2 scenarios in {threads} threads: {time.perf_counter() - start:.1f} s")
    measure = measure_named("Nissan value", outlook, 0.06)
    forward = seconds(lambda: output_at(outlook, BASELINE, measure, central), 3)
    backward = seconds(lambda: slopes(outlook, BASELINE, measure, central), 3)
    print(f"gradient of one output to {len(central)} inputs: {backward / forward:.1f} times the path")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB on {jax.default_backend()}")


if __name__ == "__main__":
    main()
