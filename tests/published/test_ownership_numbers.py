"""Other people's numbers on ownership: O'Brien & Salop (2000), Banzhaf's voting games, definitions of R's `antitrust` package."""

from __future__ import annotations

import numpy as np
import pytest
from tests.ownership.groups import DAY, stake

from keiretsu.ownership import (
    Control,
    Controller,
    Prices,
    Proportional,
    Register,
    banzhaf_power,
    by_owner,
    cmcr,
    hhi,
    mhhi,
    mhhi_delta,
    profit_weights,
    upp,
    weights_from_control,
    weights_of,
)

ROUNDING = 1e-12


@pytest.mark.parametrize("beta", [0.1, 0.25, 0.4, 0.5, 0.9])
def test_obrien_and_salops_table_of_what_a_partial_stake_adds_to_the_hhi(beta: float):
    """Antitrust Law Journal 67 (2000), the table of MHHI changes by kind of control of firm i's stake `beta` in j, in units of s_i s_j."""
    share = np.array([0.3, 0.2])

    def added(kappa_ij: float, kappa_ji: float) -> float:
        return (kappa_ij + kappa_ji) * share[0] * share[1] * 1e4

    register = Register(("I", "J"), stakes=(stake("I", "J", beta),))
    silent = mhhi_delta(share, weights_from_control(np.array([[1, 0], [0, 1.0]]), np.array([[1, beta], [0, 1 - beta]])))
    assert silent == pytest.approx(added(beta, 0), rel=ROUNDING)

    in_control = Register(("I", "J"), stakes=(stake("I", "J", beta),), control=(Control("J", "I", source="assumed"),))
    total = mhhi_delta(share, profit_weights(in_control.as_of(DAY), Controller(), ("I", "J")))
    assert total == pytest.approx(added(beta, 1 / beta), rel=ROUNDING)

    proportional = mhhi_delta(share, profit_weights(register.as_of(DAY), Proportional("one_block"), ("I", "J")))
    assert proportional == pytest.approx(added(beta, beta / (beta**2 + (1 - beta) ** 2)), rel=ROUNDING)

    merger = mhhi_delta(share, weights_of(["I", "I"]))
    assert merger == pytest.approx(2 * share[0] * share[1] * 1e4, rel=ROUNDING)


@pytest.mark.parametrize(
    ("votes", "power"),
    [
        ([4, 3, 2, 1], [5 / 12, 3 / 12, 3 / 12, 1 / 12]),  # the textbook game [6; 4, 3, 2, 1]
        ([9, 9, 7, 3, 1, 1], [1 / 3, 1 / 3, 1 / 3, 0, 0, 0]),  # Nassau County board 1958, [16; ...]
        ([31, 31, 28, 21, 2, 2], [1 / 3, 1 / 3, 1 / 3, 0, 0, 0]),  # Nassau County board 1964, [58; ...], Banzhaf (1965)
        ([50, 49, 1], [3 / 5, 1 / 5, 1 / 5]),  # [51; 50, 49, 1]
    ],
)
def test_banzhafs_voting_games_come_out(votes: list[int], power: list[float]):
    np.testing.assert_allclose(banzhaf_power(np.array(votes, dtype=float) / sum(votes), ocean=0.0), power, rtol=ROUNDING, atol=ROUNDING)


def r_antitrust_matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The example of that package's HHI page: A makes 1 and 2, B 3 and 4, C 5; A buys 75 % of 3, B 10 % of 1, control unchanged."""
    share = np.array([0.15, 0.2, 0.25, 0.35, 0.05])
    control = weights_of(["A", "A", "B", "B", "C"])
    owner = control.copy()
    owner[0, 0] = owner[1, 0] = 0.9
    owner[2, 0] = owner[3, 0] = 0.1
    owner[0, 2] = owner[1, 2] = 0.75
    owner[2, 2] = owner[3, 2] = 0.25
    return share, owner, control


def test_the_hhi_of_the_r_pages_five_products_is_4850():
    share, *_ = r_antitrust_matrices()
    assert hhi(by_owner(share, list("AABBC"))[1]) == pytest.approx(0.35**2 * 1e4 + 0.6**2 * 1e4 + 0.05**2 * 1e4, rel=ROUNDING)
    assert mhhi(share, weights_of(list("AABBC"))) == pytest.approx(4850, rel=ROUNDING)


def test_the_r_packages_hhi_with_owner_and_control_is_ours_with_the_two_swapped():
    share, owner, control = r_antitrust_matrices()
    n = len(share)
    theirs = 0.0  # its definition, written out: weights control' owner, column j divided by its own diagonal
    for i in range(n):
        for j in range(n):
            both = sum(control[r, i] * owner[r, j] for r in range(n))
            own = sum(control[r, j] * owner[r, j] for r in range(n))
            theirs += 1e4 * share[i] * share[j] * both / own
    assert mhhi(share, weights_from_control(owner, control)) == pytest.approx(theirs, rel=ROUNDING)


def test_cmcr_and_upp_of_three_products_follow_the_r_packages_definitions():
    """The example of that package's CMCR page (prices 50, 45, 70; firm 1 buys the firm of 2 and 3), its formulas in Lerner terms written out here."""
    price, lerner = np.array([50.0, 45.0, 70.0]), np.array([0.3, 0.4, 0.6])
    diversion = np.array([[-1, 0.6, 0.02], [0.5, -1, 0.2], [0.01, 0.1, -1]])
    before, after = weights_of([1, 0, 0]), np.ones((3, 3))
    ratio = price[None, :] / price[:, None]
    b_before, b_after = -diversion * ratio * before, -diversion * ratio * after
    margin_after = np.linalg.solve(b_after, b_before @ lerner)
    now = Prices(price, price * lerner, diversion)
    np.testing.assert_allclose(cmcr(now, before, after, "cost"), (margin_after - lerner) / (1 - lerner), rtol=1e-10)
    np.testing.assert_allclose(cmcr(now, before, after, "price"), margin_after - lerner, rtol=1e-10)

    saved = np.array([0.05, 0.02, 0.0])
    margin_saved = 1 - (1 - lerner) * (1 - saved)
    net = -b_after @ margin_saved + b_before @ lerner
    np.testing.assert_allclose(upp(now, before, after, saved, "all") / price, net, rtol=1e-10)


def test_two_symmetric_products_need_werdens_cost_saving():
    """Werden (1996), symmetric case: m d / ((1 - m)(1 - d)) of cost; a margin of 0.4 and diversion of 0.2 ask for one sixth."""
    now = Prices(np.ones(2), np.full(2, 0.4), np.array([[0, 0.2], [0.2, 0]]))
    np.testing.assert_allclose(cmcr(now, np.eye(2), np.ones((2, 2)), "cost"), 1 / 6, rtol=ROUNDING)
