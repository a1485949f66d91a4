"""What it is worth: companies, stakes, listings, what must be true, alliances, choices ([14]-[19])."""

from keiretsu.valuation.alliances import Alliance, alliance
from keiretsu.valuation.choosing import Choice, choose
from keiretsu.valuation.company import CompanyValuation, guidance_beside_model, value_company, wacc_growth_table
from keiretsu.valuation.cooperation import Cooperation, FlatSaving, SavingPerDoubling, partners_of
from keiretsu.valuation.equity import Equity, equity_through_network
from keiretsu.valuation.finance import Finance, finances
from keiretsu.valuation.football import football_field
from keiretsu.valuation.hindsight import Hindsight, what_happened
from keiretsu.valuation.inputs import OBSERVABLE, Futures
from keiretsu.valuation.listing import ListingValuation, value_listing
from keiretsu.valuation.listing_terms import ListingTerms, listing_terms_of
from keiretsu.valuation.market_multiple import MarketMultiple
from keiretsu.valuation.money import Estimate, estimate, in_millions, plain, with_error
from keiretsu.valuation.must_be_true import MustBeTrue, Question, simulated_again, what_must_be_true
from keiretsu.valuation.plan import BestPlan, Budget, Candidate, best_additive_plan, best_plan
from keiretsu.valuation.stake import StakeValuation, value_stake
from keiretsu.valuation.terms import Milestone, StakeTerms, terms_of
from keiretsu.valuation.timing import LaunchOption, LaunchTiming, launch_timing, where_sales_come_from, year_by_year

__all__ = [
    "OBSERVABLE",
    "Alliance",
    "BestPlan",
    "Budget",
    "Candidate",
    "Choice",
    "CompanyValuation",
    "Cooperation",
    "Equity",
    "Estimate",
    "Finance",
    "FlatSaving",
    "Futures",
    "Hindsight",
    "LaunchOption",
    "LaunchTiming",
    "ListingTerms",
    "ListingValuation",
    "MarketMultiple",
    "Milestone",
    "MustBeTrue",
    "Question",
    "SavingPerDoubling",
    "StakeTerms",
    "StakeValuation",
    "alliance",
    "best_additive_plan",
    "best_plan",
    "choose",
    "equity_through_network",
    "estimate",
    "finances",
    "football_field",
    "guidance_beside_model",
    "launch_timing",
    "listing_terms_of",
    "partners_of",
    "in_millions",
    "plain",
    "simulated_again",
    "terms_of",
    "value_company",
    "value_listing",
    "value_stake",
    "wacc_growth_table",
    "what_happened",
    "what_must_be_true",
    "where_sales_come_from",
    "with_error",
    "year_by_year",
]
