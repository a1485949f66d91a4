"""A made-up run for the report's tests: three markets, ten makers, numbers from a seeded generator, comparisons by the real code."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd

from keiretsu.moves.comparison import compare
from tests.report.synthetic_policy import policy_tables

MAKERS = {
    "Nissan": 0.6,
    "Renault": 0.9,
    "Ampere": 0.3,
    "Mitsubishi": 0.1,
    "Honda": 0.2,
    "Tesla": 0.7,
    "BYD": 0.2,
    "VW": 2.2,
    "Stellantis": 2.0,
    "Kia": 0.5,
}
MARKETS = {"DE": "Germany", "FR": "France", "NO": "Norway"}
OWNERS = {
    "french_state": "French State",
    "nissan_trust": "Trust that holds Nissan shares",
    "musk": "Elon Musk",
    "porsche_family": "Porsche & Piëch families",
}
SCENARIOS = {
    "nissan_stake": "Nissan puts EUR 600 m into Ampere",
    "byd_cut": "BYD cuts prices by a tenth",
    "five_seater": "A <five-seater> under each brand",
}
BEFORE = {
    ("french_state", "Renault"): 0.1501, ("Nissan", "Renault"): 0.15, ("nissan_trust", "Nissan"): 0.25, ("Renault", "Nissan"): 0.1566,
    ("Renault", "Ampere"): 1.0, ("Nissan", "Mitsubishi"): 0.3402, ("musk", "Tesla"): 0.129, ("porsche_family", "VW"): 0.319,
}  # fmt: skip
AFTER = BEFORE | {("Renault", "Ampere"): 0.9333, ("Nissan", "Ampere"): 0.0667}


def synthetic_results() -> SimpleNamespace:
    rng = np.random.default_rng(7)
    base = outcome("baseline", rng, 0.0)
    outcomes = {"baseline": base} | {name: outcome(name, np.random.default_rng(7), 0.004 * (k + 1)) for k, name in enumerate(SCENARIOS)}
    comparisons = {name: compare(base, outcomes[name]) for name in SCENARIOS}
    owners = {"baseline": owners_tables(BEFORE)} | {name: owners_tables(AFTER if name == "nissan_stake" else BEFORE) for name in SCENARIOS}
    scenarios = tuple(SimpleNamespace(name=n, title=t, question=f"What if {t}?", moves=()) for n, t in SCENARIOS.items())
    headline = pd.DataFrame(
        {
            "scenario": list(SCENARIOS),
            "mean_price_change_pct": [0.031, -0.42, -0.08],
            "units_change": [-820.0, 31_500.0, 6_400.0],
            "electric_share_pct": [18.41, 18.92, 18.55],
            "surplus_change_eur_m": [-18.4, 912.6, 143.0],
            "profit_change_nissan_eur_m": [12.1, -21.3, 48.9],
            "profit_change_renault_eur_m": [-3.3, -35.0, -4.4],
            "profit_change_ampere_eur_m": [-6.0, -11.2, 21.0],
            "claim_change_french_state_eur_m": [-0.9, -4.1, 0.4],
        }
    )
    split = pd.DataFrame(
        [
            (measure, f"firm {maker}", unit, 1e6 * k, 1e6 * (k + 1.0 - k / 8), 1e6 * (1.0 - k / 8), 1e6 * (0.7 - k / 8), 0.3e6)
            for measure, unit in (("profit_eur", "EUR/yr"), ("units", "cars/yr"))
            for k, maker in enumerate(MAKERS)
        ]
        + [("electric_share", "all markets", "share", 0.18, 0.19, 0.01, 0.004, 0.006)],
        columns=["measure", "item", "unit", "base", "scenario", "change", "ownership", "cost"],
    )
    rules = pd.DataFrame(
        [{"rule": rule, **headline.iloc[0].to_dict()} for rule in ("separate", "financial", "controller", "proportional", "banzhaf")]
    )
    calibration = pd.DataFrame(
        {
            "target": ["own_electric", "market", "second_choice_electric", "margin_tesla"],
            "kind": ["own_elasticity", "market_elasticity", "second_choice", "margin"], "within_range": [True, True, True, False],
            "value": [-4.2, -1.0, 0.6, 0.18], "fitted": [-4.05, -1.08, 0.57, 0.19], "low": [-5.5, -1.5, 0.5, 0.14], "high": [-3.0, -0.5, 0.7, 0.18],
            "weight": 1.0, "source": "literature",
        }
    )  # fmt: skip
    diagnostics = pd.DataFrame(
        [
            {"scenario": s, "market": m, "residual_eur": 3.1e-9, "iterations": 7, "starts_tried": 3, "distinct_ends": 1}
            for s in outcomes
            for m in MARKETS
        ]
    )
    concentration = pd.DataFrame([{"scenario": s, "market": m, "hhi": 1420.0, "mhhi": 1455.0, "mhhi_delta": 35.0} for s in outcomes for m in MARKETS])
    return SimpleNamespace(
        case=case(base), scenarios=scenarios, base=base, outcomes=outcomes, comparisons=comparisons, channels=dict.fromkeys(SCENARIOS, split),
        owners=owners, rules=rules, concentration=concentration, calibration=calibration, diagnostics=diagnostics, headline=headline,
        sentences=("Nissan's EUR 600 m buys 6.7 % of Ampere and hardly moves prices: +0.03 % on average.", "Buyers lose EUR 18 m a year, of which EUR 12 m go to Nissan."),
        manifest={"case": "synthetic", "case_hash": "0" * 64, "seed": 1, "versions": {"numpy": np.__version__}},
        **policy_tables(),
    )  # fmt: skip


def outcome(name: str, rng: np.random.Generator, shift: float) -> SimpleNamespace:
    products = pd.DataFrame(
        [
            {
                "market": m, "product": f"{maker}-{p}", "brand": maker, "model": f"{maker} {p}", "powertrain": p, "segment": "C", "body": "suv",
                "seats": 5, "n_models": 1, "origin": "EU", "priced_by": maker, "profit_to": maker, "co2_gkm": 0.0 if p == "BEV" else 118.0,
                "battery_kwh": 60.0 if p == "BEV" else 0.0,
                "price_eur": rng.uniform(18_000, 45_000) * (1 + shift * rng.normal()), "units": size * 10_000 * rng.uniform(0.2, 2) * (1 + shift),
            }
            for m in MARKETS for maker, size in MAKERS.items() for p in ("BEV", "ICE")
        ]
    )  # fmt: skip
    products["paid_eur"] = products["price_eur"] * 1.2
    products["cost_eur"] = products["price_eur"] * 0.8
    products["margin_eur"] = products["price_eur"] - products["cost_eur"]
    products["share"] = products["units"] / 4e6
    products["revenue_eur"] = products["price_eur"] * products["units"]
    products["profit_eur"] = products["margin_eur"] * products["units"]
    products["government_eur"] = (products["paid_eur"] - products["price_eur"]) * products["units"]
    products["residual_eur"] = 1e-9
    firms = (
        products.groupby(["priced_by", "market"], as_index=False)[["units", "revenue_eur", "profit_eur"]].sum().rename(columns={"priced_by": "firm"})
    )
    by_firm = firms.groupby("firm")["profit_eur"].sum()
    owners = pd.DataFrame({"owner": [f"float of {f}" for f in by_firm.index], "kind": "float", "claim_eur": by_firm.to_numpy()})
    consumers = pd.DataFrame(
        [
            {"market": m, "group": f"fifth {g}", "kind": "private", "surplus_eur": g * 4e8 * (1 - shift), "buyers": 1e5}
            for m in MARKETS
            for g in range(1, 6)
        ]
    )
    sums = products.groupby("market", as_index=False)[["units", "profit_eur", "government_eur"]].sum()
    electric = products[products["powertrain"] == "BEV"].groupby("market")["units"].sum()
    markets = sums.assign(
        potential=4e6, share_sold=sums["units"] / 4e6, electric_units=electric.to_numpy(), electric_share=electric.to_numpy() / sums["units"],
        surplus_eur=6e9 * (1 - shift), co2_t=1e6, mean_paid_eur=36_000.0, mean_price_eur=30_000.0, co2_g_km=70.0, residual_eur=1e-9, iterations=7, status="settled",
    )  # fmt: skip
    makers = list(MAKERS)
    kappa = pd.DataFrame(np.eye(len(makers)), index=pd.Index(makers, name="firm"), columns=pd.Index(makers, name="weight_on"))
    kappa.loc["Nissan", "Ampere"] = 0.067 if shift else 0.0
    return SimpleNamespace(
        world=SimpleNamespace(name=name), products=products, firms=firms, owners=owners, consumers=consumers, markets=markets, kappa=kappa, states={},
        look_through=pd.DataFrame({"firm": makers, "value_eur": by_firm.reindex(makers).to_numpy() * 1.1}),
    )  # fmt: skip


def owners_tables(stakes: dict[tuple[str, str], float]) -> SimpleNamespace:
    floats = {(f"float of {c}", c): 1 - sum(s for (_, x), s in stakes.items() if x == c) for c in MAKERS}
    direct = pd.DataFrame([{"holder": h, "company": c, "cash_flow": s, "votes": s} for (h, c), s in (stakes | floats).items() if s > 1e-12])
    kappa = pd.DataFrame(np.eye(len(MAKERS)), index=pd.Index(list(MAKERS), name="firm"), columns=pd.Index(list(MAKERS), name="weight_on"))
    kappa.loc["Renault", "Nissan"] = 0.2
    control = pd.DataFrame({"company": ["Ampere"], "controller": ["Renault"], "reason": ["majority of votes"]})
    return SimpleNamespace(direct=direct, look_through=direct.drop(columns="votes"), control=control, kappa=kappa)


def case(base: SimpleNamespace) -> SimpleNamespace:
    sources = ["registrations", "assumption"]
    products = base.products[["market", "product", "brand", "powertrain", "units"]].assign(
        price=30_000.0, price_currency="EUR", source=[sources[k % 2] for k in range(len(base.products))], confidence="medium"
    )
    tables = {
        "companies": pd.DataFrame(
            {"company": list(MAKERS), "name": [f"{m} Group" if m in ("VW", "Renault") else m for m in MAKERS], "kind": "maker"}
        ),
        "owners": pd.DataFrame({"owner": list(OWNERS), "name": list(OWNERS.values()), "kind": "other"}),
        "markets": pd.DataFrame({"market": list(MARKETS), "name": list(MARKETS.values()), "potential": 4e6, "vat": 0.2, "source": "assumption"}),
        "products": products,
        "excluded": pd.DataFrame(
            {
                "market": ["NO"],
                "brand": ["BYD"],
                "item": ["combustion line"],
                "reason": ["total less electric is negative"],
                "value": [-12.0],
                "unit": ["cars"],
            }
        ),
        "sources": pd.DataFrame({"source": sources, "title": ["Registrations 2023", "Our own assumption"], "publisher": ["", ""]}),
    }
    return SimpleNamespace(
        name="synthetic", title="Nissan, Ampere and everyone they compete with", as_of=dt.date(2024, 3, 27), year=2023, money="EUR 2023", currency="EUR",
        tables=tables, companies=tables["companies"], owners=tables["owners"], markets=tables["markets"], products=products, hash="0" * 64,
    )  # fmt: skip
