"""Cooperative games against games whose solutions everybody knows, and the core against brute force."""

import itertools
import math

import numpy as np
import pytest

from keiretsu.errors import InputError
from keiretsu.numerics.cooperative import after_leaving, best_split, complaints, least_core, nash_split, nucleolus, partitions, shapley, stability

EXACT = 1e-9  # sums of a few dozen numbers of order one
LP = 1e-6  # HiGHS feasibility tolerance is 1e-7


def game(n, worth):
    return np.array([worth({i for i in range(n) if s >> i & 1}) for s in range(2**n)], float)


def gloves(left, right):
    return game(len(left | right), lambda s: min(len(s & left), len(s & right)))


def by_orders(v, n):
    """Shapley value by walking through every order of arrival."""
    total = np.zeros(n)
    for order in itertools.permutations(range(n)):
        there = 0
        for player in order:
            total[player] += v[there | 1 << player] - v[there]
            there |= 1 << player
    return total / math.factorial(n)


def test_in_the_glove_game_the_rare_glove_gets_two_thirds():
    # one left, two right gloves: Shapley (2/3, 1/6, 1/6), core only (1, 0, 0)
    v = gloves({0}, {1, 2})
    np.testing.assert_allclose(shapley(v), [2 / 3, 1 / 6, 1 / 6], atol=EXACT)
    core = least_core(v)
    assert not core.core_is_empty
    np.testing.assert_allclose([core.low, core.high], [[1, 0, 0], [1, 0, 0]], atol=LP)
    np.testing.assert_allclose(nucleolus(v), [1, 0, 0], atol=LP)


def test_in_the_airport_game_each_part_of_the_runway_is_shared_by_those_who_need_it():
    # Littlechild & Owen (1973): part k of the runway is paid in equal parts by aircraft of that length or more
    cost = np.array([1.0, 3.0, 6.0, 10.0])
    v = -game(4, lambda s: max((cost[i] for i in s), default=0.0))
    parts = np.diff(np.append(0.0, cost)) / np.arange(4, 0, -1)
    np.testing.assert_allclose(shapley(v), -np.cumsum(parts), atol=EXACT)
    assert not least_core(v).core_is_empty  # a cost game of this kind is convex
    assert complaints(v, shapley(v)).max() <= EXACT


def test_in_a_majority_of_three_all_are_equal_and_every_split_is_left():
    v = game(3, lambda s: float(len(s) >= 2))
    np.testing.assert_allclose(shapley(v), [1 / 3] * 3, atol=EXACT)
    core = least_core(v)
    assert core.core_is_empty
    assert core.subsidy == pytest.approx(1 / 3, abs=LP)
    np.testing.assert_allclose(nucleolus(v), [1 / 3] * 3, atol=LP)


def test_in_a_weighted_majority_a_player_who_never_swings_gets_nothing():
    # quota 6 with votes 4, 3, 2, 1: Shapley-Shubik 5/12, 1/4, 1/4, 1/12
    weight = np.array([4, 3, 2, 1])
    v = game(4, lambda s: float(sum(weight[i] for i in s) >= 6))
    np.testing.assert_allclose(shapley(v), np.array([5, 3, 3, 1]) / 12, atol=EXACT)
    dummy = game(3, lambda s: float({0, 1} <= s))
    assert shapley(dummy)[2] == 0 == shapley(dummy).sum() - 1


def test_shapley_is_the_mean_over_all_orders_of_arrival():
    rng = np.random.default_rng(1)
    for n in (1, 2, 5):
        v = np.append(0.0, rng.normal(size=2**n - 1))
        np.testing.assert_allclose(shapley(v), by_orders(v, n), atol=EXACT)
        assert shapley(v).sum() == pytest.approx(v[-1], abs=EXACT)


@pytest.mark.parametrize("seed", range(12))
def test_the_core_by_linear_programming_is_the_core_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    v = np.zeros(8)
    v[[3, 5, 6]] = rng.integers(0, 7, 3)
    v[7] = 9
    # brute force: every split of 9 on a grid that holds all vertices of the core (worths are whole, vertices are multiples of 1/2)
    grid = np.arange(0, 18.5, 0.5) - 0.0
    splits = np.array([(a, b, 9 - a - b) for a in grid for b in grid])
    inside = splits[np.array([(complaints(v, s) <= 1e-12).all() for s in splits])]
    core = least_core(v)
    assert core.core_is_empty == (len(inside) == 0)
    if len(inside):
        np.testing.assert_allclose([core.low, core.high], [inside.min(axis=0), inside.max(axis=0)], atol=LP)
    assert complaints(v, core.split)[1:-1].max() == pytest.approx(core.subsidy, abs=LP)


