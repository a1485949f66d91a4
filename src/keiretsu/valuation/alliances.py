"""Alliances: what each coalition of partners is worth, how its worth can be split, and which one nobody would leave ([18]).

v(S) is the change in the members' operating net present value when S cooperates in the stated form, everybody responding, stakes as they are. What outsiders
do is a conjecture: under *gamma* they stand alone, under *delta* they cooperate among themselves; both are reported. Shapley value, core, least
core and Nash's split say how v can be shared; they need side payments. Stability is asked of every seating of up to five partners: whether some split of what
each group earns keeps it together, whether Nash's equal split does, and whether it holds without any side payment.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.numerics.cooperative import LeastCore, Partition, best_split, least_core, nucleolus, partitions, shapley, stability
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.cooperation import Cooperation, Partner, Seating, name_of
from keiretsu.valuation.money import half95, with_error
from keiretsu.valuation.odds import in_futures, listed

ALIKE = 1e-3  # of the largest total: groupings as near as this are worth the same
MOST_SEATED = 5  # partners for whom every seating is solved: 52
STAYS_TOGETHER, FALLS_APART = "stay together", "fall apart"

Payoffs: TypeAlias = Callable[[Seating], Mapping[str, Vector]]
"""Operating net present value of each firm (EUR, by draw) under a seating of the partners."""


@dataclass(frozen=True, eq=False)
class Alliance:
    """What cooperation among named partners comes to. Money is EUR at 2023 prices, a change against everybody standing alone.

    Attributes
    ----------
    sentence
        For a board: the partnership nobody would leave, and what the newcomer brings.
    coalitions
        ``coalition, members, gamma_eur, gamma_half95_eur, delta_eur, delta_half95_eur`` and ``<partner>_eur, <partner>_half95_eur`` (that member's own
        change, gamma).
    splits
        ``partner, shapley_eur, shapley_half95_eur, core_low_eur, core_high_eur, least_core_eur, nucleolus_eur, nash_eur, own_eur``; `own_eur` is what each earns in the
        whole coalition before any side payment.
    brings
        ``partner, joins, adds_eur, adds_half95_eur``: what a partner adds to a coalition of the others (gamma).
    seatings
        ``seating, total_eur, total_half95_eur, <partner>_eur, split_<partner>_eur, nash_<partner>_eur, stable_gamma, stable_delta, nash_alone_gamma, nash_gamma,
        nash_delta, nash_blocked_by, stable_without_payments, chance_stable``, largest total first; empty with more than `MOST_SEATED` partners. `stable_gamma`: under some
        split (`split_<partner>_eur` is the one with most to spare) no group would leave when those left behind fall apart; `chance_stable` is the part
        of draws where that holds; `nash_...`: under the equal split.
    core
        Least core under gamma: subsidy (EUR) and ranges.
    """

    partners: tuple[Partner, ...]
    form: Cooperation
    draws: int
    sentence: str
    coalitions: pd.DataFrame
    splits: pd.DataFrame
    brings: pd.DataFrame
    seatings: pd.DataFrame
    core: LeastCore


def alliance(partners: Sequence[Partner], form: Cooperation, payoffs: Payoffs, newcomer: str = "", host: str = "") -> Alliance:
    """Value every coalition of the partners.

    Parameters
    ----------
    payoffs
        Solves one seating; called once for each seating that is needed, in any order.
    newcomer, host
        The partner whose contribution the sentence names, and to whom; not stated are the last partner and the second, or the first of two.

    Raises
    ------
    ValuationError
        A coalition of one; a newcomer or host that is no partner.
    """
    names = tuple(partner.name for partner in partners)
    newcomer, host = newcomer or (names[-1] if names else ""), host or (names[1] if len(names) > 2 else names[0] if names else "")
    problems = [Problem("no such partner", "alliance", name, f"one of {', '.join(names)}") for name in (newcomer, host) if name not in names]
    if len(names) < 2:
        problems.append(Problem("a coalition of one", "alliance", ", ".join(names) or "nobody", "two partners or more"))
    if newcomer == host and len(names) > 1:
        problems.append(Problem("the newcomer and the host are the same", "alliance", newcomer, "two partners"))
    if problems:
        raise ValuationError(problems)
    n = len(names)
    change = _changes(partners, payoffs)
    gamma = np.stack([change[_with_singles(s, n)][:, list(_in(s, n))].sum(axis=1) for s in range(2**n)])  # (2^n, N)
    delta = np.stack([change[_with_rest(s, n)][:, list(_in(s, n))].sum(axis=1) for s in range(2**n)])
    coalitions = _coalition_table(names, gamma, delta, change)
    core, splits = _split_table(names, gamma, change)
    brings = _brings_table(names, gamma)
    seatings = _seating_table(names, change) if n <= MOST_SEATED else pd.DataFrame()
    sentence = _sentence(seatings, coalitions, names, newcomer, host, gamma)
    return Alliance(tuple(partners), form, gamma.shape[1], sentence, coalitions, splits, brings, seatings, core)


def seatings_needed(names: Sequence[str]) -> tuple[Seating, ...]:
    """Every seating that `alliance` asks for: all of them up to `MOST_SEATED` partners, else those of the two conjectures."""
    return tuple(_seating(p, names) for p in _needed(len(names)))


def nash_payoffs(change: Mapping[Partition, Vector]) -> dict[Partition, Vector]:
    """Payoffs once each group splits what it gains over falling apart equally among its members (a loss as well: a group formed is a group bound).

    What a member falls back on is its own payoff when its group falls apart and the other groups stay.
    """
    found = {}
    for partition, own in change.items():
        paid = np.empty_like(own)
        for group in partition:
            apart = tuple(sorted([*(other for other in partition if other != group), *((i,) for i in group)]))
            members = list(group)
            alone = change[apart][members]
            paid[members] = alone + (own[members].sum() - alone.sum()) / len(members)
        found[partition] = paid
    return found


def _needed(n: int) -> tuple[Partition, ...]:
    if n <= MOST_SEATED:
        return partitions(n)
    return tuple(dict.fromkeys([f(s, n) for s in range(2**n) for f in (_with_singles, _with_rest)]))


def _changes(partners: Sequence[Partner], payoffs: Payoffs) -> dict[Partition, Matrix]:
    """Change of each partner's value against everybody alone, by draw. (N, n)"""
    names = [partner.name for partner in partners]
    n = len(names)
    value: dict[Partition, Matrix] = {}
    for partition in _needed(n):
        firms = payoffs(_seating(partition, names))
        value[partition] = np.stack([sum((np.atleast_1d(firms[firm]) for firm in p.firms), np.zeros(1)) for p in partners], axis=1)
    alone = value[tuple((i,) for i in range(n))]
    return {partition: own - alone for partition, own in value.items()}


