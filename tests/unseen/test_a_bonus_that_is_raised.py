"""What a change of a bonus achieves is read off what it pays more, not off all that it pays; one that gives less is what the present one does over it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.study.run import Results, run

CASE = (
    '[case]\nname = "pol"\nas_of = 2024-03-01\nyear = 2023\n[demand]\nprice_taste = 0.00012\n'
    '[market]\nmarket = "FR"\ncurrency = "EUR"\nvat = 0.2\npotential = 2000000\n'
)
PRODUCTS = (
    "product,firm,powertrain,price,units,co2_gkm\na,A,ICE,18000,200000,120\nb,A,BEV,30000,40000,0\nc,B,ICE,20000,150000,125\nd,B,BEV,28000,30000,0\n"
)
BONUS = (
    '[[programmes]]\ntype = "incentive"\nid = "bonus"\nmarkets = ["FR"]\nstart = 2023-01-01\npowertrains = ["BEV"]\ncurrency = "EUR"\nflat = 4000\n'
)
CHANGE = 'title = "{name}"\n[[moves]]\ntype = "change_programme"\nprogrammes = ["bonus"]\nfigures = {{ flat_eur = {flat} }}\n'
CAP = 'title = "capped"\n[[moves]]\ntype = "cap_programme"\nprogrammes = ["bonus"]\nbudget_eur = 150e6\n'


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("bonus")
    (folder / "scenarios").mkdir()
    files = {"case.toml": CASE, "products.csv": PRODUCTS, "programmes.toml": BONUS, "scenarios/capped.toml": CAP}
    files |= {f"scenarios/{name}.toml": CHANGE.format(name=name, flat=flat) for name, flat in (("more", 5000), ("less", 3000))}
    for name, text in files.items():
        (folder / name).write_text(text)
    return run(load_case(folder))


def electric(found: Results, world: str) -> pd.DataFrame:
    """Electric cars of a world, by product."""
    products = found.outcomes[world].products.set_index("product")
    return products[products["powertrain"] == "BEV"]


@pytest.mark.parametrize(("scenario", "with_", "without", "flat"), [("more", "more", "baseline", 5000.0), ("less", "baseline", "less", 4000.0)])
def test_a_bonus_changed_by_a_thousand_is_judged_by_that_thousand(scenario: str, with_: str, without: str, flat: float, found: Results) -> None:
    row: dict[Any, Any] = found.policy_effects.set_index("scenario").loc[scenario].to_dict()
    now, before = electric(found, with_), electric(found, without)
    gained = now["units"].sum() - before["units"].sum()
    spent = flat * now["units"].sum() - (flat - 1000) * before["units"].sum()
    assert gained > 0
    assert row["electric_sales_gained_cars"] == pytest.approx(gained, rel=1e-9)
    assert row["gross_spending_eur"] == pytest.approx(spent, rel=1e-9)
    assert row["eur_per_extra_electric_car"] == pytest.approx(spent / gained, rel=1e-9)
    assert row["inframarginal_percent"] == pytest.approx(100 * 1000 * before["units"].sum() / spent, rel=1e-9)
    reaches = ((before["paid_eur"] - now["paid_eur"]) * now["units"]).sum() / (1000 * now["units"].sum())
    assert row["reaches_buyers_percent"] == pytest.approx(100 * reaches, rel=1e-9)
    assert 90 < row["reaches_buyers_percent"] < 110  # plain logit with small shares passes nearly all of it on
    lost = found.policy_bands.query("scenario == @scenario and measure.str.startswith('electric sales lost')")
    assert lost.empty  # the range of the literature is of programmes that end


def test_a_cap_on_a_bonus_is_what_the_uncapped_one_does_over_it(found: Results) -> None:
    row: dict[Any, Any] = found.policy_effects.set_index("scenario").loc["capped"].to_dict()
    now, before = electric(found, "baseline"), electric(found, "capped")
    assert row["gross_spending_eur"] == pytest.approx(4000 * now["units"].sum() - 150e6, rel=1e-9)
    assert row["electric_sales_gained_cars"] == pytest.approx(now["units"].sum() - before["units"].sum(), rel=1e-9)
    assert row["reaches_buyers_percent"] != row["reaches_buyers_percent"]
    assert "a pot runs out" in row["not_measured"]
