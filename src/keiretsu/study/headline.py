"""The one row a board reads for each scenario, and the sentences that matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.moves.comparison import ALL, Comparison
from keiretsu.moves.scenario import Scenario
from keiretsu.study.ventures import as_parents_see, mergers_in, ventures_in
from keiretsu.valuation.odds import listed

MILLION = 1e6
PROFIT_OF = "profit of "  # column of a maker in the headline, EUR m a year
NOTHING_EUR = 0.5
NOTHING_OF_ALL = 1e-7  # of makers' profit, in a case's own money: its unit may be a thousand, its market one buyer
NOTHING_PERCENT = 0.01
OWN_MONEY = "own"  # money of a case that does not convert to euro
FLOAT = "float of "


@dataclass(frozen=True)
class Wording:
    """How sentences call companies and owners, and in which money they speak ("EUR", or "own" for a case's own unit)."""

    names: Mapping[str, str] = field(default_factory=dict)
    money: str = "EUR"

    @staticmethod
    def of(case: Case) -> Wording:
        """Names of the case without the explanations in brackets after them."""
        tables = ((case.companies, "company"), (case.owners, "owner"))
        names = {str(i): str(n).partition(" (")[0] for table, key in tables for i, n in zip(table[key], table["name"], strict=True)}
        return Wording(names, OWN_MONEY if case.money == OWN_MONEY else "EUR")

    def name(self, id: str) -> str:
        """What an id is called."""
        if id.startswith(FLOAT) and id not in self.names:
            return f"the free float of {self.name(id.removeprefix(FLOAT))}"
        return self.names.get(id, id)

    def say(self, eur: float) -> str:
        """A sum in words."""
        return money(eur, self.money)

    @property
    def end(self) -> str:
        """End of a sentence with sums: says that they are in a case's own money, where they are."""
        return ", in the case's own money." if self.money == OWN_MONEY else "."


def headline_row(comparison: Comparison, scenario: Scenario, makers_shown: Sequence[str]) -> dict[str, object]:
    """Changes over all markets against the baseline; money in EUR m a year, price change with base quantities (per cent).

    Profit is that of all firms, payments and fines of fleet rules taken off. Makers named have a column each, their change of operating profit;
    one that a scenario takes off the market has lost what it earned. Who gains and loses most is told with a joint venture's profit put to its parents.
    """
    market = _over_all(comparison)
    makers = makers_by_change(comparison)
    seen = as_parents_see(makers, ventures_in(scenario))
    gainer, loser = seen.index[0], seen.index[-1]
    owners = comparison.owners.set_index("owner")["claim_eur_change"]
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "price_change_percent": _price_change_percent(comparison),
        "units_change": market["units_change"],
        "units_change_percent": market["units_change_percent"],
        "electric_share_percent": 100 * market["electric_share_scenario"],
        "electric_share_change_points": 100 * market["electric_share_change"],
        "surplus_change_eur_m": market["surplus_eur_change"] / MILLION,
        "profit_change_eur_m": float(makers.sum()) / MILLION,  # after fines of fleet rules, which are no market's
        **{f"{PROFIT_OF}{name}": float(makers.get(name, 0.0)) / MILLION for name in makers_shown},
        "government_change_eur_m": market["government_eur_change"] / MILLION,
        "gains_most": str(gainer) if seen.iloc[0] > 0 else "nobody",
        "gains_most_eur_m": max(float(seen.iloc[0]), 0.0) / MILLION,
        "loses_most": str(loser) if seen.iloc[-1] < 0 else "nobody",
        "loses_most_eur_m": min(float(seen.iloc[-1]), 0.0) / MILLION,
        "owner_gains_most": str(owners.idxmax()) if owners.max() > 0 else "nobody",
        "owner_gains_most_eur_m": max(float(owners.max()), 0.0) / MILLION,
    }


def makers_by_change(comparison: Comparison) -> pd.Series:
    """Change of operating profit of every firm over all markets, EUR a year, largest first."""
    makers = comparison.makers
    return makers[makers["market"] == ALL].set_index("firm")["profit_eur_change"].sort_values(ascending=False)


def _over_all(comparison: Comparison) -> dict[str, float]:
    """Measures over all markets."""
    rows = comparison.markets[comparison.markets["market"] == ALL].drop(columns=["market", "status"])
    return {str(name): float(value) for name, value in rows.iloc[0].items()}


def _price_change_percent(comparison: Comparison) -> float:
    table = comparison.price_index
    return float(table.loc[table["level"] == "all", "price_change_percent"].iloc[0])


def sentences(comparisons: Mapping[str, Comparison], scenarios: Sequence[Scenario], wording: Wording, among: str = "") -> tuple[str, ...]:
    """Two or three sentences: the headline scenario, the one that moves buyers most, the one that moves profit most; `among` says of which they are the most."""
    if not comparisons:
        return ()
    said: list[str] = []
    first = scenarios[0]
    said.append(_about(first, comparisons[first.name], wording))
    surplus = {s.name: _over_all(comparisons[s.name])["surplus_eur_change"] for s in scenarios}
    by_name = {s.name: s for s in scenarios}
    most = max(surplus, key=lambda name: abs(surplus[name]))
    if most != first.name and surplus[most]:
        verb = "gain" if surplus[most] > 0 else "lose"
        who = f"Among {among} buyers" if among else "Buyers"
        said.append(f"{who} {verb} most from “{by_name[most].title}”: {wording.say(abs(surplus[most]))} a year{wording.end}")
    shift = {s.name: float(np.abs(as_parents_see(makers_by_change(comparisons[s.name]), ventures_in(s))).max()) for s in scenarios}
    largest = max(shift, key=lambda name: shift[name])
    if largest not in (first.name, most):
        said.append(_about(by_name[largest], comparisons[largest], wording))
    return tuple(said)


