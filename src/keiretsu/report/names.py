"""What ids are called: companies, owners, markets, scenarios, channels, powertrains, confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keiretsu.case import Case
    from keiretsu.study.results import Results

BASELINE = "baseline"
OWN_MONEY = "money"  # what the unit of a case is called that does not convert to euro

_FLOAT = "float of "

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
    "separate": "every firm for itself",
    "financial": "silent stakes",
    "controller": "the controller's interest",
    "proportional": "owners in proportion, float atomistic",
    "proportional:one_block": "owners in proportion, float as one block",
    "banzhaf": "owners by voting power (Banzhaf)",
    "nobody": "nobody",
    "new": "new",
    "settled": "settled",
}


def names_of(results: Results) -> dict[str, str]:
    """Reader's names of every id of a run."""
    known = names_in(results.case)
    owners = [str(owner) for outcome in results.outcomes.values() for owner in outcome.owners["owner"]]
    newcomers = {owner: f"Free float of {owner.removeprefix(_FLOAT)}" for owner in owners if owner.startswith(_FLOAT) and owner not in known}
    return known | newcomers | {scenario.name: scenario.title for scenario in results.scenarios}


def names_in(case: Case) -> dict[str, str]:
    """Reader's names of every id of a case."""
    companies = {str(c): _short(str(n)) for c, n in zip(case.companies["company"], case.companies["name"], strict=True)}
    owners = {str(o): _short(str(n)) for o, n in zip(case.owners["owner"], case.owners["name"], strict=True)}
    floats = {f"{_FLOAT}{company}": f"Free float of {name}" for company, name in companies.items()}
    markets = {str(m): str(n) for m, n in zip(case.markets["market"], case.markets["name"], strict=True)}
    money = {"EUR": OWN_MONEY} if case.money == "own" else {}
    return _WORDS | money | floats | owners | companies | markets


def _short(name: str) -> str:
    """A name without the explanation in brackets after it; the full one stands among the inputs."""
    return name.partition(" (")[0]
