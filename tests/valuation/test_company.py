"""Companies: cash flow adds up, rates are real, values agree with closed forms, owners' claims add up to the cent."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from keiretsu.case import Case
from keiretsu.errors import CaseError, NegativeEquity, ValuationError
from keiretsu.valuation.cash_flow import cash_flow, platform_path, sized_by, synergy_path
from keiretsu.valuation.company import value_company
from keiretsu.valuation.discounting import clock, value_of_flows, value_of_growth
from keiretsu.valuation.finance import at_model_prices, decimal_year, finances, real_rate
from keiretsu.valuation.football import football_field
from keiretsu.valuation.inputs import prospects
from keiretsu.valuation.worth import equity_of, worth_of_all
from tests.valuation.conftest import FILES, YEARS, MadeUp, make_ensemble, write_case


def test_the_lines_of_a_years_cash_add_up(case: Case, ensemble: MadeUp) -> None:
    flow = cash_flow(case, finances(case)["Electric"], prospects(ensemble.data, "stake"), with_synergies=True)
    np.testing.assert_allclose(flow.ebitda, flow.margin + flow.rest + flow.synergies + flow.fixed_cost + flow.rnd, rtol=1e-12)
    np.testing.assert_allclose(flow.free_cash_flow, flow.ebitda + flow.tax + flow.capex + flow.working_capital, rtol=1e-12, atol=1e-3)


def test_no_tax_is_paid_on_a_loss_and_the_loss_shields_half_of_later_profit(case: Case, ensemble: MadeUp) -> None:
    finance = finances(case)["Electric"]
    flow = cash_flow(case, finance, prospects(ensemble.central, "baseline"), with_synergies=False)
    taxable = (flow.ebitda + flow.depreciation)[0]
    assert taxable[0] < 0 < taxable[-1]
    assert flow.tax[0, 0] == 0
    first = int(np.argmax(taxable > 0))
    assert flow.losses_left[0, first - 1] > taxable[first]
    assert flow.tax[0, first] == pytest.approx(-finance.tax_rate * taxable[first] * (1 - finance.loss_use_cap), rel=1e-12)
    by_hand = (flow.losses_left[0, first - 1] - 0.5 * taxable[first]) / (1 + finance.inflation)  # inflation eats what is carried on
    assert flow.losses_left[0, first] == pytest.approx(by_hand, rel=1e-12)


def test_growing_revenue_frees_cash_where_suppliers_wait_for_theirs(case: Case, ensemble: MadeUp) -> None:
    flow = cash_flow(case, finances(case)["Electric"], prospects(ensemble.central, "baseline"), with_synergies=False)
    np.testing.assert_allclose(flow.working_capital[0, 1:], 0.05 * np.diff(flow.revenue[0]), rtol=1e-12)


def test_overhead_grows_with_revenue(case: Case, ensemble: MadeUp) -> None:
    finance, ahead = finances(case)["Electric"], prospects(ensemble.data, "baseline")
    without = cash_flow(case, finance, ahead, with_synergies=False)
    with_it = cash_flow(case, dataclasses.replace(finance, overhead_share=0.05), ahead, with_synergies=False)
    np.testing.assert_allclose(without.ebitda - with_it.ebitda, 0.05 * without.revenue, rtol=1e-9)


def test_margins_that_are_larger_in_a_draw_only_because_buyers_are_less_sensitive_are_no_profit(case: Case, ensemble: MadeUp) -> None:
    """The accounts are the same in every draw: what a draw adds to the margin over marginal cost it adds to other cost."""
    steady = ensemble.data.copy()
    steady["firm_profit_eur"] = steady["firm_revenue_eur"] * 0.18
    factor = xr.DataArray(np.linspace(0.5, 1.5, steady.sizes["draw"]), dims="draw")
    uneven = steady.assign(firm_profit_eur=steady["firm_profit_eur"] * factor)
    finance = finances(case)["Electric"]
    one, other = (cash_flow(case, finance, prospects(data, "stake"), with_synergies=True) for data in (steady, uneven))
    np.testing.assert_allclose(other.ebitda, one.ebitda, rtol=1e-9, atol=1.0)


def test_a_maker_who_sells_less_at_the_same_profit_is_worth_the_same(case: Case, ensemble: MadeUp) -> None:
    """At its best price a maker's profit is flat: what overhead would follow sales must not turn a loss of revenue into a gain."""
    data = ensemble.data.copy(deep=True)
    for name in ("firm_profit_eur", "firm_revenue_eur", "firm_units"):
        data[name].loc[{"scenario": "stake"}] = data[name].sel(scenario="baseline")
    data["firm_revenue_eur"].loc[{"scenario": "stake"}] *= 0.97
    finance = dataclasses.replace(finances(case)["Electric"], overhead_share=0.1, capex_share=0.05, working_capital_share=0.0)
    base = cash_flow(case, finance, prospects(data, "baseline"), with_synergies=False)
    less = cash_flow(case, finance, prospects(data, "stake", sized_by(case, "stake")), with_synergies=False)
    np.testing.assert_allclose(less.free_cash_flow, base.free_cash_flow, rtol=1e-12, atol=1e-3)
    grown = cash_flow(case, finance, prospects(data, "stake"), with_synergies=False)  # sized for its own sales: three per cent less of both
    assert (grown.free_cash_flow > base.free_cash_flow).all()


