"""What each kind of programme adds to a sale, and at which prices it changes ([7]).

On the piece that a price lies on, a programme is affine: the buyer pays ``buyer_rate p + buyer_add`` more, the maker hands over
``maker_lost p + maker_charge``. The sum of both is government's take, whatever the sign.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from keiretsu.errors import PolicyError, Problem
from keiretsu.market.policy.place import Place, claims, covers, gross, low_incomes, net_price_at
from keiretsu.market.policy.programmes import (
    BenefitInKind,
    Chargers,
    CountervailingDuty,
    Duty,
    Incentive,
    PartsDuty,
    PriceWindow,
    Programme,
    RegistrationTax,
    TariffQuota,
    UnitTax,
    Vat,
)

FARTHEST = 1e15  # no car costs as much in any money: a breakpoint beyond, which a share next to nothing makes, is none


@dataclass(frozen=True)
class Terms:
    """Affine terms of one programme on one piece of each product: (J, 1) or (J, I), `maker_lost` (J,)."""

    buyer_rate: np.ndarray
    buyer_add: np.ndarray
    maker_lost: np.ndarray
    maker_charge: np.ndarray


@dataclass(frozen=True)
class Break:
    """A price of each product (inf: none) at which a programme changes; `closed_below` when that price still counts as below."""

    price: np.ndarray
    closed_below: bool
    label: str


def terms_of(programme: Programme, place: Place, price: np.ndarray) -> Terms:
    """Terms of a programme on the pieces that ``price`` (J,) lies inside."""
    n = place.n_products
    zero, none = np.zeros(n), np.zeros((n, 1))
    on = covers(programme.scope, place)
    match programme:
        case Vat() | Chargers():  # VAT is a basis of others and stands in `vat_terms`; chargers act on utility
            return Terms(none, none, zero, none)
        case RegistrationTax():
            fixed = registration_sum(programme, place)
            capped = fixed + programme.share_of_net * price >= programme.cap_eur
            add = np.where(capped, programme.cap_eur if np.isfinite(programme.cap_eur) else 0.0, fixed)
            rate = np.where(capped, 0.0, programme.share_of_net)
            return Terms((on * rate)[:, None], (on * add)[:, None], zero, none)
        case UnitTax():
            sum_ = (on * programme.amount_eur)[:, None]
            return Terms(none, sum_, zero, none) if programme.payer == "buyer" else Terms(none, none, zero, sum_)
        case Duty():
            return Terms(none, none, on * programme.value_share * duty_rate(programme, price), none)
        case CountervailingDuty():
            named = dict(programme.rates)
            rate = np.array([named.get(b, named.get(m, programme.rate_others)) for b, m in zip(place.brand, place.maker, strict=True)])
            return Terms(none, none, on * rate * programme.value_share, none)
        case PartsDuty():
            return Terms(none, none, on * programme.rate * programme.foreign_share * programme.value_share, none)
        case TariffQuota():  # relief against the duty; needs the duty itself, see `quota_terms`
            return Terms(none, none, zero, none)
        case BenefitInKind():
            rate, add = gross(place, price)
            share = np.where(price > net_price_at(place, programme.over_eur, "gross"), programme.share_over, programme.share_a_month)
            burden = (on * share * 12 * programme.years * programme.marginal_tax)[:, None] * claims(programme.buyers, place, _where(programme))
            return Terms(burden * rate[:, None], burden * add[:, None], zero, none)
        case Incentive():
            return _incentive_terms(programme, place, price, on)


def vat_terms(place: Place, price: np.ndarray) -> Terms:
    """VAT or sales tax itself, the market's own or a programme's."""
    rate, add = gross(place, price)
    n = place.n_products
    return Terms((rate - 1)[:, None], add[:, None], np.zeros(n), np.zeros((n, 1)))


def quota_terms(quota: TariffQuota, duty: Duty, place: Place, price: np.ndarray) -> Terms:
    """Relief of a tariff quota against its duty, for the share of cars inside."""
    n = place.n_products
    relief = quota_relief(quota, duty, place, price)
    return Terms(np.zeros((n, 1)), np.zeros((n, 1)), -relief * place.inside, np.zeros((n, 1)))


def quota_relief(quota: TariffQuota, duty: Duty, place: Place, price: np.ndarray) -> np.ndarray:
    """Share of the maker's price saved by a car that is inside the quota. (J,)"""
    on = covers(quota.scope, place) & covers(duty.scope, place) & _inside_window(quota.window, _customs(quota, place), price)
    return on * (duty_rate(duty, price) * duty.value_share - quota.low_rate * quota.value_share)


