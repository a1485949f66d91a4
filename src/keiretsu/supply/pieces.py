"""All affine pieces of taxes and incentives of one market, product by product ([7]).

`supply.wedges.Wedges` is the piece in force. Here are all of them, in order of the maker's price: between two breakpoints the buyer
pays ``q = rate p + add`` and the maker keeps ``rate p - charge``. A breakpoint where both stay continuous for every buyer is a *kink*
(a capped percentage bonus, a tax above a threshold); where one of them jumps it is a *notch* (a price ceiling, a duty bracket).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Array

from keiretsu.errors import PolicyError, Problem
from keiretsu.numerics.host import host
from keiretsu.supply.wedges import Wedges

JUMP_EUR = 1e-6  # a jump below this is rounding of an affine piece evaluated near 1e5 EUR, not a notch
NEAR_EUR = 1e-7  # prices this close to a breakpoint are at it: the tolerance of a solved price is coarser


@dataclass(frozen=True)
class PiecewiseWedges:
    """Pieces of every product, padded to the largest number of pieces K.

    Attributes
    ----------
    breaks
        Breakpoints in the maker's price, ascending, ``inf`` where a product has fewer. (J, K-1), EUR
    closed_below
        Whether a breakpoint belongs to the piece below it ("up to and including"). (J, K-1)
    labels
        What each breakpoint is, for messages and results; empty for padding. J rows of K-1.
    buyer_rate, buyer_add
        The buyer's side of each piece, (J, K, I) or (J, K, 1).
    maker_rate
        Share of the price the maker keeps, (J, K).
    maker_charge
        Money the maker hands over on each sale, (J, K, I) or (J, K, 1).
    """

    breaks: np.ndarray
    closed_below: np.ndarray
    labels: tuple[tuple[str, ...], ...]
    buyer_rate: np.ndarray
    buyer_add: np.ndarray
    maker_rate: np.ndarray
    maker_charge: np.ndarray

    @property
    def n_products(self) -> int:
        return int(self.maker_rate.shape[0])


def one_piece(wedges: Wedges) -> PiecewiseWedges:
    """The same affine piece at every price."""
    n = int(wedges.maker_rate.shape[0])
    return PiecewiseWedges(
        breaks=np.zeros((n, 0)),
        closed_below=np.zeros((n, 0), dtype=bool),
        labels=((),) * n,
        buyer_rate=np.asarray(wedges.buyer_rate)[:, None, :],
        buyer_add=np.asarray(wedges.buyer_add)[:, None, :],
        maker_rate=np.asarray(wedges.maker_rate)[:, None],
        maker_charge=np.asarray(wedges.maker_charge)[:, None, :],
    )


def piece_at(pieces: PiecewiseWedges, price: np.ndarray) -> np.ndarray:
    """Which piece is in force at each price. (J,) integers; at a breakpoint, the piece that the breakpoint belongs to."""
    return piece_at_breaks(pieces.breaks, pieces.closed_below, np.asarray(price))


def piece_at_breaks(breaks: np.ndarray, closed_below: np.ndarray, price: np.ndarray) -> np.ndarray:
    """The same by breakpoints and whether each belongs to the piece below. (J,)"""
    at = np.abs(price[:, None] - breaks) <= NEAR_EUR
    return np.where(at, ~closed_below, price[:, None] > breaks).sum(axis=1)


def wedges_of(pieces: PiecewiseWedges, piece: np.ndarray) -> Wedges:
    """The wedges when product j is on piece ``piece[j]``."""
    row = np.arange(pieces.n_products)

    def on(values: np.ndarray) -> Array:
        alike = values.strides[2] == 0  # written out for every draw, but without room for each
        return host(np.broadcast_to(values[row, piece, :1], (row.size, values.shape[2])) if alike else values[row, piece])

    return Wedges(on(pieces.buyer_rate), on(pieces.buyer_add), host(pieces.maker_rate[row, piece]), on(pieces.maker_charge))


def jumps(pieces: PiecewiseWedges) -> tuple[np.ndarray, np.ndarray]:
    """Largest jump over buyers, upwards across each breakpoint, of what the buyer pays and of what the maker keeps.

    Returns two (J, K-1) arrays in EUR, signed (the jump of largest size); zero at padding.
    """
    real = np.isfinite(pieces.breaks)
    b = np.where(real, pieces.breaks, 0.0)
    paid = np.diff(pieces.buyer_rate, axis=1) * b[:, :, None] + np.diff(pieces.buyer_add, axis=1)
    kept = (np.diff(pieces.maker_rate, axis=1) * b)[:, :, None] - np.diff(pieces.maker_charge, axis=1)
    return tuple(np.where(real, _largest(x), 0.0) for x in (paid, kept))  # type: ignore[return-value]


def notches(pieces: PiecewiseWedges) -> np.ndarray:
    """True where a breakpoint is a notch; False at kinks and at padding. (J, K-1)"""
    paid, kept = jumps(pieces)
    return (np.abs(paid) > JUMP_EUR) | (np.abs(kept) > JUMP_EUR)


def with_charge(pieces: PiecewiseWedges, charge: np.ndarray) -> PiecewiseWedges:
    """Every piece with ``charge`` (J,) EUR more to hand over on each sale: a shadow price, or a fee a contract sets."""
    return replace(pieces, maker_charge=pieces.maker_charge + np.asarray(charge)[:, None, None])


def check_paid(pieces: PiecewiseWedges, price: np.ndarray, products: tuple[str, ...], where: str) -> None:
    """Refuse wedges under which somebody would be paid to take a car at these prices.

    Raises
    ------
    PolicyError
        Naming every product for which what a buyer pays, or what the maker keeps before cost, is not positive.
    """
    row, piece = np.arange(pieces.n_products), piece_at(pieces, price)
    pays = (pieces.buyer_rate[row, piece] * np.asarray(price)[:, None] + pieces.buyer_add[row, piece]).min(axis=1)
    problems = [
        Problem(
            "incentives exceed the price",
            f"{where}, product {products[j]}",
            f"the buyer would pay EUR {pays[j]:,.0f} at a net price of EUR {price[j]:,.0f}",
            "a price to pay above zero",
            "lower the amount or cap it as a share of the price",
        )
        for j in np.flatnonzero(pays <= 0)
    ]
    if problems:
        raise PolicyError(problems)


def _largest(x: np.ndarray) -> np.ndarray:
    """Entry of largest size along the last axis, with its sign."""
    where = np.abs(x).argmax(axis=-1)
    return np.take_along_axis(x, where[..., None], axis=-1)[..., 0]


def padded_pieces(pieces: PiecewiseWedges, products: int, draws: int) -> PiecewiseWedges:
    """The same pieces for a market padded to more products and draws: one untaxed piece for each padded product."""
    n, k = pieces.maker_rate.shape
    grown = products - n

    def wide(values: np.ndarray, fill: float) -> np.ndarray:
        width = values.shape[2]
        more = 0 if width == 1 else draws - width
        return np.pad(values, ((0, grown), (0, 0), (0, more)), constant_values=fill)

    def of_every_draw(values: np.ndarray, fill: float) -> np.ndarray:
        """Of one shape with or without tests of who buys, so that markets share compiled code."""
        return np.broadcast_to(wide(values, fill), (products, k, draws))

    return PiecewiseWedges(
        breaks=np.pad(pieces.breaks, ((0, grown), (0, 0)), constant_values=np.inf),
        closed_below=np.pad(pieces.closed_below, ((0, grown), (0, 0))),
        labels=pieces.labels + (("",) * (k - 1),) * grown,
        buyer_rate=of_every_draw(pieces.buyer_rate, 1.0),
        buyer_add=of_every_draw(pieces.buyer_add, 0.0),
        maker_rate=np.pad(pieces.maker_rate, ((0, grown), (0, 0)), constant_values=1.0),
        maker_charge=wide(pieces.maker_charge, 0.0),
    )