def test_a_scenario_that_launches_cars_needs_the_company_for_them(tmp_path: Path) -> None:
    move = '[[moves]]\ntype = "%s"\nname = "one"\n'
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "more.toml").write_text('title = "more cars"\nquestion = "what for?"\n' + move % "launch")
    (tmp_path / "scenarios" / "dearer.toml").write_text('title = "dearer cars"\nquestion = "what for?"\n' + move % "stake_purchase")
    found = write_case(tmp_path)
    assert sized_by(found, "more") == "more" and sized_by(found, "dearer") == sized_by(found, "baseline") == "baseline"


def test_nobody_earns_on_cars_that_it_cannot_build(case: Case, ensemble: MadeUp) -> None:
    finance, ahead = finances(case)["Electric"], prospects(ensemble.data, "baseline")
    free = cash_flow(case, finance, ahead, with_synergies=False)
    limited = cash_flow(case, dataclasses.replace(finance, capacity_units=150_000), ahead, with_synergies=False)
    assert free.units.max() > 150_000 >= limited.units.max() - 1e-6
    fits = free.units <= 150_000
    np.testing.assert_allclose(limited.margin[fits], free.margin[fits], rtol=1e-12)
    np.testing.assert_allclose(limited.margin[~fits], free.margin[~fits] * 150_000 / free.units[~fits], rtol=1e-12)


def test_a_shared_platform_is_paid_once(case: Case) -> None:
    years = YEARS
    alone = platform_path(case, "Parent", "baseline", years) + platform_path(case, "Partner", "baseline", years)
    shared_parent, shared_partner = platform_path(case, "Parent", "stake", years), platform_path(case, "Partner", "stake", years)
    assert alone[1] == pytest.approx(300e6)
    assert shared_parent[1] == pytest.approx(80e6)
    assert shared_partner[1] == pytest.approx(120e6)


def test_purchasing_savings_act_on_cars_outside_the_simulated_markets(case: Case) -> None:
    path = synergy_path(case, finances(case)["Partner"], "stake", YEARS, ["purchasing"])
    assert path[YEARS == 2027][0] == pytest.approx(20 * 1_000_000)
    assert path[YEARS == 2029][0] == 0


def test_the_real_rate_follows_from_the_nominal_one_and_the_country_premium(case: Case) -> None:
    assert finances(case)["Partner"].rate == pytest.approx((1 + 0.08 + 0.01) / 1.02 - 1, rel=1e-12)


def test_nominal_and_real_discounting_agree() -> None:
    """Money of 2028 discounted at the nominal rate is the same money at 2023 prices discounted at the real one."""
    nominal, inflation, years = 0.10, 0.02, 5.0
    real_money = at_model_prices(1000.0, 2023.5 + years, inflation)
    assert real_money / (1 + real_rate(nominal, inflation)) ** years == pytest.approx(1000 / (1 + nominal) ** years, rel=1e-12)


def test_a_level_flow_for_ever_is_worth_flow_over_rate_with_half_a_year_for_the_middle() -> None:
    years, rate = np.arange(2024, 2030), 0.07
    time = clock(years, 2024.0)
    total = value_of_flows(np.full((1, 6), 100.0), rate, time) + value_of_growth(np.array([100.0]), rate, 0.0, time)
    assert total[0] == pytest.approx(100 / rate * (1 + rate) ** 0.5, rel=1e-12)


def test_a_growing_flow_for_ever_is_worth_gordons_value() -> None:
    years, rate, growth = np.arange(2024, 2030), 0.07, 0.02
    time = clock(years, 2024.0)
    flows = 100.0 * (1 + growth) ** np.arange(6)
    total = value_of_flows(flows, rate, time) + value_of_growth(flows[-1:] * (1 + growth), rate, growth, time)
    assert total[0] == pytest.approx(100 / (rate - growth) * (1 + rate) ** 0.5, rel=1e-12)


def test_what_is_over_of_the_year_does_not_count() -> None:
    time = clock(np.arange(2023, 2026), 2024.25)
    assert list(time.part) == [0.0, 0.75, 1.0]
    assert time.middle[1] == pytest.approx(0.375)
    assert time.end[-1] == pytest.approx(1.75)


def test_owners_claims_add_up_to_the_cent(case: Case, ensemble: MadeUp) -> None:
    equity = equity_of(case, worth_of_all(case, ensemble.data, "baseline", with_synergies=True), "growth")
    np.testing.assert_allclose(equity.claims.sum(axis=1), equity.own.sum(axis=1), rtol=0, atol=0.01)  # a cent


def test_equity_follows_stakes_round_the_ring(case: Case, ensemble: MadeUp) -> None:
    equity = equity_of(case, worth_of_all(case, ensemble.central, "baseline", with_synergies=True), "growth")
    parent, electric, partner, _ = equity.companies_equity[0]
    own = equity.own[0]
    assert parent == pytest.approx(own[0] + 1.0 * electric + 0.4 * partner, rel=1e-12)
    assert partner == pytest.approx(own[2] + 0.15 * parent, rel=1e-12)


