"""One year: what is on sale at what cost and appeal, all markets in equilibrium, what that leaves for the next year ([11]).

Firms are myopic in prices: each year is a static equilibrium. A car on sale for a part of a year counts as that part of a model, ``(1 - sigma) ln
part`` inside its nest, as a line of n models counts ``(1 - sigma) ln n``; that is exact for no year and a whole one, and has a derivative
by the launch date between them.
"""

from __future__ import annotations

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from keiretsu.market.outcome import KM_IN_A_CAR_LIFE
from keiretsu.outlook.arrays import BaseYear, FleetState, Guide, Parts, Plan, Reproduced, State, Year
from keiretsu.outlook.base_year import by_draw, tastes_under
from keiretsu.outlook.bent_search import Given, Led
from keiretsu.outlook.bent_year import bent_rules, clear_bent, stood_at_break
from keiretsu.outlook.clearing import SolvedMarket, YearMarket, clear
from keiretsu.outlook.fleet import Area, year_of
from keiretsu.outlook.fleet_clearing import Cleared, clear_with_pools
from keiretsu.outlook.fleet_newton import Known
from keiretsu.outlook.held import cost_at_first, held_price
from keiretsu.outlook.inputs import CURRENCIES, Values
from keiretsu.outlook.state import aged, chargers_next, pack_price, survival
from keiretsu.supply.pricing import PricingOptions
from keiretsu.supply.wedges import Wedges
from keiretsu.supply.weights import ProfitWeights
from keiretsu.typing import Scalar

TINY_PART = 1e-9  # of a year: below it a car is not on sale


class Draw(eqx.Module):
    """What a draw fixes for all years: values, launch dates and appeals by launch, the base year it reproduces, cars scrapped in the first year."""

    values: Values
    shift: Float[Array, " L"]
    happens: Float[Array, " L"]
    appeal: Float[Array, " L"]
    base: Reproduced
    delta: Float[Array, "M J"]


def one_year(base: BaseYear, draw: Draw, plan: Plan, state: State, options: PricingOptions, guide: Guide | None = None) -> tuple[State, Year, Guide]:
    """The year of `plan` and of `guide` (their arrays without the axis of years) from the state before it; and what it says to other paths."""
    values, year = draw.values, plan.year
    part, age = part_and_age(base, plan, draw)
    older, scrapped = aged(state.fleet, survival(base, values, state.fleet.shape[-1]))
    _, scrapped_first = aged(base.fleet, survival(base, values, state.fleet.shape[-1]))
    turnover = scrapped.sum(axis=1) / jnp.where(scrapped_first.sum(axis=1) > 0, scrapped_first.sum(axis=1), 1.0)
    turnover = jnp.where(scrapped_first.sum(axis=1) > 0, turnover, 1.0)
    elapsed = year - base.base_year
    potential = base.potential * (1.0 + values["demand_growth"]) ** elapsed * (1.0 + values["scrappage_feedback"] * (turnover - 1.0))
    battery = pack_price(base, values, state.cumulative_gwh, year)
    planned = planned_markets(base, draw, plan, part, age, state.chargers, battery)
    cost, on_sale = planned.cost, planned.on_sale
    area = None if plan.rules is None else Area(plan.rules, potential, money_of(base, values))
    held = held_price(plan, cost, cost_at_first(draw.base, plan))
    before = state if guide is None else begins_from(state, guide, jax.tree.map(lambda leaf: leaf[0], guide.parts))
    start, rate = _starts(plan, area, cost, held, before)
    markets = eqx.tree_at(lambda m: m.start, planned, start)
    bent = None
    if plan.bends is not None:
        rules = bent_rules(base, plan, values, before)
        known = None if before.rules is None else before.rules.known
        led = None if guide is None else _led(plan, area, cost, held, state, guide, potential)
        bent = clear_bent(Given(markets, area, rate, known, rules, potential, led, options, base.outside))
        solved, cleared, known = bent.markets, bent.cleared, bent.known
    elif area is None:
        solved, cleared, known = clear(markets, options, base.outside), None, None
    else:
        assert before.rules is not None
        follow = jnp.array(False) if guide is None else guide.follow & guide.parts.there[0]
        cleared, known = clear_with_pools(markets, area, rate, before.rules.known, options, base.outside, follow)
        solved = cleared.markets
    units = solved.share * potential[:, None]
    following, found = _accounts(base, plan, draw, state, solved, units, part, cost, potential, battery, older, scrapped)
    if bent is not None:
        following = dataclasses.replace(following, stood=bent.stood)
        found = dataclasses.replace(found, at_break=bent.at_break, unsettled_sides=bent.unsettled, side_gain=bent.to_gain, pot_open=bent.open_share)
    if area is not None and cleared is not None:
        following, found = with_rules(following, found, area, cleared, known, units, plan.split)
    parts = _whole(solved, on_sale, following) if bent is None else bent.parts
    seemed = found.side_gain if bent is None else bent.seemed
    return following, found, Guide(found.settled, jnp.where(on_sale, cost, 0.0), seemed, parts, known)


