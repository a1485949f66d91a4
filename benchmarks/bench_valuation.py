"""Processor seconds of everything about money on the futures of a run of the embedded case: companies, stakes, listing, what must be true, choosing.

Run as ``python benchmarks/bench_valuation.py [DRAWS]`` (16 unless told). What a run has anyway, the compiled years and the draws, is made first and not counted; what must be true
asks the model again, and its true paths and sweeps for slopes are. The promise is 20 seconds in all, compiled code being kept on disk as the command line does.
"""

# ruff: noqa: E402  (the package is found from here)
from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "src"), str(Path(__file__).parents[1])]

from keiretsu.case import load_case
from keiretsu.numerics.compiled import cache_folder, keep_compiled_code
from keiretsu.study.decisions import choice_values, knowable, stake_claims
from keiretsu.study.futures import futures_and_years
from keiretsu.study.on_the_model import stake_must_be_true
from keiretsu.valuation import choose, football_field, terms_of, value_company, value_listing, value_stake

PROMISE = 20.0
SCENARIOS = ("nissan_stake", "nissan_honda_platform")
COMPANIES = ("Ampere", "Renault", "Nissan", "Mitsubishi", "Honda")


def main(draws: int) -> None:
    """Print processor seconds by question and in all."""
    keep_compiled_code(cache_folder())
    case = load_case("ampere")
    outlook, futures = futures_and_years(case, SCENARIOS, draws)
    terms = terms_of(case, "nissan_8bn")
    stake_must_be_true(case, futures, outlook, terms)  # compiled here

    def choosing() -> object:
        values = choice_values(case, futures, SCENARIOS, "Nissan", ("Nissan",), stake_claims(case, futures, "Nissan", SCENARIOS))
        return choose(values, knowable(futures))

    questions: dict[str, Callable[[], object]] = {
        "five companies": lambda: [value_company(case, futures, name) for name in COMPANIES],
        "three stakes": lambda: [value_stake(case, futures, name) for name in ("nissan_8bn", "nissan_note", "nissan_staged")],
        "football field": lambda: football_field(case, futures, "Ampere"),
        "listing": lambda: value_listing(case, futures, "Ampere"),
        "choosing": choosing,
        "what must be true": lambda: stake_must_be_true(case, futures, outlook, terms),
    }
    total = 0.0
    for name, ask in questions.items():
        start = time.process_time()
        ask()
        spent = time.process_time() - start
        total += spent
        print(f"{name}: {spent:.1f} s")
    print(f"in all: {total:.1f} s of processor, promise {PROMISE:g} s: ratio {total / PROMISE:.2f} with {draws} draws")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16)
