"""List now, wait, or never ([16]): the market's multiple moves, waiting costs internal funding, and a listing is done once.

Listing new shares for a part phi of the company pays its holders ``phi [(1 - fee)(1 - discount) price - worth]``: they gain where the market pays more than
the shares are worth, and lose where it pays less; the money raised saves internal funding. The best rule compares that with waiting. Its value is bounded
from below by a rule fitted on one half of the draws and followed on the other with fresh market paths, and from above by a holder who knows each draw's
published figures in advance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keiretsu.case import Case
from keiretsu.numerics.stopping import best_on_grid, fit_stopping_rule, follow, normal_steps
from keiretsu.outlook.uncertain import REPLICATES
from keiretsu.typing import Vector
from keiretsu.valuation.equity import refuse_negative
from keiretsu.valuation.finance import finance_of, finances, records
from keiretsu.valuation.fundamentals import Fundamentals, fundamentals
from keiretsu.valuation.inputs import BASELINE, Futures, with_own_inputs
from keiretsu.valuation.listing_terms import ListingTerms, listing_terms_of, refuse_bad_listing
from keiretsu.valuation.money import NORMAL_95, Estimate, estimate, with_error
from keiretsu.valuation.odds import listed
from keiretsu.valuation.worth import Terminal, equity_of, worth_of_all

WIDTH = 0.01  # of a step of the grid, in logs: straight lines between points then overstate a value by about one part in 100,000 a year
MOST_POINTS = 1601
REACH = 6.0  # standard deviations that the grid spans beyond its centre
LEAST_REACH = 2.5  # and at least this in logs: a factor of twelve either way
PATHS_PER_DRAW = 64
SEED = 20240129
BELOW_CASH = "not known: less than its cash and stakes"
PLACES = (", low", ", middle", ", high")  # after who stated a span of values


@dataclass(frozen=True, eq=False)
class ListingValuation:
    """The decision to list. Money is EUR at 2023 prices on the first date, over what never listing brings; `half95` columns are half of the 95 % interval of a mean.

    Attributes
    ----------
    sentence
        What a board would quote.
    values
        item, value_eur, half95_eur: listing now, the best rule (lower and upper bound), the rule without learning, the value of waiting.
    thresholds
        year, multiple, valuation_eur, half95_eur (None where no multiple on the grid is enough): list at or above it, at expected fundamentals.
    timing
        year, probability, cumulative: of listing under the best rule found, in the real world; the last row is "never".
    verdict
        who, valuation_eur, list_now_eur, wait_eur, verdict: what would have been right on the first date at stated valuations.
    waiting
        year, internal_funding_eur, cost_eur: what waiting costs.
    """

    terms: ListingTerms
    sentence: str
    values: pd.DataFrame
    thresholds: pd.DataFrame
    timing: pd.DataFrame
    verdict: pd.DataFrame
    waiting: pd.DataFrame
    lower: Estimate
    upper: Estimate


def value_listing(
    case: Case, futures: Futures, company: str, *, terms: ListingTerms | None = None, scenario: str = BASELINE, terminal: Terminal = "growth"
) -> ListingValuation:
    """Value the option to list a company.

    Parameters
    ----------
    terms
        In place of those of listing.csv.

    Raises
    ------
    ValuationError
        Terms that cannot be meant, years not simulated, no finance for the company.
    NegativeEquity
        When its shares are expected to be worth nothing on the first date.
    """
    finance_of(finances(case), company)
    asked = listing_terms_of(case, company) if terms is None else terms
    refuse_bad_listing(asked)
    worths = worth_of_all(case, with_own_inputs(futures), scenario, with_synergies=True, now=float(asked.first_year))
    refuse_negative(equity_of(case, worths, terminal), [company], {company: worths[company].finance.place})
    company_brings = fundamentals(case, asked, worths, terminal)
    stated = {row["who"]: (float(row["low"]), float(row["value"]), float(row["high"])) for row in records(case, "guidance")
              if row["company"] == company and row["item"] == "equity_eur"}  # fmt: skip
    return decide(asked, company_brings, stated)


def decide(terms: ListingTerms, brings: Fundamentals, stated: Mapping[str, tuple[float, float, float]]) -> ListingValuation:
    """The decision from fundamentals alone; `stated` are valuations by who said them (low, middle, high)."""
    grid = log_grid(terms)
    steps = normal_steps(grid, terms.multiple.centre(grid, 1.0), terms.multiple.deviation(1.0))
    expected = brings.mean()
    payoff = payoffs(terms, expected, np.exp(grid)[:, None])[:, :, 0]
    best, waiting = best_on_grid(payoff, steps, brings.discount)
    fitted, fresh, scrambles = _halves(len(brings.equity))
    lower, timing = _lower_bound(terms, brings.some(fitted), brings.some(fresh), scrambles)
    informed, _ = best_on_grid(payoffs(terms, brings, np.exp(grid)[:, None]), steps, brings.discount)
    start = np.log(terms.multiple_now)
    upper = estimate(np.array([np.interp(start, grid, column) for column in informed[0].T]))
    now = estimate(payoffs(terms, brings.drawn_now(), np.full((1, 1), terms.multiple_now))[0, 0])
    lower = Estimate(lower.value, float(np.hypot(lower.error, now.error * (timing["probability"].iloc[0] > 0))))
    no_learning = float(np.interp(start, grid, best[0]))
    wait = Estimate(lower.value - max(now.value, 0.0), lower.error)
    values = pd.DataFrame(
        [
            ("listing now", now.value, now.error),
            ("best rule, lower bound", lower.value, lower.error),
            ("best rule, upper bound", upper.value, upper.error),
            ("best rule when nothing is learnt", no_learning, now.error),
            ("right to wait, over the better of listing now and never", wait.value, wait.error),
        ],
        columns=["item", "value_eur", "half95_eur"],
    )
    thresholds = _with_errors(_thresholds(expected, grid, payoff, waiting), terms, brings, grid, steps)
    verdict = _verdict(terms, expected, grid, waiting[0], stated)
    return ListingValuation(
        terms, _sentence(terms, thresholds, verdict, lower), values, thresholds, timing, verdict, _waiting(terms, brings), lower, upper
    )  # fmt: skip


def payoffs(terms: ListingTerms, brings: Fundamentals, multiple: np.ndarray) -> np.ndarray:
    """What listing pays present holders on each date, over never listing; minus infinity where nobody would buy. (K, G, N) for multiples (G, 1 or N).

    New money is raised at the offered price, ``primary_share = money / (price + money)``; shares sold at once bring the offered price less the fee, shares sold
    after the lock-up the market price expected then.
    """
    dates = []
    for k in range(brings.equity.shape[1]):
        worth, revenue, beside = brings.equity[:, k], brings.revenue[:, k], brings.stakes[:, k] - brings.net_debt
        price = multiple * revenue + beside
        offered = (1 - terms.discount) * price
        money = terms.primary_share / (1 - terms.primary_share) * offered
        kept = money * (1 - terms.fee)
        after = worth + kept
        later = (terms.multiple.expected(multiple, terms.lock_up_years) * revenue + beside + kept) * (1 + brings.risk_free) ** -terms.lock_up_years
        gain = (1 - terms.primary_share) * after - worth
        gain = gain + terms.secondary_share * ((offered + money) * (1 - terms.fee) - after) + terms.later_share * (later - after)
        gain = gain + _interpolated(kept, brings.raised, brings.saved[:, k])
        dates.append(np.where(price > 0, gain, -np.inf))
    return np.stack(dates)


def log_grid(terms: ListingTerms) -> Vector:
    """Even grid of log multiples, wide enough for the years to come and for valuations that were hoped for."""
    spread = terms.multiple.deviation(float(terms.last_year - terms.first_year + 1))
    level = np.log([terms.multiple_now, terms.multiple_mean])
    reach = max(LEAST_REACH, REACH * spread)
    low, high = level.min() - reach, level.max() + reach
    return np.linspace(low, high, min(int((high - low) / WIDTH) + 2, MOST_POINTS))


def _lower_bound(terms: ListingTerms, fitted: Fundamentals, fresh: Fundamentals, scrambles: int) -> tuple[Estimate, pd.DataFrame]:
    """Mean of a fitted rule on fresh draws and fresh market paths, its error over draws, and when it lists in the real world."""
    dates = len(fitted.years)
    streams = [np.random.default_rng(seed) for seed in np.random.SeedSequence(SEED).spawn(3)]
    rule = None
    results = []
    for stream, brings, multiple in zip(streams, (fitted, fresh, fresh), (terms.multiple, terms.multiple, terms.multiple.real_world()), strict=True):
        n = len(brings.equity)
        shocks = stream.standard_normal((PATHS_PER_DRAW // 2 * n, dates - 1))
        paths = multiple.paths(np.concatenate([shocks, -shocks]), terms.multiple_now)
        rows = np.tile(np.arange(n), PATHS_PER_DRAW)
        payoff, features, candidate = _along(terms, brings.some(rows), paths)
        if rule is None:
            rule = fit_stopping_rule(features, payoff, brings.discount, candidate)
        results.append((rows, n, follow(rule, features, payoff, brings.discount, candidate)))
    rows, n, stopped = results[1]
    by_draw = np.bincount(rows, weights=stopped.value, minlength=n) / PATHS_PER_DRAW
    if n > 1:
        lower = estimate(by_draw, scrambles)
    else:
        lower = Estimate(float(stopped.value.mean()), NORMAL_95 * float(stopped.value.std() / np.sqrt(len(stopped.value))))
    return lower, _timing(fresh.years, results[2][2].date)


def _along(terms: ListingTerms, brings: Fundamentals, paths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Payoff (N, K), features (N, K, 6) and where a listing is possible (N, K), along paths of the multiple."""
    columns = [payoffs(terms, brings, paths[:, k][None, :])[k, 0] for k in range(paths.shape[1])]
    raw = np.stack(columns, axis=1)
    candidate = np.isfinite(raw)
    payoff = np.where(candidate, raw, 0.0)
    size = max(float(np.abs(payoff).mean()), 1.0)
    x, p = np.log(paths / terms.multiple_now), payoff / size
    e = brings.equity / max(float(np.abs(brings.equity).mean()), 1.0)
    return payoff, np.stack([np.ones_like(x), p, x, x**2, e, x * e], axis=-1), candidate


