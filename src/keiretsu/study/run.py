"""From a case to results: build the world, solve it, apply each scenario, compare, split, and say what matters."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.metadata
import platform
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from keiretsu.case import Case
from keiretsu.errors import InputError, KeiretsuError, MoveError, NoPureEquilibrium, NotSettled, PolicyError, Problem
from keiretsu.market.build import build_world, recosted
from keiretsu.market.memory import Memory
from keiretsu.market.outcome import Outcome
from keiretsu.market.solve import SolveOptions, solve
from keiretsu.market.world import World
from keiretsu.moves.channels import channels
from keiretsu.moves.comparison import Against
from keiretsu.moves.scenario import Scenario, parse_scenarios
from keiretsu.ownership.weights import rule_named
from keiretsu.study.calibration import calibration_table
from keiretsu.study.concentration import concentration_table
from keiretsu.study.diagnostics import diagnostics_table, starts_table
from keiretsu.study.headline import Wording, headline_row, sentences
from keiretsu.study.lookback import lookback_errors, lookback_table
from keiretsu.study.notes import costs_said, unpriced_said
from keiretsu.study.owners import owners_tables
from keiretsu.study.policy import policies_table
from keiretsu.study.policy_effects import literature_check, policy_effects_table
from keiretsu.study.pooling import pooling_table
from keiretsu.study.results import Results

OnStep = Callable[[int, int, str], None]
BASELINE = "baseline"
APART = 0.01  # part of a price by which baseline and observed one may differ without a word, where a cost is stated
WITHOUT_ANSWER = (NotSettled, NoPureEquilibrium, PolicyError)  # a world that has no equilibrium, or one at prices that no policy can be paid at
UNDER_RULES = 2  # headline scenarios about ownership that a run of everything shows under every rule; `keiretsu rules -s NAME` shows others
RULES = ("separate", "financial", "controller", "proportional", "proportional:one_block", "banzhaf")


def no_listener(done: int, total: int, what: str) -> None:
    """A listener that says nothing."""


@dataclass(frozen=True)
class RunOptions:
    """What a run does.

    Attributes
    ----------
    scenarios
        Names of the scenarios to solve, in that order; empty for all of the case.
    rule
        Ownership rule in place of the case's own; empty for the case's.
    starts
        Starting points of the search for other equilibria of the baseline, in each market.
    solving
        Tolerances.
    """

    scenarios: tuple[str, ...] = ()
    rule: str = ""
    starts: int = 3
    solving: SolveOptions = field(default_factory=SolveOptions)


def run(case: Case, options: RunOptions = RunOptions(), on_step: OnStep = no_listener) -> Results:
    """Solve a case's baseline and scenarios.

    Raises
    ------
    KeiretsuError
        Whatever part of the case cannot be used, and a baseline that does not settle, by its name. A scenario that does not settle is named in
        `Results.unsettled`; when none settles, the first one's error is raised.
    """
    require_scenarios(case)
    scenarios = chosen_scenarios(case, options.scenarios)
    steps = _Steps(3 + 2 * len(scenarios) + len(RULES), on_step)
    steps.next("base year: mean utilities and costs")
    observed = build_world(case).replace(name=BASELINE)
    if options.rule:
        observed = recosted(observed.replace(rule=rule_named(options.rule)))
    memory = Memory()
    solved = _Solver(options.solving, memory)
    steps.next("baseline")
    world = started_at(observed, solve(observed, options.solving, memory=memory))
    base = solved(world)
    against = Against(base)
    outcomes: dict[str, Outcome] = {BASELINE: base}
    owners = {BASELINE: owners_tables(world)}
    comparisons, splits = {}, {}
    failed: dict[str, KeiretsuError] = {}
    for scenario in scenarios:
        steps.next(f"{scenario.title}: markets")
        changed = (world if _later(scenario, world) else scenario.apply(world)).replace(name=scenario.name)
        try:
            outcome = solved(changed)
            steps.next(f"{scenario.title}: channels")
            splits[scenario.name] = channels(world, dataclasses.replace(scenario, moves=scenario.moves_at(world)), solved).table
        except WITHOUT_ANSWER as error:
            failed[scenario.name] = error
            continue
        outcomes[scenario.name] = outcome
        owners[scenario.name] = owners_tables(changed)
        comparisons[scenario.name] = against.compare(outcome)
    if failed and not comparisons:
        raise next(iter(failed.values()))
    unsettled = [(s.name, s.title, str(failed[s.name])) for s in scenarios if s.name in failed]
    scenarios = tuple(s for s in scenarios if s.name not in failed)
    begun = tuple(s for s in scenarios if not _later(s, world))
    told = _told_first(case, begun, bool(options.scenarios))
    rules, not_under = _rules_side_by_side(observed, base, _asked_under_every_rule(case, begun, bool(options.scenarios)), case.makers, solved, steps)
    steps.next("starting points and diagnostics")
    headline = pd.DataFrame([headline_row(comparisons[s.name], s, case.makers) for s in scenarios])
    effects = policy_effects_table(scenarios, outcomes, BASELINE)
    lookback = lookback_table(case, base)
    return Results(
        case=case,
        scenarios=scenarios,
        base=base,
        outcomes=outcomes,
        comparisons=comparisons,
        channels=splits,
        owners=owners,
        rules=rules,
        concentration=concentration_table(outcomes),
        calibration=calibration_table(case, observed),
        diagnostics=diagnostics_table(outcomes),
        starts=starts_table(base, options.starts, case.demand.seed),
        headline=headline,
        sentences=(
            *(sentences(comparisons, told, Wording.of(case), "" if told == begun else "the headline scenarios") if begun else ()),
            *(said for s in scenarios if (said := _not_yet(s, world))),
            *_apart_from_observed(observed, base, Wording.of(case)),
            *costs_said(observed),
            *unpriced_said(observed),
        ),
        manifest=manifest(case, options),
        policy_effects=effects,
        policy_bands=literature_check(effects, outcomes),
        policies=policies_table(base),
        stuck=_by_scenario(outcomes, "stuck"),
        budgets=_by_scenario(outcomes, "budgets"),
        nearly=_by_scenario(outcomes, "crossings"),
        pools=_by_scenario(outcomes, "pools"),
        payments=_by_scenario(outcomes, "payments"),
        pooling=pooling_table(outcomes),
        lookback=lookback,
        lookback_errors=lookback_errors(lookback),
        unsettled=pd.DataFrame([*unsettled, *not_under], columns=["scenario", "title", "why"]),
    )


def _later(scenario: Scenario, world: World) -> bool:
    """Whether everything that a scenario changes begins or ended on another day than the world's: its base year is the baseline's."""
    return bool(scenario.moves) and not scenario.moves_at(world)


def _told_first(case: Case, begun: tuple[Scenario, ...], named: bool) -> tuple[Scenario, ...]:
    """Scenarios that sentences choose among: those asked for by name, else the case's headlines, else all. A world under another law may move more and is no deal."""
    headlines = {text.name for text in case.scenarios if text.headline}
    return begun if named else tuple(one for one in begun if one.name in headlines) or begun


