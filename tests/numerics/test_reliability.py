"""Design points against closed forms and published benchmarks.

Benchmarks: R - S with design point (180, 180) (LimitState package, example 1); product of two lognormals, beta 5.21, and the cubic-free saddle, beta 3.705 (both
from collections of FORM test problems, and checked here against a closed form or a constrained minimisation); sum of lognormals of Rackwitz (2001);
problem 28 of the RPRepo (TNO) reliability benchmark, P = 1.46e-7.
"""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from keiretsu.errors import InputError
from keiretsu.numerics.normal_scores import nataf
from keiretsu.numerics.reliability import Branch, NoZero, SearchOptions, by_branch, design_point, importance, numerical_slope, sample_near

FOUND = 1e-5  # the search stops at 1e-6 of the function's size
DEFAULT = SearchOptions()


def lognormal(mean, sd):
    s = np.sqrt(np.log1p((sd / mean) ** 2))
    return stats.lognorm(s, scale=mean / np.sqrt(1 + (sd / mean) ** 2))


def solve(g, marginals, correlation=None, options=DEFAULT):
    """g of inputs in their own units."""
    to = nataf(marginals, np.eye(len(marginals)) if correlation is None else correlation)

    def of_normals(u):
        return float(g(*to.inputs(u)))

    return design_point(of_normals, numerical_slope(of_normals), len(marginals), "test", options), to


def test_a_linear_function_of_normals_has_the_closed_form_distance_point_and_importance():
    a, mean, sd, b = np.array([3.0, -2.0, 1.0]), np.array([5.0, 2.0, 1.0]), np.array([1.0, 0.5, 2.0]), 4.0
    rho = np.array([[1, 0.3, 0], [0.3, 1, -0.2], [0, -0.2, 1]])
    found, to = solve(lambda *x: a @ np.array(x) - b, [stats.norm(m, s) for m, s in zip(mean, sd, strict=True)], rho)
    spread = np.sqrt((a * sd) @ rho @ (a * sd))
    assert found.beta == pytest.approx((a @ mean - b) / spread, abs=FOUND)
    covariance = np.outer(sd, sd) * rho
    np.testing.assert_allclose(to.inputs(found.point), mean - covariance @ a * (a @ mean - b) / spread**2, atol=1e-4)
    assert found.probability == pytest.approx(stats.norm.cdf(b, a @ mean, spread), rel=1e-4)
    parts = (a * sd) ** 2 / ((a * sd) ** 2).sum()
    np.testing.assert_allclose(importance(found, to.factor), parts, atol=1e-4)


def test_the_textbook_case_of_strength_less_load_fails_where_both_are_180():
    found, to = solve(lambda r, s: r - s, [stats.norm(200, 10), stats.norm(100, 20)])
    np.testing.assert_allclose(to.inputs(found.point), [180, 180], atol=1e-3)
    assert found.beta == pytest.approx(4.472136, abs=FOUND)
    assert found.probability == pytest.approx(3.872108e-06, rel=1e-4)
    np.testing.assert_allclose(importance(found, np.eye(2)), [0.2, 0.8], atol=1e-5)


def test_the_product_of_two_lognormals_has_the_published_beta():
    found, _ = solve(lambda a, b: a * b - 1140, [lognormal(38, 3.8), lognormal(54, 2.7)])
    va, vb = np.log1p(0.1**2), np.log1p(0.05**2)
    exact = (np.log(38) - va / 2 + np.log(54) - vb / 2 - np.log(1140)) / np.sqrt(va + vb)
    assert found.beta == pytest.approx(exact, abs=FOUND)
    assert round(found.beta, 2) == 5.21


def test_a_saddle_has_the_beta_of_a_constrained_minimisation_from_many_starts():
    def g(a, b, c):
        return c + ((a - 1.1) / 1.5) ** 2 - ((b - 0.2) / 3.0) ** 2 + 3.6

    found, _ = solve(g, [stats.norm()] * 3)
    rng = np.random.default_rng(0)
    tries = [minimize(lambda u: u @ u, rng.normal(size=3) * 3, constraints={"type": "eq", "fun": lambda u: g(*u)}) for _ in range(8)]  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert found.beta == pytest.approx(min(np.sqrt(t.fun) for t in tries if t.success), abs=1e-4)


