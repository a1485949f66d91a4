"""R's `antitrust` (C. Taragin, M. Sandfort): its recorded results, reached from two small files of a case.

Numbers: `tests/testthat/test-refactor-oracle.R` of github.com/luciu5/antitrust, "master Logit-Bertrand behavior is anchored before refactoring",
recorded with R 4.6.1 (three single-product firms, shares that leave a fifth to the outside good; A buys B). See docs/conventions.md.
"""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.case import Case, load_case
from keiretsu.demand.substitution import diversion, elasticities
from keiretsu.market.build import build_world
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import solve
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.ownership import Prices, cmcr, weights_of
from keiretsu.study.calibration import calibrate_case
from keiretsu.supply.wedges import paid

ALPHA = 1.80501870371948
COST = [1.14767556962632, 1.46131882700948, 1.80748640032139]
PRICE_AFTER = [2.22868077358827, 2.54232403097142, 2.54263243829094]
SHARE_AFTER = [0.308192520661549, 0.179311445518731, 0.246393436039781]
LERNER_AFTER = [0.485042639175656, 0.425203550425570, 0.289127923870463]
ELASTICITY = [  # of the row's sales to the column's price
    [-2.34652431483532, 0.992760287045714, 0.902509351859740],
    [1.26351309260363, -2.97828086113714, 0.902509351859740],
    [1.26351309260363, 0.992760287045714, -3.61003740743896],
]
DIVERSION = [[0, 0.384615384615385, 0.307692307692308], [0.466666666666667, 0, 0.266666666666667], [0.4375, 0.3125, 0]]  # from row to column
CMCR_PERCENT = [46.415797554791, 44.2303222555082]
COMPENSATING_VARIATION = 0.158205880758702
PRINTED = 1e-8  # they print fifteen digits; their solver stops at about 1e-9

CASE = """
[case]
as_of = 2024-01-01
money = "own"
[demand]
price_taste = {alpha}
[market]
potential = 1
[calibration.free]
price_taste = [0.1, 9.0]
[[scenarios]]
name = "merger"
[[scenarios.moves]]
type = "merger"
acquirer = "A"
target = "B"
"""
PRODUCTS = "product,firm,price,share\na,A,2,0.35\nb,B,2.2,0.25\nc,C,2.5,0.20\n"
# their criterion is the sum of squared differences of Lerner indices: the same range for each
MARGINS = "id,kind,of,value,low,high\n" + "".join(
    f"{p},margin,product={p},{m},{m - 0.05:.2f},{m + 0.05:.2f}\n" for p, m in (("a", 0.40), ("b", 0.35), ("c", 0.30))
)


def case_of(folder: Path, products: str, targets: str, toml: str) -> Case:
    (folder / "case.toml").write_text(toml)
    (folder / "products.csv").write_text(products)
    if targets:
        (folder / "targets.csv").write_text(targets)
    return load_case(folder)


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Outcome]:
    case = case_of(tmp_path_factory.mktemp("logit"), PRODUCTS, "", CASE.format(alpha=ALPHA))
    world = build_world(case)
    return solve(world), solve(parse_scenarios(case.scenarios)["merger"].apply(world))


def test_price_taste_is_found_from_three_margins_that_no_logit_meets_exactly(tmp_path: Path):
    fitted = calibrate_case(case_of(tmp_path, PRODUCTS, MARGINS, CASE.format(alpha=1.0)))
    assert fitted.case.demand.price_taste == pytest.approx(ALPHA, rel=1e-5)  # the search differentiates in steps of 1e-5


def test_costs_prices_shares_and_margins_of_the_merger_are_theirs(before_and_after: tuple[Outcome, Outcome]):
    before, after = (outcome.products for outcome in before_and_after)
    np.testing.assert_allclose(before["cost_eur"], COST, rtol=PRINTED)
    np.testing.assert_allclose(after["price_eur"], PRICE_AFTER, rtol=PRINTED)
    np.testing.assert_allclose(after["share"], SHARE_AFTER, rtol=PRINTED)
    np.testing.assert_allclose(after["margin_eur"] / after["price_eur"], LERNER_AFTER, rtol=PRINTED)


def test_buyers_lose_their_compensating_variation(before_and_after: tuple[Outcome, Outcome]):
    before, after = (float(outcome.consumers["surplus_eur"].sum()) for outcome in before_and_after)
    assert before - after == pytest.approx(COMPENSATING_VARIATION, rel=PRINTED)


