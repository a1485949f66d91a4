"""Sentences on scenarios that are answered by a state which is only near to an equilibrium: what is to be gained in it, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keiretsu.report.blocks import Names

if TYPE_CHECKING:
    from keiretsu.study.results import Results


def nearly_said(results: Results, names: Names) -> tuple[str, ...]:
    """One sentence for each scenario, or the baseline, of `Results.nearly`."""
    found: list[str] = []
    for scenario, rows in results.nearly.groupby("scenario", sort=False) if len(results.nearly) else ():
        most = rows.sort_values("gain_eur", ascending=False).iloc[0]
        market, money = names.get(str(most["market"]), str(most["market"])), names.get("EUR", "EUR")
        found.append(
            f"“{names.get(str(scenario), str(scenario))}”: prices at thresholds go round and no equilibrium was found. In the state shown nobody gains more than "
            f"{money} {most['gain_eur']:,.0f} a year by crossing; {most['product']} ({market}) would gain that at {money} {most['to_price_eur']:,.0f} in "
            f"place of {most['price_eur']:,.0f}."
        )
    return tuple(found)
