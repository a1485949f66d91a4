"""What each policy scenario achieves: electric sales, public money, who got it, tonnes, with the ranges of the literature beside it.

The measure is always of the policy, as it stands in one world against a world without it: a scenario that ends a programme is read
backwards. A scenario that puts one policy in the place of another is read against a scenario that only ends the other, where the run has
one; a fleet rule that comes while programmes end, against one with the same programmes and fewer rules. Ranges from the literature are a check that
is reported; nothing is tuned to them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from keiretsu.demand.choice import choose_now
from keiretsu.market.outcome import KM_IN_A_CAR_LIFE, MarketState, Outcome
from keiretsu.market.policy.effects import policy_effects
from keiretsu.market.policy.programmes import Chargers, Incentive, Programme
from keiretsu.market.pools import FleetRule, Pool
from keiretsu.market.world import World
from keiretsu.moves.scenario import Scenario
from keiretsu.supply.wedges import paid

SHARE_MEASURES = ("inframarginal", "reaches_buyers")
EFFECT_COLUMNS = (
    "scenario", "reading", "programmes", "markets", "also", "electric_with_cars", "electric_sales_gained_cars", "electric_lost_without_percent",
    "gross_spending_eur", "net_cost_eur", "eur_per_extra_electric_car", "net_eur_per_extra_electric_car", "reaches_buyers_percent",
    "inframarginal_percent", "tonnes_avoided_t", "tonnes_per_1000_eur", "surplus_gained_eur", "maker_gains_most", "maker_gains_most_eur",
    "maker_loses_most", "maker_loses_most_eur", "owner_gains_most", "owner_gains_most_eur", "not_measured",
)  # fmt: skip
FLEET_RULES = "fleet rules"  # among the programmes of a row whose two worlds differ in them
ENDED = "as it stands, against its end"
RULES_ENDED = "fleet rules as they stand, against none"
BOTH_ENDED = "programmes and fleet rules as they stand, against their end"
READ_BACKWARDS = (ENDED, RULES_ENDED, BOTH_ENDED)  # the scenario is the world without the policy
REPLACES = "against what it replaces"
CUT = "as it stands, against the less that the scenario gives"  # read backwards too, but something is left
BAND_COLUMNS = ("scenario", "measure", "value", "low", "high", "within_range", "source")


@dataclass(frozen=True)
class Band:
    """Range of a measure in the literature, for money that buyers of electric cars get (per cent)."""

    column: str
    measure: str
    low: float
    high: float
    source: str


BANDS = (
    Band("electric_lost_without_percent", "electric sales lost without the programme, %", 20.0, 55.0,
         "Wang: -21 % for a 22-point fall in eligibility; Allcott et al. 2024: -27 %; Heeney, Knittel, Mandia 2026: -54.5 % (United States)"),
    Band("inframarginal_percent", "money to buyers who would have bought anyway, %", 60.0, 80.0,
         "Xing, Leard, Li 2021: about 70 %; Allcott et al. 2024: 75 % (United States)"),
    Band("reaches_buyers_percent", "money that reaches buyers, %", 70.0, 100.0, "Muehlegger, Rapson 2022: 73 to 85 % (California)"),
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """Which two worlds a policy is read from.

    `programmes` are those that the world with the policy has and the other has not, `replaced` those that the other has in their place, `rules` whether fleet rules
    differ too.
    """

    with_: Outcome
    without: Outcome
    programmes: tuple[str, ...]
    markets: tuple[str, ...]
    said: str
    rules: bool = False
    replaced: tuple[str, ...] = ()


def policy_effects_table(scenarios: Sequence[Scenario], outcomes: Mapping[str, Outcome], baseline: str) -> pd.DataFrame:
    """One row for each solved scenario that acts through policy.

    Columns: `electric_with_cars` are sales in the markets concerned with the policy, and what would be lost without it is in per cent of them;
    money is EUR a year; `reaches_buyers_percent` is, for support, the part that buyers keep and, for a duty, the part that they bear, buyers
    of the cars concerned taken as they buy with the policy; a measure that has no meaning is not in the row, and `not_measured` says why. Of a policy that takes the
    place of another one (a bonus that is raised), money is what it pays more: all of it for what it adds would be many times the price of an electric car added.

    More than all of a bonus can reach buyers. In the embedded case 116 % of a flat sum in France would, because it brings buyers who look more at prices;
    119 % of one for private buyers, 129 % with more for the poorer half as well, and 137 % with the ceiling that makers lower prices to stay under.
    """
    rows: list[dict[str, object]] = []
    for scenario in scenarios:
        if scenario.name in outcomes and acts_through_policy(scenario):
            reading = reading_of(scenario.name, outcomes, baseline)
            if reading is not None:
                rows.append({"scenario": scenario.name, **_effects(reading), "also": _also(scenario)})
    table = pd.DataFrame(rows)
    return table[[column for column in EFFECT_COLUMNS if column in table]] if rows else pd.DataFrame(columns=list(EFFECT_COLUMNS))


def literature_check(effects: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Measures of the purchase incentives beside the ranges of the literature: scenario, measure, value, low, high, within_range, source."""
    rows: list[tuple[object, ...]] = []
    for _, effect in effects.iterrows():
        ids = str(effect["programmes"]).split(", ")
        known = {p.scope.id: p for outcome in outcomes.values() for p in _programmes(outcome.world)}
        alone = FLEET_RULES not in ids and not any(isinstance(known.get(i), Chargers) for i in ids)
        if not alone or not any(isinstance(known.get(i), Incentive) for i in ids):
            continue
        for band in BANDS:
            value = effect.get(band.column)
            of_all = band.column != "electric_lost_without_percent" or effect["reading"] not in (
                REPLACES,
                CUT,
            )  # the literature's is of a whole programme
            if of_all and value is not None and value == value:
                rows.append((effect["scenario"], band.measure, value, band.low, band.high, bool(band.low <= value <= band.high), band.source))
    return pd.DataFrame(rows, columns=list(BAND_COLUMNS))


