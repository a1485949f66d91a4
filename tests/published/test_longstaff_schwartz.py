"""American puts of Longstaff & Schwartz (2001), Review of Financial Studies 14(1), Table 1, p. 127, and a fine binomial tree.

Strike 40, rate 6 %, 50 exercise dates a year. Columns: spot, volatility, years, finite-difference value.
"""

import numpy as np
import pytest

from keiretsu.numerics.stopping import best_on_grid, fit_stopping_rule, follow, normal_steps

TABLE_1 = [
    (36, 0.2, 1, 4.478), (36, 0.2, 2, 4.840), (36, 0.4, 1, 7.101), (36, 0.4, 2, 8.508),
    (38, 0.2, 1, 3.250), (38, 0.2, 2, 3.745), (38, 0.4, 1, 6.148), (38, 0.4, 2, 7.670),
    (40, 0.2, 1, 2.314), (40, 0.2, 2, 2.885), (40, 0.4, 1, 5.312), (40, 0.4, 2, 6.920),
    (42, 0.2, 1, 1.617), (42, 0.2, 2, 2.212), (42, 0.4, 1, 4.582), (42, 0.4, 2, 6.248),
    (44, 0.2, 1, 1.110), (44, 0.2, 2, 1.690), (44, 0.4, 1, 3.948), (44, 0.4, 2, 5.647),
]  # fmt: skip
STRIKE, RATE, A_YEAR = 40.0, 0.06, 50
PAIRS = 10_000


def _paths(spot: float, sigma: float, years: int, seed: int) -> np.ndarray:
    dates = A_YEAR * years
    shocks = np.random.default_rng(seed).standard_normal((PAIRS, dates))
    shocks = np.concatenate([shocks, -shocks])
    step = 1 / A_YEAR
    return spot * np.exp(np.cumsum((RATE - sigma**2 / 2) * step + sigma * np.sqrt(step) * shocks, axis=1))


def _features(price: np.ndarray) -> np.ndarray:
    x = price / STRIKE
    return np.stack([np.ones_like(x), 1 - x, x**2, x**3], axis=-1)  # 1 - x is the payoff where it is in the money


def _lower_bound(spot: float, sigma: float, years: int) -> tuple[float, float]:
    discount = np.exp(-RATE * np.arange(1, A_YEAR * years + 1) / A_YEAR)
    fitted, fresh = _paths(spot, sigma, years, 1), _paths(spot, sigma, years, 2)
    rule = fit_stopping_rule(_features(fitted), np.maximum(STRIKE - fitted, 0), discount, fitted < STRIKE)
    value = follow(rule, _features(fresh), np.maximum(STRIKE - fresh, 0), discount, fresh < STRIKE).value
    pairs = value.reshape(2, PAIRS).mean(axis=0)
    return float(pairs.mean()), float(pairs.std(ddof=1) / np.sqrt(PAIRS))


def _tree(spot: float, sigma: float, years: float, steps: int) -> float:
    """Cox, Ross & Rubinstein, exercise at every step."""
    step = years / steps
    up = np.exp(sigma * np.sqrt(step))
    chance = (np.exp(RATE * step) - 1 / up) / (up - 1 / up)
    price = spot * up ** (2.0 * np.arange(steps + 1) - steps)
    value = np.maximum(STRIKE - price, 0)
    for _ in range(steps):
        price = price[1:] / up
        value = np.maximum(STRIKE - price, np.exp(-RATE * step) * (chance * value[1:] + (1 - chance) * value[:-1]))
    return float(value[0])


@pytest.mark.parametrize(("spot", "sigma", "years", "published"), TABLE_1)
def test_american_puts_by_regression_are_those_of_table_1(spot: float, sigma: float, years: int, published: float) -> None:
    value, error = _lower_bound(spot, sigma, years)
    # low bias of a cubic on 50 dates a year and 20,000 paths is below 2 cents; plus three standard errors
    assert published - 0.02 - 3 * error < value < published + 3 * error


@pytest.mark.parametrize(("spot", "sigma", "years", "published"), TABLE_1)
def test_a_fine_tree_confirms_the_published_values(spot: float, sigma: float, years: int, published: float) -> None:
    assert _tree(spot, sigma, years, 1000) == pytest.approx(published, abs=0.01)  # printed to 0.001; finite differences are off by up to a cent


def test_the_best_rule_on_a_grid_is_worth_what_the_tree_says() -> None:
    sigma, years = 0.4, 1
    log_price = np.linspace(np.log(36) - 2.5, np.log(36) + 2.5, 4001)
    steps = normal_steps(log_price, log_price + (RATE - sigma**2 / 2) / A_YEAR, sigma / np.sqrt(A_YEAR), nodes=16)
    payoff = np.tile(np.maximum(STRIKE - np.exp(log_price), 0), (A_YEAR * years + 1, 1))
    discount = np.exp(-RATE * np.arange(A_YEAR * years + 1) / A_YEAR)
    value, _ = best_on_grid(payoff, steps, discount)
    # 50 dates a year are worth a little less than any date: the tree with 50 steps a year brackets it
    assert value[0, 2000] == pytest.approx(_tree(36, sigma, years, 1000), abs=0.02)


def test_a_perpetual_option_to_invest_is_worth_mcdonald_and_siegels_closed_form() -> None:
    """McDonald & Siegel (1986); Dixit & Pindyck (1994, ch. 5): value F = A V^b up to the threshold V* = b / (b - 1) I."""
    rate, payout, sigma, cost = 0.10, 0.08, 0.30, 1.0
    b = 0.5 - (rate - payout) / sigma**2 + np.sqrt(((rate - payout) / sigma**2 - 0.5) ** 2 + 2 * rate / sigma**2)
    threshold = b / (b - 1) * cost
    a_year, years = 12, 80  # 80 years at 10 %: what lies beyond is worth less than e^-8
    grid = np.linspace(-4.0, 4.0, 1601)
    steps = normal_steps(grid, grid + (rate - payout - sigma**2 / 2) / a_year, sigma / np.sqrt(a_year), nodes=16)
    payoff = np.tile(np.exp(grid) - cost, (a_year * years, 1))
    value, waiting = best_on_grid(payoff, steps, np.exp(-rate * np.arange(a_year * years) / a_year))
    at_par = (threshold - cost) * (1 / threshold) ** b
    assert value[0, 800] == pytest.approx(at_par, rel=0.005)  # twelve dates a year instead of every moment
    found = np.exp(grid[np.argmax(payoff[0] >= waiting[0])])
    assert found == pytest.approx(threshold, rel=0.06)  # discrete dates stop earlier, by 0.58 sigma sqrt(dt) = 5 % (Broadie, Glasserman & Kou)