def begins_from(state: State, guide: Guide, part: Parts) -> State:
    """The state with what the search begins from: where a guide is to be followed, prices of this part of its year in place of those of the year before."""
    follow = guide.follow & part.there
    sold = follow & (part.price > 0)
    price, cost = jnp.where(sold, part.price, state.price), jnp.where(sold, guide.cost, state.cost)
    stood = None if state.stood is None else jnp.where(sold, part.stood, state.stood)
    rules = state.rules
    if rules is not None:
        assert part.rate is not None
        assert part.shadow is not None
        known = jax.tree.map(jnp.zeros_like, rules.known) if guide.known is None else guide.known
        rate, shadow = jnp.where(follow, part.rate, rules.rate), jnp.where(sold, part.shadow, rules.shadow)
        rules = FleetState(rate, shadow, jax.tree.map(lambda its, mine: jnp.where(follow, its, mine), known, rules.known))
    return dataclasses.replace(state, price=price, cost=cost, stood=stood, rules=rules)


def _led(
    plan: Plan, area: Area | None, cost: Float[Array, "M J"], held: Float[Array, "M J"], state: State, guide: Guide, potential: Float[Array, " M"]
) -> Led:
    """Every part of the year as the guide has it."""

    def of(part: Parts) -> tuple[Array, Array, Array]:
        before = begins_from(state, guide, part)
        return *_starts(plan, area, cost, held, before), stood_at_break(before)

    start, rate, stood = jax.vmap(of)(guide.parts)
    return Led(guide.follow & guide.parts.there, start, stood, rate, guide.side_gain / potential)


def _whole(solved: SolvedMarket, on_sale: Bool[Array, "M J"], after: State) -> Parts:
    """A year without breakpoints as its only part."""
    rate, shadow = (None, None) if after.rules is None else (after.rules.rate[None], after.rules.shadow[None])
    return Parts(jnp.ones(1, bool), jnp.where(on_sale, solved.price, 0.0)[None], jnp.zeros((1, *on_sale.shape), bool), rate, shadow)


def planned_markets(
    base: BaseYear, draw: Draw, plan: Plan, part: Float[Array, "M J"], age: Float[Array, "M J"], chargers: Float[Array, " M"], battery: Scalar
) -> YearMarket:
    """All markets of a year (a first axis M) but for prices, which are those planned: what is on sale, for whom, at what cost and appeal."""
    values, elapsed = draw.values, plan.year - base.base_year
    cost = _cost(base, draw, plan, battery, elapsed)
    delta = _delta(base, draw, plan, chargers, part, age, elapsed)
    mu, alpha = tastes_under(base, values)
    fee = plan.transfer_unit * (plan.transfer_price - cost)[:, None, :]
    weights = jax.vmap(lambda setter, split, f: ProfitWeights(setter, plan.kappa, split, f))(plan.setter, plan.split, fee)
    wedges = by_draw(base, Wedges(plan.buyer_rate, plan.buyer_add + values["incentives"] * plan.incentive, plan.maker_rate, plan.maker_charge))
    on_sale = plan.on_sale & (part > TINY_PART)
    return YearMarket(delta, mu, alpha, base.weight, base.nests, on_sale, wedges, weights, cost, plan.shadow, plan.held, plan.start, plan.sellers)


