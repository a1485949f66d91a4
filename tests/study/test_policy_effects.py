"""A policy is measured as it stands against a world without it, whichever way round a scenario asks."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

import dataclasses
import datetime as dt
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from keiretsu.demand.choice import shares
from keiretsu.demand.tastes import plain_logit
from keiretsu.market.policy.programmes import Chargers, Incentive, Scope
from keiretsu.market.pools import FleetRule, FleetTarget, Pool
from keiretsu.study.policy_effects import READ_BACKWARDS, buyers_part, reading_of
from keiretsu.study.pooling import pooling_table
from keiretsu.supply.wedges import no_wedges

DAY = dt.date(2024, 3, 27)
BONUS = Incentive(Scope("bonus", ("X",), DAY), flat_eur=4000.0)
POINTS = Chargers(Scope("points", ("X",), DAY), 1e6, 1e4, 1000.0, 0.3)
ALPHA = 0.2
PRICE = np.array([18.0, 24.0])


def outcome(*programmes, pools=()):
    products = pd.DataFrame({"market": ["X"], "product": ["car"]})
    money = pd.DataFrame([("X", one.scope.id, "car", -1.0) for one in programmes], columns=["market", "programme", "product", "eur"])
    world = SimpleNamespace(markets={"X": None}, programmes=programmes, pools=pools, date=DAY, products=products, register="r")
    return SimpleNamespace(world=world, regulation=SimpleNamespace(programmes=money))


def test_a_scenario_that_ends_a_programme_is_read_backwards():
    worlds = {"baseline": outcome(BONUS), "without": outcome()}
    reading = reading_of("without", worlds, "baseline")
    assert reading.with_ is worlds["baseline"] and reading.without is worlds["without"]
    assert reading.programmes == ("bonus",)


def test_a_scenario_that_runs_a_programme_is_read_as_it_is():
    worlds = {"baseline": outcome(), "back": outcome(BONUS)}
    assert reading_of("back", worlds, "baseline").with_ is worlds["back"]


def test_one_policy_in_the_place_of_another_is_read_against_neither_when_that_world_is_known():
    worlds = {"baseline": outcome(BONUS), "instead": outcome(POINTS), "without": outcome()}
    reading = reading_of("instead", worlds, "baseline")
    assert reading.with_ is worlds["instead"] and reading.without is worlds["without"]
    del worlds["without"]
    assert reading_of("instead", worlds, "baseline").without is worlds["baseline"]


def test_new_dates_for_a_programme_in_force_on_both_days_are_no_policy():
    later = dataclasses.replace(BONUS, scope=dataclasses.replace(BONUS.scope, end=dt.date(2030, 1, 1)))
    assert reading_of("same", {"baseline": outcome(BONUS), "same": outcome(later)}, "baseline") is None


TARGET = FleetRule("eu", ("X",), 2024, 2024, FleetTarget(90.0))
MANDATE = FleetRule("uk", ("Y",), 2024, 2024, FleetTarget(80.0))


def test_a_fleet_rule_that_comes_while_a_bonus_ends_is_read_against_the_world_without_either():
    """Against the baseline, the end of the bonus would pass for an effect of the rule; read backwards, the rule would seem to take what it adds."""
    worlds = {"baseline": outcome(BONUS), "target": outcome(pools=(TARGET,)), "no rule": outcome()}
    reading = reading_of("target", worlds, "baseline")
    assert reading.with_ is worlds["target"] and reading.without is worlds["no rule"]
    assert reading.programmes == () and reading.markets == ("X",) and reading.rules


def test_where_no_world_has_the_same_programmes_and_fewer_rules_all_of_the_scenario_is_read_against_the_baseline():
    worlds = {"baseline": outcome(BONUS), "target": outcome(pools=(TARGET,))}
    reading = reading_of("target", worlds, "baseline")
    assert reading.with_ is worlds["target"] and reading.without is worlds["baseline"] and "all of the scenario" in reading.said


def test_programmes_and_rules_that_end_together_are_read_backwards_together():
    worlds = {"baseline": outcome(BONUS, pools=(MANDATE,)), "nothing": outcome()}
    reading = reading_of("nothing", worlds, "baseline")
    assert reading.with_ is worlds["baseline"] and reading.programmes == ("bonus",)
    assert reading.markets == ("X", "Y") and reading.said in READ_BACKWARDS


def test_a_rule_that_both_worlds_have_does_not_widen_the_markets_concerned():
    worlds = {"baseline": outcome(pools=(MANDATE,)), "target": outcome(pools=(MANDATE, TARGET))}
    assert reading_of("target", worlds, "baseline").markets == ("X",)


def state(bonus):
    wedges = dataclasses.replace(no_wedges(2), buyer_add=jnp.array([[-bonus], [0.0]]))
    tastes = plain_logit(np.array([2.0, 3.5]), ALPHA)
    paid = PRICE[:, None] + np.asarray(wedges.buyer_add)
    return SimpleNamespace(
        market=SimpleNamespace(tastes=tastes, wedges=wedges),
        pricing=SimpleNamespace(price=jnp.asarray(PRICE), share=shares(tastes, paid)),
        rows=pd.DataFrame({"product": ["e", "f"]}),
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_at_unchanged_net_prices_buyers_keep_all_of_a_bonus_and_bear_all_of_a_tax(sign):
    with_, without = (
        SimpleNamespace(states={"X": state(bonus)}, world=SimpleNamespace(markets={"X": SimpleNamespace(potential=1e6)}))
        for bonus in (2.0 * sign, 0.0)
    )
    eur = 2.0 * sign * 1e6 * float(with_.states["X"].pricing.share[0])
    support = pd.DataFrame({"market": ["X"], "product": ["e"], "eur": [eur]})
    assert buyers_part(with_, without, support) == pytest.approx(1.0, rel=1e-12)


def test_pools_under_one_rule_are_compared_with_the_world_in_which_fewest_makers_pool():
    rule = FleetRule("eu", ("X",), 2024, 2024, FleetTarget(90.0))
    payments = pd.DataFrame({"firm": ["A"], "profit_eur": [-5.0]})

    def world(profit, *pools):
        found = outcome(pools=(rule, *pools))
        found.firms, found.regulation = pd.DataFrame({"firm": ["A", "B"], "profit_eur": profit}), SimpleNamespace(firm_payments=payments)
        return found

    worlds = {"baseline": outcome(), "both": world([12.0, 9.0], Pool("ab", "eu", ("A", "B"))), "alone": world([10.0, 10.0])}
    table = pooling_table(worlds).set_index(["scenario", "firm"])
    assert set(table["reference"]) == {"alone"}
    assert table.loc[("both", "A"), "than_alone_eur"] == 2.0
    assert table.loc[("both", "B"), "than_alone_eur"] == -1.0
    assert table.loc[("both", "A"), "of_which_payments_eur"] == -5.0
