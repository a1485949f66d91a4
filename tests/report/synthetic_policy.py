"""Policy tables of the made-up run: one incentive, one duty, one scenario that ends the incentive, two ways of pooling, one later year."""

import pandas as pd


def policy_tables() -> dict[str, pd.DataFrame]:
    ends = "byd_cut"
    effects = pd.DataFrame(
        [
            {
                "scenario": ends, "reading": "as it stands, against its end", "programmes": "fr_bonus", "markets": "FR", "also": "",
                "electric_with_cars": 280_000.0, "electric_sales_gained_cars": 50_000.0, "electric_lost_without_percent": 17.9,
                "gross_spending_eur": 5.8e8, "net_cost_eur": 4.7e8, "eur_per_extra_electric_car": 11_600.0,
                "net_eur_per_extra_electric_car": 9_400.0, "reaches_buyers_percent": 92.0, "inframarginal_percent": 61.0,
                "tonnes_avoided_t": 830_000.0, "tonnes_per_1000_eur": 1.77, "surplus_gained_eur": 5.2e8, "maker_gains_most": "Renault",
                "maker_gains_most_eur": 6.2e7, "maker_loses_most": "VW", "maker_loses_most_eur": -1.2e7, "owner_gains_most": "french_state",
                "owner_gains_most_eur": 9.0e6, "not_measured": "",
            },
            {
                "scenario": "five_seater", "reading": "fleet rule and pools of the scenario, against the baseline's", "programmes": "fleet rules",
                "markets": "DE, FR", "also": "product_range", "electric_with_cars": 700_000.0, "electric_sales_gained_cars": -900.0,
                "electric_lost_without_percent": -0.1, "tonnes_avoided_t": -12_000.0, "surplus_gained_eur": -4.0e6, "maker_gains_most": "nobody",
                "maker_gains_most_eur": 0.0, "maker_loses_most": "VW", "maker_loses_most_eur": -3.0e6, "owner_gains_most": "nobody",
                "owner_gains_most_eur": 0.0, "not_measured": "no electric sales were gained",
            },
        ]
    )  # fmt: skip
    bands = pd.DataFrame(
        [
            (ends, "electric sales lost without the programme, %", 17.9, 20.0, 55.0, False, "Allcott et al. 2024"),
            (ends, "money that reaches buyers, %", 92.0, 70.0, 100.0, True, "Muehlegger, Rapson 2022"),
        ],
        columns=["scenario", "measure", "value", "low", "high", "within_range", "source"],
    )
    policies = pd.DataFrame(
        [
            ("FR", "vat", "vat", 1_700_000.0, 1.07e10, 6_290.0, "the market's own rate", "", "", ""),
            ("FR", "fr_bonus", "incentive", 109_000.0, -5.8e8, -5_320.0, "flat eur 4,000", "law", "high", ""),
            ("DE", "eu_duty", "duty", 55_000.0, 1.4e8, 2_545.0, "rate 0.1", "assumption", "low", ""),
        ],
        columns=["market", "programme", "kind", "cars", "government_eur", "per_car_eur", "terms", "source", "confidence", "note"],
    )
    stuck = pd.DataFrame(
        [("baseline", "FR", "Tesla-BEV", "fr_bonus: up to EUR 47,000 gross", "notch", 39_166.67, 698.0, 0.0, True)],
        columns=["scenario", "market", "product", "breakpoint", "kind", "price_eur", "push_below_eur", "push_above_eur", "attained"],
    )
    budgets = pd.DataFrame(
        [("baseline", "FR", "fr_bonus", 400e6, 400e6, 0.625)],
        columns=["scenario", "market", "programme", "budget_eur", "spent_eur", "open_share_of_year"],
    )
    pools = pd.DataFrame(
        [
            ("baseline", "uk_zev", "allowances", "Nissan, Tesla", "slack", 0.0, 17_245.0, -193_802.0, 1),
            ("five_seater", "eu_co2", "nissan_byd", "Nissan, BYD", "binding", 22.5, 95.0, 0.0, 14),
        ],
        columns=["scenario", "rule", "pool", "makers", "status", "shadow_price_eur", "fine_ceiling_eur", "balance", "evaluations"],
    )
    payments = pd.DataFrame(
        [("five_seater", "eu_co2", "nissan_byd", maker, grams, 22.5, 0.0, 0.0, 22.5 * grams) for maker, grams in (("Nissan", 2e6), ("BYD", -2e6))],
        columns=["scenario", "rule", "pool", "maker", "balance", "shadow_price_eur", "pool_balance", "pool_fine_eur", "pays_eur"],
    )
    pooling = pd.DataFrame(
        [
            ("eu_co2", "nissan_stake", "Nissan", 5.0e8, -6.0e7, 0.0, "nissan_stake"),
            ("eu_co2", "five_seater", "Nissan", 5.2e8, -4.5e7, 2.0e7, "nissan_stake"),
            ("eu_co2", "five_seater", "BYD", 2.4e8, 4.5e7, 4.1e7, "nissan_stake"),
        ],
        columns=["rule", "scenario", "firm", "operating_profit_eur", "of_which_payments_eur", "than_alone_eur", "reference"],
    )
    lookback = pd.DataFrame(
        [
            ("DE", 2024, "BEV", "all", 500.0, 390.0, 380.0, 10.0, 120.0),
            ("DE", 2024, "BEV", "Tesla", 300.0, 250.0, 180.0, 70.0, 120.0),
            ("DE", 2024, "BEV", "VW", 200.0, 140.0, 200.0, -60.0, 0.0),
        ],
        columns=[
            "market", "year", "powertrain", "brand", "base_year_cars", "predicted_cars", "observed_cars", "error_cars", "persistence_error_cars",
        ],
    )  # fmt: skip
    errors = pd.DataFrame(
        [("DE", 2024, "BEV", "model", 2.6, 34.2), ("DE", 2024, "BEV", "as in the base year", 31.6, 31.6)],
        columns=["market", "year", "powertrain", "forecast", "total_error_percent", "brands_error_percent"],
    )
    unsettled = pd.DataFrame(
        [("cycle", "A scenario that goes round", "market NL: no equilibrium in pure strategies was found")], columns=["scenario", "title", "why"]
    )
    nearly = pd.DataFrame(
        [("no_co2_rule", "FR", "bmw_i4", 39_167.0, 43_121.0, 183_399.0), ("no_co2_rule", "FR", "tesla_model_y", 39_167.0, 43_900.0, 20_000.0)],
        columns=["scenario", "market", "product", "price_eur", "to_price_eur", "gain_eur"],
    )
    return {
        "policy_effects": effects, "policy_bands": bands, "policies": policies, "stuck": stuck, "budgets": budgets, "pools": pools, "payments": payments,
        "pooling": pooling, "lookback": lookback, "lookback_errors": errors, "nearly": nearly, "unsettled": unsettled,
    }  # fmt: skip
