"""Present values and rates of return, against pyxirr and against cases where no rate means anything."""

import numpy as np
import pytest
import pyxirr

from keiretsu.errors import NoRateOfReturn
from keiretsu.numerics.irr import internal_rate, internal_rates, present_value, sign_changes

FLOWS = [
    [-100.0, 30.0, 40.0, 60.0],
    [-100.0, 0.0, 0.0, 250.0],
    [-100.0, 5.0, 5.0, 20.0],
    [-50.0, -50.0, 60.0, 90.0],
    [100.0, -30.0, -40.0, -60.0],
]


@pytest.mark.parametrize("flows", FLOWS)
def test_the_rate_of_return_is_that_of_pyxirr(flows: list[float]) -> None:
    assert internal_rate(np.array(flows), np.arange(4.0)) == pytest.approx(pyxirr.irr(flows), abs=1e-9)


def test_dated_flows_have_the_rate_that_pyxirr_finds_for_the_dates() -> None:
    import datetime as dt

    dates = [dt.date(2024, 3, 27), dt.date(2025, 7, 1), dt.date(2028, 12, 31), dt.date(2030, 12, 31)]
    flows = [-600.0, 40.0, 80.0, 900.0]
    times = np.array([(day - dates[0]).days / 365 for day in dates])  # the convention of XIRR
    assert internal_rate(np.array(flows), times) == pytest.approx(pyxirr.xirr(dates, flows), abs=1e-9)


@pytest.mark.parametrize("rate", [-0.2, 0.0, 0.05, 0.3])
def test_the_present_value_is_that_of_pyxirr(rate: float) -> None:
    assert present_value(rate, np.array(FLOWS[0]), np.arange(4.0)) == pytest.approx(pyxirr.npv(rate, FLOWS[0]), rel=1e-12)


def test_at_its_own_rate_a_stream_is_worth_nothing() -> None:
    times = np.array([0.0, 0.7, 2.0, 5.5])
    flows = np.array([-100.0, 10.0, 20.0, 130.0])
    assert present_value(internal_rate(flows, times), flows, times) == pytest.approx(0.0, abs=1e-9)


def test_a_stream_with_two_rates_is_refused_and_the_reason_named() -> None:
    flows = np.array([-100.0, 230.0, -132.0])  # worth nothing at 10 % and at 20 %
    assert present_value(0.1, flows, np.arange(3.0)) == pytest.approx(0.0, abs=1e-9)
    assert present_value(0.2, flows, np.arange(3.0)) == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(NoRateOfReturn, match="several changes of sign"):
        internal_rate(flows, np.arange(3.0))


def test_money_that_only_comes_in_has_no_rate() -> None:
    with pytest.raises(NoRateOfReturn, match="no change of sign"):
        internal_rate(np.array([10.0, 20.0]), np.arange(2.0))


def test_money_that_never_comes_back_is_all_lost_in_a_distribution() -> None:
    found = internal_rates(np.array([[-100.0, 0.0, 0.0], [-100.0, 0.0, 121.0], [-100.0, 230.0, -132.0]]), np.arange(3.0))
    assert list(found.status) == ["all lost", "one rate", "several changes of sign"]
    assert list(found.usable) == [True, True, False]
    assert found.rate[0] == -1.0
    assert found.rate[1] == pytest.approx(0.1, abs=1e-12)


def test_zeros_do_not_count_as_changes_of_sign() -> None:
    assert list(sign_changes(np.array([[-1.0, 0.0, 2.0, 0.0, 3.0], [0.0, -1.0, 1.0, 0.0, -1.0]]))) == [1, 2]


def test_flows_out_of_order_are_refused() -> None:
    with pytest.raises(NoRateOfReturn, match="rising order"):
        internal_rates(np.array([[-1.0, 2.0]]), np.array([1.0, 0.0]))
