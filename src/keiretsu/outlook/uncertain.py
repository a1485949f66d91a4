"""Draws of the uncertain inputs: scrambled Sobol points, correlated, turned into each input's own distribution ([12]).

Draw number d is point ``d // replicates`` of scramble ``d % replicates``: a few independent scrambles of one sequence, taken in turn. The spread of
their means is the Monte-Carlo error of a quasi-random estimate, which the draws' own standard deviation would overstate. A longer run begins
with exactly the draws of a shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm, qmc

from keiretsu.errors import CaseError, InputError, Problem
from keiretsu.outlook.inputs import input_of

REPLICATES = 8
_TENTH = float(norm.ppf(0.9))


@dataclass(frozen=True)
class Uncertain:
    """One uncertain input: its distribution by median, 10th and 90th percentile (mode for a triangular one, probability for a discrete one)."""

    name: str
    distribution: str
    central: float
    low: float
    high: float
    source: str = ""

    @property
    def spread(self) -> bool:
        """Whether it has any."""
        return self.distribution != "fixed" and not (self.distribution != "discrete" and self.low == self.high)

    def value(self, normal: np.ndarray) -> np.ndarray:
        """The input where a standard normal stands at `normal`."""
        z = np.asarray(normal, dtype=float)
        if self.distribution == "normal":
            up, down = (self.high - self.central) / _TENTH, (self.central - self.low) / _TENTH
            return self.central + np.where(z > 0, up, down) * z
        if self.distribution == "lognormal":
            up, down = np.log(self.high / self.central) / _TENTH, np.log(self.central / self.low) / _TENTH
            return self.central * np.exp(np.where(z > 0, up, down) * z)
        if self.distribution == "discrete":
            return (norm.cdf(z) < self.central).astype(float)
        if not self.spread:
            return np.full_like(z, self.central)
        u = norm.cdf(z)
        if self.distribution == "uniform":
            width = (self.high - self.low) / 0.8
            return self.low - 0.1 * width + u * width
        low, high = triangle(self.central, self.low, self.high)
        rise = (self.central - low) / (high - low)
        left = low + np.sqrt(u * (high - low) * (self.central - low))
        right = high - np.sqrt((1 - u) * (high - low) * (high - self.central))
        return np.where(u < rise, left, right)


@dataclass(frozen=True)
class Draws:
    """Values (draw x input, in each input's unit) and the independent standard normals they come from (draw x input that has a spread)."""

    values: pd.DataFrame
    normals: pd.DataFrame
    replicates: int

    def row(self, draw: int) -> dict[str, float]:
        """Values of one draw."""
        return {str(name): float(value) for name, value in self.values.iloc[draw].items()}


def uncertain_of(tables: Mapping[str, pd.DataFrame], launched: Sequence[str]) -> tuple[tuple[Uncertain, ...], np.ndarray]:
    """Inputs with a spread and the correlation of the normals behind them, from a case's tables; inputs of products nobody launches are left out.

    An event with a positive correlation is likelier where the other input is high, and two events with one happen together.

    Raises
    ------
    CaseError
        For an input that does not exist, percentiles out of order, correlations that contradict each other; all together.
    """
    problems: list[Problem] = []
    found: list[Uncertain] = []
    for r in tables["uncertain"].to_dict("records"):
        name, where = str(r["input"]), str(r["row"])
        if input_of(name) is None:
            problems.append(Problem("no such input of the years ahead", where, name, "one of those in docs/outlook.md"))
            continue
        central = float(r["central"])
        low, high = (central if r[k] is None or pd.isna(r[k]) else float(r[k]) for k in ("low", "high"))
        if r["distribution"] not in ("discrete", "fixed") and not low <= central <= high:
            problems.append(Problem("percentiles out of order", where, f"{low:g}, {central:g}, {high:g}", "low <= central <= high"))
        if r["distribution"] == "lognormal" and not low > 0:
            problems.append(Problem("a lognormal input lies above zero", where, f"{low:g}", "above zero"))
        if r["distribution"] == "discrete" and not 0 <= central <= 1:
            problems.append(Problem("a probability lies between 0 and 1", where, f"{central:g}"))
        one = Uncertain(name, str(r["distribution"]), central, low, high, str(r["source"]))
        if one.spread and (":" not in name or name.split(":", 1)[1] in launched):
            found.append(one)
    names = [u.name for u in found]
    correlation = np.eye(len(found))
    for r in tables["correlations"].to_dict("records"):
        a, b = str(r["input_a"]), str(r["input_b"])
        if a in names and b in names:
            i, j = names.index(a), names.index(b)
            # an event happens where its normal is low: more likely with more of an input that it goes along with means the other sign
            sign = -1.0 if (found[i].distribution == "discrete") != (found[j].distribution == "discrete") else 1.0
            correlation[i, j] = correlation[j, i] = sign * float(r["correlation"])
    if found and np.linalg.eigvalsh(correlation).min() <= 0:
        problems.append(
            Problem(
                "correlations contradict each other",
                "correlations.csv",
                f"smallest eigenvalue {np.linalg.eigvalsh(correlation).min():.3f}",
                "above zero",
            )
        )
    if problems:
        raise CaseError(problems)
    return tuple(found), correlation


def draws_of(
    inputs: Sequence[Uncertain], correlation: np.ndarray, central: Mapping[str, float], count: int, seed: int, replicates: int = REPLICATES
) -> Draws:
    """`count` draws of every input; those without a spread stay at `central`.

    Raises
    ------
    InputError
        When `count` is not a multiple of `replicates`.
    """
    if count < 1 or count % replicates:
        raise InputError(Problem("draws come in equal parts from several scrambles", "--draws", str(count), f"a multiple of {replicates}"))
    each = count // replicates
    normals = np.empty((count, len(inputs)))
    for r, child in enumerate(np.random.SeedSequence(seed).spawn(replicates)):
        if inputs:
            sequence = qmc.Sobol(len(inputs), scramble=True, rng=np.random.default_rng(child))
            points = sequence.random_base2(max(each - 1, 0).bit_length())[:each]
            normals[r::replicates] = norm.ppf(np.clip(points, 1e-12, 1 - 1e-12))  # a Sobol point may be exactly 0, where the normal is not finite
    joint = normals @ np.linalg.cholesky(correlation).T if inputs else normals
    values = {name: np.full(count, value) for name, value in central.items()}
    values |= {u.name: u.value(joint[:, k]) for k, u in enumerate(inputs)}
    index = pd.RangeIndex(count, name="draw")
    return Draws(pd.DataFrame(values, index=index), pd.DataFrame(normals, index=index, columns=[u.name for u in inputs]), replicates)


def triangle(mode: float, low: float, high: float) -> tuple[float, float]:
    """Ends of the triangular distribution with this mode, 10th and 90th percentile."""

    def ends(rise: float) -> tuple[float, float]:
        # with F(mode) = rise the two percentiles give the two ends
        left = 0.0 if rise <= 0.1 else (mode - low) / (1 - np.sqrt(0.1 / rise))
        right = 0.0 if rise >= 0.9 else (high - mode) / (1 - np.sqrt(0.1 / (1 - rise)))
        return left, right

    def gap(rise: float) -> float:
        left, right = ends(rise)
        return left - rise * (left + right)

    rise = brentq(gap, 0.1 + 1e-9, 0.9 - 1e-9) if mode > low and mode < high else (0.0 if mode <= low else 1.0)
    if rise in (0.0, 1.0):
        width = (high - low) / (1 - np.sqrt(0.1))
        return (mode, mode + width) if rise == 0.0 else (mode - width, mode)
    left, right = ends(float(rise))
    return mode - left, mode + right