def _thresholds(expected: Fundamentals, grid: Vector, payoff: np.ndarray, waiting: np.ndarray) -> pd.DataFrame:
    multiples: list[float | None] = []
    for now, later in zip(payoff, waiting, strict=True):
        enough = (now >= later) & (now > 0)
        multiples.append(float(np.exp(grid[int(np.argmax(enough))])) if enough.any() else None)
    valuations = [
        None if multiple is None else multiple * float(revenue) + float(stakes) - expected.net_debt
        for multiple, revenue, stakes in zip(multiples, expected.revenue[0], expected.stakes[0], strict=True)
    ]
    table = pd.DataFrame({"year": expected.years.astype(int)})
    for column, values in (("multiple", multiples), ("valuation_eur", valuations)):
        table[column] = pd.Series(values, dtype=object)  # None: no multiple on the grid is enough
    return table


def _with_errors(table: pd.DataFrame, terms: ListingTerms, brings: Fundamentals, grid: Vector, steps: np.ndarray) -> pd.DataFrame:
    """The thresholds with the Monte-Carlo error that comes from the mean worth: half the distance between one error up and one down."""
    error = estimate(brings.equity_now).error
    moved = []
    for sign in (1.0, -1.0):
        shifted = brings.mean()
        shifted = dataclasses.replace(shifted, equity=shifted.equity + sign * error)
        payoff = payoffs(terms, shifted, np.exp(grid)[:, None])[:, :, 0]
        moved.append(_thresholds(shifted, grid, payoff, best_on_grid(payoff, steps, brings.discount)[1])["valuation_eur"])
    errors = [None if up is None or down is None else abs(up - down) / 2 for up, down in zip(*moved, strict=True)]
    return table.assign(half95_eur=pd.Series(errors, dtype=object))


