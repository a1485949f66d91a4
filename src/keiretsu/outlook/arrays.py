"""The arrays of a path: the base year that every draw reproduces, what a scenario plans, the state between years, what a year brings.

M markets in one padded shape with J slots for products: those of the base year and every launch of any scenario, on one static roster with an
availability mark. T years, I consumer draws, F firms, P powertrains (BEV, PHEV, ICE), A ages, G classes of buyers, N launched products (one for each market).
"""

from __future__ import annotations

import equinox as eqx
from jaxtyping import Array, Bool, Float, Int, PyTree

from keiretsu.demand.tastes import Nests
from keiretsu.outlook.bent import Bends, Keeps
from keiretsu.supply.sellers import Sellers

POWERTRAINS = ("BEV", "PHEV", "ICE")


class BaseYear(eqx.Module):
    """The observed year and what does not change from scenario to scenario.

    Attributes
    ----------
    mu, electric_mu
        Departure of each draw from delta (utils) at the calibrated tastes, and the part of it that is the spread of the taste for electric cars.
    share, price
        Observed shares of potential buyers and maker's prices (EUR); zero for slots that were not on sale.
    buyer_class
        Class of each draw, index G of taxes and incentives: buyers of one kind and income pay and get the same.
    transfer_unit, transfer_price
        +1 for the builder and -1 for the seller of a car handed over at `transfer_price` (EUR).
    known, known_cost
        Costs that are stated rather than recovered.
    cumulative_gwh, base_year_gwh, pack_price
        World battery output to the start of the base year and in it (GWh), and the pack price (EUR/kWh) that belongs to the first.
    like_alone
        One less the correlation of tastes in the slot's innermost nest.
    currency, money, chinese
        Cost in another currency than the market's: +1 for the origin's, -1 for the market's; the market's own currency; built in China.
    fleet
        Cars on the road at the end of the base year. (M, P, A)
    chargers
        Public charging points at the end of the base year.
    pace
        Rise of the taste for electric cars, as a multiple of the common one.
    """

    mu: Float[Array, "M J #I"]
    electric_mu: Float[Array, "M J #I"]
    alpha: Float[Array, "M I"]
    weight: Float[Array, "M I"]
    buyer_class: Int[Array, "M I"]
    nests: Nests | None
    share: Float[Array, "M J"]
    price: Float[Array, "M J"]
    on_sale: Bool[Array, "M J"]
    buyer_rate: Float[Array, "M J G"]
    buyer_add: Float[Array, "M J G"]
    maker_rate: Float[Array, "M J"]
    maker_charge: Float[Array, "M J G"]
    shadow: Float[Array, "M J"]
    setter: Int[Array, "M J"]
    kappa: Float[Array, "F F"]
    split: Float[Array, "M F J"]
    transfer_unit: Float[Array, "M F J"]
    transfer_price: Float[Array, "M J"]
    known: Bool[Array, "M J"]
    known_cost: Float[Array, "M J"]
    potential: Float[Array, " M"]
    powertrain: Float[Array, "P M J"]
    battery_kwh: Float[Array, "M J"]
    co2_gkm: Float[Array, "M J"]
    like_alone: Float[Array, "M J"]
    currency: Float[Array, "C M J"]
    money: Float[Array, "C M"]
    chinese: Float[Array, "M J"]
    cumulative_gwh: Float[Array, ""]
    base_year_gwh: Float[Array, ""]
    pack_price: Float[Array, ""]
    fleet: Float[Array, "M P A"]
    chargers: Float[Array, " M"]
    pace: Float[Array, " M"]
    life_years: Float[Array, ""]
    life_shape: Float[Array, ""]
    cycle_years: Float[Array, ""]
    base_year: Float[Array, ""]
    outside: bool = eqx.field(static=True)


