"""Companies, stakes, a listing and a choice worked out again cell by cell, with nothing of this program but its tables: every line of finance.csv is used,
stakes run in a ring, synergies last to the end, dividends are paid before the investor comes, and the money may be the case's own."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keiretsu.case import Case, load_case
from keiretsu.study.decisions import choice_values, stake_claims
from keiretsu.study.worth_choice import ChoicePart
from keiretsu.valuation.choosing import choose
from keiretsu.valuation.company import value_company
from keiretsu.valuation.football import football_field
from keiretsu.valuation.listing import value_listing
from keiretsu.valuation.stake import value_stake
from keiretsu.valuation.terms import Milestone, terms_of
from tests.valuation.conftest import CASE, FILES, YEARS, MadeUp, make_ensemble, write_case

NOW = 2024 + 86 / 366  # 27 March 2024
T = len(YEARS)
OF = {"Parent": 0, "Electric": 1, "Partner": 2}
HEAD = (
    "company,wacc_nominal,country_premium,inflation,tax_rate,loss_use_cap,losses_eur,fixed_cost_eur,overhead_share,rnd_eur,capex_eur,capex_share,assets_eur,asset_life_years,"
    "working_capital_share,net_debt_eur,rest_of_company_profit_eur,rest_of_company_revenue_eur,rest_units,capacity_units,growth_terminal,exit_multiple,payout\n"
)
ROWS = {
    "Parent": (0.09, 0.01, 0.03, 0.25, 0.5, 2e9, 1e9, 0.03, 0.5e9, 1e9, 0.02, 5e9, 6, 0.08, 1e9, 1e9, 5e9, 4e5, 9.2e5, 0.01, 3, 0.2),
    "Electric": (0.1, 0, 0.02, 0.3, 1, 1e9, 0.1e9, 0.05, 0.05e9, 0.05e9, 0.01, 1e9, 8, -0.1, -2e8, 0, 0, 0, 0, 0.015, 4, 0.6),
    "Partner": (0.08, 0, 0.02, 0.2, 1, 0, 1e9, 0, 0.5e9, 0.4e9, 0, 4e9, 10, 0, -1e9, 1e9, 5e9, 1e6, 0, 0, 2.5, 0),
}
FINANCE = HEAD + "".join(f"{name},{','.join(map(str, row))}\n" for name, row in ROWS.items())
SYNERGIES = (
    "scenario,company,kind,from_year,to_year,eur_a_year,eur_per_car\nstake,Parent,purchasing,2026,2035,30e6,50\nstake,Electric,rnd,2025,2035,20e6,0\n"
)
PLATFORMS = "platform,company,from_year,to_year,capex_eur,partner,partner_share,shared_in,dropped_in\nP,Parent,2025,2027,200e6,Electric,0.4,stake,\n"
D = np.array([[0, 1, 0.4], [0, 0, 0], [0.15, 0, 0]])  # holder by company: Parent, Electric, Partner
ALL = np.linalg.inv(np.eye(3) - D)


def sheet(
    ensemble: MadeUp, company: str, scenario: str, *, synergies: bool, now: float = NOW, wacc: float = 0.0, growth: float | None = None
) -> dict:
    """The sheet of one company under one scenario: yearly free cash flow and ebitda (N, T), value by growth and by exit less net debt (N,)."""
    keys = HEAD.strip().split(",")[1:]
    f = dict(zip(keys, ROWS[company], strict=True))
    g = f["growth_terminal"] if growth is None else growth
    r = (1 + f["wacc_nominal"] + wacc + f["country_premium"]) / (1 + f["inflation"]) - 1
    k = OF[company]
    data = ensemble.data
    margin, revenue, units = (data[name].sel(scenario=scenario).values[:, :, k] for name in ("firm_profit_eur", "firm_revenue_eur", "firm_units"))
    base_margin, base_revenue, base_units = (
        data[name].sel(scenario="baseline").values[:, :, k] for name in ("firm_profit_eur", "firm_revenue_eur", "firm_units")
    )
    room = f["capacity_units"] - f["rest_units"] if f["capacity_units"] else np.inf
    built, planned_built = np.minimum(1, room / units), np.minimum(1, room / base_units)
    rate = base_margin[:, 0] / base_revenue[:, 0]
    other = (rate - np.median(rate))[:, None] * base_revenue * planned_built
    size = base_revenue * planned_built + f["rest_of_company_revenue_eur"]
    sold = revenue * built + f["rest_of_company_revenue_eur"]
    brought = np.zeros(T)
    if synergies and scenario == "stake":
        brought = (
            (YEARS >= 2026) * (30e6 + 50 * f["rest_units"]) if company == "Parent" else (YEARS >= 2025) * 20e6 if company == "Electric" else brought
        )
    platform = ((YEARS >= 2025) & (YEARS <= 2027)) * 200e6
    part = {"Parent": 0.6, "Electric": 0.4} if synergies and scenario == "stake" else {"Parent": 1.0}
    spent = f["capex_eur"] + platform * part.get(company, 0.0) + f["capex_share"] * size
    ebitda = margin * built + f["rest_of_company_profit_eur"] + brought - f["fixed_cost_eur"] - f["overhead_share"] * size - other - f["rnd_eur"]
    free, losses, wealth = np.zeros_like(margin), np.full(len(margin), f["losses_eur"]), int(f["asset_life_years"])
    for t in range(T):
        allowed = f["assets_eur"] / wealth / (1 + f["inflation"]) ** t if t < wealth else 0.0
        allowed = allowed + sum(spent[:, s] / wealth / (1 + f["inflation"]) ** (t - s) for s in range(max(0, t - wealth + 1), t + 1))
        profit = ebitda[:, t] - allowed
        used = np.where(profit > 0, np.minimum(losses, f["loss_use_cap"] * profit), 0.0)
        tax = f["tax_rate"] * np.where(profit > 0, profit - used, 0.0)
        losses = (losses - used + np.where(profit < 0, -profit, 0.0)) / (1 + f["inflation"])
        tied = f["working_capital_share"] * (sold[:, t] - sold[:, t - 1]) if t else 0.0
        free[:, t] = ebitda[:, t] - tax - spent[:, t] - tied
    value = np.zeros(len(margin))
    for t, year in enumerate(YEARS):
        start, end = max(year, now), max(year + 1, now)
        value += free[:, t] * (end - start) * (1 + r) ** -((start + end) / 2 - now)
    last = ebitda[:, -1] - brought[-1]
    net = last - spent[:, -1]
    forever = (net - f["tax_rate"] * np.maximum(net, 0)) * (1 + g) - f["working_capital_share"] * sold[:, -1] * g
    horizon = YEARS[-1] + 1 - now
    after = sum(forever * (1 + g) ** n * (1 + r) ** -(horizon + n + 0.5) for n in range(3000))
    return {
        "free": free, "rate": r, "payout": f["payout"], "growth": value + after - f["net_debt_eur"], "after": after,
        "exit_multiple": value + f["exit_multiple"] * last * (1 + r) ** -horizon - f["net_debt_eur"],
    }  # fmt: skip


def equity(ensemble: MadeUp, scenario: str, terminal: str, *, synergies: bool, now: float = NOW) -> np.ndarray:
    """Worth of everybody's shares, round the ring. (N, 3)"""
    own = np.stack([sheet(ensemble, name, scenario, synergies=synergies, now=now)[terminal] for name in OF], axis=1)
    return own @ ALL.T