def _verdict(
    terms: ListingTerms, expected: Fundamentals, grid: Vector, waiting: Vector, stated: Mapping[str, tuple[float, float, float]]
) -> pd.DataFrame:
    revenue, beside = float(expected.revenue[0, 0]), float(expected.stakes[0, 0]) - expected.net_debt
    asked = {"the market of the day": terms.multiple_now * revenue + beside}
    for who, values in stated.items():
        for word, value in zip(("low", "middle", "high"), values, strict=True):
            if value not in values[: ("low", "middle", "high").index(word)]:
                asked[who if len(set(values)) == 1 else f"{who}, {word}"] = value
    rows = []
    for who, valuation in asked.items():
        multiple = (valuation - beside) / revenue
        if not multiple > 0:  # a multiple of revenue says nothing about such a price
            rows.append({"who": who, "valuation_eur": valuation, "list_now_eur": None, "wait_eur": None, "verdict": BELOW_CASH})
            continue
        pays = float(payoffs(terms, expected, np.full((1, 1), multiple))[0, 0, 0])
        waits = float(np.interp(np.log(multiple), grid, waiting))
        verdict = "list now" if pays > 0 and pays >= waits else ("wait" if waits > 0 else "never")
        rows.append({"who": who, "valuation_eur": valuation, "list_now_eur": pays, "wait_eur": waits, "verdict": verdict})
    return pd.DataFrame(rows)