def test_the_nucleolus_of_the_bankruptcy_problem_is_the_contested_garment_of_the_talmud():
    # Aumann & Maschler (1985), table 1: claims 100, 200, 300; estates 100, 200, 300
    claims = np.array([100.0, 200, 300])
    for estate, talmud in ((100, [100 / 3] * 3), (200, [50, 75, 75]), (300, [50, 100, 150])):
        v = game(3, lambda s, e=estate: max(0.0, e - sum(claims[i] for i in range(3) if i not in s)))
        np.testing.assert_allclose(nucleolus(v), talmud, atol=1e-4)


def test_the_nash_split_shares_the_gain_and_refuses_to_share_a_loss():
    np.testing.assert_allclose(nash_split(10.0, np.array([2.0, 4.0]), np.array([0.5, 0.5])), [4.0, 6.0])
    with pytest.raises(InputError, match="nothing to share"):
        nash_split(5.0, np.array([2.0, 4.0]), np.array([0.5, 0.5]))
    with pytest.raises(InputError, match="shares of one"):
        nash_split(10.0, np.array([2.0, 4.0]), np.array([0.5, 0.6]))


def test_there_are_as_many_partitions_as_bell_says():
    assert [len(partitions(n)) for n in range(1, 7)] == [1, 2, 5, 15, 52, 203]
    assert all(len(set(partitions(n))) == len(partitions(n)) for n in range(1, 6))


def test_those_left_behind_fall_apart_or_stay_together():
    together = ((0, 1, 2, 3),)
    assert after_leaving(together, (0, 1), "fall apart") == ((0, 1), (2,), (3,))
    assert after_leaving(together, (0, 1), "stay together") == ((0, 1), (2, 3))


def test_a_pair_of_three_symmetric_firms_is_left_by_the_free_rider_logic_of_salant_switzer_and_reynolds():
    # Cournot with linear demand 1 and no cost: k firms at the table earn 1/(k+1)^2 in all; three firms. A merger of two loses (1983), of three wins.
    def pay(partition):
        each = 1.0 / (len(partition) + 1) ** 2
        return np.array([each / next(len(t) for t in partition if i in t) for i in range(3)])

    payoff = {p: pay(p) for p in partitions(3)}
    stable = {s.partition: s for s in stability(payoff, "fall apart", 1e-12)}
    assert stable[((0, 1, 2),)].by_group  # alone against two others who fall apart: 1/16 < 1/12
    assert not stable[((0, 1), (2,))].by_one  # each of the pair has 1/18 and would have 1/16 alone
    assert not stable[((0,), (1,), (2,))].by_group
    assert stable[((0,), (1,), (2,))].blocked_by == (0, 1, 2)
    # if those left behind stay together, walking out of the whole pays 1/9 > 1/12
    assert not {s.partition: s for s in stability(payoff, "stay together", 1e-12)}[((0, 1, 2),)].by_one


@pytest.mark.parametrize("seed", range(6))
def test_without_spillovers_the_whole_holds_together_under_some_split_exactly_when_the_core_is_not_empty(seed):
    rng = np.random.default_rng(seed)
    v = np.zeros(8)
    v[[3, 5, 6]], v[7] = rng.uniform(0, 7, 3), 9.0
    # a group's worth, shared equally: the split looked for must not depend on how it is shared before
    payoff = {p: np.array([next(v[sum(1 << i for i in t)] / len(t) for t in p if k in t) for k in range(3)]) for p in partitions(3)}
    core = least_core(v)
    whole = best_split(payoff, ((0, 1, 2),), "fall apart")
    assert whole.subsidy == pytest.approx(core.subsidy, abs=LP)
    assert whole.split.sum() == pytest.approx(9.0, abs=LP)


def test_a_merger_of_three_in_cournot_holds_together_only_when_those_left_behind_fall_apart():
    def pay(partition):
        each = 1.0 / (len(partition) + 1) ** 2
        return np.array([each / next(len(t) for t in partition if i in t) for i in range(3)])

    payoff = {p: pay(p) for p in partitions(3)}
    assert best_split(payoff, ((0, 1, 2),), "fall apart").subsidy <= 0  # alone against two singles: 1/16 < 1/12
    assert best_split(payoff, ((0, 1, 2),), "stay together").subsidy > 0  # alone against a pair: 1/9 > 1/12


def test_a_game_without_a_worth_for_each_group_is_refused():
    with pytest.raises(InputError, match="one for each group"):
        shapley(np.zeros(3))
    with pytest.raises(InputError, match="empty group"):
        shapley(np.array([1.0, 2.0]))
    with pytest.raises(InputError, match="no payoff"):
        stability({((0,), (1,)): np.zeros(2)}, "fall apart", 0.0)