@pytest.fixture(scope="module")
def drawn() -> MadeUp:
    return make_ensemble(draws=64, stake_gain=2e7)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return write_case(tmp_path_factory.mktemp("sheet"), finance=FINANCE, synergies=SYNERGIES, platforms=PLATFORMS)


@pytest.mark.parametrize("company", list(OF))
@pytest.mark.parametrize("scenario", ["baseline", "stake"])
def test_what_a_company_is_worth_is_the_sum_of_its_sheet_and_synergies_that_end_are_not_sold(
    company: str, scenario: str, case: Case, drawn: MadeUp
) -> None:
    found = value_company(case, drawn, company, scenario=scenario)
    value = found.value.set_index("line")
    for terminal in ("growth", "exit_multiple"):
        hand = equity(drawn, scenario, terminal, synergies=True)[:, OF[company]]
        assert value.loc["equity", f"{terminal}_eur"] == pytest.approx(hand.mean(), rel=1e-9)
        low, high = np.quantile(hand, (0.1, 0.9))
        band = found.distribution.set_index("terminal").loc[terminal]
        assert (band["p10_eur"], band["p90_eur"]) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
    cash = found.cash_flows[found.cash_flows["line"] == "free_cash_flow"]["value_eur"]
    np.testing.assert_allclose(cash, sheet(drawn, company, scenario, synergies=True)["free"].mean(axis=0), rtol=1e-9)


