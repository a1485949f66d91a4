"""The arrays of a path: the base year that every draw reproduces, what a scenario plans, the state between years, what a year brings.

M markets in one padded shape with J slots for products: those of the base year and every launch of any scenario, on one static roster with an
availability mark. T years, I consumer draws, F firms, P powertrains (BEV, PHEV, ICE), A ages, G classes of buyers, N launched products (one for each market).
"""

from __future__ import annotations

import equinox as eqx
from jaxtyping import Array, Bool, Float, Int

from keiretsu.demand.tastes import Nests

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
        CO2 shadow cost, EUR a car, seen by setters and no part of margins.
    """

    on_sale: Bool[Array, "T M J"]
    from_year: Float[Array, "M J"]
    to_year: Float[Array, "M J"]
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


class Reproduced(eqx.Module):
    """What the base year reveals under one draw: deltas and marginal costs (EUR), and how exactly shares are reproduced (log points)."""

    delta: Float[Array, "M J"]
    cost: Float[Array, "M J"]
    gap: Float[Array, ""]


class State(eqx.Module):
    """What one year hands to the next; prices and costs only say where the search for the next prices starts."""

    cumulative_gwh: Float[Array, ""]
    fleet: Float[Array, "M P A"]
    chargers: Float[Array, " M"]
    price: Float[Array, "M J"]
    cost: Float[Array, "M J"]


class Year(eqx.Module):
    """What a year brings. Money is EUR a year, quantities are cars a year; see `keiretsu.outlook.ensemble` for labels."""

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