def acts_through_policy(scenario: Scenario) -> bool:
    """Whether a move of the scenario acts through policy."""
    return any(channel == "policy" for move in scenario.moves for channel in move.by_channel())


def reading_of(scenario: str, outcomes: Mapping[str, Outcome], baseline: str) -> Reading | None:
    """The two worlds that a scenario's policy is read from; None when no programme and no fleet rule differs from the baseline."""
    base, other = outcomes[baseline], outcomes[scenario]
    before, after = _in_force(base.world), _in_force(other.world)
    ended = {key for key, programme in before.items() if after.get(key) != programme}
    begun = {key for key, programme in after.items() if before.get(key) != programme}
    rules_before, rules_after = _rules_in_force(base.world), _rules_in_force(other.world)
    markets = _markets_of(rules_before ^ rules_after, rules_before | rules_after)
    if not (ended or begun):
        if rules_before == rules_after:
            return None
        if rules_after < rules_before:
            return Reading(base, other, (), markets, RULES_ENDED, rules=True)
        return Reading(other, base, (), markets, "fleet rule and pools of the scenario, against the baseline's", rules=True)
    if rules_before != rules_after:
        return _of_both_kinds(other, outcomes, baseline, ended, begun)
    if ended and begun:
        only_ends = _that_only_ends(ended, outcomes, baseline)
        if only_ends is None:
            return _in_place(base, other, ended, begun)
        return _reading(other, outcomes[only_ends], begun, "against a world with neither it nor what it replaces")
    return _reading(base, other, ended, ENDED) if ended else _reading(other, base, begun, "if it ran, against the baseline")