def test_faster_growth_ties_up_more_working_capital_in_the_table_of_rates_and_growth(case: Case, drawn: MadeUp) -> None:
    table = value_company(case, drawn, "Parent").wacc_growth
    assert len(table) == 15
    for row in table.to_dict("records"):
        hand = sheet(drawn, "Parent", "baseline", synergies=True, wacc=row["wacc_nominal"] - 0.09, growth=row["growth"])["growth"]
        assert row["equity_eur"] == pytest.approx(hand.mean(), rel=1e-9)


def test_the_middle_of_a_bar_of_discount_rates_is_the_rate_stated_also_where_lower_ones_have_no_value(tmp_path: Path, drawn: MadeUp) -> None:
    """At a real rate of 2 % less two points nothing that goes on for ever has a value: four rates are left, and the stated one is not in their middle."""
    low = write_case(tmp_path, finance=FINANCE.replace("Partner,0.08,", "Partner,0.04,"))
    bars = football_field(low, drawn, "Partner").set_index("bar")
    worth = value_company(low, drawn, "Partner").value.set_index("line").loc["equity", "growth_eur"]
    assert bars.loc["discount rate two points either way", "middle_eur"] == pytest.approx(worth, rel=1e-9)


def test_a_value_agreed_in_dollars_stands_in_euro_beside_the_others(tmp_path: Path, drawn: MadeUp) -> None:
    terms = FILES["stake_terms.csv"].replace("600e6,EUR,8e9", "600e6,USD,8e9", 1)
    bars = football_field(write_case(tmp_path, stake_terms=terms), drawn, "Electric").set_index("bar")["middle_eur"]
    assert bars["terms new"] == pytest.approx(8e9 / 1.08)
    assert bars["terms old"] == pytest.approx(8e9)


@pytest.mark.parametrize("money", ["primary", "secondary"])
def test_dividends_paid_before_an_investor_comes_are_not_the_investors(money: str, case: Case, drawn: MadeUp) -> None:
    """Electric pays out three fifths of its cash; whoever buys in July 2026 buys what is left of it by then."""
    base = terms_of(case, "new" if money == "primary" else "old")
    terms = dataclasses.replace(
        base,
        scenario="",
        date=dt.date(2026, 7, 2),
        exit_year=2033,
        valuation_eur=5e9,
        control_premium=0.0,
        minority_discount=0.0,
        illiquidity_discount=0.0,
    )
    found = value_stake(case, drawn, terms)
    one = sheet(drawn, "Electric", "baseline", synergies=False)
    entry, r = 2026 + 182 / 365, one["rate"]
    paid_out = one["payout"] * np.maximum(one["free"], 0.0)
    before = np.zeros(64)
    for t, year in enumerate(YEARS):
        start, end = max(year, NOW), min(year + 1, entry)
        if end > start:
            before += paid_out[:, t] * (end - start) * (1 + r) ** -((start + end) / 2 - NOW)
    assert before.mean() > 1e8
    left = (equity(drawn, "baseline", "growth", synergies=False)[:, 1] - before) * (1 + r) ** (entry - NOW)
    amount = 600e6 / 1.02 ** (entry - 2023.5)
    share, new = (600e6 / 5.6e9, amount) if money == "primary" else (600e6 / 5e9, 0.0)
    lines = found.lines.set_index("line")["value_eur"]
    assert lines["net present value, pro rata"] == pytest.approx((share * (left + new) - amount).mean(), rel=1e-9)
    even = found.measures.set_index(["basis", "measure"]).loc[("pro rata", "break_even_post_money_eur"), "mean"]
    assert even == pytest.approx((left + new).mean() * 1.02 ** (entry - 2023.5), rel=1e-9)