def _coalition_table(names: tuple[str, ...], gamma: Matrix, delta: Matrix, change: Mapping[Partition, Matrix]) -> pd.DataFrame:
    n, rows = len(names), []
    for s in sorted(range(1, 2**n), key=lambda s: (s.bit_count(), s)):
        members = _in(s, n)
        own = change[_with_singles(s, n)]
        row: dict[str, object] = {"coalition": " + ".join(names[i] for i in members), "members": len(members)}
        for name, value in (("gamma", gamma[s]), ("delta", delta[s])):
            row |= {f"{name}_eur": float(value.mean()), f"{name}_half95_eur": _error(value)}
        for i in range(n):
            row |= {f"{names[i]}_eur": float(own[:, i].mean()), f"{names[i]}_half95_eur": _error(own[:, i])}
        rows.append(row)
    return pd.DataFrame(rows)


def _split_table(names: tuple[str, ...], gamma: Matrix, change: Mapping[Partition, Matrix]) -> tuple[LeastCore, pd.DataFrame]:
    n, mean = len(names), gamma.mean(axis=1)
    by_draw = np.stack([shapley(gamma[:, d]) for d in range(gamma.shape[1])])
    core = least_core(mean)
    whole = change[(tuple(range(n)),)]
    return core, pd.DataFrame(
        {
            "partner": list(names),
            "shapley_eur": by_draw.mean(axis=0),
            "shapley_half95_eur": [_error(by_draw[:, i]) for i in range(n)],
            "core_low_eur": core.low,
            "core_high_eur": core.high,
            "least_core_eur": core.split,
            "nucleolus_eur": nucleolus(mean),
            "nash_eur": np.full(n, mean[-1] / n),
            "own_eur": whole.mean(axis=0),
        }
    )


def _brings_table(names: tuple[str, ...], gamma: Matrix) -> pd.DataFrame:
    n, rows = len(names), []
    for i, s in itertools.product(range(n), range(1, 2**n)):
        if not s >> i & 1:
            adds = gamma[s | 1 << i] - gamma[s]
            rows.append((names[i], " + ".join(names[j] for j in _in(s, n)), float(adds.mean()), _error(adds)))
    return pd.DataFrame(rows, columns=["partner", "joins", "adds_eur", "adds_half95_eur"])


