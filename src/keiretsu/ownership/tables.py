"""Ownership as tables: what `keiretsu owners` prints and the report shows. Shares are parts of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from keiretsu.ownership.control import who_controls_whom
from keiretsu.ownership.holdings import Holdings
from keiretsu.ownership.look_through import look_through
from keiretsu.ownership.register import Register
from keiretsu.ownership.rule import Rule
from keiretsu.ownership.weights import profit_weights

COMPANY_KIND = "company"


def direct_stakes(register: Register, date: dt.date) -> pd.DataFrame:
    """Every stake of the day, floats included: holder, kind, company, cash_flow, votes, votes_cast_share, from, to, source.

    `votes_cast_share` is the part of the votes that can be cast; `from` and `to` are empty where the line is open or the float's.
    """
    holdings = register.as_of(date)
    lines = {(stake.holder, stake.company): stake for stake in register.stakes if stake.in_force(date)}
    rows = []
    for holder, kind, shares, votes in _holder_rows(holdings):
        for company, share, vote, total in zip(holdings.companies, shares, votes, holdings.castable_votes, strict=True):
            if share > 0 or vote > 0:
                line = lines.get((holder, company))
                start, end, source = (line.start, line.end, line.source) if line else (None, None, "what no named holder has")
                rows.append((holder, kind, company, share, vote, vote / total if total > 0 else 0.0, _text(start), _text(end), source))
    columns = ["holder", "kind", "company", "cash_flow", "votes", "votes_cast_share", "from", "to", "source"]
    return pd.DataFrame(rows, columns=columns).sort_values(["company", "cash_flow"], ascending=[True, False], kind="stable", ignore_index=True)


def look_through_stakes(holdings: Holdings) -> pd.DataFrame:
    """Direct and look-through shares side by side: holder, kind, company, direct, look_through, adds_up.

    Outside owners' look-through shares of a company add up to one (`adds_up`); those of companies count a euro once for every firm it
    passes through and do not. A company's look-through share of itself, its own euro and what comes back round a loop, is left out.
    """
    firms = look_through(holdings)
    rows = []
    for i, (holder, kind, shares, _) in enumerate(_holder_rows(holdings)):
        through = firms[i] if kind == COMPANY_KIND else shares @ firms
        for company, direct, value in zip(holdings.companies, shares, through, strict=True):
            if value > 0 and holder != company:
                rows.append((holder, kind, company, direct, value, kind != COMPANY_KIND))
    table = pd.DataFrame(rows, columns=["holder", "kind", "company", "direct", "look_through", "adds_up"])
    return table.sort_values(["company", "adds_up", "look_through"], ascending=[True, False, False], kind="stable", ignore_index=True)


def control_table(holdings: Holdings) -> pd.DataFrame:
    """Who runs each company: company, controller (itself when nobody does), votes_cast_share, chain, reason."""
    rows = [(line.company, line.controller, line.votes, " <- ".join(line.chain), line.reason) for line in who_controls_whom(holdings)]
    return pd.DataFrame(rows, columns=["company", "controller", "votes_cast_share", "chain", "reason"])


def kappa_table(holdings: Holdings, rule: Rule, firms: Sequence[str]) -> pd.DataFrame:
    """Profit weights: row is the firm whose prices are set, column the firm whose profit is weighed. (F, F)"""
    index = pd.Index(list(firms), name="prices of")
    return pd.DataFrame(profit_weights(holdings, rule, firms), index=index, columns=pd.Index(list(firms), name="profit of"))


def rules_side_by_side(holdings: Holdings, rules: Mapping[str, Rule], firms: Sequence[str]) -> pd.DataFrame:
    """Weights under several rules: prices_of, profit_of, one column for each rule; pairs that are zero under all rules are left out."""
    kappas = {name: profit_weights(holdings, rule, firms) for name, rule in rules.items()}
    rows = [
        {"prices_of": f, "profit_of": g} | {name: kappa[i, j] for name, kappa in kappas.items()}
        for i, f in enumerate(firms)
        for j, g in enumerate(firms)
        if i != j and any(kappa[i, j] != 0 for kappa in kappas.values())
    ]
    return pd.DataFrame(rows, columns=["prices_of", "profit_of", *kappas])


def stakes_before_after(before: Holdings, after: Holdings) -> pd.DataFrame:
    """Look-through shares that a deal changes: holder, kind, company, before, after, change."""
    key = ["holder", "kind", "company"]
    old, new = (look_through_stakes(x).set_index(key)["look_through"] for x in (before, after))
    both = pd.concat({"before": old, "after": new}, axis=1).fillna(0.0)  # a stake that is not in a table is a share of zero
    both["change"] = both["after"] - both["before"]
    return both[both["change"].abs() > 1e-12].reset_index()


def control_before_after(before: Holdings, after: Holdings) -> pd.DataFrame:
    """Companies whose controller a deal changes: company, before, after, reason."""
    old = {line.company: line.controller for line in who_controls_whom(before)}
    rows = [
        (line.company, old.get(line.company, ""), line.controller, line.reason)
        for line in who_controls_whom(after)
        if old.get(line.company, "") != line.controller
    ]
    return pd.DataFrame(rows, columns=["company", "before", "after", "reason"])


def kappa_before_after(before: Holdings, after: Holdings, rule: Rule, firms: Sequence[str]) -> pd.DataFrame:
    """Profit weights among firms before and after a deal, every pair that either has: prices_of, profit_of, before, after, change.

    A firm that the deal sets up (a joint venture) has none before it.
    """
    old, new = _weights_among(before, rule, firms), _weights_among(after, rule, firms)
    rows = [
        (f, g, old[i, j], new[i, j], new[i, j] - old[i, j])
        for i, f in enumerate(firms)
        for j, g in enumerate(firms)
        if i != j and (old[i, j] != 0 or new[i, j] != 0)
    ]
    return pd.DataFrame(rows, columns=["prices_of", "profit_of", "before", "after", "change"])


def _weights_among(holdings: Holdings, rule: Rule, firms: Sequence[str]) -> np.ndarray:
    """Profit weights of firms, zero for those that the register does not have. (F, F)"""
    there = [k for k, firm in enumerate(firms) if firm in holdings.companies]
    found = np.zeros((len(firms), len(firms)))
    found[np.ix_(there, there)] = profit_weights(holdings, rule, [firms[k] for k in there])
    return found


def _holder_rows(holdings: Holdings) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """Companies, then owners: label, kind, direct shares (F,), votes (F,)."""
    kinds = (COMPANY_KIND,) * len(holdings.companies) + holdings.owner_kinds
    shares = np.vstack([holdings.cross_holdings, holdings.owner_shares])
    votes = np.vstack([holdings.firm_votes, holdings.owner_votes])
    return list(zip(holdings.companies + holdings.owners, kinds, shares, votes, strict=True))


def _text(day: dt.date | None) -> str:
    return "" if day is None else day.isoformat()
