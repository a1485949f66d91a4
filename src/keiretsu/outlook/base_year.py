"""The observed year under one draw of demand parameters: deltas inverted anew, costs recovered anew ([5], [9], [12]).

Every draw therefore starts from the sales and prices that were observed, whatever it believes about price sensitivity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from keiretsu.demand.tastes import Nests, Tastes
from keiretsu.outlook.arrays import BaseYear, Plan, Reproduced
from keiretsu.outlook.implicit import utilities
from keiretsu.outlook.inputs import Values
from keiretsu.supply.cost import leaving
from keiretsu.supply.wedges import Wedges, paid
from keiretsu.supply.weights import ProfitWeights, seen_by_setters
from keiretsu.typing import FirmByProduct, PerDraw, PerProduct, PerProductAndDraw, ProductMask, Scalar

INVERSION_TOLERANCE = 1e-12
INVERSION_STEPS = 60


class _Market(eqx.Module):
    mu: PerProductAndDraw
    alpha: PerDraw
    weight: PerDraw
    nests: Nests | None
    share: PerProduct
    price: PerProduct
    on_sale: ProductMask
    wedges: Wedges
    shadow: PerProduct
    weights: ProfitWeights
    transfer_unit: FirmByProduct
    transfer_price: PerProduct
    known: ProductMask
    known_cost: PerProduct


def reproduce(base: BaseYear, values: Values) -> Reproduced:
    """Deltas (utils) and costs (EUR a car) at which the base year's shares and prices are an equilibrium under these values."""
    mu, alpha = tastes_under(base, values)
    fee = jnp.zeros_like(base.split)
    weights = jax.vmap(lambda s, split, f: ProfitWeights(s, base.kappa, split, f))(base.setter, base.split, fee)
    wedges = by_draw(base, Wedges(base.buyer_rate, base.buyer_add, base.maker_rate, base.maker_charge))
    markets = _Market(
        mu, alpha, base.weight, base.nests, base.share, base.price, base.on_sale, wedges, base.shadow, weights,
        base.transfer_unit, base.transfer_price, base.known, base.known_cost,
    )  # fmt: skip
    delta, cost, gap = jax.lax.map(lambda m: _reproduce_market(m, base.outside), markets)
    return Reproduced(delta, cost, jnp.max(gap))


def tastes_under(base: BaseYear, values: Values) -> tuple[PerProductAndDraw, PerDraw]:
    """`mu` (M, J, I) and `alpha` (M, I) under these values."""
    mu = base.mu + (values["electric_spread"] - 1.0) * base.electric_mu
    return mu, base.alpha * values["price_sensitivity"]


def by_draw(base: BaseYear, wedges: Wedges) -> Wedges:
    """Taxes and incentives by class of buyer, (M, J, G), written out by draw; what is one column stays one column."""
    member = jax.nn.one_hot(base.buyer_class, wedges.buyer_add.shape[-1], dtype=float, axis=1)  # (M, G, I); a product, for gathers are slow

    def spread(values: Float[Array, "M J G"]) -> Float[Array, "M J I"]:
        return values if values.shape[-1] == 1 else values @ member

    return Wedges(spread(wedges.buyer_rate), spread(wedges.buyer_add), wedges.maker_rate, spread(wedges.maker_charge))


def one_charge(base: BaseYear, plans: Mapping[str, Plan]) -> tuple[BaseYear, dict[str, Plan]]:
    """Charges on makers kept once where no class of buyer differs in any year of any plan: that takes two passes off each evaluation of prices."""
    charges = {id(one.maker_charge): np.asarray(one.maker_charge) for one in (base, *plans.values())}  # many plans share one array
    if any((charge != charge[..., :1]).any() for charge in charges.values()):
        return base, dict(plans)
    alike = {number: jax.device_put(np.ascontiguousarray(charge[..., :1])) for number, charge in charges.items()}

    def once(record: Any) -> Any:
        return eqx.tree_at(lambda r: r.maker_charge, record, alike[id(record.maker_charge)])

    return once(base), {name: once(plan) for name, plan in plans.items()}


def _reproduce_market(m: _Market, outside: bool) -> tuple[PerProduct, PerProduct, Scalar]:
    tastes = Tastes(jnp.zeros_like(m.share), m.mu, m.alpha, m.weight, m.on_sale, m.nests, outside)
    delta, gap = utilities(m.share, tastes, paid(m.wedges, m.price), INVERSION_TOLERANCE, INVERSION_STEPS)
    return delta, _costs(eqx.tree_at(lambda t: t.delta, tastes, delta), m), gap


def _costs(tastes: Tastes, m: _Market) -> PerProduct:
    """The linear system of `keiretsu.supply.cost.recover_costs`, with masks in place of index lists."""
    flows, flows_charged, share = leaving(tastes, m.wedges, m.price)
    seen_share, seen_fee = seen_by_setters(m.weights)
    kappa, setter = m.weights.kappa, m.weights.setter
    keeps = seen_share[setter]
    on_cost = (seen_share + kappa @ m.transfer_unit)[setter]
    worth = keeps * (m.wedges.maker_rate * m.price - m.shadow) + (seen_fee + kappa @ (m.transfer_unit * m.transfer_price))[setter]
    right = (flows * worth).sum(axis=1) - (keeps * flows_charged).sum(axis=1) - jnp.diagonal(keeps) * m.wedges.maker_rate * share
    left = flows * on_cost
    asked = m.on_sale & ~m.known
    size = jnp.where(asked, jnp.abs(left).sum(axis=1), 1.0)
    row = jnp.where(asked[:, None], left / size[:, None], jnp.eye(left.shape[0]))
    return jnp.linalg.solve(row, jnp.where(asked, right / size, jnp.where(m.known, m.known_cost, 0.0)))