def _timing(years: np.ndarray, dates: np.ndarray) -> pd.DataFrame:
    chance = [float(np.mean(dates == k)) for k in range(len(years))]
    rows = [(str(year), chance[k], float(sum(chance[: k + 1]))) for k, year in enumerate(years)]
    return pd.DataFrame([*rows, ("never", float(np.mean(dates == len(years))), 1.0)], columns=["year", "probability", "cumulative"])


def _waiting(terms: ListingTerms, brings: Fundamentals) -> pd.DataFrame:
    return pd.DataFrame({"year": brings.years.astype(int), "internal_funding_eur": brings.needed, "cost_eur": terms.funding_spread * brings.needed})


def _sentence(terms: ListingTerms, thresholds: pd.DataFrame, verdict: pd.DataFrame, lower: Estimate) -> str:
    least, error = thresholds["valuation_eur"].iloc[0], thresholds["half95_eur"].iloc[0]
    if least is None:
        first = f"In January {terms.first_year} no valuation would have made listing {terms.company} right"
    else:
        said = with_error(float(least), float(error or 0.0))
        first = f"In January {terms.first_year} listing {terms.company} would have been right from a valuation of {said} on"
    market, stated = verdict.iloc[0], verdict.iloc[1:]
    text = f"{first}; at EUR {float(market['valuation_eur']) / 1e9:.1f} bn, by the stock market's multiple of the day, the verdict is: {market['verdict']}."
    for word in ("list now", "wait", "never"):
        chosen = stated[stated["verdict"] == word]
        if len(chosen):
            text += f" At the value of {listed(_spans(chosen))} it is: {word}."
    return f"{text} The right to choose the moment is worth {with_error(lower.value, lower.error)}."


def _spans(stated: pd.DataFrame) -> list[str]:
    """Each who said a value, with its span: ``UBS (EUR 3 to 4 bn)``."""
    values: dict[str, list[float]] = {}
    for who, value in zip(stated["who"], stated["valuation_eur"], strict=True):
        values.setdefault(str(who).rpartition(", ")[0] if str(who).endswith(PLACES) else str(who), []).append(float(value) / 1e9)
    return [f"{who} (EUR {min(found):g}{f' to {max(found):g}' if max(found) > min(found) else ''} bn)" for who, found in values.items()]


def _halves(draws: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Draws that a rule is fitted on, those it is followed on, and how many scrambles these come from: every other one. One draw is both."""
    everyone: Sequence[int] = range(draws)
    if draws == 1:
        return np.array([0]), np.array([0]), REPLICATES
    return np.array(everyone[::2]), np.array(everyone[1::2]), REPLICATES // 2


def _interpolated(amount: np.ndarray, knots: Vector, values: np.ndarray) -> np.ndarray:
    """Straight lines between knots, level beyond the last, for each draw; amounts (G, 1 or N), values (N, M). (G, N)"""
    where = np.clip(amount / (knots[1] - knots[0]), 0.0, len(knots) - 1.0)
    left = np.minimum(where.astype(int), len(knots) - 2)
    draws = np.broadcast_to(np.arange(len(values)), np.broadcast_shapes(left.shape, (1, len(values))))
    left, part = np.broadcast_to(left, draws.shape), np.broadcast_to(where, draws.shape) - np.broadcast_to(left, draws.shape)
    return values[draws, left] * (1 - part) + values[draws, left + 1] * part
