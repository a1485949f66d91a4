"""What ids are called: companies, owners, markets, scenarios, channels, powertrains, confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keiretsu.study import Results

BASELINE = "baseline"

_WORDS = {
    "BEV": "electric",
    "PHEV": "plug-in hybrid",
    "ICE": "combustion and hybrid",
    "all": "all",
    "ownership": "ownership",
    "cost": "cost",
    "product_range": "range of cars",
    "policy": "policy",
    "rivals": "rivals' own moves",
    "joint_venture": "joint venture",
    "de_facto": "de facto",
    "both": "in both",
    "0001-01-01": "",
    "9999-12-31": "",
    BASELINE: "Baseline",
}


def names_of(results: Results) -> dict[str, str]:
    """Reader's names of every id of a run."""
    case = results.case
    companies = {str(c): str(n) for c, n in zip(case.companies["company"], case.companies["name"], strict=True)}
    owners = {str(o): str(n) for o, n in zip(case.owners["owner"], case.owners["name"], strict=True)}
    floats = {f"float of {company}": f"Free float of {name}" for company, name in companies.items()}
    markets = {str(m): str(n) for m, n in zip(case.markets["market"], case.markets["name"], strict=True)}
    scenarios = {scenario.name: scenario.title for scenario in results.scenarios}
    return _WORDS | floats | owners | companies | markets | scenarios