def _of_both_kinds(
    other: Outcome, outcomes: Mapping[str, Outcome], baseline: str, ended: set[tuple[str, str]], begun: set[tuple[str, str]]
) -> Reading:
    """A scenario in which programmes and fleet rules differ from the baseline.

    Where it starts a rule while programmes end, the rule is read against a scenario with the same programmes and fewer rules: else the end of the programmes
    would pass for an effect of the rule. Where the run has none, all of the scenario is read against the baseline.
    """
    base = outcomes[baseline]
    rules_before, rules_after = _rules_in_force(base.world), _rules_in_force(other.world)
    markets = _markets_of(rules_before ^ rules_after, rules_before | rules_after)
    if not begun and rules_after < rules_before:
        return _reading(base, other, ended, BOTH_ENDED, markets)
    if not ended and rules_before < rules_after:
        return _reading(other, base, begun, "programmes and fleet rules of the scenario, against the baseline", markets)
    without = _without_its_rules(other, outcomes)
    if without is not None:
        rules_without = _rules_in_force(without.world)
        concerned = _markets_of(rules_without ^ rules_after, rules_without | rules_after)
        return Reading(other, without, (), concerned, "fleet rules of the scenario, against the same programmes without them", rules=True)
    together = tuple(dict.fromkeys((*markets, *(market for market, _ in sorted(ended | begun)))))
    return Reading(other, base, (), together, "all of the scenario, programmes and fleet rules together, against the baseline", rules=True)