@pytest.mark.parametrize("d", [2, 10, 20])
def test_the_sum_of_lognormals_of_rackwitz_fails_where_all_are_equal(d):
    # g = d + 3 sigma sqrt(d) - sum x_i, x_i lognormal(1, 0.2): by symmetry every x_i is 1 + 3 sigma / sqrt(d)
    x = lognormal(1, 0.2)
    found, to = solve(lambda *v: d + 3 * 0.2 * np.sqrt(d) - sum(v), [x] * d, options=SearchOptions(starts=0))
    level = 1 + 3 * 0.2 / np.sqrt(d)
    np.testing.assert_allclose(to.inputs(found.point), np.full(d, level), atol=1e-3)
    assert found.beta == pytest.approx(np.sqrt(d) * stats.norm.ppf(x.cdf(level)), abs=1e-4)


def test_sampling_near_the_point_finds_the_reference_probability_of_benchmark_problem_28():
    # product of two normals below 146.14: reference 1.46e-7 (RPRepo), which no plain sampling of this size could see
    marginals = [stats.norm(78064.4, 11709.7), stats.norm(0.0104, 0.00156)]
    found, to = solve(lambda a, b: a * b - 146.14, marginals)
    assert found.other[0].beta == pytest.approx(found.beta, abs=1e-4)  # the two inputs may change places
    both = np.array([found.point, found.other[0].point])
    near = sample_near(lambda u: np.prod(to.inputs(u), axis=1) - 146.14, both, 2**13, 1)
    assert near.probability == pytest.approx(1.46e-7, rel=0.03)
    assert near.error < 0.03 * near.probability


def test_correlation_of_inputs_is_reproduced_by_their_normals():
    marginals = [lognormal(10, 4), stats.uniform(2, 3), stats.triang(0.3, 1, 5)]
    rho = np.array([[1, 0.5, -0.3], [0.5, 1, 0.2], [-0.3, 0.2, 1]])
    to = nataf(marginals, rho)
    z = stats.norm.ppf(stats.qmc.Sobol(3, rng=np.random.default_rng(3)).random_base2(15) + 2.0**-32)
    x = to.inputs(z)
    np.testing.assert_allclose(np.corrcoef(x.T), rho, atol=0.005)  # sampling error of 32,768 points
    np.testing.assert_allclose(to.normals(x[:50]), z[:50], atol=1e-8)
    # two lognormals have the closed form log(1 + rho c c) / (s s)
    pair = nataf([lognormal(10, 4), lognormal(3, 1)], np.array([[1, 0.4], [0.4, 1]]))
    s = np.sqrt(np.log1p([0.16, (1 / 3) ** 2]))
    assert pair.factor[1, 0] == pytest.approx(np.log1p(0.4 * 0.4 / 3) / s.prod(), abs=1e-6)


def test_a_point_in_the_losing_half_has_a_negative_distance_and_a_chance_above_one_half():
    found, _ = solve(lambda x: x - 3.0, [stats.norm(1, 1)])
    assert found.beta == pytest.approx(-2.0, abs=FOUND)
    assert found.probability == pytest.approx(stats.norm.cdf(2.0), abs=1e-6)


def test_two_ways_to_fail_are_both_reported_and_the_nearer_is_the_answer():
    def g(u):
        return float(9.0 - (u[0] - 0.3) ** 2 + 0.1 * u[1])

    found = design_point(g, numerical_slope(g), 2, "two-sided", SearchOptions(starts=16))
    assert found.point[0] < 0 and found.beta < 3  # 0.3 - 3 is nearer than 0.3 + 3
    assert len(found.other) == 1 and found.other[0].beta > 3


def test_branches_of_discrete_events_have_a_point_each_and_their_chances_add_up():
    def line(level):
        return lambda u: float(level - u[0])

    branches = [Branch(f"level {c}", p, line(c), lambda u: np.array([-1.0])) for c, p in ((1.0, 0.3), (2.0, 0.6))]
    never = Branch("never", 0.1, lambda u: 1.0, lambda u: np.array([0.0]))
    points, chance = by_branch([*branches, never], 1)
    assert {name: round(p.beta, 4) for name, p in points.items()} == {"level 1.0": 1.0, "level 2.0": 2.0}
    assert chance == pytest.approx(0.3 * stats.norm.sf(1) + 0.6 * stats.norm.sf(2), abs=1e-6)


def test_what_never_loses_and_impossible_correlations_are_named_errors():
    with pytest.raises(NoZero, match="stays above zero"):
        design_point(lambda u: 100.0 + u[0], lambda u: np.array([1.0]), 1, "a safe thing")
    with pytest.raises(InputError, match="cannot be correlated that much"):
        nataf([lognormal(1, 2), lognormal(1, 2)], np.array([[1, -0.9], [-0.9, 1]]))
    with pytest.raises(InputError, match="not a correlation matrix"):
        nataf([stats.norm()], np.array([[2.0]]))
    with pytest.raises(InputError, match="contradict each other"):
        nataf([stats.norm()] * 3, np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]))