def test_money_of_the_day_in_a_case_of_its_own_money_is_worth_what_it_was_in_the_base_year(tmp_path: Path) -> None:
    """The unit has the prices of 2029 and not of 2023: a payment of mid-2029 would be worth its face value, one a year later a year of inflation less."""
    text = CASE.replace("2024-03-27", "2030-03-27").replace("year = 2023", "year = 2029").replace('"EUR 2023"', '"own"\ncurrency = "BRL"')
    terms = FILES["stake_terms.csv"].replace("EUR", "BRL")
    for old in (2031, 2028, 2024):
        terms = terms.replace(str(old), str(old + 6))
    files = {**FILES, "stake_terms.csv": terms, "milestones.csv": FILES["milestones.csv"].split("\n")[0] + "\n"}
    files["stake_terms.csv"] = "\n".join(line for line in terms.split("\n") if not line.startswith("parts"))
    (tmp_path / "case.toml").write_text(text.split("[rates]")[0] + "[demand]" + text.split("[demand]")[1])
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    later = make_ensemble(draws=8)
    later = MadeUp(later.data.assign_coords(year=YEARS + 6), later.central)
    lines = value_stake(load_case(tmp_path), later, "new").lines.set_index("line")["value_eur"]
    assert -lines["price paid"] == pytest.approx(600e6 / 1.02 ** (2030 + 181 / 365 - 2029.5), rel=1e-9)


@pytest.mark.parametrize(
    ("investor", "company", "money"), [("Parent", "Electric", "primary"), ("Partner", "Electric", "primary"), ("Partner", "Electric", "secondary")]
)
def test_who_chooses_to_buy_counts_the_part_of_the_loss_that_is_its_own(investor: str, company: str, money: str, case: Case, drawn: MadeUp) -> None:
    """A parent that puts more into what it owns moves money from one pocket to the other; one that owns part of the parent bears that part of what it takes."""
    rows = FILES["stake_terms.csv"].split("\n")
    seller = "Parent" if money == "secondary" else ""
    row = f"x,stake,{investor},{company},common,{money},{seller},600e6,EUR,3e9,pre_money,2025-07-02,2031,0,0,0,0,0,0,no"
    frame = dataclasses.replace(case, tables={**case.tables, "stake_terms": _terms(case, rows[0], row)})
    claims = stake_claims(frame, drawn, investor, ("stake",))
    found = choice_values(frame, drawn, ("stake",), investor, (investor,), claims)["stake"]  # type: ignore[arg-type]
    # by hand: the register solved anew, money moved, on the case's day
    entry = 2025 + 182 / 365
    one = sheet(drawn, company, "stake", synergies=True)
    r = one["rate"]
    paid = 600e6 / 1.02 ** (entry - 2023.5) * (1 + r) ** -(entry - NOW)
    own = np.stack([sheet(drawn, name, "stake", synergies=True)["growth"] for name in OF], axis=1)
    k, i = OF[company], OF[investor]
    after = D.copy()
    paid_out = one["payout"] * np.maximum(one["free"], 0.0)
    before = np.zeros(64)
    for t, year in enumerate(YEARS):
        start, end = max(year, NOW), min(year + 1, entry)
        if end > start:
            before += paid_out[:, t] * (end - start) * (1 + r) ** -((start + end) / 2 - NOW)
    left = own.copy()
    left[:, k] -= before  # goes to those who held the shares before
    if money == "primary":
        share = 600e6 / 3.6e9
        after[:, k] *= 1 - share
        after[i, k] += share
        left[:, k] += paid
    else:
        share = 600e6 / 3e9
        after[OF["Parent"], k] -= share
        after[i, k] += share
        left[:, OF["Parent"]] += paid
    left[:, i] -= paid
    left += before[:, None] * D[:, k]
    hand = (left @ np.linalg.inv(np.eye(3) - after).T)[:, i] - equity(drawn, "baseline", "growth", synergies=True)[:, i]
    np.testing.assert_allclose(found, hand, rtol=1e-6, atol=1.0)