def _without_its_rules(other: Outcome, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """The world of the run with the same programmes, cars and owners and the fewest of the other's fleet rules; None where none has fewer."""
    rules, programmes = _rules_in_force(other.world), _in_force(other.world)
    fewer = [
        one
        for one in outcomes.values()
        if _rules_in_force(one.world) < rules
        and _in_force(one.world) == programmes
        and one.world.products.equals(other.world.products)
        and one.world.register == other.world.register
    ]
    return min(fewer, key=lambda one: len(_rules_in_force(one.world)), default=None)


def _markets_of(changed: set[FleetRule | Pool], every: set[FleetRule | Pool]) -> tuple[str, ...]:
    """Markets of the fleet rules that changed, or whose pools did, in the alphabet's order of rules."""
    named = {r.id if isinstance(r, FleetRule) else r.rule for r in changed}
    rules = sorted((r for r in every if isinstance(r, FleetRule) and r.id in named), key=lambda r: r.id)
    return tuple(dict.fromkeys(market for rule in rules for market in rule.markets))


def _in_place(base: Outcome, other: Outcome, ended: set[tuple[str, str]], begun: set[tuple[str, str]]) -> Reading:
    """Programmes of the scenario in the place of the baseline's; the other way round where they pay less, so that the world with the policy is the one with more of it."""
    forward = _reading(other, base, begun | ended, REPLACES)
    now, before = (tuple(dict.fromkeys(key[1] for key in sorted(keys))) for keys in (begun, ended))
    forward = dataclasses.replace(forward, programmes=now, replaced=before)
    pays, paid_before = (_support(forward)[column].clip(lower=0.0).sum() for column in ("eur", "eur_0"))
    return forward if pays >= paid_before else dataclasses.replace(forward, with_=base, without=other, said=CUT, programmes=before, replaced=now)


def _reading(with_: Outcome, without: Outcome, keys: set[tuple[str, str]], said: str, of_rules: tuple[str, ...] = ()) -> Reading:
    programmes, markets = (tuple(dict.fromkeys(key[k] for key in sorted(keys))) for k in (1, 0))
    return Reading(with_, without, programmes, tuple(dict.fromkeys((*markets, *of_rules))), said, bool(of_rules))


def _that_only_ends(keys: set[tuple[str, str]], outcomes: Mapping[str, Outcome], baseline: str) -> str | None:
    base = outcomes[baseline].world
    wanted = {key: p for key, p in _in_force(base).items() if key not in keys}
    for name, outcome in outcomes.items():
        world = outcome.world
        if _in_force(world) == wanted and world.pools == base.pools and world.products.equals(base.products) and world.register == base.register:
            return name
    return None


def _effects(reading: Reading) -> dict[str, object]:
    support = _support(reading)
    fixed = float(_fixed(reading.with_) - _fixed(reading.without))
    subsidy = support.assign(eur=support["eur"].clip(lower=0.0), eur_0=support["eur_0"].clip(lower=0.0))  # what was paid out; a duty pays nothing out
    found = policy_effects(reading.with_.products, reading.without.products, subsidy, fixed, KM_IN_A_CAR_LIFE)
    measures, absent = found.measures, {k: v for k, v in found.why_absent.items() if k != "reaches_buyers"}
    electric = _electric(reading.with_, reading.markets)
    lost = electric - _electric(reading.without, reading.markets)
    row: dict[str, object] = {
        "reading": reading.said,
        "programmes": ", ".join((*reading.programmes, FLEET_RULES) if reading.rules else reading.programmes),
        "markets": ", ".join(reading.markets),
        "electric_with_cars": electric,
        "electric_sales_gained_cars": measures["electric_sales_gained"],
        "electric_lost_without_percent": 100.0 * lost / electric,
        "tonnes_avoided_t": measures["tonnes_avoided"],
        **{k: v for k, v in measures.items() if k not in ("electric_sales_gained", "tonnes_avoided", *SHARE_MEASURES)},
        "surplus_gained_eur": float(reading.with_.markets["surplus_eur"].sum() - reading.without.markets["surplus_eur"].sum()),
        **_who(reading, "firms", "firm", "profit_eur", "maker"),
        **_who(reading, "owners", "owner", "claim_eur", "owner"),
    }
    if "inframarginal" in measures:
        row["inframarginal_percent"] = 100.0 * measures["inframarginal"]
    if not (support[["eur", "eur_0"]] != 0).any(axis=None):
        absent["reaches_buyers"] = "no money changes hands at a sale"
    elif not (sold := _sold_in_both(reading, support))["eur"].any():
        absent["reaches_buyers"] = "the cars concerned are sold only where the policy runs"
    elif not (sold := _with_one_price(reading, sold))["eur"].any():
        absent["reaches_buyers"] = "a pot runs out within the year, so that a car has two prices in it"
    else:
        row["reaches_buyers_percent"] = 100.0 * buyers_part(reading.with_, reading.without, sold)
    row["not_measured"] = "; ".join(dict.fromkeys(absent.values()))
    return row


def buyers_part(with_: Outcome, without: Outcome, support: pd.DataFrame) -> float:
    """Fall of what buyers pay for the cars with support over the support, for the buyers that the policy's world has.

    Buyers are compared draw by draw, so that a support for some kinds of buyer does not count their greater number as a change of price.
    `support` (market, product, eur) is of cars sold in both worlds. For a duty, support and fall are both below zero.
    """
    fall = total = 0.0
    for name, supported in support.groupby("market", sort=False):
        market = str(name)
        now, before = with_.states[market], without.states[market]
        own, other = _places(now), _places(before)
        rows, rows_before = (supported["product"].map(places).to_numpy(int) for places in (own, other))
        money = paid(now.market.wedges, now.pricing.price)
        money_before = paid(before.market.wedges, before.pricing.price)
        probability = np.asarray(choose_now(now.market.tastes, money).probability)[rows]
        sold = with_.world.markets[market].potential * probability * np.asarray(now.market.tastes.weight)
        fall += float(((np.asarray(money_before)[rows_before] - np.asarray(money)[rows]) * sold).sum())
        total += float(supported["eur"].sum())
    return fall / total


def _sold_in_both(reading: Reading, support: pd.DataFrame) -> pd.DataFrame:
    """What the policy gave more of each product sold in both worlds, at its sales with the policy (market, product, eur)."""
    keys = ["market", "product"]
    sold = support.merge(reading.with_.products[[*keys, "units"]], on=keys).merge(
        reading.without.products[[*keys, "units"]], on=keys, suffixes=("", "_0")
    )
    more = sold.assign(eur=sold["eur"] - sold["eur_0"] * sold["units"] / sold["units_0"])
    return more.loc[more["eur"] != 0, [*keys, "eur"]]


def _with_one_price(reading: Reading, sold: pd.DataFrame) -> pd.DataFrame:
    """Those in markets whose year no pot splits in either world: in the others the arrays of a market are those of its first part alone."""
    split: set[str] = set()
    for outcome in (reading.with_, reading.without):
        pots = outcome.regulation.budgets
        split |= {market for text in pots.loc[pots["open_share_of_year"] < 1, "market"] for market in str(text).split(", ")}
    return sold[~sold["market"].isin(split)]


def _places(state: MarketState) -> dict[str, int]:
    return {str(product): k for k, product in enumerate(state.rows["product"])}


def _support(reading: Reading) -> pd.DataFrame:
    """What the programmes gave each product, and what those that they replace gave it in the other world (market, product, eur, eur_0; below zero for a duty)."""
    keys = ["market", "product"]
    given = _given(reading.with_, reading.programmes, reading.markets)
    replaced = _given(reading.without, reading.replaced, reading.markets).rename(columns={"eur": "eur_0"})
    return given.merge(replaced, on=keys, how="outer").fillna({"eur": 0.0, "eur_0": 0.0})


def _given(outcome: Outcome, programmes: Sequence[str], markets: Sequence[str]) -> pd.DataFrame:
    """What programmes gave each product in a world (market, product, eur). What makers add themselves is no public money."""
    by_maker = {p.scope.id for p in _programmes(outcome.world) if isinstance(p, Incentive) and p.funded_by == "maker"}
    money = outcome.regulation.programmes
    chosen = money[money["programme"].isin(set(programmes) - by_maker) & money["market"].isin(markets)]
    found = chosen.groupby(["market", "product"], sort=False, as_index=False)["eur"].sum()
    return found.assign(eur=-found["eur"].astype(float))


def _fixed(outcome: Outcome) -> float:
    return float(outcome.regulation.fixed["eur"].sum())


def _electric(outcome: Outcome, markets: Sequence[str]) -> float:
    table = outcome.markets
    return float(table.loc[table["market"].isin(markets), "electric_units"].sum())


def _who(reading: Reading, table: str, key: str, measure: str, said: str) -> dict[str, object]:
    """Who gains and who loses most from the policy, EUR a year; nobody where nobody does."""
    now, before = (getattr(outcome, table).groupby(key)[measure].sum() for outcome in (reading.with_, reading.without))
    change = now.sub(before, fill_value=0.0).sort_values(ascending=False, kind="stable")
    gains, loses = float(change.iloc[0]), float(change.iloc[-1])
    row: dict[str, object] = {f"{said}_gains_most": str(change.index[0]) if gains > 0 else "nobody", f"{said}_gains_most_eur": max(gains, 0.0)}
    if said == "maker":
        row |= {"maker_loses_most": str(change.index[-1]) if loses < 0 else "nobody", "maker_loses_most_eur": min(loses, 0.0)}
    return row


def _also(scenario: Scenario) -> str:
    """Other channels that the scenario acts through beside policy: the measure holds them too."""
    return ", ".join(dict.fromkeys(channel for move in scenario.moves for channel in move.by_channel() if channel != "policy"))


def _programmes(world: World) -> tuple[Programme, ...]:
    return cast("tuple[Programme, ...]", world.programmes)


def _in_force(world: World) -> dict[tuple[str, str], Programme]:
    """Programmes in force by market and id, each without its dates: what counts is what holds on the day."""
    return {(market, p.scope.id): _undated(p) for market in world.markets for p in _programmes(world) if p.scope.in_force(market, world.date)}


def _undated(programme: Programme) -> Programme:
    start, end = dt.date.min, dt.date.max
    return dataclasses.replace(programme, scope=dataclasses.replace(programme.scope, start=start, end=end, dormant=False))


def _rules_in_force(world: World) -> set[FleetRule | Pool]:
    return {r for r in world.pools if isinstance(r, FleetRule | Pool) and r.from_year <= world.date.year <= r.to_year}
