"""The polynomial stand-in: exact where the model is a polynomial, honest where it is not."""

import numpy as np
import pytest

from keiretsu.errors import InputError
from keiretsu.numerics.draws import sobol
from keiretsu.numerics.polynomial import PolynomialOptions, fit_polynomial, sobol_indices

EXACT = 1e-9  # least squares on well-conditioned terms of order one


def test_a_polynomial_is_found_exactly_with_its_mean_variance_and_slopes():
    z = sobol(256, 4, 1).node

    def model(z):
        return 3 + 2 * z[..., 0] - z[..., 1] ** 2 + 0.5 * z[..., 0] * z[..., 2] + z[..., 3] ** 3

    fit = fit_polynomial(z, model(z))
    assert fit.held_out_r2 == pytest.approx(1.0, abs=EXACT)
    assert fit.mean == pytest.approx(2.0, abs=EXACT)
    assert fit.variance == pytest.approx(4 + 2 + 0.25 + 15, abs=1e-7)
    point = np.array([0.3, -1.2, 2.0, 0.7])
    assert fit.value(point)[0] == pytest.approx(model(point), abs=1e-8)
    np.testing.assert_allclose(fit.gradient(point), [2 + 0.5 * 2.0, 2.4, 0.15, 3 * 0.49], atol=1e-8)
    indices = sobol_indices(fit)
    np.testing.assert_allclose(indices.first_order, np.array([4, 2, 0, 15]) / 21.25, atol=EXACT)
    np.testing.assert_allclose(indices.total, np.array([4.25, 2, 0.25, 15]) / 21.25, atol=EXACT)


def test_sobol_indices_of_a_product_of_lognormals_are_the_closed_form():
    # y = exp(a z): first order (exp(a_i^2) - 1) / (exp(sum a^2) - 1); total from the same with all others known
    a = np.array([0.4, 0.3, 0.1])
    z = sobol(1024, 3, 3).node
    fit = fit_polynomial(z, np.exp(z @ a), PolynomialOptions(degree=4, interaction=4))
    grow = np.exp(a**2)
    whole = grow.prod() - 1
    assert fit.held_out_r2 > 0.999
    indices = sobol_indices(fit)
    np.testing.assert_allclose(
        indices.first_order, (grow - 1) / whole, atol=0.002
    )  # products of three inputs are not in the fit: 0.1 % of the variance
    np.testing.assert_allclose(indices.total, 1 - (grow.prod() / grow - 1) / whole, atol=0.002)


def test_noise_is_not_mistaken_for_a_model():
    z = sobol(128, 6, 2).node
    noise = np.random.default_rng(0).normal(size=128)
    assert fit_polynomial(z, noise).held_out_r2 < 0.2


def test_with_fewer_runs_than_terms_the_few_that_matter_are_found():
    z = sobol(128, 20, 5).node  # 251 terms
    y = 5 * z[:, 3] + 2 * z[:, 7] * z[:, 11] + 1.0
    fit = fit_polynomial(z, y)
    assert fit.held_out_r2 > 0.999
    assert set(np.flatnonzero(sobol_indices(fit).total > 1e-6)) == {3, 7, 11}


def test_with_as_many_inputs_as_runs_a_straight_line_is_not_lost_among_products():
    z = sobol(64, 50, 4).node
    y = 3 * z[:, 0] - 2 * z[:, 1] + z[:, 2] + 0.3 * np.random.default_rng(0).normal(size=64)
    fit = fit_polynomial(z, y)
    assert fit.held_out_r2 > 0.8
    assert (fit.powers.sum(axis=1) <= 1).all()


def test_an_output_that_does_not_vary_has_no_parts():
    z = sobol(64, 3, 2).node
    fit = fit_polynomial(z, np.full(64, 7.0))
    assert fit.held_out_r2 == 1.0 and fit.mean == pytest.approx(7.0)
    assert not sobol_indices(fit).total.any()


def test_too_few_runs_and_runs_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match="too few runs"):
        fit_polynomial(np.zeros((4, 2)), np.zeros(4))
    with pytest.raises(InputError, match="not a finite number"):
        fit_polynomial(np.zeros((32, 2)), np.full(32, np.nan))
    with pytest.raises(InputError, match="do not match"):
        fit_polynomial(np.zeros((32, 2)), np.zeros(31))
