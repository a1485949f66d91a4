"""Kinds of buyer and a case's own draws: what they must be, and what they do to sales."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from keiretsu.case import check_case, load_case
from keiretsu.demand.choice import choose
from keiretsu.market.build import build_world, preferences_of
from keiretsu.market.market import kappa_of
from keiretsu.market.solve import market_of, solve
from keiretsu.supply.wedges import paid
from tests.case.folder import write

HEAD = """
[case]
as_of = 2024-01-01
[demand]
price_taste = 0.0002
"""
MARKET = """
[market]
potential = 100_000
private_share = {share}
"""
PRODUCTS = "product,firm,powertrain,price,units\nCheap,Ares,ICE,20000,9000\nDear,Boreas,BEV,40000,5000\nOther,Chronos,ICE,26000,8000\n"
ROUNDING = 1e-12


def folder(path: Path, toml: str, draws: str = "") -> Path:
    files = {"case.toml": HEAD + toml, "products.csv": PRODUCTS}
    return write(path, files | ({"draws.csv": draws} if draws else {}))


def shares_by_kind(path: Path) -> dict[str, np.ndarray]:
    """Choice probabilities at observed prices, by kind of buyer, for a case of one market."""
    world = build_world(load_case(path))
    market, rows = market_of(world, "market", kappa_of(world, world.firms()))
    people = world.markets["market"].consumers
    choice = choose(market.tastes, paid(market.wedges, jnp.asarray(rows["price_eur"].to_numpy(float))))
    probability = np.broadcast_to(np.asarray(choice.probability), (len(rows), people.weight.size))
    chosen = {name: people.kind == k for k, name in enumerate(people.kind_names)}
    return {name: probability[:, mask] @ people.weight[mask] / people.weight[mask].sum() for name, mask in chosen.items() if mask.any()}


def test_company_buyers_who_mind_prices_less_buy_dearer_cars(tmp_path: Path) -> None:
    found = shares_by_kind(folder(tmp_path, "[demand.kind_price]\ncompany = 0.5\n" + MARKET.format(share=0.6)))
    assert found["company"][1] / found["company"][0] > found["private"][1] / found["private"][0]
    # whatever the kinds' tastes, together they buy what was sold
    np.testing.assert_allclose(0.6 * found["private"] + 0.4 * found["company"], [0.09, 0.05, 0.08], rtol=1e-9)


def test_a_kind_that_likes_electric_cars_more_buys_more_of_them_and_less_of_the_rest(tmp_path: Path) -> None:
    found = shares_by_kind(folder(tmp_path, "[demand.kind_taste.company]\nelectric = 0.7\n" + MARKET.format(share=0.6)))
    log_odds = np.log(found["company"] / found["private"])
    assert log_odds[1] - log_odds[0] == pytest.approx(0.7, abs=ROUNDING * 100)  # in plain logit the gap in utility is the gap in log odds


def test_without_different_tastes_kinds_of_buyer_are_alike(tmp_path: Path) -> None:
    found = shares_by_kind(folder(tmp_path, MARKET.format(share=0.6)))
    np.testing.assert_allclose(found["company"], found["private"], rtol=ROUNDING)


def test_a_market_of_private_buyers_only_has_no_company_buyers(tmp_path: Path) -> None:
    assert set(solve(build_world(load_case(folder(tmp_path, MARKET.format(share=1))))).consumers["kind"]) == {"private"}


def test_a_taste_of_company_buyers_may_stand_beside_a_market_that_has_none(tmp_path: Path) -> None:
    markets = '[[markets]]\nmarket = "A"\npotential = 100_000\nprivate_share = 0.5\n[[markets]]\nmarket = "B"\npotential = 100_000\n'
    case = folder(tmp_path, "[demand.kind_price]\ncompany = 0.8\n" + markets)
    rows = PRODUCTS.splitlines()
    (case / "products.csv").write_text("\n".join([f"market,{rows[0]}", *(f"{m},{row}" for m in "AB" for row in rows[1:])]) + "\n")
    consumers = solve(build_world(load_case(case))).consumers
    assert set(consumers.loc[consumers["market"] == "A", "kind"]) == {"private", "company"}
    assert set(consumers.loc[consumers["market"] == "B", "kind"]) == {"private"}


@pytest.mark.parametrize(
    ("toml", "share", "what"),
    [
        ("[demand.kind_price]\nfleet = 0.5\n", 0.6, "unknown kind of buyer"),
        ("[demand.kind_price]\ncompany = 0\n", 0.6, "price taste of a kind of buyer is out of bounds"),
        ("[demand.kind_price]\ncompany = true\n", 0.6, "price taste of a kind of buyer is out of bounds"),
        ("[demand.kind_price]\ncompany = 0.5\n", 1, "no market has buyers of this kind"),
        ("[demand.kind_taste.company]\nelctric = 0.5\n", 0.6, "unknown characteristic"),
        ('[demand.kind_taste.company]\nelectric = "more"\n', 0.6, "a taste is not a number"),
        ("[demand.kind_taste]\ncompany = 2\n", 0.6, "not a table of tastes"),
        ('[[demand.random]]\ncharacteristic = "electric"\nsigma = 1\nmedian = 2\n', 1, "a normal taste has no median here"),
        ('[[demand.random]]\ncharacteristic = "electric"\nsigma = 1\nmedian = 0\ndistribution = "lognormal"\n', 1, "a median of zero is no taste"),
    ],
)
def test_a_mistake_about_kinds_and_tastes_is_named_with_its_line(tmp_path: Path, toml: str, share: float, what: str) -> None:
    problems = check_case(folder(tmp_path, toml + MARKET.format(share=share))).problems
    assert len(problems) == 1
    assert what in problems[0].what
    assert problems[0].where.startswith("case.toml, line ")


def test_a_lognormal_dislike_keeps_its_sign(tmp_path: Path) -> None:
    toml = '[[demand.random]]\ncharacteristic = "electric"\nsigma = 0.5\nmedian = -1.5\ndistribution = "lognormal"\n'
    (taste,) = preferences_of(load_case(folder(tmp_path, toml + MARKET.format(share=1)))).random
    assert (taste.median, taste.distribution) == (-1.5, "lognormal")


RANDOM = '[[demand.random]]\ncharacteristic = "electric"\nsigma = 1.5\n'
DRAWS = "weight,income_eur,group,kind,nu_1\n0.25,20000,poor,private,-1.5\n0.35,30000,poor,private,0.2\n0.4,70000,rich,company,1.1\n"


def test_a_cases_own_draws_are_used_as_they_stand(tmp_path: Path) -> None:
    world = build_world(load_case(folder(tmp_path, RANDOM + MARKET.format(share=1), DRAWS)))
    people = world.markets["market"].consumers
    np.testing.assert_array_equal(people.weight, [0.25, 0.35, 0.4])
    np.testing.assert_array_equal(people.nu, [[-1.5], [0.2], [1.1]])
    outcome = solve(world)
    assert set(zip(outcome.consumers["group"], outcome.consumers["kind"], strict=True)) == {("poor", "private"), ("rich", "company")}
    np.testing.assert_allclose(outcome.products["units"], [9000, 5000, 8000], rtol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("0.4,70000", "0.5,70000", "weights of draws do not add up to one"),
        ("company,1.1", "company,", "a draw lacks a random taste"),
        ("company", "state", "kind is not a word of the vocabulary"),
        ("0.25,20000", "-0.25,20000", "weight is out of bounds"),
    ],
)
def test_draws_that_make_no_population_are_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    problems = check_case(folder(tmp_path, RANDOM + MARKET.format(share=1), DRAWS.replace(old, new))).problems
    assert what in [problem.what for problem in problems]
    assert problems[0].where.startswith("draws.csv, row ")


def test_a_draw_for_which_there_is_no_random_taste_is_refused(tmp_path: Path) -> None:
    (problem, *_) = check_case(folder(tmp_path, MARKET.format(share=1), DRAWS)).problems
    assert problem.what == "a draw has a taste that nothing uses"


def test_incomes_are_not_stated_twice(tmp_path: Path) -> None:
    incomes = '[[incomes]]\ngroup = "all"\nweight = 1\nincome_eur = 40_000\n'
    (problem,) = check_case(folder(tmp_path, RANDOM + MARKET.format(share=1) + incomes, DRAWS)).problems
    assert problem.what == "incomes are stated twice"