class FleetYears(eqx.Module):
    """Fleet rules of one scenario, year by year ([10]). R rules; K slots, a maker under a rule each; a pool is known by the slot of its first member.

    Attributes
    ----------
    maker
        Slot of each product under each rule; its burdens are zero where the rule does not hold.
    burden
        What one car weighs to whoever sets its price: g/km above target, or missing electric cars.
    counted
        What it weighs in the balance: the same, and the cars in the rest of the area that go with it.
    covers
        Whether the rule holds in the market: 0 or 1.
    pool
        Pool of each slot.
    cap
        Fine per unit of burden, at each pool's place (money of the rule); zero where there is no pool.
    live
        Places of the pools with a fine; K where there are fewer.
    rest
        Constant part of each maker's balance.
    sharing, payer
        Who bears a fine: index into `keiretsu.outlook.fleet_years.SHARINGS`; 1 for the one payer.
    rule_of, own_market
        Rule of each slot; market whose money a rule's fine is in, -1 for EUR.
    window
        Which window of years each pool's balance is averaged over, at the pool's place; -1 where each year stands alone.
    given
        Shadow prices of pools with a window, at their place: found over all its years by `keiretsu.outlook.banking`. None until then.
    needed
        With them, the share of what makers have to spare that somebody needs: one but where the sum of a window jumps through zero.
    windows
        How many windows there are.
    """

    maker: Int[Array, "T M J R"]
    burden: Float[Array, "T M J R"]
    counted: Float[Array, "T M J R"]
    covers: Float[Array, "T M R"]
    pool: Int[Array, "T K"]
    cap: Float[Array, "T K"]
    live: Int[Array, "T P"]
    rest: Float[Array, "T K"]
    sharing: Int[Array, "T K"]
    payer: Float[Array, "T K"]
    rule_of: Int[Array, "T K"]
    own_market: Int[Array, "T R"]
    window: Int[Array, "T K"]
    given: Float[Array, "T K"] | None = None
    needed: Float[Array, "T K"] | None = None
    windows: int = eqx.field(static=True, default=0)


class Plan(eqx.Module):
    """What one scenario plans, year by year.

    Attributes
    ----------
    on_sale
        Slots that the scenario has on its roster, dates apart.
    from_year, launch
        Fractional year a slot goes on sale (-inf for the base year's products) and which launch that is, -1 for none.
    to_year
        Fractional year it goes off sale (inf when never).
    leaves_with
        Which launch takes its place: the slot stays on sale while that is late, and for good where it does not come; -1 for none.
    new_slot, new_map, new_add, new_gap
        Launched slots (flat index into M x J), and their delta as an affine function of the base year's deltas ([5b]), less `new_gap` (utils at
        the calibrated price taste) by which a planned car is cheaper than the one it is like.
    source, cost_slope, cost_add
        A slot's base cost is ``cost_slope * cost[source] + cost_add``; `source` is a flat index into M x J.
    saving
        What the scenario leaves of a slot's cost (platform, purchasing), applied to the battery too.
    world_gwh
        Battery output of everybody outside the simulated markets, GWh a year.
    shadow
        Shadow cost that is given, EUR a car, seen by setters and no part of margins.
    rules
        Fleet rules, whose shadow costs are solved with the prices; None when no scenario has any.
    sellers
        Who prices in which nest; see `keiretsu.supply.sellers`.
    bends, bend_set, keeps
        All pieces of taxes and incentives and pots of money, which set of them each year has, and what makers keep on each piece; None when no scenario has a
        breakpoint or a pot.
    """

    on_sale: Bool[Array, "T M J"]
    from_year: Float[Array, "M J"]
    to_year: Float[Array, "M J"]
    leaves_with: Int[Array, "M J"]
    launch: Int[Array, "M J"]
    new_slot: Int[Array, " N"]
    new_map: Float[Array, "N MJ"]
    new_add: Float[Array, " N"]
    new_gap: Float[Array, " N"]
    source: Int[Array, "M J"]
    cost_slope: Float[Array, "T M J"]
    cost_add: Float[Array, "T M J"]
    saving: Float[Array, "T M J"]
    kappa: Float[Array, "T F F"]
    setter: Int[Array, "T M J"]
    split: Float[Array, "T M F J"]
    transfer_unit: Float[Array, "T M F J"]
    transfer_price: Float[Array, "T M J"]
    held: Bool[Array, "T M J"]
    start: Float[Array, "T M J"]
    buyer_rate: Float[Array, "T M J G"]
    buyer_add: Float[Array, "T M J G"]
    incentive: Float[Array, "T M J G"]
    maker_rate: Float[Array, "T M J"]
    maker_charge: Float[Array, "T M J G"]
    shadow: Float[Array, "T M J"]
    utility: Float[Array, "T M J"]
    world_gwh: Float[Array, " T"]
    year: Float[Array, " T"]
    rules: FleetYears | None = None
    sellers: Sellers | None = None
    bends: Bends | None = None
    bend_set: Int[Array, " T"] | None = None
    keeps: Keeps | None = None


class Reproduced(eqx.Module):
    """What the base year reveals under one draw: deltas and marginal costs (EUR), and how exactly shares are reproduced (log points)."""

    delta: Float[Array, "M J"]
    cost: Float[Array, "M J"]
    gap: Float[Array, ""]


