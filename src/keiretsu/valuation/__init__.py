"""What it is worth: companies, stakes, listings, what must be true, alliances, choices ([14]-[19])."""

from keiretsu.valuation.company import CompanyValuation, guidance_beside_model, value_company, wacc_growth_table
from keiretsu.valuation.equity import Equity, equity_through_network
from keiretsu.valuation.finance import Finance, finances
from keiretsu.valuation.football import football_field
from keiretsu.valuation.inputs import OBSERVABLE, Futures
from keiretsu.valuation.listing import ListingValuation, value_listing
from keiretsu.valuation.listing_terms import ListingTerms, listing_terms_of
from keiretsu.valuation.market_multiple import MarketMultiple
from keiretsu.valuation.money import Estimate, estimate, plain, with_error
from keiretsu.valuation.stake import StakeValuation, value_stake
from keiretsu.valuation.terms import Milestone, StakeTerms, terms_of

__all__ = [
    "OBSERVABLE",
    "CompanyValuation",
    "Equity",
    "Estimate",
    "Finance",
    "Futures",
    "ListingTerms",
    "ListingValuation",
    "MarketMultiple",
    "Milestone",
    "StakeTerms",
    "StakeValuation",
    "equity_through_network",
    "estimate",
    "finances",
    "football_field",
    "guidance_beside_model",
    "listing_terms_of",
    "plain",
    "terms_of",
    "value_company",
    "value_listing",
    "value_stake",
    "wacc_growth_table",
    "with_error",
]