def _customs(quota: TariffQuota, place: Place) -> Place:
    """The place with customs values as they are inside the quota."""
    return replace(place, customs_share=np.full(place.n_products, quota.value_share))


def duty_rate(duty: Duty, price: np.ndarray) -> np.ndarray:
    """The rate that applies to the whole customs value at a price. (J,)"""
    over = price * duty.value_share > duty.over_eur if np.isfinite(duty.over_eur) else np.zeros(price.shape, bool)
    return np.where(over, duty.rate_over, duty.rate)


def registration_sum(programme: RegistrationTax, place: Place) -> np.ndarray:
    """The part of a registration tax that does not depend on price, before the cap (EUR). (J,)"""
    total = np.full(place.n_products, float(programme.flat_eur))
    total += programme.per_gram_eur * np.maximum(place.co2_gkm - programme.above_gkm, 0.0)
    total += programme.per_kg_eur * np.maximum(place.mass_kg - programme.above_kg, 0.0)
    if programme.brackets:
        floors = np.array([floor for floor, _ in programme.brackets])
        amounts = np.array([0.0] + [amount for _, amount in programme.brackets])
        total += amounts[np.searchsorted(floors, place.co2_gkm, side="right")]
    return total


def breaks_of(programme: Programme, place: Place) -> tuple[Break, ...]:
    """Prices at which a programme changes, for the products it covers; one beyond `FARTHEST` is none."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return tuple(_breaks(programme, place))


def _breaks(programme: Programme, place: Place) -> list[Break]:
    on, name = covers(programme.scope, place), programme.scope.id
    found: list[Break] = []

    def add(price: np.ndarray, closed_below: bool, what: str) -> None:
        found.append(Break(np.where(on & (price > 0) & (price < FARTHEST), price, np.inf), closed_below, f"{name}: {what}"))

    match programme:
        case Vat() if programme.above_eur > 0:
            add(np.full(place.n_products, programme.above_eur), True, f"rate changes at EUR {programme.above_eur:,.0f} net")
        case RegistrationTax() if programme.share_of_net > 0 and np.isfinite(programme.cap_eur):
            add((programme.cap_eur - registration_sum(programme, place)) / programme.share_of_net, True, "cap reached")
        case Duty() if np.isfinite(programme.over_eur) and programme.value_share > 0:
            add(
                np.full(place.n_products, programme.over_eur) / programme.value_share,
                True,
                f"duty {100 * programme.rate:.0f} % to {100 * programme.rate_over:.0f} % above EUR {programme.over_eur:,.0f} customs value",
            )
        case TariffQuota():
            found.extend(_window_breaks(programme.window, _customs(programme, place), on, name))
        case BenefitInKind() if np.isfinite(programme.over_eur):
            add(net_price_at(place, programme.over_eur, "gross"), True, f"taxed share changes at EUR {programme.over_eur:,.0f} gross")
        case Incentive():
            found.extend(_window_breaks(programme.window, place, on, name))
            for flat in {programme.flat_eur, programme.low_income_flat_eur if _has_low_incomes(programme) else programme.flat_eur}:
                fixed = flat + programme.per_kwh_eur * place.battery_kwh
                if programme.share > 0 and np.isfinite(programme.cap_eur):
                    add(
                        net_price_at(place, (programme.cap_eur - fixed) / programme.share, programme.share_basis),
                        True,
                        f"capped at EUR {programme.cap_eur:,.0f}",
                    )
                if np.isfinite(programme.share_max) and programme.share_max > programme.share:
                    add(
                        net_price_at(place, fixed / (programme.share_max - programme.share), programme.share_basis),
                        True,
                        f"limited to {100 * programme.share_max:.0f} % of the price below this",
                    )
            if np.isfinite(programme.share_max) and np.isfinite(programme.cap_eur) and programme.share_max > 0:
                add(
                    net_price_at(place, programme.cap_eur / programme.share_max, programme.share_basis),
                    True,
                    f"capped at EUR {programme.cap_eur:,.0f}",
                )
        case _:
            pass
    return found


def _incentive_terms(programme: Incentive, place: Place, price: np.ndarray, on: np.ndarray) -> Terms:
    n = place.n_products
    if programme.funded_by == "maker" and programme.recipient != "maker" and np.any(on & (place.vat_from > 0) & (place.vat_above != place.vat_below)):
        raise PolicyError(
            Problem(
                "a maker's own contribution under a VAT with a threshold is not defined", _where(programme), wanted="one VAT rate for the product"
            )
        )
    none, given = np.zeros((n, 1)), np.flatnonzero(on & _inside_window(programme.window, place, price))
    if not given.size:
        return Terms(none, none, np.zeros(n), none)
    rate, add = _given(programme, place, price, given)
    if programme.recipient == "maker":
        return Terms(none, none, -_same_for_all(rate, programme), -add)
    if programme.funded_by == "maker":  # the maker takes it off the net price, so the buyer also saves VAT on it
        with_vat = (1 + place.vat_above)[:, None]
        return Terms(-rate * with_vat, -add * with_vat, _same_for_all(rate, programme), add)
    return Terms(-rate, -add, np.zeros(n), none)


def _given(programme: Incentive, place: Place, price: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What an incentive gives for products `given` (m,) as ``rate p + add``, nothing for the others. Two (J, I) or (J, 1)"""
    claim = claims(programme.buyers, place, _where(programme))
    flat = (
        np.where(low_incomes(programme, place), programme.low_income_flat_eur, programme.flat_eur)
        if _has_low_incomes(programme)
        else np.array([programme.flat_eur])
    )
    base_rate, base_add = (x[given, None] for x in gross(place, price)) if programme.share_basis == "gross" else (np.ones((1, 1)), np.zeros((1, 1)))
    fixed = flat[None, :] + (programme.per_kwh_eur * place.battery_kwh)[given, None]
    options = [(programme.share * base_rate, programme.share * base_add + fixed)]
    if np.isfinite(programme.cap_eur):
        options.append((np.zeros((1, 1)), np.full((1, 1), programme.cap_eur)))
    if np.isfinite(programme.share_max):
        options.append((programme.share_max * base_rate, programme.share_max * base_add))
    here = price[given, None]
    rate, add = options[0]
    for other_rate, other_add in options[1:]:  # the least of them at this price
        less = other_rate * here + other_add < rate * here + add
        rate, add = np.where(less, other_rate, rate), np.where(less, other_add, add)
    return _for_all(claim * rate, given, place.n_products), _for_all(claim * add, given, place.n_products)