def money_of(base: BaseYear, values: Values) -> Float[Array, " M"]:
    """What a unit of each market's money is worth, relative to the case's rate."""
    return 1.0 + _rates(values) @ base.money


def with_rules(
    following: State, found: Year, area: Area, cleared: Cleared, known: Known | None, units: Float[Array, "M J"], split: Float[Array, "M F J"]
) -> tuple[State, Year]:
    """The year with what fleet rules cost: payments come off operating profit, as in one year."""
    rules = year_of(area, cleared.rate, units, split, cleared.gap)
    rules = rules if area.rules.given is None else dataclasses.replace(rules, slope=cleared.slope)
    seen = FleetState(jax.lax.stop_gradient(cleared.rate[area.rules.pool]), jax.lax.stop_gradient(cleared.shadow), known)
    return (
        dataclasses.replace(following, rules=seen),
        dataclasses.replace(found, firm_profit=found.firm_profit - rules.firm_pays, rules=rules),
    )


def _starts(plan: Plan, area: Area | None, cost: Float[Array, "M J"], held: Float[Array, "M J"], before: State) -> tuple[Float[Array, "M J"], Array]:
    """Prices and shadow prices to start from: those of `before`, with changes of costs and shadow costs handed on; prices that are `held` are what they are held at."""
    # a change of cost is passed on nearly in full, so last year's margin is the better guess than last year's price
    near = jnp.where(before.price > 0, before.price + jnp.where((before.cost > 0) & ~stood_at_break(before), cost - before.cost, 0.0), plan.start)
    rate = jnp.zeros(0)
    if area is not None and before.rules is not None:
        rate = jnp.clip(before.rules.rate, 0.0, area.rules.cap)
        shadow = jnp.where(before.price > 0, before.rules.shadow, 0.0)
        near = near + (area.shadow(rate) - shadow) / plan.maker_rate
    return jnp.where(plan.held, held, jax.lax.stop_gradient(near)), rate


def part_and_age(base: BaseYear, plan: Plan, draw: Draw) -> tuple[Float[Array, "M J"], Float[Array, "M J"]]:
    """Part of the year that each slot is on sale, and years since its launch or renewal (the mean age where no launch is known, half a cycle: ages are counted in the
    middle of a year)."""
    launched = plan.launch >= 0
    index = jnp.maximum(plan.launch, 0)
    first = jnp.where(launched, plan.from_year + draw.shift[index], -1e9)
    part = jnp.clip(plan.year + 1.0 - first, 0.0, 1.0) * jnp.where(launched, draw.happens[index], 1.0)
    replaced, successor = plan.leaves_with >= 0, jnp.maximum(plan.leaves_with, 0)
    last = plan.to_year + jnp.where(replaced, draw.shift[successor], 0.0)
    part = part - jnp.clip(plan.year + 1.0 - last, 0.0, 1.0) * jnp.where(replaced, draw.happens[successor], 1.0)
    since = jnp.maximum(plan.year + 0.5 - jnp.where(launched, first, plan.year), 0.0)
    mean_age = base.cycle_years / 2.0
    return part, jnp.where(launched, jnp.mod(since, base.cycle_years), mean_age) - mean_age


def _cost(base: BaseYear, draw: Draw, plan: Plan, battery: Scalar, elapsed: Scalar) -> Float[Array, "M J"]:
    """Marginal cost in the market's money: battery at its price of the year, the rest by its trends and the exchange rates, less what partners save.

    Where the money of a car's maker and the market's rise by f and g, its cost there is ``(1 + f) / (1 + g)`` of what it was: who pays it in money of home pays the
    same. A battery costs the same in euro everywhere.
    """
    values = draw.values
    known = cost_at_first(draw.base, plan)
    rest = known - plan.saving * base.battery_kwh * base.pack_price
    fall = (1.0 - values["rest_cost_trend"]) ** elapsed * (1.0 - values["electric_cost_trend"] * base.powertrain[0]) ** elapsed
    rates = _rates(values)
    money = 1.0 + (rates @ base.money)[:, None]
    dearer = jnp.tensordot(rates, base.currency, axes=1) / money
    return rest * fall * (1.0 + dearer) * (1.0 + values["chinese_cost"] * base.chinese) + plan.saving * base.battery_kwh * battery / money


