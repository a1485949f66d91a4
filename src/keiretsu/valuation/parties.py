"""Who gains from a stake, through every chain of stakes: companies (not additive) and outside owners (additive to the cent).

Under linear ownership a deal moves `transfer` from those who held the company to the investor, and the network hands it on: with G = (I - D)^-1 and e
the unit vector of a company, equity changes by ``G (e_investor - e_company) transfer`` (new money) or ``G (e_investor - e_seller) transfer`` (old shares).
What prices and synergies add to each company's own value is handed on the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.valuation.equity import Equity
from keiretsu.valuation.money import estimate
from keiretsu.valuation.terms import StakeTerms

CHANNELS = ("claim", "own prices", "synergies")
_STEP = {"claim": "baseline", "own prices": "own prices", "synergies": "synergies"}
_BEFORE = {"own prices": "baseline", "synergies": "own prices"}


@dataclass(frozen=True, eq=False)
class Deal:
    """A deal as seen by the network.

    Attributes
    ----------
    equities
        Equity without the deal ("baseline"), with its markets ("own prices"), and with its synergies too ("synergies").
    transfers
        What the terms move from the company's holders to the investor under each of them, on the case's day. (N,) each
    """

    terms: StakeTerms
    equities: Mapping[str, Equity]
    transfers: Mapping[str, np.ndarray]


def parties_tables(deal: Deal) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Companies, outside owners, and the three lines for those at the table."""
    companies, owners = _changes(deal)
    return _companies(deal, companies), _owners(deal, owners), _channels(deal, companies, owners)


def own_prices_table(deal: Deal) -> pd.DataFrame:
    """Where the investor's line "own prices" comes from; the rows add up to it.

    For each company whose own value moves with the prices of all makers: by how much, the part of it that reaches the investor through the stakes held before the deal, and
    their product. The last row is the part of what the company gains that the stake bought now carries over.
    """
    base, after = deal.equities["baseline"], deal.equities["own prices"]
    holdings = base.holdings
    part = _reaches(base, deal.terms.investor)
    moved = after.own - base.own
    rows: list[dict[str, object]] = []
    for k, name in enumerate(holdings.companies):
        if np.any(moved[:, k]) and part[k]:
            change, reaches = estimate(moved[:, k]), estimate(moved[:, k] * part[k])
            rows.append(
                {"from": name, "company_gains_eur": change.value, "part": float(part[k]), "value_eur": reaches.value, "half95_eur": reaches.error}
            )
    rows.sort(key=lambda row: -abs(float(str(row["value_eur"]))))
    through = estimate(_carried(deal, part))
    held = float(deal.terms.share)
    rows.append(
        {
            "from": f"{deal.terms.company}, through the stake bought",
            "company_gains_eur": next((row["company_gains_eur"] for row in rows if row["from"] == deal.terms.company), 0.0),
            "part": held, "value_eur": through.value, "half95_eur": through.error,
        }
    )  # fmt: skip
    return pd.DataFrame(rows, columns=["from", "company_gains_eur", "part", "value_eur", "half95_eur"])


def handed_on(deal: Deal) -> np.ndarray:
    """What the network adds to what the terms move to the investor: its part of what the giver loses, and its own gain coming back through rings. (N,)"""
    whole = deal.transfers["synergies"]
    return _to_the_investor(deal, _reaches(deal.equities["baseline"], deal.terms.investor), whole) - whole


def _reaches(equity: Equity, party: str) -> np.ndarray:
    """Part of each company's own value that reaches a company or an outside owner through all stakes. (F,)"""
    holdings = equity.holdings
    if party in holdings.companies:
        return equity.multiplier[holdings.companies.index(party)]
    return holdings.owner_shares[holdings.owners.index(party)] @ equity.multiplier


def _carried(deal: Deal, part: np.ndarray) -> np.ndarray:
    """What the terms move to the investor because prices changed, its own part of what the giver loses taken off. (N,)"""
    return _to_the_investor(deal, part, deal.transfers["own prices"] - deal.transfers["baseline"])