def _not_yet(scenario: Scenario, world: World) -> str:
    """What of a scenario the base year leaves out because it holds on other days; nothing where all of it holds."""
    out = [move for move in scenario.moves if not move.in_force(world.date)]
    if not out:
        return ""
    starts = sorted(str(move.start) for move in out if move.start and move.start > world.date)
    if len(out) == len(scenario.moves):
        return f"“{scenario.title}” {f'begins on {starts[0]}' if starts else f'is over by {world.date}'}: it changes nothing in the base year."
    what = " and ".join(dict.fromkeys(move.label for move in out))
    return f"“{scenario.title}”: its base year is without {what}, {f'in force from {starts[0]}' if starts else f'over by {world.date}'}."


def _apart_from_observed(observed: World, base: Outcome, wording: Wording) -> list[str]:
    """A sentence on cars whose stated cost puts the baseline's price elsewhere than the observed one: changes are against the former."""
    key = ["market", "product"]
    given = observed.products[observed.products["cost_given"] & observed.products["available"]]
    now = base.products.set_index(key)["price_eur"].reindex(pd.MultiIndex.from_frame(given[key])).to_numpy(float)
    apart = (abs(now / given["price_eur"].to_numpy(float) - 1)).tolist()
    far = [k for k, share in enumerate(apart) if share > APART]
    if not far:
        return []
    worst = max(far, key=lambda k: apart[k])
    row, others = given.iloc[worst], f" and {len(far) - 1} more" if len(far) > 1 else ""
    prices = f"{wording.say(float(now[worst]))} in the baseline, {wording.say(float(row['price_eur']))} observed"
    return [
        f"{row['product']} ({row['market']}){others}, whose cost is stated, is not at its observed price: {prices}; changes are against the baseline."
    ]


def started_at(world: World, outcome: Outcome) -> World:
    """The same world with an outcome's prices as the prices that moves refer to (a cut by a tenth) and that searches start from."""
    key = ["market", "product"]
    prices = outcome.products.set_index(key)["price_eur"].reindex(pd.MultiIndex.from_frame(world.products[key]))
    now = world.products["price_eur"].where(~world.products["available"], prices.to_numpy(float))
    return world.replace(products=world.products.assign(price_eur=now))


def _asked_under_every_rule(case: Case, scenarios: tuple[Scenario, ...], named: bool) -> tuple[Scenario, ...]:
    """Scenarios shown under the alternative rules: those about ownership that were asked for by name, else the first few of the case's headlines."""
    owning = tuple(s for s in scenarios if any(name == "ownership" for move in s.moves for name in move.by_channel()))
    marked = {text.name for text in case.scenarios if text.headline}
    return owning if named or not marked else tuple(s for s in owning if s.name in marked)[:UNDER_RULES]


