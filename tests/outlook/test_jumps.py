"""Balances over several years that jump through zero: the shadow price of the jump, the side that keeps the rule, what is to spare; by closed form and by brute force."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from keiretsu.errors import NotSettled
from keiretsu.outlook import sensitivity
from keiretsu.outlook.arrays import FleetYear, FleetYears, Year
from keiretsu.outlook.banking import averaged_over_years
from keiretsu.outlook.fleet import Area, year_of
from keiretsu.outlook.jumps import TOLERANCE_EUR, Search, begin, looked, to_spare, unsettled_eur
from keiretsu.outlook.measures import Measure
from keiretsu.outlook.outlook import Outlook

GRAMS = 100.0  # what a combustion car emits above the target, and an electric one below it
FINE = 95.0


class Trade(eqx.Module):
    """Two makers of a pool, each with one car and linear demand. The electric car gets `bonus` as long as its price is at most `ceiling` (EUR).

    At the ceiling it is sold where that pays; with a `width` (EUR a year) a share of it is, one half where the maker is indifferent.
    """

    buyers: tuple[float, float] = (60_000.0, 50_000.0)  # of combustion cars at a price of nothing, by year
    fall: float = 1.0  # cars a euro
    cost: float = 22_000.0
    electric_buyers: float = 50_000.0
    electric_cost: float = 33_000.0
    bonus: float = 4_000.0
    ceiling: float = 35_000.0
    width: float = 0.0

    def combustion(self, t: int, rate: Array) -> Array:
        return (self.buyers[t] - self.fall * (self.cost + rate * GRAMS)) / 2

    def free(self, rate: Array) -> Array:
        """Sales of the electric car at its best price without the bonus."""
        return (self.electric_buyers - self.fall * (self.electric_cost - rate * GRAMS)) / 2

    @property
    def at_ceiling(self) -> float:
        return self.electric_buyers - self.fall * (self.ceiling - self.bonus)

    def inside(self, rate: Array) -> Array:
        gain = (self.ceiling - self.electric_cost + rate * GRAMS) * self.at_ceiling - self.free(rate) ** 2 / self.fall
        return jnp.where(self.width > 0, jax.nn.sigmoid(gain / jnp.where(self.width > 0, self.width, 1.0)), (gain >= 0).astype(float))

    def electric(self, rate: Array) -> Array:
        return self.inside(rate) * self.at_ceiling + (1 - self.inside(rate)) * self.free(rate)

    @property
    def threshold(self) -> float:
        """Where it is indifferent: with x the worth of an electric car, ``(ceiling - cost + x) at_ceiling = (buyers - fall (cost - x))^2 / (4 fall)``."""
        at = self.electric_buyers - self.fall * self.electric_cost
        a, b, c = self.fall / 4, at / 2 - self.at_ceiling, at**2 / (4 * self.fall) - (self.ceiling - self.electric_cost) * self.at_ceiling
        return float((-b - np.sqrt(b * b - 4 * a * c)) / (2 * a) / GRAMS)

    def balance(self, rate: float) -> float:
        return GRAMS * float(sum(self.combustion(t, jnp.array(rate)) - self.electric(jnp.array(rate)) for t in range(2)))


def rules_of(years: int = 2) -> FleetYears:
    """One rule, two makers in one pool, one market; maker 0 sells combustion cars."""
    burden = jnp.tile(jnp.array([[[GRAMS], [-GRAMS]]]), (years, 1, 1, 1))
    zero, none = jnp.zeros((years, 2)), jnp.zeros((years, 2), int)
    return FleetYears(
        maker=jnp.tile(jnp.array([[[0], [1]]]), (years, 1, 1, 1)),
        burden=burden,
        counted=burden,
        covers=jnp.ones((years, 1, 1)),
        pool=none,
        cap=jnp.tile(jnp.array([FINE, 0.0]), (years, 1)),
        live=none[:, :1],
        rest=zero,
        sharing=none,
        payer=zero,
        rule_of=none,
        own_market=jnp.full((years, 1), -1),
        window=jnp.tile(jnp.array([0, -1]), (years, 1)),
        windows=1,
    )


@eqx.filter_jit
def _solved(trade: Trade, rules: FleetYears) -> Year:
    nothing: dict[str, Any] = {f.name: jnp.zeros(()) for f in dataclasses.fields(Year) if f.default is dataclasses.MISSING}

    def one(t: int, rules: FleetYears) -> Year:
        assert rules.given is not None
        rate = rules.given[0]
        units = jnp.stack([trade.combustion(t, rate), trade.electric(rate)])[None, :]
        found = year_of(Area(rules, jnp.ones(1), jnp.ones(1)), rules.given, units, jnp.eye(2)[None], jnp.zeros(()))
        found = dataclasses.replace(found, slope=jnp.zeros((2, 2)).at[0, 0].set(-(GRAMS**2) * trade.fall))
        return dataclasses.replace(Year(**nothing), units=units, settled=jnp.array(True), rules=found)

    def years(rules: FleetYears) -> Year:
        each = [one(t, jax.tree.map(lambda leaf, t=t: leaf[t], rules)) for t in range(2)]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)

    return averaged_over_years(years, rules)


def solved(trade: Trade) -> tuple[FleetYear, float]:
    """Two years averaged, and their shadow price (EUR per g/km and car)."""
    found = _solved(jax.tree.map(lambda leaf: jnp.asarray(float(leaf)), trade), rules_of())
    assert found.rules is not None and bool(found.settled.all())
    price = np.asarray(found.rules.price)[:, 0]
    assert price[0] == price[1]
    return found.rules, float(price[0])


def test_a_sum_that_jumps_through_zero_has_the_price_at_which_the_seller_is_indifferent_and_keeps_the_rule_with_less_than_the_jump_to_spare() -> None:
    trade = Trade()
    at = trade.threshold
    below, above = trade.balance(at - 1e-9), trade.balance(at + 1e-9)
    assert below > 0 > above  # no price clears it: below the threshold too much is emitted, above it too little
    found, price = solved(trade)
    assert at <= price <= at + TOLERANCE_EUR / GRAMS  # the side on which the rule is kept
    spare = -trade.balance(price)
    assert np.asarray(found.left_over) == pytest.approx(np.array([[0.0, 0.0], [spare, 0.0]]), rel=1e-9)
    assert 0 < spare < below - above


def test_what_is_to_spare_is_worth_nothing_so_that_makers_of_a_pool_pay_each_other_and_nobody_else() -> None:
    found, price = solved(Trade())
    pays, firms, own = (np.asarray(x) for x in (found.pays, found.firm_pays, found.balance))
    assert pays.sum() == pytest.approx(0.0, abs=1e-9 * np.abs(pays).sum())
    assert pays[:, 0] == pytest.approx(price * own[:, 0], rel=1e-12)  # who emits too much pays for all of it
    assert pays[:, 1].sum() == pytest.approx(-price * own[:, 0].sum(), rel=1e-9) and (pays[:, 1] < 0).all()
    assert firms == pytest.approx(pays, rel=1e-9)


def test_the_price_of_a_jump_is_the_limit_of_prices_that_clear_when_the_threshold_is_ever_less_smooth() -> None:
    off: list[float] = []
    for width in (5e5, 2.5e5, 1.25e5, 1e3):
        trade = Trade(width=width)
        price = solved(trade)[1]
        within = 2 * TOLERANCE_EUR / GRAMS
        assert trade.balance(price - within) > 0 > trade.balance(price + within)
        off.append(price - trade.threshold)
    # the prices between which a share of the cars crosses lie apart in proportion to the width, and so is how far the price is off
    assert off[1] / off[0] == pytest.approx(0.5, rel=0.05) and off[2] / off[1] == pytest.approx(0.5, rel=0.03)
    assert abs(off[3]) < 0.01 * abs(off[0])


@pytest.mark.parametrize("ceiling", [32_000.0, 39_500.0])
def test_where_nobody_crosses_the_price_is_that_of_balances_in_a_straight_line(ceiling: float) -> None:
    trade = Trade(ceiling=ceiling)
    found, price = solved(trade)
    step = 1e-3
    there, beside = trade.balance(price), trade.balance(price + step)
    assert 0 < price < FINE and np.asarray(found.left_over).sum() == 0.0
    assert there == pytest.approx(0.0, abs=TOLERANCE_EUR / GRAMS * abs(beside - there) / step)


POOLS = 4
CAP, SIZE = jnp.full((1, POOLS), FINE), jnp.full((1, POOLS), GRAMS)


class Balances(eqx.Module):
    """Balances of pools that fall in their own prices, answer a little to others', and jump where own prices cross points that others' move a little."""

    begins: Array
    slope: Array
    point: Array
    jump: Array

    def __call__(self, rate: Array) -> Array:
        across = rate >= self.point + 0.02 * (rate.sum() - rate)
        return self.begins + self.slope @ rate - self.jump @ across.astype(float)


@eqx.filter_jit
def searched(balances: Balances) -> Search:
    def look(at: Search) -> Search:
        return looked(at, balances(at.next_rate(CAP)[0])[None], balances.slope[None], CAP, SIZE)

    return jax.lax.while_loop(lambda at: at.going(), look, begin(CAP))


def balances_of(seed: int) -> Balances:
    rng = np.random.default_rng(seed)
    own = rng.uniform(1e4, 1e6, POOLS)
    slope = -np.diag(own) + 0.05 * rng.uniform(-1, 1, (POOLS, POOLS)) * own[:, None]
    jump = np.diag(own * rng.uniform(0.0, 8.0, POOLS)) + 0.2 * rng.uniform(-1, 1, (POOLS, POOLS)) * own[:, None]
    return Balances(*(jnp.asarray(x) for x in (own * rng.uniform(-10, 110, POOLS), slope, rng.uniform(5, 60, POOLS), jump)))


@pytest.mark.parametrize("seed", range(60))
def test_every_pool_clears_or_is_slack_or_fined_or_jumps_through_zero_at_its_price_whatever_others_jumps_do_to_it(seed: int) -> None:
    balances = balances_of(seed)
    end = searched(balances)
    assert bool(end.done)
    rate, spare = np.asarray(end.rate)[0], np.asarray(to_spare(end, CAP, SIZE))[0]
    here = np.asarray(balances(jnp.asarray(rate)))
    within = TOLERANCE_EUR / GRAMS
    for k in range(POOLS):
        beside = rate.copy()
        beside[k] -= 2 * within
        width = 3 * within * abs(float(balances.slope[k, k]))
        if spare[k] > 0:
            assert 0 < rate[k] < FINE and here[k] == -spare[k] and balances(jnp.asarray(beside))[k] > 0
        elif rate[k] == 0:
            assert here[k] <= width
        elif rate[k] == FINE:
            assert here[k] >= -width
        else:
            assert abs(here[k]) <= width


def test_a_year_without_prices_ends_the_search_at_once_and_is_not_taken_for_a_solution() -> None:
    balances = eqx.tree_at(lambda b: b.begins, balances_of(0), jnp.full(POOLS, jnp.nan))
    end = searched(balances)
    assert int(end.count) == 1 and not bool(end.done)
    assert not bool((unsettled_eur(end, SIZE) <= TOLERANCE_EUR).all())


def test_slopes_are_refused_by_name_where_a_price_follows_a_makers_indifference(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = solved(Trade())
    filled = SimpleNamespace(years=SimpleNamespace(rules=found), binding=())
    monkeypatch.setattr(sensitivity, "guide_of", lambda *_: None)
    monkeypatch.setattr(sensitivity, "filled_by", lambda *_: filled)
    outlook = SimpleNamespace(arrays=lambda _: None, plan=lambda *_: None, ruled=SimpleNamespace(labels=("eu: Combustion", "eu: Electric")))
    with pytest.raises(NotSettled, match=r"eu: Combustion: slopes where .* jumps through zero"):
        sensitivity.slopes(cast(Outlook, outlook), "averaged", cast(Measure, None), {})