def test_elasticities_diversion_and_compensating_cost_reductions_are_theirs(before_and_after: tuple[Outcome, Outcome]):
    state, n = before_and_after[0].states["market"], 3
    price = jnp.asarray(state.pricing.price)
    money = paid(state.market.wedges, price)
    np.testing.assert_allclose(np.asarray(elasticities(state.market.tastes, money, price))[:n, :n], ELASTICITY, rtol=PRINTED)
    found = np.array(diversion(state.market.tastes, money).to_product)[:n, :n]
    np.fill_diagonal(found, 0.0)
    np.testing.assert_allclose(found, DIVERSION, rtol=PRINTED)
    cars = before_and_after[0].products
    now = Prices(cars["price_eur"].to_numpy(float), cars["margin_eur"].to_numpy(float), found)
    saved = cmcr(now, weights_of("ABC"), weights_of("AAC"), "cost")
    np.testing.assert_allclose(100 * saved[:2], CMCR_PERCENT, rtol=PRINTED)


def inside_only(outside_share: float) -> str:
    """Their `logit.alm` is told shares of sales, (0.4, 0.35, 0.25), and finds the outside share; the case starts from a guess."""
    return CASE.format(alpha=1.0).replace("potential = 1", f'share_of = "sales"\npotential = 100\noutside_share = {outside_share}')


def alm_case(folder: Path, targets: str, guess: float) -> Case:
    toml = inside_only(guess).replace("price_taste = [0.1, 9.0]", "price_taste = [0.1, 9.0]\npotential = [0.6, 4.0]")
    return case_of(folder, "product,firm,price,share\na,A,2,0.40\nb,B,2.5,0.35\nc,C,3,0.25\n", targets, toml)


SEARCHED = 1e-4  # of a parameter found by search


def test_an_unknown_outside_share_is_found_from_margins_as_by_logit_alm(tmp_path: Path):
    """In plain logit a single-product firm's margin is 1 / (alpha (1 - s)): two margins give alpha and the outside share."""
    alpha, outside = 1.4, 0.3
    share = (1 - outside) * np.array([0.40, 0.35, 0.25])
    lerner = 1 / (alpha * (1 - share)) / np.array([2.0, 2.5, 3.0])
    targets = "id,kind,of,value,low,high\n" + "".join(
        f"{p},margin,product={p},{m},{m - 0.05},{m + 0.05}\n" for p, m in zip("abc", lerner, strict=True)
    )
    fitted = calibrate_case(alm_case(tmp_path, targets, guess=0.45)).case
    assert fitted.demand.price_taste == pytest.approx(alpha, rel=SEARCHED)
    assert fitted.markets["outside_share"].iloc[0] == pytest.approx(outside, abs=SEARCHED)
    np.testing.assert_allclose(build_world(fitted).products["units"].sum() / fitted.markets["potential"].iloc[0], 1 - outside, rtol=SEARCHED)
    np.testing.assert_allclose(solve(build_world(fitted)).products["share"], share, rtol=SEARCHED)


def test_one_margin_and_a_market_elasticity_give_price_taste_and_outside_share(tmp_path: Path):
    """Their `mktElast`: alpha times the outside share times the mean price by units, with a minus sign."""
    alpha, outside = 1.4, 0.3
    inside = np.array([0.40, 0.35, 0.25])
    elasticity = -alpha * outside * float(inside @ [2.0, 2.5, 3.0])
    lerner = 1 / (alpha * (1 - 0.4 * (1 - outside))) / 2.0
    targets = f"id,kind,of,value\nmarket,market_elasticity,,{elasticity}\na,margin,product=a,{lerner}\n"
    fitted = calibrate_case(alm_case(tmp_path, targets, guess=0.45)).case
    assert fitted.demand.price_taste == pytest.approx(alpha, rel=SEARCHED)
    assert fitted.markets["outside_share"].iloc[0] == pytest.approx(outside, abs=SEARCHED)


def test_shares_that_add_up_to_one_leave_nobody_outside_as_with_their_norm_index(tmp_path: Path):
    """`normIndex = 1`: without an outside good the markup is still 1 / (alpha (1 - share of the owner))."""
    toml = CASE.format(alpha=1.4).replace("price_taste = 1.4", "price_taste = 1.4\noutside = false").replace("[market]\npotential = 1\n", "")
    case = case_of(tmp_path, "product,firm,price,share\na,A,2,0.40\nb,B,2.5,0.35\nc,C,3,0.25\n", "", toml)
    world = build_world(case)
    np.testing.assert_allclose(solve(world).products["margin_eur"], 1 / (1.4 * (1 - np.array([0.40, 0.35, 0.25]))), rtol=PRINTED)
    after = solve(parse_scenarios(case.scenarios)["merger"].apply(world)).products
    share = after["share"].to_numpy(float)
    np.testing.assert_allclose(after["margin_eur"], 1 / (1.4 * (1 - np.array([share[0] + share[1]] * 2 + [share[2]]))), rtol=PRINTED)
