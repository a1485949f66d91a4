"""Arrays of taxes and incentives that bend: every affine piece of every slot, and pots of money, for each set of rules that some year has ([7]).

What makers keep stands apart, year by year (`Keeps`): a tariff quota that is filled leaves a car another share of its price in each year and future.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from keiretsu.supply.wedges import Wedges


class Bends(eqx.Module):
    """Pieces between breakpoints in the maker's price, as in `keiretsu.supply.pieces`, by class of buyer.

    U sets of rules, K pieces, P pots (incentives with a yearly budget); one set of rules without the axis U, one market without M.

    Attributes
    ----------
    breaks
        Breakpoints (EUR), ascending, inf where a slot has fewer.
    buyer_rate, buyer_add, maker_charge
        Terms of each piece without purchase incentives.
    incentive_rate, incentive_add
        The buyers' side of purchase incentives that have no pot; a draw multiplies it.
    pot_rate, pot_add, pot_lost, pot_charge
        What each pot pays: the buyers' side (a draw multiplies it), the maker's share of the price lost, and its charge.
    budget
        Money in each pot, EUR a year; inf where it is not in force.
    joint
        Where some year of the plan has a pot in a market of a fleet rule: the most parts that a year with pots falls into, all solved together. Else 0.
    """

    breaks: Float[Array, "U M J K-1"]
    buyer_rate: Float[Array, "U M J K G"]
    buyer_add: Float[Array, "U M J K G"]
    maker_charge: Float[Array, "U M J K G"]
    incentive_rate: Float[Array, "U M J K G"]
    incentive_add: Float[Array, "U M J K G"]
    pot_rate: Float[Array, "U P M J K G"]
    pot_add: Float[Array, "U P M J K G"]
    pot_lost: Float[Array, "U P M J K"]
    pot_charge: Float[Array, "U P M J K G"]
    budget: Float[Array, "U P"]
    joint: int = eqx.field(static=True, default=0)

    @property
    def parts(self) -> int:
        """How many parts one after the other a year may have."""
        return 1 if self.joint else self.budget.shape[-1] + 1


class Keeps(eqx.Module):
    """What makers keep of their prices, year by year (T; one year without the axis).

    Attributes
    ----------
    rate
        Share of the price that the maker keeps on each piece, pots apart.
    wall
        Breakpoints that prices jump over rather than stick to.
    below_better
        At a breakpoint that jumps: whether the side below is the better one for the maker and its buyers.
    """

    rate: Float[Array, "T M J K"]
    wall: Bool[Array, "T M J K-1"]
    below_better: Bool[Array, "T M J K-1"]


class Pieces(eqx.Module):
    """Terms in force in one market in one year, pots open or closed, under one draw. K pieces."""

    breaks: Float[Array, "J K-1"]
    wall: Bool[Array, "J K-1"]
    below_better: Bool[Array, "J K-1"]
    buyer_rate: Float[Array, "J K G"]
    buyer_add: Float[Array, "J K G"]
    maker_rate: Float[Array, "J K"]
    maker_charge: Float[Array, "J K G"]

    @property
    def bent(self) -> Bool[Array, " J"]:
        """Slots with a breakpoint."""
        return jnp.isfinite(self.breaks).any(axis=1)

    def at(self, price: Float[Array, " J"]) -> Int[Array, " J"]:
        """Piece that each price lies on; at a breakpoint that jumps the better side of it, at a kink the side below."""
        above = jnp.where(jnp.abs(price[:, None] - self.breaks) <= NEAR_EUR, self.wall & ~self.below_better, price[:, None] > self.breaks)
        return above.sum(axis=1)

    def bounds(self, piece: Int[Array, " J"]) -> tuple[Float[Array, " J"], Float[Array, " J"]]:
        """Lowest and highest price of each slot's piece."""
        ends = jnp.full((piece.shape[0], 1), jnp.inf)
        padded = jnp.concatenate([-ends, self.breaks, ends], axis=1)
        row = jnp.arange(piece.shape[0])
        return padded[row, piece], padded[row, piece + 1]

    def wedges(self, piece: Int[Array, " J"], buyer_class: Int[Array, " I"]) -> Wedges:
        """The wedges when slot j is on piece ``piece[j]``, written out by draw where classes differ."""
        row = jnp.arange(piece.shape[0])

        def by_draw(values: Float[Array, "J K G"]) -> Array:
            here = values[row, piece]
            # a product with zeros and ones says the same as an index, several times faster
            return here if values.shape[-1] == 1 else here @ jax.nn.one_hot(buyer_class, values.shape[-1], dtype=values.dtype, axis=0)

        return Wedges(by_draw(self.buyer_rate), by_draw(self.buyer_add), self.maker_rate[row, piece], by_draw(self.maker_charge))


NEAR_EUR = 1e-3  # prices this close to a breakpoint are at it: ten times what prices of the years ahead are settled to


def rules_of_year(bends: Bends, year: Int[Array, ""]) -> Bends:
    """One set of rules, without the axis U; `year` is the index of a set."""
    return jax.tree.map(lambda values: values[year], bends)


def pieces_in_force(rules: Bends, keeps: Keeps, incentives: Float[Array, ""], open_: Float[Array, " P"]) -> Pieces:
    """All markets' pieces (a first axis M) with incentives times `incentives` and pots open (1) or closed (0).

    With pots open by part (S, P) those of every part, one after the other on the first axis.
    """
    if open_.ndim == 2:
        every = jax.vmap(lambda pots: pieces_in_force(rules, keeps, incentives, pots))(open_)
        return jax.tree.map(lambda leaf: leaf.reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:]), every)
    paid = open_ * incentives
    return Pieces(
        breaks=rules.breaks,
        wall=keeps.wall,
        below_better=keeps.below_better,
        buyer_rate=rules.buyer_rate + incentives * rules.incentive_rate + jnp.tensordot(paid, rules.pot_rate, axes=1),
        buyer_add=rules.buyer_add + incentives * rules.incentive_add + jnp.tensordot(paid, rules.pot_add, axes=1),
        maker_rate=keeps.rate - jnp.tensordot(open_, rules.pot_lost, axes=1),
        maker_charge=rules.maker_charge + jnp.tensordot(open_, rules.pot_charge, axes=1),
    )