def _rates(values: Values) -> Float[Array, " C"]:
    """Worth of each currency above the case's rate, as a share."""
    return jnp.stack([values[f"fx_{currency}"] for currency in CURRENCIES])


def _delta(base: BaseYear, draw: Draw, plan: Plan, open_chargers: Array, part: Array, age: Array, elapsed: Scalar) -> Float[Array, "M J"]:
    """Mean utility of the year: base year, taste for electric cars, chargers, age, part of the year, what programmes add."""
    values = draw.values
    kept = values["electric_taste_kept"]
    steps = jnp.where(jnp.abs(1.0 - kept) < 1e-9, elapsed, (1.0 - kept**elapsed) / jnp.where(jnp.abs(1.0 - kept) < 1e-9, 1.0, 1.0 - kept))
    chargers = jnp.log(open_chargers / base.chargers)
    electric = base.powertrain[0] * (values["electric_taste"] * steps * base.pace[:, None] + values["charger_taste"] * chargers[:, None])
    appeal = jnp.where(plan.launch >= 0, draw.appeal[jnp.maximum(plan.launch, 0)], 0.0)
    shown = jnp.where(part > TINY_PART, part, 1.0)
    return draw.delta + electric + appeal - values["age_taste"] * age + base.like_alone * jnp.log(shown) + plan.utility


def _accounts(
    base: BaseYear,
    plan: Plan,
    draw: Draw,
    state: State,
    solved: SolvedMarket,
    units: Float[Array, "M J"],
    part: Array,
    cost: Array,
    potential: Float[Array, " M"],
    battery: Scalar,
    older: Float[Array, "M P A"],
    scrapped: Float[Array, "M P"],
) -> tuple[State, Year]:
    money = money_of(base, draw.values)
    fee = plan.transfer_unit * (plan.transfer_price - cost)[:, None, :]
    profit = jnp.einsum("mfj,mj,m->f", plan.split, solved.worth * potential[:, None], money) + jnp.einsum("mfj,mj,m->f", fee, units, money)

    def by_firm(amount: Array) -> Array:
        return jnp.einsum("mfj,mj->f", plan.split, amount)

    electric = units * base.powertrain[0]
    gwh = units * base.battery_kwh / 1e6
    sales = jnp.einsum("pmj,mj->mp", base.powertrain, units)
    fleet = older.at[..., 0].add(sales)
    stock = fleet.sum(axis=-1)
    price = jnp.where(plan.on_sale, solved.price, state.price)
    following = State(
        cumulative_gwh=state.cumulative_gwh + gwh.sum() + (1.0 + draw.values["world_batteries"]) * plan.world_gwh,
        fleet=fleet,
        chargers=chargers_next(base, draw.values, state.chargers, stock[:, 0]),
        price=price,
        cost=jnp.where(plan.on_sale, cost, state.cost),
    )
    on = plan.on_sale & (part > TINY_PART)
    year = Year(
        units=units,
        price=jnp.where(on, solved.price, 0.0),
        margin=jnp.where(on, solved.margin, 0.0),
        cost=jnp.where(on, cost, 0.0),
        on_sale=jnp.where(on, part, 0.0),
        firm_profit=profit,
        firm_units=by_firm(units),
        firm_electric_units=by_firm(electric),
        firm_battery_gwh=by_firm(gwh),
        firm_revenue=by_firm(units * solved.price * money[:, None]),
        surplus=solved.surplus * potential * money,
        government=solved.to_government * potential * money,
        units_all=units.sum(axis=1),
        electric_units=electric.sum(axis=1),
        co2_t=(units * base.co2_gkm).sum(axis=1) * KM_IN_A_CAR_LIFE / 1e6,
        potential=potential,
        pack_price=battery,
        battery_gwh=gwh.sum(),
        chargers=state.chargers,
        stock=stock,
        scrapped=scrapped,
        residual=jnp.max(solved.residual),
        iterations=solved.iterations,
        settled=jnp.all(solved.settled),
        at_break=jnp.zeros(potential.shape, int),
        unsettled_sides=jnp.zeros(potential.shape, int),
        side_gain=jnp.zeros(potential.shape),
    )
    return following, year