def _by_scenario(outcomes: Mapping[str, Outcome], table: str) -> pd.DataFrame:
    """One table of every world's regulation under each other, with its scenario."""
    parts = [getattr(outcome.regulation, table).assign(scenario=name) for name, outcome in outcomes.items()]
    kept = [part for part in parts if len(part)] or parts[:1]
    found = pd.concat(kept, ignore_index=True)
    return found[["scenario", *(column for column in found.columns if column != "scenario")]]


def chosen_scenarios(case: Case, names: tuple[str, ...]) -> tuple[Scenario, ...]:
    """The case's scenarios but for those on request, or those named.

    Raises
    ------
    MoveError
        For every name that the case does not have.
    """
    known = parse_scenarios(case.scenarios)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise MoveError(
            [Problem("no such scenario", case.name, name, f"one of {', '.join(known) or 'none'}", _meant(name, known)) for name in unknown]
        )
    on_request = {text.name for text in case.scenarios if text.on_request}
    return tuple(known[name] for name in names) if names else tuple(one for name, one in known.items() if name not in on_request)


def _meant(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else ""


def manifest(case: Case, options: RunOptions) -> Mapping[str, object]:
    """What must be the same for the same numbers to come out."""
    versions = {name: importlib.metadata.version(name) for name in ("jax", "jaxlib", "numpy", "scipy", "pandas", "equinox")}
    return {
        "case": case.name,
        "case_hash": case.hash,
        "as_of": case.as_of.isoformat(),
        "base_year": case.year,
        "rule": options.rule or case.rule,
        "seed": case.demand.seed,
        "tolerance_eur": options.solving.pricing.tolerance_eur,
        "keiretsu": importlib.metadata.version("keiretsu"),
        "python": platform.python_version(),
        "versions": versions,
    }


class _Steps:
    """Counts what is done and tells a listener."""

    def __init__(self, total: int, on_step: OnStep) -> None:
        self.done, self.total, self.on_step = 0, total, on_step

    def next(self, what: str) -> None:
        self.on_step(self.done, self.total, what)
        self.done += 1


class _Solver:
    """`solve` that remembers the worlds it has solved: the baseline and the scenario come up again in every split into channels."""

    def __init__(self, options: SolveOptions, memory: Memory) -> None:
        self.options, self.memory = options, memory
        self.known: list[tuple[World, Outcome]] = []

    def __call__(self, world: World) -> Outcome:
        for known, outcome in self.known:
            if same_world(known, world):
                return outcome
        outcome = solve(world, self.options, memory=self.memory)
        self.known.append((world, outcome))
        return outcome


def same_world(a: World, b: World) -> bool:
    """Whether two worlds are the same in everything that prices depend on."""
    if a is b:
        return True
    if a.preferences is not b.preferences or a.markets is not b.markets:
        return False
    same_facts = (a.date, a.rule, a.programmes, a.pools, a.register) == (b.date, b.rule, b.programmes, b.pools, b.register)
    return same_facts and (a.products is b.products or a.products.equals(b.products))


def _rules_side_by_side(
    world: World, near: Outcome, scenarios: tuple[Scenario, ...], makers: tuple[str, ...], solved: _Solver, steps: _Steps
) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Headlines of the scenarios that act through ownership, under every rule; costs are recovered anew under each. And what did not settle.

    `world` has the observed prices, which costs are recovered from; searches start from the prices of `near`, whose world has the case's own rule.
    `solved` knows that world and its scenarios.
    """
    rows: list[dict[str, object]] = []
    failed: list[tuple[str, str, str]] = []
    for name in RULES:
        steps.next(f"the rule {name}")
        if not scenarios:
            continue
        rule = rule_named(name)
        same = rule == near.world.rule
        other = near.world if same else started_at(recosted(world.replace(rule=rule)), near)
        answer = solved if same else _Solver(solved.options, Memory())
        against = Against(answer(other))
        for scenario in scenarios:
            try:
                row = headline_row(against.compare(answer(scenario.apply(other))), scenario, makers)
            except WITHOUT_ANSWER as error:
                failed.append((scenario.name, f"{scenario.title}, under the ownership rule {name}", str(error)))
            else:
                rows.append({"rule": name, **row})
    return pd.DataFrame(rows), failed


def require_scenarios(case: Case) -> None:
    """Refuse a run without a question.

    Raises
    ------
    InputError
        When the case has no scenario.
    """
    if not case.scenarios:
        raise InputError(Problem("the case asks no question", case.name, "no file in scenarios/", "at least one scenario", "see `keiretsu new`"))
