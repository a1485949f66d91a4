"""A scenario's years start from the baseline's under the same values: quicker, and never another answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

import jax
import numpy as np
import pytest

from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.arrays import Guide, Year
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import BASELINE, Outlook, build, follows, guide_of, led_by, solved
from keiretsu.outlook.path import nothing_to_follow
from keiretsu.outlook.pieces import CENTRAL, Piece, groups_of, pieces_of, run_group, run_piece
from keiretsu.supply.pricing import PricingOptions
from tests.outlook.bent_worlds import bracket, ceiling, world_with
from tests.outlook.small import YEARS
from tests.outlook.test_fleet_years import outlook as ruled

EUR = 1e-3  # both are settled to 1e-7 EUR of a first-order condition
CHEAPER = {"type": "cost_shock", "products": {"maker": "Ares"}, "change_share": -0.05}
LEVEL = (40.0, 0.75)  # two pools bind


@functools.cache
def bent() -> Outlook:
    """A world with a ceiling and a duty bracket, in which one car costs less, at once or from the third year on."""
    world = world_with(ceiling(37_500.0), bracket(34_500.0, "south"))
    moves = [{"name": "cheaper", "moves": [CHEAPER]}, {"name": "later", "moves": [{**CHEAPER, "start": dt.date(YEARS[2], 1, 1)}]}]
    return build(world, parse_scenarios(moves), steady_facts(world, 2023, YEARS), PricingOptions())


def alone(out: Outlook, scenario: str) -> tuple[Year, Guide]:
    """A path whose years all start from the year before."""
    found = solved(out, scenario, out.central(), nothing_to_follow(out.plan(scenario, out.central())))
    return found[1], found[2]


def led(out: Outlook, scenario: str) -> Year:
    """The same path as every run computes it."""
    return solved(out, scenario, out.central(), guide_of(out, scenario, out.central()))[1]


def evaluations(years: Year) -> int:
    """Of all markets in years that a guide may be followed in."""
    return int(np.asarray(years.iterations).max(axis=1).sum())


@pytest.mark.parametrize("which", ["rules", "bends"])
def test_years_that_start_from_the_baselines_come_to_the_same_prices(which: str) -> None:
    out, scenario = (ruled(*LEVEL), "apart") if which == "rules" else (bent(), "cheaper")
    mine, others = led(out, scenario), alone(out, scenario)[0]
    assert follows(out, scenario, out.central()).any()
    assert np.asarray(mine.settled).all()
    assert np.abs(np.asarray(alone(out, BASELINE)[0].price) - np.asarray(others.price)).max() > 5.0  # or nothing is tested
    assert np.asarray(mine.price) == pytest.approx(np.asarray(others.price), abs=EUR)
    assert np.asarray(mine.firm_profit) == pytest.approx(np.asarray(others.firm_profit), rel=1e-9, abs=1e3)


def test_a_solution_that_is_started_from_stays_where_it_is() -> None:
    for out in (ruled(*LEVEL), bent()):
        years, guide = alone(out, BASELINE)
        again = solved(out, BASELINE, out.central(), guide)[1]
        assert np.asarray(guide.follow).all()
        assert np.asarray(again.price) == pytest.approx(np.asarray(years.price), abs=1e-6)
        assert evaluations(again) < evaluations(years)


def test_before_a_scenario_begins_to_differ_its_years_are_the_baselines_to_the_last_bit() -> None:
    out = bent()
    assert follows(out, "later", out.central()).tolist() == [False, False] + [True] * (len(YEARS) - 2)
    base, mine = alone(out, BASELINE)[0], led(out, "later")
    assert np.asarray(mine.price)[:2].tobytes() == np.asarray(base.price)[:2].tobytes()
    assert np.asarray(mine.firm_profit)[:2].tobytes() == np.asarray(base.firm_profit)[:2].tobytes()
    assert np.abs(np.asarray(mine.price)[2] - np.asarray(base.price)[2]).max() > 1.0


def test_a_piece_has_the_same_bytes_alone_and_in_company() -> None:
    out = bent()
    pieces = [Piece(name, CENTRAL, ()) for name in out.scenarios]
    together = dict(run_group(out, pieces, [out.central()], True))
    for piece in pieces:
        single, found = run_piece(out, piece, [out.central()], True), together[piece]
        assert isinstance(found, dict)
        assert {name: array.tobytes() for name, array in single.items()} == {name: array.tobytes() for name, array in found.items()}


def test_pieces_of_the_same_draws_go_together_and_central_cases_in_eights() -> None:
    names = ["baseline", *"abcdefghij"]
    groups = groups_of(pieces_of(names, 8, 4, ["baseline", "a", "b"]))
    assert [len(group) for group in groups] == [8, 3, 3, 3]
    assert all(len({piece.draws for piece in group}) == 1 for group in groups)
    assert [piece for group in groups for piece in group] == list(pieces_of(names, 8, 4, ["baseline", "a", "b"]))


def test_a_path_of_another_make_is_not_followed() -> None:
    with_rules, with_bends = ruled(*LEVEL), bent()
    other = alone(with_bends, BASELINE)[1]
    found = led_by(with_rules, "apart", with_rules.central(), other)
    assert not np.asarray(found.follow).any()
    unsettled = dataclasses.replace(other, follow=np.zeros(len(YEARS), bool))
    assert not np.asarray(led_by(with_bends, "cheaper", with_bends.central(), unsettled).follow).any()


@pytest.mark.slow  # compiles the path for draws side by side
def test_on_an_accelerator_draws_side_by_side_come_to_the_same_prices_and_follow_the_same_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    out = bent()
    values = [out.central() | {"price_sensitivity": 1.0 + k} for k in (0.0, 0.1)]
    pieces = [Piece(name, 0, (0, 1)) for name in (BASELINE, "cheaper")]
    one_by_one = dict(run_group(out, pieces, values, True))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    for piece, found in run_group(out, pieces, values, True):
        expected = one_by_one[piece]
        assert isinstance(found, dict) and isinstance(expected, dict)
        assert found["price"] == pytest.approx(expected["price"], rel=1e-6, abs=1e-2)  # kept in single precision
        assert found["firm_profit"] == pytest.approx(expected["firm_profit"], rel=1e-8, abs=1e3)
