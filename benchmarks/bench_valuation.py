"""How long a company, its stakes, a football field and the listing rule take on the draws of a run; prints seconds.

Run as ``python benchmarks/bench_valuation.py``. The ensemble is made up: what is timed begins where the years ahead end. Issue 5 allows 20 seconds for
everything about money on two cores.
"""

# ruff: noqa: E402  (the package and its tests are found from here)
from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "src"), str(Path(__file__).parents[1])]
from tests.valuation.conftest import make_ensemble, write_case

from keiretsu.valuation import football_field, value_company, value_listing, value_stake

DRAWS = 1024


def main() -> None:
    """Print seconds by question."""
    with tempfile.TemporaryDirectory() as folder:
        case, futures = write_case(Path(folder)), make_ensemble(DRAWS)
        questions = {
            "company": lambda: value_company(case, futures, "Electric"),
            "four stakes": lambda: [value_stake(case, futures, name) for name in ("new", "old", "note", "parts")],
            "football field": lambda: football_field(case, futures, "Electric"),
            "listing": lambda: value_listing(case, futures, "Electric"),
        }
        for name, ask in questions.items():
            start = time.perf_counter()
            ask()
            print(f"{name}: {time.perf_counter() - start:.2f} s with {DRAWS} draws")


if __name__ == "__main__":
    main()
