"""Stakes of a run under all their terms, and what must be true for the headline one ([15], [17])."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.stats import t as student

from keiretsu.case import Case
from keiretsu.errors import ValuationError
from keiretsu.outlook.ensemble import Ensemble
from keiretsu.outlook.error import SURE
from keiretsu.outlook.inputs import input_of
from keiretsu.outlook.outlook import BASELINE
from keiretsu.study.decisions import question_of
from keiretsu.study.nothing import NothingStated
from keiretsu.study.said_inputs import input_said
from keiretsu.typing import Vector
from keiretsu.valuation.inputs import scenarios_of, with_own_inputs
from keiretsu.valuation.money import Estimate, estimate, stated_sum
from keiretsu.valuation.must_be_true import MustBeTrue, what_must_be_true
from keiretsu.valuation.odds import chance_in_words, in_futures, listed
from keiretsu.valuation.on_the_model import OnTheModel
from keiretsu.valuation.stake import StakeValuation, value_stake
from keiretsu.valuation.terms import StakeTerms, terms_of
from keiretsu.valuation.worth import equity_of, worth_of_all

AskTheModel: TypeAlias = Callable[[StakeTerms], OnTheModel]
"""What must be true for a stake on these terms, asked of the model itself."""

MISJUDGED = 0.02  # share of futures in which the company's value may say otherwise than the stake's
MOST_FITTED = 400  # futures that a polynomial is fitted to: more take longer than they tell
FEWEST = 4  # futures on each side, for a difference between them to have an error
NAMED = 3  # inputs that a sentence names


@dataclass(frozen=True, eq=False)
class StakePart:
    """A stake under one set of terms; `central` when its scenario was not drawn, so that its central case alone stands behind the figures, which have no error.

    `at_centre_eur` is the net present value of the central case, which every set of terms has: a mean over futures and a central case are not alike.
    """

    valuation: StakeValuation
    central: bool
    at_centre_eur: float

    @property
    def sentence(self) -> str:
        """What a board would quote."""
        return self.valuation.sentence + (" Central case only." if self.central else "")


@dataclass(frozen=True)
class Condition:
    """An input in futures in which a stake pays and in those in which it does not, in its own unit; the difference in standard deviations of the input.

    `words` are its plain name.
    """

    input: str
    words: str
    unit: str
    where_it_pays: float
    where_it_does_not: float
    difference: float
    half95: float


@dataclass(frozen=True, eq=False)
class MustPart:
    """What must be true for a stake: the likeliest zero where the futures can tell, and what goes with a gain.

    Attributes
    ----------
    found, on_the_model
        The zero of a polynomial through the futures, None where they are too few for one; the zero of the model itself, where it was asked. `why_not` says why
        there is neither.
    conditions
        Inputs that differ between futures that pay and those that do not by more than chance would, largest first; `looked_at` inputs in all.
    """

    decision: str
    sentence: str
    loss: Estimate
    found: MustBeTrue | None
    on_the_model: OnTheModel | None
    why_not: str
    conditions: tuple[Condition, ...]
    looked_at: int


def stakes_of(case: Case, futures: Ensemble) -> tuple[StakePart, ...]:
    """Every row of stake_terms.csv: on the futures where its scenario was drawn, on the central case where that alone is there.

    Raises
    ------
    NothingStated
        When the case has no terms, or no scenario of theirs was simulated.
    ValuationError, NegativeEquity
        As `value_stake`.
    """
    named = [str(name) for name in case.tables["stake_terms"]["terms"]]
    if not named:
        raise NothingStated("The case states no terms of a stake (stake_terms.csv).")
    at_centre = dataclasses.replace(futures, data=futures.central)
    found = []
    for name in named:
        scenario = terms_of(case, name).scenario or BASELINE
        if scenario not in scenarios_of(futures.central):
            continue
        middle = value_stake(case, at_centre, name)
        drawn = len(futures.inputs) > 0 and scenario in scenarios_of(futures.data)
        found.append(StakePart(value_stake(case, futures, name) if drawn else middle, not drawn, float(middle.net_present_value.mean())))
    if not found:
        raise NothingStated("No scenario that terms of a stake are about was simulated.")
    return tuple(sorted(found, key=lambda part: part.central))


def must_be_true_of(case: Case, futures: Ensemble, stakes: Sequence[StakePart], ask: AskTheModel | None) -> MustPart:
    """What must be true for the first stake: as the model says where it was asked, else as a polynomial through the futures says.

    Raises
    ------
    NothingStated
        When no stake was valued on futures.
    """
    drawn = [part.valuation for part in stakes if not part.central]
    if not drawn or not len(futures.inputs):
        raise NothingStated("What must be true for a stake is asked of futures; none were drawn for one.")
    stake = drawn[0]
    decision = f"{stake.terms.investor}'s {stated_sum(stake.terms.amount_eur)} for {stake.terms.company}"
    pays = stake.net_present_value > 0
    loss = estimate((~pays).astype(float))
    on_the_model, why_not = _from_the_model(ask, stake.terms) if ask else (None, "")
    found, why_not = (None, why_not) if ask else _from_futures(case, futures, stake, decision)
    conditions = conditions_of(case, futures, pays)
    sentence = (
        on_the_model.sentence
        if on_the_model
        else found.sentence
        if found
        else _sentence(decision, loss, conditions, len(pays), asked=ask is not None)
    )
    return MustPart(decision, sentence, loss, found, on_the_model, why_not, conditions, len(futures.normals.columns))


def _from_the_model(ask: AskTheModel, terms: StakeTerms) -> tuple[OnTheModel | None, str]:
    """The zero of the model, or why there is none."""
    try:
        return ask(terms), ""
    except ValuationError as refused:
        return None, str(refused)


def _from_futures(case: Case, futures: Ensemble, stake: StakeValuation, decision: str) -> tuple[MustBeTrue | None, str]:
    """The zero of a polynomial, or why there is none."""
    few = dataclasses.replace(futures, inputs=futures.inputs.iloc[:MOST_FITTED], normals=futures.normals.iloc[:MOST_FITTED])
    try:
        question = question_of(case, few, decision, zero_kept(case, futures, stake)[:MOST_FITTED])
        return what_must_be_true(question), ""
    except ValuationError as refused:
        why = "; ".join(f"{problem.what} ({problem.seen}; {problem.wanted} is needed)" for problem in refused.problems)
        return None, f"{why}. More futures (--draws) would tell, or the model itself (--must-be-true)"


def zero_kept(case: Case, futures: Ensemble, stake: StakeValuation) -> Vector:
    """A quantity that is zero where the stake is worth nothing, and that a polynomial can follow. (N,)

    Shares cannot be worth less than nothing, so the net present value of a stake is flat over many futures and a polynomial sees nothing in them. The company's own
    equity is not flat: where its level alone tells whether the stake pays (in all but `MISJUDGED` of futures), what is handed on is ``asinh`` of its distance
    from that level; elsewhere the net present value itself.
    """
    worths = worth_of_all(case, with_own_inputs(futures), stake.terms.scenario or BASELINE, with_synergies=True)
    equity = equity_of(case, worths, "growth").of(stake.terms.company)
    order = np.argsort(equity, kind="stable")
    pays = (stake.net_present_value > 0)[order]
    wrong = np.concatenate([[0], np.cumsum(pays)]) + np.concatenate([np.cumsum(~pays[::-1])[::-1], [0]])
    cut = int(wrong.argmin())
    if wrong[cut] > MISJUDGED * len(pays) or cut in (0, len(pays)):
        return stake.net_present_value
    level = 0.5 * (equity[order][cut - 1] + equity[order][cut])
    away = equity - level
    return np.arcsinh(3.0 * away / np.median(np.abs(away)))


def conditions_of(case: Case, futures: Ensemble, pays: np.ndarray) -> tuple[Condition, ...]:
    """Inputs whose mean differs between the futures that pay and the others by more than its error (half of a 95 % interval), largest first."""
    there, not_there = int(pays.sum()), int((~pays).sum())
    if min(there, not_there) < FEWEST:
        return ()
    found = []
    for name in (str(column) for column in futures.normals.columns):
        values = futures.inputs[name].to_numpy(float)
        spread = float(values.std())
        if spread == 0:
            continue
        inside, outside = values[pays], values[~pays]
        a, b = inside.var(ddof=1) / there, outside.var(ddof=1) / not_there
        freedom = (a + b) ** 2 / (a**2 / (there - 1) + b**2 / (not_there - 1))  # Welch
        error = float(student.ppf((1 + SURE) / 2, freedom) * np.sqrt(a + b)) / spread
        difference = float(inside.mean() - outside.mean()) / spread
        if abs(difference) > error:
            found.append(Condition(name, input_said(case, name), _unit(name), float(inside.mean()), float(outside.mean()), difference, error))
    return tuple(sorted(found, key=lambda one: -abs(one.difference)))


def _unit(name: str) -> str:
    known = input_of(name)
    return known.unit if known else ""


def _sentence(decision: str, loss: Estimate, conditions: Sequence[Condition], draws: int, *, asked: bool) -> str:
    text = f"{decision} loses in {in_futures(loss.value, draws)}: {chance_in_words(1 - loss.value, draws)} that it pays"
    if conditions:
        text += f", most of all where {listed([_where(one) for one in conditions[:NAMED]])}"
    return f"{text}." if asked else f"{text}. Which future on the border is likeliest takes more futures than these."


def _where(one: Condition) -> str:
    more = one.difference > 0
    if one.input.startswith("happens:"):
        return f"{one.words} {'comes' if more else 'does not come'}"
    if one.input.startswith("event:"):
        return f"{one.words} {'happens' if more else 'does not happen'}"
    if one.input.startswith("date:"):
        return f"the {one.words} is {'long' if more else 'short'}"
    return f"the {one.words} is {'high' if more else 'low'}"
