"""Draws, bands and their error."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from keiretsu.errors import CaseError, InputError
from keiretsu.outlook.ensemble import Ensemble, ensemble
from keiretsu.outlook.error import draws_needed, half_width, standard_error
from keiretsu.outlook.facts import steady_facts
from keiretsu.outlook.outlook import BASELINE, Outlook, build
from keiretsu.outlook.uncertain import Uncertain, draws_of, triangle, uncertain_of
from tests.outlook.small import YEARS, small_scenarios, small_world

INPUTS = (
    Uncertain("learning_rate", "triangular", 0.18, 0.14, 0.22),
    Uncertain("price_sensitivity", "lognormal", 1.0, 0.8, 1.25),
    Uncertain("electric_taste", "normal", 0.1, 0.0, 0.2),
    Uncertain("demand_growth", "uniform", 0.0, -0.01, 0.01),
    Uncertain("happens:boreas_small", "discrete", 0.6, 0.6, 0.6),
)


@functools.cache
def outlook() -> Outlook:
    world = small_world()
    return build(world, {name: small_scenarios()[name] for name in ("launch", "same", "cheaper")}, steady_facts(world, 2023, YEARS))


def run(count: int, inputs: tuple[Uncertain, ...] = INPUTS, block: int = 4, threads: int = 2) -> Ensemble:
    draws = draws_of(inputs, np.eye(len(inputs)), outlook().central(), count, 7)
    return ensemble(outlook(), draws, outlook().scenarios, block, threads, True, lambda *_: None, {})


@functools.cache
def sampled() -> Ensemble:
    return run(16)


def test_no_uncertainty_gives_bands_of_no_width() -> None:
    certain = run(8, ())
    for name in certain.data:
        low, high = certain.band(certain.data[name])
        assert (low.values == high.values).all()
        assert (certain.data[name].values == certain.central[name].values).all()


def test_a_scenario_equal_to_the_baseline_differs_by_exactly_nothing_in_every_draw() -> None:
    for variable in ("firm_profit_eur", "units", "price_eur", "surplus_eur", "pack_price_eur_kwh"):
        assert (sampled().change(variable).sel(scenario="same").values == 0.0).all()


def test_all_scenarios_have_the_same_draws() -> None:
    assert sampled().inputs.shape[0] == sampled().data.sizes["draw"]
    pack = sampled().data["pack_price_eur_kwh"].isel(year=0)
    assert (pack.sel(scenario="cheaper").values == pack.sel(scenario=BASELINE).values).all()


def test_the_same_bytes_whatever_the_blocks_and_threads() -> None:
    other = run(16, block=16, threads=1)
    for name in sampled().data:
        assert sampled().data[name].values.tobytes() == other.data[name].values.tobytes()


def test_owners_claims_add_up_to_profit_in_every_draw() -> None:
    claims, profit = sampled().data["owner_claim_eur"].sum("owner"), sampled().data["firm_profit_eur"].sum("firm")
    assert claims.values == pytest.approx(profit.values, rel=1e-12)


def test_a_launch_that_does_not_happen_in_a_draw_changes_nothing_there() -> None:
    happens = sampled().inputs["happens:boreas_small"].to_numpy() > 0
    change = np.abs(sampled().change("firm_profit_eur").sel(scenario="launch").values).max(axis=(1, 2))
    assert (change[happens] > 1e5).all()
    # prices of either run are settled to 1e-4 EUR; what that may come to is that much on every car
    settled = 2 * 1e-4 * float(sampled().data["firm_units"].sum("firm").max())
    assert settled < 1e3
    assert (change[~happens] < settled).all()


@pytest.mark.parametrize("one", INPUTS[:4], ids=lambda u: u.distribution)
def test_percentiles_of_draws_are_those_stated(one: Uncertain) -> None:
    assert one.value(np.asarray(norm.ppf([0.1, 0.9]))) == pytest.approx([one.low, one.high], rel=1e-6, abs=1e-9)
    assert one.value(np.asarray(norm.ppf([0.5])))[0] == pytest.approx(one.central, rel=0.02, abs=1e-6)


def test_a_triangle_has_its_mode_and_percentiles_where_they_were_stated() -> None:
    low, high = triangle(2.0, 1.0, 5.0)

    def below(x: float) -> float:
        return (x - low) ** 2 / ((high - low) * (2 - low)) if x <= 2 else 1 - (high - x) ** 2 / ((high - low) * (high - 2))

    assert below(1.0) == pytest.approx(0.1, abs=1e-9)
    assert below(5.0) == pytest.approx(0.9, abs=1e-9)


def test_a_longer_run_begins_with_the_draws_of_a_shorter_one() -> None:
    short, long = (draws_of(INPUTS, np.eye(5), outlook().central(), n, 7) for n in (16, 64))
    pd.testing.assert_frame_equal(short.values, long.values.iloc[:16])


def test_correlated_inputs_move_together_as_stated() -> None:
    matrix = np.array([[1.0, 0.7], [0.7, 1.0]])
    draws = draws_of(INPUTS[1:3], matrix, outlook().central(), 4096, 7)
    seen = np.corrcoef(np.log(draws.values["price_sensitivity"]), draws.values["electric_taste"])[0, 1]
    assert seen == pytest.approx(0.7, abs=0.02)


def test_the_reported_error_covers_the_true_mean() -> None:
    one = Uncertain("electric_taste", "normal", 0.1, 0.0, 0.2)
    wrong = 0
    for seed in range(100):
        value = np.exp(draws_of((one,), np.eye(1), {}, 64, seed).values["electric_taste"].to_numpy())
        sigma = 0.1 / norm.ppf(0.9)
        wrong += abs(value.mean() - np.exp(0.1 + sigma**2 / 2)) > half_width(value, 8)
    assert wrong <= 12  # 5 expected; more than 12 of 100 has probability below 0.2 %


def test_twice_the_draws_move_means_by_no_more_than_the_reported_error() -> None:
    more = run(32)
    profit = sampled().data["firm_profit_eur"].sum("firm")
    moved = np.abs((more.data["firm_profit_eur"].sum("firm").mean("draw") - profit.mean("draw")).values)
    assert (moved <= sampled().error(profit).values).mean() >= 0.95


def test_quasi_random_error_is_not_overstated_by_the_draws_own_spread() -> None:
    value = draws_of(INPUTS[1:3], np.eye(2), {}, 256, 3).values["electric_taste"].to_numpy()
    assert standard_error(value, 8) < 0.3 * value.std(ddof=1) / np.sqrt(256)


def test_draws_needed_for_an_error_grow_with_its_square() -> None:
    value = np.random.default_rng(1).standard_normal(64)
    now = float(half_width(value, 8))
    assert draws_needed(value, 8, now) == 64
    assert draws_needed(value, 8, now / 2) == pytest.approx(256, abs=8)


def test_an_unknown_input_and_percentiles_out_of_order_are_reported_together() -> None:
    rows = [
        {"input": "luck", "distribution": "normal", "central": 0.0, "low": -1.0, "high": 1.0, "source": "own", "row": "uncertain.csv:2"},
        {"input": "learning_rate", "distribution": "normal", "central": 0.2, "low": 0.3, "high": 0.4, "source": "own", "row": "uncertain.csv:3"},
    ]
    with pytest.raises(CaseError) as error:
        uncertain_of({"uncertain": pd.DataFrame(rows), "correlations": pd.DataFrame(columns=["input_a", "input_b", "correlation"])}, ())
    assert len(error.value.problems) == 2


def test_draws_come_in_equal_parts() -> None:
    with pytest.raises(InputError, match="multiple of 8"):
        draws_of(INPUTS, np.eye(5), {}, 12, 7)
