"""What firms charge: wedges between buyer and maker, prices in equilibrium, marginal cost ([7]-[9])."""

from keiretsu.supply.batch import BatchOptions, solve_many
from keiretsu.supply.cost import Transfer, recover_costs, with_transfers
from keiretsu.supply.diagnostics import FirstOrder, SecondOrder, Starts, check_second_order, first_order, pass_through, search_starts
from keiretsu.supply.first_order import PriceProblem
from keiretsu.supply.pricing import Pricing, PricingOptions, equilibrium, solve_prices
from keiretsu.supply.wedges import Wedges, no_wedges, paid, unit_margin
from keiretsu.supply.weights import ProfitWeights, one_firm_each, seen_by_setters

__all__ = [
    "BatchOptions",
    "FirstOrder",
    "PriceProblem",
    "Pricing",
    "PricingOptions",
    "ProfitWeights",
    "SecondOrder",
    "Starts",
    "Transfer",
    "Wedges",
    "check_second_order",
    "equilibrium",
    "first_order",
    "no_wedges",
    "one_firm_each",
    "paid",
    "pass_through",
    "recover_costs",
    "search_starts",
    "seen_by_setters",
    "solve_many",
    "solve_prices",
    "unit_margin",
    "with_transfers",
]
