"""Choosing among moves under uncertainty: what each is worth, how often it is best, what it costs to be wrong, what it is worth to know ([19]).

The same draws value every move, so differences between moves are sharper than the moves themselves. Regret of a move in a draw is what the best
move of that draw would have brought more. Perfect information is worth the mean of the best move of each draw less the best mean; knowing one input is worth
the same with draws sorted into bins by that input: inside a bin its value is (nearly) known and the best mean of the bin is chosen (Strong & Oakley
2013). Bins make it at least zero and at most what perfect information is worth; chance alone makes it larger than zero, and by how much is found
by shuffling the input: that is taken off, and how much it varies says what is within chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.errors import Problem, ValuationError
from keiretsu.outlook.uncertain import REPLICATES
from keiretsu.typing import Matrix, Vector
from keiretsu.valuation.money import NORMAL_95, half95, with_error
from keiretsu.valuation.odds import percent

WORST = 0.1  # the worst tenth
ROUNDING = 1e-12  # of the largest value
NEEDED = 16  # draws: two from each scramble, and a worst tenth has one


@dataclass(frozen=True)
class InformationOptions:
    """`bins` of equal size for each input (not more than draws / 8); `shuffles` to find what chance alone would show; `seed` of the shuffles."""

    bins: int = 16
    shuffles: int = 20
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Choice:
    """A choice among moves. Money is EUR at 2023 prices.

    Attributes
    ----------
    best
        The move with the largest expected value.
    sentence
        For a board.
    moves
        ``move, expected_eur, half95_eur, chance_best, expected_regret_eur, largest_regret_eur, worst_tenth_eur, chance_of_loss, behind_best_eur,
        behind_best_half95_eur``, best first. `behind_best_half95_eur` is that of the difference, draw by draw.
    information
        ``input, worth_eur, half95_eur, evppi_eur, by_chance_eur, evpi_share``, dearest first. `evppi_eur` is what the bins show and `by_chance_eur` the mean of that after
        shuffling; `worth_eur` is what is left, not below zero, `half95_eur` half of the 95 % interval of chance. A worth within it is nothing.
    perfect_eur, perfect_half95_eur
        Expected value of perfect information: at least zero and at most the largest regret.
    """

    best: str
    sentence: str
    moves: pd.DataFrame
    information: pd.DataFrame
    perfect_eur: float
    perfect_half95_eur: float


def choose(npv_eur: pd.DataFrame, inputs: pd.DataFrame, options: InformationOptions = InformationOptions()) -> Choice:
    """Compare moves.

    Parameters
    ----------
    npv_eur
        Net present value, draw by move; doing nothing is a move of its own (zeros) where it is allowed.
    inputs
        Uncertain inputs in their own units, draw by input, in the same order of draws.

    Raises
    ------
    ValuationError
        Fewer than two moves or `NEEDED` draws, draws that do not match, values that are not finite; all problems together.
    """
    value = _checked(npv_eur, inputs)
    names = [str(name) for name in npv_eur.columns]
    mean = value.mean(axis=0)
    best = int(mean.argmax())
    top = value.max(axis=1)
    regret = top[:, None] - value
    moves = pd.DataFrame(
        {
            "move": names,
            "expected_eur": mean,
            "half95_eur": half95(value),
            "chance_best": _chance_best(value),
            "expected_regret_eur": regret.mean(axis=0),
            "largest_regret_eur": regret.max(axis=0),
            "worst_tenth_eur": [worst_tenth(value[:, k]) for k in range(len(names))],
            "chance_of_loss": (value < 0).mean(axis=0),
            "behind_best_eur": mean[best] - mean,
            "behind_best_half95_eur": half95(value[:, [best]] - value),
        }
    ).sort_values("expected_eur", ascending=False, kind="stable", ignore_index=True)
    perfect, perfect_error = float(regret[:, best].mean()), float(half95(regret[:, [best]])[0])
    information = _information(value, inputs, perfect, options)
    sentence = _sentence(names[best], moves, information, perfect, perfect_error)
    return Choice(names[best], sentence, moves, information, perfect, perfect_error)


def worst_tenth(npv: Vector) -> float:
    """Mean of the worst tenth of draws, the draw at the border in part."""
    ordered = np.sort(np.asarray(npv, float))
    count = WORST * len(ordered)
    whole = int(count)
    part = count - whole
    return float((ordered[:whole].sum() + (part * ordered[whole] if part else 0.0)) / count)


def evppi(npv: Matrix, known: Vector, bins: int) -> float:
    """Expected value of knowing one input before choosing, by bins of equal size; equal values stay together. EUR."""
    value, x = np.asarray(npv, float), np.asarray(known, float)
    label = _bins(x, bins)
    counts = np.bincount(label)
    means = np.stack([np.bincount(label, value[:, k]) for k in range(value.shape[1])], axis=1) / counts[:, None]
    found = float(counts @ means.max(axis=1) / len(x) - value.mean(axis=0).max())
    return found if found > ROUNDING * float(np.abs(value).max()) else 0.0  # below zero by rounding only


def _bins(x: Vector, bins: int) -> np.ndarray:
    """Bin of each draw; a discrete input with no more values than bins gets a bin for each value."""
    values, place, count = np.unique(x, return_inverse=True, return_counts=True)
    if len(values) <= bins:
        return place
    before = np.cumsum(count) - count
    _, label = np.unique(np.minimum((before * bins) // len(x), bins - 1)[place], return_inverse=True)
    return label


def _information(value: Matrix, inputs: pd.DataFrame, perfect: float, options: InformationOptions) -> pd.DataFrame:
    bins = max(2, min(options.bins, len(value) // 8))
    rows = []
    for i, name in enumerate(inputs.columns):
        x = inputs[name].to_numpy(float)
        rng = np.random.default_rng([options.seed, i])
        chance = [evppi(value, rng.permutation(x), bins) for _ in range(options.shuffles)]
        shown, alone = evppi(value, x, bins), float(np.mean(chance)) if chance else 0.0
        within = NORMAL_95 * float(np.std(chance, ddof=1)) if len(chance) > 1 else 0.0
        rows.append((str(name), max(0.0, shown - alone), within, shown, alone))
    table = pd.DataFrame(rows, columns=["input", "worth_eur", "half95_eur", "evppi_eur", "by_chance_eur"])
    table["evpi_share"] = table["worth_eur"] / perfect if perfect > 0 else 0.0
    return table.sort_values(["worth_eur", "evppi_eur"], ascending=False, kind="stable", ignore_index=True)


def _chance_best(value: Matrix) -> Vector:
    """Part of draws in which each move is best; a tie is shared."""
    ties = value == value.max(axis=1, keepdims=True)
    return (ties / ties.sum(axis=1, keepdims=True)).mean(axis=0)


def _sentence(best: str, moves: pd.DataFrame, information: pd.DataFrame, perfect: float, error: float) -> str:
    first, second = moves.iloc[0], moves.iloc[1]
    ahead = with_error(float(second["behind_best_eur"]), float(second["behind_best_half95_eur"]))
    said = f"{best} is worth most in expectation, {ahead} ahead of {second['move']}, and is best in {percent(float(first['chance_best']))} of futures"
    telling = information[(information["worth_eur"] > information["half95_eur"]) & (information["worth_eur"] > 0)]
    if len(telling):
        top = telling.iloc[0]
        name = str(top["input"]).replace("_", " ").replace(":", " of ")
        worth = with_error(float(top["worth_eur"]), float(top["half95_eur"]))
        return f"{said}; knowing {name} before deciding is worth {worth}, knowing everything {with_error(perfect, error)}."
    if perfect <= 0:
        return f"{said}; one move is best whatever comes, so nothing is worth knowing first."
    return f"{said}; no single input is worth knowing first, everything together {with_error(perfect, error)}."


def _checked(npv: pd.DataFrame, inputs: pd.DataFrame) -> Matrix:
    problems: list[Problem] = []
    value = npv.to_numpy(float)
    if value.shape[1] < 2:
        problems.append(
            Problem(
                "nothing to choose between", "choosing", ", ".join(map(str, npv.columns)) or "no move", "two moves or more, doing nothing among them"
            )
        )
    if len(value) < NEEDED or len(value) % REPLICATES:
        problems.append(Problem("too few draws to choose by", "choosing", str(len(value)), f"{NEEDED} at least, and a multiple of {REPLICATES}"))
    if len(inputs) != len(npv):
        problems.append(Problem("draws do not match", "choosing", f"{len(npv)} values, {len(inputs)} rows of inputs", "as many of each"))
    twice = npv.columns[npv.columns.duplicated()]
    problems += [Problem("a move named twice", "choosing", str(name), "each once") for name in twice]
    bad: Mapping[str, int] = {str(name): int((~np.isfinite(npv.iloc[:, k].to_numpy(float))).sum()) for k, name in enumerate(npv.columns)}
    problems += [
        Problem("a value is not a finite number", f"choosing, move {name}", f"{count} draws", "finite values") for name, count in bad.items() if count
    ]
    if problems:
        raise ValuationError(problems)
    return value
