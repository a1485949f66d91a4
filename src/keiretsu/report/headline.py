"""The one table a board reads, for the page, the terminal and LaTeX: a row for each scenario, names beside the sums they gain or lose."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from keiretsu.report.tables import Table, of_small_sums, table_of
from keiretsu.report.wording import Label, in_money, label_of

# pair of columns (who, how much): heading
_WHO: Mapping[tuple[str, str], str] = {
    ("gains_most", "gains_most_eur_m"): "Maker that gains most",
    ("loses_most", "loses_most_eur_m"): "Maker that loses most",
    ("owner_gains_most", "owner_gains_most_eur_m"): "Owner that gains most",
}
PROFIT_OF = "profit of "  # prefix of a maker's own column in `Results.headline`
_HIDDEN = ("scenario", "units_change_percent")
_LABELS: Mapping[str, Label] = {
    "title": Label("Scenario", kind="text"),
    "rule": Label("Ownership rule", kind="text"),
    "price_change_percent": Label("Prices", "%", digits=3, signed=True),
    "units_change": Label("Sales", "cars a year", signed=True),
    "electric_share_percent": Label("Electric share", "%", digits=2),
    "electric_share_change_points": Label("Electric share, change", "% points", digits=3, signed=True),
    "surplus_change_eur_m": Label("Buyers' surplus", "EUR m a year", digits=1, signed=True),
    "profit_change_eur_m": Label("Makers' profit", "EUR m a year", digits=1, signed=True),
    "government_change_eur_m": Label("Government", "EUR m a year", digits=1, signed=True),
}
_SUM = Label("", "EUR m a year", digits=1, signed=True)


def headline_table(id: str, title: str, headline: pd.DataFrame, names: Mapping[str, str], note: str = "", *, without: Collection[str] = ()) -> Table:
    """The headline as a reader reads it.

    Parameters
    ----------
    headline
        `Results.headline`, or `Results.rules` with its extra column `rule`.
    without
        Columns to leave out where room is short.
    """
    shown = headline.drop(columns=[column for column in (*_HIDDEN, *without) if column in headline and (column != "scenario" or "title" in headline)])
    if "rule" in shown and "title" in shown:  # rules of one scenario under each other
        place = {title: k for k, title in enumerate(dict.fromkeys(shown["title"]))}
        shown = shown.assign(order=[place[title] for title in shown["title"]]).sort_values("order", kind="stable").drop(columns="order")
        shown = shown[["title", "rule", *(column for column in shown.columns if column not in ("title", "rule"))]]
    labels = dict(_LABELS)
    for (who, sum_), heading in _WHO.items():
        if who in shown and sum_ in shown:
            label = of_small_sums(in_money(_SUM, names.get("EUR", "EUR")), shown[sum_], names)
            said = [_who(w, s, label, names) for w, s in zip(shown[who], shown[sum_], strict=True)]
            shown = shown.assign(**{who: said}).drop(columns=sum_)
            labels[who] = Label(heading, label.unit, kind="text")
    for column in shown.columns:
        if str(column).startswith(PROFIT_OF):
            maker = str(column).removeprefix(PROFIT_OF)
            labels[str(column)] = Label(f"{names.get(maker, maker)}, profit", "EUR m a year", digits=1, signed=True)
    for column in shown.columns:  # a maker or an owner of its own column: nissan -> Nissan
        labels.setdefault(str(column), label_of(str(column), shown[column]))
    return table_of(id, title, shown, names=names, labels=labels, note=note)


def _who(who: object, amount: object, label: Label, names: Mapping[str, str]) -> str:
    said = label.show(amount)
    if who == "nobody" or not any(digit in "123456789" for digit in said):
        return "nobody"
    return f"{names.get(str(who), str(who))} {said}"
