"""Padding and chunking change nothing about what comes out of them."""

from __future__ import annotations

import numpy as np
import pytest

from keiretsu.errors import InputError
from keiretsu.numerics.batching import chunk_length, cut, filled, map_chunks, padded, sizes_of

LAYOUT = {"a": ("rows",), "b": ("rows", "columns")}


def _record(rows, columns, rng):
    return {"a": rng.random(rows), "b": rng.random((rows, columns))}


def test_cutting_a_padded_record_gives_it_back():
    rng = np.random.default_rng(0)
    records = [_record(3, 5, rng), _record(4, 2, rng)]
    sizes = sizes_of(records, LAYOUT)
    assert sizes == {"rows": 4, "columns": 5}
    for record in records:
        wide = padded(record, LAYOUT, sizes)
        assert wide["b"].shape == (4, 5)
        assert np.isfinite(wide["b"]).all()
        back = cut(wide, LAYOUT, {"rows": record["b"].shape[0], "columns": record["b"].shape[1]})
        np.testing.assert_array_equal(back["b"], record["b"])
        np.testing.assert_array_equal(back["a"], record["a"])


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7])
def test_any_chunk_length_gives_every_record_once_and_in_order(chunk):
    records = [{"a": np.array([float(i)])} for i in range(5)]
    calls = []

    def double(stacked):
        calls.append(stacked["a"].shape[0])
        return {"twice": 2 * stacked["a"]}

    results = map_chunks(double, records, chunk)
    assert [float(result["twice"][0]) for result in results] == [0, 2, 4, 6, 8]
    assert len(set(calls)) == 1  # one shape, so one compilation


def test_a_market_larger_than_the_memory_budget_is_refused_with_both_figures():
    assert chunk_length(10, 100, 350) == 3
    assert chunk_length(2, 100, 350) == 2
    with pytest.raises(InputError, match=r"4 MiB.*at most 1 MiB"):
        chunk_length(10, 4 * 2**20, 2**20)


def test_new_places_of_a_stretched_array_hold_the_stated_number_and_old_ones_what_they_held():
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert filled(array, (3, 2), 1.0).tolist() == [[1, 2], [3, 4], [1, 1]]
    assert filled(np.array([True]), (2,)).tolist() == [True, False]
    assert filled(np.array([3], int), (3,)).dtype == np.array([3], int).dtype
    with pytest.raises(ValueError):
        filled(array, (1, 2))
