"""What preferences and consumers say about utility."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from keiretsu.demand.preferences import ConsumerDraws, Preferences, RandomTaste
from keiretsu.demand.utility import alpha_of, check, mu_of, nests_of, tastes_of
from keiretsu.errors import DemandError
from keiretsu.numerics.draws import sobol


def consumers(count: int = 256, columns: int = 2) -> ConsumerDraws:
    sample = sobol(count, columns, seed=3)
    kind = np.arange(count) % 2
    return ConsumerDraws(
        sample.weight, np.exp(10 + 0.5 * sample.node[:, 0]), np.zeros(count, int), kind, sample.node, ("all",), ("private", "company")
    )


def test_richer_buyers_mind_a_euro_less():
    people = consumers()
    alpha = alpha_of(Preferences(price_taste=3.0, income_power=0.7), people)
    order = np.argsort(people.income_eur)
    assert (np.diff(alpha[order]) <= 0).all()
    np.testing.assert_allclose(alpha, 3.0 / people.income_eur**0.7)


def test_a_normal_price_taste_that_makes_buyers_like_paying_is_refused():
    wild = Preferences(price_taste=1.0, income_power=0.0, price_sigma=1.0, price_distribution="normal")
    with pytest.raises(DemandError, match="rather pay more"):
        alpha_of(wild, consumers())
    assert (alpha_of(dataclasses.replace(wild, price_distribution="lognormal"), consumers()) > 0).all()


def test_correlated_tastes_have_the_stated_correlation_and_spread():
    preferences = Preferences(1.0, 0.0, (RandomTaste("constant", 2.0), RandomTaste("power", 0.5)), correlation=np.array([[1, 0.6], [0.6, 1]]))
    people = consumers(4096)
    size = mu_of(preferences, people, {"power": np.array([0.0])}, 1)[0]
    both = mu_of(preferences, people, {"power": np.array([1.0])}, 1)[0]
    power = both - size
    # Sobol covariances of 4,096 points err by well under one per cent.
    assert np.std(size) == pytest.approx(2.0, rel=0.01)
    assert np.std(power) == pytest.approx(0.5, rel=0.01)
    assert np.corrcoef(size, power)[0, 1] == pytest.approx(0.6, abs=0.01)


def test_zero_spread_is_no_departure_from_mean_taste_under_either_distribution():
    for distribution in ("normal", "lognormal"):
        preferences = Preferences(1.0, 0.0, (RandomTaste("power", 0.0, distribution, median=3.0),))
        assert np.abs(mu_of(preferences, consumers(), {"power": np.array([1.0, 2.0])}, 2)).max() == 0


def test_a_lognormal_dislike_never_turns_into_a_liking():
    preferences = Preferences(1.0, 0.0, (RandomTaste("noise", 0.8, "lognormal", median=-2.0),))
    taste = -2.0 + mu_of(preferences, consumers(), {"noise": np.ones(1)}, 1)[0]
    assert (taste < 0).all()


def test_company_buyers_may_have_their_own_price_and_mean_taste():
    preferences = Preferences(1.0, 0.0, kind_price={"company": 0.5}, kind_taste={"company": {"constant": 0.3}})
    people = consumers()
    company = people.kind == 1
    np.testing.assert_allclose(alpha_of(preferences, people), np.where(company, 0.5, 1.0))
    np.testing.assert_allclose(mu_of(preferences, people, {}, 1)[0], np.where(company, 0.3, 0.0))


def test_segment_b_of_electric_cars_is_another_subgroup_than_segment_b_of_combustion_cars():
    preferences = Preferences(1.0, 0.0, nest_columns=("powertrain", "segment"), sigma_group=0.2, sigma_sub={"B": 0.5, "BEV/B": 0.6})
    found = nests_of(preferences, (["BEV", "ICE", "BEV"], ["B", "B", "B"]))
    assert found is not None
    np.testing.assert_allclose(found.sigma_sub, [0.6, 0.5])
    np.testing.assert_array_equal(found.group, [0, 1, 0])


def test_every_problem_is_reported_at_once():
    people = dataclasses.replace(consumers(), weight=np.full(256, 1.0))
    broken = Preferences(-1.0, 0.0, (RandomTaste("power", 1.0, "cauchy"),), kind_price={"state": 1.0}, correlation=np.array([[2.0]]))
    with pytest.raises(DemandError) as caught:
        check(broken, people)
    assert len(caught.value.problems) == 5
    with pytest.raises(DemandError, match="no such characteristic"):
        tastes_of(Preferences(1.0, 0.0, (RandomTaste("power", 1.0),)), consumers(), {}, (), np.zeros(2), np.ones(2, bool))
