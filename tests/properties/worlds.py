"""Random small cases, as files: what a user might type, from a few numbers that Hypothesis chooses."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from keiretsu.case import Case, load_case
from keiretsu.market.build import build_world
from keiretsu.market.world import World

FIRMS = ("Ares", "Boreas", "Chronos")
MARKETS = ("north", "south")
PRODUCTS = 5  # in each market: one shape, so that solvers are compiled once


@dataclass(frozen=True)
class Sketch:
    """A case in a few numbers.

    Attributes
    ----------
    seed
        Of prices, sales and taxes.
    margin
        Lerner index that a product of share zero would have at the lowest price; sets the price taste.
    inside
        Share of potential buyers who buy.
    sigma
        Correlation of tastes inside powertrains; zero for plain logit.
    spread
        Standard deviation of the taste for electric cars.
    stake
        Held by Ares in Boreas; half as much the other way.
    rule
        Ownership rule.
    """

    seed: int
    margin: float
    inside: float
    sigma: float
    spread: float
    stake: float
    rule: str


sketches = st.builds(
    Sketch,
    seed=st.integers(0, 10_000),
    margin=st.floats(0.05, 0.5),
    inside=st.floats(0.05, 0.9),
    sigma=st.sampled_from([0.0, 0.3, 0.8]),
    spread=st.floats(0.1, 3.0),
    stake=st.floats(0.0, 0.9),
    rule=st.sampled_from(["separate", "financial", "controller", "proportional", "conduct:0.4:Ares+Chronos"]),
)


def case_of(sketch: Sketch, *, unit: float = 1.0, names: dict[str, str] | None = None, backwards: bool = False) -> Case:
    """The case of a sketch, with money counted in 1/unit, names replaced and rows in another order."""
    with tempfile.TemporaryDirectory() as folder:
        for file, text in _files(sketch, unit, names or {}, backwards).items():
            (Path(folder) / file).write_text(text)
        return load_case(folder)


def world_of(sketch: Sketch, **changes: object) -> World:
    """The calibrated world of a sketch."""
    return build_world(case_of(sketch, **changes))  # type: ignore[arg-type]


def _files(sketch: Sketch, unit: float, names: dict[str, str], backwards: bool) -> dict[str, str]:
    rng = np.random.default_rng(sketch.seed)
    rows = []
    lowest = 15_000.0
    for market in MARKETS:
        share = sketch.inside * rng.dirichlet(np.full(PRODUCTS, 3.0))
        price = lowest * rng.uniform(1.0, 2.5, PRODUCTS)
        for k in range(PRODUCTS):
            firm = FIRMS[k % len(FIRMS)]
            powertrain = ("ICE", "BEV")[(k // 2) % 2]
            rows.append(f"{market},{firm} {k},{firm},{powertrain},{float(price[k] * unit)!r},gross,{float(share[k])!r}")
    taste = 1 / (sketch.margin * lowest)
    rule = sketch.rule
    for old, new in names.items():
        rows = [row.replace(old, new) for row in rows]
        rule = rule.replace(old, new)
    ares, boreas = (names.get(name, name) for name in FIRMS[:2])
    nests = f'nests = ["powertrain"]\nsigma_group = {sketch.sigma}\nsingle_nests = "allowed"\n' if sketch.sigma else ""
    toml = f"""[case]
name = "random"
as_of = 2024-01-01
money = "own"
rule = "{rule}"
[demand]
price_taste = {taste / unit!r}
draws = 16
{nests}[[demand.random]]
characteristic = "electric"
sigma = {sketch.spread!r}
[[markets]]
market = "north"
vat = 0.19
potential = 1000000
[[markets]]
market = "south"
potential = 400000
[[stakes]]
holder = "{ares}"
company = "{boreas}"
cash_flow = {sketch.stake!r}
[[stakes]]
holder = "{boreas}"
company = "{ares}"
cash_flow = {sketch.stake / 2!r}
"""
    ordered = rows[::-1] if backwards else rows
    return {"case.toml": toml, "products.csv": "market,product,firm,powertrain,price,price_basis,share\n" + "\n".join(ordered) + "\n"}