def _to_the_investor(deal: Deal, part: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """What reaches the investor of an amount moved to it from the giver, through all stakes. (N,)"""
    holdings = deal.equities["baseline"].holdings
    giver = deal.terms.company if deal.terms.money == "primary" else deal.terms.seller
    own = part[holdings.companies.index(deal.terms.investor)] if deal.terms.investor in holdings.companies else 1.0
    return moved * (own - (part[holdings.companies.index(giver)] if giver in holdings.companies else 0.0))


def _changes(deal: Deal) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Change of companies' equity (N, F) and owners' claims (N, O), by channel. The new money itself is no gain and not in it."""
    holdings, multiplier = deal.equities["baseline"].holdings, deal.equities["baseline"].multiplier
    companies: dict[str, np.ndarray] = {}
    owners: dict[str, np.ndarray] = {}
    for channel in CHANNELS:
        step = _STEP[channel]
        own = np.zeros_like(deal.equities[step].own)
        moved = deal.transfers[step]
        if channel in _BEFORE:
            own = own + deal.equities[step].own - deal.equities[_BEFORE[channel]].own
            moved = moved - deal.transfers[_BEFORE[channel]]
        direct = np.zeros((len(own), len(holdings.owners)))
        giver = deal.terms.company if deal.terms.money == "primary" else deal.terms.seller
        for party, sign in ((deal.terms.investor, 1.0), (giver, -1.0)):
            if party in holdings.companies:
                own[:, holdings.companies.index(party)] += sign * moved
            else:
                direct[:, holdings.owners.index(party)] += sign * moved
        companies[channel] = own @ multiplier.T
        owners[channel] = companies[channel] @ holdings.owner_shares.T + direct
    return companies, owners


def _companies(deal: Deal, changes: Mapping[str, np.ndarray]) -> pd.DataFrame:
    holdings = deal.equities["baseline"].holdings
    total = sum(changes.values(), np.zeros_like(changes["claim"]))
    rows = []
    for k, name in enumerate(holdings.companies):
        if np.any(total[:, k]):
            found = estimate(total[:, k])
            rows.append({"party": name, "kind": "company", "change_eur": found.value, "half95_eur": found.error})
    return pd.DataFrame(rows, columns=["party", "kind", "change_eur", "half95_eur"])


def _owners(deal: Deal, changes: Mapping[str, np.ndarray]) -> pd.DataFrame:
    holdings = deal.equities["baseline"].holdings
    total = sum(changes.values(), np.zeros_like(changes["claim"]))
    rows = []
    for k, name in enumerate(holdings.owners):
        if np.any(total[:, k]):
            by_channel = {f"{channel.replace(' ', '_')}_eur": float(change[:, k].mean()) for channel, change in changes.items()}
            found = estimate(total[:, k])
            rows.append({"owner": name, "kind": holdings.owner_kinds[k], **by_channel, "change_eur": found.value, "half95_eur": found.error})
    columns = ["owner", "kind", "claim_eur", "own_prices_eur", "synergies_eur", "change_eur", "half95_eur"]
    return pd.DataFrame(rows, columns=columns)


def _channels(deal: Deal, companies: Mapping[str, np.ndarray], owners: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The three lines and their sum for the investor, the seller, the company and every company with a part in either."""
    holdings = deal.equities["baseline"].holdings
    at_the_table = [deal.terms.investor, *([deal.terms.seller] if deal.terms.seller else []), deal.terms.company]
    at_the_table += [
        name for k, name in enumerate(holdings.companies)
        if name not in at_the_table and any(np.any(np.abs(change[:, k]) > 0) for change in companies.values())
    ]  # fmt: skip
    rows = []
    for party in dict.fromkeys(at_the_table):
        by_line = {
            channel: (
                companies[channel][:, holdings.companies.index(party)]
                if party in holdings.companies
                else owners[channel][:, holdings.owners.index(party)]
            )
            for channel in CHANNELS
        }
        for line, draws in {**by_line, "total": sum(by_line.values(), np.zeros(len(by_line["claim"])))}.items():
            found = estimate(draws)
            rows.append({"party": party, "line": line, "value_eur": found.value, "half95_eur": found.error})
    return pd.DataFrame(rows, columns=["party", "line", "value_eur", "half95_eur"])
