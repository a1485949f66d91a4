"""Tables of a run's money that put companies, scenarios and terms side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from keiretsu.report.blocks import Names
from keiretsu.report.errors_shown import CONVENTION, amount, amount_label
from keiretsu.report.tables import Table, table_of
from keiretsu.report.wording import Label
from keiretsu.report.worth import terms_said
from keiretsu.study.worth import StakePart, Worth
from keiretsu.valuation.stake import DISCOUNTED

BILLION, MILLION = 1e-9, 1e-6


def companies_table(worth: Worth, names: Names) -> Table:
    """Every company's shares in the baseline by both terminal values, with the band of the first."""
    lines = []
    for part in worth.companies:
        found = part.valuation
        equity = found.value[found.value["line"] == "equity"].iloc[0]
        band = found.distribution[found.distribution["terminal"] == "growth"].iloc[0]
        error = float(equity["growth_half95_eur"])
        low, high = (amount(float(band[end]), error, BILLION, alone=True) for end in ("p10_eur", "p90_eur"))
        lines.append(
            {
                "company": found.company, "growth": amount(float(equity["growth_eur"]), error, BILLION),
                "exit": amount(float(equity["exit_multiple_eur"]), float(equity["exit_multiple_half95_eur"]), BILLION), "band": f"{low} to {high}",
            }
        )  # fmt: skip
    labels = {
        "company": Label("Company", kind="text"), "growth": amount_label("By growth", "EUR bn"), "exit": amount_label("By exit multiple", "EUR bn"),
        "band": amount_label("Eight futures of ten, by growth", "EUR bn"),
    }  # fmt: skip
    note = f"Stakes in others are in each value, so values do not add up. Headlines are changes: levels rest on stated figures outside the simulated markets. {CONVENTION}"
    return table_of("companies", "All companies valued", pd.DataFrame(lines), names=names, labels=labels, note=note)


def changes_table(worth: Worth, names: Names) -> Table:
    """Change of every company's equity in every drawn scenario, EUR m."""
    companies = tuple(dict.fromkeys(one.company for one in worth.changes if any(o.growth.value for o in worth.changes if o.company == one.company)))
    known = {(one.scenario, one.company): one for one in worth.changes}
    lines = []
    for scenario in dict.fromkeys(one.scenario for one in worth.changes):
        own = [known[(scenario, company)].growth for company in companies]
        lines.append(
            {"scenario": scenario, **{company: amount(x.value, x.error, MILLION, signed=True) for company, x in zip(companies, own, strict=True)}}
        )
    labels = {"scenario": Label("Scenario", kind="text")} | {company: amount_label(names.get(company, company), "EUR m") for company in companies}
    note = f"Change of the value of shares against the baseline of the same future, by growth after the last year, stakes as on the case's day. {CONVENTION}"
    return table_of("worth-changes", "What each scenario changes of it", pd.DataFrame(lines), names=names, labels=labels, note=note)


def held_table(worth: Worth, names: Names) -> Table:
    """What companies' stakes in each other are worth."""
    lines = [
        {
            "holder": one.holder, "company": one.company, "share": one.share, "worth": amount(one.worth.value, one.worth.error, BILLION),
            "band": f"{amount(one.p10, one.worth.error, BILLION, alone=True)} to {amount(one.p90, one.worth.error, BILLION, alone=True)}",
        }
        for one in worth.held
    ]  # fmt: skip
    labels = {
        "holder": Label("Holder", kind="text"), "company": Label("Of", kind="text"), "share": Label("Share", "%", digits=1, scale=100),
        "worth": amount_label("Worth", "EUR bn"), "band": amount_label("Eight futures of ten", "EUR bn"),
    }  # fmt: skip
    note = f"Direct stakes at the model's own values, not at market prices. {CONVENTION}"
    return table_of("stakes-held", "What companies' stakes in each other are worth", pd.DataFrame(lines), names=names, labels=labels, note=note)


def stakes_table(parts: Sequence[StakePart], names: Names) -> Table:
    """One row for each set of terms: net present value, chance of loss, rate of return, break-even value."""
    lines = []
    for part in parts:
        found = part.valuation.measures[part.valuation.measures["basis"] == DISCOUNTED].set_index("measure")

        def said(measure: str, scale: float, found: pd.DataFrame = found) -> str:
            if measure not in found.index:
                return "not defined"
            return amount(float(found["mean"][measure]), float(found["half95"][measure]), scale)

        lines.append(
            {
                "terms": terms_said(part.valuation.terms, names), "npv": said("net_present_value_eur", MILLION), "centre": amount(part.at_centre_eur, 0.0, MILLION), "loss": said("loss", 100.0),
                "rate": said("rate_of_return", 100.0), "multiple": said("multiple_of_money", 1.0), "even": said("break_even_post_money_eur", BILLION),
                "on": "central case" if part.central else "futures",
            }
        )  # fmt: skip
    labels = {
        "terms": Label("Terms", kind="text"), "npv": amount_label("Net present value", "EUR m"), "centre": amount_label("The same in the central case", "EUR m"),
        "loss": amount_label("Loses in", "% of futures"),
        "rate": amount_label("Real rate of return", "% a year"), "multiple": amount_label("Multiple of money", ""), "even": amount_label("Breaks even at, post-money", "EUR bn"),
        "on": Label("Rests on", kind="text"),
    }  # fmt: skip
    note = (
        "After premium and discounts, for the investor's shares alone. A figure that rests on the central case has no error and compares with other "
        f"central cases alone: a mean over futures is not the value of the middle one. {CONVENTION}"
    )
    return table_of("stake-terms-table", "Every set of terms", pd.DataFrame(lines), names=names, labels=labels, note=note)