class State(eqx.Module):
    """What one year hands to the next; prices, costs and shadow prices only say where the search for the next prices starts."""

    cumulative_gwh: Float[Array, ""]
    fleet: Float[Array, "M P A"]
    chargers: Float[Array, " M"]
    price: Float[Array, "M J"]
    cost: Float[Array, "M J"]
    rules: FleetState | None = None
    stood: Bool[Array, "M J"] | None = None


class Parts(eqx.Module):
    """Parts of a year as they were solved: whether each is there, prices (EUR, zero where none is sold), whether they stand at a breakpoint; with fleet rules shadow
    prices by slot (money of their rule per unit of burden) and shadow costs (money of the market a car)."""

    there: Bool[Array, " S"]
    price: Float[Array, "S M J"]
    stood: Bool[Array, "S M J"]
    rate: Float[Array, "S K"] | None = None
    shadow: Float[Array, "S M J"] | None = None


class Guide(eqx.Module):
    """What the years of another path came to, for those of this one to start from: the baseline's under the same values.

    Attributes
    ----------
    follow
        Years that start from it; the others start from the year before. Years that were not settled are not to be followed. (T,)
    cost
        EUR a car, zero where none is sold. (T, M, J)
    side_gain
        What one setter would gain by moving one price if shadow prices stood still, EUR a year. (T, M)
    parts
        The S parts of each year, one after the other; a year whose pots of money last has one.
    known
        How prices and balances answered in the last part (`keiretsu.outlook.fleet_newton.Known`); nothing without fleet rules, or where it would be too large.
    """

    follow: Bool[Array, " T"]
    cost: Float[Array, "T M J"]
    side_gain: Float[Array, "T M"]
    parts: Parts
    known: PyTree = None


class FleetState(eqx.Module):
    """Shadow price that each slot saw (money of its rule per unit of burden), shadow cost of each product (money of its market a car), and how prices and balances
    answered (`keiretsu.outlook.fleet_newton.Known`)."""

    rate: Float[Array, " K"]
    shadow: Float[Array, "M J"]
    known: PyTree


class FleetYear(eqx.Module):
    """Fleet rules in a year, by slot: the pool's shadow price (EUR per g/km and car, or per missing car), the maker's own balance (g/km x cars above target,
    or cars missing), what it pays (EUR a year, below zero when it is paid); and what each firm pays. `gap` is how far shadow costs are from settled, EUR a car;
    `slope` is nearly how pools' balances answer to shadow prices, kept where balances are averaged over years; `left_over` is what a pool has to spare at the end of such
    years because the sum of its balances jumps through zero at its shadow price, by pool's place in the last of them."""

    price: Float[Array, " K"]
    balance: Float[Array, " K"]
    pays: Float[Array, " K"]
    firm_pays: Float[Array, " F"]
    gap: Float[Array, ""]
    left_over: Float[Array, " K"]
    slope: Float[Array, "K K"] | None = None


class Year(eqx.Module):
    """What a year brings. Money is EUR a year, quantities are cars a year; see `keiretsu.outlook.ensemble` for labels.

    `at_break` counts prices that stand at a breakpoint of a tax or incentive, `unsettled_sides` choices of side that went round, of which
    those with the least to gain were kept, `side_gain` what one setter would gain by moving one price (EUR a year, inf where it is not known; below zero where it gains while
    shadow prices stand still and that is left open: `keiretsu.outlook.side_gains` works it out);
    `pot_open` is the share of the year that each pot had money.
    """

    units: Float[Array, "M J"]
    price: Float[Array, "M J"]
    margin: Float[Array, "M J"]
    cost: Float[Array, "M J"]
    on_sale: Float[Array, "M J"]
    firm_profit: Float[Array, " F"]
    firm_units: Float[Array, " F"]
    firm_electric_units: Float[Array, " F"]
    firm_battery_gwh: Float[Array, " F"]
    firm_revenue: Float[Array, " F"]
    surplus: Float[Array, " M"]
    government: Float[Array, " M"]
    units_all: Float[Array, " M"]
    electric_units: Float[Array, " M"]
    co2_t: Float[Array, " M"]
    potential: Float[Array, " M"]
    pack_price: Float[Array, ""]
    battery_gwh: Float[Array, ""]
    chargers: Float[Array, " M"]
    stock: Float[Array, "M P"]
    scrapped: Float[Array, "M P"]
    residual: Float[Array, ""]
    iterations: Int[Array, " M"]
    settled: Bool[Array, ""]
    at_break: Int[Array, " M"]
    unsettled_sides: Int[Array, " M"]
    side_gain: Float[Array, " M"]
    rules: FleetYear | None = None
    pot_open: Float[Array, " P"] | None = None