def _about(scenario: Scenario, comparison: Comparison, wording: Wording) -> str:
    ventures = ventures_in(scenario)
    makers = as_parents_see(makers_by_change(comparison), ventures)
    index = _price_change_percent(comparison)
    largest = str(makers.abs().idxmax())
    owners = comparison.owners.set_index("owner")["claim_eur_change"]
    owner = str(owners.abs().idxmax())
    said: list[str] = []
    nothing, surplus = _nothing(comparison, wording), _over_all(comparison)["surplus_eur_change"]
    if max(abs(float(makers[largest])), abs(surplus), abs(float(owners[owner]))) < nothing and abs(index) < NOTHING_PERCENT:
        return f"“{scenario.title}” changes nothing in the base year."
    if ventures:
        said.append(_parents(makers, makers_by_change(comparison), scenario, wording, nothing))
    elif mergers := mergers_in(scenario):
        said += _merged(makers, mergers, wording, nothing)
    elif abs(makers[largest]) >= nothing:
        said.append(
            f"{wording.name(largest)} {'gains' if makers[largest] > 0 else 'loses'} {wording.say(abs(float(makers[largest])))} of operating profit a year"
        )
    if abs(index) >= NOTHING_PERCENT:
        said.append(f"prices {'rise' if index > 0 else 'fall'} by {abs(index):.2g} % on average")
    else:
        said.append(f"prices move by less than {NOTHING_PERCENT:g} % on average")
    if abs(surplus) >= nothing:
        said.append(f"buyers {'gain' if surplus > 0 else 'lose'} {wording.say(abs(surplus))} a year")
    if abs(owners[owner]) > max(abs(float(makers[largest])), nothing):
        verb = "rise" if owners[owner] > 0 else "fall"
        said.append(
            f"claims of {wording.name(owner)} on operating profit {verb} by {wording.say(abs(float(owners[owner])))} a year, before what was paid for them"
        )
    return f"“{scenario.title}”: {', '.join(said[:-1])}{' and ' if len(said) > 1 else ''}{said[-1]}{wording.end}"


def _merged(makers: pd.Series, mergers: Sequence[tuple[str, str]], wording: Wording, nothing: float) -> list[str]:
    """What merged pairs get, and then who else gains or loses more than any of them."""
    together = {f"{wording.name(a)} with {wording.name(b)}": float(makers.get(a, 0.0) + makers.get(b, 0.0)) for a, b in mergers}
    others = makers.drop([name for pair in mergers for name in pair], errors="ignore")
    most = str(others.abs().idxmax()) if len(others) else ""
    if most and abs(float(others[most])) > max(abs(change) for change in together.values()):
        together[wording.name(most)] = float(others[most])
    parts = [f"{who} {'gains' if change > 0 else 'loses'} {wording.say(abs(change))}" for who, change in together.items() if abs(change) >= nothing]
    return [f"{listed(parts)} of operating profit a year"] if parts else []


def _parents(makers: pd.Series, alone: pd.Series, scenario: Scenario, wording: Wording, nothing: float) -> str:
    """What the parents of a scenario's ventures get, and then what the ventures earn by themselves."""
    ventures = ventures_in(scenario)
    parts = []
    for parent in dict.fromkeys(name for venture in ventures for name in venture.split):
        change = float(makers.get(parent, 0.0))
        verb = "gains" if change > 0 else "loses"
        parts.append(
            f"{wording.name(parent)} {verb} {wording.say(abs(change))}" if abs(change) >= nothing else f"{wording.name(parent)} gains nothing"
        )
    own = listed([f"{wording.name(venture.company)}'s {wording.say(float(alone.get(venture.company, 0.0)))}" for venture in ventures])
    return f"{listed(parts)} of operating profit a year, their parts of {own} included"


def _nothing(comparison: Comparison, wording: Wording) -> float:
    """A sum below it is none: half a euro, or a ten-millionth of all makers' profit in a case's own money."""
    return NOTHING_OF_ALL * abs(_over_all(comparison).get("profit_eur_base", 0.0)) if wording.money == OWN_MONEY else NOTHING_EUR


def money(eur: float, unit: str = "EUR") -> str:
    """A sum in words with three significant digits: EUR 1.23 bn, EUR 45.6 m, EUR 7,890; 45.6 m in a case's own money."""
    said = _three(eur)
    for size, name in ((1e6, " m"), (1e9, " bn")):
        if abs(eur) >= 0.9995 * size:
            said = f"{_three(eur / size)}{name}"
    return said if unit == OWN_MONEY else f"{unit} {said}"


def _three(value: float) -> str:
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    digits = 2 - int(np.floor(np.log10(abs(rounded))))
    return f"{rounded:,.{max(digits, 0)}f}"