def _for_all(values: np.ndarray, given: np.ndarray, products: int) -> np.ndarray:
    """Rows `given` of all products, the others zero."""
    found = np.zeros((products, values.shape[1]))
    found[given] = values
    return found


def _same_for_all(rate: np.ndarray, programme: Incentive) -> np.ndarray:
    if np.ptp(rate, axis=1).max(initial=0.0) > 0:
        raise PolicyError(
            Problem(
                "a percentage paid to or by the maker cannot depend on who buys",
                _where(programme),
                "an income or kind test",
                "a flat amount, or no test",
            )
        )
    return rate[:, 0]


def _has_low_incomes(programme: Incentive) -> bool:
    return programme.low_income_share > 0 or programme.low_income_max_eur > 0


def _inside_window(window: PriceWindow, place: Place, price: np.ndarray) -> np.ndarray:
    """Whether the piece that `price` lies inside is within the window. (J,) bool"""
    inside = np.ones(price.shape, dtype=bool)
    if np.isfinite(window.over):
        inside &= price > net_price_at(place, window.over, window.basis)
    if np.isfinite(window.at_least):
        inside &= price >= net_price_at(place, window.at_least, window.basis)
    if np.isfinite(window.at_most):
        inside &= price <= net_price_at(place, window.at_most, window.basis)
    return inside


def _window_breaks(window: PriceWindow, place: Place, on: np.ndarray, name: str) -> list[Break]:
    found: list[Break] = []
    for limit, closed_below, what in ((window.over, True, "above"), (window.at_least, False, "from"), (window.at_most, True, "up to")):
        if np.isfinite(limit):
            at = net_price_at(place, limit, window.basis)
            found.append(
                Break(np.where(on & (at > 0) & (at < FARTHEST), at, np.inf), closed_below, f"{name}: {what} EUR {limit:,.0f} {window.basis}")
            )
    return found


def _where(programme: Programme) -> str:
    return programme.scope.where or f"programme {programme.scope.id}"