def test_a_company_valued_has_lines_that_add_up_and_a_sentence(case: Case, ensemble: MadeUp) -> None:
    found = value_company(case, ensemble, "Electric")
    lines = found.value.set_index("line")
    for terminal in ("growth_eur", "exit_multiple_eur"):
        assert lines.loc["operating value", terminal] == pytest.approx(
            lines.loc["cash of the years simulated", terminal] + lines.loc["value after them", terminal], rel=1e-9
        )
        parts = lines.loc["operating value", terminal] + lines.loc["less net debt", terminal] + lines.loc["stakes in others", terminal]
        assert lines.loc["equity", terminal] == pytest.approx(parts, rel=1e-9)
    assert (found.change[["growth_eur", "exit_multiple_eur"]] == 0).all().all()
    assert "±" in found.sentence
    assert "EUR 8 to 10 bn" in found.sentence
    centre = found.wacc_growth.set_index(["wacc_nominal", "growth"])["equity_eur"]
    assert centre.loc[(0.1, 0.01)] == pytest.approx(lines.loc["operating value", "growth_eur"], rel=1e-9)


def test_a_higher_discount_rate_or_lower_growth_never_raises_a_value_that_lies_ahead(case: Case, ensemble: MadeUp) -> None:
    table = value_company(case, ensemble, "Electric").wacc_growth
    by_rate = table[np.isclose(table["growth"], 0.01)].sort_values("wacc_nominal")["equity_eur"]
    assert (np.diff(by_rate) < 0).all()
    by_growth = table[np.isclose(table["wacc_nominal"], 0.1)].sort_values("growth")["equity_eur"]
    assert (np.diff(by_growth) > 0).all()


def test_changes_are_drawn_with_the_same_draws_so_their_error_is_small(case: Case, ensemble: MadeUp) -> None:
    found = value_company(case, ensemble, "Electric", scenario="stake")
    change = found.change.set_index("line")["growth_half95_eur"]["equity"]
    level = found.value.set_index("line")["growth_half95_eur"]["equity"]
    assert 0 < float(change) < 0.05 * float(level)


def test_guidance_stands_beside_what_the_model_finds(case: Case, ensemble: MadeUp) -> None:
    table = value_company(case, ensemble, "Electric").guidance.set_index(["item", "who"])
    assert table.loc[("revenue_eur", "Electric"), "said"] == 25e9
    assert 3e9 < table.loc[("revenue_eur", "Electric"), "model"] < 25e9
    assert table.loc[("units", "Electric"), "model"] == pytest.approx(
        ensemble.data["firm_units"].sel(scenario="baseline", year=2025, firm="Electric").mean()
    )
    assert table.loc[("cost_change", "Electric"), "model"] is None  # the model has no such figure: no number stands in for it


def test_a_football_field_has_a_bar_for_every_way_of_asking(case: Case, ensemble: MadeUp) -> None:
    bars = football_field(case, ensemble, "Electric").set_index("bar")
    assert {"Bank", "Parent", "terms new", "listed electric makers"} <= set(bars.index)
    assert (bars["low_eur"] <= bars["middle_eur"]).all()
    assert (bars["middle_eur"] <= bars["high_eur"]).all()


def test_a_company_worth_less_than_it_owes_is_refused_by_name(case: Case) -> None:
    poor = make_ensemble(draws=16)
    data = poor.data.copy()
    data["firm_profit_eur"] = data["firm_profit_eur"] * 0.3
    with pytest.raises(NegativeEquity, match=r"Electric is expected to be worth less than it owes.*finance.csv:3|finance.csv:3.*Electric"):
        value_company(case, MadeUp(data, data.isel(draw=[0])), "Electric")


def test_a_discount_rate_below_growth_is_refused_with_its_row(tmp_path: Path, ensemble: MadeUp) -> None:
    case = write_case(tmp_path, finance=FILES["finance.csv"].replace("Electric,0.1,0,", "Electric,0.02,0,"))
    with pytest.raises(ValuationError, match=r"finance.csv:3: the discount rate is not above growth"):
        value_company(case, ensemble, "Electric")


def test_growth_far_above_any_economy_is_refused_at_the_door(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="growth_terminal"):
        write_case(tmp_path, finance=FILES["finance.csv"].replace(",0.01,4,0.3", ",0.5,4,0.3"))


def test_a_company_without_finance_is_named(case: Case, ensemble: MadeUp) -> None:
    with pytest.raises(ValuationError, match=r"no finance is stated for this company.*Other"):
        value_company(case, ensemble, "Other")


def test_an_unknown_scenario_is_named(case: Case, ensemble: MadeUp) -> None:
    with pytest.raises(ValuationError, match="no such scenario"):
        value_company(case, ensemble, "Electric", scenario="merger")


def test_a_day_before_the_simulated_years_is_refused() -> None:
    with pytest.raises(ValuationError, match="outside the years simulated"):
        clock(np.arange(2025, 2030), decimal_year(__import__("datetime").date(2024, 3, 27)))