def _seating_table(names: tuple[str, ...], change: Mapping[Partition, Matrix]) -> pd.DataFrame:
    n = len(names)
    own = {p: c.mean(axis=0) for p, c in change.items()}
    shared = nash_payoffs(own)
    small = 1e-9 * max(float(np.abs(v).max()) for v in own.values())
    fall = {s.partition: s for s in stability(shared, FALLS_APART, small)}
    stay = {s.partition: s for s in stability(shared, STAYS_TOGETHER, small)}
    without = {s.partition: s for s in stability(own, FALLS_APART, small)}
    draws = len(next(iter(change.values())))
    rows = []
    for p in own:
        gamma, delta = best_split(own, p, FALLS_APART), best_split(own, p, STAYS_TOGETHER)
        row: dict[str, object] = {
            "seating": name_of(_seating(p, names)),
            "total_eur": float(own[p].sum()),
            "total_half95_eur": _error(change[p].sum(axis=1)),
        }
        for kind, paid in (("", own[p]), ("split_", gamma.split), ("nash_", shared[p])):
            row |= {f"{kind}{names[i]}_eur": float(paid[i]) for i in range(n)}
        row |= {
            "stable_gamma": gamma.subsidy <= small,
            "stable_delta": delta.subsidy <= small,
            "nash_alone_gamma": fall[p].by_one,
            "nash_gamma": fall[p].by_group,
            "nash_delta": stay[p].by_group,
            "nash_blocked_by": " + ".join(names[i] for i in fall[p].blocked_by),
            "stable_without_payments": without[p].by_group,
            "chance_stable": float(
                np.mean([best_split({q: c[d] for q, c in change.items()}, p, FALLS_APART).subsidy <= small for d in range(draws)])
            ),
        }
        rows.append(row)
    return pd.DataFrame(rows).sort_values(["total_eur", "stable_gamma"], ascending=False, kind="stable", ignore_index=True)


def _sentence(seatings: pd.DataFrame, coalitions: pd.DataFrame, names: tuple[str, ...], newcomer: str, host: str, gamma: Matrix) -> str:
    parts = []
    if len(seatings):
        stable = seatings[seatings["stable_gamma"]]
        if len(stable):
            best = stable.iloc[0]
            how = "" if best["nash_gamma"] else ", given the right split"
            sure = f" (in {in_futures(float(best['chance_stable']), gamma.shape[1])})" if gamma.shape[1] > 1 else ""
            parts.append(f"Nobody would leave {_in_words(str(best['seating']))}{how}{sure}, worth {_total(best)} to the partners together")
        else:
            bound = seatings[seatings["nash_gamma"]]
            equal = f" (where all have to share equally nobody would leave {_in_words(str(bound.iloc[0]['seating']))})" if len(bound) else ""
            parts.append(f"However the partners group and split the gains, some would leave{equal}; worth most {_worth_most(seatings)}")
    else:
        best = coalitions.iloc[int(coalitions["gamma_eur"].to_numpy(float).argmax())]
        parts.append(f"{best['coalition']} is worth most: {with_error(float(best['gamma_eur']), float(best['gamma_half95_eur']))}")
    bit = {name: 1 << i for i, name in enumerate(names)}
    together = gamma[bit[host] | bit[newcomer]]
    rivals = [name for name in names if name not in (host, newcomer)]
    against = [f"{with_error(float(gamma[bit[host] | bit[name]].mean()), _error(gamma[bit[host] | bit[name]]))} with {name}" for name in rivals]
    beside = f", against {listed(against)}" if against else ""
    parts.append(f"{host} and {newcomer} together gain {with_error(float(together.mean()), _error(together))}{beside}")
    return "; ".join(parts) + "."


def _worth_most(seatings: pd.DataFrame) -> str:
    """``is A with B (EUR 9.1 bn)``; where others are worth the same to the digits shown, how many."""
    best = seatings.iloc[0]
    alike = int((np.abs(seatings["total_eur"] - best["total_eur"]) <= ALIKE * abs(float(best["total_eur"]))).sum())
    said = f"{_in_words(str(best['seating']))} ({_total(best)})"
    return f"is {said}" if alike == 1 else f"are {alike} of {len(seatings)} groupings, among them {said}"


def _total(row: pd.Series) -> str:
    return with_error(float(row["total_eur"]), float(row["total_half95_eur"]))


def _in_words(seating: str) -> str:
    """``Renault + Nissan | Honda`` as "Renault with Nissan, Honda alone"."""
    groups = [group.split(" + ") for group in seating.split(" | ")]
    together = [f"{', '.join(group[:-1])} with {group[-1]}" for group in groups if len(group) > 1]
    alone = [group[0] for group in groups if len(group) == 1]
    return " and ".join(together) + (f"{', ' if together else ''}{listed(alone)} alone" if alone else "")


def _in(s: int, n: int) -> tuple[int, ...]:
    return tuple(i for i in range(n) if s >> i & 1)


def _with_singles(s: int, n: int) -> Partition:
    group, rest = _in(s, n), [(i,) for i in range(n) if not s >> i & 1]
    return tuple(sorted([*([group] if group else []), *rest]))


def _with_rest(s: int, n: int) -> Partition:
    return tuple(sorted(group for group in (_in(s, n), _in(~s & (2**n - 1), n)) if group))


def _seating(partition: Partition, names: Sequence[str]) -> Seating:
    return tuple(tuple(names[i] for i in group) for group in partition)


def _error(draws: Vector) -> float:
    return float(half95(draws))
