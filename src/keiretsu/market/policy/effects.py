"""What a policy achieved: sales, public money, who got it, tonnes ([7]; bands to compare with are in the literature, not here).

Two outcomes of the same world, with and without the policy, in columns of `Outcome.products`: market, product, powertrain, units, paid_eur,
price_eur, government_eur, co2_gkm. Nothing is solved here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import PolicyError, Problem


@dataclass(frozen=True)
class Effects:
    """Measures of one policy over the markets given. A measure that has no meaning here is absent from `measures`, and `why_absent` says why.

    `measures` holds:

    electric_sales_gained
        Electric cars a year with the policy less without.
    gross_spending_eur, net_cost_eur
        Money paid out under the programmes, less what was paid under those that they replace; fall of government's total take (which counts VAT gained or lost), with money that hangs on no sale.
    eur_per_extra_electric_car, net_eur_per_extra_electric_car
        The two costs over electric sales gained.
    reaches_buyers
        Fall of what buyers pay for supported cars over the support, at sales with the policy; the rest is in makers' prices. Support is what a car gets more.
    inframarginal
        Share of spending on cars that would have been bought anyway: supported sales without the policy, car by car at most those with it.
    tonnes_avoided, tonnes_per_1000_eur
        Tailpipe CO2 over a car's life of stated kilometres, and per thousand euro of net cost.
    """

    measures: dict[str, float]
    why_absent: dict[str, str]


def policy_effects(with_: pd.DataFrame, without: pd.DataFrame, support: pd.DataFrame, fixed_eur: float, life_km: float) -> Effects:
    """Measures of a policy.

    Parameters
    ----------
    with_, without
        Products of the two outcomes.
    support
        market, product, eur: what the programmes paid for each product in the outcome with the policy (positive); eur_0, where there is such a column: what the programmes
        that they replace paid for it in the outcome without.
    fixed_eur
        Public money of the policy that hangs on no sale, such as chargers.
    life_km
        Kilometres of a car's life, for tonnes.

    Raises
    ------
    PolicyError
        When the outcomes cover different markets.
    """
    if set(with_["market"]) != set(without["market"]):
        raise PolicyError(
            Problem(
                "two outcomes of different markets",
                "policy effects",
                f"{sorted(set(with_['market']))} and {sorted(set(without['market']))}",
                "the same",
            )
        )
    keys = ["market", "product"]
    columns = [*keys, "powertrain", "units", "paid_eur", "government_eur", "co2_gkm"]
    money = support[[*keys, "eur"]].assign(eur_0=support.get("eur_0", 0.0))
    both = with_[columns].merge(without[columns], on=keys, how="outer", suffixes=("", "_0")).merge(money, on=keys, how="left")
    sums = ["units", "units_0", "government_eur", "government_eur_0", "eur", "eur_0"]
    both[sums] = both[sums].fillna(0.0)
    electric = (both["powertrain"].fillna(both["powertrain_0"]) == "BEV").to_numpy()
    units, units_0 = both["units"].to_numpy(), both["units_0"].to_numpy()
    gained = float((units - units_0)[electric].sum())
    gross = float((both["eur"] - both["eur_0"]).sum()) + fixed_eur
    net = float((both["government_eur_0"] - both["government_eur"]).sum()) + fixed_eur
    grams = both["co2_gkm"].fillna(both["co2_gkm_0"]).to_numpy()
    tonnes = float((grams * (units_0 - units)).sum()) * life_km / 1e6
    found = {"electric_sales_gained": gained, "gross_spending_eur": gross, "net_cost_eur": net, "tonnes_avoided": tonnes}
    absent: dict[str, str] = {}
    if gained > 0:
        found["eur_per_extra_electric_car"] = gross / gained
        found["net_eur_per_extra_electric_car"] = net / gained
    else:
        absent["eur_per_extra_electric_car"] = "no electric sales were gained"
    paid_out, replaced = both["eur"].to_numpy(), both["eur_0"].to_numpy()
    more = paid_out - units * np.divide(replaced, units_0, out=np.zeros_like(replaced), where=units_0 > 0)
    supported = (more > 0) & (units > 0) & (units_0 > 0)
    spent = float((paid_out - replaced)[more > 0].sum())
    if supported.any() and spent > 0:
        fall = (both["paid_eur_0"] - both["paid_eur"]).to_numpy()[supported]
        found["reaches_buyers"] = float((fall * units[supported]).sum() / more[supported].sum())
        anyway = np.minimum(units_0[supported] / units[supported], 1.0)
        found["inframarginal"] = float((more[supported] * anyway).sum() / spent)
    else:
        absent["reaches_buyers"] = absent["inframarginal"] = "the policy paid nothing for a car sold with and without it"
    if net > 0:
        found["tonnes_per_1000_eur"] = 1000 * tonnes / net
    else:
        absent["tonnes_per_1000_eur"] = "the policy cost the public nothing"
    return Effects(found, absent)