def test_a_part_without_a_condition_is_paid_at_the_end_of_its_year(tmp_path: Path, drawn: MadeUp) -> None:
    """Half on the day, half two years later whatever happens: what comes later is worth less and buys at the price agreed. No dividends."""
    case = write_case(tmp_path, finance=FINANCE.replace(",4,0.6\n", ",4,0\n"))
    parts = (Milestone("signing", 2024, 0.5, "", "", 0.0), Milestone("later", 2026, 0.5, "", "", 0.0))
    terms = dataclasses.replace(
        terms_of(case, "new"), investor="Other", scenario="", instrument="staged", milestones=parts, company="Electric", valuation_eur=5e9,
        control_premium=0.0, minority_discount=0.0, illiquidity_discount=0.0, date=dt.date(2024, 7, 1),
    )  # fmt: skip
    found = value_stake(case, drawn, terms).lines.set_index("line")["value_eur"]
    entry, r = 2024 + 182 / 366, sheet(drawn, "Electric", "baseline", synergies=False)["rate"]
    paid = 300e6 / 1.02 ** (entry - 2023.5) + 300e6 / 1.02 ** (2027 - 2023.5) * (1 + r) ** -(2027 - entry)
    worth = equity(drawn, "baseline", "growth", synergies=False)[:, 1].mean() * (1 + r) ** (entry - NOW)
    assert -found["price paid"] == pytest.approx(paid, rel=1e-9)
    assert found["net present value, pro rata"] == pytest.approx(600e6 / 5.6e9 * (worth + paid) - paid, rel=1e-9)


def test_a_listed_company_sells_its_stakes_in_others_at_what_they_are_worth(case: Case, drawn: MadeUp) -> None:
    """One date, all old shares, none locked up: phi [(1 - fee)(1 - discount)(m X - net debt + stakes) - (own + stakes)], by hand."""
    for locked in (0.0, 0.1):
        text = {
            "first_year": 2025, "last_year": 2025, "revenue_years": 2, "multiple_now": 0.9, "multiple_mean": 0.9, "multiple_reversion": 0.4, "multiple_volatility": 0.0,
            "price_of_risk": 0.0, "risk_free_nominal": 0.05, "fee": 0.03, "discount": 0.1, "primary_share": 0.0, "secondary_share": 0.2, "later_share": locked,
            "lock_up_years": 1.5, "funding_spread": 0.0,
        }  # fmt: skip
        rows = "company,parameter,value,unit\n" + "".join(f"Parent,{name},{value},\n" for name, value in text.items())
        listed = dataclasses.replace(case, tables={**case.tables, "listing": _table(case, "listing", rows)})
        found = value_listing(listed, drawn, "Parent")
        worth = equity(drawn, "baseline", "growth", synergies=True, now=2025.0)[:, 0].mean()
        own = sheet(drawn, "Parent", "baseline", synergies=True, now=2025.0)["growth"].mean()
        built = np.minimum(1, 5.2e5 / drawn.data["firm_units"].sel(scenario="baseline").values[:, 1:3, 0])
        revenue = (drawn.data["firm_revenue_eur"].sel(scenario="baseline").values[:, 1:3, 0] * built + 5e9).mean()
        price = 0.9 * revenue - 1e9 + worth - own
        hand = 0.2 * (0.97 * 0.9 * price - worth) + locked * (price * (1.05 / 1.03) ** -1.5 - worth)
        values = found.values.set_index("item")["value_eur"]
        assert values["listing now"] == pytest.approx(hand, rel=1e-6)
        assert found.verdict.iloc[0]["valuation_eur"] == pytest.approx(price, rel=1e-6)


def _terms(case: Case, head: str, row: str) -> pd.DataFrame:
    return _table(case, "stake_terms", f"{head}\n{row}\n")


def _table(case: Case, name: str, text: str) -> pd.DataFrame:
    """A table read as the case reads it."""
    folder = Path(case.folder)
    files = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    other = folder.parent / f"{folder.name}-{name}-{abs(hash(text))}"
    other.mkdir(exist_ok=True)
    for file, content in files.items():
        (other / file).write_text(content)
    (other / f"{name}.csv").write_text(text)
    if name == "stake_terms":
        (other / "milestones.csv").write_text("terms,milestone,year,share,measure,of,at_least\n")
    return load_case(other).tables[name]


@pytest.mark.parametrize("name", ["in", "a", "nothing at all"])
def test_a_scenario_may_be_called_by_a_word_that_sentences_use(name: str) -> None:
    """Where one move is always best, "nothing is worth knowing first" is about nothing, and not about doing nothing."""
    values = pd.DataFrame({"nothing": np.zeros(16), name: np.full(16, 2e9)})
    found = ChoicePart("Volks", choose(values, pd.DataFrame({"x": np.arange(16.0)})), {"nothing": "Do nothing", name: "A stake"}, ())
    assert found.sentence.startswith(
        "For Volks, “A stake” is worth most in expectation, EUR 2.00 bn ahead of “Do nothing”, and is best in 100 % of futures"
    )
    assert found.sentence.endswith("so nothing is worth knowing first.")
