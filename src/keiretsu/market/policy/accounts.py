"""Who pays and who gets: buyers' payments, makers' receipts, government's take, programme by programme.

Government's take is built from the programmes one by one, not as what is left over, so that the balance is a check and not a tautology.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.policy.compile import Compiled, each_term
from keiretsu.market.policy.programmes import Chargers, Incentive


@dataclass(frozen=True)
class Accounts:
    """Money of one market in a year.

    Attributes
    ----------
    columns, entries
        Columns of `products` and `programmes`.
    fixed_eur
        Public money that hangs on no sale (chargers), positive when spent.
    """

    columns: Mapping[str, np.ndarray]
    entries: Mapping[str, np.ndarray]
    fixed_eur: float

    @cached_property
    def products(self) -> pd.DataFrame:
        """product, units, paid_eur (mean a car), received_eur (mean a car), take_eur (mean a car), buyers_pay_eur, makers_get_eur,
        government_eur, maker_added_eur (what makers gave buyers under a programme's rules, net; inside makers_get_eur)."""
        return pd.DataFrame(dict(self.columns))

    @property
    def imbalance_eur(self) -> float:
        """Largest gap, over products, between what buyers paid and what makers and government got."""
        c = self.columns
        return float(np.abs(c["buyers_pay_eur"] - c["makers_get_eur"] - c["government_eur"]).max(initial=0.0))

    @cached_property
    def programmes(self) -> pd.DataFrame:
        """programme, product, units (cars it touched), eur (government's take from it: negative for an incentive)."""
        return pd.DataFrame(dict(self.entries))


def accounts(compiled: Compiled, price: np.ndarray, piece: np.ndarray, quantity: np.ndarray) -> Accounts:
    """Accounts at solved prices.

    Parameters
    ----------
    price, piece
        Maker's price (EUR) and the piece in force for each product, (J,).
    quantity
        Cars a year by product and draw, (J, I).

    Raises
    ------
    PolicyError
        When the three columns do not add up to the cent: a defect of a programme's terms, never of its figures.
    """
    pieces, place = compiled.pieces, compiled.place
    row, p = np.arange(place.n_products), np.asarray(price, float)[:, None]
    units = quantity.sum(axis=1)

    def over_draws(money: np.ndarray) -> np.ndarray:
        """Money a car, (J, 1) where all draws are alike, over all cars."""
        return money[:, 0] * units if money.shape[1] == 1 else np.einsum("ji,ji->j", money, quantity)

    buyers = over_draws(pieces.buyer_rate[row, piece] * p + pieces.buyer_add[row, piece])
    makers = over_draws(pieces.maker_rate[row, piece][:, None] * p - pieces.maker_charge[row, piece])
    names: list[str] = []
    by_programme: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # products touched, cars, EUR
    government, added = np.zeros(place.n_products), np.zeros(place.n_products)
    maker_funded = {x.scope.id for x in compiled.programmes if isinstance(x, Incentive) and x.funded_by == "maker"}
    for name, terms in each_term(compiled.programmes, place, compiled.inner[row, piece]):
        take = terms.buyer_rate * p + terms.buyer_add + terms.maker_lost[:, None] * p + terms.maker_charge
        eur = over_draws(take)
        government += eur
        if name in maker_funded:
            added += over_draws(terms.maker_lost[:, None] * p + terms.maker_charge)
        touched = (terms.buyer_rate != 0) | (terms.buyer_add != 0) | (terms.maker_lost[:, None] != 0) | (terms.maker_charge != 0)
        on = np.flatnonzero(touched.any(axis=1))
        cars = units[on] if touched.shape[1] == 1 else (touched[on] * quantity[on]).sum(axis=1)
        names += [name] * on.size
        by_programme.append((on, cars, eur[on]))
    per_car = np.where(units > 0, units, 1.0)
    product = np.array(place.product, dtype=object)
    columns = {
        "product": product,
        "units": units,
        "paid_eur": buyers / per_car,
        "received_eur": makers / per_car,
        "take_eur": government / per_car,
        "buyers_pay_eur": buyers,
        "makers_get_eur": makers,
        "government_eur": government,
        "maker_added_eur": added,
    }
    fixed = sum(x.money_eur for x in compiled.programmes if isinstance(x, Chargers))
    on, cars, eur = (np.concatenate(parts) for parts in zip(*by_programme, strict=True))
    entries = {"programme": np.array(names, dtype=object), "product": product[on], "units": cars, "eur": eur}
    found = Accounts(columns, entries, float(fixed))
    # a cent, or the rounding of 64-bit sums over sales worth more than 1e12 EUR
    if found.imbalance_eur > max(0.01, 1e-12 * float(np.abs(buyers).max(initial=0.0))):
        raise PolicyError(Problem("accounts do not balance", place.market, f"EUR {found.imbalance_eur:,.4f}", "less than a cent"))
    return found
