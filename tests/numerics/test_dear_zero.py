"""The nearest zero of a dear function: closed forms, few looks, and draws that say how likely the other side is."""

import numpy as np
import pytest
from scipy import stats

from keiretsu.numerics.dear_zero import DearOptions, nearest_zero, on_the_other_side
from keiretsu.numerics.draws import sobol
from keiretsu.numerics.reliability import NoZero, design_point

A = np.array([3.0, -1.0, 0.5, 0.0])


def counted(value):
    looks = []

    def look(u):
        looks.append(u.copy())
        return value(u)

    return look, looks


def test_a_straight_line_is_found_in_two_looks_and_two_slopes() -> None:
    look, looks = counted(lambda u: 2.0 + A @ u)
    found = nearest_zero(look, lambda u: A, 4, spread=float(np.linalg.norm(A)), where="line")
    assert len(looks) == found.evaluations == 2 and found.sweeps == 2 and found.settled
    assert found.beta == pytest.approx(2.0 / np.linalg.norm(A), rel=1e-12)
    np.testing.assert_allclose(found.point, -2.0 * A / (A @ A), atol=1e-12)


def curved(u):
    return 4.0 + A @ u + 0.3 * (u[0] - u[1]) ** 2 + 0.2 * np.exp(0.5 * u[2])


def curved_slope(u):
    bend = 0.6 * (u[0] - u[1])
    return A + np.array([bend, -bend, 0.1 * np.exp(0.5 * u[2]), 0.0])


def test_a_bent_function_leads_to_the_point_that_many_looks_find() -> None:
    look, looks = counted(curved)
    options = DearOptions(tolerance=1e-4, straight=0.02, evaluations=30, sweeps=8)
    found = nearest_zero(look, curved_slope, 4, spread=3.0, where="curve", options=options)
    exact = design_point(curved, curved_slope, 4, "curve")
    assert (
        found.beta == pytest.approx(exact.beta, rel=2e-3) and found.settled
    )  # off the line by two per cent: two parts in ten thousand of the distance
    assert len(looks) <= 15


def test_a_value_below_zero_in_the_middle_has_a_negative_distance() -> None:
    assert nearest_zero(lambda u: float(A @ u - 1.0), lambda u: A, 4, 3.0, "line").beta == pytest.approx(-1.0 / np.linalg.norm(A))


def test_a_flat_function_and_one_that_stays_on_its_side_have_no_zero() -> None:
    with pytest.raises(NoZero, match="no input moves"):
        nearest_zero(lambda u: 1.0, lambda u: np.zeros(4), 4, 1.0, "flat")
    with pytest.raises(NoZero, match="stays above zero within 6"):
        nearest_zero(lambda u: float(100.0 + A @ u), lambda u: A, 4, 3.0, "far")


def test_what_was_spent_without_settling_is_said() -> None:
    found = nearest_zero(curved, curved_slope, 4, 3.0, "curve", DearOptions(tolerance=1e-12, evaluations=3))
    assert not found.settled and found.evaluations == 3


def test_lines_through_draws_give_the_chance_of_a_straight_line_without_any_noise() -> None:
    found = nearest_zero(lambda u: float(2.0 + A @ u), lambda u: A, 4, 3.0, "line")
    normals = sobol(64, 4, 7).node
    other = on_the_other_side(2.0 + normals @ A, normals, found)
    np.testing.assert_allclose(other.chance, stats.norm.cdf(-found.beta), rtol=1e-12)
    assert other.bend == 0 and other.explained == pytest.approx(1.0)


def test_lines_through_draws_see_what_bends_across_them_as_sampling_does() -> None:
    def bowl(u):
        return 3.0 + 2.0 * u[..., 0] - 0.6 * u[..., 1] ** 2

    found = nearest_zero(bowl, lambda u: np.array([2.0, -1.2 * u[1], 0.0, 0.0]), 4, 2.2, "bowl")
    normals = sobol(1024, 4, 3).node
    lines = on_the_other_side(bowl(normals), normals, found).chance
    many = sobol(2**18, 4, 5).node
    sampled = float((bowl(many) < 0).mean())
    assert lines.mean() == pytest.approx(
        sampled, rel=0.1
    )  # a part of the bend across is taken for one along; the chance from the distance alone is off by more than twice that
    assert abs(stats.norm.cdf(-found.beta) / sampled - 1) > 0.2


def test_a_value_that_rises_ever_faster_is_straightened() -> None:
    """With the exponential as its own inverse the chance is known; a straight line would put it six points off."""
    slope = np.array([0.8, 0.6, 0.0, 0.0])

    def value(u):
        return -np.log1p(-np.clip(0.4 * (u @ slope) - 0.2, None, 0.9)) / 0.4  # straightened with a bend of 0.4 it is a straight line

    found = nearest_zero(value, lambda u: slope / (1 - (0.4 * (u @ slope) - 0.2)), 4, 1.2, "bent", DearOptions(tolerance=1e-9, evaluations=30))
    normals = sobol(256, 4, 7).node
    values = value(normals)
    other = on_the_other_side(values, normals, found)
    assert stats.norm.cdf(-found.beta) == pytest.approx(stats.norm.cdf(0.5), rel=1e-6)
    straight = stats.norm.cdf(normals @ slope - values).mean()
    assert abs(other.chance.mean() - stats.norm.cdf(0.5)) < 0.2 * abs(straight - stats.norm.cdf(0.5))
    assert other.bend > 0 and other.explained > 0.98
